//! `origin`: whose words these are. A publishable key's request is the visitor's own; anyone else's agent and address are
//! a program's, and tell nothing about the visitor unless `context` does.

use super::{Flight, MAX_USER_AGENT_CHARS};
use crate::arrival::Channel;
use crate::pipeline::Tools;

pub fn run(_: &Tools, flight: &mut Flight<'_>) {
    let arrival = flight.arrival;
    let context = flight.draft.context.take().unwrap_or_default();
    let told_address = context.ip.as_deref().and_then(|text| text.parse().ok());
    (flight.address, flight.user_agent) = match arrival.channel {
        // A page cannot speak for another visitor: `context` is not read.
        Channel::Publishable => (arrival.address, arrival.user_agent.clone()),
        Channel::Secret | Channel::Mcp => (told_address, context.user_agent),
        Channel::Import => (told_address.or(arrival.address), context.user_agent.or_else(|| arrival.user_agent.clone())),
    };
    flight.address = flight.address.map(|address| address.to_canonical());
    if let Some(agent) = &mut flight.user_agent {
        cut(agent, MAX_USER_AGENT_CHARS);
    }
    flight.user_agent.take_if(|agent| agent.trim().is_empty());
    flight.event.origin = arrival.channel.origin();
    if flight.event.path.is_none() {
        flight.event.path = flight.page.as_ref().and_then(|page| page.path.clone());
    }
}

fn cut(text: &mut String, max_chars: usize) {
    if text.len() > max_chars
        && let Some((end, _)) = text.char_indices().nth(max_chars)
    {
        text.truncate(end);
    }
}
