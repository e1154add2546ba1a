//! Which touches conversions are credited to.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use tributary_core::error::Result;
use tributary_core::event::Event;

use super::{Group, keys_of, person_of, within};
use crate::answer::{AttributionAnswer, AttributionRow, BucketCredit};
use crate::attribution::bootstrap::profiles::ProfilesBuilder;
use crate::attribution::bootstrap::{self, Interval, Resampling};
use crate::attribution::credit::Credit;
use crate::attribution::journey::{CREDIT_UNITS, Crediting, Outcome, Share, Touch};
use crate::attribution::markov;
use crate::attribution::model::{Model, Pass};
use crate::attribution::paths::{Paths, PathsBuilder, Tally};
use crate::attribution::touches::{touch_of, touches};
use crate::attribution::window::WindowType;
use crate::question::{Attribution, Budget, DatedBy};

/// Answers over the events of the slice.
pub fn answer(events: &[&Event], question: &Attribution, budget: Budget) -> Result<AttributionAnswer> {
    let mut persons: BTreeMap<&str, Vec<&Event>> = BTreeMap::new();
    for event in events {
        persons.entry(person_of(&question.slice, event)).or_default().push(event);
    }
    let mut ledger = Ledger::new(question);
    for events in persons.values() {
        let visits = events.iter().copied().filter(|event| question.slice.all_hold(&question.touch, event));
        let touches = touches(visits, question.touches);
        let conversions: Vec<&Event> =
            events.iter().copied().filter(|event| question.slice.all_hold(&question.conversion, event)).collect();
        match question.model.pass() {
            Pass::PerJourney => ledger.credit(&conversions, &touches),
            Pass::AllPaths => ledger.collect(&conversions, &touches),
        }
    }
    ledger.answer(budget)
}

/// What is credited so far.
struct Ledger<'q> {
    question: &'q Attribution,
    rows: BTreeMap<Group, Credit>,
    unattributed: BTreeMap<Group, Credit>,
    totals: Credit,
    crediting: Crediting,
    shares: Vec<Share>,
    /// Codes of channels, that is of combinations of group columns.
    codes: BTreeMap<Keys, u32>,
    /// Every path, with whether it converted and what that brought.
    paths: Vec<(Vec<Keys>, Option<Credit>)>,
    /// Who got how many units of each conversion.
    shared: Vec<Vec<(Keys, i64)>>,
}

/// The values of the group columns.
type Keys = Vec<Option<String>>;

impl<'q> Ledger<'q> {
    fn new(question: &'q Attribution) -> Self {
        Self {
            question,
            rows: BTreeMap::new(),
            unattributed: BTreeMap::new(),
            totals: nothing(question),
            crediting: Crediting::default(),
            shares: Vec::new(),
            codes: BTreeMap::new(),
            paths: Vec::new(),
            shared: Vec::new(),
        }
    }

