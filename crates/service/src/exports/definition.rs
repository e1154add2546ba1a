//! Which rows an export is of, as its request's body says.

use jiff::civil::Date;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tributary_control::{Condition, ContactsQuery, ExportKind, WorkspaceAccess};
use tributary_core::error::{Code, Error, Result};

use crate::body::object;
use crate::companies::CompaniesInput;
use crate::contact_body::conditions;
use crate::contacts::ContactsInput;
use crate::events::list::{EventsInput, MAX_PER_PAGE};
use crate::problem::Problems;
use crate::service::Service;

/// Which rows.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Definition {
    Events(EventsExport),
    Contacts(ContactsExport),
    Companies(CompaniesExport),
}

/// The body of a request for conversions: one day, and the filters of the list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct EventsExport {
    date: String,
    query_mode: Option<String>,
    event_names: Vec<String>,
    sources: Vec<String>,
    attribution_model: Option<String>,
    attribution_window: Option<u32>,
    fields: Vec<String>,
    custom_field_filters: Vec<Value>,
}

/// The body of a request for contacts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ContactsExport {
    start_date: String,
    end_date: String,
    include_comet_tokens: bool,
    include_all_emails: bool,
    include_custom_fields: bool,
    use_custom_field_labels: bool,
    custom_field_filters: Vec<Value>,
}

/// The body of a request for companies.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct CompaniesExport {
    start_date: String,
    end_date: String,
}

/// Columns of a conversion where none are named.
const EVENT_FIELDS: [&str; 4] = ["id", "event_name", "amount", "event_time_utc"];

impl Definition {
    /// Reads a request's body.
    pub fn read(kind: ExportKind, body: &[u8]) -> Result<Definition> {
        fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T> {
            // As an object, and as nothing else that could be read for one.
            serde_json::from_value(Value::Object(object(body)?))
                .map_err(|error| Error::new(Code::InvalidPayload, format!("the body cannot be read: {error}")))
        }
        Ok(match kind {
            ExportKind::Events => Definition::Events(read(body)?),
            ExportKind::Contacts => Definition::Contacts(read(body)?),
            ExportKind::Companies => Definition::Companies(read(body)?),
        })
    }

    /// As it is stored.
    pub fn to_text(&self) -> String {
        let text = match self {
            Definition::Events(export) => serde_json::to_string(export),
            Definition::Contacts(export) => serde_json::to_string(export),
            Definition::Companies(export) => serde_json::to_string(export),
        };
        text.expect("fields with text names are always written")
    }

    /// As it was stored.
    pub fn from_text(kind: ExportKind, text: &str) -> Result<Definition> {
        Definition::read(kind, text.as_bytes()).map_err(|error| Error::internal("a stored export is damaged").caused_by(error))
    }
}

impl EventsExport {
    /// The list of that day.
    pub fn input(&self) -> Result<EventsInput> {
        let mut problems = Problems::new();
        if self.date.parse::<Date>().is_err() {
            problems.add("date", "is required: a day such as 2026-05-01, in the workspace's time zone");
        }
        let custom_field_filters = read_conditions(&self.custom_field_filters, &mut problems);
        problems.check(Code::InvalidParams)?;
        let fields = match self.fields.as_slice() {
            [] => EVENT_FIELDS.map(String::from).into(),
            fields => fields.to_vec(),
        };
        Ok(EventsInput {
            start_date: format!("{} 00:00:00", self.date),
            end_date: format!("{} 23:59:59", self.date),
            query_mode: self.query_mode.clone(),
            event_names: self.event_names.clone(),
            sources: self.sources.clone(),
            attribution_model: self.attribution_model.clone(),
            attribution_window: self.attribution_window,
            fields,
            per_page: Some(MAX_PER_PAGE),
            cursor: None,
            custom_field_filters,
        })
    }
}

impl ContactsExport {
    /// The list's first page.
    pub fn input(&self) -> Result<ContactsInput> {
        let mut problems = Problems::new();
        let custom_field_filters = read_conditions(&self.custom_field_filters, &mut problems);
        problems.check(Code::InvalidParams)?;
        Ok(ContactsInput {
            start_date: self.start_date.clone(),
            end_date: self.end_date.clone(),
            per_page: Some(ContactsQuery::MAX_PER_PAGE),
            cursor: None,
            include_all_emails: self.include_all_emails,
            include_comet_tokens: self.include_comet_tokens,
            include_custom_fields: self.include_custom_fields,
            use_custom_field_labels: self.use_custom_field_labels,
            custom_field_filters,
        })
    }
}

impl CompaniesExport {
    /// The list's first page.
    pub fn input(&self) -> CompaniesInput {
        CompaniesInput {
            start_date: Some(self.start_date.clone()),
            end_date: Some(self.end_date.clone()),
            per_page: Some(ContactsQuery::MAX_PER_PAGE),
            cursor: None,
        }
    }
}

fn read_conditions(given: &[Value], problems: &mut Problems) -> Vec<Condition> {
    if given.is_empty() { Vec::new() } else { conditions(&given.to_vec().into(), problems) }
}

impl Service {
    /// Refuses what could not be listed.
    pub(super) async fn check_definition(&self, access: &WorkspaceAccess, definition: &Definition) -> Result<()> {
        match definition {
            Definition::Events(export) => {
                self.plan_events(access, export.input()?).await?;
            }
            Definition::Contacts(export) => {
                self.list_contacts(access, ContactsInput { per_page: Some(1), ..export.input()? }).await?;
            }
            Definition::Companies(export) => {
                self.list_companies(access, CompaniesInput { per_page: Some(1), ..export.input() }).await?;
            }
        }
        Ok(())
    }
}
