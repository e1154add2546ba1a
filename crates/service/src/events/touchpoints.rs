//! Touchpoints: the visits a person's conversions are credited to, with the ads behind them.

use schemars::JsonSchema;
use serde::Serialize;
use tributary_control::{AdDirectory, AdStanding, PeopleOf, WorkspaceAccess};
use tributary_core::ads::AdLevel;
use tributary_core::error::Result;
use tributary_core::event::Event;
use tributary_core::time::{TimeRange, format_utc};
use tributary_events::ad_parameters::ad_parameter;
use tributary_events::answer::Answer;
use tributary_events::attribution::journey::{Crediting, Outcome, Share, Touch};
use tributary_events::attribution::model::Model;
use tributary_events::attribution::touches::{channel_of, touch_of, touches};
use tributary_events::attribution::window::Window;
use tributary_events::channel::is_direct;
use tributary_events::field::Field;
use tributary_events::filter::{Filter, Test};
use tributary_events::question::{DatedBy, Journey, Question, RowOrder, Rows, Slice, TouchRule, TouchWindow};

use crate::answer::other_question;
use crate::attribution::{SESSION_GAP_US, reach};
use crate::service::Service;

/// Most events of one person that are looked at; of somebody with more, the newest.
pub const MAX_PERSON_EVENTS: usize = 20_000;

/// A visit that may be credited. Ids and names are `null` where nothing is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Touchpoint {
    /// Traffic source, such as `facebook_ads`.
    pub source: String,
    /// The ad's id.
    pub ad_id: Option<String>,
    /// The ad's name.
    pub ad_name: Option<String>,
    /// The ad set's or ad group's id.
    pub adset_id: Option<String>,
    /// Its name.
    pub adset_name: Option<String>,
    /// The campaign's id.
    pub campaign_id: Option<String>,
    /// Its name.
    pub campaign_name: Option<String>,
    /// The ad account's id.
    pub account_id: Option<String>,
    /// Its name.
    pub account_name: Option<String>,
    /// When it was, RFC 3339 in UTC.
    pub event_time_utc: String,
}

impl Touchpoint {
    /// What is known of a visit: what its address names, completed from the workspace's advertising.
    pub(super) fn of(directory: &AdDirectory, visit: &Event) -> Touchpoint {
        let named = |level| visit.url.as_deref().and_then(|url| ad_parameter(url, level));
        let standing = standing(directory, visit);
        let known = |level: usize, of: fn(&AdStanding) -> &[Option<String>; 4]| standing.and_then(|it| of(it)[level].clone());
        let id = |level| known(level, |it| &it.ids);
        let name = |level| known(level, |it| &it.names);
        let own_campaign = visit.campaign.clone().filter(|_| standing.is_none());
        Touchpoint {
            source: source_of(directory, visit),
            ad_id: id(3).or_else(|| named(AdLevel::Ad)),
            ad_name: name(3),
            adset_id: id(2).or_else(|| named(AdLevel::AdSet)),
            adset_name: name(2),
            campaign_id: id(1).or_else(|| named(AdLevel::Campaign)),
            campaign_name: name(1).or(own_campaign),
            account_id: id(0),
            account_name: name(0),
            event_time_utc: format_utc(visit.time_us),
        }
    }
}

/// The source of a visit, as reports name it.
pub(super) fn source_of(directory: &AdDirectory, visit: &Event) -> String {
    standing(directory, visit).map_or_else(|| channel_of(visit).to_owned(), |standing| standing.source.clone())
}

/// The deepest known entity of advertising that a visit's address names.
fn standing<'a>(directory: &'a AdDirectory, visit: &Event) -> Option<&'a AdStanding> {
    let url = visit.url.as_deref()?;
    let levels = [AdLevel::Ad, AdLevel::AdSet, AdLevel::Campaign];
    levels.into_iter().find_map(|level| directory.find(Some(channel_of(visit)), level, &ad_parameter(url, level)?))
}

