//! One pass over a question's rows, in partitions by visitor hash, each visitor's rows brought together from all runs.

mod parallel;
mod pieces;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tributary_core::error::Result;
use tributary_core::time::TimeRange;
use tributary_events::field::Field;
use tributary_events::filter::{Filter, Test};
use tributary_events::question::{Bots, Slice};

use super::limits::Limits;
use super::persons::Persons;
pub(crate) use super::piece::{BYTE_CODES, Piece, Row, Stretch, Visit, count, each_kept, is_any_kept};
use super::reads::{Read, Reads};
use super::scratch::{Cursor, RunStart, Scratch, member};
use super::tags::{TagFilters, Tags};
use super::traits::TraitColumns;
use crate::cache::ColumnSet;
use crate::column::{Column, ColumnId, Dictionary, Visitors};
use crate::live::LiveRows;
use crate::run::{Chunk, Run};
use crate::segment::Segment;
use crate::turns::Turns;
use crate::workspace::View;
pub(crate) use parallel::Help;

/// Rows of one partition, roughly: scratch then stays in the processor's cache.
const PARTITION_ROWS: usize = 32_768;
/// The most partitions; beyond it they grow.
const MAX_PARTITIONS: usize = 1 << 16;
/// Chunks of columns that are fetched from the disk while others are decoded.
const FETCHED_AHEAD: usize = 16;
/// Up to this many runs the next visitor is found by looking at all; beyond it a heap finds it.
const LOOKED_AT: usize = 24;

/// A question's slice over a view.
pub(crate) struct Scan<'a> {
    pub sources: Vec<Source>,
    pub limits: &'a Limits,
    pub reads: Reads,
    slice_filters: Vec<Filter>,
    filters: TagFilters,
    /// Known once prepared.
    mask: Option<Tags<u8>>,
    persons: Option<Arc<Persons>>,
    traits: TraitColumns,
    engine: Engine<'a>,
}

/// What a question computes with.
#[derive(Clone, Copy)]
pub(crate) struct Engine<'a> {
    pub turns: &'a Turns,
    pub threads: usize,
    /// Whose turn it is.
    pub workspace: i64,
}

/// One run with what decides which of its rows are in the slice.
pub(crate) struct Source {
    pub run: Arc<Run>,
    pub chunks: Arc<[Chunk]>,
    pub bounds_us: (i64, i64),
    /// The declared columns, once prepared.
    sets: Vec<Arc<ColumnSet>>,
    /// `None` when every row is inside.
    range: Option<TimeRange>,
    as_of: Option<u64>,
    live: Option<Arc<LiveRows>>,
}

/// What a question does with rows and visitors. One instance per thread.
pub(crate) trait Fold: Send {
    /// Whether visitors matter; otherwise only [`Fold::rows`] is called.
    const VISITS: bool = true;

    /// Called for each piece of a partition in turn, before its visitors: the place to work on rows in a row. `mask` stands
    /// for the piece's rows. A piece that is handed over again, for the sake of people, must not be counted twice: `again`.
    fn rows(&mut self, _piece: &Piece, _mask: &[u8], _again: bool) -> Result<()> {
        Ok(())
    }

    /// Called for each visitor of the partition; visitors come once each, in no promised order.
    fn visit(&mut self, _visit: &Visit<'_>) -> Result<()> {
        Ok(())
    }

    /// Called between partitions: the place to check bounds and to forget what was kept for the rows of this one.
    fn end_of_partition(&mut self) -> Result<()> {
        Ok(())
    }
}

impl Source {
    pub fn dictionary(&self, read: Read) -> &Dictionary {
        &self.sets[read.0].dictionary
    }

    pub fn rows(&self) -> usize {
        self.run.rows()
    }

    /// Between which instants rows of the range may lie.
    pub fn bounds_inside(&self) -> (i64, i64) {
        let (first_us, last_us) = self.bounds_us;
        self.range.map_or(self.bounds_us, |range| (first_us.max(range.start_us), last_us.min(range.end_us.saturating_sub(1))))
    }

