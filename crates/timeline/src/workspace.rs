//! One workspace in memory: its segments, its tail, its tombstones. Only the log's thread changes it, everyone reads it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use tributary_events::people::People;
use tributary_events::store::Erasure;
use tributary_events::traits::Trait;

use crate::catalogue::Tombstone;
use crate::fold::persons::{Persons, PersonsMemo};
use crate::fold::traits::TraitColumns;
use crate::run::{Run, TailRun};
use crate::segment::Segment;
use crate::stored::{Hashes, Stored};

/// Committed events, by sequence.
pub(crate) struct Chunk {
    pub events: Vec<Arc<Stored>>,
    pub last_sequence: u64,
}

impl Chunk {
    fn after(&self, sequence: u64) -> impl Iterator<Item = Arc<Stored>> {
        let first = self.events.partition_point(|event| event.sequence <= sequence);
        self.events[first..].iter().cloned()
    }
}

/// A workspace.
pub(crate) struct Workspace {
    pub id: i64,
    state: Mutex<State>,
    memo: Mutex<TailMemo>,
    persons: Arc<PersonsMemo>,
}

/// What a workspace holds.
#[derive(Clone)]
pub(crate) struct State {
    pub segments: Vec<Arc<Segment>>,
    /// The tail, by sequence.
    pub chunks: Vec<Arc<Chunk>>,
    pub tombstones: Arc<Vec<Tombstone>>,
    pub watermark: u64,
    /// Everything up to here has left the log.
    pub flushed_sequence: u64,
    /// The months of the last flush, if the tail was full: more segments of them will follow soon.
    pub filling: Vec<i32>,
    /// Nothing before this instant is in any answer.
    pub horizon_us: i64,
    /// Grows whenever the tail changes other than by growing.
    epoch: u64,
}

impl Default for State {
    fn default() -> Self {
        Self {
            segments: Vec::new(),
            chunks: Vec::new(),
            tombstones: Arc::default(),
            watermark: 0,
            flushed_sequence: 0,
            filling: Vec::new(),
            horizon_us: i64::MIN,
            epoch: 0,
        }
    }
}

/// Tail runs built by earlier questions, so that a tail is not sorted again for every question.
#[derive(Default)]
struct TailMemo {
    epoch: u64,
    runs: Vec<Arc<TailRun>>,
    last_sequence: u64,
}

/// What one question looks at.
pub(crate) struct View {
    pub runs: Vec<Arc<Run>>,
    pub tombstones: Arc<Vec<Tombstone>>,
    pub watermark: u64,
    pub horizon_us: i64,
    persons: Arc<PersonsMemo>,
    hashes: Hashes,
}

impl View {
    /// Traits in the form a fold needs.
    pub fn traits(&self, traits: &[Arc<Trait>]) -> TraitColumns {
        TraitColumns::new(traits, &self.hashes)
    }

    /// People in the form a fold needs.
    pub fn persons(&self, people: &Arc<People>) -> Arc<Persons> {
        self.persons.of(people, &self.hashes)
    }
}

impl Workspace {
    pub fn new(id: i64, state: State) -> Arc<Self> {
        Arc::new(Self { id, state: Mutex::new(state), memo: Mutex::default(), persons: Arc::default() })
    }

    /// The state now.
    pub fn state(&self) -> State {
        self.lock().clone()
    }

    /// Changes the state. Called by the log's thread alone, after the database has the change.
    pub fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.lock())
    }

    /// Everything a question needs, consistent.
    pub fn view(&self, hashes: &Hashes) -> View {
        let state = self.state();
        let mut runs: Vec<Arc<Run>> = state.segments.iter().map(|segment| Arc::new(Run::Segment(segment.clone()))).collect();
        runs.extend(self.tail_runs(&state).into_iter().map(|tail| Arc::new(Run::Tail(tail))));
        View {
            runs,
            tombstones: state.tombstones,
            watermark: state.watermark,
            horizon_us: state.horizon_us,
            persons: self.persons.clone(),
            hashes: hashes.clone(),
        }
    }

    fn tail_runs(&self, state: &State) -> Vec<Arc<TailRun>> {
        let Some(last) = state.chunks.last().map(|chunk| chunk.last_sequence) else { return Vec::new() };
        let mut memo = self.memo.lock().expect("no holder of this lock panics");
        if memo.epoch > state.epoch {
            // The tail changed since the state was taken: build from what the state holds.
            return vec![TailRun::new(state.chunks.iter().flat_map(|chunk| chunk.events.iter().cloned()).collect())];
        }
        if memo.epoch < state.epoch {
            *memo = TailMemo { epoch: state.epoch, ..TailMemo::default() };
        }
        if memo.last_sequence < last {
            let mut rows: Vec<Arc<Stored>> = state.chunks.iter().flat_map(|chunk| chunk.after(memo.last_sequence)).collect();
            // Runs grow geometrically: few runs to merge, and no event is sorted more than a few times.
            while let Some(run) = memo.runs.pop_if(|run| run.rows.len() <= rows.len() * 2) {
                rows.extend(run.rows.iter().cloned());
            }
            memo.runs.push(TailRun::new(rows));
            memo.last_sequence = last;
        }
        // The memo may know more than this state; the question's watermark leaves that out.
        memo.runs.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of this lock panics")
    }
}

