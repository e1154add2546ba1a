//! One slice of time of a merge, written row group by row group.

use std::sync::Arc;

use tributary_core::error::Result;

use super::{Batch, Merging};
use crate::catalogue::SegmentRecord;
use crate::encode::Layout;
use crate::gather::{Gathered, gather};
use crate::segment_writer::{GROUP_TEXT_BYTES, SegmentWriter};

/// One slice of time being written.
pub(super) struct Slice<'a> {
    with: &'a Merging<'a>,
    layout: &'a Layout,
    current: Option<SegmentWriter>,
    text_bytes: usize,
    done: Vec<SegmentRecord>,
    /// The rows to come: a batch of `batches` and the row in it.
    order: Vec<(u32, u32)>,
    /// Text in them, roughly.
    order_bytes: usize,
    batches: Vec<Arc<Batch>>,
    /// Where in `batches` each source's newest is.
    places: Vec<usize>,
    /// Where visitors begin in `order`.
    begins: Vec<usize>,
    last_visitor: u64,
}

impl<'a> Slice<'a> {
    pub fn new(with: &'a Merging<'a>, layout: &'a Layout, sources: usize) -> Self {
        Self {
            with,
            layout,
            current: None,
            text_bytes: 0,
            done: Vec::new(),
            order: Vec::new(),
            order_bytes: 0,
            batches: Vec::new(),
            places: vec![0; sources],
            begins: Vec::new(),
            last_visitor: 0,
        }
    }

    /// Adds the next row. Row groups end as [`crate::segment_writer::group_end`] says.
    pub fn take(&mut self, source: usize, batch: &Arc<Batch>, row: u32, visitor: u64) -> Result<()> {
        let known = self.places[source];
        let place = match self.batches.get(known) {
            Some(last) if Arc::ptr_eq(last, batch) => known,
            _ => {
                self.batches.push(batch.clone());
                self.batches.len() - 1
            }
        };
        self.places[source] = place;
        let begins = self.last_visitor != visitor;
        if begins {
            self.last_visitor = visitor;
            self.begins.push(self.order.len());
        }
        self.order.push((place as u32, row));
        let (most, rows) = (self.with.options.segment_rows.max(1), self.order.len());
        let target = self.with.options.row_group_rows.clamp(1, most);
        self.order_bytes += batch.row_bytes;
        if self.order_bytes > GROUP_TEXT_BYTES {
            return self.write(rows);
        }
        if rows <= target {
            return Ok(());
        }
        let within = self.begins.partition_point(|begin| *begin <= target);
        match within.checked_sub(1).map(|last| self.begins[last]) {
            Some(end) if end > 0 => self.write(end),
            _ if begins => self.write(rows - 1),
            _ if rows >= (2 * target).min(most) => self.write(rows),
            _ => Ok(()),
        }
    }

    /// Writes the first rows as a row group.
    fn write(&mut self, rows: usize) -> Result<()> {
        let gathered = gather(&self.batches, &self.order[..rows], self.layout, self.with.hashes)?;
        self.put(gathered)?;
        self.order.drain(..rows);
        self.begins.retain(|begin| *begin >= rows);
        self.begins.iter_mut().for_each(|begin| *begin -= rows);
        // Batches nobody needs any more go.
        let mut place_of = vec![None; self.batches.len()];
        let mut kept = Vec::new();
        for (batch, _) in &mut self.order {
            let place = place_of[*batch as usize].get_or_insert_with(|| {
                kept.push(self.batches[*batch as usize].clone());
                kept.len() as u32 - 1
            });
            *batch = *place;
        }
        self.batches = kept;
        self.places.fill(usize::MAX);
        self.order_bytes = self.order.iter().map(|(batch, _)| self.batches[*batch as usize].row_bytes).sum();
        Ok(())
    }

    fn put(&mut self, gathered: Gathered) -> Result<()> {
        let options = self.with.options;
        let rows = gathered.batch.num_rows() as u64;
        let is_full = self.current.as_ref().is_some_and(|current| {
            current.record.rows + rows > options.segment_rows as u64 || self.text_bytes >= options.segment_text_bytes
        });
        if is_full {
            self.roll()?;
        }
        let writer = match &mut self.current {
            Some(writer) => writer,
            vacant => vacant.insert(SegmentWriter::begin(self.with.next_id, &self.with.to, self.layout.schema())?),
        };
        self.text_bytes += gathered.text_bytes;
        writer.record.cover_all(&gathered.bounds);
        gathered.keys.into_iter().for_each(|key| writer.add_key(key));
        writer.write(&gathered.batch)?;
        writer.end_group()
    }

    fn roll(&mut self) -> Result<()> {
        if let Some(writer) = self.current.take() {
            self.text_bytes = 0;
            self.done.push(writer.finish(&self.with.to.root)?);
        }
        Ok(())
    }

    pub fn finish(mut self) -> Result<Vec<SegmentRecord>> {
        if !self.order.is_empty() {
            self.write(self.order.len())?;
        }
        self.roll()?;
        Ok(self.done)
    }
}
