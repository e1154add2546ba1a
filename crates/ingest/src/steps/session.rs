//! `session`: who the event belongs to when its sender names no visitor. The half-hour session itself is derived from visitor
//! and time wherever it is read (`Event::session_id`), so that a replay gives the same one.

use sha2::{Digest, Sha256};
use uuid::Builder;

use super::Flight;
use crate::pipeline::Tools;

pub fn run(tools: &Tools, flight: &mut Flight<'_>) {
    if flight.event.anonymous_id.is_empty() {
        flight.event.anonymous_id = match &flight.event.user_id {
            Some(user_id) => visitor_of(user_id),
            None => {
                let mut bytes = [0; 16];
                tools.entropy.fill(&mut bytes);
                Builder::from_random_bytes(bytes).into_uuid().to_string()
            }
        };
    }
}

/// The visitor of a user known by id alone: always the same one, so that what a server reports of one person is one person's.
/// A hash, because a user id may be longer than a visitor's and may be a sender's visitor id, too.
fn visitor_of(user_id: &str) -> String {
    let hash = Sha256::new().chain_update(b"tributary visitor of user\0").chain_update(user_id.as_bytes()).finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    Builder::from_custom_bytes(bytes).into_uuid().to_string()
}