    /// Clears the mask of rows outside the range, erased, or past the watermark.
    fn narrow(&self, chunk: usize, rows: &Range<usize>, mask: &mut [u8]) -> Result<()> {
        if let Some(range) = self.range {
            let times = self.run.column(&ColumnId::Time, chunk)?;
            times.times().keep_inside(rows.start, mask, range.start_us, range.end_us);
        }
        if let Some(live) = &self.live {
            let first = self.chunks[chunk].first_row + rows.start;
            for (kept, alive) in mask.iter_mut().zip(&live.alive[first..]) {
                *kept &= u8::from(*alive);
            }
        }
        if let Some(as_of) = self.as_of {
            let sequences = self.run.column(&ColumnId::Sequence, chunk)?;
            for (kept, sequence) in mask.iter_mut().zip(&sequences.unsigned()[rows.start..]) {
                *kept &= u8::from(*sequence <= as_of);
            }
        }
        Ok(())
    }

    /// The same for rows that do not follow each other.
    fn narrow_picked(&self, chunk: usize, rows: &[u32], mask: &mut [u8]) -> Result<()> {
        let mut keep = |is_kept: &dyn Fn(usize) -> bool| {
            mask.iter_mut().zip(rows).for_each(|(kept, row)| *kept &= u8::from(is_kept(*row as usize)));
        };
        if let Some(range) = self.range {
            let times = self.run.column(&ColumnId::Time, chunk)?;
            keep(&|row| range.contains(times.times().at(row)));
        }
        if let Some(live) = &self.live {
            let alive = &live.alive[self.chunks[chunk].first_row..];
            keep(&|row| alive[row]);
        }
        if let Some(as_of) = self.as_of {
            let sequences = self.run.column(&ColumnId::Sequence, chunk)?;
            keep(&|row| sequences.unsigned()[row] <= as_of);
        }
        Ok(())
    }
}

/// Opens the segments among some runs that were not opened yet, on several threads: their footers are fetched at once and take
/// long to parse. One that cannot be opened is told by whoever opens it next.
fn open_together<'r>(runs: impl Iterator<Item = &'r Run>, threads: usize, limits: &Limits) {
    let closed: Vec<&Segment> = runs
        .filter_map(|run| match run {
            Run::Segment(segment) if !segment.is_opened() => Some(&**segment),
            Run::Segment(_) | Run::Tail(_) => None,
        })
        .collect();
    closed.iter().for_each(|segment| segment.prefetch_footer());
    let next = AtomicUsize::new(0);
    let open = || {
        while let Some(segment) = closed.get(next.fetch_add(1, Ordering::Relaxed))
            && limits.check_time().is_ok()
        {
            drop(segment.chunks());
        }
    };
    std::thread::scope(|scope| {
        (1..threads.min(closed.len())).for_each(|_| drop(scope.spawn(open)));
        open();
    });
}

impl<'a> Scan<'a> {
    /// The runs of a view that may hold rows of the slice.
    pub fn over(view: &View, slice: &Slice, watermark: u64, limits: &'a Limits, engine: Engine<'a>) -> Result<Self> {
        let mut filters = slice.filters.clone();
        match slice.bots {
            Bots::Exclude => filters.push(Filter { field: Field::Bot, test: Test::Absent }),
            Bots::Only => filters.push(Filter { field: Field::Bot, test: Test::Present }),
            Bots::Include => {}
        }
        let mut reads = Reads::default();
        let tags = TagFilters::plan([filters.as_slice()], &mut reads);
        let range = TimeRange { start_us: slice.range.start_us.max(view.horizon_us), ..slice.range };
        let mut sources = Vec::new();
        let has_none = |run: &Run| {
            let (first_us, last_us) = run.bounds_us();
            run.rows() == 0 || last_us < range.start_us || first_us >= range.end_us
        };
        let inside = || view.runs.iter().filter(|run| !has_none(run));
        open_together(inside().map(|run| &**run), engine.threads, limits);
        for run in inside() {
            limits.check_time()?;
            let (first_us, last_us) = run.bounds_us();
            let live = run.live(&view.tombstones)?;
            if live.as_ref().is_some_and(|live| live.events == 0) {
                continue;
            }
            let is_inside = range.contains(first_us) && range.contains(last_us);
            sources.push(Source {
                chunks: run.chunks()?,
                bounds_us: (first_us, last_us),
                sets: Vec::new(),
                range: (!is_inside).then_some(range),
                as_of: (run.last_sequence() > watermark).then_some(watermark),
                live,
                run: run.clone(),
            });
        }
        // Stretches of a visitor then mostly follow each other in time.
        sources.sort_by_key(|source| source.bounds_us);
        let persons = slice.people.as_ref().map(|people| view.persons(people));
        let traits = view.traits(&slice.traits);
        Ok(Self { sources, limits, reads, slice_filters: filters, filters: tags, mask: None, persons, traits, engine })
    }

