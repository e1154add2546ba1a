//! Forgetting, and what is kept.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tributary_core::error::{Code, Error, Result};
use tributary_events::store::{Erased, Erasure, Holdings};

use crate::Shared;
use crate::catalogue::{self, Tombstone};
use crate::live::Left;
use crate::workspace::Workspace;

impl Shared {
    /// Writes a tombstone: from then on nothing it covers is in any answer.
    pub fn erase(&self, workspace: &Arc<Workspace>, what: Erasure) -> Result<Erased> {
        let failed = |error: Error| {
            Error::new(Code::ForgetFailed, "the erasure could not be written; nothing was forgotten").caused_by(error)
        };
        let state = workspace.state();
        let (before, horizon_us) = (state.tombstones, state.horizon_us);
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
                let horizon_us = target.state().horizon_us;
                let left = gone.iter().filter(|event| event.event.time_us >= horizon_us).count();
                Ok((tombstone, left as u64, segments))
            })
            .map_err(failed)?;
        let mut events = from_tail;
        let mut after = Vec::clone(&before);
        after.push(tombstone);
        for segment in segments {
            events += Left::of(&segment, &before, horizon_us)?.events - Left::of(&segment, &after, horizon_us)?.events;
        }
        Ok(Erased { events })
    }

    /// Moves the horizon forward and lets go of the segments that lie behind it. What lies behind it in others is in no answer
    /// and leaves the disk once their last event lies behind it too: a month at the most, since no segment spans more.
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
        let mut add = |left: Left| {
            holdings.events += left.events;
            holdings.first_us = holdings.first_us.into_iter().chain(left.first_us).min();
            holdings.last_us = holdings.last_us.max(left.last_us);
            holdings.last_received_us = holdings.last_received_us.max(left.last_received_us);
        };
        let mut disk_bytes = 0;
        for segment in &state.segments {
            disk_bytes += segment.record.data.bytes + segment.record.keys.bytes;
            add(Left::of(segment, &state.tombstones, state.horizon_us)?);
        }
        let mut tail = Left::default();
        for event in state.chunks.iter().flat_map(|chunk| &chunk.events) {
            if event.event.time_us >= state.horizon_us {
                tail.cover(event.event.time_us, event.event.received_us);
            }
        }
        add(tail);
        let id = workspace.id;
        disk_bytes += self.log.run(move |connection, _| catalogue::log_bytes_of(connection, id))?;
        holdings.disk_bytes = disk_bytes;
        Ok(holdings)
    }
}
