//! What a timeline is opened with: every bound has a name, a unit and a default.

use tributary_core::clock::SharedClock;

/// Settings of one data folder's engine.
#[derive(Clone, Debug)]
pub struct Options {
    /// Key of the visitor and event-id hashes. It decides the order inside segments, so a folder keeps its key for life:
    /// opening it with another one is refused.
    pub visitor_key: [u8; 16],
    /// Tells when an erasure was asked for.
    pub clock: SharedClock,
    /// Decoded columns kept in memory, bytes; the least recently used go first.
    pub memory_budget_bytes: usize,
    /// Events in the tail (durable in the log, not yet in segments) that start a flush.
    pub flush_events: usize,
    /// Events the tail may hold at most, over all workspaces; past it appends answer `Overloaded`.
    pub tail_events: usize,
    /// Events waiting for the log at most; past it appends answer `Overloaded`.
    pub queue_events: usize,
    /// Events one log transaction takes at most (an append is never split).
    pub commit_events: usize,
    /// Rows one segment holds at most.
    pub segment_rows: usize,
    /// Rows of one row group inside a segment; it may be twice that for a visitor with many events.
    pub row_group_rows: usize,
    /// Bytes of text (before encoding) one segment holds at most; it may pass it by one event.
    pub segment_text_bytes: usize,
    /// Segments of one size tier and month that start a compaction.
    pub compact_fan_in: usize,
    /// Threads a question may use.
    pub threads: usize,
    /// Longest time events stay in the tail before a flush, milliseconds.
    pub flush_after_ms: u64,
}

impl Options {
    /// The defaults, for a machine of a few gigabytes.
    pub fn new(visitor_key: [u8; 16], clock: SharedClock) -> Self {
        Self {
            visitor_key,
            clock,
            memory_budget_bytes: 1 << 30,
            flush_events: 100_000,
            tail_events: 1_000_000,
            queue_events: 200_000,
            commit_events: 20_000,
            segment_rows: 8_000_000,
            row_group_rows: 131_072,
            segment_text_bytes: 4 << 30,
            compact_fan_in: 8,
            threads: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            flush_after_ms: 600_000,
        }
    }
}
