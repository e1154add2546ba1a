//! Keys as their holders see them: `{kind}_{env}_{prefix}_{secret}`.

use serde::{Deserialize, Serialize};

/// The four kinds of key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum KeyKind {
    /// Publishable: ships in web pages, may only send events, checked by origin.
    #[serde(rename = "pk")]
    Publishable,
    /// Secret: sends and, on `/mcp`, reads.
    #[serde(rename = "sk")]
    Secret,
    /// Read: questions only.
    #[serde(rename = "rk")]
    Read,
    /// Account: questions over every workspace of an account.
    #[serde(rename = "ak")]
    Account,
}

impl KeyKind {
    /// All kinds.
    pub const ALL: [KeyKind; 4] = [KeyKind::Publishable, KeyKind::Secret, KeyKind::Read, KeyKind::Account];

    /// The two letters a token of this kind starts with.
    pub fn as_str(self) -> &'static str {
        match self {
            KeyKind::Publishable => "pk",
            KeyKind::Secret => "sk",
            KeyKind::Read => "rk",
            KeyKind::Account => "ak",
        }
    }

    /// The kind a token's first two letters name.
    pub fn from_prefix(text: &str) -> Option<Self> {
        KeyKind::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}
