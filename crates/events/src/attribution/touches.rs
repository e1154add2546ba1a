//! From events to touches: which visits are one, and how a model sees them.

use tributary_core::event::Event;

use super::journey::Touch;
use crate::channel::{channel, is_direct, is_paid, slugs};
use crate::question::TouchRule;

/// The touches among one person's visits, which come in [`Event::order`].
pub fn touches<'a>(visits: impl IntoIterator<Item = &'a Event>, rule: TouchRule) -> Vec<&'a Event> {
    let mut touches: Vec<&Event> = Vec::new();
    let mut before: Option<&Event> = None;
    for visit in visits {
        let begins_session = |gap_us| before.is_none_or(|before| visit.time_us.saturating_sub(before.time_us) > gap_us);
        let is_touch = match rule {
            TouchRule::Every => true,
            TouchRule::Sessions(gap_us) => begins_session(gap_us),
            TouchRule::Arrivals(gap_us) => {
                let last = touches.last().map(|touch| channel_of(touch));
                begins_session(gap_us) || (last != Some(channel_of(visit)) && !is_direct(channel_of(visit)))
            }
        };
        if is_touch {
            touches.push(visit);
        }
        before = Some(visit);
    }
    touches
}

/// A touch as models see it, under a code of its channel.
pub fn touch_of(event: &Event, code: u32) -> Touch {
    let channel = channel_of(event);
    let source = slugs().position(|slug| slug == channel).unwrap_or_default();
    Touch {
        channel: code,
        source: source as u32,
        time_us: event.time_us,
        is_direct: is_direct(channel),
        is_paid: is_paid(channel),
    }
}

/// The channel of a visit.
pub fn channel_of(event: &Event) -> &'static str {
    channel(&event.source, &event.medium)
}
