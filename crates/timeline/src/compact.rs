//! Compaction: segments of one workspace and month are merged, without what was erased, and swapped in one transaction.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use tributary_core::error::Result;

use crate::Shared;
use crate::catalogue::{self, Tombstone};
use crate::live::LiveRows;
use crate::schema::{Decoder, Text};
use crate::segment::{Batches, Segment};
use crate::segment_writer::{Destination, SegmentWriter};
use crate::stored::Stored;
use crate::workspace::Workspace;

/// Each tier holds segments up to this many times larger than the one below.
const TIER_FACTOR: u32 = 8;

impl Shared {
    /// Merges where a month has gathered many segments of one size.
    pub fn compact_by_size(&self) -> Result<()> {
        let _compacting = self.compacting.lock().expect("no holder of this lock panics");
        for workspace in self.all_workspaces() {
            for segments in by_month(&workspace.state().segments).into_values() {
                let mut tiers: BTreeMap<u32, Vec<Arc<Segment>>> = BTreeMap::new();
                for segment in segments.into_iter().filter(|segment| self.is_small(segment)) {
                    tiers.entry((segment.rows().max(1) as u32).ilog(TIER_FACTOR)).or_default().push(segment);
                }
                for tier in tiers.into_values().filter(|tier| tier.len() >= self.options.compact_fan_in) {
                    self.merge(&workspace, &tier)?;
                }
            }
        }
        Ok(())
    }

    /// Merges whatever can be, and rewrites whatever holds something erased.
    pub fn compact_everything(&self) -> Result<()> {
        self.rewrite(|segment| self.is_small(segment))
    }

    /// Takes erased events off the disk, where there are any.
    pub fn rewrite_erased(&self) -> Result<()> {
        let is_needed = self.all_workspaces().iter().any(|workspace| !workspace.state().tombstones.is_empty());
        if is_needed { self.rewrite(|_| false) } else { Ok(()) }
    }

    /// Merges, month by month, the segments that hold something erased and those that are worth it otherwise.
    fn rewrite(&self, is_worth_it: impl Fn(&Segment) -> bool) -> Result<()> {
        let _compacting = self.compacting.lock().expect("no holder of this lock panics");
        for workspace in self.all_workspaces() {
            let state = workspace.state();
            let is_stale = |segment: &Arc<Segment>| state.tombstones.iter().any(|tombstone| segment.is_pending(tombstone));
            for segments in by_month(&state.segments).into_values() {
                let worth: Vec<Arc<Segment>> =
                    segments.into_iter().filter(|segment| is_worth_it(segment) || is_stale(segment)).collect();
                if worth.len() > 1 || worth.iter().any(is_stale) {
                    self.merge(&workspace, &worth)?;
                }
            }
            self.drop_spent_tombstones(&workspace)?;
        }
        self.log.run(|connection, _| catalogue::checkpoint(connection))
    }

    /// Whether merging it with others makes a larger one.
    fn is_small(&self, segment: &Segment) -> bool {
        segment.rows() <= self.options.segment_rows / 2 && segment.record.data.bytes < self.options.segment_text_bytes as u64 / 4
    }

    fn merge(&self, workspace: &Arc<Workspace>, old: &[Arc<Segment>]) -> Result<()> {
        let Some(first) = old.first() else { return Ok(()) };
        let tombstones = workspace.state().tombstones;
        let to = Destination {
            root: self.root.clone(),
            workspace: workspace.id,
            month: first.record.month,
            applied_tombstone: tombstones.last().map_or(0, |tombstone| tombstone.id),
        };
        let mut sources = Vec::new();
        for segment in old {
            sources.push(Source::open(segment, &tombstones)?);
        }
        let edges = self.slice_edges(&sources)?;
        let mut writers: Vec<SegmentWriter<'_>> =
            (0..=edges.len()).map(|_| SegmentWriter::new(&self.options, &self.next_segment, to.clone())).collect();
        while let Some(at) = smallest(&sources)? {
            let row = sources[at].take(&self.hashes)?;
            let slice = edges.partition_point(|edge| *edge <= row.event.time_us);
            writers[slice].push(Arc::new(row))?;
        }
        let mut records = Vec::new();
        for writer in writers {
            records.extend(writer.finish()?);
        }
        let new = self.open_segments(&records);
        let (workspace, old) = (workspace.clone(), old.to_vec());
        let next_segment = self.next_segment();
        self.log.run(move |connection, _| {
            let transaction = connection.transaction().map_err(|error| catalogue::failed("beginning a transaction in", error))?;
            for segment in &old {
                catalogue::unlist_segment(&transaction, segment.record.id)?;
            }
            for record in &records {
                catalogue::list_segment(&transaction, record)?;
            }
            catalogue::set_next_segment(&transaction, next_segment)?;
            transaction.commit().map_err(|error| catalogue::failed("committing to", error))?;
            workspace.change(|state| state.compacted(&old, new));
            old.iter().for_each(|segment| segment.retire());
            Ok(())
        })
    }

