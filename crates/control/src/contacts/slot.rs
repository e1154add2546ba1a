//! The thirty custom profile fields of a contact: which slot holds which kind of value.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// Longest text in a slot, characters.
const MAX_TEXT_CHARS: usize = 10_240;
/// What a slot's name begins with.
const PREFIX: &str = "profile_field_";

/// One of the thirty slots: 1 to 15 hold text, 16 to 25 numbers, 26 to 30 dates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(u8);

/// What a slot holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FieldKind {
    /// Text of at most 10,240 characters.
    Text,
    /// A number.
    Number,
    /// A calendar day.
    Date,
}

impl FieldKind {
    /// Its name in messages.
    pub fn as_str(self) -> &'static str {
        match self {
            FieldKind::Text => "text",
            FieldKind::Number => "number",
            FieldKind::Date => "date",
        }
    }
}

/// A value as a caller gives it, read as the slot's kind says.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldInput {
    /// A number.
    Number(f64),
    /// A text; also reads as a number or a date.
    Text(String),
}

/// A stored value.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldValue {
    /// Of slots 1 to 15.
    Text(String),
    /// Of slots 16 to 25; finite.
    Number(f64),
    /// Of slots 26 to 30: `YYYY-MM-DD`.
    Date(String),
}

impl Slot {
    /// How many there are.
    pub const COUNT: u8 = 30;

    /// Every slot in order.
    pub fn all() -> impl Iterator<Item = Slot> {
        (1..=Self::COUNT).map(Slot)
    }

    /// The slot with this number, 1 to 30.
    pub fn new(number: u8) -> Option<Slot> {
        (1..=Self::COUNT).contains(&number).then_some(Slot(number))
    }

    /// The slot called `profile_field_N`.
    pub fn parse(name: &str) -> Option<Slot> {
        let digits = name.strip_prefix(PREFIX).filter(|digits| !digits.starts_with(['0', '+']))?;
        Slot::new(digits.parse().ok()?)
    }

    /// Its number.
    pub fn number(self) -> u8 {
        self.0
    }

    /// What it holds.
    pub fn kind(self) -> FieldKind {
        match self.0 {
            ..=15 => FieldKind::Text,
            16..=25 => FieldKind::Number,
            26.. => FieldKind::Date,
        }
    }

    /// Reads a value for this slot, or says what would be accepted.
    pub(super) fn read(self, input: &FieldInput) -> Result<FieldValue, String> {
        match (self.kind(), input) {
            (FieldKind::Text, FieldInput::Text(text)) if text.chars().count() <= MAX_TEXT_CHARS => {
                if text.contains('\0') {
                    return Err(String::from("must not hold U+0000"));
                }
                Ok(FieldValue::Text(text.clone()))
            }
            (FieldKind::Text, FieldInput::Text(_)) => Err(format!("must have at most {MAX_TEXT_CHARS} characters")),
            (FieldKind::Text, FieldInput::Number(_)) => Err(String::from("must be text")),
            (FieldKind::Number, input) => read_number(input).map(FieldValue::Number),
            (FieldKind::Date, input) => read_date(input).map(FieldValue::Date),
        }
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", self.0)
    }
}

pub(super) fn read_number(input: &FieldInput) -> Result<f64, String> {
    let number = match input {
        FieldInput::Number(number) => Some(*number),
        FieldInput::Text(text) => text.trim().parse::<f64>().ok(),
    };
    // -0 and 0 are one number, and so one spelling.
    number.filter(|number| number.is_finite()).map(|number| number + 0.0).ok_or_else(|| String::from("must be a number"))
}

/// A calendar day; of an instant with an offset, its day in UTC.
pub(super) fn read_date(input: &FieldInput) -> Result<String, String> {
    let refuse = || String::from("must be a date such as 2026-05-01");
    let FieldInput::Text(text) = input else { return Err(refuse()) };
    let text = text.trim();
    let day = match text.parse::<Timestamp>() {
        Ok(instant) => Some(instant.to_zoned(TimeZone::UTC).date()),
        Err(_) if text.len() <= 10 => text.parse::<Date>().ok(),
        Err(_) => text.parse::<DateTime>().ok().map(|time| time.date()),
    };
    // As text, only days of four-digit years stand in their order.
    day.filter(|day| day.year() >= 0).map(|day| day.to_string()).ok_or_else(refuse)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_kinds() {
        for (name, kind) in [
            ("profile_field_1", Some(FieldKind::Text)),
            ("profile_field_15", Some(FieldKind::Text)),
            ("profile_field_16", Some(FieldKind::Number)),
            ("profile_field_25", Some(FieldKind::Number)),
            ("profile_field_26", Some(FieldKind::Date)),
            ("profile_field_30", Some(FieldKind::Date)),
            ("profile_field_31", None),
            ("profile_field_0", None),
            ("profile_field_01", None),
            ("profile_field_+1", None),
            ("profile_field_", None),
            ("Customer Plan", None),
        ] {
            assert_eq!(Slot::parse(name).map(Slot::kind), kind, "{name}");
        }
        assert!(Slot::all().all(|slot| Slot::parse(&slot.to_string()) == Some(slot)));
    }

    #[test]
    fn values_are_read_as_the_slot_says() {
        let text = |text: &str| FieldInput::Text(String::from(text));
        for (slot, input, value) in [
            (1, text("Premium"), Some(FieldValue::Text("Premium".into()))),
            (1, text(&"x".repeat(10_240)), Some(FieldValue::Text("x".repeat(10_240)))),
            (1, text(&"x".repeat(10_241)), None),
            (1, FieldInput::Number(1.0), None),
            (16, FieldInput::Number(-0.0), Some(FieldValue::Number(0.0))),
            (16, text(" 30.5 "), Some(FieldValue::Number(30.5))),
            (16, text("NaN"), None),
            (16, text("1e999"), None),
            (26, text("2026-05-01"), Some(FieldValue::Date("2026-05-01".into()))),
            (26, text("2026-05-01 23:30:00"), Some(FieldValue::Date("2026-05-01".into()))),
            (26, text("2026-05-01T23:30:00-05:00"), Some(FieldValue::Date("2026-05-02".into()))),
            (26, text("2026-02-30"), None),
            (26, text("-002026-05-01"), None),
            (26, FieldInput::Number(20_260_501.0), None),
        ] {
            assert_eq!(Slot::new(slot).unwrap().read(&input).ok(), value, "{slot} {input:?}");
        }
    }
}
