//! `classify`: source, medium and campaign, by the rules of [`crate::classify`].

use tributary_core::event::Confidence;

use super::Flight;
use crate::classify::classify;
use crate::pipeline::Tools;

/// Rule id of an event whose import said where it came from.
const IMPORTED: &str = "imported";
const UNKNOWN: &str = "unknown";

pub fn run(_: &Tools, flight: &mut Flight<'_>) {
    let found = classify(flight.url.as_ref(), flight.referrer.as_ref(), flight.own_host.as_deref());
    let event = &mut flight.event;
    event.source = found.source;
    event.medium = found.medium;
    event.campaign = found.campaign;
    event.source_confidence = found.confidence;
    event.source_rule_id = found.rule_id.to_owned();
    if !flight.is_import() {
        return;
    }
    let draft = &mut flight.draft;
    let event = &mut flight.event;
    if draft.source.is_some() || draft.medium.is_some() {
        event.source = draft.source.take().map_or_else(|| UNKNOWN.to_owned(), |text| text.to_lowercase());
        event.medium = draft.medium.take().map_or_else(|| UNKNOWN.to_owned(), |text| text.to_lowercase());
        event.source_confidence = Confidence::High;
        event.source_rule_id = IMPORTED.to_owned();
    }
    event.campaign = draft.campaign.take().or(event.campaign.take());
}
