//! Segments merged column by column: the order of the rows is worked out from a few columns, then every column is gathered
//! in that order. No event is ever put together, but to decide between rows that are equal in visitor, time and id.
//!
//! Memory: of each source the row group at hand, and of each slice being written the rows of the row group to come with
//! the batches they lie in.

mod batch;
mod slice;

use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_schema::TimeUnit;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::hash::RandomState;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use tributary_core::error::Result;

use crate::catalogue::{SegmentRecord, Tombstone};
use crate::encode::{Layout, unit_of};
use crate::live::LiveRows;
use crate::options::Options;
use crate::parquet_file::{ParquetFile, instants_us};
use crate::properties::{PROPERTY, Tally, chosen_keys, count_keys};
use crate::schema::{RECEIVED, TEXTS, TIME, Text};
use crate::segment::Segment;
use crate::segment_writer::{Destination, sync_segments};
use crate::stored::Hashes;
pub(crate) use batch::Batch;
use slice::Slice;

/// Rows read at once where one column is looked through.
const SCAN_ROWS: usize = 65_536;
/// Steps of time among which the edges between slices are chosen.
const EDGE_STEPS: u64 = 1 << 16;

/// What a merge works with.
pub(crate) struct Merging<'a> {
    pub options: &'a Options,
    pub next_id: &'a AtomicU64,
    pub hashes: &'a Hashes,
    pub to: Destination,
}

/// Merges segments of one month into new ones, without what the tombstones cover. Where one cannot take all rows, each takes
/// a slice of time.
pub(crate) fn merge(with: &Merging<'_>, old: &[Arc<Segment>], tombstones: &[Tombstone]) -> Result<Vec<SegmentRecord>> {
    let mut sources = Vec::with_capacity(old.len());
    for segment in old {
        sources.push(Source::open(segment, tombstones)?);
    }
    let layout = layout(&sources)?;
    let edges = slice_edges(&sources, with.options.segment_rows)?;
    for source in &mut sources {
        source.plan(&layout);
        source.settle()?;
    }
    let mut slices: Vec<Slice<'_>> = (0..=edges.len()).map(|_| Slice::new(with, &layout, sources.len())).collect();
    let mut visitor = Visitor::default();
    let mut holders = Vec::new();
    while find_smallest(&sources, &mut holders) {
        visitor.become_of(&sources[holders[0]]);
        while !holders.is_empty() {
            let at = earliest(&sources, &holders)?;
            let source = &mut sources[holders[at]];
            // Alone, a source gives all its rows of the visitor without being compared again.
            let is_alone = holders.len() == 1;
            loop {
                let batch = source.batch.as_ref().expect("a holder has a row");
                let slice = edges.partition_point(|edge| *edge <= batch.times_us[source.row]);
                slices[slice].take(holders[at], batch, source.row as u32, visitor.number)?;
                source.row += 1;
                source.settle()?;
                if !source.stands_at(&visitor) {
                    holders.swap_remove(at);
                    break;
                }
                if !is_alone {
                    break;
                }
            }
        }
    }
    let mut records = Vec::new();
    for slice in slices {
        records.extend(slice.finish()?);
    }
    sync_segments(&records, &with.to.root)?;
    Ok(records)
}

/// The visitor whose rows are being merged.
#[derive(Default)]
struct Visitor {
    hash: u64,
    id: String,
    /// Grows from visitor to visitor.
    number: u64,
}

impl Visitor {
    fn become_of(&mut self, source: &Source<'_>) {
        if self.number == 0 || !source.stands_at(self) {
            let batch = source.batch.as_ref().expect("a holder has a row");
            self.hash = batch.hashes.value(source.row);
            self.id.clear();
            self.id.push_str(batch.id(source.row));
            self.number += 1;
        }
    }
}

