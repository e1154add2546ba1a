//! `bot`: labels events whose visitor's agent matches a bot rule. They are kept; answers leave them out by default.

use super::Flight;
use crate::pipeline::Tools;

pub fn run(tools: &Tools, flight: &mut Flight<'_>) {
    flight.event.bot = flight.user_agent.as_deref().and_then(|agent| tools.agents.read(agent).bot.clone());
}
