//! The events themselves. Runs are looked through in the order of their times, only as far as they matter; the scan finds which
//! rows, and only those are read whole.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;

use tributary_core::error::Result;
use tributary_core::event::Event;
use tributary_core::time::TimeRange;
use tributary_events::answer::RowsAnswer;
use tributary_events::question::{Journey, RowOrder, RowPosition, Rows, Slice};

use super::order::{Place, Timed};
use super::scan::{Help, Scan, count, each_kept, is_any_kept};
use crate::column::ColumnId;
use crate::run::Run;
use crate::stored::Hashes;

/// Rows beyond the limit that are gathered before they are cut.
const SLACK_ROWS: usize = 65_536;

/// A window is at most this many times longer than all before it.
const WINDOW_GROWTH: i128 = 8;
/// Where more than this part of a run's time would have to be looked through, filters pass over all of it faster.
const WINDOWED_SHARE: i64 = 32;
/// Chunks from which on events are read on several threads at once, even when their columns are at hand.
const MANY_CHUNKS: usize = 12;
/// Up to so many rows beyond the limit, all of one instant, are read whole and order themselves; to order more, columns are decoded.
const READ_TIES: usize = 1_024;
/// Chunks from which on a segment is looked through in windows: filters pass over fewer at once.
const WINDOWED_CHUNKS: usize = 8;

/// An event with its sequence number.
type Numbered = (u64, Event);

/// A run's time in windows that are looked through one after the other, until enough rows are found: what is asked for first often
/// lies in a small part of it.
struct Windows {
    order: RowOrder,
    first_us: i64,
    end_us: i64,
    done_us: i64,
    /// Rows in all of it, about.
    expected: u64,
}

impl Windows {
    /// Over all instants from the first to the last; `None` when no number holds their length.
    fn over(order: RowOrder, (first_us, last_us): (i64, i64), expected: u64) -> Option<Self> {
        let end_us = last_us.checked_add(1)?;
        end_us.checked_sub(first_us)?;
        Some(Self { order, first_us, end_us, done_us: 0, expected })
    }

    /// The next window, given how many rows are wanted of the run and how many the windows so far held: about as long as it takes
    /// to find the rest, or everything that is left.
    fn next(&mut self, wanted: u64, found: u64) -> Option<Window> {
        let length_us = self.end_us - self.first_us;
        if self.done_us >= length_us {
            return None;
        }
        let done_us = self.done_us;
        // In so much time there are so many rows; a little more than the rest, since they are not spread evenly.
        let (in_us, rows) = if done_us == 0 { (length_us, self.expected) } else { (done_us, found) };
        let left = i128::from(wanted.saturating_sub(found));
        let guess_us = i128::from(in_us) * (left + left / 4 + 1) / i128::from(rows.max(1));
        let most_us = if done_us == 0 { i128::from(length_us) } else { i128::from(done_us) * WINDOW_GROWTH };
        let next_us = i64::try_from(guess_us.clamp(1, most_us)).unwrap_or(i64::MAX);
        let is_rest = next_us > length_us / WINDOWED_SHARE;
        self.done_us = if is_rest { length_us } else { done_us.saturating_add(next_us).min(length_us) };
        let range = match self.order {
            RowOrder::NewestFirst => TimeRange { start_us: self.end_us - self.done_us, end_us: self.end_us - done_us },
            RowOrder::OldestFirst => TimeRange { start_us: self.first_us + done_us, end_us: self.first_us + self.done_us },
        };
        Some(Window { range, is_rest })
    }
}

/// A window of a run's time.
#[derive(Clone, Copy)]
struct Window {
    range: TimeRange,
    /// Whether it is all that is left.
    is_rest: bool,
}

impl Window {
    /// The first and the last instant.
    fn bounds_us(self) -> (i64, i64) {
        (self.range.start_us, self.range.end_us - 1)
    }
}

