//! Forgetting, and what is kept.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tributary_core::error::{Code, Error, Result};
use tributary_events::store::{Erased, Erasure, Holdings};

use crate::Shared;
use crate::catalogue::{self, Tombstone};
use crate::workspace::Workspace;

impl Shared {
    /// Writes a tombstone: from then on nothing it covers is in any answer.
    pub fn erase(&self, workspace: &Arc<Workspace>, what: Erasure) -> Result<Erased> {
        let failed = |error: Error| {
            Error::new(Code::ForgetFailed, "the erasure could not be written; nothing was forgotten").caused_by(error)
        };
        let before = workspace.state().tombstones;
        let asked_us = self.options.clock.now_us();
        let (target, tail_events) = (workspace.clone(), self.log.tail_events.clone());
        let (tombstone, from_tail, segments) = self
            .log
            .run(move |connection, keys| {
                let up_to_sequence = target.state().watermark;
                let id = catalogue::bury(connection, target.id, &what, up_to_sequence, asked_us)?;
                let tombstone = Tombstone { id, workspace: target.id, what, up_to_sequence };
                let (gone, segments) = target.change(|state| (state.bury(tombstone.clone()), state.segments.clone()));
                keys.remove(target.id, &gone);
                tail_events.fetch_sub(gone.len(), Ordering::SeqCst);
                Ok((tombstone, gone.len() as u64, segments))
            })
            .map_err(failed)?;
        let mut events = from_tail;
        let mut after = Vec::clone(&before);
        after.push(tombstone);
        for segment in segments {
            let rows = segment.record.rows;
            let left_before = segment.live(&before)?.map_or(rows, |live| live.events);
            let left_after = segment.live(&after)?.map_or(rows, |live| live.events);
            events += left_before - left_after;
        }
        Ok(Erased { events })
    }

    /// Moves the horizon forward and lets go of the segments that lie behind it. What lies behind it in others leaves the disk
    /// when they are merged.
    pub fn expire(&self, workspace: &Arc<Workspace>, before_us: i64) -> Result<()> {
        let _compacting = self.compacting.lock().expect("no holder of this lock panics");
        let target = workspace.clone();
        self.log.run(move |connection, _| {
            let transaction = connection.transaction().map_err(|error| catalogue::failed("beginning a transaction in", error))?;
            let horizon_us = before_us.max(target.state().horizon_us);
            let behind: Vec<_> =
                target.state().segments.into_iter().filter(|segment| segment.record.last_us < horizon_us).collect();
            catalogue::set_horizon(&transaction, target.id, horizon_us)?;
            for segment in &behind {
                catalogue::unlist_segment(&transaction, segment.record.id)?;
            }
            transaction.commit().map_err(|error| catalogue::failed("committing to", error))?;
            target.change(|state| {
                state.horizon_us = horizon_us;
                state.compacted(&behind, Vec::new());
            });
            behind.iter().for_each(|segment| segment.retire());
            Ok(())
        })
    }

    pub fn describe(&self, workspace: &Workspace) -> Result<Holdings> {
        let state = workspace.state();
        let mut holdings = Holdings { watermark: state.watermark, ..Holdings::default() };
        let mut cover = |events: u64, first: Option<i64>, last: Option<i64>, received: Option<i64>| {
            holdings.events += events;
            holdings.first_us = holdings.first_us.into_iter().chain(first).min();
            holdings.last_us = holdings.last_us.max(last);
            holdings.last_received_us = holdings.last_received_us.max(received);
        };
        let mut disk_bytes = 0;
        for segment in &state.segments {
            let record = &segment.record;
            disk_bytes += record.data.bytes + record.keys.bytes;
            match segment.live(&state.tombstones)? {
                Some(live) => cover(live.events, live.first_us, live.last_us, live.last_received_us),
                None => cover(record.rows, Some(record.first_us), Some(record.last_us), Some(record.last_received_us)),
            }
        }
        for event in state.chunks.iter().flat_map(|chunk| &chunk.events) {
            let time = Some(event.event.time_us);
            cover(1, time, time, Some(event.event.received_us));
        }
        let id = workspace.id;
        disk_bytes += self.log.run(move |connection, _| catalogue::log_bytes_of(connection, id))?;
        holdings.disk_bytes = disk_bytes;
        Ok(holdings)
    }
}
