//! Distinct values of a field with their counts.

use std::cmp::Reverse;

use tributary_core::error::Result;
use tributary_events::answer::{ValueCount, ValuesAnswer};
use tributary_events::question::Values;

use super::group::Codebook;
use super::reads::Read;
use super::scan::{Fold, Piece, Scan};
use crate::column::ColumnId;

pub(crate) fn answer(scan: &mut Scan<'_>, question: &Values) -> Result<ValuesAnswer> {
    let read = scan.reads.field(&question.field);
    let time = scan.reads.column(ColumnId::Time);
    scan.prepare(false)?;
    let codebook = Codebook::over(scan, read)?;
    let folds = scan.fold(|| Ok(Tallying::new(scan, &codebook, time)))?;
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
    scan: &'q Scan<'q>,
    codebook: &'q Codebook,
    time: Read,
    tallies: Vec<Tally>,
    held: usize,
}

impl<'q> Tallying<'q> {
    fn new(scan: &'q Scan<'q>, codebook: &'q Codebook, time: Read) -> Self {
        Self { scan, codebook, time, tallies: vec![Tally::default(); codebook.len()], held: 0 }
    }
}

impl Fold for Tallying<'_> {
    const VISITS: bool = false;

    fn rows(&mut self, piece: &Piece, mask: &[u8], _again: bool) -> Result<()> {
        let codes = &piece.column(self.codebook.read).text().codes;
        let times = piece.column(self.time).times();
        let translations = self.codebook.translations(piece.source);
        for (row, _) in piece.rows.clone().zip(mask).filter(|(_, kept)| **kept != 0) {
            let tally = &mut self.tallies[translations[codes.at(row) as usize] as usize];
            let time_us = times.at(row);
            tally.events += 1;
            tally.first_us = tally.first_us.min(time_us);
            tally.last_us = tally.last_us.max(time_us);
        }
        Ok(())
    }

    fn end_of_partition(&mut self) -> Result<()> {
        let now = self.tallies.len() * size_of::<Tally>();
        self.scan.limits.check_memory(std::mem::replace(&mut self.held, now), now)
    }
}
