//! The conversions of a workspace and how much of each it has seen.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::Serialize;
use tributary_boxed::boxed;
use tributary_control::{ConversionSettings, Conversions, CountsFrom, WorkspaceAccess};
use tributary_core::error::Result;
use tributary_core::event::{Event, Origin};
use tributary_core::time::{TimeRange, format_utc};
use tributary_events::answer::Answer;
use tributary_events::field::Field;
use tributary_events::filter::{Filter, Test};
use tributary_events::question::{Aggregate, MAX_ROWS, Metric, Question, RowOrder, Rows, Slice};

use crate::answer::other_question;
use crate::service::Service;

/// A conversion and its use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct EventType {
    /// Its slug.
    pub slug: String,
    /// What the workspace calls it.
    pub configured_name: String,
    /// Whether the workspace names it.
    pub is_custom: bool,
    /// Events seen.
    pub events: u64,
    /// Time of the earliest, RFC 3339 in UTC.
    pub first_seen_utc: Option<String>,
    /// Time of the latest.
    pub last_seen_utc: Option<String>,
}

/// The conversions of a workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EventTypes {
    /// The standard ones by slug, then the workspace's own.
    pub data: Vec<EventType>,
}

impl Service {
    /// The conversions of a workspace: the standard ones and the slots that have a label, or events all the same.
    #[boxed]
    pub async fn list_event_types(&self, access: &WorkspaceAccess) -> Result<EventTypes> {
        let conversions = self.control.conversions(&access.scope).await?;
        let seen = self.seen(access, &conversions).await?;
        let mut data = Vec::new();
        for set in conversions.all() {
            let names = conversions.names_of(set.conversion);
            let is_server_only = set.counts_from == CountsFrom::Server;
            let counted = |name: &String| seen.get(name).map_or(0, |(all, server)| if is_server_only { *server } else { *all });
            let events = names.iter().map(counted).sum();
            let is_shown = events > 0 || !set.conversion.is_custom() || set.label.is_some();
            if !is_shown {
                continue;
            }
            let (mut first, mut last) = (None, None);
            if events > 0 {
                first = self.end_of(access, set, &names, RowOrder::OldestFirst).await?;
                last = self.end_of(access, set, &names, RowOrder::NewestFirst).await?;
            }
            data.push(EventType {
                slug: set.conversion.as_str().to_owned(),
                configured_name: conversions.label_of(set.conversion).to_owned(),
                is_custom: set.conversion.is_custom(),
                events,
                first_seen_utc: first.map(|event| format_utc(event.time_us)),
                last_seen_utc: last.map(|event| format_utc(event.time_us)),
            });
        }
        Ok(EventTypes { data })
    }

    /// How many events of each name there are, and how many of these from servers.
    async fn seen(&self, access: &WorkspaceAccess, conversions: &Conversions) -> Result<HashMap<String, (u64, u64)>> {
        let names = conversions.all().flat_map(|set| conversions.names_of(set.conversion)).collect();
        let question = Aggregate {
            slice: Slice::of(TimeRange::ALL).with(Filter { field: Field::EventName, test: Test::Is(names) }),
            metrics: vec![Metric::Events, Metric::EventsWhere(vec![Filter::is(Field::Origin, Origin::Server.as_str())])],
            group_by: vec![Field::EventName],
            buckets: None,
            limit: MAX_ROWS,
        };
        let answer = match self.events.ask(&access.scope, Question::Aggregate(question), self.budget).await?.answer {
            Answer::Aggregate(answer) => answer,
            _ => return Err(other_question()),
        };
        let number = |values: &[i128], place: usize| values.get(place).and_then(|value| u64::try_from(*value).ok()).unwrap_or(0);
        let named = answer.rows.into_iter().filter_map(|row| {
            let counts = (number(&row.values, 0), number(&row.values, 1));
            Some((row.keys.into_iter().next()??, counts))
        });
        Ok(named.collect())
    }

    /// The first event of a conversion in an order.
    async fn end_of(
        &self,
        access: &WorkspaceAccess,
        set: &ConversionSettings,
        names: &[String],
        order: RowOrder,
    ) -> Result<Option<Event>> {
        let mut slice = Slice::of(TimeRange::ALL).with(Filter { field: Field::EventName, test: Test::Is(names.to_vec()) });
        if set.counts_from == CountsFrom::Server {
            slice = slice.with(Filter::is(Field::Origin, Origin::Server.as_str()));
        }
        let question = Rows { slice, order, limit: 1, count_up_to: 1, after: None, only: None };
        match self.events.ask(&access.scope, Question::Rows(question), self.budget).await?.answer {
            Answer::Rows(found) => Ok(found.rows.into_iter().next()),
            _ => Err(other_question()),
        }
    }
}
