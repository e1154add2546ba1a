//! Stretches of days: presets, phrases, and what a stretch is compared with.

pub mod compare;
pub mod phrase;
pub mod preset;
pub mod resolve;

use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use tributary_core::error::{Code, Error, Result};
use tributary_core::time::TimeRange;

/// Whole days, both ends inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Period {
    /// The first day.
    pub start: Date,
    /// The last day, not before the first.
    pub end: Date,
}

impl Period {
    /// The days from `start` to `end`.
    pub fn new(start: Date, end: Date) -> Result<Period> {
        if end < start {
            return Err(Error::new(Code::InvalidParams, format!("the last day, {end}, lies before the first, {start}")));
        }
        Ok(Period { start, end })
    }

    /// How many days it has.
    pub fn days(self) -> i32 {
        days_between(self.start, self.end) + 1
    }

    /// The day after the last.
    pub fn past(self) -> Result<Date> {
        moved(self.end, 1)
    }

    /// The same number of days, so many days earlier.
    pub(crate) fn earlier(self, days: i32) -> Result<Period> {
        Ok(Period { start: moved(self.start, -days)?, end: moved(self.end, -days)? })
    }

    /// Its instants in a zone: from midnight to the midnight after the last day.
    pub fn range(self, zone: &TimeZone) -> Result<TimeRange> {
        TimeRange::new(midnight(self.start, zone)?, midnight(self.past()?, zone)?)
    }
}

/// Days from one date to another, negative backwards.
pub(crate) fn days_between(from: Date, to: Date) -> i32 {
    from.until(to).map_or(0, |span| span.get_days())
}

/// A date so many days later.
pub(crate) fn moved(date: Date, days: i32) -> Result<Date> {
    date.checked_add(days.days()).map_err(|error| out_of_range().caused_by(error))
}

/// The first instant of a day, which is not midnight where clocks jump over it.
pub(crate) fn midnight(date: Date, zone: &TimeZone) -> Result<i64> {
    let start = date.to_zoned(zone.clone()).map_err(|error| out_of_range().caused_by(error))?;
    Ok(start.timestamp().as_microsecond())
}

fn out_of_range() -> Error {
    Error::new(Code::InvalidParams, "the date lies outside the years -9999 to 9999")
}

/// Reads `YYYY-MM-DD`.
pub fn read_date(text: &str) -> Result<Date> {
    let is_plain = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let date = if is_plain { text.parse::<Date>().ok() } else { None };
    date.ok_or_else(|| {
        let shown: String = text.chars().take(40).collect();
        Error::new(Code::InvalidParams, format!("`{shown}` is no date; accepted: YYYY-MM-DD, such as 2026-05-01"))
    })
}
