//! From the tail to segments: sort, write, sync, then one transaction that lists the segments and trims the log.

use std::collections::BTreeMap;
use std::sync::Arc;

use tributary_core::error::Result;

use crate::Shared;
use crate::catalogue::{self, SegmentRecord};
use crate::segment::Segment;
use crate::segment_writer::{Destination, write_rows};
use crate::sorted::Sorted;
use crate::stored::{Stored, month_of};
use crate::workspace::Workspace;

/// Why a flush is due.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// The tail is as large as it should get: more of the same is on its way.
    Full,
    /// It has waited long enough, or somebody asked.
    Aged,
}

impl Shared {
    /// Flushes every workspace that has something in the log.
    pub fn flush_all(&self, due: Due) -> Result<()> {
        let _flushing = self.flushing.lock().expect("no holder of this lock panics");
        for workspace in self.all_workspaces() {
            self.flush(&workspace, due)?;
        }
        Ok(())
    }

    fn flush(&self, workspace: &Arc<Workspace>, due: Due) -> Result<()> {
        let state = workspace.state();
        if state.watermark <= state.flushed_sequence {
            return Ok(());
        }
        let up_to = state.watermark;
        // The tail holds nothing these cover; later ones will find the segments listed and cover them there.
        let applied_tombstone = state.tombstones.last().map_or(0, |tombstone| tombstone.id);
        let mut months: BTreeMap<i32, Vec<&Stored>> = BTreeMap::new();
        for event in state.chunks.iter().flat_map(|chunk| &chunk.events) {
            months.entry(month_of(event.event.time_us)?).or_default().push(event);
        }
        let mut records = Vec::new();
        for (month, events) in months {
            let to = Destination { root: self.root.clone(), workspace: workspace.id, month, applied_tombstone };
            records.extend(self.write_slices(&to, events)?);
        }
        let segments = self.open_segments(&records);
        let workspace = workspace.clone();
        let tail_events = self.log.tail_events.clone();
        let next_segment = self.next_segment();
        self.log.run(move |connection, keys| {
            let transaction = connection.transaction().map_err(|error| catalogue::failed("beginning a transaction in", error))?;
            for record in &records {
                catalogue::list_segment(&transaction, record)?;
            }
            catalogue::set_next_segment(&transaction, next_segment)?;
            catalogue::trim_log(&transaction, workspace.id, up_to)?;
            transaction.commit().map_err(|error| catalogue::failed("committing to", error))?;
            workspace.change(|state| {
                let before = state.tail_events();
                state.flushed(segments, up_to);
                state.filling = if due == Due::Full { records.iter().map(|record| record.month).collect() } else { Vec::new() };
                tail_events.fetch_sub(before - state.tail_events(), std::sync::atomic::Ordering::SeqCst);
            });
            keys.forget(workspace.id, up_to);
            Ok(())
        })
    }

    /// One month's events as segments: where one cannot take them all, each takes a slice of time.
    fn write_slices(&self, to: &Destination, mut events: Vec<&Stored>) -> Result<Vec<SegmentRecord>> {
        let slices = events.len().div_ceil(self.options.segment_rows).max(1);
        let size = events.len().div_ceil(slices).max(1);
        if slices > 1 {
            events.sort_unstable_by_key(|event| event.event.time_us);
        }
        let mut records = Vec::new();
        for slice in events.chunks(size) {
            records.extend(write_rows(&self.options, &self.next_segment, to, &Sorted::new(slice))?);
        }
        Ok(records)
    }

    pub fn open_segments(&self, records: &[SegmentRecord]) -> Vec<Arc<Segment>> {
        let open =
            |record: &SegmentRecord| Segment::new(record.clone(), self.root.clone(), self.cache.clone(), self.hashes.clone());
        records.iter().map(open).collect()
    }

    pub fn next_segment(&self) -> u64 {
        self.next_segment.load(std::sync::atomic::Ordering::SeqCst)
    }
}
