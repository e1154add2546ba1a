//! Inputs shared by the questions: range and bot rule.

use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tributary_core::error::{Code, Result};
use tributary_core::time::{TimeRange, parse_instant};
use tributary_events::question::{Bots, Slice};

use crate::problem::Problems;

/// Longest name of an event, characters.
pub const MAX_EVENT_NAME_CHARS: usize = 128;

/// The stretch of time a question looks at and what it does with bots. The instants stay text until the zone is known:
/// a date without time means midnight in the workspace's zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// First instant inside, ISO 8601.
    pub from: String,
    /// First instant past the end, ISO 8601.
    pub to: String,
    /// What happens to bots.
    pub bots: BotRule,
}

impl Window {
    pub(crate) fn slice(&self, zone: &TimeZone) -> Result<Slice> {
        let mut problems = Problems::new();
        let from = problems.take("from", parse_instant(&self.from, zone));
        let to = problems.take("to", parse_instant(&self.to, zone));
        let range = match (from, to) {
            (Some(from), Some(to)) => problems.take("to", TimeRange::new(from, to)),
            _ => None,
        };
        match range {
            Some(range) => Ok(Slice { bots: self.bots.into(), ..Slice::of(range) }),
            None => Err(problems.into_error(Code::InvalidParams)),
        }
    }
}

/// What happens to events that are taken for a bot's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum BotRule {
    /// Bots are left out.
    #[default]
    Exclude,
    /// Bots count like people.
    Include,
    /// Only bots count.
    Only,
}

impl BotRule {
    /// The names callers use, in order.
    pub const NAMES: [&str; 3] = ["exclude", "include", "only"];

    /// Reads a caller's name.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "exclude" => BotRule::Exclude,
            "include" => BotRule::Include,
            "only" => BotRule::Only,
            _ => return None,
        })
    }
}

impl From<BotRule> for Bots {
    fn from(rule: BotRule) -> Self {
        match rule {
            BotRule::Exclude => Bots::Exclude,
            BotRule::Include => Bots::Include,
            BotRule::Only => Bots::Only,
        }
    }
}