/// The slice with no more than the instants in which the rows asked for may lie.
pub(crate) fn slice_of(question: &Rows) -> Cow<'_, Slice> {
    let Some(after) = question.after else { return Cow::Borrowed(&question.slice) };
    let mut slice = question.slice.clone();
    match question.order {
        RowOrder::NewestFirst => slice.range.end_us = slice.range.end_us.min(after.time_us.saturating_add(1)),
        RowOrder::OldestFirst => slice.range.start_us = slice.range.start_us.max(after.time_us),
    }
    Cow::Owned(slice)
}

pub(crate) fn answer(scan: &mut Scan<'_>, question: &Rows) -> Result<RowsAnswer> {
    if let Some(only) = question.only {
        return single(scan, only);
    }
    match question.order {
        RowOrder::NewestFirst => scan.sources.sort_by_key(|source| std::cmp::Reverse(source.bounds_us.1)),
        RowOrder::OldestFirst => scan.sources.sort_by_key(|source| source.bounds_us.0),
    }
    let mut total = 0;
    let mut rows: Vec<Timed> = Vec::new();
    let mut ties: Vec<Timed> = Vec::new();
    for at in 0..scan.sources.len() {
        if total >= question.count_up_to && is_settled(question, &mut rows, scan.sources[at].bounds_us) {
            break;
        }
        scan.prepare_sources(at..at + 1, false)?;
        let (bounds_us, run_rows) = (scan.sources[at].bounds_inside(), scan.sources[at].rows() as u64);
        // It pays where the end may come early and times need not be decoded for it. The tail changes too often to be ordered.
        let is_large = scan.sources[at].chunks.len() >= WINDOWED_CHUNKS && matches!(*scan.sources[at].run, Run::Segment(_));
        let pays = is_large && question.count_up_to <= run_rows && scan.has(at, &ColumnId::Time)?;
        let mut windows = if pays { Windows::over(question.order, bounds_us, scan.estimate(at)?) } else { None };
        let before = total;
        let wanted = question.count_up_to.max(question.limit as u64).saturating_sub(before);
        loop {
            let window = windows.as_mut().and_then(|windows| windows.next(wanted, total - before));
            if let Some(window) = window
                && total >= question.count_up_to
                && is_settled(question, &mut rows, window.bounds_us())
            {
                break;
            }
            // Few rows of a window lie in a chunk; otherwise stretches keep to the processor's cache.
            let tasks: Vec<_> = match window {
                Some(Window { is_rest: false, .. }) => scan.chunks_of(at).collect(),
                Some(_) | None => scan.stretches_of(at).collect(),
            };
            let found = scan.in_parallel(
                tasks.len(),
                Help::IfLong,
                || Ok(Finding::default()),
                |finding, task| finding.look(scan, question, tasks[task].clone(), window),
            )?;
            for finding in found {
                total += finding.total;
                rows.extend(finding.rows);
                ties.extend(finding.ties);
            }
            cut(question.order, question.limit, &mut rows);
            if window.is_none_or(|window| window.is_rest) {
                break;
            }
        }
    }
    let (events, ties) = page(scan, question, rows, ties)?;
    Ok(answer_of(events, (total + ties).min(question.count_up_to)))
}

/// The first rows of those found, whole and in order; before them those of the position's instant that come after it, which are
/// counted here.
fn page(scan: &Scan<'_>, question: &Rows, mut rows: Vec<Timed>, ties: Vec<Timed>) -> Result<(Vec<Numbered>, u64)> {
    if rows.len() + ties.len() > question.limit.saturating_add(READ_TIES) {
        scan.order(&mut rows)?;
        if question.order == RowOrder::NewestFirst {
            rows.reverse();
        }
        let left = match question.after {
            Some(after) => ties_after(scan, question.order, after, ties)?,
            None => Vec::new(),
        };
        let count = left.len() as u64;
        rows.splice(0..0, left);
        rows.truncate(question.limit);
        return Ok((read(scan, &rows)?, count));
    }
    let tied = ties.len();
    rows.extend(ties);
    let mut events = read_in_order(scan, question.order, rows)?;
    let is_position = |event: &Numbered| question.after.is_some_and(|after| after.sequence == event.0);
    let passed = events[..tied].iter().position(is_position).map_or(tied, |at| at + 1);
    events.drain(..passed);
    events.truncate(question.limit);
    Ok((events, (tied - passed) as u64))
}

