//! `session`: who the event belongs to when its sender names nobody. The half-hour session itself is derived from visitor
//! and time wherever it is read (`Event::session_id`), so that a replay gives the same one.

use uuid::Builder;

use super::Flight;
use crate::pipeline::Tools;

pub fn run(tools: &Tools, flight: &mut Flight<'_>) {
    if flight.event.anonymous_id.is_empty() {
        let mut bytes = [0; 16];
        tools.entropy.fill(&mut bytes);
        flight.event.anonymous_id = Builder::from_random_bytes(bytes).into_uuid().to_string();
    }
}
