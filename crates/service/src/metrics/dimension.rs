//! The dimensions metrics are grouped and filtered by, each declared once.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;
use tributary_control::{Label, Slot};
use tributary_core::ads::AdLevel;
use tributary_events::bucket::Interval;
use tributary_events::field::Field;

/// A dimension.
#[derive(Clone, Debug)]
pub struct Dimension {
    /// The name callers use, and the column of the answer.
    pub slug: &'static str,
    /// The name people read; accepted wherever the slug is.
    pub label: &'static str,
    /// Where it stands in lists.
    pub family: Family,
    /// What it holds.
    pub definition: &'static str,
    /// What it reads.
    pub attribute: Attribute,
}

/// Where a dimension stands in lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Family {
    /// Calendar units.
    Time,
    /// Where visits come from.
    Source,
    /// Account, campaign, ad set, ad.
    AdHierarchy,
    /// Where people are.
    Geography,
    /// What people use.
    Technology,
    /// Pages.
    Page,
    /// Custom fields of contacts.
    CustomField,
}

/// What a dimension reads of a touch, of a day of spend, or of a visit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Attribute {
    /// The calendar unit it lies in.
    Time(Unit),
    /// Its traffic source.
    Source,
    /// The id of the entity of this level it belongs to.
    AdId(Level),
    /// The name of that entity.
    AdName(Level),
    /// A field of the visit.
    Visit(Field),
    /// A custom field of the contact.
    Profile(Slot),
}

/// [`Interval`]s of whole days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unit {
    /// A day.
    Day,
    /// Monday to Sunday.
    Week,
    /// A month.
    Month,
    /// A quarter.
    Quarter,
    /// A year.
    Year,
}

/// [`AdLevel`]s a report knows, by their place in the hierarchy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Ad account.
    Account,
    /// Campaign.
    Campaign,
    /// Ad set or ad group.
    AdSet,
    /// Ad.
    Ad,
}

impl Unit {
    /// The interval of the engine's buckets.
    pub fn interval(self) -> Interval {
        match self {
            Unit::Day => Interval::Day,
            Unit::Week => Interval::Week,
            Unit::Month => Interval::Month,
            Unit::Quarter => Interval::Quarter,
            Unit::Year => Interval::Year,
        }
    }
}

impl Level {
    /// Every level, outermost first.
    pub const ALL: [Level; 4] = [Level::Account, Level::Campaign, Level::AdSet, Level::Ad];

    /// Its place in [`tributary_control::AdStanding`].
    pub fn place(self) -> usize {
        self as usize
    }

    /// The level of stored entities.
    pub fn ad_level(self) -> AdLevel {
        match self {
            Level::Account => AdLevel::Account,
            Level::Campaign => AdLevel::Campaign,
            Level::AdSet => AdLevel::AdSet,
            Level::Ad => AdLevel::Ad,
        }
    }
}

macro_rules! dimensions {
    ($($slug:literal $label:literal $family:ident ($attribute:expr) $definition:literal;)*) => {
        /// Every dimension but custom fields, in the order shown to readers.
        pub const DIMENSIONS: &[Dimension] = &[$(Dimension {
            slug: $slug, label: $label, family: Family::$family, attribute: $attribute, definition: $definition,
        }),*];
    };
}

dimensions! {
    "day" "Day" Time (Attribute::Time(Unit::Day)) "calendar day, 2026-05-01";
    "week" "Week" Time (Attribute::Time(Unit::Week)) "week from Monday to Sunday, by its Monday: 2026-04-27";
    "month" "Month" Time (Attribute::Time(Unit::Month)) "calendar month, 2026-05";
    "quarter" "Quarter" Time (Attribute::Time(Unit::Quarter)) "quarter of a year, 2026-Q2";
    "year" "Year" Time (Attribute::Time(Unit::Year)) "calendar year, 2026";
    "source" "Source" Source (Attribute::Source)
        "traffic source: facebook_ads, google_organic, email, referral, direct, ...; beside the ad hierarchy the ad account's";
    "medium" "Medium" Source (Attribute::Visit(Field::Medium)) "classified medium: paid, organic, email, referral, direct, ...";
    "utm_campaign" "UTM Campaign" Source (Attribute::Visit(Field::Campaign)) "utm_campaign of the visit";
    "account_id" "Account ID" AdHierarchy (Attribute::AdId(Level::Account)) "platform id of the ad account";
    "account_name" "Account Name" AdHierarchy (Attribute::AdName(Level::Account)) "name of the ad account";
    "campaign_id" "Campaign ID" AdHierarchy (Attribute::AdId(Level::Campaign)) "platform id of the campaign";
    "campaign_name" "Campaign Name" AdHierarchy (Attribute::AdName(Level::Campaign)) "name of the campaign; utm_campaign where no ad is known";
    "adset_id" "Ad Set ID" AdHierarchy (Attribute::AdId(Level::AdSet)) "platform id of the ad set or ad group";
    "adset_name" "Ad Set Name" AdHierarchy (Attribute::AdName(Level::AdSet)) "name of the ad set or ad group";
    "ad_id" "Ad ID" AdHierarchy (Attribute::AdId(Level::Ad)) "platform id of the ad";
    "ad_name" "Ad Name" AdHierarchy (Attribute::AdName(Level::Ad)) "name of the ad";
    "country" "Country" Geography (Attribute::Visit(Field::Country)) "ISO 3166-1 alpha-2 code of the visit's country";
    "device_type" "Device Type" Technology (Attribute::Visit(Field::DeviceType)) "mobile, tablet or desktop";
    "browser" "Browser" Technology (Attribute::Visit(Field::Browser)) "chrome, firefox, safari, edge or opera";
    "os" "Operating System" Technology (Attribute::Visit(Field::Os)) "windows, macos, android, ios or linux";
    "landing_page" "Landing Page" Page (Attribute::Visit(Field::Path)) "path of the page the visit began on";
    "url" "URL" Page (Attribute::Visit(Field::Url)) "address of the page the visit began on";
    "referrer" "Referrer" Page (Attribute::Visit(Field::Referrer)) "address of the page that linked here";
}

