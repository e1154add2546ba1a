//! How many come back.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Unit};
use std::collections::BTreeMap;

use tributary_core::error::{Code, Error, Result};
use tributary_events::answer::{Cohort, RetentionAnswer};
use tributary_events::bucket::{Interval, months_of};
use tributary_events::question::{Retention, RetentionPeriod};

use super::group::Codebook;
use super::reads::Read;
use super::scan::{Fold, Piece, Row, Scan, Visit};
use super::tags::{TagFilters, Tags};
use crate::column::ColumnId;

/// 1970-01-01 was a Thursday: three days after the Monday weeks are counted from.
const DAYS_SINCE_MONDAY: i64 = 3;

/// The first list of filters is what starts a cohort, the second what counts as coming back.
const STARTS: u8 = 1;
const RETURNS: u8 = 2;

pub(crate) fn answer(scan: &mut Scan<'_>, question: &Retention) -> Result<RetentionAnswer> {
    let tags = TagFilters::plan([question.start.as_slice(), question.returning.as_slice()], &mut scan.reads);
    let time = scan.reads.column(ColumnId::Time);
    let breakdown = question.breakdown.as_ref().map(|field| scan.reads.field(field));
    scan.prepare(true)?;
    let plan = Plan {
        question,
        scan,
        time,
        tags: tags.over(scan)?,
        breakdown: breakdown.map(|read| Codebook::over(scan, read)).transpose()?,
    };
    let folds = scan.fold(|| Ok(Returning::new(&plan)))?;
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
    scan: &'q Scan<'q>,
    time: Read,
    tags: Tags<u8>,
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
    /// Tags of each row of the partition; none outside the slice.
    tagged: Vec<u8>,
    rows: Vec<Row>,
    days: LocalDays,
    held: usize,
}

impl<'q> Returning<'q> {
    fn new(plan: &'q Plan<'q>) -> Self {
        Self {
            plan,
            cohorts: BTreeMap::new(),
            periods: Vec::new(),
            tagged: Vec::new(),
            rows: Vec::new(),
            days: LocalDays::default(),
            held: 0,
        }
    }
}

impl Fold for Returning<'_> {
    fn rows(&mut self, piece: &Piece, mask: &[u8], _again: bool) -> Result<()> {
        let first = self.tagged.len();
        self.tagged.resize(first + piece.len(), self.plan.tags.all());
        let tagged = &mut self.tagged[first..];
        self.plan.tags.apply(piece, tagged);
        tagged.iter_mut().zip(mask).for_each(|(tags, kept)| *tags *= kept);
        Ok(())
    }

    fn visit(&mut self, visit: &Visit<'_>) -> Result<()> {
        let (plan, question) = (self.plan, self.plan.question);
        let starts = |at: usize| self.tagged[at] & STARTS != 0;
        if !visit.stretches.iter().any(|stretch| stretch.range().any(starts)) {
            return Ok(());
        }
        let has_ties = visit.rows_where(plan.time, &self.tagged, |tags| tags != 0, &mut self.rows);
        if has_ties && plan.breakdown.is_some() {
            plan.scan.order_ties(visit.pieces, &mut self.rows)?;
        }
        let Some(entry) = self.rows.iter().find(|row| starts(row.at as usize)) else { return Ok(()) };
        let period = if question.by_period { Some(self.days.period_of(entry.time_us, question)?) } else { None };
        let code = plan.breakdown.as_ref().map_or(0, |breakdown| {
            let piece = &visit.pieces[entry.piece as usize];
            breakdown.code(piece, piece.row(entry.at))
        });
        let entry_us = entry.time_us;
        self.periods.clear();
        let first_period = match question.period {
            RetentionPeriod::Elapsed(_) => 0,
            RetentionPeriod::Calendar(_) | RetentionPeriod::Days(_) => self.days.period_of(entry_us, question)?,
        };
        for row in &self.rows {
            if row.time_us < entry_us || self.tagged[row.at as usize] & RETURNS == 0 {
                continue;
            }
            self.periods.push(match question.period {
                RetentionPeriod::Elapsed(block_us) => (row.time_us - entry_us).div_euclid(block_us),
                RetentionPeriod::Calendar(_) => self.days.period_of(row.time_us, question)? - first_period,
                RetentionPeriod::Days(block) => {
                    (self.days.period_of(row.time_us, question)? - first_period).div_euclid(i64::from(block))
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

    fn end_of_partition(&mut self) -> Result<()> {
        self.tagged.clear();
        let limits = self.plan.scan.limits;
        let now = self.cohorts.len() * (size_of::<Counts>() + 16 * self.plan.question.periods as usize);
        limits.check_memory(std::mem::replace(&mut self.held, now), now)?;
        limits.check_groups(self.cohorts.len())
    }
}

/// The local day seen last: a visitor's events come close together.
#[derive(Default)]
struct LocalDays {
    start_us: i64,
    end_us: i64,
    period: i64,
}

impl LocalDays {
    /// The number of the calendar period an instant falls into; days and weeks count from 1970, months, quarters and
    /// years from year 0. Blocks of
    /// days and of elapsed time have no periods of their own: days count there, and cohorts are never split.
    fn period_of(&mut self, time_us: i64, question: &Retention) -> Result<i64> {
        if self.start_us <= time_us && time_us < self.end_us {
            return Ok(self.period);
        }
        let date = local_date(time_us, &question.zone)?;
        self.period = match question.period {
            RetentionPeriod::Calendar(interval @ (Interval::Month | Interval::Quarter | Interval::Year)) => {
                (i64::from(date.year()) * 12 + i64::from(date.month()) - 1).div_euclid(months_of(interval))
            }
            RetentionPeriod::Calendar(Interval::Week) => (days_since_1970(date)? + DAYS_SINCE_MONDAY).div_euclid(7),
            RetentionPeriod::Calendar(Interval::Day | Interval::Hour | Interval::WallHour)
            | RetentionPeriod::Days(_)
            | RetentionPeriod::Elapsed(_) => days_since_1970(date)?,
        };
        let midnight = |date: Date| date.to_zoned(question.zone.clone()).and_then(|day| day.start_of_day());
        // A day at the edge of the calendar is simply not remembered.
        (self.start_us, self.end_us) = match (midnight(date), date.tomorrow().and_then(midnight)) {
            (Ok(start), Ok(end)) => (start.timestamp().as_microsecond(), end.timestamp().as_microsecond()),
            _ => (0, 0),
        };
        Ok(self.period)
    }
}

fn start_of(period: i64, question: &Retention) -> Result<i64> {
    let outside = |error: jiff::Error| outside_the_calendar().caused_by(error);
    let day = |days: i64| {
        let span = jiff::Span::new().try_days(days)?;
        Date::constant(1970, 1, 1).checked_add(span)
    };
    let first = match question.period {
        RetentionPeriod::Calendar(interval @ (Interval::Month | Interval::Quarter | Interval::Year)) => {
            let month = period * months_of(interval);
            let year = i16::try_from(month.div_euclid(12)).map_err(|_| outside_the_calendar())?;
            Date::new(year, month.rem_euclid(12) as i8 + 1, 1)
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
