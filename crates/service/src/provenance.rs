//! What an answer holds for: range, zone, bot rule, watermark, totals, notes.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};
use tributary_core::time::{TimeRange, format_in};

use crate::input::BotRule;
use crate::reach::Reach;

/// Stands beside the rows of every answer.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Provenance {
    /// First instant inside the range, RFC 3339 with the zone's offset.
    pub from: String,
    /// First instant past the range, RFC 3339 with the zone's offset.
    pub to: String,
    /// IANA zone of buckets and printed instants: the project's own, UTC when several projects are spanned.
    pub timezone: String,
    /// What happened to events taken for a bot's.
    pub bots: BotRule,
    /// Ingest sequence number the answer holds for; absent when several projects are spanned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub watermark: Option<u64>,
    /// The same per project id, when several projects are spanned.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<BTreeMap<String, u64>>")]
    pub watermarks: Option<Map<String, Value>>,
    /// Rows in this answer.
    pub rows_returned: u64,
    /// Rows there are without the limit; at least as many where `total_rows_is_exact` is false.
    pub total_rows: u64,
    /// Absent for an exact `total_rows`; false when counting stopped there.
    #[serde(skip_serializing_if = "is_true")]
    #[schemars(default = "unless_said")]
    pub total_rows_is_exact: bool,
    /// Whether rows were cut off by the limit.
    pub truncated: bool,
    /// Event names asked for that this project has never seen, with the nearest names it has.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub unknown_events: Vec<UnknownEvent>,
    /// What else a reader should know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// An event name nobody has sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct UnknownEvent {
    /// The name asked for.
    pub event: String,
    /// The nearest known names, best first; empty when nothing is close.
    pub nearest: Vec<String>,
}

/// How many rows an answer has, and how many there are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rows {
    pub returned: usize,
    pub total: u64,
    /// Whether `total` is all there are, not only at least so many.
    pub is_exact: bool,
}

impl Rows {
    /// A total that was counted to the end.
    pub fn exact(returned: usize, total: u64) -> Self {
        Self { returned, total, is_exact: true }
    }
}

pub(crate) fn of(reach: Reach<'_>, range: TimeRange, bots: BotRule, watermarks: &[u64], rows: Rows) -> Provenance {
    let zone = reach.zone();
    let returned = rows.returned as u64;
    Provenance {
        from: format_in(range.start_us, &zone),
        to: format_in(range.end_us, &zone),
        timezone: reach.zone_name().to_owned(),
        bots,
        watermark: (!reach.is_wide()).then(|| watermarks.first().copied()).flatten(),
        watermarks: reach.is_wide().then(|| {
            let ids = reach.workspaces().iter().map(|access| access.workspace.uuid.to_string());
            ids.zip(watermarks.iter().map(|watermark| Value::from(*watermark))).collect()
        }),
        rows_returned: returned,
        total_rows: rows.total,
        total_rows_is_exact: rows.is_exact,
        truncated: returned < rows.total,
        unknown_events: Vec::new(),
        note: None,
    }
}

/// An exact total is the rule, and not mentioned.
fn unless_said() -> bool {
    true
}

fn is_true(flag: &bool) -> bool {
    *flag
}

impl Provenance {
    pub(crate) fn add_note(&mut self, note: &str) {
        match &mut self.note {
            Some(notes) => {
                notes.push_str("; ");
                notes.push_str(note);
            }
            None => self.note = Some(note.to_owned()),
        }
    }
}
