//! How many events fall on which day and hour: growth over the quarter, quiet weekends or busy ones, nights.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use tributary_core::time::DAY_US;

use crate::demo::dice::Dice;

/// Days the demo covers, ending with `until`.
pub const DAYS: usize = 90;
/// Microseconds in an hour.
const HOUR_US: i64 = DAY_US / 24;

/// When people come.
pub struct Rhythm {
    /// Per weekday from Monday, in hundredths of an average day.
    pub weekdays: [u64; 7],
    /// Per local hour, relative weights.
    pub hours: [u64; 24],
}

/// One of the 90 stretches of 24 hours.
pub struct Day {
    /// Place among the days, from 0.
    pub index: usize,
    /// First instant, microseconds.
    pub start_us: i64,
    /// Events on it.
    pub events: u64,
    hours: [u64; 24],
}

impl Day {
    /// An instant of this day, as likely as people are awake.
    pub fn instant(&self, dice: &mut Dice) -> i64 {
        let hour = dice.weighted(self.hours.iter().copied()) as i64;
        // Whole milliseconds, as browsers send them.
        self.start_us + hour * HOUR_US + dice.below(3_600_000) as i64 * 1_000
    }
}

/// Spreads `events` over the days before `until_us`.
pub fn days(events: u64, until_us: i64, zone: &TimeZone, rhythm: &Rhythm, dice: &mut Dice) -> Vec<Day> {
    let first_us = until_us - DAYS as i64 * DAY_US;
    let local = |time_us: i64| {
        let instant = Timestamp::from_microsecond(time_us).unwrap_or(Timestamp::UNIX_EPOCH);
        zone.to_datetime(instant)
    };
    let mut days: Vec<Day> = (0..DAYS)
        .map(|index| {
            let start_us = first_us + index as i64 * DAY_US;
            let weekday = local(start_us + DAY_US / 2).weekday().to_monday_zero_offset() as usize;
            let growth = 100 + index as u64 * 40 / DAYS as u64;
            let weather = dice.between(92, 108);
            let hours = std::array::from_fn(|hour| {
                let middle = start_us + hour as i64 * HOUR_US + HOUR_US / 2;
                rhythm.hours[local(middle).hour() as usize]
            });
            Day { index, start_us, events: rhythm.weekdays[weekday] * growth * weather, hours }
        })
        .collect();
    let total: u128 = days.iter().map(|day| u128::from(day.events)).sum();
    let (mut seen, mut given) = (0_u128, 0_u64);
    for day in &mut days {
        seen += u128::from(day.events);
        let due = (u128::from(events) * seen / total) as u64;
        day.events = due - given;
        given = due;
    }
    days
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_gets_a_day() {
        let rhythm = Rhythm { weekdays: [100; 7], hours: [1; 24] };
        for events in [0, 1, 89, 200_000] {
            let days = days(events, 1_790_000_000_000_000, &TimeZone::UTC, &rhythm, &mut Dice::new(1, "test"));
            assert_eq!(days.iter().map(|day| day.events).sum::<u64>(), events);
            assert_eq!(days.last().map(|day| day.start_us + DAY_US), Some(1_790_000_000_000_000));
        }
    }
}
