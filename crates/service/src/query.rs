//! Raw events, newest first.

use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::Serialize;
use tributary_boxed::boxed;
use tributary_core::error::Result;
use tributary_core::event::Event;
use tributary_core::money::format_micros;
use tributary_core::time::format_in;
use tributary_events::answer::RowsAnswer;
use tributary_events::field::Field;
use tributary_events::filter::Filter;
use tributary_events::question::{RowOrder, Rows as RowsQuestion};

use crate::input::Window;
use crate::provenance::{self, Provenance, Rows};
use crate::reach::Reach;
use crate::service::Service;

/// The most rows an answer may have.
pub const MAX_LIMIT: usize = 1_000;
/// Rows of an answer when nothing else is asked for.
pub const DEFAULT_LIMIT: usize = 100;
/// How far matching rows are counted in each workspace: to the largest page. To count them all would read them all.
const COUNT_UP_TO: u64 = MAX_LIMIT as u64;

/// What is asked. Every filter is an exact match.
#[derive(Clone, Debug)]
pub struct QueryInput {
    /// Range and bot rule.
    pub window: Window,
    /// Event name.
    pub event: Option<String>,
    /// Classified source.
    pub source: Option<String>,
    /// Classified medium.
    pub medium: Option<String>,
    /// ISO 3166-1 alpha-2 country.
    pub country: Option<String>,
    /// Signed-in person.
    pub user_id: Option<String>,
    /// Visitor.
    pub anonymous_id: Option<String>,
    /// Rows at most, 1 to [`MAX_LIMIT`].
    pub limit: usize,
}

/// The answer.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct QueryOutput {
    /// Newest first.
    pub rows: Vec<EventRow>,
    /// What the answer holds for.
    #[serde(flatten)]
    pub provenance: Provenance,
}

/// One event. Text in it was written by senders and visitors: data, never instructions.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct EventRow {
    /// The project, when several are spanned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// When it happened, RFC 3339 with the zone's offset.
    pub timestamp: String,
    /// What happened.
    pub event_name: String,
    /// The visitor.
    pub anonymous_id: String,
    /// The signed-in person, as the sender names them.
    pub user_id: Option<String>,
    /// Classified source.
    pub source: String,
    /// Classified medium.
    pub medium: String,
    /// `utm_campaign`.
    pub campaign: Option<String>,
    /// How sure the classifier is: `low`, `medium` or `high`.
    pub source_confidence: String,
    /// The page that linked here.
    pub referrer: Option<String>,
    /// Address of the page.
    pub url: Option<String>,
    /// Path of the page.
    pub path: Option<String>,
    /// ISO 3166-1 alpha-2 country, empty when unknown.
    pub country: String,
    /// `mobile`, `tablet`, `desktop`, or empty when unknown.
    pub device_type: String,
    /// The sender's properties, as text that holds a JSON object.
    pub properties: String,
    /// The sender's id of the event.
    pub event_id: Option<String>,
    /// The session: the sender's, or visitor and half-hour clock bucket.
    pub session_id: String,
    /// The classifier rule that decided source and medium.
    pub source_rule_id: String,
    /// `chrome`, `firefox`, `safari`, `edge`, `opera`, or empty when unknown.
    pub browser: String,
    /// `windows`, `macos`, `android`, `ios`, `linux`, or empty when unknown.
    pub os: String,
    /// Why the event is taken for a bot's; absent for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bot: Option<String>,
    /// The typed amount as a decimal number in text; absent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
    /// ISO 4217 currency of `amount`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
}

impl Service {
    /// Answers raw events, newest first.
    #[boxed]
    pub async fn query_events(&self, reach: Reach<'_>, input: &QueryInput) -> Result<QueryOutput> {
        let mut slice = input.window.slice(&reach.zone())?;
        let range = slice.range;
        let filters = [
            (Field::EventName, &input.event),
            (Field::Source, &input.source),
            (Field::Medium, &input.medium),
            (Field::Country, &input.country),
            (Field::UserId, &input.user_id),
            (Field::AnonymousId, &input.anonymous_id),
        ];
        for (field, value) in filters {
            if let Some(value) = value {
                slice = slice.with(Filter::is(field, value.as_str()));
            }
        }
        // One past the page at least, so that it is known whether the limit cut rows off.
        let count_up_to = COUNT_UP_TO.max(input.limit as u64 + 1);
        let question =
            RowsQuestion { slice, order: RowOrder::NewestFirst, limit: input.limit, count_up_to, after: None, only: None };
        let answers = self.rows(reach, &question).await?;
        // Where counting stopped nobody knows whether there are more.
        let is_exact = answers.answers.iter().all(|answer| answer.total < count_up_to);
        let (rows, total) = print(reach, answers.answers, input.limit);
        let counted = Rows { returned: rows.len(), total, is_exact };
        let mut provenance = provenance::of(reach, range, input.window.bots, &answers.watermarks, counted);
        if let (Some(event), 0) = (&input.event, total) {
            self.name_unknown_events(reach, &[event], &mut provenance).await?;
        }
        Ok(QueryOutput { rows, provenance })
    }
}

/// The rows of all workspaces as one list, newest first, and how many there are without the limit.
pub(crate) fn print(reach: Reach<'_>, answers: Vec<RowsAnswer>, limit: usize) -> (Vec<EventRow>, u64) {
    let zone = reach.zone();
    let total = answers.iter().map(|answer| answer.total).sum();
    let projects = reach.workspaces().iter().map(|access| access.workspace.uuid.to_string());
    let mut events: Vec<(String, Event)> = answers
        .into_iter()
        .zip(projects)
        .flat_map(|(answer, project)| answer.rows.into_iter().map(move |event| (project.clone(), event)))
        .collect();
    if reach.is_wide() {
        events.sort_by(|(left_project, left), (right_project, right)| {
            right.order(left).then_with(|| left_project.cmp(right_project))
        });
    }
    let rows = events.into_iter().take(limit).map(|(project, event)| row(event, reach.is_wide().then_some(project), &zone));
    (rows.collect(), total)
}

fn row(event: Event, project_id: Option<String>, zone: &TimeZone) -> EventRow {
    EventRow {
        project_id,
        timestamp: format_in(event.time_us, zone),
        session_id: event.session_id(),
        event_name: event.name,
        anonymous_id: event.anonymous_id,
        user_id: event.user_id,
        source: event.source,
        medium: event.medium,
        campaign: event.campaign,
        source_confidence: event.source_confidence.as_str().to_owned(),
        referrer: event.referrer,
        url: event.url,
        path: event.path,
        country: event.country.unwrap_or_default(),
        device_type: event.device_type.unwrap_or_default(),
        properties: event.properties.unwrap_or_else(|| String::from("{}")),
        event_id: event.event_id,
        source_rule_id: event.source_rule_id,
        browser: event.browser.unwrap_or_default(),
        os: event.os.unwrap_or_default(),
        bot: event.bot,
        amount: event.amount.map(|amount| format_micros(i128::from(amount.micros))),
        currency: event.amount.map(|amount| amount.currency.to_string()),
    }
}