/// Rows whole, in [`Event::order`] or in its reverse.
fn read_in_order(scan: &Scan<'_>, order: RowOrder, mut rows: Vec<Timed>) -> Result<Vec<Numbered>> {
    // Events are large to move: by time first, so that only those of one instant are left to sort.
    rows.sort_unstable_by_key(|row| row.time_us);
    let mut events = read(scan, &rows)?;
    events.sort_by(|a, b| a.1.order(&b.1).then_with(|| a.0.cmp(&b.0)));
    if order == RowOrder::NewestFirst {
        events.reverse();
    }
    Ok(events)
}

fn answer_of(events: Vec<Numbered>, total: u64) -> RowsAnswer {
    let (sequences, rows) = events.into_iter().unzip();
    RowsAnswer { rows, sequences, total }
}

/// The row with a sequence number. Few runs may hold it; in them its column alone is looked through.
fn single(scan: &Scan<'_>, sequence: u64) -> Result<RowsAnswer> {
    let runs = scan.sources.iter().enumerate().filter(|(_, source)| source.run.may_hold(sequence));
    let chunks: Vec<(usize, usize)> =
        runs.flat_map(|(at, source)| (0..source.chunks.len()).map(move |chunk| (at, chunk))).collect();
    let found = scan.in_parallel(
        chunks.len(),
        Help::AtOnce,
        || Ok(Vec::new()),
        |found: &mut Vec<Timed>, task| {
            let (source, chunk) = chunks[task];
            let run = &scan.sources[source].run;
            let sequences = run.column(&ColumnId::Sequence, chunk)?;
            let Some(row) = sequences.unsigned().iter().position(|other| *other == sequence) else { return Ok(()) };
            if scan.mask(source, chunk, &(row..row + 1))?[0] != 0 {
                let time_us = run.column(&ColumnId::Time, chunk)?.times().at(row);
                found.push(Timed { time_us, place: Place { source: source as u32, chunk: chunk as u32, row: row as u32 } });
            }
            Ok(())
        },
    )?;
    let rows: Vec<Timed> = found.into_iter().flatten().collect();
    Ok(answer_of(read(scan, &rows)?, rows.len() as u64))
}

/// The rows of a position's instant that come after it, in order; none if the position's row is not among them.
fn ties_after(scan: &Scan<'_>, order: RowOrder, after: RowPosition, mut ties: Vec<Timed>) -> Result<Vec<Timed>> {
    scan.order(&mut ties)?;
    if order == RowOrder::NewestFirst {
        ties.reverse();
    }
    for (at, Timed { place, .. }) in ties.iter().enumerate() {
        let sequences = scan.sources[place.source as usize].run.column(&ColumnId::Sequence, place.chunk as usize)?;
        if sequences.unsigned()[place.row as usize] == after.sequence {
            return Ok(ties.split_off(at + 1));
        }
    }
    Ok(Vec::new())
}

