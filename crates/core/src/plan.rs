//! Plans: what an account may do. Limits are data.

use serde::{Deserialize, Serialize};
use std::str::FromStr;

use crate::error::{Code, Error};

/// The three plans. A self-hosted install creates Business accounts unless told otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Plan {
    /// REST and the browser script only.
    Free,
    /// Adds `POST /mcp`.
    Pro,
    /// Adds `POST /mcp/account` and `ak_` keys.
    Business,
}

impl Plan {
    /// All plans, smallest first.
    pub const ALL: [Plan; 3] = [Plan::Free, Plan::Pro, Plan::Business];

    /// The name used on the command line and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Plan::Free => "free",
            Plan::Pro => "pro",
            Plan::Business => "business",
        }
    }
}

impl FromStr for Plan {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        Plan::ALL
            .into_iter()
            .find(|plan| plan.as_str() == text)
            .ok_or_else(|| Error::new(Code::InvalidParams, format!("unknown plan `{text}`; accepted: free, pro, business")))
    }
}

/// What a plan grants to one account. Stored per account, so an operator may change any of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Events per calendar month, `None` for no quota.
    pub monthly_events: Option<u64>,
    /// Days raw events are kept, `None` for ever.
    pub retention_days: Option<u32>,
    /// Workspaces the account may own, `None` for any number.
    pub workspaces: Option<u32>,
    /// Whether `POST /mcp` is open.
    pub mcp: bool,
    /// Whether `POST /mcp/account` and `ak_` keys are open (`account_mcp_access`).
    pub account_mcp: bool,
}

impl Limits {
    /// The limits of a self-hosted install: features by plan, no quota, no retention.
    pub fn self_hosted(plan: Plan) -> Self {
        Self {
            monthly_events: None,
            retention_days: None,
            workspaces: None,
            mcp: plan != Plan::Free,
            account_mcp: plan == Plan::Business,
        }
    }
}