impl State {
    /// Adds committed events.
    pub fn grow(&mut self, mut events: Vec<Arc<Stored>>, watermark: u64) {
        self.watermark = watermark;
        // Chunks grow geometrically: few of them however small the commits, and each event is moved a few times at most.
        while let Some(chunk) = self.chunks.pop_if(|chunk| chunk.events.len() <= events.len() * 2) {
            let mut joined = Arc::try_unwrap(chunk).map_or_else(|shared| shared.events.clone(), |own| own.events);
            joined.append(&mut events);
            events = joined;
        }
        self.chunks.push(Arc::new(Chunk { events, last_sequence: watermark }));
    }

    /// Lists new segments in place of the tail up to a sequence number.
    pub fn flushed(&mut self, segments: Vec<Arc<Segment>>, up_to_sequence: u64) {
        self.segments.extend(segments);
        self.chunks.retain(|chunk| chunk.last_sequence > up_to_sequence);
        if let Some(first) = self.chunks.first_mut() {
            *first = Arc::new(Chunk { events: first.after(up_to_sequence).collect(), last_sequence: first.last_sequence });
        }
        self.flushed_sequence = up_to_sequence;
        self.epoch += 1;
    }

    /// Swaps segments.
    pub fn compacted(&mut self, old: &[Arc<Segment>], new: Vec<Arc<Segment>>) {
        self.segments.retain(|segment| !old.iter().any(|gone| gone.record.id == segment.record.id));
        self.segments.extend(new);
    }

    /// Adds a tombstone and takes what it covers out of the tail; returns that.
    pub fn bury(&mut self, tombstone: Tombstone) -> Vec<Arc<Stored>> {
        let mut gone = Vec::new();
        for chunk in &mut self.chunks {
            if !chunk.events.iter().any(|event| covers(&tombstone, event)) {
                continue;
            }
            let (dead, left) = chunk.events.iter().cloned().partition(|event| covers(&tombstone, event));
            gone.extend::<Vec<_>>(dead);
            *chunk = Arc::new(Chunk { events: left, last_sequence: chunk.last_sequence });
        }
        let mut tombstones = Vec::clone(&self.tombstones);
        tombstones.push(tombstone);
        self.tombstones = Arc::new(tombstones);
        self.epoch += 1;
        gone
    }

    /// Drops tombstones that have nothing left to cover.
    pub fn unbury(&mut self, ids: &[i64]) {
        self.tombstones = Arc::new(self.tombstones.iter().filter(|tombstone| !ids.contains(&tombstone.id)).cloned().collect());
    }

    /// Tombstones that cover nothing any more: not the log, nor a segment written before them.
    pub fn spent_tombstones(&self) -> Vec<i64> {
        let spent = |tombstone: &&Tombstone| {
            self.flushed_sequence >= tombstone.up_to_sequence
                && !self.segments.iter().any(|segment| segment.is_pending(tombstone))
        };
        self.tombstones.iter().filter(spent).map(|tombstone| tombstone.id).collect()
    }

    /// Events in the tail.
    pub fn tail_events(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.events.len()).sum()
    }
}

/// Whether the tombstone covers the event.
pub(crate) fn covers(tombstone: &Tombstone, event: &Stored) -> bool {
    event.sequence <= tombstone.up_to_sequence
        && match &tombstone.what {
            Erasure::Workspace => true,
            Erasure::Visitor(id) => event.event.anonymous_id == *id,
            Erasure::User(id) => event.event.user_id.as_ref() == Some(id),
        }
}

/// The workspaces by id.
pub(crate) type Workspaces = HashMap<i64, Arc<Workspace>>;
