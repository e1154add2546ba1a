//! What identifies a contact and what it holds many of: names, limits, and the one spelling each value is kept in.

use std::fmt;

use url::Host;

/// Most values of one list in one request.
pub const MAX_LIST_VALUES: usize = 25;
/// Longest user id, characters: as long as an event's.
const MAX_USER_ID_CHARS: usize = 256;
/// Longest visitor, characters: as long as an event's `anonymous_id`.
const MAX_VISITOR_CHARS: usize = 128;
/// Longest tracking id, characters.
const MAX_TRACKING_ID_CHARS: usize = 256;
/// Longest phone, name or location, characters.
const MAX_ATTRIBUTE_CHARS: usize = 255;
/// Longest e-mail address and longest part before its `@`, bytes (RFC 5321).
const MAX_EMAIL_BYTES: usize = 254;
const MAX_LOCAL_BYTES: usize = 64;

/// What ties activity to a contact, strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdentifierKind {
    /// The signed-in person, as the site names them (`user_id`).
    UserId,
    /// An e-mail address.
    Email,
    /// An id the caller gives: the same one is the same contact.
    TrackingId,
    /// A browser's token (`anonymous_id`). Devices are shared: it never joins two signed-in people.
    Visitor,
}

impl IdentifierKind {
    /// The stored name.
    pub fn as_str(self) -> &'static str {
        match self {
            IdentifierKind::UserId => "user_id",
            IdentifierKind::Email => "email",
            IdentifierKind::TrackingId => "tracking_id",
            IdentifierKind::Visitor => "visitor",
        }
    }

    /// The one spelling a value is kept in, or what is wrong with it.
    pub(super) fn normalise(self, value: &str) -> Result<String, String> {
        match self {
            IdentifierKind::Email => normalise_email(value).ok_or_else(|| String::from("is not an e-mail address")),
            IdentifierKind::UserId => line(value, MAX_USER_ID_CHARS),
            IdentifierKind::TrackingId => line(value, MAX_TRACKING_ID_CHARS),
            IdentifierKind::Visitor => line(value, MAX_VISITOR_CHARS),
        }
    }
}

impl fmt::Display for IdentifierKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a contact holds many of and nobody is found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum AttributeKind {
    Phone,
    Name,
    Location,
}

impl AttributeKind {
    pub const ALL: [AttributeKind; 3] = [AttributeKind::Phone, AttributeKind::Name, AttributeKind::Location];

    pub fn as_str(self) -> &'static str {
        match self {
            AttributeKind::Phone => "phone",
            AttributeKind::Name => "name",
            AttributeKind::Location => "location",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    pub fn normalise(value: &str) -> Result<String, String> {
        let trimmed = value.split_whitespace().collect::<Vec<_>>().join(" ");
        line(&trimmed, MAX_ATTRIBUTE_CHARS)
    }
}

/// An e-mail address in lower case with its domain in ASCII; `None` for what is none.
pub fn normalise_email(text: &str) -> Option<String> {
    let (local, domain) = text.trim().rsplit_once('@')?;
    let local_is_plain =
        local.chars().all(|letter| !letter.is_whitespace() && !letter.is_control() && !"@<>()[],;:\\\"".contains(letter));
    if local.is_empty() || local.len() > MAX_LOCAL_BYTES || !local_is_plain || local.starts_with('.') || local.ends_with('.') {
        return None;
    }
    let Ok(Host::Domain(domain)) = Host::parse(domain) else { return None };
    let labels_fit = domain.split('.').all(|label| (1..=63).contains(&label.len()));
    if !domain.contains('.') || !labels_fit {
        return None;
    }
    let email = format!("{}@{domain}", local.to_lowercase());
    (email.len() <= MAX_EMAIL_BYTES).then_some(email)
}

/// The domain of a normalised address.
pub(super) fn mail_domain(email: &str) -> &str {
    email.rsplit_once('@').map_or("", |(_, domain)| domain)
}

/// One line of text of 1 to `max` characters.
pub(crate) fn line(value: &str, max: usize) -> Result<String, String> {
    let length = value.chars().count();
    if length == 0 || length > max {
        return Err(format!("must have 1 to {max} characters"));
    }
    if value.chars().any(char::is_control) {
        return Err(String::from("must not hold control characters"));
    }
    Ok(value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_one_spelling() {
        for (text, email) in [
            (" Jo.Doe+news@Example.COM ", "jo.doe+news@example.com"),
            ("jo@bücher.example", "jo@xn--bcher-kva.example"),
            ("ÄNNE@example.com", "änne@example.com"),
        ] {
            assert_eq!(normalise_email(text).as_deref(), Some(email), "{text}");
        }
        let long = format!("{}@example.com", "x".repeat(65));
        for text in [
            "",
            "@",
            "jo",
            "jo@",
            "@example.com",
            "jo@localhost",
            "jo@10.0.0.1",
            "jo@[::1]",
            "a b@example.com",
            "jo@exa mple.com",
            ".jo@example.com",
            "jo@a..b",
            "<jo@example.com",
            &long,
        ] {
            assert_eq!(normalise_email(text), None, "{text}");
        }
    }
}
