//! How many come back.

use jiff::civil::{Date, Weekday, date};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use std::collections::BTreeMap;

use tributary_core::error::{Code, Error, Result};
use tributary_core::event::Event;

use super::{person_of, value_of, within};
use crate::answer::{Cohort, RetentionAnswer};
use crate::bucket::{Interval, first_of_period};
use crate::question::{Budget, Retention, RetentionPeriod};

/// Answers over the events of the slice.
pub fn answer(events: &[&Event], question: &Retention, budget: Budget) -> Result<RetentionAnswer> {
    let mut people: BTreeMap<&str, Vec<&Event>> = BTreeMap::new();
    for event in events {
        people.entry(person_of(&question.slice, event)).or_default().push(event);
    }
    let periods = question.periods as usize;
    let mut cohorts: BTreeMap<(Option<i64>, Option<String>), Cohort> = BTreeMap::new();
    for events in people.values() {
        let Some(entry) = events.iter().find(|event| question.slice.all_hold(&question.start, event)) else { continue };
        let start_us = if question.by_period { Some(start_of_period(entry.time_us, question)?) } else { None };
        let value = question.breakdown.as_ref().and_then(|field| value_of(&question.slice, field, entry));
        let mut returns = Vec::new();
        for event in
            events.iter().filter(|event| event.time_us >= entry.time_us && question.slice.all_hold(&question.returning, event))
        {
            returns.push(periods_between(entry.time_us, event.time_us, question)?);
        }
        let cohort = cohorts.entry((start_us, value.clone())).or_insert_with(|| Cohort {
            start_us,
            value,
            size: 0,
            active: vec![0; periods],
            active_from: vec![0; periods],
        });
        cohort.size += 1;
        for period in 0..periods {
            cohort.active[period] += u64::from(returns.contains(&(period as i64)));
            cohort.active_from[period] += u64::from(returns.iter().any(|at| *at >= period as i64));
        }
    }
    within(budget, cohorts.len())?;
    Ok(RetentionAnswer { cohorts: cohorts.into_values().collect() })
}

fn periods_between(from_us: i64, to_us: i64, question: &Retention) -> Result<i64> {
    match question.period {
        RetentionPeriod::Elapsed(block_us) => Ok((to_us - from_us).div_euclid(block_us)),
        RetentionPeriod::Days(block) => {
            let days = local_date(to_us, &question.zone)? - local_date(from_us, &question.zone)?;
            Ok(i64::from(days.get_days()).div_euclid(i64::from(block)))
        }
        RetentionPeriod::Calendar(interval) => {
            let from = calendar_period(local_date(from_us, &question.zone)?, interval);
            Ok(calendar_period(local_date(to_us, &question.zone)?, interval) - from)
        }
    }
}

/// The number of a local date's period: consecutive periods have consecutive numbers.
fn calendar_period(day: Date, interval: Interval) -> i64 {
    // A Monday, so that whole weeks since then are ISO weeks.
    let monday = date(1969, 12, 29);
    let days = i64::from((day - monday).get_days());
    match interval {
        Interval::Day => days,
        Interval::Week => days.div_euclid(7),
        Interval::Month => i64::from(day.year()) * 12 + i64::from(day.month()),
        Interval::Quarter => i64::from(day.year()) * 4 + i64::from((day.month() - 1) / 3),
        Interval::Year => i64::from(day.year()),
        Interval::Hour | Interval::WallHour => unreachable!("`Question::check` refuses retention by hour"),
    }
}

fn start_of_period(time_us: i64, question: &Retention) -> Result<i64> {
    let day = local_date(time_us, &question.zone)?;
    let first = match question.period {
        RetentionPeriod::Calendar(Interval::Week) => day.checked_sub(i64::from(day.weekday().since(Weekday::Monday)).days()),
        RetentionPeriod::Calendar(interval) => first_of_period(day, interval),
        RetentionPeriod::Days(_) | RetentionPeriod::Elapsed(_) => Ok(day),
    };
    let start = first.and_then(|first| first.to_zoned(question.zone.clone())).and_then(|start| start.start_of_day());
    Ok(start.map_err(outside_the_calendar)?.timestamp().as_microsecond())
}

fn local_date(time_us: i64, zone: &TimeZone) -> Result<Date> {
    let instant = Timestamp::from_microsecond(time_us).map_err(outside_the_calendar)?;
    Ok(zone.to_datetime(instant).date())
}

fn outside_the_calendar(error: jiff::Error) -> Error {
    Error::new(Code::InvalidParams, "the range must lie between the years -9999 and 9999").caused_by(error)
}
