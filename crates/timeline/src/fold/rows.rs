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
use super::scan::{Scan, count};
use crate::column::ColumnId;
use crate::stored::Hashes;

/// Rows beyond the limit that are gathered before they are cut.
const SLACK_ROWS: usize = 65_536;

/// The first window of a run is this part of its time, and each one that follows as many times longer than the one before.
const WINDOW_SHARE: i64 = 64;
const WINDOW_GROWTH: i64 = 8;
/// Chunks from which on a run is looked through in windows.
const WINDOWED_CHUNKS: usize = 4;

/// A run's time in windows that are looked through one after the other, until enough rows are found: what is asked for first lies in
/// a small part of it. `None` is all of it without a look at times.
fn windows(order: RowOrder, (first_us, last_us): (i64, i64)) -> Vec<Option<TimeRange>> {
    let length_us = last_us.checked_sub(first_us).and_then(|span_us| span_us.checked_add(1));
    let (Some(length_us), Some(end_us)) = (length_us, last_us.checked_add(1)) else { return vec![None] };
    let (mut windows, mut done_us, mut next_us) = (Vec::new(), 0, length_us / WINDOW_SHARE + 1);
    while done_us < length_us {
        let upto_us = next_us.saturating_add(done_us).min(length_us);
        windows.push(Some(match order {
            RowOrder::NewestFirst => TimeRange { start_us: end_us - upto_us, end_us: end_us - done_us },
            RowOrder::OldestFirst => TimeRange { start_us: first_us + done_us, end_us: first_us + upto_us },
        }));
        (done_us, next_us) = (upto_us, next_us.saturating_mul(WINDOW_GROWTH));
    }
    windows
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
        let tasks: Vec<_> = scan.stretches_of(at).collect();
        let (bounds_us, run_rows) = (scan.sources[at].bounds_us, scan.sources[at].rows() as u64);
        // It pays in a large run, where the end may come early and times need not be decoded for it.
        let is_large = scan.sources[at].chunks.len() >= WINDOWED_CHUNKS;
        let pays = is_large && question.count_up_to <= run_rows && scan.has_times(at)?;
        for window in if pays { windows(question.order, bounds_us) } else { vec![None] } {
            let window_us = window.map_or(bounds_us, |window| (window.start_us, window.end_us - 1));
            if total >= question.count_up_to && is_settled(question, &mut rows, window_us) {
                break;
            }
            let found = scan.in_parallel(
                tasks.len(),
                || Ok(Finding::default()),
                |finding, task| finding.look(scan, question, tasks[task].clone(), window),
            )?;
            for finding in found {
                total += finding.total;
                rows.extend(finding.rows);
                ties.extend(finding.ties);
            }
            cut(question.order, question.limit, &mut rows);
        }
    }
    scan.order(&mut rows)?;
    if question.order == RowOrder::NewestFirst {
        rows.reverse();
    }
    if let Some(after) = question.after {
        let left = ties_after(scan, question.order, after, ties)?;
        total += left.len() as u64;
        rows.splice(0..0, left);
    }
    rows.truncate(question.limit);
    read(scan, &rows, total.min(question.count_up_to))
}

/// The row with a sequence number. Few runs may hold it; in them its column alone is looked through.
fn single(scan: &Scan<'_>, sequence: u64) -> Result<RowsAnswer> {
    let runs = scan.sources.iter().enumerate().filter(|(_, source)| source.run.may_hold(sequence));
    let chunks: Vec<(usize, usize)> =
        runs.flat_map(|(at, source)| (0..source.chunks.len()).map(move |chunk| (at, chunk))).collect();
    let found = scan.in_parallel(
        chunks.len(),
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
    read(scan, &rows, rows.len() as u64)
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
    let found = scan.in_parallel(
        scan.sources.len(),
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
        || Ok(Finding::default()),
        |finding, task| {
            let (source, chunk, stretch) = &stretches[task];
            finding.look_at_visitor(scan, question.limit, *source, *chunk, stretch)
        },
    )?;
    let total = found.iter().map(|finding| finding.total).sum();
    let mut rows: Vec<Timed> = found.into_iter().flat_map(|finding| finding.rows).collect();
    cut(RowOrder::OldestFirst, question.limit, &mut rows);
    scan.order(&mut rows)?;
    rows.truncate(question.limit);
    read(scan, &rows, total)
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
        window: Option<TimeRange>,
    ) -> Result<()> {
        self.mask.clear();
        let piece = match window {
            Some(window) => scan.piece_inside((source, chunk, stretch), window, &mut self.mask)?,
            None => Some(scan.piece(source, chunk, stretch, 0, &mut self.mask)?),
        };
        let Some(piece) = piece else { return Ok(()) };
        let found = count(&self.mask) as u64;
        if found == 0 {
            return Ok(());
        }
        let times = scan.sources[source].run.column(&ColumnId::Time, chunk)?;
        let kept = (0u32..).zip(&self.mask).filter(|(_, kept)| **kept != 0).map(|(at, _)| piece.row(at));
        let kept = kept.map(|row| Timed {
            time_us: times.times().at(row),
            place: Place { source: source as u32, chunk: chunk as u32, row: row as u32 },
        });
        match question.after {
            None => {
                self.total += found;
                self.rows.extend(kept);
            }
            Some(after) => {
                for row in kept {
                    let is_tie = row.time_us == after.time_us;
                    self.total += u64::from(!is_tie);
                    if is_tie { &mut self.ties } else { &mut self.rows }.push(row);
                }
            }
        }
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

/// Reads rows whole, chunk by chunk on all threads, and gives them back in the order asked for.
fn read(scan: &Scan<'_>, rows: &[Timed], total: u64) -> Result<RowsAnswer> {
    let mut wanted: BTreeMap<(u32, u32), Vec<(u32, usize)>> = BTreeMap::new();
    for (at, Timed { place, .. }) in rows.iter().enumerate() {
        wanted.entry((place.source, place.chunk)).or_default().push((place.row, at));
    }
    let mut wanted: Vec<_> = wanted.into_iter().collect();
    wanted.iter_mut().for_each(|(_, rows)| rows.sort_unstable());
    let read = scan.in_parallel(
        wanted.len(),
        || Ok(Vec::new()),
        |read: &mut Vec<(usize, (u64, Event))>, task| {
            let ((source, chunk), rows) = &wanted[task];
            let numbers: Vec<u32> = rows.iter().map(|(row, _)| *row).collect();
            let events = scan.sources[*source as usize].run.events(*chunk as usize, &numbers)?;
            read.extend(rows.iter().map(|(_, at)| *at).zip(events));
            Ok(())
        },
    )?;
    let mut events: Vec<Option<(u64, Event)>> = vec![None; rows.len()];
    for (at, event) in read.into_iter().flatten() {
        events[at] = Some(event);
    }
    let (sequences, rows) = events.into_iter().flatten().unzip();
    Ok(RowsAnswer { rows, sequences, total })
}
