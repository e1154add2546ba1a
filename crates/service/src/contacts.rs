//! Contacts: listed, read, created, changed.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};
use tributary_boxed::boxed;
use tributary_control::{
    Condition, Contact, ContactPage, ContactsQuery, FieldValue, Include, NewContact, PageStart, Slot, WorkspaceAccess,
};
use tributary_core::error::{Code, Error, Result};
use tributary_core::ids::ContactId;
use tributary_core::time::{SECOND_US, TimeRange, format_utc, parse_instant};

use crate::contact_body::ContactBody;
use crate::events::journey::{Hit, JourneyEntry, JourneyInput};
use crate::problem::Problems;
use crate::service::Service;

/// The cursor of a first page, where a page leads back to it.
pub(crate) const FIRST_PAGE: &str = "first";

/// Which contacts to list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ContactsInput {
    /// First second of creation, `YYYY-MM-DD HH:MM:SS` in the workspace's zone.
    pub start_date: String,
    /// Last second of creation, likewise; after `start_date`.
    pub end_date: String,
    /// Contacts of one page; 200 unless given.
    pub per_page: Option<u32>,
    /// `next_cursor` or `prev_cursor` of a page of the same list.
    pub cursor: Option<String>,
    /// Whether every e-mail is listed.
    pub include_all_emails: bool,
    /// Whether the last visitors are listed.
    pub include_comet_tokens: bool,
    /// Whether all thirty custom fields are listed.
    pub include_custom_fields: bool,
    /// Whether custom fields are named by their labels.
    pub use_custom_field_labels: bool,
    /// Conditions on custom fields.
    pub custom_field_filters: Vec<Condition>,
}

/// What is read of one contact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ContactInput {
    /// Whether the last visitors are listed.
    pub include_comet_tokens: bool,
    /// Whether custom fields are named by their labels.
    pub use_custom_field_labels: bool,
    /// What of its journey is listed.
    pub journey: JourneyInput,
}

/// Rows of one page and where the pages beside it begin.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Paged<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Rows a page holds at most.
    pub per_page: u32,
    /// Where the next page begins; absent on the last.
    pub next_cursor: Option<String>,
    /// Where the page before begins; absent on the first.
    pub prev_cursor: Option<String>,
}

/// A contact in a list.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ContactRow {
    /// Its id.
    pub id: i64,
    /// The primary e-mail.
    pub email: Option<String>,
    /// The primary name.
    pub name: Option<String>,
    /// The primary phone.
    pub phone: Option<String>,
    /// The primary location.
    pub location: Option<String>,
    /// When it was created, RFC 3339 in UTC.
    pub created_at: String,
    /// Every e-mail, newest first, at most 25; with `include_all_emails`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub all_emails: Option<Vec<String>>,
    /// The last 5 visitors, newest first; with `include_comet_tokens`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comet_tokens: Option<Vec<String>>,
    /// All thirty custom fields by slot or label, `null` where empty; with `include_custom_fields`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_fields: Option<Map<String, Value>>,
}

/// A contact by itself. Lists are newest first, at most 25 each; the first item is the primary one.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ContactOutput {
    /// Its id: that of the contact it was merged into, if it was.
    pub id: i64,
    /// E-mail addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub emails: Option<Vec<String>>,
    /// Phone numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phones: Option<Vec<String>>,
    /// Names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub names: Option<Vec<String>>,
    /// Locations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locations: Option<Vec<String>>,
    /// The last 5 visitors, newest first; with `include_comet_tokens`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comet_tokens: Option<Vec<String>>,
    /// Conversions and touchpoints, newest first, at most 1,000; with `include_events`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events: Option<Vec<JourneyEntry>>,
    /// All thirty custom fields by slot or label, `null` where empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_fields: Option<Map<String, Value>>,
    /// Page views, newest first, at most 1,000; with `include_browsing_session_data`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub browsing_session_hits: Option<Vec<Hit>>,
}

impl Service {
    /// Contacts created in a range, newest id first.
    #[boxed]
    pub async fn list_contacts(&self, access: &WorkspaceAccess, input: ContactsInput) -> Result<Paged<ContactRow>> {
        let mut problems = Problems::new();
        let created = created_range((Some(&input.start_date), Some(&input.end_date)), &access.workspace.zone, &mut problems);
        let after = after(input.cursor.as_deref(), &mut problems).map(ContactId);
        problems.check(Code::InvalidParams)?;
        let per_page = input.per_page.unwrap_or(ContactsQuery::DEFAULT_PER_PAGE);
        let query = ContactsQuery {
            created,
            conditions: input.custom_field_filters,
            include: Include {
                all_values: input.include_all_emails,
                visitors: input.include_comet_tokens,
                fields: input.include_custom_fields,
            },
            per_page,
            after,
        };
        let ContactPage { contacts, next, previous } = self.control.list_contacts(&access.scope, &query).await?;
        let labels = self.labels(access, input.include_custom_fields && input.use_custom_field_labels).await?;
        let rows = contacts.into_iter().map(|contact| row_of(contact, query.include, &labels)).collect();
        let prev_cursor = previous.map(|start| cursor_of(start, |id| id.0));
        Ok(Paged { rows, per_page, next_cursor: next.map(|id| id.to_string()), prev_cursor })
    }

