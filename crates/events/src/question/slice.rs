//! Which events a question looks at, and what is known beside them.

use std::borrow::Cow;
use std::sync::Arc;

use tributary_core::event::Event;
use tributary_core::time::TimeRange;

use crate::field::Field;
use crate::filter::Filter;
use crate::people::People;
use crate::traits::Trait;

/// Which events a question looks at.
#[derive(Clone, Debug, PartialEq)]
pub struct Slice {
    /// Event time, half-open.
    pub range: TimeRange,
    /// All must hold.
    pub filters: Vec<Filter>,
    /// What happens to bots.
    pub bots: Bots,
    /// Only events up to this ingest sequence number; `None` for all. An answer names its own watermark.
    pub as_of: Option<u64>,
    /// Whose events belong together. With it, every question counts people where it says visitors: the events of visitors
    /// listed as one person are one timeline. Recorded sessions stay their visitor's, and [`Field::AnonymousId`] stays the
    /// event's own visitor. `None`: every visitor is a person of its own.
    pub people: Option<Arc<People>>,
    /// What [`Field::Trait`] reads, at most [`MAX_TRAITS`](super::MAX_TRAITS) of different names. A trait is the event's own
    /// visitor's, whoever its person is.
    pub traits: Vec<Arc<Trait>>,
}

impl Slice {
    /// People's events in a range.
    pub fn of(range: TimeRange) -> Self {
        Self { range, filters: Vec::new(), bots: Bots::Exclude, as_of: None, people: None, traits: Vec::new() }
    }

    /// The same with one more filter.
    #[must_use]
    pub fn with(mut self, filter: Filter) -> Self {
        self.filters.push(filter);
        self
    }

    /// The value of a field on an event of this slice, `None` when absent.
    pub fn value_of<'a>(&'a self, field: &Field, event: &'a Event) -> Option<Cow<'a, str>> {
        match field {
            Field::Trait(name) => self.trait_named(name)?.value_of(&event.anonymous_id).map(Cow::Borrowed),
            _ => field.of(event),
        }
    }

    /// Whether an event of this slice passes all filters, the slice's own or a question's further ones.
    pub fn all_hold(&self, filters: &[Filter], event: &Event) -> bool {
        filters.iter().all(|filter| filter.test.holds(self.value_of(&filter.field, event).as_deref()))
    }

    /// The trait of a name.
    pub fn trait_named(&self, name: &str) -> Option<&Arc<Trait>> {
        self.traits.iter().find(|known| known.name() == name)
    }
}

/// What happens to events labelled as a bot's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Bots {
    /// Left out: the default everywhere.
    #[default]
    Exclude,
    /// Counted like people.
    Include,
    /// Nothing else is counted.
    Only,
}
