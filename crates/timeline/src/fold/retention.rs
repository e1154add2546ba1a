//! How many come back.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Unit};
use std::collections::BTreeMap;

use tributary_core::error::{Code, Error, Result};
use tributary_events::answer::{Cohort, RetentionAnswer};
use tributary_events::bucket::Interval;
use tributary_events::question::{Retention, RetentionPeriod};

use super::Limits;
use super::group::Codebook;
use super::mask::Mask;
use super::scan::{Fold, Scan, Sequence, Visit};

/// 1970-01-01 was a Thursday: three days after the Monday weeks are counted from.
const DAYS_SINCE_MONDAY: i64 = 3;

pub(crate) fn answer(scan: &Scan<'_>, question: &Retention) -> Result<RetentionAnswer> {
    let plan = Plan {
        question,
        limits: scan.limits,
        start: scan.masks(&question.start)?,
        returning: scan.masks(&question.returning)?,
        breakdown: question.breakdown.as_ref().map(|field| Codebook::over(scan, field)).transpose()?,
    };
    // Only the cohort event's value asks for more than times.
    let sequence = if plan.breakdown.is_some() { Sequence::Ordered } else { Sequence::ByTime };
    let folds = scan.fold(sequence, || Ok(Returning { plan: &plan, cohorts: BTreeMap::new(), periods: Vec::new() }))?;
    let mut merged: BTreeMap<CohortKey, Counts> = BTreeMap::new();
    for (key, counts) in folds.into_iter().flat_map(|fold| fold.cohorts) {
        merged.entry(key).or_insert_with(|| Counts::new(question)).add(&counts);
    }
    scan.limits.check_groups(merged.len())?;
    let mut cohorts = Vec::with_capacity(merged.len());
    for ((period, code), counts) in merged {
        let start_us = period.map(|period| start_of(period, question)).transpose()?;
        let value = plan.breakdown.as_ref().and_then(|breakdown| breakdown.value(code)).map(str::to_owned);
        let Counts { size, active, active_from } = counts;
        cohorts.push(Cohort { start_us, value, size, active, active_from });
    }
    cohorts.sort_unstable_by(|a, b| (a.start_us, &a.value).cmp(&(b.start_us, &b.value)));
    Ok(RetentionAnswer { cohorts })
}

struct Plan<'q> {
    question: &'q Retention,
    limits: &'q Limits,
    start: Vec<Mask>,
    returning: Vec<Mask>,
    breakdown: Option<Codebook>,
}

/// Number of the calendar period, code of the breakdown value.
type CohortKey = (Option<i64>, u32);

struct Counts {
    size: u64,
    active: Vec<u64>,
    active_from: Vec<u64>,
}

impl Counts {
    fn new(question: &Retention) -> Self {
        let periods = question.periods as usize;
        Self { size: 0, active: vec![0; periods], active_from: vec![0; periods] }
    }

    fn add(&mut self, other: &Counts) {
        self.size += other.size;
        for (sums, more) in [(&mut self.active, &other.active), (&mut self.active_from, &other.active_from)] {
            for (sum, more) in sums.iter_mut().zip(more) {
                *sum += more;
            }
        }
    }
}

struct Returning<'q> {
    plan: &'q Plan<'q>,
    cohorts: BTreeMap<CohortKey, Counts>,
    periods: Vec<i64>,
}

