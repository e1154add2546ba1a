//! The handshake of protocol revisions 2024-11-05 to 2025-11-25.

use serde_json::{Map, Value, json};

use crate::door::Door;

/// The revisions served, newest first.
pub const REVISIONS: [&str; 4] = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];

/// The answer to `initialize`: the revision asked for if it is served, else the newest.
pub(crate) fn initialize(door: &Door, params: &Map<String, Value>) -> Value {
    let asked = params.get("protocolVersion").and_then(Value::as_str);
    let revision = REVISIONS.into_iter().find(|revision| Some(*revision) == asked).unwrap_or(REVISIONS[0]);
    json!({
        "protocolVersion": revision,
        "capabilities": { "tools": {}, "resources": {} },
        "serverInfo": { "name": "tributary", "title": "Tributary", "version": env!("CARGO_PKG_VERSION") },
        "instructions": door.instructions,
    })
}