    /// Decodes what was declared and is not at hand, on all threads, and completes the dictionaries. Nothing may be declared
    /// afterwards.
    pub fn prepare(&mut self, visits: bool) -> Result<()> {
        let all = 0..self.sources.len();
        self.prepare_sources(all, visits)
    }

    /// The same for some sources only; the others cannot be looked at.
    pub fn prepare_sources(&mut self, sources: Range<usize>, visits: bool) -> Result<()> {
        let mut missing: Vec<(usize, Arc<ColumnSet>, usize)> = Vec::new();
        for at in sources {
            let source = &mut self.sources[at];
            source.sets = self.reads.ids().iter().map(|id| self.traits.set(&source.run, id)).collect::<Result<_>>()?;
            let mut wanted = source.sets.clone();
            if visits {
                wanted.push(source.run.set(&ColumnId::Visitors)?);
            }
            if source.range.is_some() {
                wanted.push(source.run.set(&ColumnId::Time)?);
            }
            for set in wanted {
                let chunks = (0..source.chunks.len()).filter(|chunk| !set.has(*chunk) || !set.has_met(*chunk));
                missing.extend(chunks.map(|chunk| (at, set.clone(), chunk)));
            }
        }
        // Chunk by chunk rather than column by column: what lies together in the file is read together.
        missing.sort_by_key(|(source, _, chunk)| (*source, *chunk));
        // While one chunk is decoded the disk has something to do.
        let told = AtomicUsize::new(0);
        let decode = |at: usize| -> Result<()> {
            let soon = (at + FETCHED_AHEAD).min(missing.len());
            for (source, set, chunk) in missing.get(told.fetch_max(soon, Ordering::Relaxed)..soon).unwrap_or_default() {
                self.sources[*source].run.prefetch(&set.id, *chunk)?;
            }
            let (source, set, chunk) = &missing[at];
            self.load(*source, set, *chunk).map(drop)
        };
        self.in_parallel(missing.len(), Help::AtOnce, || Ok(()), |(), at| decode(at)).map(drop)?;
        self.mask = Some(self.filters.over(self)?);
        Ok(())
    }

    /// One chunk of a column of a source.
    fn load(&self, source: usize, set: &Arc<ColumnSet>, chunk: usize) -> Result<Column> {
        let run = &self.sources[source].run;
        if let ColumnId::Trait(name) = &set.id {
            self.traits.load(name, run, set, chunk, self.limits)
        } else {
            run.load(set, chunk)
        }
    }

    /// Something for each source, such as a table by code; empty for sources that were not prepared.
    pub fn per_source<T: Default>(&self, mut make: impl FnMut(&Source) -> T) -> Result<Vec<T>> {
        let mut made = Vec::with_capacity(self.sources.len());
        for source in &self.sources {
            self.limits.check_time()?;
            made.push(if source.sets.is_empty() && !self.reads.ids().is_empty() { T::default() } else { make(source) });
        }
        Ok(made)
    }

    /// The id of a visitor that has rows in the piece's chunk.
    pub fn visitor_id(&self, piece: &Piece, visitor: u64) -> Result<String> {
        let run = &self.sources[piece.source].run;
        let visitors = run.column(&ColumnId::Visitors, piece.chunk)?;
        let ids = run.column(&ColumnId::VisitorIds, piece.chunk)?;
        let at = visitors.visitors().hashes.binary_search(&visitor);
        Ok(at.map(|at| ids.ids().get(at).to_owned()).unwrap_or_default())
    }