/// Without direct visits, unless there are no others.
pub(super) fn without_direct<'a>(touches: &[&'a Event]) -> Vec<&'a Event> {
    let told: Vec<&Event> = touches.iter().copied().filter(|touch| !is_direct(channel_of(touch))).collect();
    if told.is_empty() { touches.to_vec() } else { told }
}

/// The touches among a person's visits, by the rule of reports.
pub(super) fn touches_of<'a>(visits: impl IntoIterator<Item = &'a Event>) -> Vec<&'a Event> {
    touches(visits, TouchRule::Arrivals(SESSION_GAP_US))
}

/// Whether an event shows a visit.
pub(super) fn is_visit(event: &Event) -> bool {
    Field::Visit.of(event).is_some()
}

/// How the conversions of one request are credited.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    pub model: Model,
    pub window: Window,
}

impl Rule {
    /// What must be looked at for conversions of a range.
    pub fn reach(self, report: TimeRange) -> TimeRange {
        reach(report, TouchWindow::Dates(self.window), DatedBy::Conversion)
    }

    /// The touches a conversion is credited to, each with its part, in their order. Channels are sources, as in a report by
    /// source.
    pub fn credited<'a>(self, touches: &[&'a Event], conversion: &Event) -> Vec<(&'a Event, i64)> {
        let opens_us = self.window.opens_us(conversion.time_us);
        let counted: Vec<&Event> =
            touches.iter().copied().filter(|touch| (opens_us..=conversion.time_us).contains(&touch.time_us)).collect();
        let mut sources: Vec<&str> = Vec::new();
        let journey: Vec<Touch> = counted
            .iter()
            .map(|touch| {
                let source = channel_of(touch);
                let code = sources.iter().position(|known| *known == source).unwrap_or_else(|| {
                    sources.push(source);
                    sources.len() - 1
                });
                touch_of(touch, code as u32)
            })
            .collect();
        let mut shares: Vec<Share> = Vec::new();
        match Crediting::default().credit(self.model, &journey, &mut shares) {
            Outcome::Attributed => shares.iter().map(|share| (counted[share.touch], share.part)).collect(),
            Outcome::Unattributed | Outcome::NeedsAllPaths => Vec::new(),
        }
    }
}

impl Service {
    /// What one person did within a slice, oldest first: at most [`MAX_PERSON_EVENTS`], of more the newest.
    pub(super) async fn person_events(&self, access: &WorkspaceAccess, slice: Slice, visitor: &str) -> Result<Vec<(u64, Event)>> {
        let journey = Journey { slice: slice.clone(), anonymous_id: visitor.to_owned(), limit: MAX_PERSON_EVENTS };
        let found = match self.events.ask(&access.scope, Question::Journey(journey), self.budget).await?.answer {
            Answer::Rows(found) => found,
            _ => return Err(other_question()),
        };
        if found.total <= found.rows.len() as u64 {
            return Ok(found.sequences.into_iter().zip(found.rows).collect());
        }
        // A journey begins with the oldest; the newest of so many are found as rows.
        let own = [visitor.to_owned()];
        let visitors = slice.people.as_ref().and_then(|people| people.visitors_of(visitor)).unwrap_or(&own).to_vec();
        let slice = slice.with(Filter { field: Field::AnonymousId, test: Test::Is(visitors) });
        let newest = Rows {
            slice,
            order: RowOrder::NewestFirst,
            limit: MAX_PERSON_EVENTS,
            count_up_to: MAX_PERSON_EVENTS as u64,
            after: None,
            only: None,
        };
        match self.events.ask(&access.scope, Question::Rows(newest), self.budget).await?.answer {
            Answer::Rows(found) => Ok(found.sequences.into_iter().zip(found.rows).rev().collect()),
            _ => Err(other_question()),
        }
    }

    /// A slice of a range in which events belong to contacts or companies.
    pub(super) async fn slice_of(&self, access: &WorkspaceAccess, range: TimeRange, of: PeopleOf) -> Result<Slice> {
        Ok(Slice { people: Some(self.people(&access.scope, of).await?), ..Slice::of(range) })
    }
}