/// Everything a visitor, or the visitor's person, did.
pub(crate) fn journey(scan: &Scan<'_>, question: &Journey, hashes: &Hashes) -> Result<RowsAnswer> {
    let own = [question.anonymous_id.clone()];
    let visitors = question.slice.people.as_ref().and_then(|people| people.visitors_of(&question.anonymous_id)).unwrap_or(&own);
    let visitors: Vec<u64> = visitors.iter().map(|visitor| hashes.visitor(visitor)).collect();
    let mut is_at_hand = true;
    for source in &scan.sources {
        for visitor in &visitors {
            is_at_hand &= source.run.finds_at_once(*visitor)?;
        }
    }
    if !is_at_hand {
        for source in &scan.sources {
            visitors.iter().try_for_each(|visitor| source.run.prefetch_visitor(*visitor))?;
        }
    }
    let found = scan.in_parallel(
        scan.sources.len(),
        Help::unless(is_at_hand),
        || Ok(Vec::new()),
        |stretches: &mut Vec<_>, at| {
            for visitor in &visitors {
                stretches.extend(scan.sources[at].run.find(*visitor)?.into_iter().map(|(chunk, rows)| (at, chunk, rows)));
            }
            Ok(())
        },
    )?;
    let stretches: Vec<_> = found.into_iter().flatten().collect();
    let found = scan.in_parallel(
        stretches.len(),
        Help::unless(is_at_hand),
        || Ok(Finding::default()),
        |finding, task| {
            let (source, chunk, stretch) = &stretches[task];
            finding.look_at_visitor(scan, question.limit, *source, *chunk, stretch)
        },
    )?;
    let total = found.iter().map(|finding| finding.total).sum();
    let mut rows: Vec<Timed> = found.into_iter().flat_map(|finding| finding.rows).collect();
    cut(RowOrder::OldestFirst, question.limit, &mut rows);
    if rows.len() > question.limit.saturating_add(READ_TIES) {
        scan.order(&mut rows)?;
        rows.truncate(question.limit);
    }
    let mut events = read_in_order(scan, RowOrder::OldestFirst, rows)?;
    events.truncate(question.limit);
    Ok(answer_of(events, total))
}

/// What one thread found in a run.
#[derive(Default)]
struct Finding {
    rows: Vec<Timed>,
    /// Rows of the instant of the question's position, all of them: which come after it is not known yet. Not counted.
    ties: Vec<Timed>,
    total: u64,
    mask: Vec<u8>,
    held: usize,
}

impl Finding {
    fn look(
        &mut self,
        scan: &Scan<'_>,
        question: &Rows,
        (source, chunk, stretch): (usize, usize, std::ops::Range<usize>),
        window: Option<Window>,
    ) -> Result<()> {
        self.mask.clear();
        let piece = match window {
            Some(Window { range, is_rest: false }) => scan.piece_inside(source, chunk, range, question.order, &mut self.mask)?,
            Some(_) | None => Some(scan.piece(source, chunk, stretch, 0, &mut self.mask)?),
        };
        let Some(piece) = piece else { return Ok(()) };
        if !is_any_kept(&self.mask) {
            return Ok(());
        }
        let times = scan.sources[source].run.column(&ColumnId::Time, chunk)?;
        let (times, after) = (times.times(), question.after);
        // Filters have looked at all rows, those of earlier windows included.
        let rest = window.filter(|window| window.is_rest).map(|window| window.range);
        each_kept(&self.mask, |at| {
            let row = piece.row(at);
            let time_us = times.at(row);
            if rest.is_some_and(|rest| !rest.contains(time_us)) {
                return;
            }
            let row = Timed { time_us, place: Place { source: source as u32, chunk: chunk as u32, row: row as u32 } };
            if after.is_some_and(|after| after.time_us == time_us) {
                self.ties.push(row);
            } else {
                self.total += 1;
                self.rows.push(row);
            }
        });
        self.keep_few(scan, question.order, question.limit)
    }

    /// The first rows of one visitor in a chunk, which lie there by time: of a visitor with very many, few are looked at.
    fn look_at_visitor(
        &mut self,
        scan: &Scan<'_>,
        limit: usize,
        source: usize,
        chunk: usize,
        stretch: &std::ops::Range<usize>,
    ) -> Result<()> {
        let mask = scan.mask(source, chunk, stretch)?;
        self.total += count(&mask) as u64;
        let times = scan.sources[source].run.column(&ColumnId::Time, chunk)?;
        let begin = self.rows.len();
        let mut latest = i64::MIN;
        for (row, _) in stretch.clone().zip(&mask).filter(|(_, kept)| **kept != 0) {
            let time_us = times.times().at(row);
            if self.rows.len() - begin < limit {
                latest = latest.max(time_us);
            } else if time_us > latest {
                break;
            }
            self.rows.push(Timed { time_us, place: Place { source: source as u32, chunk: chunk as u32, row: row as u32 } });
        }
        self.keep_few(scan, RowOrder::OldestFirst, limit)
    }