    /// Credits one person's conversions by a model that looks at one journey at a time.
    fn credit(&mut self, conversions: &[&Event], touches: &[&Event]) {
        let question = self.question;
        for conversion in conversions {
            if question.dated_by == DatedBy::Conversion && !question.report.contains(conversion.time_us) {
                continue;
            }
            let eligible: Vec<&Event> = touches.iter().copied().filter(|touch| counts(question, touch, conversion)).collect();
            let journey: Vec<Touch> = eligible.iter().map(|touch| self.touch(touch)).collect();
            let brought = brought(question, conversion);
            let kind = keys_of(&question.slice, question.conversion_by.as_slice(), conversion);
            let outcome = self.crediting.weigh(question.model, &journey);
            if outcome != Outcome::Attributed {
                self.shared.push(Vec::new());
                if question.dated_by == DatedBy::Conversion {
                    let group = (bucket(question, conversion), kind);
                    add(self.unattributed.entry(group).or_insert_with(|| nothing(question)), &brought);
                    add(&mut self.totals, &brought);
                }
                continue;
            }
            if question.dated_by == DatedBy::Conversion {
                add(&mut self.totals, &brought);
            }
            for (field, total) in fields(&brought).enumerate() {
                self.crediting.split(total, &mut self.shares);
                if field == 0 {
                    let keys = |share: &Share| (keys_of(&question.slice, &question.group_by, eligible[share.touch]), share.part);
                    self.shared.push(self.shares.iter().map(keys).collect());
                }
                for share in &self.shares {
                    let touch = eligible[share.touch];
                    let dated = match question.dated_by {
                        DatedBy::Conversion => conversion,
                        DatedBy::Touch if !question.report.contains(touch.time_us) => continue,
                        DatedBy::Touch => touch,
                    };
                    let keys = [keys_of(&question.slice, &question.group_by, touch), kind.clone()].concat();
                    let group = (bucket(question, dated), keys);
                    let part = i128::from(share.part);
                    *field_of(self.rows.entry(group).or_insert_with(|| nothing(question)), field) += part;
                    if question.dated_by == DatedBy::Touch {
                        *field_of(&mut self.totals, field) += part;
                    }
                }
            }
        }
    }

    /// Notes one person's paths: one for each conversion of the report, or one without when there is none at all.
    fn collect(&mut self, conversions: &[&Event], touches: &[&Event]) {
        let question = self.question;
        let path = |is_on: &dyn Fn(&Event) -> bool| -> Vec<Keys> {
            touches.iter().filter(|touch| is_on(touch)).map(|touch| keys_of(&question.slice, &question.group_by, touch)).collect()
        };
        for conversion in conversions.iter().filter(|conversion| question.report.contains(conversion.time_us)) {
            self.paths.push((path(&|touch| counts(question, touch, conversion)), Some(brought(question, conversion))));
        }
        let other = path(&|touch| question.report.contains(touch.time_us));
        if conversions.is_empty() && !other.is_empty() {
            self.paths.push((other, None));
        }
    }

    /// The paths by channel, whose codes are in the order of their keys: ties between channels must not depend on who came
    /// first.
    fn grouped(&self) -> Result<(Paths, Vec<&Keys>)> {
        let channels: BTreeSet<&Keys> = self.paths.iter().flat_map(|(path, _)| path).collect();
        let channels: Vec<&Keys> = channels.into_iter().collect();
        let mut grouped = PathsBuilder::new(self.question.amounts.len());
        for (path, brought) in &self.paths {
            let path: Vec<u32> =
                path.iter().filter_map(|keys| channels.binary_search(&keys).ok()).map(|place| place as u32).collect();
            let tally = match brought {
                Some(brought) => Tally { converting: 1, other: 0, amounts_micros: &brought.amounts_micros },
                None => Tally { converting: 0, other: 1, amounts_micros: &[] },
            };
            grouped.add(&path, tally)?;
        }
        Ok((grouped.build(), channels))
    }

    fn touch(&mut self, touch: &Event) -> Touch {
        let next = self.codes.len() as u32;
        let code = *self.codes.entry(keys_of(&self.question.slice, &self.question.group_by, touch)).or_insert(next);
        touch_of(touch, code)
    }

    /// The intervals of a model that looks at one journey at a time.
    fn intervals(&self, resampling: Resampling) -> Result<BTreeMap<Keys, Interval<i128>>> {
        let channels: BTreeSet<&Keys> = self.shared.iter().flatten().map(|(keys, _)| keys).collect();
        let channels: Vec<&Keys> = channels.into_iter().collect();
        let mut profiles = ProfilesBuilder::default();
        for shares in &self.shared {
            let code = |keys: &Keys| channels.binary_search(&keys).unwrap_or_default() as u32;
            let shares: Vec<(u32, i64)> = shares.iter().map(|(keys, units)| (code(keys), *units)).collect();
            profiles.add(&shares, 1)?;
        }
        let intervals = bootstrap::per_journey(&profiles.build(), resampling, || Ok(()))?;
        Ok(intervals.into_iter().map(|one| (channels[one.channel as usize].clone(), one.units)).collect())
    }