/// Other names of dimensions.
const ALIASES: [(&str, &str); 5] =
    [("sources", "source"), ("device", "device_type"), ("date", "day"), ("path", "landing_page"), ("operating_system", "os")];

/// A dimension as one question asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The answer's column.
    pub column: String,
    /// What it reads.
    pub attribute: Attribute,
}

impl Asked {
    /// Reads a caller's name: a slug, another name, a label in any case, or a custom field by slot or label.
    pub fn resolve(name: &str, labels: &[Label]) -> Result<Asked, String> {
        let name = name.trim();
        let slug = ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, slug)| *slug);
        let folded = name.to_lowercase();
        let fixed = DIMENSIONS.iter().find(|dimension| dimension.slug == slug);
        if let Some(fixed) = fixed.or_else(|| DIMENSIONS.iter().find(|dimension| dimension.label.to_lowercase() == folded)) {
            return Ok(Asked { column: fixed.slug.to_owned(), attribute: fixed.attribute.clone() });
        }
        if let Some(label) = labels.iter().find(|label| label.slot.to_string() == name || label.label.to_lowercase() == folded) {
            return Ok(Asked { column: label.slot.to_string(), attribute: Attribute::Profile(label.slot) });
        }
        let shown: String = name.chars().take(64).collect();
        if Slot::parse(name).is_some() {
            return Err(format!("{shown} has no label in this workspace; label it before using it"));
        }
        let accepted: Vec<&str> = DIMENSIONS.iter().map(|dimension| dimension.slug).collect();
        Err(format!("`{shown}` is no dimension; accepted: {}, and labelled custom fields", accepted.join(", ")))
    }
}

impl Attribute {
    /// Whether a day of spend has it.
    pub fn is_of_spend(&self) -> bool {
        matches!(self, Attribute::Time(_) | Attribute::Source | Attribute::AdId(_) | Attribute::AdName(_))
    }

    /// Whether it belongs to the ad hierarchy.
    pub fn is_of_ads(&self) -> bool {
        matches!(self, Attribute::AdId(_) | Attribute::AdName(_))
    }

    /// The one field of an event it reads, if it is one: then a value of the attribute is a value of the field.
    pub fn field(&self) -> Option<Field> {
        match self {
            Attribute::Source => Some(Field::Channel),
            Attribute::AdId(Level::Campaign) => Some(Field::CampaignId),
            Attribute::AdId(Level::AdSet) => Some(Field::AdSetId),
            Attribute::AdId(Level::Ad) => Some(Field::AdId),
            Attribute::Visit(field) => Some(field.clone()),
            Attribute::Profile(slot) => Some(Field::Trait(slot.to_string())),
            Attribute::Time(_) | Attribute::AdId(Level::Account) | Attribute::AdName(_) => None,
        }
    }
}

impl fmt::Display for Attribute {
    /// In words, for notes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Attribute::Profile(slot) => write!(f, "{slot}"),
            attribute => {
                let slug = DIMENSIONS.iter().find(|dimension| dimension.attribute == *attribute).map(|dimension| dimension.slug);
                f.write_str(slug.unwrap_or("this dimension"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dimensions_are_found_by_slug_alias_label_and_custom_field() {
        let labels = [Label { slot: Slot::new(5).expect("a slot"), label: String::from("Customer Plan") }];
        let column = |name: &str| Asked::resolve(name, &labels).map(|asked| asked.column);
        for (name, slug) in [
            ("source", "source"),
            ("sources", "source"),
            ("campaign name", "campaign_name"),
            ("device", "device_type"),
            ("customer plan", "profile_field_5"),
            ("profile_field_5", "profile_field_5"),
        ] {
            assert_eq!(column(name), Ok(slug.into()), "{name}");
        }
        assert!(column("profile_field_6").is_err_and(|told| told.contains("label it before using it")));
        assert!(column("moon_phase").is_err_and(|told| told.contains("accepted: day, week")));
        let docs = include_str!("../../../../docs/metrics.md");
        for dimension in DIMENSIONS {
            let row = format!("| `{}` | {} | {} |", dimension.slug, dimension.label, dimension.definition);
            assert!(docs.contains(&row), "docs/metrics.md lacks: {row}");
            assert_eq!(column(dimension.slug), Ok(dimension.slug.into()));
            assert_eq!(column(dimension.label), Ok(dimension.slug.into()));
        }
    }
}
