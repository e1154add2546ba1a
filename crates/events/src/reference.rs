//! The reference evaluator: every question answered the slow and obvious way, over a plain list of events.
//!
//! It is what the documentation of [`crate::question`] means, spelled out. Nothing is indexed, cached or streamed; every
//! answer sorts and groups the whole slice in memory. Engines are held to it by property tests, and it is held to outside
//! figures. `Budget::max_time` is not watched here: this module has no clock.

pub mod aggregate;
pub mod attribution;
pub mod funnel;
pub mod retention;
pub mod rows;
pub mod sessions;
pub mod values;

use async_trait::async_trait;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tributary_core::error::Result;
use tributary_core::event::{Event, Origin};
use tributary_core::ids::WorkspaceId;
use tributary_core::scope::WorkspaceScope;

use crate::answer::{Answer, Answered};
use crate::field::Field;
use crate::question::{Bots, Budget, Question, Slice};
use crate::store::{Appended, Erased, Erasure, EventStore, Holdings, Outcome};

/// A store in memory that answers through [`answer`].
#[derive(Debug, Default)]
pub struct ReferenceStore {
    workspaces: Mutex<BTreeMap<WorkspaceId, Workspace>>,
}

/// Answers a question over all events of a workspace, oldest arrival first, which numbers them from 1; `as_of` is the caller's to
/// apply.
pub fn answer(events: &[&Event], question: &Question, budget: Budget) -> Result<Answer> {
    let numbered: Vec<Numbered> = events.iter().zip(1..).map(|(event, sequence)| Numbered { event, sequence }).collect();
    answer_numbered(&numbered, question, budget)
}

/// An event with its sequence number.
#[derive(Clone, Copy)]
struct Numbered<'a> {
    event: &'a Event,
    sequence: u64,
}

fn answer_numbered(events: &[Numbered<'_>], question: &Question, budget: Budget) -> Result<Answer> {
    question.check()?;
    let numbered = select(events, question.slice());
    let events: Vec<&Event> = numbered.iter().map(|numbered| numbered.event).collect();
    Ok(match question {
        Question::Aggregate(question) => Answer::Aggregate(aggregate::answer(&events, question, budget)?),
        Question::Rows(question) => Answer::Rows(rows::answer(&numbered, question)),
        Question::Funnel(question) => Answer::Funnel(funnel::answer(&events, question, budget)?),
        Question::Retention(question) => Answer::Retention(retention::answer(&events, question, budget)?),
        Question::Sessions(question) => Answer::Sessions(sessions::answer(&events, question, budget)?),
        Question::Values(question) => Answer::Values(values::answer(&events, question, budget)?),
        Question::Journey(question) => Answer::Rows(rows::journey(&numbered, question)),
        Question::Attribution(question) => Answer::Attribution(attribution::answer(&events, question, budget)?),
    })
}

/// The events of a slice in [`Event::order`], then by sequence.
fn select<'a>(events: &[Numbered<'a>], slice: &Slice) -> Vec<Numbered<'a>> {
    let is_in = |event: &Event| {
        slice.range.contains(event.time_us)
            && match slice.bots {
                Bots::Exclude => event.bot.is_none(),
                Bots::Include => true,
                Bots::Only => event.bot.is_some(),
            }
            && slice.all_hold(&slice.filters, event)
    };
    let mut selected: Vec<Numbered> = events.iter().copied().filter(|numbered| is_in(numbered.event)).collect();
    selected.sort_by(|one, other| one.event.order(other.event).then(one.sequence.cmp(&other.sequence)));
    selected
}

/// Whose event it is: the visitor that stands for the person, see [`Slice::people`].
fn person_of<'a>(slice: &'a Slice, event: &'a Event) -> &'a str {
    match &slice.people {
        Some(people) => people.person_of(&event.anonymous_id),
        None => &event.anonymous_id,
    }
}

/// A row of aggregates and sessions: bucket, and the group columns' values.
type Group = (Option<u32>, Vec<Option<String>>);

/// The values of some fields, absent ones as `None`.
fn keys_of(slice: &Slice, fields: &[Field], event: &Event) -> Vec<Option<String>> {
    fields.iter().map(|field| value_of(slice, field, event)).collect()
}

/// The value of a field, `None` when absent.
fn value_of(slice: &Slice, field: &Field, event: &Event) -> Option<String> {
    slice.value_of(field, event).map(|value| value.into_owned())
}

