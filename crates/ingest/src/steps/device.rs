//! `device`: browser, system and device type, coarse on purpose.

use super::Flight;
use crate::pipeline::Tools;

pub fn run(tools: &Tools, flight: &mut Flight<'_>) {
    if let Some(agent) = flight.user_agent.as_deref() {
        let read = tools.agents.read(agent);
        flight.event.browser = read.browser.map(str::to_owned);
        flight.event.os = read.os.map(str::to_owned);
        flight.event.device_type = read.device_type.map(str::to_owned);
    }
    if flight.is_import() {
        let lower = |text: String| text.to_lowercase();
        let draft = &mut flight.draft;
        let event = &mut flight.event;
        event.browser = draft.browser.take().map(lower).or(event.browser.take());
        event.os = draft.os.take().map(lower).or(event.os.take());
        event.device_type = draft.device_type.take().map(lower).or(event.device_type.take());
    }
}
