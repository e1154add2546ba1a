//! Which rows of a segment are left while erasures wait for the next compaction.

use std::collections::HashSet;
use std::sync::Arc;

use tributary_core::error::Result;
use tributary_events::store::Erasure;

use crate::catalogue::Tombstone;
use crate::column::{Column, ColumnId};
use crate::run::{signed, texts, unsigned, visitors};
use crate::schema::Text;
use crate::segment::Segment;

/// The rows left, and what describes them.
pub(crate) struct LiveRows {
    pub alive: Vec<bool>,
    pub events: u64,
    pub first_us: Option<i64>,
    pub last_us: Option<i64>,
    pub last_received_us: Option<i64>,
    /// Event-id keys of the rows that are gone: they may be used again.
    pub freed_keys: HashSet<u128>,
}

/// What has been worked out so far. Erasures only grow, so each tombstone is applied once.
#[derive(Default)]
pub(crate) struct Liveness {
    applied: i64,
    rows: Option<Arc<LiveRows>>,
}

impl Liveness {
    /// Applies what is new. `None` when nothing of the segment is gone.
    pub fn apply(&mut self, segment: &Segment, pending: &[&Tombstone]) -> Result<Option<Arc<LiveRows>>> {
        let fresh: Vec<&Tombstone> = pending.iter().filter(|tombstone| tombstone.id > self.applied).copied().collect();
        let Some(last) = fresh.iter().map(|tombstone| tombstone.id).max() else { return Ok(self.rows.clone()) };
        let mut alive = match &self.rows {
            Some(rows) => rows.alive.clone(),
            None => vec![true; segment.rows()],
        };
        let mut changed = false;
        for tombstone in fresh {
            changed |= apply_one(segment, tombstone, &mut alive)?;
        }
        if changed {
            self.rows = Some(Arc::new(describe(segment, alive)?));
        }
        self.applied = last;
        Ok(self.rows.clone())
    }
}

fn apply_one(segment: &Segment, tombstone: &Tombstone, alive: &mut [bool]) -> Result<bool> {
    let column = |id: ColumnId| -> Result<Column> { segment.column(id) };
    let covered: Box<dyn Iterator<Item = usize>> = match &tombstone.what {
        Erasure::Workspace => Box::new(0..segment.rows()),
        Erasure::Visitor(id) => {
            let visitors = visitors(column(ColumnId::Visitors)?);
            match visitors.find(segment.hashes.visitor(id), id) {
                Some(at) => Box::new(visitors.starts[at] as usize..visitors.starts[at + 1] as usize),
                None => return Ok(false),
            }
        }
        Erasure::User(id) => {
            let users = texts(column(ColumnId::Text(Text::UserId))?);
            let Some(code) = users.code_of(id) else { return Ok(false) };
            let rows: Vec<usize> = (0..segment.rows()).filter(|row| users.codes.at(*row) == code).collect();
            Box::new(rows.into_iter())
        }
    };
    let all_before = segment.record.last_sequence <= tombstone.up_to_sequence;
    let sequences = if all_before { None } else { Some(unsigned(column(ColumnId::Sequence)?)) };
    let mut changed = false;
    for row in covered {
        let before = sequences.as_ref().is_none_or(|sequences| sequences[row] <= tombstone.up_to_sequence);
        if before && alive[row] {
            alive[row] = false;
            changed = true;
        }
    }
    Ok(changed)
}

fn describe(segment: &Segment, alive: Vec<bool>) -> Result<LiveRows> {
    let times = signed(segment.column(ColumnId::Time)?);
    let arrivals = signed(segment.column(ColumnId::Received)?);
    let of = |values: &[i64]| {
        let left = || values.iter().zip(&alive).filter(|(_, alive)| **alive).map(|(value, _)| *value);
        (left().min(), left().max())
    };
    let (first_us, last_us) = of(&times);
    let (_, last_received_us) = of(&arrivals);
    let events = alive.iter().filter(|alive| **alive).count() as u64;
    let (event_ids, origins) =
        (texts(segment.column(ColumnId::Text(Text::EventId))?), texts(segment.column(ColumnId::Text(Text::Origin))?));
    let dead = (0..alive.len()).filter(|row| !alive[*row]);
    let freed_keys = dead.filter_map(|row| Some(segment.hashes.event_key(origins.at(row)?, event_ids.at(row)?))).collect();
    Ok(LiveRows { alive, events, first_us, last_us, last_received_us, freed_keys })
}