    fn keep_few(&mut self, scan: &Scan<'_>, order: RowOrder, limit: usize) -> Result<()> {
        // Cut seldom, so that each row is looked at a few times at most, but never hold much more than asked for.
        if self.rows.len() >= 4 * limit + SLACK_ROWS {
            cut(order, limit, &mut self.rows);
        }
        let now = (self.rows.capacity() + self.ties.capacity()) * size_of::<Timed>();
        scan.limits.check_memory(std::mem::replace(&mut self.held, now), now)
    }
}

fn by_time(order: RowOrder) -> impl Fn(&Timed, &Timed) -> Ordering {
    move |a, b| match order {
        RowOrder::OldestFirst => a.time_us.cmp(&b.time_us),
        RowOrder::NewestFirst => b.time_us.cmp(&a.time_us),
    }
}

/// Cuts rows to the limit by time alone, keeping everything that ties with the last one that fits.
fn cut(order: RowOrder, limit: usize, rows: &mut Vec<Timed>) {
    if rows.len() > limit {
        let by_time = by_time(order);
        let last = *rows.select_nth_unstable_by(limit - 1, &by_time).1;
        rows.retain(|row| by_time(row, &last) != Ordering::Greater);
    }
}

/// Whether no row of a run with these bounds can come before those found.
fn is_settled(question: &Rows, rows: &mut [Timed], bounds_us: (i64, i64)) -> bool {
    if rows.len() < question.limit {
        return false;
    }
    let last = rows.select_nth_unstable_by(question.limit - 1, by_time(question.order)).1.time_us;
    match question.order {
        RowOrder::NewestFirst => bounds_us.1 < last,
        RowOrder::OldestFirst => bounds_us.0 > last,
    }
}

/// Reads rows whole, chunk by chunk on all threads, and gives them back in their order.
fn read(scan: &Scan<'_>, rows: &[Timed]) -> Result<Vec<Numbered>> {
    let mut wanted: BTreeMap<(u32, u32), Vec<(u32, usize)>> = BTreeMap::new();
    for (at, Timed { place, .. }) in rows.iter().enumerate() {
        wanted.entry((place.source, place.chunk)).or_default().push((place.row, at));
    }
    let mut wanted: Vec<_> = wanted.into_iter().collect();
    wanted.iter_mut().for_each(|(_, rows)| rows.sort_unstable());
    let was_visited = |source: u32, chunk: u32| scan.sources[source as usize].run.was_visited(chunk as usize);
    let is_at_hand = wanted.iter().all(|((source, chunk), _)| was_visited(*source, *chunk));
    let numbers: Vec<Vec<u32>> = wanted.iter().map(|(_, rows)| rows.iter().map(|(row, _)| *row).collect()).collect();
    if !is_at_hand {
        for (((source, chunk), _), numbers) in wanted.iter().zip(&numbers) {
            scan.sources[*source as usize].run.prefetch_events(*chunk as usize, numbers)?;
        }
    }
    let read = scan.in_parallel(
        wanted.len(),
        Help::unless(is_at_hand && wanted.len() < MANY_CHUNKS),
        || Ok(Vec::new()),
        |read: &mut Vec<(usize, Numbered)>, task| {
            let ((source, chunk), rows) = &wanted[task];
            let events = scan.sources[*source as usize].run.events(*chunk as usize, &numbers[task])?;
            read.extend(rows.iter().map(|(_, at)| *at).zip(events));
            Ok(())
        },
    )?;
    let mut events: Vec<Option<Numbered>> = vec![None; rows.len()];
    for (at, event) in read.into_iter().flatten() {
        events[at] = Some(event);
    }
    Ok(events.into_iter().flatten().collect())
}
