//! What a run found: the content of `--json`, from which the tables are made.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cold::Cold;
use crate::disk::Disk;
use crate::ingest::Ingest;
use crate::load::Import;
use crate::machine::Machine;
use crate::measure::Spread;
use crate::memory::Memory;
use crate::mix::Mix;
use crate::tools::Tool;

/// Everything a run found. A part that was not asked for is absent.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Report {
    /// Events in the folder, all shards together.
    pub rows: u64,
    /// Distinct visitors in one shard.
    pub visitors: u64,
    /// How often the event file was loaded.
    pub shards: u32,
    /// The arguments of the run.
    pub command: String,
    /// Where it ran.
    pub machine: Machine,
    /// Loading.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub import: Option<Import>,
    /// The peers: versions, and what loading cost them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peers: Option<PeersReport>,
    /// Each question with the segments that ingest leaves.
    pub questions: IndexMap<String, Timed>,
    /// The state the questions above found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// The same after compaction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compacted: Option<Compacted>,
    /// Milliseconds of every attribution model over the whole file.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub attribution: IndexMap<String, f64>,
    /// Questions through `tools/call`.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub tools: IndexMap<String, Tool>,
    /// Fresh process, page cache dropped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cold: Option<Cold>,
    /// Memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Memory>,
    /// Events sent over HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ingest: Option<Ingest>,
    /// Reads at a fixed rate, with and without ingest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mix: Option<Mix>,
    /// Seconds the run took, set-up (generating, loading, the peers' databases) apart.
    pub seconds: f64,
}

/// The peers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PeersReport {
    /// Versions by name.
    pub versions: IndexMap<String, String>,
    /// Seconds and bytes of loading, as peers.py tells them.
    pub load: Value,
}

/// A question in one state of the folder.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Timed {
    /// Median of the rounds, milliseconds.
    pub tributary_ms: f64,
    /// The same for the peer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duckdb_ms: Option<f64>,
    /// The same for the peer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clickhouse_ms: Option<f64>,
    /// Median over the rounds of the better peer's time divided by ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ratio_to_better_peer: Option<f64>,
    /// Smallest and largest of these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ratio_spread: Option<Spread>,
    /// Whether every compared answer equals ours; `None` when there was nothing to compare with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub equal: Option<bool>,
    /// The first difference from each peer whose answer is another one.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub differences: IndexMap<String, String>,
    /// Rows of the answer.
    pub rows: usize,
}

/// A state of the folder.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct State {
    /// Segments, both workspaces together.
    pub segments: u64,
    /// Events not in segments yet.
    pub tail_events: u64,
    /// Bytes on disk.
    pub disk: Disk,
    /// Load average (one minute) before the first and after the last round.
    pub load_average: [f64; 2],
}

/// The questions after compaction.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Compacted {
    /// Seconds compaction took.
    pub compaction_seconds: f64,
    /// What it left.
    pub state: State,
    /// Each question.
    pub questions: IndexMap<String, Timed>,
}

impl Report {
    /// Whether every answer that was compared is equal.
    pub fn is_equal(&self) -> bool {
        let compacted = self.compacted.iter().flat_map(|compacted| compacted.questions.values());
        let asked = self.questions.values().chain(compacted).all(|question| question.equal != Some(false));
        asked
            && self.tools.values().all(|tool| tool.equal)
            && self.ingest.as_ref().is_none_or(|ingest| ingest.every_event_counted)
    }
}
