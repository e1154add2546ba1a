//! What a stretch of days is compared with.

use tributary_core::error::{Code, Error, Result};

use super::preset::{CalendarUnit, Preset};
use super::{Period, moved};

/// Days a comparison with the year before goes back, leap years or not: documented so.
const YEAR_DAYS: i32 = 365;

/// The period before: for "this" its "last" counterpart, whole; for a calendar unit that is over the one before it; otherwise as
/// many days, ending the day before the first.
///
/// Errors: `invalid_params` for all time, which nothing lies before.
pub fn previous_period(preset: Option<Preset>, period: Period) -> Result<Period> {
    let unit_before = |unit: CalendarUnit| unit.before(unit.start_of(period.start));
    match preset {
        Some(Preset::This(unit) | Preset::Last(unit)) => unit_before(unit),
        Some(Preset::Quarter(..)) => unit_before(CalendarUnit::Quarter),
        Some(Preset::Month(..)) => unit_before(CalendarUnit::Month),
        Some(Preset::AllTime) => Err(Error::new(
            Code::InvalidParams,
            "all_time has no period before it; accepted: a preset that ends, or custom dates",
        )),
        Some(Preset::Today | Preset::Yesterday | Preset::Trailing(_)) | None => {
            let end = moved(period.start, -1)?;
            Period::new(moved(end, 1 - period.days())?, end)
        }
    }
}

/// The same days a year earlier: 365 days before each.
pub fn previous_year(period: Period) -> Result<Period> {
    period.earlier(YEAR_DAYS)
}

#[cfg(test)]
mod tests {
    use super::super::read_date;
    use super::*;

    /// A Wednesday.
    const TODAY: &str = "2026-05-13";

    fn shown(period: Period) -> (String, String) {
        (period.start.to_string(), period.end.to_string())
    }

    #[test]
    fn presets_and_what_they_are_compared_with() {
        let today = read_date(TODAY).expect("a date");
        for (name, is, before) in [
            ("today", ("2026-05-13", "2026-05-13"), ("2026-05-12", "2026-05-12")),
            ("yesterday", ("2026-05-12", "2026-05-12"), ("2026-05-11", "2026-05-11")),
            ("this_week", ("2026-05-11", "2026-05-13"), ("2026-05-04", "2026-05-10")),
            ("last_week", ("2026-05-04", "2026-05-10"), ("2026-04-27", "2026-05-03")),
            ("this_month", ("2026-05-01", "2026-05-13"), ("2026-04-01", "2026-04-30")),
            ("last_month", ("2026-04-01", "2026-04-30"), ("2026-03-01", "2026-03-31")),
            ("this_quarter", ("2026-04-01", "2026-05-13"), ("2026-01-01", "2026-03-31")),
            ("last_quarter", ("2026-01-01", "2026-03-31"), ("2025-10-01", "2025-12-31")),
            ("this_year", ("2026-01-01", "2026-05-13"), ("2025-01-01", "2025-12-31")),
            ("last_year", ("2025-01-01", "2025-12-31"), ("2024-01-01", "2024-12-31")),
            ("last_7_days", ("2026-05-06", "2026-05-12"), ("2026-04-29", "2026-05-05")),
            ("last_30_days", ("2026-04-13", "2026-05-12"), ("2026-03-14", "2026-04-12")),
            ("last_365_days", ("2025-05-13", "2026-05-12"), ("2024-05-13", "2025-05-12")),
            ("q1_2026", ("2026-01-01", "2026-03-31"), ("2025-10-01", "2025-12-31")),
            ("2026_03", ("2026-03-01", "2026-03-31"), ("2026-02-01", "2026-02-28")),
        ] {
            let preset = Preset::parse(name).expect(name);
            assert_eq!(preset.name(), name, "what is resolved can be asked with");
            let period = preset.period(today, None).expect(name);
            assert_eq!(shown(period), (is.0.into(), is.1.into()), "{name}");
            let previous = previous_period(Some(preset), period).expect(name);
            assert_eq!(shown(previous), (before.0.into(), before.1.into()), "before {name}");
        }
        let custom =
            Period::new(read_date("2024-02-28").expect("a date"), read_date("2024-03-01").expect("a date")).expect("a period");
        assert_eq!(shown(previous_period(None, custom).expect("before")), ("2024-02-25".into(), "2024-02-27".into()));
        assert_eq!(shown(previous_year(custom).expect("a year before")), ("2023-02-28".into(), "2023-03-02".into()));
        assert!(previous_period(Some(Preset::AllTime), custom).is_err());
    }

    #[test]
    fn what_is_no_preset_is_none() {
        for name in
            ["", "q5_2026", "q0_2026", "q1_26", "q+1_2026", "2026_13", "2026_3", "+026_03", "last_8_days", "q1", "LAST_WEEK"]
        {
            assert_eq!(Preset::parse(name), None, "{name}");
        }
    }

    #[test]
    fn all_time_begins_with_the_data() {
        let today = read_date(TODAY).expect("a date");
        let first = read_date("2025-03-02").expect("a date");
        let days = |first| shown(Preset::AllTime.period(today, first).expect("a period"));
        assert_eq!(days(Some(first)), ("2025-03-02".into(), TODAY.into()));
        assert_eq!(days(None), (TODAY.into(), TODAY.into()), "without data there is only today");
    }
}
