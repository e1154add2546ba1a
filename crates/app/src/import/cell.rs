//! One value of a row, whatever the file format, and how it reads as text, number or instant.

use jiff::tz::TimeZone;
use serde_json::Value;
use std::borrow::Cow;

use tributary_core::time::parse_instant;

use crate::import::mapping::TimeUnit;

/// One value of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell<'a> {
    /// Null, an empty text, or no such column.
    Absent,
    /// Text, never empty.
    Text(&'a str),
    /// A signed integer.
    Integer(i64),
    /// An unsigned integer.
    Unsigned(u64),
    /// A floating-point number.
    Float(f64),
    /// A decimal number as its digits: exact.
    Decimal(String),
    /// True or false.
    Bool(bool),
    /// An instant, microseconds since the epoch, UTC.
    Instant(i64),
    /// A JSON object or array.
    Json(&'a Value),
}

/// A row of any format.
pub trait Row {
    /// The value in a column.
    fn cell(&self, column: &Column) -> Cell<'_>;

    /// Calls `visit` for each column that holds a value.
    fn each(&self, visit: &mut dyn FnMut(&str, Cell<'_>));
}

/// A column: its name, and its place where the format has places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Name in the file.
    pub name: String,
    /// Place in the row; formats without a header ignore it.
    pub index: usize,
}

impl<'a> Cell<'a> {
    /// Text of at least one character, or absent.
    pub fn text(text: &'a str) -> Cell<'a> {
        if text.is_empty() { Cell::Absent } else { Cell::Text(text) }
    }

    /// The value of a JSON field.
    pub fn json(value: &'a Value) -> Cell<'a> {
        match value {
            Value::Null => Cell::Absent,
            Value::Bool(flag) => Cell::Bool(*flag),
            Value::String(text) => Cell::text(text),
            Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
                (Some(number), _, _) => Cell::Integer(number),
                (None, Some(number), _) => Cell::Unsigned(number),
                (None, None, Some(number)) => Cell::Float(number),
                (None, None, None) => Cell::Absent,
            },
            Value::Array(_) | Value::Object(_) => Cell::Json(value),
        }
    }

    /// The value as text; numbers as their shortest exact decimal, instants as RFC 3339.
    pub fn into_text(self) -> Option<Cow<'a, str>> {
        Some(match self {
            Cell::Absent => return None,
            Cell::Text(text) => Cow::Borrowed(text),
            Cell::Integer(number) => Cow::Owned(number.to_string()),
            Cell::Unsigned(number) => Cow::Owned(number.to_string()),
            Cell::Float(number) => Cow::Owned(number.to_string()),
            Cell::Decimal(digits) => Cow::Owned(digits),
            Cell::Bool(flag) => Cow::Borrowed(if flag { "true" } else { "false" }),
            Cell::Instant(time_us) => Cow::Owned(tributary_core::time::format_utc(time_us)),
            Cell::Json(value) => Cow::Owned(value.to_string()),
        })
    }

    /// The value as a property.
    pub fn into_property(self) -> Option<Value> {
        Some(match self {
            Cell::Absent => return None,
            Cell::Text(text) => Value::from(text),
            Cell::Integer(number) => Value::from(number),
            Cell::Unsigned(number) => Value::from(number),
            // JSON has no word for these two.
            Cell::Float(number) if !number.is_finite() => return None,
            Cell::Float(number) => Value::from(number),
            Cell::Decimal(digits) => digits.parse::<f64>().map_or_else(|_| Value::from(digits.as_str()), Value::from),
            Cell::Bool(flag) => Value::from(flag),
            Cell::Instant(time_us) => Value::from(tributary_core::time::format_utc(time_us)),
            Cell::Json(value) => value.clone(),
        })
    }

    /// The value as an instant, microseconds. `Err` says what would be accepted.
    pub fn into_instant(self, unit: Option<TimeUnit>, zone: &TimeZone) -> Result<Option<i64>, String> {
        let number = |number: i128| match unit {
            None => Err(String::from(
                "timestamp is a number and the mapping names no unit; accepted: timestamp = { column = \"…\", unit = \"s\" } \
                 with s, ms, us or ns, or --time-unit",
            )),
            Some(unit) => {
                let micros = match unit {
                    TimeUnit::Seconds => number.checked_mul(1_000_000),
                    TimeUnit::Milliseconds => number.checked_mul(1_000),
                    TimeUnit::Microseconds => Some(number),
                    TimeUnit::Nanoseconds => Some(number.div_euclid(1_000)),
                };
                micros
                    .and_then(|micros| i64::try_from(micros).ok())
                    .map(Some)
                    .ok_or_else(|| String::from("timestamp is out of range"))
            }
        };
        match self {
            Cell::Absent => Ok(None),
            Cell::Instant(time_us) => Ok(Some(time_us)),
            Cell::Integer(value) => number(i128::from(value)),
            Cell::Unsigned(value) => number(i128::from(value)),
            Cell::Float(value) => decimal_instant(&value.to_string(), unit).unwrap_or_else(|| number(value as i128)),
            Cell::Decimal(digits) => decimal_instant(&digits, unit).unwrap_or_else(|| number(0)),
            // With a unit, text files hold the numbers as text.
            Cell::Text(text) => match (unit, text.trim().parse::<i128>()) {
                (Some(_), Ok(value)) => number(value),
                (Some(_), Err(_)) if decimal_instant(text.trim(), unit).is_some() => {
                    decimal_instant(text.trim(), unit).expect("just checked")
                }
                _ => parse_instant(text, zone).map(Some).map_err(|error| format!("timestamp {}", error.message())),
            },
            Cell::Bool(_) | Cell::Json(_) => Err(String::from("timestamp must be a text or a number")),
        }
    }
}

/// Reads `1431857103.25` in a unit exactly, without floating point. `None` when this is no decimal number or has no unit.
fn decimal_instant(text: &str, unit: Option<TimeUnit>) -> Option<Result<Option<i64>, String>> {
    let unit = unit?;
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 20 || !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let decimals = match unit {
        TimeUnit::Seconds => 6_usize,
        TimeUnit::Milliseconds => 3,
        TimeUnit::Microseconds | TimeUnit::Nanoseconds => 0,
    };
    let kept: String = fraction.chars().chain(std::iter::repeat('0')).take(decimals).collect();
    let mut micros: i128 = format!("{whole}{kept}").parse().ok()?;
    if unit == TimeUnit::Nanoseconds {
        micros /= 1_000;
    }
    let micros = if negative { -micros } else { micros };
    Some(i64::try_from(micros).map(Some).map_err(|_| String::from("timestamp is out of range")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_of_every_kind() {
        let utc = TimeZone::UTC;
        let at = Ok(Some(1_431_857_103_000_000));
        assert_eq!(Cell::Text("2015-05-17T10:05:03Z").into_instant(None, &utc), at);
        assert_eq!(Cell::Text("2015-05-17 10:05:03").into_instant(None, &utc), at);
        assert_eq!(Cell::Integer(1_431_857_103).into_instant(Some(TimeUnit::Seconds), &utc), at);
        assert_eq!(Cell::Text("1431857103").into_instant(Some(TimeUnit::Seconds), &utc), at);
        assert_eq!(Cell::Float(1_431_857_103_000.0).into_instant(Some(TimeUnit::Milliseconds), &utc), at);
        assert_eq!(Cell::Unsigned(1_431_857_103_000_000).into_instant(Some(TimeUnit::Microseconds), &utc), at);
        assert_eq!(Cell::Integer(1_431_857_103_000_000_999).into_instant(Some(TimeUnit::Nanoseconds), &utc), at);
        assert_eq!(Cell::Text("1431857103.2500001").into_instant(Some(TimeUnit::Seconds), &utc), Ok(Some(1_431_857_103_250_000)));
        assert_eq!(Cell::Absent.into_instant(None, &utc), Ok(None));
        for cell in [Cell::Integer(5), Cell::Text("soon"), Cell::Bool(true), Cell::Text("12")] {
            assert!(cell.clone().into_instant(None, &utc).is_err(), "{cell:?}");
        }
        assert!(Cell::Integer(i64::MAX).into_instant(Some(TimeUnit::Seconds), &utc).is_err());
    }

    #[test]
    fn numbers_read_as_their_shortest_decimal() {
        assert_eq!(Cell::Float(59.53).into_text().as_deref(), Some("59.53"));
        assert_eq!(Cell::Unsigned(u64::MAX).into_text().as_deref(), Some("18446744073709551615"));
        assert_eq!(Cell::text("").into_text(), None);
    }
}
