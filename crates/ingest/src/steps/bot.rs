//! `bot`: labels events whose visitor's agent matches a bot rule. They are kept; answers leave them out by default.

use super::Flight;
use crate::pipeline::Tools;

pub fn run(tools: &Tools, flight: &mut Flight<'_>) {
    flight.agent = flight.user_agent.as_deref().map(|agent| tools.agents.read(agent));
    flight.event.bot = flight.agent.as_ref().and_then(|agent| agent.bot.clone());
}
