//! `classify`: source, medium and campaign, by the rules of [`crate::classify`].

use tributary_core::event::Confidence;

use super::{Flight, lower_case};
use crate::classify::decide;
use crate::pipeline::Tools;

/// Rule id of an event whose import said where it came from.
const IMPORTED: &str = "imported";
const UNKNOWN: &str = "unknown";

pub fn run(_: &Tools, flight: &mut Flight<'_>) {
    let tags = flight.page.as_ref().map(|page| &page.tags);
    let linking = flight.referrer.as_ref().map(|referrer| &referrer.linking);
    let is_import = flight.is_import();
    if is_import && (flight.draft.source.is_some() || flight.draft.medium.is_some()) {
        let (draft, event) = (&mut flight.draft, &mut flight.event);
        event.source = draft.source.take().map_or_else(|| UNKNOWN.to_owned(), lower_case);
        event.medium = draft.medium.take().map_or_else(|| UNKNOWN.to_owned(), lower_case);
        event.campaign = tags.and_then(|tags| tags.campaign.clone());
        event.source_confidence = Confidence::High;
        event.source_rule_id = IMPORTED.to_owned();
    } else {
        let found = decide(tags, linking, flight.own_host());
        let event = &mut flight.event;
        event.source = found.source;
        event.medium = found.medium;
        event.campaign = found.campaign;
        event.source_confidence = found.confidence;
        event.source_rule_id = found.rule_id.to_owned();
    }
    if is_import && let Some(campaign) = flight.draft.campaign.take() {
        flight.event.campaign = Some(campaign);
    }
}
