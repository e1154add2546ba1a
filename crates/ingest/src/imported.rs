//! A row of an import: a draft, and what is already known about the event from an earlier life.

use serde::{Deserialize, Serialize};

use tributary_core::error::Result;
use tributary_core::event::{Confidence, Event, Origin, derived_session_id};

use crate::arrival::Arrival;
use crate::draft::Draft;
use crate::pipeline::Pipeline;

/// A row of an import. As JSON it is what the operator API takes: the draft's fields and, beside them, the rest.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImportedRow {
    /// What the row says. Its `time_us` travels in [`Restored::time_us`].
    #[serde(flatten)]
    pub draft: Draft,
    /// What was decided about the event elsewhere.
    pub restored: Restored,
}

/// Decisions taken elsewhere, such as by the workspace an export comes from. They replace the pipeline's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Restored {
    /// The instant of the event, microseconds; wins over the draft's `timestamp`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_us: Option<i64>,
    /// When it first arrived, microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub received_us: Option<i64>,
    /// Where it came in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// Why it was taken for a bot's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bot: Option<String>,
    /// How sure the classifier was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_confidence: Option<Confidence>,
    /// The rule that decided source and medium.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_rule_id: Option<String>,
}

/// The longest restored label, characters.
const MAX_LABEL_CHARS: usize = 128;

impl Pipeline {
    /// Takes an imported row through the same steps as every event, then puts back what was decided elsewhere.
    pub fn imported(&self, row: ImportedRow, cx: &Arrival) -> Result<Event> {
        let ImportedRow { mut draft, restored } = row;
        draft.time_us = draft.time_us.or(restored.time_us);
        let mut event = self.event(draft, cx)?;
        event.received_us = restored.received_us.unwrap_or(event.received_us).min(cx.received_us);
        event.origin = restored.origin.unwrap_or(event.origin);
        event.source_confidence = restored.source_confidence.unwrap_or(event.source_confidence);
        let labelled = |label: &String| !label.is_empty();
        if let Some(rule) = restored.source_rule_id.filter(labelled) {
            event.source_rule_id = rule.chars().take(MAX_LABEL_CHARS).collect();
        }
        if let Some(bot) = restored.bot.filter(labelled) {
            event.bot = Some(bot.chars().take(MAX_LABEL_CHARS).collect());
        }
        // An export writes every session's id; a derived one stays derived, so that both workspaces hold the same event.
        if event.session.as_deref().is_some_and(|session| session == derived_session_id(&event.anonymous_id, event.time_us)) {
            event.session = None;
        }
        Ok(event)
    }
}