/// Refuses more groups than the budget allows.
fn within(budget: Budget, groups: usize) -> Result<()> {
    if groups <= budget.max_groups {
        return Ok(());
    }
    Err(budget.groups_exceeded())
}

/// What is kept for one workspace: position `n` holds the event with sequence number `n + 1`, `None` once it is erased.
#[derive(Debug, Default)]
struct Workspace {
    events: Vec<Option<Event>>,
    /// The ids of the events that were not erased; those of expired ones stay taken.
    ids: BTreeSet<(Origin, String)>,
    /// Events before this instant have expired; `None` when nothing ever did.
    expired_before_us: Option<i64>,
}

impl Workspace {
    /// The events up to a sequence number that are in answers.
    fn kept(&self, as_of: u64) -> Vec<Numbered<'_>> {
        let kept = self.events[..as_of as usize].iter().zip(1..);
        let kept = kept.filter_map(|(event, sequence)| Some(Numbered { event: event.as_ref()?, sequence }));
        kept.filter(|numbered| !has_expired(numbered.event, self.expired_before_us)).collect()
    }

    fn watermark(&self) -> u64 {
        self.events.len() as u64
    }

    fn append(&mut self, event: Event) -> Outcome {
        if let Some(event_id) = &event.event_id
            && !self.ids.insert((event.origin, event_id.clone()))
        {
            return Outcome::Duplicate;
        }
        self.events.push(Some(event));
        Outcome::Accepted
    }

    /// Forgets the matching events; their ids are free again. Returns how many vanished from answers.
    fn erase(&mut self, what: &Erasure) -> u64 {
        let mut erased = 0;
        for slot in &mut self.events {
            let forgotten = slot.take_if(|event| match what {
                Erasure::User(user_id) => event.user_id.as_ref() == Some(user_id),
                Erasure::Visitor(anonymous_id) => event.anonymous_id == *anonymous_id,
                Erasure::Workspace => true,
            });
            let Some(event) = forgotten else { continue };
            erased += u64::from(!has_expired(&event, self.expired_before_us));
            if let Some(event_id) = event.event_id {
                self.ids.remove(&(event.origin, event_id));
            }
        }
        erased
    }
}

fn has_expired(event: &Event, expired_before_us: Option<i64>) -> bool {
    expired_before_us.is_some_and(|before_us| event.time_us < before_us)
}

impl ReferenceStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<WorkspaceId, Workspace>> {
        // A panicking test must not hide behind a second panic here; the data is only ever replaced whole.
        self.workspaces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl EventStore for ReferenceStore {
    async fn append(&self, scope: &WorkspaceScope, events: Vec<Event>) -> Result<Appended> {
        let mut workspaces = self.lock();
        let workspace = workspaces.entry(scope.workspace()).or_default();
        let outcomes = events.into_iter().map(|event| workspace.append(event)).collect();
        Ok(Appended { outcomes, watermark: workspace.watermark() })
    }

    async fn ask(&self, scope: &WorkspaceScope, question: Question, budget: Budget) -> Result<Answered> {
        let mut workspaces = self.lock();
        let workspace = workspaces.entry(scope.workspace()).or_default();
        let watermark = question.slice().as_of.unwrap_or(u64::MAX).min(workspace.watermark());
        Ok(Answered { watermark, answer: answer_numbered(&workspace.kept(watermark), &question, budget)? })
    }

    async fn erase(&self, scope: &WorkspaceScope, what: Erasure) -> Result<Erased> {
        let mut workspaces = self.lock();
        let workspace = workspaces.entry(scope.workspace()).or_default();
        Ok(Erased { events: workspace.erase(&what) })
    }

    async fn expire(&self, scope: &WorkspaceScope, before_us: i64) -> Result<()> {
        let mut workspaces = self.lock();
        let workspace = workspaces.entry(scope.workspace()).or_default();
        workspace.expired_before_us = workspace.expired_before_us.max(Some(before_us));
        Ok(())
    }

    async fn describe(&self, scope: &WorkspaceScope) -> Result<Holdings> {
        let mut workspaces = self.lock();
        let workspace = workspaces.entry(scope.workspace()).or_default();
        let kept = workspace.kept(workspace.watermark());
        Ok(Holdings {
            events: kept.len() as u64,
            first_us: kept.iter().map(|numbered| numbered.event.time_us).min(),
            last_us: kept.iter().map(|numbered| numbered.event.time_us).max(),
            last_received_us: kept.iter().map(|numbered| numbered.event.received_us).max(),
            watermark: workspace.watermark(),
            disk_bytes: 0,
        })
    }
}
