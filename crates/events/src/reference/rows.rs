//! The events themselves, and everything one person did.

use super::{Numbered, person_of};
use crate::answer::RowsAnswer;
use crate::question::{Journey, RowOrder, Rows};

/// Answers over the events of the slice.
pub(super) fn answer(events: &[Numbered<'_>], question: &Rows) -> RowsAnswer {
    let mut events = events.to_vec();
    match question.order {
        RowOrder::OldestFirst => {}
        RowOrder::NewestFirst => events.reverse(),
    }
    if let Some(after) = question.after {
        let is_it = |one: &Numbered<'_>| one.event.time_us == after.time_us && one.sequence == after.sequence;
        match events.iter().position(is_it) {
            Some(at) => drop(events.drain(..=at)),
            None => events.retain(|one| match question.order {
                RowOrder::OldestFirst => one.event.time_us > after.time_us,
                RowOrder::NewestFirst => one.event.time_us < after.time_us,
            }),
        }
    }
    events.retain(|one| question.only.is_none_or(|only| one.sequence == only));
    let mut answer = cut(&events, question.limit);
    answer.total = answer.total.min(question.count_up_to);
    answer
}

/// One person's events of the slice.
pub(super) fn journey(events: &[Numbered<'_>], question: &Journey) -> RowsAnswer {
    let person = match &question.slice.people {
        Some(people) => people.person_of(&question.anonymous_id),
        None => &question.anonymous_id,
    };
    let own = events.iter().copied().filter(|one| person_of(&question.slice, one.event) == person);
    cut(&own.collect::<Vec<_>>(), question.limit)
}

fn cut(events: &[Numbered<'_>], limit: usize) -> RowsAnswer {
    let shown = &events[..limit.min(events.len())];
    RowsAnswer {
        rows: shown.iter().map(|one| one.event.clone()).collect(),
        sequences: shown.iter().map(|one| one.sequence).collect(),
        total: events.len() as u64,
    }
}