    /// Hands every row, and every visitor if the fold wants visitors, to one of the folds, which are returned.
    pub fn fold<F: Fold>(&self, begin: impl Fn() -> Result<F>) -> Result<Vec<F>> {
        if F::VISITS { self.fold_visitors(begin) } else { self.fold_rows(begin) }
    }

    fn fold_rows<F: Fold>(&self, begin: impl Fn() -> Result<F>) -> Result<Vec<F>> {
        let tasks: Vec<(usize, usize, Range<usize>)> =
            (0..self.sources.len()).flat_map(|source| self.stretches_of(source)).collect();
        let begin = || Ok((begin()?, Vec::new()));
        let folds = self.in_parallel(tasks.len(), Help::IfLong, begin, |(fold, mask): &mut (F, Vec<u8>), at| {
            let (source, chunk, rows) = tasks[at].clone();
            mask.clear();
            let piece = self.piece(source, chunk, rows, 0, mask)?;
            fold.rows(&piece, mask, false)?;
            fold.end_of_partition()
        })?;
        Ok(folds.into_iter().map(|(fold, _)| fold).collect())
    }

    /// A source's chunks as a whole.
    pub fn chunks_of(&self, source: usize) -> impl Iterator<Item = (usize, usize, Range<usize>)> {
        self.sources[source].chunks.iter().enumerate().map(move |(chunk, facts)| (source, chunk, 0..facts.rows))
    }

    /// A source's chunks, cut into stretches of a size that stays in the processor's cache.
    pub fn stretches_of(&self, source: usize) -> impl Iterator<Item = (usize, usize, Range<usize>)> {
        self.sources[source].chunks.iter().enumerate().flat_map(move |(chunk, facts)| {
            let rows = facts.rows;
            (0..rows).step_by(PARTITION_ROWS).map(move |start| (source, chunk, start..(start + PARTITION_ROWS).min(rows)))
        })
    }

    fn fold_visitors<F: Fold>(&self, begin: impl Fn() -> Result<F>) -> Result<Vec<F>> {
        let rows: usize = self.sources.iter().map(Source::rows).sum();
        let partitions = (rows / PARTITION_ROWS).clamp(1, MAX_PARTITIONS);
        let begin = || Ok((begin()?, Scratch::default()));
        let folded = self.in_parallel(partitions, Help::IfLong, begin, |(fold, scratch), at| {
            let edge = |at: usize| ((at as u128) << 64) / partitions as u128;
            self.fold_partition(edge(at)..edge(at + 1), fold, scratch)?;
            fold.end_of_partition()
        })?;
        let (mut folds, mut members) = (Vec::with_capacity(folded.len()), Vec::new());
        for (fold, scratch) in folded {
            folds.push(fold);
            members.extend(scratch.members);
        }
        if members.is_empty() { Ok(folds) } else { self.fold_persons(folds, members) }
    }

    fn fold_partition<F: Fold>(&self, hashes: Range<u128>, fold: &mut F, scratch: &mut Scratch) -> Result<()> {
        scratch.clear();
        let last_hash = (hashes.end - 1) as u64;
        let first_hash = hashes.start as u64;
        for (at, source) in self.sources.iter().enumerate() {
            let first_run = scratch.runs.len();
            let first_chunk = source.chunks.partition_point(|chunk| chunk.last_hash < first_hash);
            for (chunk, _) in
                source.chunks.iter().enumerate().skip(first_chunk).take_while(|(_, chunk)| chunk.first_hash <= last_hash)
            {
                let visitors = source.run.column(&ColumnId::Visitors, chunk)?;
                let visitors: &Visitors = visitors.visitors();
                let first = visitors.position(first_hash);
                let end = last_hash.checked_add(1).map_or(visitors.len(), |after| visitors.position(after));
                if first == end {
                    continue;
                }
                let rows = visitors.starts[first] as usize..visitors.starts[end] as usize;
                let base = scratch.mask.len();
                let mut piece = self.piece(at, chunk, rows.clone(), base, &mut scratch.mask)?;
                piece.thin_out(&mut scratch.mask);
                fold.rows(&piece, &scratch.mask[base..], false)?;
                let number = scratch.pieces.len() as u32;
                match &piece.picked {
                    None => {
                        let starts = visitors.hashes[first..end].iter().zip(&visitors.starts[first..end]);
                        let place = |start: u32| (start as usize - rows.start + base) as u32;
                        let run = |(hash, start): (&u64, &u32)| RunStart { hash: *hash, start: place(*start), piece: number };
                        scratch.runs.extend(starts.map(run));
                    }
                    Some(picked) => {
                        // Only visitors with a row.
                        let (mut visitor, mut place) = (first, 0);
                        while let Some(row) = picked.get(place) {
                            visitor += visitors.starts[visitor + 1..end].partition_point(|start| start <= row);
                            let start = (base + place) as u32;
                            scratch.runs.push(RunStart { hash: visitors.hashes[visitor], start, piece: number });
                            place += picked[place..].partition_point(|row| *row < visitors.starts[visitor + 1]);
                            visitor += 1;
                        }
                    }
                }
                scratch.pieces.push(piece);
            }
            if scratch.runs.len() > first_run {
                // The end of the source's rows closes its last run.
                scratch.runs.push(RunStart { hash: 0, start: scratch.mask.len() as u32, piece: u32::MAX });
                scratch.cursors.push(Cursor { next: first_run, end: scratch.runs.len() - 1 });
            }
        }
        self.visit_all(hashes, fold, scratch)
    }

