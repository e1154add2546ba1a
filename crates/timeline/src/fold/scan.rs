//! One pass over every visitor: partitions by hash, the slice's rows, each visitor's rows in event order.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use tributary_core::error::Result;
use tributary_core::time::TimeRange;
use tributary_events::field::Field;
use tributary_events::filter::{Filter, Test};
use tributary_events::question::{Bots, Slice};

use super::Limits;
use super::field;
use super::mask::Mask;
use crate::column::{ColumnId, TextColumn, Visitors};
use crate::live::LiveRows;
use crate::run::{Run, unsigned};
use crate::schema::Text;
use crate::workspace::View;

/// Rows of one partition, roughly: scratch then stays in the processor's cache.
const PARTITION_ROWS: usize = 32_768;
/// The most partitions; beyond it they grow.
const MAX_PARTITIONS: usize = 4_096;

/// A row of the slice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    /// Event time, microseconds.
    pub time_us: i64,
    /// Which run.
    pub run: u32,
    /// Row inside the run.
    pub row: u32,
}

/// A visitor as the scan hands it over: its id and its rows of the slice, at least one.
pub(crate) struct Visit<'a> {
    pub anonymous_id: &'a str,
    pub rows: &'a [Row],
}

/// What a question does with each visitor. One instance per thread; visitors come once each, in no promised order.
pub(crate) trait Fold: Send {
    fn visit(&mut self, visit: &Visit<'_>) -> Result<()>;

    /// Called between partitions: the place to check bounds.
    fn check(&self) -> Result<()> {
        Ok(())
    }
}

/// Whether a fold wants each visitor's rows in event order.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sequence {
    /// In [`tributary_core::event::Event::order`].
    Ordered,
    /// By time; which of two events of one instant comes first does not matter to the fold.
    ByTime,
    /// As they come: cheaper.
    Any,
}

/// A question's slice over a view.
pub(crate) struct Scan<'a> {
    pub sources: Vec<Source>,
    pub limits: &'a Limits,
    threads: usize,
}

/// One run with what decides which of its rows are in the slice.
pub(crate) struct Source {
    pub run: Arc<Run>,
    pub visitors: Arc<Visitors>,
    pub times: Arc<Vec<i64>>,
    /// `None` when every row is inside.
    range: Option<TimeRange>,
    as_of: Option<(Arc<Vec<u64>>, u64)>,
    live: Option<Arc<LiveRows>>,
    mask: Mask,
    ties: OnceLock<Ties>,
}

struct Ties {
    event_ids: Arc<TextColumn>,
    /// Only where ids do not decide either.
    contents: OnceLock<Contents>,
}

struct Contents {
    hashes: Arc<Vec<u64>>,
    sequences: Arc<Vec<u64>>,
}

impl<'a> Scan<'a> {
    pub fn over(view: &View, slice: &Slice, watermark: u64, limits: &'a Limits, threads: usize) -> Result<Self> {
        let mut filters = slice.filters.clone();
        match slice.bots {
            Bots::Exclude => filters.push(Filter { field: Field::Bot, test: Test::Absent }),
            Bots::Only => filters.push(Filter { field: Field::Bot, test: Test::Present }),
            Bots::Include => {}
        }
        let mut sources = Vec::new();
        for run in &view.runs {
            limits.check_time()?;
            let (first_us, last_us) = run.bounds_us();
            if run.rows() == 0 || last_us < slice.range.start_us || first_us >= slice.range.end_us {
                continue;
            }
            let live = run.live(&view.tombstones)?;
            if live.as_ref().is_some_and(|live| live.events == 0) {
                continue;
            }
            let is_inside = slice.range.contains(first_us) && slice.range.contains(last_us);
            let as_of = if run.last_sequence() > watermark { Some((run.sequences()?, watermark)) } else { None };
            sources.push(Source {
                visitors: run.visitors()?,
                times: run.times()?,
                range: (!is_inside).then_some(slice.range),
                as_of,
                live,
                mask: Mask::over(run, &filters)?,
                ties: OnceLock::new(),
                run: run.clone(),
            });
        }
        Ok(Self { sources, limits, threads: threads.max(1) })
    }

    /// A list of filters over every source.
    pub fn masks(&self, filters: &[Filter]) -> Result<Vec<Mask>> {
        self.sources.iter().map(|source| Mask::over(&source.run, filters)).collect()
    }

