//! The presets: stretches of days named by their place before today.

use jiff::ToSpan;
use jiff::civil::Date;
use tributary_core::error::Result;

use super::{Period, moved};

/// A named stretch of days, in the workspace's zone. Weeks begin on Monday (ISO 8601). Stretches called "this" end today,
/// those called "last" are over: `last_7_days` are the seven whole days up to yesterday.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Preset {
    /// Today.
    Today,
    /// The day before today.
    Yesterday,
    /// A calendar unit up to today.
    This(CalendarUnit),
    /// The whole calendar unit before the one of today.
    Last(CalendarUnit),
    /// So many days, ending yesterday.
    Trailing(u16),
    /// From the first day there is data of, up to today.
    AllTime,
    /// A quarter of a year by name, `q1_2026`; up to its last day even where that lies ahead.
    Quarter(i16, i8),
    /// A month by name, `2026_05`, likewise.
    Month(i16, i8),
}

/// A unit of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CalendarUnit {
    /// Monday to Sunday.
    Week,
    /// A month.
    Month,
    /// January to March and so on.
    Quarter,
    /// A year.
    Year,
}

/// The presets with a fixed name, as callers write them.
pub const PRESETS: [(&str, Preset); 17] = [
    ("today", Preset::Today),
    ("yesterday", Preset::Yesterday),
    ("this_week", Preset::This(CalendarUnit::Week)),
    ("last_week", Preset::Last(CalendarUnit::Week)),
    ("this_month", Preset::This(CalendarUnit::Month)),
    ("last_month", Preset::Last(CalendarUnit::Month)),
    ("this_quarter", Preset::This(CalendarUnit::Quarter)),
    ("last_quarter", Preset::Last(CalendarUnit::Quarter)),
    ("this_year", Preset::This(CalendarUnit::Year)),
    ("last_year", Preset::Last(CalendarUnit::Year)),
    ("last_7_days", Preset::Trailing(7)),
    ("last_14_days", Preset::Trailing(14)),
    ("last_30_days", Preset::Trailing(30)),
    ("last_60_days", Preset::Trailing(60)),
    ("last_90_days", Preset::Trailing(90)),
    ("last_365_days", Preset::Trailing(365)),
    ("all_time", Preset::AllTime),
];

impl Preset {
    /// Reads a preset's name: one of [`PRESETS`], a quarter such as `q1_2026`, or a month such as `2026_03`.
    pub fn parse(name: &str) -> Option<Preset> {
        let named = PRESETS.iter().find(|(known, _)| *known == name).map(|(_, preset)| *preset);
        // Digits alone: what is parsed here would also take a sign.
        let number = |text: &str, digits: usize| {
            (text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse::<i16>().ok()).flatten()
        };
        let part = |text: &str, digits: usize, most: i16| number(text, digits).filter(|part| (1..=most).contains(part));
        named.or_else(|| {
            let (first, second) = name.split_once('_')?;
            match first.strip_prefix('q') {
                Some(quarter) => Some(Preset::Quarter(number(second, 4)?, part(quarter, 1, 4)? as i8)),
                None => Some(Preset::Month(number(first, 4)?, part(second, 2, 12)? as i8)),
            }
        })
    }

    /// Its name.
    pub fn name(self) -> String {
        match self {
            Preset::Quarter(year, quarter) => format!("q{quarter}_{year:04}"),
            Preset::Month(year, month) => format!("{year:04}_{month:02}"),
            other => PRESETS.iter().find(|(_, preset)| *preset == other).map_or_else(String::new, |(name, _)| (*name).to_owned()),
        }
    }

    /// Its days, seen from `today`. `first` is the first day there is data of, if there is any.
    pub fn period(self, today: Date, first: Option<Date>) -> Result<Period> {
        match self {
            Preset::Today => Period::new(today, today),
            Preset::Yesterday => {
                let yesterday = moved(today, -1)?;
                Period::new(yesterday, yesterday)
            }
            Preset::This(unit) => Period::new(unit.start_of(today), today),
            Preset::Last(unit) => unit.before(unit.start_of(today)),
            Preset::Trailing(days) => Period::new(moved(today, -i32::from(days))?, moved(today, -1)?),
            Preset::AllTime => Period::new(first.map_or(today, |first| first.min(today)), today),
            Preset::Quarter(year, quarter) => CalendarUnit::Quarter.whole(month(year, quarter * 3 - 2)?),
            Preset::Month(year, number) => CalendarUnit::Month.whole(month(year, number)?),
        }
    }
}

impl CalendarUnit {
    /// The first day of the unit that holds a date.
    pub(crate) fn start_of(self, date: Date) -> Date {
        match self {
            CalendarUnit::Week => {
                let days = date.weekday().to_monday_zero_offset();
                date.checked_sub(i64::from(days).days()).unwrap_or(date)
            }
            CalendarUnit::Month => date.first_of_month(),
            CalendarUnit::Quarter => {
                let months = (date.month() - 1) % 3;
                date.first_of_month().checked_sub(i64::from(months).months()).unwrap_or(date)
            }
            CalendarUnit::Year => date.first_of_year(),
        }
    }

    /// The whole unit that begins on a date.
    fn whole(self, start: Date) -> Result<Period> {
        let span = match self {
            CalendarUnit::Week => 7.days(),
            CalendarUnit::Month => 1.month(),
            CalendarUnit::Quarter => 3.months(),
            CalendarUnit::Year => 1.year(),
        };
        let next = start.checked_add(span).map_err(|error| super::out_of_range().caused_by(error))?;
        Period::new(start, moved(next, -1)?)
    }

    /// The whole unit that ends the day before a date, which begins a unit.
    pub(crate) fn before(self, start: Date) -> Result<Period> {
        let last = moved(start, -1)?;
        Period::new(self.start_of(last), last)
    }
}

fn month(year: i16, month: i8) -> Result<Date> {
    Date::new(year, month, 1).map_err(|error| super::out_of_range().caused_by(error))
}
