//! The order of events where time does not decide: event id, then content. Looked at only where it must be.

use std::cmp::Ordering;

use tributary_core::error::{Error, Result};

use super::scan::{Piece, Row, Scan};
use crate::column::ColumnId;
use crate::schema::Text;

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

impl Scan<'_> {
    /// Sorts rows of any visitors into [`tributary_core::event::Event::order`].
    pub fn order(&self, rows: &mut [Timed]) -> Result<()> {
        rows.sort_unstable_by_key(|row| (row.time_us, row.place));
        for ties in rows.chunk_by_mut(|a, b| a.time_us == b.time_us) {
            if ties.len() > 1 {
                self.limits.check_time()?;
                self.sort_ties(ties, |row| row.place)?;
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
            self.sort_ties(ties, |row| {
                let piece = &pieces[row.piece as usize];
                Place { source: piece.source as u32, chunk: piece.chunk as u32, row: piece.row(row.at) as u32 }
            })?;
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

    /// Sorts events of one instant. What they contain is worked out from whole row groups: only of those with one id.
    fn sort_ties<T: Copy>(&self, ties: &mut [T], place: impl Fn(&T) -> Place) -> Result<()> {
        let column = |place: Place, id: &ColumnId| self.sources[place.source as usize].run.column(id, place.chunk as usize);
        let mut by_id = Vec::with_capacity(ties.len());
        for tie in ties.iter() {
            let place = place(tie);
            by_id.push((column(place, &ColumnId::Text(Text::EventId))?.text().at(place.row as usize), *tie));
        }
        by_id.sort_by(|a, b| a.0.cmp(&b.0));
        for same in by_id.chunk_by_mut(|a, b| a.0 == b.0).filter(|same| same.len() > 1) {
            let mut by_content = Vec::with_capacity(same.len());
            for (_, tie) in same.iter() {
                let place = place(tie);
                let of = |id: ColumnId| Ok::<u64, Error>(column(place, &id)?.unsigned()[place.row as usize]);
                by_content.push((of(ColumnId::ContentHash)?, of(ColumnId::Sequence)?, *tie));
            }
            by_content.sort_by_key(|(content, sequence, _)| (*content, *sequence));
            same.iter_mut().zip(by_content).for_each(|((_, tie), (_, _, sorted))| *tie = sorted);
        }
        ties.iter_mut().zip(by_id).for_each(|(tie, (_, sorted))| *tie = sorted);
        Ok(())
    }
}
