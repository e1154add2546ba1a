//! What can be read without a call.

use std::pin::Pin;

use serde_json::Value;
use tributary_control::Caller;
use tributary_core::error::{Error, Result};
use tributary_service::reach::Reach;
use tributary_service::service::Service;

type Reading<'a> = Pin<Box<dyn Future<Output = Result<Value>> + Send + 'a>>;

/// One resource.
pub struct ResourceDef {
    /// Its address.
    pub uri: &'static str,
    /// Its short name.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// What it holds.
    pub description: &'static str,
    pub(crate) read: for<'a> fn(&'a Service, &'a Caller) -> Reading<'a>,
}

/// The last 100 events of the project.
pub static RECENT_EVENTS: ResourceDef = ResourceDef {
    uri: "events://recent",
    name: "recent_events",
    title: "Recent events",
    description: "The last 100 events of this project, newest first, bots left out: an array of rows as query_events gives them.",
    read: |service, caller| Box::pin(async move { to_value(service.recent_events(Reach::over(&caller.workspaces)?).await?) }),
};

/// Event names of the last 30 days.
pub static EVENT_NAMES: ResourceDef = ResourceDef {
    uri: "schema://events",
    name: "event_names",
    title: "Event names",
    description: "The distinct event names of the last 30 days, over every project this key can read: an array of {event_name, \
        events, first_seen, last_seen}, most frequent first, bots left out. Filters and funnel steps take the names exactly as \
        written.",
    read: |service, caller| Box::pin(async move { to_value(service.event_names(Reach::over(&caller.workspaces)?).await?.rows) }),
};

/// Every project the key can read.
pub static ALL_PROJECTS: ResourceDef = ResourceDef {
    uri: "projects://all",
    name: "projects",
    title: "Projects",
    description: "Every project this key can read: an array of rows as list_projects gives them.",
    read: |service, caller| Box::pin(async move { to_value(service.list_projects(&caller.workspaces).await?.rows) }),
};

/// The media type of every resource.
pub(crate) const MEDIA_TYPE: &str = "application/json";

fn to_value(rows: impl serde::Serialize) -> Result<Value> {
    serde_json::to_value(rows).map_err(|error| Error::internal("a resource could not be written as JSON").caused_by(error))
}
