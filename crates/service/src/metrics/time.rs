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
