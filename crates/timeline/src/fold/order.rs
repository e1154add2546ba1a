//! The order of events where time does not decide: event id, then content. Looked at only where it must be.

use std::cmp::Ordering;

use tributary_core::error::Result;

use super::scan::{Piece, Row, Scan};
use crate::column::ColumnId;

/// A row of a scan: which source, chunk, and row of the chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub source: u32,
    pub chunk: u32,
    pub row: u32,
}

/// A row with its time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timed {
    pub time_us: i64,
    pub place: Place,
}

/// What decides between events of one instant.
type Tie = (Option<String>, u64, u64);

impl Scan<'_> {
    /// Sorts rows of any visitors into [`tributary_core::event::Event::order`].
    pub fn order(&self, rows: &mut [Timed]) -> Result<()> {
        rows.sort_unstable_by_key(|row| (row.time_us, row.place));
        for ties in rows.chunk_by_mut(|a, b| a.time_us == b.time_us) {
            if ties.len() > 1 {
                self.limits.check_time()?;
                let mut keyed = Vec::with_capacity(ties.len());
                for row in ties.iter() {
                    keyed.push((self.tie(row.place)?, *row));
                }
                keyed.sort_by(|a, b| a.0.cmp(&b.0));
                ties.iter_mut().zip(keyed).for_each(|(row, (_, sorted))| *row = sorted);
            }
        }
        Ok(())
    }

    /// Puts one visitor's rows, which are ordered by time, into event order. Rows of one chunk are in order already.
    pub fn order_ties(&self, pieces: &[Piece], rows: &mut [Row]) -> Result<()> {
        for ties in rows.chunk_by_mut(|a, b| a.time_us == b.time_us) {
            if ties.iter().all(|row| row.piece == ties[0].piece) {
                continue;
            }
            let mut keyed = Vec::with_capacity(ties.len());
            for row in ties.iter() {
                let piece = &pieces[row.piece as usize];
                let place = Place { source: piece.source as u32, chunk: piece.chunk as u32, row: piece.row(row.at) as u32 };
                keyed.push((self.tie(place)?, *row));
            }
            keyed.sort_by(|a, b| a.0.cmp(&b.0));
            ties.iter_mut().zip(keyed).for_each(|(row, (_, sorted))| *row = sorted);
        }
        Ok(())
    }

    /// Which of two rows of one instant comes first.
    pub fn compare_ties(&self, pieces: &[Piece], one: &Row, other: &Row) -> Result<Ordering> {
        let mut pair = [*one, *other];
        if one.piece == other.piece {
            return Ok(one.at.cmp(&other.at));
        }
        self.order_ties(pieces, &mut pair)?;
        Ok(if pair[0].piece == one.piece { Ordering::Less } else { Ordering::Greater })
    }

    fn tie(&self, place: Place) -> Result<Tie> {
        let run = &self.sources[place.source as usize].run;
        let (chunk, row) = (place.chunk as usize, place.row as usize);
        let event_id = run.column(&ColumnId::Text(crate::schema::Text::EventId), chunk)?.text().at(row);
        let content = run.column(&ColumnId::ContentHash, chunk)?.unsigned()[row];
        let sequence = run.column(&ColumnId::Sequence, chunk)?.unsigned()[row];
        Ok((event_id, content, sequence))
    }
}
