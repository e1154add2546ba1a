//! Units of time in answers: where they begin, how they are shown.

use jiff::civil::Date;

use super::dimension::Unit;
use crate::dates::preset::CalendarUnit;

/// The first day of the unit of time that holds a date.
pub(crate) fn start_of(unit: Unit, date: Date) -> Date {
    match unit {
        Unit::Day => date,
        Unit::Week => CalendarUnit::Week.start_of(date),
        Unit::Month => CalendarUnit::Month.start_of(date),
        Unit::Quarter => CalendarUnit::Quarter.start_of(date),
        Unit::Year => CalendarUnit::Year.start_of(date),
    }
}

/// How a unit of time that begins on a date is shown.
pub(crate) fn shown_time(unit: Unit, start: &str) -> String {
    let Ok(date) = start.parse::<Date>() else { return start.to_owned() };
    match unit {
        Unit::Day | Unit::Week => date.to_string(),
        Unit::Month => date.strftime("%Y-%m").to_string(),
        Unit::Quarter => format!("{:04}-Q{}", date.year(), (date.month() + 2) / 3),
        Unit::Year => format!("{:04}", date.year()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_shown_as_short_as_they_are() {
        for (unit, start, shown) in [
            (Unit::Day, "2026-05-04", "2026-05-04"),
            (Unit::Week, "2026-05-04", "2026-05-04"),
            (Unit::Month, "2026-05-01", "2026-05"),
            (Unit::Quarter, "2026-10-01", "2026-Q4"),
            (Unit::Quarter, "2026-04-01", "2026-Q2"),
            (Unit::Year, "2026-01-01", "2026"),
        ] {
            assert_eq!(shown_time(unit, start), shown);
            assert_eq!(start_of(unit, start.parse().expect("a date")).to_string(), start);
        }
    }
}
