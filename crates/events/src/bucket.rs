//! Time buckets: edges computed once, here, so that every engine agrees on every zone.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Unit, Zoned, ZonedRound};
use serde::{Deserialize, Serialize};

use tributary_core::error::{Code, Error, Result};
use tributary_core::time::{TimeRange, format_in};

/// The most buckets a question may have: more than a year of hours.
pub const MAX_BUCKETS: usize = 10_000;

/// Width of a bucket, in the zone's calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interval {
    /// An hour of elapsed time; where clocks go back, the repeated hour is two buckets.
    Hour,
    /// An hour as the wall clock shows it; where clocks go back, both passes fall into one bucket.
    WallHour,
    /// A local day, 23 to 25 hours long (24:30 exists too).
    Day,
    /// A local week, Monday to Sunday (ISO 8601).
    Week,
    /// A local calendar month.
    Month,
    /// A local calendar quarter: from January, April, July or October on.
    Quarter,
    /// A local calendar year.
    Year,
}

impl Interval {
    /// The names callers use.
    pub fn parse(name: &str) -> Option<Interval> {
        Some(match name {
            "hour" => Interval::Hour,
            "wall_hour" => Interval::WallHour,
            "day" => Interval::Day,
            "week" => Interval::Week,
            "month" => Interval::Month,
            "quarter" => Interval::Quarter,
            "year" => Interval::Year,
            _ => return None,
        })
    }
}

/// The buckets of one question.
#[derive(Clone, Debug, PartialEq)]
pub struct Buckets {
    /// Start of each stretch, ascending; the last stretch ends with the range. The first may start before the range.
    pub edges: Vec<i64>,
    /// For each stretch, the bucket it belongs to: strictly ascending but where wall-clock hours repeat.
    pub bucket_of: Vec<u32>,
    /// For each bucket, its start as RFC 3339 with the zone's offset.
    pub labels: Vec<String>,
}

impl Buckets {
    /// The buckets that cover `range` in `zone`.
    pub fn cover(range: TimeRange, interval: Interval, zone: &TimeZone) -> Result<Buckets> {
        let too_many = || {
            Error::new(
                Code::InvalidParams,
                format!("the range holds more than {MAX_BUCKETS} buckets; ask for a shorter range or a wider interval"),
            )
        };
        let instant = |time_us: i64| {
            Timestamp::from_microsecond(time_us).map(|instant| instant.to_zoned(zone.clone())).map_err(|error| {
                Error::new(Code::InvalidParams, "the range must lie between the years -9999 and 9999").caused_by(error)
            })
        };
        let calendar =
            |error: jiff::Error| Error::new(Code::InvalidParams, "the range reaches past the calendar").caused_by(error);
        let end = instant(range.end_us)?;
        let mut start = floor(&instant(range.start_us)?, interval).map_err(calendar)?;
        let mut buckets = Buckets { edges: Vec::new(), bucket_of: Vec::new(), labels: Vec::new() };
        let mut walls: Vec<jiff::civil::DateTime> = Vec::new();
        while start < end {
            if buckets.edges.len() >= MAX_BUCKETS {
                return Err(too_many());
            }
            let wall = start.datetime();
            let repeated = (interval == Interval::WallHour)
                .then(|| walls.iter().rposition(|seen| seen.date() == wall.date() && seen.hour() == wall.hour()))
                .flatten();
            let bucket = repeated.unwrap_or(walls.len());
            if repeated.is_none() {
                walls.push(wall);
                buckets.labels.push(match interval {
                    Interval::WallHour => wall.strftime("%Y-%m-%dT%H:00:00").to_string(),
                    Interval::Hour | Interval::Day | Interval::Week | Interval::Month | Interval::Quarter | Interval::Year => {
                        format_in(start.timestamp().as_microsecond(), zone)
                    }
                });
            }
            buckets.edges.push(start.timestamp().as_microsecond());
            buckets.bucket_of.push(u32::try_from(bucket).expect("bounded by MAX_BUCKETS"));
            start = next(&start, interval).map_err(calendar)?;
        }
        Ok(buckets)
    }

    /// The bucket an instant inside the range falls into.
    pub fn find(&self, time_us: i64) -> Option<u32> {
        let stretch = self.edges.partition_point(|edge| *edge <= time_us).checked_sub(1)?;
        Some(self.bucket_of[stretch])
    }
}

fn floor(at: &Zoned, interval: Interval) -> Result<Zoned, jiff::Error> {
    match interval {
        // Elapsed hours start on the wall clock's full hour under the offset in force, so half-hour zones read naturally.
        Interval::Hour | Interval::WallHour => hour_start(at),
        Interval::Day => at.start_of_day(),
        Interval::Week => {
            let back = at.weekday().since(Weekday::Monday);
            at.date().checked_sub(i64::from(back).days())?.to_zoned(at.time_zone().clone())?.start_of_day()
        }
        Interval::Month | Interval::Quarter | Interval::Year => {
            first_of_period(at.date(), interval)?.to_zoned(at.time_zone().clone())?.start_of_day()
        }
    }
}