    /// Merges the sources' visitors by hash.
    fn visit_all<F: Fold>(&self, hashes: Range<u128>, fold: &mut F, scratch: &mut Scratch) -> Result<()> {
        let Scratch { mask, pieces, runs, cursors, heads, stretches, members, .. } = scratch;
        let persons = self.persons.as_deref().map_or(&[][..], |persons| persons.inside(&hashes));
        let mut persons = persons.iter().peekable();
        let mut deliver = |hash: u64, stretches: &[Stretch]| -> Result<()> {
            while persons.next_if(|(known, _)| *known < hash).is_some() {}
            match persons.peek() {
                Some((known, person)) if *known == hash => {
                    members.extend(stretches.iter().map(|stretch| member(*person, &pieces[stretch.piece as usize], stretch)));
                    Ok(())
                }
                Some(_) | None => fold.visit(&Visit { stretches, pieces, mask }),
            }
        };
        let take = |cursor: &mut Cursor, hash: u64, stretches: &mut Vec<Stretch>| {
            // A visitor that fills more than a chunk stands in the next one too.
            while cursor.next < cursor.end && runs[cursor.next].hash == hash {
                let (run, after) = (runs[cursor.next], runs[cursor.next + 1]);
                stretches.push(Stretch { hash, piece: run.piece, start: run.start, end: after.start });
                cursor.next += 1;
            }
        };
        if cursors.len() <= LOOKED_AT {
            heads.clear();
            heads.extend(cursors.iter().map(|cursor| runs[cursor.next].hash));
            let mut open = cursors.len();
            let mut hash = heads.iter().copied().min().unwrap_or(u64::MAX);
            while open > 0 {
                stretches.clear();
                let mut next = u64::MAX;
                for (head, cursor) in heads.iter_mut().zip(cursors.iter_mut()) {
                    if *head == hash && cursor.next < cursor.end {
                        take(cursor, hash, stretches);
                        let is_open = cursor.next < cursor.end;
                        *head = if is_open { runs[cursor.next].hash } else { u64::MAX };
                        open -= usize::from(!is_open);
                    }
                    next = next.min(*head);
                }
                deliver(hash, stretches)?;
                hash = next;
            }
            return Ok(());
        }
        let mut heap: BinaryHeap<Reverse<(u64, usize)>> =
            cursors.iter().enumerate().map(|(at, cursor)| Reverse((runs[cursor.next].hash, at))).collect();
        while let Some(Reverse((hash, _))) = heap.peek().copied() {
            stretches.clear();
            while heap.peek().is_some_and(|Reverse((next, _))| *next == hash) {
                let Some(Reverse((_, at))) = heap.pop() else { break };
                take(&mut cursors[at], hash, stretches);
                if cursors[at].next < cursors[at].end {
                    heap.push(Reverse((runs[cursors[at].next].hash, at)));
                }
            }
            deliver(hash, stretches)?;
        }
        Ok(())
    }
}
