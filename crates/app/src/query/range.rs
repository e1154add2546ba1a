//! Which stretch of time: two dates, or so much back from now.

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan, Zoned};

use tributary_core::error::{Code, Error, Result};
use tributary_core::time::{TimeRange, parse_instant};
use tributary_http::admin::RangeBody;

/// Used when nothing is said.
const DEFAULT_LAST: &str = "30d";
/// Most units a `last` may count.
const MAX_LAST: i64 = 10_000;

/// The range in instants, read in the workspace's zone.
pub fn resolve(range: &RangeBody, zone: &TimeZone, now_us: i64) -> Result<TimeRange> {
    match (&range.from, &range.to, &range.last) {
        (None, None, last) => back(last.as_deref().unwrap_or(DEFAULT_LAST), zone, now_us),
        (Some(from), to, None) => {
            let end = match to {
                Some(to) => parse_instant(to, zone)?,
                None => tomorrow(&local(now_us, zone)?)?.timestamp().as_microsecond(),
            };
            TimeRange::new(parse_instant(from, zone)?, end)
        }
        (None, Some(_), None) => Err(Error::new(Code::InvalidParams, "`to` needs `from`, or use `last` alone")),
        (_, _, Some(_)) => Err(Error::new(Code::InvalidParams, "`last` stands alone; leave out `from` and `to`")),
    }
}

fn back(last: &str, zone: &TimeZone, now_us: i64) -> Result<TimeRange> {
    let refuse = || {
        Error::new(
            Code::InvalidParams,
            format!("`{last}` is not a stretch of time; accepted: 24h, 30d, 8w, 6m with a number from 1 to {MAX_LAST}"),
        )
    };
    let (number, unit) = split(last).ok_or_else(refuse)?;
    if !(1..=MAX_LAST).contains(&number) {
        return Err(refuse());
    }
    let now = local(now_us, zone)?;
    let calendar = |error: jiff::Error| refuse().caused_by(error);
    // Whole local days, today included, so that daily numbers are of whole days; hours are for "just now".
    let days_before_today: Span = match unit {
        "h" => {
            let start = now.timestamp().checked_sub(number.hours()).map_err(calendar)?;
            return TimeRange::new(start.as_microsecond(), now_us.saturating_add(1));
        }
        "d" => (number - 1).days(),
        "w" => (number * 7 - 1).days(),
        "m" => number.months(),
        _ => return Err(refuse()),
    };
    let first = now.date().checked_sub(days_before_today).map_err(calendar)?;
    let start = first.to_zoned(zone.clone()).map_err(calendar)?.start_of_day().map_err(calendar)?;
    TimeRange::new(start.timestamp().as_microsecond(), tomorrow(&now)?.timestamp().as_microsecond())
}

fn tomorrow(now: &Zoned) -> Result<Zoned> {
    now.date()
        .tomorrow()
        .and_then(|date| date.to_zoned(now.time_zone().clone()))
        .and_then(|start| start.start_of_day())
        .map_err(|error| Error::internal("the clock is past the calendar").caused_by(error))
}

fn local(now_us: i64, zone: &TimeZone) -> Result<Zoned> {
    Timestamp::from_microsecond(now_us)
        .map(|now| now.to_zoned(zone.clone()))
        .map_err(|error| Error::internal("the clock is past the calendar").caused_by(error))
}

fn split(text: &str) -> Option<(i64, &str)> {
    let at = text.find(|character: char| !character.is_ascii_digit())?;
    let (number, unit) = text.split_at(at);
    Some((number.parse().ok()?, unit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tributary_core::time::{format_in, zone};

    fn check(from: Option<&str>, to: Option<&str>, last: Option<&str>) -> Result<String> {
        let berlin = zone("Europe/Berlin").expect("known");
        let now = parse_instant("2026-04-02T10:30:00+02:00", &berlin).expect("valid");
        let body = RangeBody { from: from.map(str::to_owned), to: to.map(str::to_owned), last: last.map(str::to_owned) };
        resolve(&body, &berlin, now)
            .map(|range| format!("{} .. {}", format_in(range.start_us, &berlin), format_in(range.end_us, &berlin)))
    }

    #[test]
    fn ranges_are_whole_local_days() {
        for (last, expected) in [
            ("1d", "2026-04-02T00:00:00+02:00 .. 2026-04-03T00:00:00+02:00"),
            // Over the change to summer time.
            ("7d", "2026-03-27T00:00:00+01:00 .. 2026-04-03T00:00:00+02:00"),
            ("1w", "2026-03-27T00:00:00+01:00 .. 2026-04-03T00:00:00+02:00"),
            ("1m", "2026-03-02T00:00:00+01:00 .. 2026-04-03T00:00:00+02:00"),
            ("24h", "2026-04-01T10:30:00+02:00 .. 2026-04-02T10:30:00.000001+02:00"),
        ] {
            assert_eq!(check(None, None, Some(last)).expect(last), expected, "{last}");
        }
        assert_eq!(check(None, None, None).expect("default"), check(None, None, Some("30d")).expect("30d"));
        assert_eq!(
            check(Some("2026-03-29"), None, None).expect("open end"),
            "2026-03-29T00:00:00+01:00 .. 2026-04-03T00:00:00+02:00"
        );
    }

    #[test]
    fn refusals_say_what_is_accepted() {
        for (from, to, last) in [
            (None, Some("2026-01-01"), None),
            (Some("2026-01-01"), None, Some("1d")),
            (Some("2026-01-02"), Some("2026-01-01"), None),
            (None, None, Some("0d")),
            (None, None, Some("30")),
            (None, None, Some("d")),
            (None, None, Some("99999999999999999999d")),
            (None, None, Some("10001d")),
            (None, None, Some("3 years")),
        ] {
            assert!(check(from, to, last).is_err(), "{from:?} {to:?} {last:?}");
        }
    }
}
