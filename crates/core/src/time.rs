//! Instants and ranges: microseconds in UTC inside, ISO 8601 with offset outside, half-open everywhere.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::error::{Code, Error, Result};

/// Microseconds in a second.
pub const SECOND_US: i64 = 1_000_000;
/// Microseconds in a day of 24 hours.
pub const DAY_US: i64 = 86_400 * SECOND_US;

/// A half-open range of instants: `start_us` is in, `end_us` is out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TimeRange {
    /// First instant inside, microseconds since the epoch.
    pub start_us: i64,
    /// First instant past the end.
    pub end_us: i64,
}

impl TimeRange {
    /// Every representable instant.
    pub const ALL: TimeRange = TimeRange { start_us: i64::MIN, end_us: i64::MAX };

    /// A range; `end` must lie after `start`.
    pub fn new(start_us: i64, end_us: i64) -> Result<Self> {
        if end_us <= start_us {
            return Err(Error::new(Code::InvalidParams, "`to` must be after `from` (`from` is inclusive, `to` exclusive)"));
        }
        Ok(Self { start_us, end_us })
    }

    /// Whether the instant lies inside.
    pub fn contains(&self, time_us: i64) -> bool {
        self.start_us <= time_us && time_us < self.end_us
    }
}

/// Looks an IANA zone up in the bundled database.
pub fn zone(name: &str) -> Result<TimeZone> {
    let unknown = || {
        Error::new(
            Code::InvalidParams,
            format!("unknown time zone `{name}`; accepted: an IANA name such as Europe/Berlin or UTC"),
        )
    };
    // Names only: jiff also reads POSIX rules and fixed offsets, which no answer could name to a reader.
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/_+-".contains(&byte)) {
        return Err(unknown());
    }
    TimeZone::get(name).map_err(|error| unknown().caused_by(error))
}

/// Reads an ISO 8601 instant. A date, or a date with time but without offset, means that wall clock in `zone`.
pub fn parse_instant(text: &str, zone: &TimeZone) -> Result<i64> {
    let text = text.trim();
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Ok(instant.as_microsecond());
    }
    let civil = match text.parse::<Date>() {
        // A string with a time parses as a date too; only a bare date means midnight.
        Ok(date) if text.len() <= 10 => Some(date.to_datetime(jiff::civil::Time::midnight())),
        _ => text.parse::<DateTime>().ok(),
    };
    let refuse = || {
        Error::new(
            Code::InvalidParams,
            format!(
                "`{}` is not an ISO 8601 date or date-time; accepted: 2026-05-01T00:00:00Z, 2026-05-01T00:00:00+02:00, 2026-05-01",
                text.chars().take(40).collect::<String>()
            ),
        )
    };
    let instant = civil.ok_or_else(refuse)?.to_zoned(zone.clone()).map_err(|error| refuse().caused_by(error))?;
    Ok(instant.timestamp().as_microsecond())
}

/// Reads a duration such as `90s`, `30m`, `12h`, `7d`, `2w` as microseconds; days have 24 hours.
pub fn duration_us(text: &str) -> Result<i64> {
    let refuse = || {
        Error::new(
            Code::InvalidParams,
            format!("`{}` is not a duration; accepted: 90s, 30m, 12h, 7d, 2w", text.chars().take(40).collect::<String>()),
        )
    };
    let digits = text.find(|letter: char| !letter.is_ascii_digit()).ok_or_else(refuse)?;
    let (number, unit) = text.split_at(digits);
    let number: i64 = number.parse().map_err(|_| refuse())?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 604_800,
        _ => return Err(refuse()),
    };
    number.checked_mul(seconds * SECOND_US).ok_or_else(refuse)
}

/// Writes an instant as RFC 3339 in UTC with `Z`, as few decimals as needed.
pub fn format_utc(time_us: i64) -> String {
    Timestamp::from_microsecond(time_us).map(|instant| instant.to_string()).unwrap_or_else(|_| String::from("out of range"))
}

/// Writes an instant as RFC 3339 with the zone's offset: `2026-05-01T00:00:00+02:00`, or `Z` for UTC.
pub fn format_in(time_us: i64, zone: &TimeZone) -> String {
    if *zone == TimeZone::UTC || zone.iana_name() == Some("UTC") {
        return format_utc(time_us);
    }
    let Ok(instant) = Timestamp::from_microsecond(time_us) else {
        return String::from("out of range");
    };
    instant.display_with_offset(zone.to_offset(instant)).to_string()
}

/// Seconds as a duration, saturating.
pub fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_with_and_without_offset() {
        let berlin = zone("Europe/Berlin").expect("known");
        for (text, utc) in [
            ("2026-05-01T00:00:00Z", "2026-05-01T00:00:00Z"),
            ("2026-05-01T00:00:00+02:00", "2026-04-30T22:00:00Z"),
            ("2026-05-01", "2026-04-30T22:00:00Z"),
            ("2026-05-01T12:30:00", "2026-05-01T10:30:00Z"),
            ("2026-05-01T12:30:00.123456Z", "2026-05-01T12:30:00.123456Z"),
        ] {
            assert_eq!(format_utc(parse_instant(text, &berlin).expect(text)), utc, "{text}");
        }
        for text in ["", "yesterday", "2026-13-01", "2026-05-01T25:00:00Z", "1746057600", "2026-05-01T00:00:00+99:00"] {
            assert!(parse_instant(text, &berlin).is_err(), "{text}");
        }
        assert_eq!(format_in(1_777_586_400_000_000, &berlin), "2026-05-01T00:00:00+02:00");
    }

    #[test]
    fn zones_are_names() {
        for name in ["UTC", "Europe/Berlin", "Australia/Lord_Howe", "America/Argentina/Buenos_Aires"] {
            assert!(zone(name).is_ok(), "{name}");
        }
        for name in ["", "Mars/Olympus", "../etc/passwd", "UTC\0", "Europe/Berlin;"] {
            assert!(zone(name).is_err(), "{name}");
        }
    }

    #[test]
    fn durations_have_a_number_and_a_unit() {
        for text in ["", "5", "h", "-5h", "9223372036854775807w", "1.5h", "５m"] {
            assert!(duration_us(text).is_err(), "{text}");
        }
        assert_eq!(duration_us("30m").expect("valid"), 1_800_000_000);
    }
}
