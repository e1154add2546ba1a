//! Which URL parameters look like personal data. Names and shapes only; campaign tags and click ids always stay.

use crate::classify::is_click_id;

/// Parameter names that mean a person, a secret or a whereabouts, compared without case, `-`, `_`, `.` and brackets.
const PERSONAL_NAMES: &[&str] = &[
    // contact
    "email",
    "emailaddress",
    "useremail",
    "customeremail",
    "mail",
    "phone",
    "phonenumber",
    "tel",
    "telephone",
    "mobile",
    "msisdn",
    "whatsapp",
    // name and birth
    "name",
    "fullname",
    "firstname",
    "lastname",
    "fname",
    "lname",
    "surname",
    "givenname",
    "familyname",
    "username",
    "user",
    "login",
    "dob",
    "birthdate",
    "birthday",
    "dateofbirth",
    "gender",
    "ssn",
    "passport",
    "nationalid",
    "taxid",
    // address
    "address",
    "addressline1",
    "addressline2",
    "street",
    "zip",
    "zipcode",
    "postcode",
    "postalcode",
    "plz",
    "lat",
    "lng",
    "latitude",
    "longitude",
    "ip",
    "ipaddress",
    // money
    "iban",
    "card",
    "cardnumber",
    "creditcard",
    "ccnumber",
    "cvv",
    "cvc",
    // secrets
    "password",
    "passwd",
    "pwd",
    "pass",
    "secret",
    "clientsecret",
    "token",
    "accesstoken",
    "idtoken",
    "refreshtoken",
    "authtoken",
    "resettoken",
    "csrftoken",
    "auth",
    "authorization",
    "apikey",
    "key",
    "jwt",
    "session",
    "sessionid",
    "sid",
    "phpsessid",
    "jsessionid",
    "otp",
    "pin",
    "code",
    "signature",
    "sig",
    "hash",
    "magiclink",
    "invite",
    "state",
    "nonce",
    // recipient ids of mailing tools: each names one person
    "mceid",
    "hsenc",
    "mkttok",
    "veroid",
    "subscriberid",
    "contactid",
];

/// Whether a decoded parameter must not be stored.
pub fn looks_personal(name: &str, value: &str) -> bool {
    if is_click_id(name) {
        return false;
    }
    let plain: String = name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    if plain.starts_with("utm") {
        // Tags are kept whatever they are called, unless someone put an address into one.
        return looks_like_email(value);
    }
    PERSONAL_NAMES.contains(&plain.as_str()) || looks_like_email(value) || looks_like_phone(value) || looks_like_jwt(value)
}

fn looks_like_email(value: &str) -> bool {
    value.split([' ', ',', ';', '<', '>', ':', '/']).any(|word| match word.rsplit_once('@') {
        Some((local, domain)) => {
            !local.is_empty() && !domain.ends_with('.') && domain.chars().skip(1).any(|letter| letter == '.')
        }
        None => false,
    })
}

/// International form only: `+` and 8 to 15 digits, however grouped. (A literal `+` arrives as a space.)
fn looks_like_phone(value: &str) -> bool {
    let Some(rest) = value.strip_prefix(['+', ' ']) else { return false };
    let digits = rest.bytes().filter(u8::is_ascii_digit).count();
    (8..=15).contains(&digits) && rest.bytes().all(|byte| byte.is_ascii_digit() || b" -().".contains(&byte))
}

fn looks_like_jwt(value: &str) -> bool {
    value.starts_with("eyJ") && value.split('.').count() == 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_shapes() {
        for (name, value) in [
            ("email", "x"),
            ("E-Mail", "x"),
            ("user[email]", "x@y.zz"),
            ("first_name", "Jo"),
            ("access_token", "x"),
            ("mc_eid", "x"),
            ("_hsenc", "x"),
            ("ref", "jo@example.com"),
            ("ref", "mailto:jo@example.com"),
            ("utm_content", "jo@example.com"),
            ("n", "+49 30 1234567"),
            ("n", " 49301234567"),
            ("t", "eyJhbGciOiJIUzI1NiJ9.e30.sig"),
        ] {
            assert!(looks_personal(name, value), "{name}={value}");
        }
        for (name, value) in [
            ("utm_source", "name"),
            ("utm_campaign", "spring@home"),
            ("gclid", "eyJ.a.b"),
            ("ScCid", "x"),
            ("page", "2"),
            ("q", "12345678"),
            ("product", "name"),
            ("at", "@"),
            ("at", "a@ü"),
            ("variant", "é@b.c."),
        ] {
            assert!(!looks_personal(name, value), "{name}={value}");
        }
    }
}
