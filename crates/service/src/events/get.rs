//! One conversion with its touchpoints.

use std::collections::HashSet;

use schemars::JsonSchema;
use serde::Serialize;
use tributary_boxed::boxed;
use tributary_control::{PeopleOf, WorkspaceAccess};
use tributary_core::error::{Code, Error, Result};
use tributary_core::event::Event;
use tributary_core::time::{TimeRange, format_utc};
use tributary_events::answer::Answer;
use tributary_events::field::Field;
use tributary_events::filter::{Filter, Test};
use tributary_events::question::{Question, RowOrder, Rows, Slice};
use tributary_events::row_id::RowId;

use super::amount::ExactAmount;
use super::told::{Kind, Order, shown_url};
use super::touchpoints::{Touchpoint, touches_of, without_direct};
use crate::answer::other_question;
use crate::service::Service;

/// Most touchpoints of one conversion; the newest.
pub const MAX_TOUCHPOINTS: usize = 25;

/// A conversion by itself.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct EventOutput {
    /// Its id.
    pub id: u64,
    /// The conversion's slug.
    pub event_name: String,
    /// What the workspace calls it.
    pub configured_name: String,
    /// The amount in the currency's unit, exact.
    pub amount: Option<ExactAmount>,
    /// ISO 4217 currency of the amount.
    pub currency: Option<String>,
    /// When it happened, RFC 3339 in UTC.
    pub event_time_utc: String,
    /// The page's address, without personal parameters.
    pub event_url: Option<String>,
    /// The order's id.
    pub order_id: Option<String>,
    /// What the order is called.
    pub order_name: Option<String>,
    /// The contact.
    pub profile_id: Option<i64>,
    /// The contact's company.
    pub company_id: Option<i64>,
    /// The workspace.
    pub space_id: i64,
    /// Whether it was sold on top of another order.
    pub is_upsell: bool,
    /// The person's touchpoints up to then, newest first, at most 25. Direct ones only where there are no others.
    pub touchpoints: Vec<Touchpoint>,
}

impl Service {
    /// One conversion by the id of a list, or `not_found`.
    #[boxed]
    pub async fn get_event(&self, access: &WorkspaceAccess, id: &str) -> Result<EventOutput> {
        let unknown = || {
            let shown: String = id.chars().take(32).collect();
            Error::new(Code::NotFound, format!("no event has the id {shown}"))
        };
        let row_id: RowId = id.parse().map_err(|_| unknown())?;
        let event = self.find_event(access, row_id).await?.ok_or_else(unknown)?;
        let conversions = self.control.conversions(&access.scope).await?;
        let kind = Kind::of(&conversions, &event).ok_or_else(unknown)?;
        let visitor = event.anonymous_id.as_str();
        let owners = self.owners(access, &HashSet::from([visitor]), true).await?;
        let order = Order::of(&event);
        Ok(EventOutput {
            id: row_id.get(),
            event_name: kind.slug().to_owned(),
            configured_name: kind.label(&conversions).to_owned(),
            amount: event.amount.map(|amount| ExactAmount(amount.micros.into())),
            currency: event.amount.map(|amount| amount.currency.to_string()),
            event_time_utc: format_utc(event.time_us),
            event_url: shown_url(&event),
            order_id: order.id,
            order_name: order.name,
            profile_id: owners.contact_of(visitor).map(|id| id.0),
            company_id: owners.company_of(visitor).map(|id| id.0),
            space_id: access.workspace.id.0,
            is_upsell: order.is_upsell,
            touchpoints: self.touchpoints_before(access, &event).await?,
        })
    }

    async fn find_event(&self, access: &WorkspaceAccess, id: RowId) -> Result<Option<Event>> {
        let question = Rows {
            slice: Slice::of(id.day_range()),
            order: RowOrder::NewestFirst,
            limit: 1,
            count_up_to: 1,
            after: None,
            only: Some(id.sequence()),
        };
        match self.events.ask(&access.scope, Question::Rows(question), self.budget).await?.answer {
            Answer::Rows(found) => Ok(found.rows.into_iter().next()),
            _ => Err(other_question()),
        }
    }

    /// The touchpoints of an event's person up to its time.
    async fn touchpoints_before(&self, access: &WorkspaceAccess, event: &Event) -> Result<Vec<Touchpoint>> {
        let range = TimeRange { start_us: TimeRange::ALL.start_us, end_us: event.time_us.saturating_add(1) };
        let slice = self.slice_of(access, range, PeopleOf::Contacts).await?;
        let slice = slice.with(Filter { field: Field::Visit, test: Test::Present });
        let visits = self.person_events(access, slice, &event.anonymous_id).await?;
        let touches = without_direct(&touches_of(visits.iter().map(|(_, visit)| visit)));
        let directory = self.control.ad_directory(&access.scope).await?;
        Ok(touches.iter().rev().take(MAX_TOUCHPOINTS).map(|touch| Touchpoint::of(&directory, touch)).collect())
    }
}
