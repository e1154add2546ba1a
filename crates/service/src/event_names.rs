//! Which event names were seen lately.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::Serialize;
use tributary_boxed::boxed;
use tributary_core::error::Result;
use tributary_core::time::{DAY_US, TimeRange, format_in};
use tributary_events::answer::ValueCount;
use tributary_events::field::Field;
use tributary_events::question::{Slice, Values};

use crate::input::BotRule;
use crate::provenance::{self, Provenance, Rows};
use crate::reach::Reach;
use crate::service::Service;

/// How far back names are looked for.
pub const DAYS: i64 = 30;
/// The most names listed.
pub const MAX_NAMES: usize = 1_000;

/// The answer.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct EventNamesOutput {
    /// Most frequent first, then by name.
    pub rows: Vec<EventName>,
    /// What the answer holds for.
    #[serde(flatten)]
    pub provenance: Provenance,
}

/// One event name.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct EventName {
    /// The name, as filters and funnel steps take it.
    pub event_name: String,
    /// Events of this name in the last 30 days.
    pub events: u64,
    /// First of them, RFC 3339.
    pub first_seen: String,
    /// Last of them, RFC 3339.
    pub last_seen: String,
}

impl Service {
    /// Answers the distinct event names of the last 30 days, people's events only.
    #[boxed]
    pub async fn event_names(&self, reach: Reach<'_>) -> Result<EventNamesOutput> {
        let now_us = self.clock.now_us();
        // Clocks of senders may run ahead by up to a day; their newest events belong here too.
        let range = TimeRange::new(now_us - DAYS * DAY_US, now_us + DAY_US)?;
        let limit = if reach.is_wide() { tributary_events::question::MAX_ROWS } else { MAX_NAMES };
        let answers = self.values(reach, &Values { slice: Slice::of(range), field: Field::EventName, limit }).await?;
        let (names, total) = match answers.answers.as_slice() {
            [only] => (only.values.clone(), only.total),
            several => {
                let names = add_up(several.iter().flat_map(|answer| &answer.values));
                let total = names.len();
                (names, total)
            }
        };
        let zone = reach.zone();
        let rows: Vec<EventName> = names
            .into_iter()
            .take(MAX_NAMES)
            .map(|name| EventName {
                event_name: name.value,
                events: name.events,
                first_seen: format_in(name.first_us, &zone),
                last_seen: format_in(name.last_us, &zone),
            })
            .collect();
        let counted = Rows::exact(rows.len(), total as u64);
        let provenance = provenance::of(reach, range, BotRule::Exclude, &answers.watermarks, counted);
        Ok(EventNamesOutput { rows, provenance })
    }
}

fn add_up<'a>(names: impl Iterator<Item = &'a ValueCount>) -> Vec<ValueCount> {
    let mut sums: HashMap<&str, ValueCount> = HashMap::new();
    for name in names {
        match sums.get_mut(name.value.as_str()) {
            Some(sum) => {
                sum.events += name.events;
                sum.first_us = sum.first_us.min(name.first_us);
                sum.last_us = sum.last_us.max(name.last_us);
            }
            None => {
                sums.insert(&name.value, name.clone());
            }
        }
    }
    let mut names: Vec<ValueCount> = sums.into_values().collect();
    names.sort_by(|left, right| right.events.cmp(&left.events).then_with(|| left.value.cmp(&right.value)));
    names
}
