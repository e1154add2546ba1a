//! `device`: browser, system and device type, coarse on purpose.

use super::{Flight, lower_case};
use crate::pipeline::Tools;

pub fn run(_: &Tools, flight: &mut Flight<'_>) {
    if let Some(read) = &flight.agent {
        flight.event.browser = read.browser.map(str::to_owned);
        flight.event.os = read.os.map(str::to_owned);
        flight.event.device_type = read.device_type.map(str::to_owned);
    }
    if flight.is_import() {
        let draft = &mut flight.draft;
        let event = &mut flight.event;
        event.browser = draft.browser.take().map(lower_case).or(event.browser.take());
        event.os = draft.os.take().map(lower_case).or(event.os.take());
        event.device_type = draft.device_type.take().map(lower_case).or(event.device_type.take());
    }
}