fn hour_start(at: &Zoned) -> Result<Zoned, jiff::Error> {
    let into = i64::from(at.minute()) * 60 + i64::from(at.second());
    let exact = at.round(ZonedRound::new().smallest(Unit::Second).mode(jiff::RoundMode::Floor))?;
    let start = exact.timestamp().checked_sub(into.seconds())?.to_zoned(at.time_zone().clone());
    // A change of offset inside the hour (Lord Howe moves by half an hour) starts a stretch of its own.
    let offset_changed = start.offset() != at.offset();
    if offset_changed && let Some(change) = at.time_zone().preceding(at.timestamp()).next() {
        let change = change.timestamp();
        if change > start.timestamp() {
            return Ok(change.to_zoned(at.time_zone().clone()));
        }
    }
    Ok(start)
}

fn next(start: &Zoned, interval: Interval) -> Result<Zoned, jiff::Error> {
    match interval {
        Interval::Hour | Interval::WallHour => {
            let left = 3_600 - (i64::from(start.minute()) * 60 + i64::from(start.second()));
            let plain = start.timestamp().checked_add(left.seconds())?;
            let change = start.time_zone().following(start.timestamp()).next().map(|change| change.timestamp());
            let end = match change {
                Some(change) if change > start.timestamp() && change < plain => change,
                _ => plain,
            };
            Ok(end.to_zoned(start.time_zone().clone()))
        }
        Interval::Day => start.date().tomorrow()?.to_zoned(start.time_zone().clone())?.start_of_day(),
        Interval::Week => start.date().checked_add(7.days())?.to_zoned(start.time_zone().clone())?.start_of_day(),
        Interval::Month | Interval::Quarter | Interval::Year => {
            let first = first_of_period(start.date(), interval)?;
            first.checked_add(months_of(interval).months())?.to_zoned(start.time_zone().clone())?.start_of_day()
        }
    }
}

/// The first day of the month, quarter or year of a date; of its own day for anything shorter.
pub fn first_of_period(date: Date, interval: Interval) -> Result<Date, jiff::Error> {
    match interval {
        Interval::Month => Ok(date.first_of_month()),
        Interval::Quarter => Date::new(date.year(), (date.month() - 1) / 3 * 3 + 1, 1),
        Interval::Year => Ok(date.first_of_year()),
        Interval::Hour | Interval::WallHour | Interval::Day | Interval::Week => Ok(date),
    }
}

/// Months in a month, quarter or year; 0 for anything shorter.
pub fn months_of(interval: Interval) -> i64 {
    match interval {
        Interval::Month => 1,
        Interval::Quarter => 3,
        Interval::Year => 12,
        Interval::Hour | Interval::WallHour | Interval::Day | Interval::Week => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tributary_core::time::{parse_instant, zone};

    fn labels(from: &str, to: &str, interval: Interval, zone_name: &str) -> Vec<String> {
        let zone = zone(zone_name).expect("known zone");
        let range =
            TimeRange::new(parse_instant(from, &zone).expect(from), parse_instant(to, &zone).expect(to)).expect("ascending");
        Buckets::cover(range, interval, &zone).expect("few buckets").labels
    }

    #[test]
    fn days_keep_their_offset_over_a_clock_change() {
        assert_eq!(
            labels("2026-03-28", "2026-03-31", Interval::Day, "Europe/Berlin"),
            ["2026-03-28T00:00:00+01:00", "2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00"]
        );
    }

    #[test]
    fn a_repeated_hour_is_two_buckets_or_one() {
        assert_eq!(labels("2026-10-25", "2026-10-26", Interval::Hour, "Europe/Berlin").len(), 25);
        assert_eq!(labels("2026-10-25", "2026-10-26", Interval::WallHour, "Europe/Berlin").len(), 24);
        assert_eq!(labels("2026-03-29", "2026-03-30", Interval::WallHour, "Europe/Berlin").len(), 23);
        assert_eq!(labels("2026-04-05", "2026-04-06", Interval::WallHour, "Australia/Lord_Howe").len(), 24);
    }

    #[test]
    fn weeks_start_on_monday_and_months_on_the_first() {
        assert_eq!(labels("2026-05-06", "2026-05-12", Interval::Week, "UTC"), ["2026-05-04T00:00:00Z", "2026-05-11T00:00:00Z"]);
        assert_eq!(labels("2026-01-31", "2026-03-01", Interval::Month, "UTC"), ["2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"]);
    }

    #[test]
    fn quarters_and_years_start_on_the_first_in_the_zone() {
        assert_eq!(
            labels("2026-02-28", "2026-07-02", Interval::Quarter, "Europe/Berlin"),
            ["2026-01-01T00:00:00+01:00", "2026-04-01T00:00:00+02:00", "2026-07-01T00:00:00+02:00"]
        );
        assert_eq!(
            labels("2025-12-31T23:30:00Z", "2027-01-01T00:00:00Z", Interval::Year, "Europe/Berlin"),
            ["2026-01-01T00:00:00+01:00", "2027-01-01T00:00:00+01:00"]
        );
        assert_eq!([Interval::parse("quarter"), Interval::parse("year")], [Some(Interval::Quarter), Some(Interval::Year)]);
    }

    #[test]
    fn the_number_of_buckets_is_bounded() {
        let range = TimeRange::new(0, 20_000 * 3_600_000_000).expect("ascending");
        assert!(Buckets::cover(range, Interval::Hour, &TimeZone::UTC).is_err());
    }
}