    /// A field's column of every source.
    pub fn columns(&self, field: &Field) -> Result<Vec<Arc<TextColumn>>> {
        self.sources.iter().map(|source| field::column(&source.run, field)).collect()
    }

    /// A stored text column of every source.
    pub fn texts(&self, text: Text) -> Result<Vec<Arc<TextColumn>>> {
        self.sources.iter().map(|source| source.run.text(text)).collect()
    }

    /// Hands every visitor with rows in the slice to one of the folds, which are returned.
    pub fn fold<F: Fold>(&self, sequence: Sequence, begin: impl Fn() -> Result<F>) -> Result<Vec<F>> {
        let rows: usize = self.sources.iter().map(|source| source.times.len()).sum();
        let partitions = (rows / PARTITION_ROWS).clamp(1, MAX_PARTITIONS);
        let threads = self.threads.min(partitions);
        let next = AtomicUsize::new(0);
        let work = |mut fold: F| -> Result<F> {
            let mut scratch = Scratch::default();
            loop {
                let partition = next.fetch_add(1, Ordering::Relaxed);
                if partition >= partitions {
                    return Ok(fold);
                }
                let done = self.limits.check_time().and_then(|()| {
                    self.fold_partition(partition, partitions, sequence, &mut fold, &mut scratch)?;
                    fold.check()
                });
                if let Err(error) = done {
                    // The others need not go on.
                    next.store(partitions, Ordering::Relaxed);
                    return Err(error);
                }
            }
        };
        let mut folds = Vec::with_capacity(threads);
        for _ in 0..threads {
            folds.push(begin()?);
        }
        if threads == 1 {
            return folds.into_iter().map(work).collect();
        }
        std::thread::scope(|scope| {
            let running: Vec<_> = folds.into_iter().map(|fold| scope.spawn(|| work(fold))).collect();
            running
                .into_iter()
                .map(|thread| match thread.join() {
                    Ok(done) => done,
                    Err(panic) => std::panic::resume_unwind(panic),
                })
                .collect()
        })
    }

    fn fold_partition<F: Fold>(
        &self,
        partition: usize,
        partitions: usize,
        sequence: Sequence,
        fold: &mut F,
        scratch: &mut Scratch,
    ) -> Result<()> {
        let edge = |at: usize| ((at as u128) << 64) / partitions as u128;
        let (low, high) = (edge(partition), edge(partition + 1));
        scratch.cursors.clear();
        scratch.cursors.extend(self.sources.iter().map(|source| {
            let at = |edge: u128| source.visitors.hashes.partition_point(|hash| u128::from(*hash) < edge);
            let mut cursor = Cursor { hash: None, next: at(low), end: at(high) };
            cursor.look(&source.visitors);
            cursor
        }));
        // Hashes decide nearly always and lie side by side; ids are looked at only where hashes agree.
        while let Some(hash) = scratch.cursors.iter().filter_map(|cursor| cursor.hash).min() {
            scratch.holders.clear();
            for (at, cursor) in scratch.cursors.iter().enumerate().filter(|(_, cursor)| cursor.hash == Some(hash)) {
                let here = (at, cursor.next);
                match scratch.holders.first().map(|first| self.id(here).cmp(self.id(*first))) {
                    Some(std::cmp::Ordering::Greater) => {}
                    Some(std::cmp::Ordering::Equal) => scratch.holders.push(here),
                    Some(std::cmp::Ordering::Less) | None => {
                        scratch.holders.clear();
                        scratch.holders.push(here);
                    }
                }
            }
            let anonymous_id = self.id(scratch.holders[0]);
            scratch.rows.clear();
            for (at, visitor) in &scratch.holders {
                self.sources[*at].collect(*at, *visitor, &mut scratch.rows);
                scratch.cursors[*at].step(&self.sources[*at].visitors);
            }
            if scratch.rows.is_empty() {
                continue;
            }
            if scratch.holders.len() > 1 {
                match sequence {
                    Sequence::Ordered => self.order(&mut scratch.rows, |first, second| first.run == second.run)?,
                    Sequence::ByTime => scratch.rows.sort_unstable_by_key(|row| row.time_us),
                    Sequence::Any => {}
                }
            }
            fold.visit(&Visit { anonymous_id, rows: &scratch.rows })?;
        }
        Ok(())
    }

    /// The id of a source's visitor by position.
    fn id(&self, (source, visitor): (usize, usize)) -> &str {
        self.sources[source].visitors.ids.get(visitor)
    }

