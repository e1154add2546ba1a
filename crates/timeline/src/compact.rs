//! Compaction: segments of one workspace and month are merged, without what was erased, and swapped in one transaction.
//!
//! Which ones is decided by size alone, so that an event is rewritten few times and a month never holds many segments:
//!
//! - Segments of one size tier (each tier eight times the one below) are merged when there are
//!   [`compact_fan_in`](crate::options::Options::compact_fan_in) of them. What a month gathers while it lasts climbs from
//!   tier to tier: an event is rewritten about once per tier.
//! - A month that is over by [`CLOSED_AFTER_US`] is brought down to one segment, or to as few as
//!   [`segment_rows`](crate::options::Options::segment_rows) allows. A segment joins a merge only when the smaller ones that
//!   take part amount to a fourth of it: a late flush of a few events is merged with its like, and never rewrites the month.
//! - While a month is filled (an import brings months that are long over), the first rule alone holds: to bring together what is
//!   about to be followed by more would rewrite it over and over.
//! - A month that is not over, or is being filled, is brought down too once it holds [`MOST_OPEN_SEGMENTS`].
//!
//! Flushes of the newest day of a workspace stay apart until there are newer ones: the latest events are what is looked for, and are
//! found in little time where few others lie between them.
//!
//! A month so holds one segment per factor of five in size below `segment_rows` at most, and full ones: of two neighbours in
//! size that are left apart for being too large together, at least one is half full.
//!
//! Merges run while everything else goes on; their memory is told in [`crate::merge`], and [`MERGE_ROW_GROUPS`] bounds it.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use jiff::tz::Offset;

use tributary_core::error::Result;
use tributary_core::time::DAY_US;

use crate::Shared;
use crate::catalogue;
use crate::merge::{Merging, merge};
use crate::segment::Segment;
use crate::segment_writer::Destination;
use crate::workspace::Workspace;

/// Each tier holds segments up to this many times larger than the one below.
const TIER_FACTOR: u32 = 8;
/// How long after its end a month counts as over: late events are rare by then.
const CLOSED_AFTER_US: i64 = DAY_US;
/// A segment joins a merge outside its tier when it is at most this many times larger than the smaller ones together.
const JOIN_FACTOR: u64 = 4;
/// Segments of a month that is not over or is being filled at most, but for full ones.
const MOST_OPEN_SEGMENTS: usize = 24;
/// Row groups a merge holds at once at most, one for every source.
const MERGE_ROW_GROUPS: usize = 32;

/// Which of the months that are over are brought together.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Months {
    /// Those that the last flush did not fill.
    Quiet,
    /// All: nothing has come for a while.
    All,
}

