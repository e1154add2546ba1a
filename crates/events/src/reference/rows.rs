//! The events themselves, and everything one visitor did.

use tributary_core::event::Event;

use crate::answer::RowsAnswer;
use crate::question::{Journey, RowOrder, Rows};

/// Answers over the events of the slice.
pub fn answer(events: &[&Event], question: &Rows) -> RowsAnswer {
    let mut events = events.to_vec();
    match question.order {
        RowOrder::OldestFirst => {}
        RowOrder::NewestFirst => events.reverse(),
    }
    cut(&events, question.limit)
}

/// One visitor's events of the slice.
pub fn journey(events: &[&Event], question: &Journey) -> RowsAnswer {
    let own: Vec<&Event> = events.iter().copied().filter(|event| event.anonymous_id == question.anonymous_id).collect();
    cut(&own, question.limit)
}

fn cut(events: &[&Event], limit: usize) -> RowsAnswer {
    RowsAnswer { rows: events.iter().take(limit).map(|event| (*event).clone()).collect(), total: events.len() as u64 }
}