    /// One contact, or `not_found`.
    #[boxed]
    pub async fn get_contact(&self, access: &WorkspaceAccess, id: i64, input: ContactInput) -> Result<ContactOutput> {
        let contact = self.control.get_contact(&access.scope, ContactId(id)).await?;
        let labels = self.labels(access, input.use_custom_field_labels).await?;
        let journey = self.journey_of(access, contact.visitors.first(), input.journey).await?;
        Ok(ContactOutput {
            id: contact.id.0,
            events: journey.events,
            browsing_session_hits: journey.hits,
            custom_fields: Some(fields_of(&contact, &labels)),
            comet_tokens: input.include_comet_tokens.then_some(contact.visitors),
            emails: Some(contact.emails),
            phones: Some(contact.phones),
            names: Some(contact.names),
            locations: Some(contact.locations),
        })
    }

    /// Takes in the body of `POST /public-api/v1/contacts`.
    #[boxed]
    pub async fn create_contact(&self, access: &WorkspaceAccess, body: &[u8]) -> Result<ContactOutput> {
        let given = ContactBody::read(body)?.change;
        let new = NewContact {
            emails: given.emails.unwrap_or_default(),
            phones: given.phones.unwrap_or_default(),
            names: given.names.unwrap_or_default(),
            locations: given.locations.unwrap_or_default(),
            fields: given.fields.unwrap_or_default(),
        };
        let contact = self.control.create_contact(&access.scope, new).await?;
        self.get_contact(access, contact.id.0, ContactInput::default()).await
    }

    /// Takes in the body of `PUT /public-api/v1/contacts/{id}`. The answer holds what the body named.
    #[boxed]
    pub async fn update_contact(&self, access: &WorkspaceAccess, id: i64, body: &[u8]) -> Result<ContactOutput> {
        let change = ContactBody::read(body)?.change;
        let contact = self.control.update_contact(&access.scope, ContactId(id), change.clone()).await?;
        Ok(ContactOutput {
            id: contact.id.0,
            events: None,
            browsing_session_hits: None,
            custom_fields: change.fields.is_some().then(|| fields_of(&contact, &BTreeMap::new())),
            comet_tokens: None,
            emails: change.emails.is_some().then_some(contact.emails),
            phones: change.phones.is_some().then_some(contact.phones),
            names: change.names.is_some().then_some(contact.names),
            locations: change.locations.is_some().then_some(contact.locations),
        })
    }

    /// The labels by slot where they are wanted.
    async fn labels(&self, access: &WorkspaceAccess, wanted: bool) -> Result<BTreeMap<Slot, String>> {
        if !wanted {
            return Ok(BTreeMap::new());
        }
        let labels = self.control.list_labels(&access.scope).await?;
        Ok(labels.into_iter().map(|label| (label.slot, label.label)).collect())
    }
}

pub(crate) fn row_of(contact: Contact, include: Include, labels: &BTreeMap<Slot, String>) -> ContactRow {
    ContactRow {
        id: contact.id.0,
        created_at: format_utc(contact.created_us),
        custom_fields: include.fields.then(|| fields_of(&contact, labels)),
        email: contact.emails.first().cloned(),
        name: contact.names.into_iter().next(),
        phone: contact.phones.into_iter().next(),
        location: contact.locations.into_iter().next(),
        all_emails: include.all_values.then_some(contact.emails),
        comet_tokens: include.visitors.then_some(contact.visitors),
    }
}

/// All thirty slots, by label where there is one among `labels`.
fn fields_of(contact: &Contact, labels: &BTreeMap<Slot, String>) -> Map<String, Value> {
    let named = Slot::all().map(|slot| {
        let value = contact.fields.iter().find(|(held, _)| *held == slot).map_or(Value::Null, |(_, value)| match value {
            FieldValue::Text(text) | FieldValue::Date(text) => Value::from(text.as_str()),
            FieldValue::Number(number) => number_value(*number),
        });
        (labels.get(&slot).cloned().unwrap_or_else(|| slot.to_string()), value)
    });
    named.collect()
}

/// Whole numbers without a point, as they were sent.
fn number_value(number: f64) -> Value {
    const WHOLE: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() <= WHOLE { Value::from(number as i64) } else { Value::from(number) }
}

/// The range of creation between two seconds, both inside. A missing side is open.
pub(crate) fn created_range(given: (Option<&str>, Option<&str>), zone: &TimeZone, problems: &mut Problems) -> TimeRange {
    let mut instant = |name: &str, text: Option<&str>| match text {
        Some("") => {
            problems.add(name, "is required: such as 2026-05-01 00:00:00");
            None
        }
        Some(text) => problems.take(
            name,
            parse_instant(text, zone).map_err(|error| {
                Error::new(Code::InvalidParams, "must read YYYY-MM-DD HH:MM:SS, such as 2026-05-01 00:00:00").caused_by(error)
            }),
        ),
        None => None,
    };
    let (start_us, end_us) = (instant("start_date", given.0), instant("end_date", given.1));
    if let (Some(start_us), Some(end_us)) = (start_us, end_us)
        && end_us <= start_us
    {
        problems.add("end_date", "must be after start_date");
    }
    TimeRange {
        start_us: start_us.unwrap_or(i64::MIN),
        end_us: end_us.map_or(i64::MAX, |end_us| end_us.saturating_add(SECOND_US)),
    }
}

/// The id a cursor names; none for a first page.
pub(crate) fn after(cursor: Option<&str>, problems: &mut Problems) -> Option<i64> {
    let cursor = cursor.filter(|cursor| *cursor != FIRST_PAGE)?;
    let id = cursor.parse().ok().filter(|id| *id > 0);
    if id.is_none() {
        problems.add("cursor", "must be a `next_cursor` or `prev_cursor` of this list");
    }
    id
}

pub(crate) fn cursor_of<Id>(start: PageStart<Id>, number: fn(Id) -> i64) -> String {
    match start {
        PageStart::First => String::from(FIRST_PAGE),
        PageStart::After(id) => number(id).to_string(),
    }
}
