//! Distinct values of a field with their counts.

use std::cmp::Reverse;

use tributary_core::error::Result;
use tributary_events::answer::{ValueCount, ValuesAnswer};
use tributary_events::question::Values;

use super::group::Codebook;
use super::scan::{Fold, Scan, Sequence, Visit};

pub(crate) fn answer(scan: &Scan<'_>, question: &Values) -> Result<ValuesAnswer> {
    let codebook = Codebook::over(scan, &question.field)?;
    let folds =
        scan.fold(Sequence::Any, || Ok(Tallying { codebook: &codebook, tallies: vec![Tally::default(); codebook.len()] }))?;
    let mut tallies = vec![Tally::default(); codebook.len()];
    for fold in &folds {
        for (sum, more) in tallies.iter_mut().zip(&fold.tallies) {
            sum.events += more.events;
            sum.first_us = sum.first_us.min(more.first_us);
            sum.last_us = sum.last_us.max(more.last_us);
        }
    }
    let mut values: Vec<(&str, Tally)> = tallies
        .into_iter()
        .enumerate()
        .filter(|(_, tally)| tally.events > 0)
        .filter_map(|(code, tally)| codebook.value(code as u32).map(|value| (value, tally)))
        .collect();
    let total = values.len();
    scan.limits.check_groups(total)?;
    values.sort_unstable_by_key(|(value, tally)| (Reverse(tally.events), *value));
    values.truncate(question.limit);
    let values = values
        .into_iter()
        .map(|(value, Tally { events, first_us, last_us })| ValueCount { value: value.to_owned(), events, first_us, last_us })
        .collect();
    Ok(ValuesAnswer { values, total })
}

#[derive(Clone, Copy)]
struct Tally {
    events: u64,
    first_us: i64,
    last_us: i64,
}

impl Default for Tally {
    fn default() -> Self {
        Self { events: 0, first_us: i64::MAX, last_us: i64::MIN }
    }
}

struct Tallying<'q> {
    codebook: &'q Codebook,
    tallies: Vec<Tally>,
}

impl Fold for Tallying<'_> {
    fn visit(&mut self, visit: &Visit<'_>) -> Result<()> {
        for row in visit.rows {
            let tally = &mut self.tallies[self.codebook.code(row) as usize];
            tally.events += 1;
            tally.first_us = tally.first_us.min(row.time_us);
            tally.last_us = tally.last_us.max(row.time_us);
        }
        Ok(())
    }
}
