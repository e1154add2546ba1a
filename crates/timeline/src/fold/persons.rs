//! People over visitors: which visitor hashes belong to a person of several.

use std::ops::Range;
use std::sync::{Arc, Mutex};

use tributary_core::error::Result;
use tributary_events::people::People;

use super::scan::{Fold, Help, Scan, Stretch, Visit};
use super::scratch::Scratch;
use crate::stored::Hashes;

/// Persons of several visitors that are worked at together.
const PERSONS_AT_ONCE: usize = 2_048;

/// The visitors of persons of several visitors, by hash.
pub(crate) struct Persons {
    /// Hash and number of the person, ascending.
    members: Vec<(u64, u32)>,
}

/// Rows of a visitor that wait for the other visitors of its person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Member {
    pub person: u32,
    pub source: u32,
    pub chunk: u32,
    /// Rows, counted in the chunk.
    pub first_row: u32,
    pub end_row: u32,
    pub hash: u64,
}

impl Persons {
    fn new(people: &People, hashes: &Hashes) -> Self {
        let mut members: Vec<(u64, u32)> = people
            .groups()
            .iter()
            .zip(0..)
            .flat_map(|(group, person)| group.iter().map(move |visitor| (hashes.visitor(visitor), person)))
            .collect();
        members.sort_unstable();
        Self { members }
    }

    /// The members whose hashes lie inside.
    pub fn inside(&self, hashes: &Range<u128>) -> &[(u64, u32)] {
        let at = |edge: u128| self.members.partition_point(|(hash, _)| u128::from(*hash) < edge);
        &self.members[at(hashes.start)..at(hashes.end)]
    }
}

/// The hashed form of the people asked about last: they change seldom and are asked about often.
#[derive(Default)]
pub(crate) struct PersonsMemo(Mutex<Option<(Arc<People>, Arc<Persons>)>>);

impl PersonsMemo {
    pub fn of(&self, people: &Arc<People>, hashes: &Hashes) -> Arc<Persons> {
        let mut memo = self.0.lock().expect("no holder of this lock panics");
        if let Some((known, persons)) = &*memo
            && Arc::ptr_eq(known, people)
        {
            return persons.clone();
        }
        let persons = Arc::new(Persons::new(people, hashes));
        *memo = Some((people.clone(), persons.clone()));
        persons
    }
}

impl Scan<'_> {
    /// Brings the visitors of each person together. What the partitions counted row by row is not counted again.
    pub(super) fn fold_persons<F: Fold>(&self, folds: Vec<F>, mut members: Vec<Member>) -> Result<Vec<F>> {
        members.sort_unstable();
        let mut batches: Vec<&[Member]> = Vec::new();
        let mut rest = members.as_slice();
        while !rest.is_empty() {
            let mut end = 0;
            for person in rest.chunk_by(|a, b| a.person == b.person).take(PERSONS_AT_ONCE) {
                end += person.len();
            }
            let (batch, after) = rest.split_at(end);
            batches.push(batch);
            rest = after;
        }
        let folds = std::sync::Mutex::new(folds);
        let begin = || {
            let fold = folds.lock().expect("no holder of this lock panics").pop();
            Ok((fold, Scratch::default()))
        };
        let done = self.in_parallel(batches.len(), Help::IfLong, begin, |(fold, scratch), at| {
            let fold = fold.as_mut().expect("there are as many folds as threads");
            self.fold_members(batches[at], fold, scratch)?;
            fold.end_of_partition()
        })?;
        let mut folds = folds.into_inner().expect("no holder of this lock panics");
        folds.extend(done.into_iter().filter_map(|(fold, _)| fold));
        Ok(folds)
    }

    fn fold_members<F: Fold>(&self, members: &[Member], fold: &mut F, scratch: &mut Scratch) -> Result<()> {
        scratch.clear();
        for member in members {
            let base = scratch.mask.len();
            let rows = member.first_row as usize..member.end_row as usize;
            let piece = self.piece(member.source as usize, member.chunk as usize, rows, base, &mut scratch.mask)?;
            fold.rows(&piece, &scratch.mask[base..], true)?;
            scratch.pieces.push(piece);
        }
        let mut first = 0;
        for person in members.chunk_by(|a, b| a.person == b.person) {
            scratch.stretches.clear();
            for (at, piece) in scratch.pieces.iter().enumerate().skip(first).take(person.len()) {
                let (start, end) = (piece.base as u32, (piece.base + piece.len()) as u32);
                scratch.stretches.push(Stretch { hash: person[at - first].hash, piece: at as u32, start, end });
            }
            first += person.len();
            fold.visit(&Visit { stretches: &scratch.stretches, pieces: &scratch.pieces, mask: &scratch.mask })?;
        }
        Ok(())
    }
}