impl Shared {
    /// Merges where a month has gathered many segments of one size, and brings months that are over together.
    pub fn compact_by_size(&self, months: Months) -> Result<()> {
        let _compacting = self.compacting.lock().expect("no holder of this lock panics");
        let now_us = self.options.clock.now_us();
        for workspace in self.all_workspaces() {
            for (month, segments) in by_month(&workspace.state().segments) {
                let mut tiers: BTreeMap<u32, Vec<Arc<Segment>>> = BTreeMap::new();
                for segment in segments.into_iter().filter(|segment| self.is_small(segment)) {
                    tiers.entry((segment.rows().max(1) as u32).ilog(TIER_FACTOR)).or_default().push(segment);
                }
                for tier in tiers.into_values().filter(|tier| tier.len() >= self.options.compact_fan_in) {
                    self.merge(&workspace, &tier)?;
                }
                let state = workspace.state();
                let left = by_month(&state.segments).remove(&month).unwrap_or_default();
                let is_settled = month_is_over(month, now_us) && (months == Months::All || !state.filling.contains(&month));
                if is_settled || left.len() > MOST_OPEN_SEGMENTS {
                    let newest_us = state.segments.iter().map(|segment| segment.record.last_us).max().unwrap_or_default();
                    let is_crowded = left.len() > MOST_OPEN_SEGMENTS;
                    let stays = |segment: &Arc<Segment>| !is_crowded && self.holds_the_latest(segment, newest_us);
                    let together = self.worth_joining(left.into_iter().filter(|segment| !stays(segment)).collect());
                    if together.len() > 1 {
                        self.merge(&workspace, &together)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether it is about one flush of the newest day.
    fn holds_the_latest(&self, segment: &Segment, newest_us: i64) -> bool {
        let is_one_flush = segment.rows() < self.options.flush_events.saturating_mul(2);
        is_one_flush && segment.record.first_us > newest_us.saturating_sub(DAY_US)
    }

    /// The most segments of which each is in proportion to the smaller ones, and which all fit into one. A few events that came late
    /// are left to themselves where they would keep larger ones apart.
    fn worth_joining(&self, mut segments: Vec<Arc<Segment>>) -> Vec<Arc<Segment>> {
        segments.sort_by_key(|segment| (segment.record.rows, segment.record.id));
        let chains = (0..segments.len()).map(|first| (self.chain(&segments[first..]), first));
        let Some((length, first)) = chains.max_by_key(|(length, first)| (*length, Reverse(*first))) else { return segments };
        segments.drain(first..first + length).collect()
    }

    /// How many of these segments, which ascend in size, are in proportion to those before and fit into one.
    fn chain(&self, segments: &[Arc<Segment>]) -> usize {
        let (mut rows, mut bytes) = (0, 0);
        for (at, segment) in segments.iter().enumerate() {
            let is_in_proportion = at == 0 || segment.record.rows <= rows * JOIN_FACTOR;
            rows += segment.record.rows;
            bytes += segment.record.data.bytes;
            if !is_in_proportion || rows > self.options.segment_rows as u64 || bytes > self.most_bytes() {
                return at;
            }
        }
        segments.len()
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
        segment.rows() <= self.options.segment_rows / 2 && segment.record.data.bytes < self.most_bytes()
    }

    /// Bytes of a data file that may stand for a text of `segment_text_bytes`: text shrinks tenfold as a rule.
    fn most_bytes(&self) -> u64 {
        self.options.segment_text_bytes as u64 / 16
    }

    /// Merges segments of one month, in several rounds where there are more than memory should hold.
    fn merge(&self, workspace: &Arc<Workspace>, segments: &[Arc<Segment>]) -> Result<()> {
        let mut waiting = segments.to_vec();
        waiting.sort_by_key(|segment| (segment.record.first_us, segment.record.id));
        let most = MERGE_ROW_GROUPS * self.options.row_group_rows;
        loop {
            let mut held = 0;
            let fit = waiting.iter().take_while(|segment| {
                held += segment.rows().min(self.options.row_group_rows);
                held <= most
            });
            let now = fit.count().max(2).min(waiting.len());
            let later = waiting.split_off(now);
            let merged = self.merge_now(workspace, &waiting)?;
            if later.is_empty() {
                return Ok(());
            }
            // Whatever came out full is not worth another round. Each round leaves fewer segments, or is the last with these.
            let is_progress = merged.len() < now;
            waiting = later;
            waiting.extend(merged.into_iter().filter(|segment| is_progress && self.is_small(segment)));
            if waiting.len() < 2 {
                return Ok(());
            }
        }
    }

    fn merge_now(&self, workspace: &Arc<Workspace>, old: &[Arc<Segment>]) -> Result<Vec<Arc<Segment>>> {
        let Some(first) = old.first() else { return Ok(Vec::new()) };
        let tombstones = workspace.state().tombstones;
        let with = Merging {
            options: &self.options,
            next_id: &self.next_segment,
            hashes: &self.hashes,
            to: Destination {
                root: self.root.clone(),
                workspace: workspace.id,
                month: first.record.month,
                applied_tombstone: tombstones.last().map_or(0, |tombstone| tombstone.id),
            },
        };
        let begin = Instant::now();
        let records = merge(&with, old, &tombstones)?;
        let rows: u64 = old.iter().map(|segment| segment.record.rows).sum();
        let (segments, into, ms) = (old.len(), records.len(), begin.elapsed().as_millis() as u64);
        tracing::debug!(workspace = workspace.id, month = first.record.month, segments, into, rows, ms, "segments merged");
        let new = self.open_segments(&records);
        let (workspace, old, listed) = (workspace.clone(), old.to_vec(), new.clone());
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
            workspace.change(|state| state.compacted(&old, listed));
            old.iter().for_each(|segment| segment.retire());
            Ok(())
        })?;
        Ok(new)
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

/// Whether the month has been over for [`CLOSED_AFTER_US`].
fn month_is_over(month: i32, now_us: i64) -> bool {
    let Ok(instant) = Timestamp::from_microsecond(now_us.saturating_sub(CLOSED_AFTER_US)) else { return false };
    let date = Offset::UTC.to_datetime(instant);
    i32::from(date.year()) * 12 + i32::from(date.month()) - 1 > month
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timeline;
    use crate::flush::Due;
    use crate::options::Options;
    use crate::sample::{MAY, event};
    use tributary_core::clock::FixedClock;
    use tributary_core::event::Event;
    use tributary_events::store::EventStore;
    use tributary_testkit::scope::workspace;

    /// Long after May.
    const LATER: i64 = MAY + 400 * DAY_US;

    async fn flush_once(timeline: &Timeline, flush: i64, events: i64, due: Due) {
        let events = (0..events).map(|n| Event { time_us: MAY + flush * DAY_US + n, ..event("a") });
        timeline.append(&workspace(1), events.collect()).await.unwrap();
        timeline.shared.flush_all(due).unwrap();
    }

    fn segments(timeline: &Timeline) -> usize {
        timeline.shared.all_workspaces()[0].state().segments.len()
    }

    #[tokio::test]
    async fn a_month_that_is_being_filled_is_left_apart_until_it_is_quiet() {
        let folder = tempfile::tempdir().unwrap();
        let timeline = Timeline::open(folder.path(), Options::new([7; 16], FixedClock::at(LATER))).unwrap();
        for flush in 0..20 {
            flush_once(&timeline, flush, 50, Due::Full).await;
            timeline.shared.compact_by_size(Months::Quiet).unwrap();
            // Eight of a size are merged all the same: an event is rewritten once on the way.
            assert_eq!(segments(&timeline) as i64, (flush + 1) / 8 + (flush + 1) % 8, "{flush}");
        }
        timeline.settle().unwrap();
        assert_eq!(segments(&timeline), 2, "all of it, and apart the newest day");
        flush_once(&timeline, 20, 50, Due::Full).await;
        flush_once(&timeline, 21, 50, Due::Aged).await;
        timeline.shared.compact_by_size(Months::Quiet).unwrap();
        assert_eq!(segments(&timeline), 3, "two flushes are brought together, and are too small to rewrite the month");
    }
    #[tokio::test]
    async fn a_few_late_events_keep_nothing_apart() {
        let folder = tempfile::tempdir().unwrap();
        let timeline = Timeline::open(folder.path(), Options::new([7; 16], FixedClock::at(LATER))).unwrap();
        for (flush, events) in [3, 50, 60, 400, 1].into_iter().enumerate() {
            flush_once(&timeline, flush as i64, events, Due::Full).await;
        }
        timeline.settle().unwrap();
        let mut rows: Vec<u64> =
            timeline.shared.all_workspaces()[0].state().segments.iter().map(|segment| segment.record.rows).collect();
        rows.sort_unstable();
        assert_eq!(rows, [1, 3, 510]);
    }
}