    /// Instants between the slices of time that the merged segments will hold, so that none passes its bound.
    fn slice_edges(&self, sources: &[Source<'_>]) -> Result<Vec<i64>> {
        let rows: u64 = sources.iter().map(Source::live_rows).sum();
        let slices = (rows as usize).div_ceil(self.options.segment_rows);
        if slices <= 1 {
            return Ok(Vec::new());
        }
        let mut times = Vec::with_capacity(rows as usize);
        for source in sources {
            for (at, chunk) in source.segment.chunks()?.iter().enumerate() {
                let column = source.segment.column(&crate::column::ColumnId::Time, at)?;
                let live = (0..chunk.rows).filter(|row| source.is_live(chunk.first_row + row));
                times.extend(live.map(|row| column.times().at(row)));
            }
        }
        times.sort_unstable();
        let size = times.len().div_ceil(slices);
        let mut edges: Vec<i64> = (1..slices).filter_map(|slice| times.get(slice * size)).copied().collect();
        edges.dedup();
        Ok(edges)
    }

    fn drop_spent_tombstones(&self, workspace: &Arc<Workspace>) -> Result<()> {
        let spent = workspace.state().spent_tombstones();
        if spent.is_empty() {
            return Ok(());
        }
        let workspace = workspace.clone();
        self.log.run(move |connection, _| {
            let transaction = connection.transaction().map_err(|error| catalogue::failed("beginning a transaction in", error))?;
            for id in &spent {
                catalogue::unbury(&transaction, *id)?;
            }
            transaction.commit().map_err(|error| catalogue::failed("committing to", error))?;
            workspace.change(|state| state.unbury(&spent));
            Ok(())
        })
    }
}

fn by_month(segments: &[Arc<Segment>]) -> BTreeMap<i32, Vec<Arc<Segment>>> {
    let mut months: BTreeMap<i32, Vec<Arc<Segment>>> = BTreeMap::new();
    for segment in segments {
        months.entry(segment.record.month).or_default().push(segment.clone());
    }
    months
}

/// A segment being read from start to end.
struct Source<'a> {
    segment: &'a Segment,
    live: Option<Arc<LiveRows>>,
    batches: Batches,
    batch: Option<Decoder>,
    /// Row inside the batch, and of the batch inside the segment.
    row: usize,
    batch_start: usize,
}

impl<'a> Source<'a> {
    fn open(segment: &'a Segment, tombstones: &[Tombstone]) -> Result<Self> {
        let live = segment.live(tombstones)?;
        let mut source = Self { segment, live, batches: segment.batches()?, batch: None, row: 0, batch_start: 0 };
        source.settle()?;
        Ok(source)
    }

    fn live_rows(&self) -> u64 {
        self.live.as_ref().map_or(self.segment.record.rows, |live| live.events)
    }

    fn is_live(&self, row: usize) -> bool {
        self.live.as_ref().is_none_or(|live| live.alive[row])
    }

    /// The row at hand; it must exist.
    fn take(&mut self, hashes: &crate::stored::Hashes) -> Result<Stored> {
        let batch = self.batch.as_ref().expect("only a source with a row is the smallest");
        let stored = Stored { sequence: batch.sequence(self.row), ..hashes.prepare(batch.event(self.row)?) };
        self.row += 1;
        self.settle()?;
        Ok(stored)
    }

    /// Moves on to a live row, or to the end.
    fn settle(&mut self) -> Result<()> {
        loop {
            match &self.batch {
                Some(batch) if self.row < batch.rows() => {
                    if self.is_live(self.batch_start + self.row) {
                        return Ok(());
                    }
                    self.row += 1;
                }
                done => {
                    self.batch_start += done.as_ref().map_or(0, Decoder::rows);
                    self.row = 0;
                    self.batch = self.batches.next().transpose()?;
                    if self.batch.is_none() {
                        return Ok(());
                    }
                }
            }
        }
    }
}

/// The source whose row comes first in run order.
fn smallest(sources: &[Source<'_>]) -> Result<Option<usize>> {
    let mut best: Option<(usize, &Decoder, usize)> = None;
    for (at, source) in sources.iter().enumerate() {
        let Some(batch) = &source.batch else { continue };
        let is_smaller = match best {
            Some((_, other, row)) => compare((batch, source.row), (other, row))? == Ordering::Less,
            None => true,
        };
        if is_smaller {
            best = Some((at, batch, source.row));
        }
    }
    Ok(best.map(|(at, ..)| at))
}

/// [`Stored::run_order`] of rows that are not decoded; their content is only looked at when all else is equal.
fn compare((batch, row): (&Decoder, usize), (other, other_row): (&Decoder, usize)) -> Result<Ordering> {
    let order = batch
        .visitor_hash(row)
        .cmp(&other.visitor_hash(other_row))
        .then_with(|| batch.anonymous_id(row).cmp(other.anonymous_id(other_row)))
        .then_with(|| batch.time_us(row).cmp(&other.time_us(other_row)))
        .then_with(|| batch.text(Text::EventId, row).cmp(&other.text(Text::EventId, other_row)));
    if order != Ordering::Equal {
        return Ok(order);
    }
    let content = batch.event(row)?.content_hash().cmp(&other.event(other_row)?.content_hash());
    Ok(content.then_with(|| batch.sequence(row).cmp(&other.sequence(other_row))))
}
