//! Sessions, by gap or by recorded id.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use tributary_core::error::Result;
use tributary_core::event::Event;

use super::{Group, keys_of, person_of, within};
use crate::answer::{SessionCounts, SessionsAnswer, SessionsRow};
use crate::filter::Filter;
use crate::question::{Budget, SessionRule, Sessions, Slice};

/// Answers over the events of the slice.
pub fn answer(events: &[&Event], question: &Sessions, budget: Budget) -> Result<SessionsAnswer> {
    let sessions = cut(events, question.rule, &question.slice);
    let mut groups: BTreeMap<Group, Vec<&Vec<&Event>>> = BTreeMap::new();
    let mut sizes: BTreeMap<u64, u64> = BTreeMap::new();
    for session in &sessions {
        let first = session[0];
        let bucket = question.buckets.as_ref().and_then(|buckets| buckets.find(first.time_us));
        groups.entry((bucket, keys_of(&question.slice, &question.group_by, first))).or_default().push(session);
        *sizes.entry(session.len() as u64).or_default() += 1;
    }
    within(budget, groups.len())?;
    let mut rows: Vec<SessionsRow> = groups
        .into_iter()
        .map(|((bucket, keys), sessions)| SessionsRow {
            bucket,
            keys,
            counts: counts(&sessions, &question.containing, &question.slice),
        })
        .collect();
    let total_rows = rows.len();
    rows.sort_by_key(|row| (row.bucket, Reverse(row.counts.sessions), row.keys.clone()));
    rows.truncate(question.limit);
    let totals = counts(&sessions.iter().collect::<Vec<_>>(), &question.containing, &question.slice);
    Ok(SessionsAnswer { rows, total_rows, totals, sizes: sizes.into_iter().collect() })
}

/// All sessions, each in order and never empty.
fn cut<'a>(events: &[&'a Event], rule: SessionRule, slice: &Slice) -> Vec<Vec<&'a Event>> {
    let ends = |gap_us: i64| match rule {
        SessionRule::Recorded => false,
        SessionRule::GapOver(limit_us) => gap_us > limit_us,
        SessionRule::GapFrom(limit_us) => gap_us >= limit_us,
    };
    let mut owners: BTreeMap<(&str, Option<String>), Vec<&Event>> = BTreeMap::new();
    for event in events {
        let owner = match rule {
            SessionRule::Recorded => (event.anonymous_id.as_str(), Some(event.session_id())),
            SessionRule::GapOver(_) | SessionRule::GapFrom(_) => (person_of(slice, event), None),
        };
        owners.entry(owner).or_default().push(event);
    }
    let mut sessions = Vec::new();
    for events in owners.into_values() {
        let mut session: Vec<&Event> = Vec::new();
        for event in events {
            if session.last().is_some_and(|last| ends(event.time_us - last.time_us)) {
                sessions.push(std::mem::take(&mut session));
            }
            session.push(event);
        }
        sessions.push(session);
    }
    sessions
}

fn counts(sessions: &[&Vec<&Event>], containing: &[Vec<Filter>], slice: &Slice) -> SessionCounts {
    let holds = |session: &[&Event], filters: &[Filter]| session.iter().any(|event| slice.all_hold(filters, event));
    SessionCounts {
        sessions: sessions.len() as u64,
        events: sessions.iter().map(|session| session.len() as u64).sum(),
        single_event: sessions.iter().filter(|session| session.len() == 1).count() as u64,
        duration_us: sessions.iter().map(|session| duration_us(session)).sum(),
        containing: containing
            .iter()
            .map(|filters| sessions.iter().filter(|session| holds(session, filters)).count() as u64)
            .collect(),
    }
}

fn duration_us(session: &[&Event]) -> i128 {
    i128::from(session[session.len() - 1].time_us) - i128::from(session[0].time_us)
}