/// Collects the sources that stand at the smallest visitor; none when all are at their end.
fn find_smallest(sources: &[Source<'_>], holders: &mut Vec<usize>) -> bool {
    holders.clear();
    let Some(hash) = sources.iter().filter_map(|source| source.head).min() else { return false };
    let mut smallest = "";
    for (at, source) in sources.iter().enumerate().filter(|(_, source)| source.head == Some(hash)) {
        let Some(batch) = &source.batch else { continue };
        let id = batch.id(source.row);
        if holders.is_empty() || id < smallest {
            holders.clear();
            smallest = id;
        }
        if id == smallest {
            holders.push(at);
        }
    }
    true
}

/// Which of the holders has the visitor's next row.
fn earliest(sources: &[Source<'_>], holders: &[usize]) -> Result<usize> {
    let mut best = 0;
    for at in 1..holders.len() {
        if compare(&sources[holders[at]], &sources[holders[best]])? == Ordering::Less {
            best = at;
        }
    }
    Ok(best)
}

/// [`crate::stored::Stored::run_order`] of rows of one visitor; their content is only looked at when all else is equal.
fn compare(source: &Source<'_>, other: &Source<'_>) -> Result<Ordering> {
    let (batch, row) = (source.batch.as_ref().expect("a holder has a row"), source.row);
    let (others, other_row) = (other.batch.as_ref().expect("a holder has a row"), other.row);
    let order = batch.times_us[row]
        .cmp(&others.times_us[other_row])
        .then_with(|| batch.whole_event_id(row).cmp(&others.whole_event_id(other_row)));
    if order != Ordering::Equal {
        return Ok(order);
    }
    let content = batch.content_hash(row)?.cmp(&others.content_hash(other_row)?);
    Ok(content.then_with(|| batch.sequences.value(row).cmp(&others.sequences.value(other_row))))
}

/// A segment being read from start to end.
struct Source<'a> {
    segment: &'a Segment,
    file: ParquetFile,
    live: Option<Arc<LiveRows>>,
    /// The columns to read as dictionaries, and the property columns to work out.
    texts: Vec<String>,
    derived: Vec<String>,
    /// Where each column of the output comes from.
    columns: Vec<Origin>,
    next_group: usize,
    batch: Option<Arc<Batch>>,
    row: usize,
    /// Visitor hash of the row at hand; `None` at the end.
    head: Option<u64>,
}

/// Where a text column of the output comes from.
#[derive(Clone, Copy)]
enum Origin {
    /// No row has a value.
    Absent,
    /// Among [`Source::texts`].
    Read(usize),
    /// Among [`Source::derived`].
    Derived(usize),
}

impl<'a> Source<'a> {
    fn open(segment: &'a Segment, tombstones: &[Tombstone]) -> Result<Self> {
        Ok(Self {
            segment,
            file: segment.file()?,
            live: segment.live(tombstones)?,
            texts: Vec::new(),
            derived: Vec::new(),
            columns: Vec::new(),
            next_group: 0,
            batch: None,
            row: 0,
            head: None,
        })
    }

    fn live_rows(&self) -> u64 {
        self.live.as_ref().map_or(self.segment.record.rows, |live| live.events)
    }

    fn is_live(&self, row: usize) -> bool {
        self.live.as_ref().is_none_or(|live| live.alive[row])
    }

    /// Decides what to read for an output.
    fn plan(&mut self, layout: &Layout) {
        let mut texts = Vec::new();
        let mut origins = Vec::new();
        let mut read = |name: &str| {
            texts.push(name.to_owned());
            Origin::Read(texts.len() - 1)
        };
        for column in TEXTS {
            let is_here = column.text != Text::EventId && !self.file.is_absent(column.name);
            origins.push(if is_here { read(column.name) } else { Origin::Absent });
        }
        let has_properties = !self.file.is_absent(Text::Properties.name());
        for key in &layout.properties {
            let name = format!("{PROPERTY}{key}");
            origins.push(if self.file.has(&name) {
                if self.file.is_absent(&name) { Origin::Absent } else { read(&name) }
            } else if has_properties {
                self.derived.push(key.clone());
                Origin::Derived(self.derived.len() - 1)
            } else {
                Origin::Absent
            });
        }
        (self.texts, self.columns) = (texts, origins);
    }

    /// Moves on to a live row, or to the end.
    fn settle(&mut self) -> Result<()> {
        loop {
            match &self.batch {
                Some(batch) if self.row < batch.rows() => {
                    if self.is_live(batch.first_row + self.row) {
                        self.head = Some(batch.hashes.value(self.row));
                        return Ok(());
                    }
                    self.row += 1;
                }
                _ if self.next_group < self.file.row_groups() => {
                    self.batch = Some(Arc::new(Batch::load(self, self.next_group)?));
                    self.row = 0;
                    self.next_group += 1;
                }
                _ => {
                    (self.batch, self.head) = (None, None);
                    return Ok(());
                }
            }
        }
    }

    fn stands_at(&self, visitor: &Visitor) -> bool {
        self.head == Some(visitor.hash) && self.batch.as_ref().is_some_and(|batch| batch.id(self.row) == visitor.id)
    }
}

/// What the output looks like: as fine in time as its finest row, with columns for the properties frequent in all of it.
fn layout(sources: &[Source<'_>]) -> Result<Layout> {
    let unit = |name: &'static str| -> Result<TimeUnit> {
        for source in sources.iter().filter(|source| !source.file.is_in_milliseconds(name)) {
            let mut row = 0;
            for batch in source.file.read(&[name], 0..source.file.row_groups(), None, SCAN_ROWS, false)? {
                let batch = batch?;
                let instants = instants_us(batch.column(0));
                let live = instants.iter().enumerate().filter(|(at, _)| source.is_live(row + at)).map(|(_, instant)| *instant);
                if unit_of(live) == TimeUnit::Microsecond {
                    return Ok(TimeUnit::Microsecond);
                }
                row += instants.len();
            }
        }
        Ok(TimeUnit::Millisecond)
    };
    Ok(Layout { time: unit(TIME)?, received: unit(RECEIVED)?, properties: property_keys(sources)? })
}

/// The property columns of the output. A source's own columns tell what is frequent in it; one of a format without such
/// columns is looked through.
fn property_keys(sources: &[Source<'_>]) -> Result<Vec<String>> {
    let mut tallies: HashMap<String, Tally> = HashMap::new();
    let hasher = RandomState::new();
    for source in sources {
        let file = &source.file;
        if file.has_property_columns() {
            for name in file.columns().iter().filter(|name| name.starts_with(PROPERTY)) {
                let values: u64 = (0..file.row_groups())
                    .filter_map(|group| {
                        let nulls = file.chunk(name, group)?.nulls()?;
                        Some((file.group_rows(group).len() as u64).saturating_sub(nulls))
                    })
                    .sum();
                tallies.entry(name[PROPERTY.len()..].to_owned()).or_default().grow(values);
            }
        } else if !file.is_absent(Text::Properties.name()) {
            for batch in file.read(&[Text::Properties.name()], 0..file.row_groups(), None, SCAN_ROWS, true)? {
                let batch = batch?;
                let texts = batch.column(0).as_dictionary::<Int32Type>();
                count_keys(texts, texts.values().as_string::<i32>(), &mut tallies, &hasher);
            }
        }
    }
    Ok(chosen_keys(tallies, sources.iter().map(|source| source.segment.record.rows).sum()))
}

/// Instants between the slices of time that the merged segments will hold, so that none passes its bound.
fn slice_edges(sources: &[Source<'_>], segment_rows: usize) -> Result<Vec<i64>> {
    let (rows, most): (u64, u64) = (sources.iter().map(Source::live_rows).sum(), segment_rows.max(1) as u64);
    if rows <= most {
        return Ok(Vec::new());
    }
    let first = sources.iter().map(|source| source.segment.record.first_us).min().unwrap_or_default();
    let last = sources.iter().map(|source| source.segment.record.last_us).max().unwrap_or_default();
    // Of a month; the subtraction cannot overflow.
    let step = ((last - first) as u64 / EDGE_STEPS + 1) as i64;
    let mut counts = vec![0u64; EDGE_STEPS as usize];
    for source in sources {
        let mut row = 0;
        for batch in source.file.read(&[TIME], 0..source.file.row_groups(), None, SCAN_ROWS, false)? {
            for time in instants_us(batch?.column(0)).iter() {
                if source.is_live(row) {
                    counts[((time - first) / step) as usize] += 1;
                }
                row += 1;
            }
        }
    }
    let size = rows.div_ceil(rows.div_ceil(most));
    let (mut edges, mut filled) = (Vec::new(), 0);
    for (at, count) in counts.into_iter().enumerate() {
        if filled > 0 && (filled >= size || filled + count > most) {
            edges.push(first + at as i64 * step);
            filled = 0;
        }
        filled += count;
    }
    Ok(edges)
}