    /// The rows one visitor has in the slice, in event order.
    pub fn visitor_rows(&self, hash: u64, anonymous_id: &str) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        for (at, source) in self.sources.iter().enumerate() {
            if let Some(visitor) = source.visitors.find(hash, anonymous_id) {
                source.collect(at, visitor, &mut rows);
            }
        }
        self.order(&mut rows, |first, second| first.run == second.run)?;
        Ok(rows)
    }

    /// Sorts rows of any visitors into event order.
    pub fn order_any(&self, rows: &mut [Row]) -> Result<()> {
        self.order(rows, |_, _| false)
    }

    /// Sorts by time; looks closer only at equal times of rows whose order their positions do not tell already.
    fn order(&self, rows: &mut [Row], is_told: impl Fn(&Row, &Row) -> bool) -> Result<()> {
        rows.sort_unstable_by_key(|row| (row.time_us, row.run, row.row));
        for stretch in rows.chunk_by_mut(|first, second| first.time_us == second.time_us) {
            if stretch.len() == 1 || stretch.windows(2).all(|pair| is_told(&pair[0], &pair[1])) {
                continue;
            }
            for row in stretch.iter() {
                self.sources[row.run as usize].load_event_ids()?;
            }
            stretch.sort_unstable_by_key(|row| (self.event_id(row), row.run, row.row));
            for equals in stretch.chunk_by_mut(|first, second| self.event_id(first) == self.event_id(second)) {
                if equals.len() == 1 || equals.windows(2).all(|pair| is_told(&pair[0], &pair[1])) {
                    continue;
                }
                for row in equals.iter() {
                    self.sources[row.run as usize].load_contents()?;
                }
                equals.sort_unstable_by_key(|row| self.content(row));
            }
        }
        Ok(())
    }

    fn event_id(&self, row: &Row) -> Option<&str> {
        self.sources[row.run as usize].ties.get().expect("loaded before the sort").event_ids.at(row.row as usize)
    }

    /// Content hash, then arrival.
    fn content(&self, row: &Row) -> (u64, u64) {
        let ties = self.sources[row.run as usize].ties.get().expect("loaded before the sort");
        let contents = ties.contents.get().expect("loaded before the sort");
        (contents.hashes[row.row as usize], contents.sequences[row.row as usize])
    }
}

impl Source {
    /// Adds a visitor's rows of the slice.
    fn collect(&self, at: usize, visitor: usize, rows: &mut Vec<Row>) {
        let (start, end) = (self.visitors.starts[visitor] as usize, self.visitors.starts[visitor + 1] as usize);
        for row in start..end {
            if self.holds(row) {
                rows.push(Row { time_us: self.times[row], run: at as u32, row: row as u32 });
            }
        }
    }

    #[inline]
    fn holds(&self, row: usize) -> bool {
        self.range.is_none_or(|range| range.contains(self.times[row]))
            && self.mask.holds(row)
            && self.live.as_ref().is_none_or(|live| live.alive[row])
            && self.as_of.as_ref().is_none_or(|(sequences, as_of)| sequences[row] <= *as_of)
    }

    // In both, another thread may have been faster; both read the same.

    fn load_event_ids(&self) -> Result<()> {
        if self.ties.get().is_none() {
            let _ = self.ties.set(Ties { event_ids: self.run.text(Text::EventId)?, contents: OnceLock::new() });
        }
        Ok(())
    }

    fn load_contents(&self) -> Result<()> {
        let ties = self.ties.get().expect("event ids come first");
        if ties.contents.get().is_none() {
            let hashes = unsigned(self.run.column(ColumnId::ContentHash)?);
            let _ = ties.contents.set(Contents { hashes, sequences: self.run.sequences()? });
        }
        Ok(())
    }
}

/// Where a source stands in a partition.
struct Cursor {
    /// Hash of the visitor that comes next; `None` at the end.
    hash: Option<u64>,
    next: usize,
    end: usize,
}

impl Cursor {
    fn look(&mut self, visitors: &Visitors) {
        self.hash = (self.next < self.end).then(|| visitors.hashes[self.next]);
    }

    fn step(&mut self, visitors: &Visitors) {
        self.next += 1;
        self.look(visitors);
    }
}

#[derive(Default)]
struct Scratch {
    cursors: Vec<Cursor>,
    holders: Vec<(usize, usize)>,
    rows: Vec<Row>,
}
