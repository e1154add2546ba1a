//! A row of the log: as callers hand it in, as it waits to be written, as it is read back.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use tributary_core::error::Code;
use tributary_core::ids::{KeyId, WorkspaceId};
use uuid::Uuid;

use super::digest::ArgsDigest;
use crate::control::Control;

/// Longest door or tool name stored, characters.
const MAX_NAME_CHARS: usize = 128;
/// Longest user agent stored, characters.
const MAX_USER_AGENT_CHARS: usize = 256;

/// One tool call, whatever came of it.
#[derive(Clone, Debug)]
pub struct AuditEntry {
    /// The row's id, if the caller has named it already ([`Control::new_correlation_id`]); otherwise one is drawn.
    pub correlation_id: Option<Uuid>,
    /// Which door, such as `key` or `account`.
    pub door: String,
    /// The tool as it was called, known or not.
    pub tool_name: String,
    /// From [`Control::digest_arguments`].
    pub args: ArgsDigest,
    /// Time spent, milliseconds.
    pub latency_ms: u64,
    /// Length of the answer, bytes.
    pub output_size_bytes: u64,
    /// The workspace, if it was one.
    pub space: Option<WorkspaceId>,
    /// The user, if one is known.
    pub user: Option<i64>,
    /// The credential.
    pub token: Option<KeyId>,
    /// The client's `User-Agent`; stored cut to 256 characters.
    pub client_user_agent: Option<String>,
    /// The client's address; stored as its network, `/24` or `/48`.
    pub client_ip: Option<IpAddr>,
    /// Whether the call came from the product itself rather than an outside client.
    pub was_internal: bool,
    /// `Ok` or the class of the error.
    pub outcome: Result<(), Code>,
}

/// A row as it is stored. Absent values are `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// Place in the log: 1, 2, 3, without gaps.
    pub seq: i64,
    /// The id the caller was given.
    pub correlation_id: String,
    /// When the row was handed in, microseconds since the epoch, UTC.
    pub at_us: i64,
    /// The door.
    pub door: String,
    /// The tool.
    pub tool_name: String,
    /// Keyed digest of the arguments, 64 hexadecimal digits.
    pub args_digest: String,
    /// Time spent, milliseconds.
    pub latency_ms: i64,
    /// Length of the answer, bytes.
    pub output_size_bytes: i64,
    /// The workspace's id.
    pub space_id: Option<i64>,
    /// The user's id.
    pub user_id: Option<i64>,
    /// The credential's id.
    pub token_id: Option<i64>,
    /// The client's user agent.
    pub client_user_agent: Option<String>,
    /// The client's network: `203.0.113.0/24`, `2001:db8:1::/48`.
    pub client_ip: Option<String>,
    /// Whether the product itself made the call.
    pub was_internal: bool,
    /// `ok` or an error code.
    pub outcome: String,
    /// `hash` of the row before; 64 zeros for the first.
    pub prev_hash: String,
    /// SHA-256 over every other column, 64 hexadecimal digits.
    pub hash: String,
}

/// A row that waits for its place in the chain.
#[derive(Clone)]
pub(crate) struct PendingRow {
    pub correlation_id: Uuid,
    at_us: i64,
    entry: AuditEntry,
}

impl AuditEntry {
    pub(crate) fn into_pending(self, control: &Control) -> PendingRow {
        let correlation_id = self.correlation_id.unwrap_or_else(|| control.new_uuid());
        PendingRow { correlation_id, at_us: control.now_us(), entry: self }
    }
}

impl PendingRow {
    /// The row at its place, its hash still empty.
    pub fn place(&self, seq: i64, prev_hash: &str) -> AuditRow {
        let entry = &self.entry;
        AuditRow {
            seq,
            correlation_id: self.correlation_id.to_string(),
            at_us: self.at_us,
            door: printable(&entry.door, MAX_NAME_CHARS),
            tool_name: printable(&entry.tool_name, MAX_NAME_CHARS),
            args_digest: entry.args.as_str().to_owned(),
            latency_ms: stored(entry.latency_ms),
            output_size_bytes: stored(entry.output_size_bytes),
            space_id: entry.space.map(|space| space.0),
            user_id: entry.user,
            token_id: entry.token.map(|token| token.0),
            client_user_agent: entry.client_user_agent.as_deref().map(|agent| printable(agent, MAX_USER_AGENT_CHARS)),
            client_ip: entry.client_ip.map(network_of),
            was_internal: entry.was_internal,
            outcome: entry.outcome.map_or_else(|code| code.as_str(), |()| "ok").to_owned(),
            prev_hash: prev_hash.to_owned(),
            hash: String::new(),
        }
    }
}

/// The network an address belongs to: a person's exact address is not ours to keep.
fn network_of(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            format!("{}/24", Ipv4Addr::new(a, b, c, 0))
        }
        IpAddr::V6(address) => {
            let [a, b, c, ..] = address.segments();
            format!("{}/48", Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
        }
    }
}

fn printable(text: &str, max_chars: usize) -> String {
    text.chars().filter(|character| !character.is_control()).take(max_chars).collect()
}

fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_stored_as_networks() {
        for (address, network) in [
            ("203.0.113.77", "203.0.113.0/24"),
            ("::ffff:203.0.113.77", "203.0.113.0/24"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
            ("::1", "::/48"),
        ] {
            assert_eq!(network_of(address.parse().unwrap()), network);
        }
    }
}