    fn answer(mut self, budget: Budget) -> Result<AttributionAnswer> {
        let mut intervals: BTreeMap<Keys, Interval<i128>> = BTreeMap::new();
        if let Model::Markov { order, allocation } = self.question.model {
            let (paths, channels) = self.grouped()?;
            let credits = markov::credit(&paths, &markov::removal_effects(&paths, order)?, allocation);
            if let Some(resampling) = self.question.resampling {
                let found = bootstrap::markov(&paths, order, allocation, resampling, || Ok(()))?;
                intervals = found.into_iter().map(|one| (channels[one.channel as usize].clone(), one.units)).collect();
            }
            let earned = credits.channels.into_iter().filter(|channel| channel.credit != nothing(self.question));
            self.rows = earned.map(|one| ((None, channels[one.channel as usize].clone()), one.credit)).collect();
            if credits.unattributed != nothing(self.question) {
                self.unattributed.insert((None, Keys::new()), credits.unattributed);
            }
            self.totals = credits.totals;
        } else if let Some(resampling) = self.question.resampling {
            intervals = self.intervals(resampling)?;
        }
        within(budget, self.rows.len())?;
        if self.question.conversion_by.is_some() {
            within(budget, self.unattributed.len())?;
        }
        let mut rows: Vec<AttributionRow> = self
            .rows
            .into_iter()
            .map(|((bucket, keys), credit)| AttributionRow { interval: intervals.get(&keys).copied(), bucket, keys, credit })
            .collect();
        let total_rows = rows.len();
        rows.sort_by_key(|row| (row.bucket, Reverse(row.credit.units), row.keys.clone()));
        rows.truncate(self.question.limit);
        let unattributed =
            self.unattributed.into_iter().map(|((bucket, keys), credit)| BucketCredit { bucket, keys, credit }).collect();
        Ok(AttributionAnswer { rows, total_rows, unattributed, totals: self.totals })
    }
}

/// Whether a touch counts for a conversion.
fn counts(question: &Attribution, touch: &Event, conversion: &Event) -> bool {
    touch.time_us <= conversion.time_us
        && touch.time_us >= question.window.opens_us(conversion.time_us)
        && (question.window_type == WindowType::Relative || question.report.contains(touch.time_us))
}

fn bucket(question: &Attribution, event: &Event) -> Option<u32> {
    question.buckets.as_ref().and_then(|buckets| buckets.find(event.time_us))
}

/// A conversion and its amounts.
fn brought(question: &Attribution, conversion: &Event) -> Credit {
    let amounts = question.amounts.iter().map(|currency| {
        let amount = conversion.amount.filter(|amount| amount.currency == *currency);
        amount.map_or(0, |amount| i128::from(amount.micros))
    });
    Credit { units: i128::from(CREDIT_UNITS), amounts_micros: amounts.collect() }
}

fn nothing(question: &Attribution) -> Credit {
    Credit { units: 0, amounts_micros: vec![0; question.amounts.len()] }
}

fn add(sum: &mut Credit, more: &Credit) {
    sum.units += more.units;
    sum.amounts_micros.iter_mut().zip(&more.amounts_micros).for_each(|(sum, more)| *sum += more);
}

/// Credit units, then the amounts of one conversion.
fn fields(credit: &Credit) -> impl Iterator<Item = i64> {
    std::iter::once(credit.units as i64)
        .chain(credit.amounts_micros.iter().map(|amount| *amount as i64))
        .collect::<Vec<_>>()
        .into_iter()
}

fn field_of(credit: &mut Credit, field: usize) -> &mut i128 {
    match field.checked_sub(1) {
        None => &mut credit.units,
        Some(currency) => &mut credit.amounts_micros[currency],
    }
}
