//! Who the signed-in people are: names, mail addresses below reserved domains, places, and what the sites know of them.

use serde_json::Value;

/// First names.
const FIRST: [&str; 24] = [
    "Anna", "Jonas", "Mia", "Lukas", "Emma", "Felix", "Lena", "Paul", "Clara", "Noah", "Sofia", "Elias", "Marie", "Ben", "Ida",
    "Oskar", "Nina", "Theo", "Julia", "Max", "Eva", "Simon", "Laura", "David",
];
/// Last names.
const LAST: [&str; 31] = [
    "Berger", "Huber", "Wagner", "Gruber", "Schmid", "Keller", "Meier", "Bauer", "Vogel", "Lang", "Brunner", "Fuchs", "Winkler",
    "Moser", "Steiner", "Egger", "Lindner", "Kraus", "Haas", "Arnold", "Peters", "Jansen", "Visser", "Martin", "Bernard",
    "Rossi", "Conti", "Nielsen", "Nowak", "Baker", "Harris",
];
/// A few towns by country.
const TOWNS: [(&str, &[&str]); 16] = [
    ("DE", &["Munich", "Berlin", "Freiburg", "Kempten", "Leipzig"]),
    ("AT", &["Innsbruck", "Vienna", "Salzburg"]),
    ("CH", &["Bern", "Zurich", "Chur"]),
    ("NL", &["Utrecht", "Amsterdam"]),
    ("FR", &["Grenoble", "Annecy"]),
    ("GB", &["Leeds", "London", "Fort William"]),
    ("IT", &["Bolzano", "Turin"]),
    ("DK", &["Aarhus"]),
    ("PL", &["Krakow"]),
    ("US", &["Denver", "New York", "Austin", "Chicago"]),
    ("CA", &["Toronto", "Calgary"]),
    ("IN", &["Pune"]),
    ("AU", &["Melbourne"]),
    ("BR", &["Curitiba"]),
    ("JP", &["Osaka"]),
    ("", &["Nowhere"]),
];
/// Companies that buy the software; their domains lie below `.example`.
const COMPANIES: [&str; 40] = [
    "northwind-books",
    "alder-studio",
    "brightwater",
    "cobalt-labs",
    "dunmore-legal",
    "eastgate-foods",
    "fernhill",
    "granite-works",
    "harbor-freight-co",
    "ironbridge",
    "juniper-clinic",
    "kestrel-air",
    "lakeview-dental",
    "marlow-design",
    "nimbus-hr",
    "oakline",
    "pinecrest",
    "quarry-road",
    "redwood-print",
    "silverlake",
    "tidewater",
    "umber-and-sons",
    "vantage-point",
    "willow-garden",
    "xenon-optics",
    "yellow-barn",
    "zephyr-sails",
    "amberfield",
    "birch-and-co",
    "cedar-media",
    "delta-joinery",
    "elmwood-yoga",
    "foxglove",
    "greystone",
    "hazel-events",
    "indigo-tax",
    "jade-interiors",
    "kingsway-auto",
    "lumen-films",
    "mosaic-travel",
];

/// Somebody with an account.
pub struct Person {
    /// First and last name.
    pub name: String,
    /// Mail address.
    pub email: String,
    /// Town and country.
    pub location: String,
}

impl Person {
    /// The shop's customer with this number.
    pub fn customer(number: u32, country: &str) -> Person {
        let (first, last) = names(number);
        Person {
            name: format!("{first} {last}"),
            email: format!("{}.{}.{number}@example.com", first.to_lowercase(), last.to_lowercase()),
            location: location(number, country),
        }
    }

    /// The software's user with this number: several work for one company, most for one of the first.
    pub fn colleague(number: u32, country: &str) -> Person {
        let (first, last) = names(number);
        let count = COMPANIES.len() as u32;
        let spread = number.wrapping_mul(2_654_435_761) >> 16;
        let company = COMPANIES[(spread % count).min((spread / count) % count) as usize];
        Person {
            name: format!("{first} {last}"),
            email: format!("{}.{number}@{company}.example", last.to_lowercase()),
            location: location(number, country),
        }
    }

    /// As traits of `$identify`.
    pub fn traits(self) -> Vec<(&'static str, Value)> {
        vec![("email", self.email.into()), ("name", self.name.into()), ("location", self.location.into())]
    }
}

fn names(number: u32) -> (&'static str, &'static str) {
    // Both counts have no factor in common, so all pairs occur before one comes again.
    (FIRST[number as usize % FIRST.len()], LAST[number as usize % LAST.len()])
}

fn location(number: u32, country: &str) -> String {
    let known = TOWNS.iter().find(|(known, _)| *known == country).or(TOWNS.last());
    let towns = known.map_or(&[][..], |(_, towns)| towns);
    towns.get(number as usize % towns.len().max(1)).map_or_else(|| country.to_owned(), |town| format!("{town}, {country}"))
}
