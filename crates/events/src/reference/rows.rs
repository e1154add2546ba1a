//! The events themselves, and everything one person did.

use tributary_core::event::Event;

use super::person_of;
use crate::answer::RowsAnswer;
use crate::question::{Journey, RowOrder, Rows};

/// Answers over the events of the slice.
pub fn answer(events: &[&Event], question: &Rows) -> RowsAnswer {
    let mut events = events.to_vec();
    match question.order {
        RowOrder::OldestFirst => {}
        RowOrder::NewestFirst => events.reverse(),
    }
    let mut answer = cut(&events, question.limit);
    answer.total = answer.total.min(question.count_up_to);
    answer
}

/// One person's events of the slice.
pub fn journey(events: &[&Event], question: &Journey) -> RowsAnswer {
    let person = match &question.slice.people {
        Some(people) => people.person_of(&question.anonymous_id),
        None => &question.anonymous_id,
    };
    let own: Vec<&Event> = events.iter().copied().filter(|event| person_of(&question.slice, event) == person).collect();
    cut(&own, question.limit)
}

fn cut(events: &[&Event], limit: usize) -> RowsAnswer {
    RowsAnswer { rows: events.iter().take(limit).map(|event| (*event).clone()).collect(), total: events.len() as u64 }
}
