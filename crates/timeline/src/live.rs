//! Which rows of a segment are left while erasures wait for the next compaction.

use std::collections::HashSet;
use std::sync::Arc;

use tributary_core::error::Result;
use tributary_events::store::Erasure;

use crate::catalogue::Tombstone;
use crate::column::ColumnId;
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
    let all_before = segment.record.last_sequence <= tombstone.up_to_sequence;
    let mut changed = false;
    let mut bury = |chunk: usize, first_row: usize, rows: &mut dyn Iterator<Item = usize>| -> Result<()> {
        let sequences = if all_before { None } else { Some(segment.column(&ColumnId::Sequence, chunk)?) };
        for row in rows {
            let before = sequences.as_ref().is_none_or(|sequences| sequences.unsigned()[row] <= tombstone.up_to_sequence);
            if before && alive[first_row + row] {
                alive[first_row + row] = false;
                changed = true;
            }
        }
        Ok(())
    };
    for (at, chunk) in segment.chunks()?.iter().enumerate() {
        match &tombstone.what {
            Erasure::Workspace => bury(at, chunk.first_row, &mut (0..chunk.rows))?,
            Erasure::Visitor(id) => {
                let hash = segment.hashes.visitor(id);
                if hash < chunk.first_hash || chunk.last_hash < hash {
                    continue;
                }
                let visitors = segment.column(&ColumnId::Visitors, at)?;
                if let Some(rows) = visitors.visitors().find(hash) {
                    bury(at, chunk.first_row, &mut rows.into_iter())?;
                }
            }
            Erasure::User(id) => {
                let users = segment.column(&ColumnId::Text(Text::UserId), at)?;
                let users = users.text();
                if let Some(code) = users.dictionary.code_of(id) {
                    bury(at, chunk.first_row, &mut (0..chunk.rows).filter(|row| users.codes.at(*row) == code))?;
                }
            }
        }
    }
    Ok(changed)
}

fn describe(segment: &Segment, alive: Vec<bool>) -> Result<LiveRows> {
    let mut live = LiveRows {
        events: alive.iter().filter(|alive| **alive).count() as u64,
        first_us: None,
        last_us: None,
        last_received_us: None,
        freed_keys: HashSet::new(),
        alive,
    };
    for (at, chunk) in segment.chunks()?.iter().enumerate() {
        let alive = &live.alive[chunk.first_row..chunk.first_row + chunk.rows];
        let (times, arrivals) = (segment.column(&ColumnId::Time, at)?, segment.column(&ColumnId::Received, at)?);
        let event_ids = segment.column(&ColumnId::Text(Text::EventId), at)?;
        let origins = segment.column(&ColumnId::Text(Text::Origin), at)?;
        for (row, alive) in alive.iter().enumerate() {
            if *alive {
                let (time_us, received_us) = (times.times().at(row), arrivals.times().at(row));
                live.first_us = Some(live.first_us.map_or(time_us, |first| first.min(time_us)));
                live.last_us = live.last_us.max(Some(time_us));
                live.last_received_us = live.last_received_us.max(Some(received_us));
            } else if let (Some(origin), Some(event_id)) = (origins.text().at(row), event_ids.text().at(row)) {
                live.freed_keys.insert(segment.hashes.event_key(&origin, &event_id));
            }
        }
    }
    Ok(live)
}

/// What is left of a segment: erased rows aside, and those behind the horizon.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Left {
    pub events: u64,
    pub first_us: Option<i64>,
    pub last_us: Option<i64>,
    pub last_received_us: Option<i64>,
}

impl Left {
    pub fn of(segment: &Segment, tombstones: &[Tombstone], horizon_us: i64) -> Result<Self> {
        let live = segment.live(tombstones)?;
        let record = &segment.record;
        if record.first_us >= horizon_us {
            return Ok(match live {
                None => Self {
                    events: record.rows,
                    first_us: Some(record.first_us),
                    last_us: Some(record.last_us),
                    last_received_us: Some(record.last_received_us),
                },
                Some(live) => Self {
                    events: live.events,
                    first_us: live.first_us,
                    last_us: live.last_us,
                    last_received_us: live.last_received_us,
                },
            });
        }
        let mut left = Self::default();
        for (at, chunk) in segment.chunks()?.iter().enumerate() {
            let (times, arrivals) = (segment.column(&ColumnId::Time, at)?, segment.column(&ColumnId::Received, at)?);
            for row in 0..chunk.rows {
                let time_us = times.times().at(row);
                if time_us >= horizon_us && live.as_ref().is_none_or(|live| live.alive[chunk.first_row + row]) {
                    left.cover(time_us, arrivals.times().at(row));
                }
            }
        }
        Ok(left)
    }

    /// Adds one event.
    pub fn cover(&mut self, time_us: i64, received_us: i64) {
        self.events += 1;
        self.first_us = Some(self.first_us.map_or(time_us, |first| first.min(time_us)));
        self.last_us = self.last_us.max(Some(time_us));
        self.last_received_us = self.last_received_us.max(Some(received_us));
    }
}
