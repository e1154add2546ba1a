//! The hash that ties a row to the one before, and the seal on the last one.

use sha2::{Digest, Sha256};

use super::entry::AuditRow;
use crate::secret::keyed_hash;

/// `prev_hash` of the first row.
pub(super) const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// SHA-256 over the columns in the table's order, `hash` left out, each as a netstring (`length:bytes,`, numbers in decimal,
/// booleans as 0 and 1) and an absent one as `-,`. No two different rows have the same encoding.
pub(super) fn row_hash(row: &AuditRow) -> String {
    let mut encoder = Encoder(Sha256::new());
    encoder.number(row.seq);
    encoder.text(&row.correlation_id);
    encoder.number(row.at_us);
    encoder.text(&row.door);
    encoder.text(&row.tool_name);
    encoder.text(&row.args_digest);
    encoder.number(row.latency_ms);
    encoder.number(row.output_size_bytes);
    encoder.optional(row.space_id.map(|id| id.to_string()).as_deref());
    encoder.optional(row.user_id.map(|id| id.to_string()).as_deref());
    encoder.optional(row.token_id.map(|id| id.to_string()).as_deref());
    encoder.optional(row.client_user_agent.as_deref());
    encoder.optional(row.client_ip.as_deref());
    encoder.number(i64::from(row.was_internal));
    encoder.text(&row.outcome);
    encoder.text(&row.prev_hash);
    hex::encode(encoder.0.finalize())
}

/// HMAC-SHA256 of `seq:hash`: says that the server itself wrote this row last.
pub(super) fn seal(key: &[u8; 32], seq: i64, hash: &str) -> String {
    hex::encode(keyed_hash(key, format!("{seq}:{hash}").as_bytes()))
}

struct Encoder(Sha256);

impl Encoder {
    fn text(&mut self, text: &str) {
        self.0.update(text.len().to_string());
        self.0.update(b":");
        self.0.update(text);
        self.0.update(b",");
    }

    fn number(&mut self, number: i64) {
        self.text(&number.to_string());
    }

    fn optional(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.text(text),
            None => self.0.update(b"-,"),
        }
    }
}