impl Fold for Returning<'_> {
    fn visit(&mut self, visit: &Visit<'_>) -> Result<()> {
        let (plan, question) = (self.plan, self.plan.question);
        let passes = |masks: &[Mask], row: &super::scan::Row| masks[row.run as usize].holds(row.row as usize);
        let Some(entry) = visit.rows.iter().find(|row| passes(&plan.start, row)) else { return Ok(()) };
        let period = if question.by_period { Some(period_of(entry.time_us, question)?) } else { None };
        let code = plan.breakdown.as_ref().map_or(0, |breakdown| breakdown.code(entry));
        self.periods.clear();
        for row in visit.rows.iter().filter(|row| row.time_us >= entry.time_us && passes(&plan.returning, row)) {
            self.periods.push(match question.period {
                RetentionPeriod::Elapsed(block_us) => (row.time_us - entry.time_us).div_euclid(block_us),
                RetentionPeriod::Calendar(_) => period_of(row.time_us, question)? - period_of(entry.time_us, question)?,
                RetentionPeriod::Days(block) => {
                    (period_of(row.time_us, question)? - period_of(entry.time_us, question)?).div_euclid(i64::from(block))
                }
            });
        }
        let counts = self.cohorts.entry((period, code)).or_insert_with(|| Counts::new(question));
        counts.size += 1;
        if let Some(last) = self.periods.last() {
            let active_from = (*last).min(i64::from(question.periods) - 1) as usize;
            counts.active_from[..=active_from].iter_mut().for_each(|active| *active += 1);
        }
        // Times ascend, so periods do.
        self.periods.dedup();
        for period in &self.periods {
            if let Some(active) = counts.active.get_mut(*period as usize) {
                *active += 1;
            }
        }
        Ok(())
    }

    fn check(&self) -> Result<()> {
        self.plan.limits.check_groups(self.cohorts.len())
    }
}

/// The number of the calendar period an instant falls into; days and weeks count from 1970, months from year 0. Blocks of days
/// and of elapsed time have no periods of their own: days count there, and cohorts are never split.
fn period_of(time_us: i64, question: &Retention) -> Result<i64> {
    let date = local_date(time_us, &question.zone)?;
    Ok(match question.period {
        RetentionPeriod::Calendar(Interval::Month) => i64::from(date.year()) * 12 + i64::from(date.month()) - 1,
        RetentionPeriod::Calendar(Interval::Week) => (days_since_1970(date)? + DAYS_SINCE_MONDAY).div_euclid(7),
        RetentionPeriod::Calendar(Interval::Day | Interval::Hour | Interval::WallHour)
        | RetentionPeriod::Days(_)
        | RetentionPeriod::Elapsed(_) => days_since_1970(date)?,
    })
}

fn start_of(period: i64, question: &Retention) -> Result<i64> {
    let outside = |error: jiff::Error| outside_the_calendar().caused_by(error);
    let day = |days: i64| {
        let span = jiff::Span::new().try_days(days)?;
        Date::constant(1970, 1, 1).checked_add(span)
    };
    let first = match question.period {
        RetentionPeriod::Calendar(Interval::Month) => {
            let year = i16::try_from(period.div_euclid(12)).map_err(|_| outside_the_calendar())?;
            Date::new(year, period.rem_euclid(12) as i8 + 1, 1)
        }
        RetentionPeriod::Calendar(Interval::Week) => day(period * 7 - DAYS_SINCE_MONDAY),
        RetentionPeriod::Calendar(Interval::Day | Interval::Hour | Interval::WallHour)
        | RetentionPeriod::Days(_)
        | RetentionPeriod::Elapsed(_) => day(period),
    };
    let start = first.and_then(|first| first.to_zoned(question.zone.clone())?.start_of_day()).map_err(outside)?;
    Ok(start.timestamp().as_microsecond())
}

fn local_date(time_us: i64, zone: &TimeZone) -> Result<Date> {
    let instant = Timestamp::from_microsecond(time_us).map_err(|error| outside_the_calendar().caused_by(error))?;
    Ok(zone.to_datetime(instant).date())
}

fn days_since_1970(date: Date) -> Result<i64> {
    let days = Date::constant(1970, 1, 1).until((Unit::Day, date));
    days.map(|span| i64::from(span.get_days())).map_err(|error| outside_the_calendar().caused_by(error))
}

fn outside_the_calendar() -> Error {
    Error::new(Code::InvalidParams, "the range must lie between the years -9999 and 9999")
}
