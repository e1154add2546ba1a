//! The operator API: what the command line asks of the process that owns a data folder.
//!
//! The same router answers in two ways: over a Unix domain socket that only the folder's owner may open, when a server runs,
//! and called in-process, when none does. It is never mounted on the public listener; whoever reaches it is the operator, so
//! there is no further authentication here. Every body is JSON; errors are `{"error", "message", "details"?}`.

mod account;
mod audit;
mod body;
mod contact;
mod conversion;
mod erase;
mod key;
mod query;
mod report;
mod rows;
mod spend;
mod store;
mod workspace;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{delete, get, patch, post};
use tributary_control::Control;
use tributary_core::clock::SharedClock;
use tributary_service::service::Service;

pub use account::{AccountAnswer, AccountChange, NewAccountBody};
pub use audit::{AuditChainAnswer, AuditFaultAnswer, AuditRowAnswer, AuditRows};
pub use body::Refusal;
pub use contact::{LabelAnswer, LabelBody, MergeAnswer, MergeBody, Merged, Split};
pub use conversion::Removed;
pub use erase::{EraseBody, Erased};
pub use key::{IssuedKey, KeyAnswer, KeyOwnerBody, NewKeyBody};
pub use query::{AttributionBody, BotsBody, PeopleBody, QueryAnswer, QueryBody, QuestionBody, RangeBody};
pub use rows::{Extent, ImportTerms, RowsBody, RowsPage, visitor_key};
pub use spend::{RateBody, SpendFileBody};
pub use store::{BackupBody, BackupDone, Holdings, Person, Store, StoreFault, StoreReport};
pub use workspace::{
    CreatedWorkspace, Deleted, Doors, InitialKeys, ListedWorkspace, NewWorkspaceBody, RejectedCount, WorkspaceAnswer,
    WorkspaceChangeBody,
};

/// What the operator API works on.
#[derive(Clone)]
pub struct Operator {
    /// The control plane.
    pub control: Control,
    /// The use cases, over the same control plane and event store.
    pub service: Arc<Service>,
    /// What this process can do with its event store.
    pub store: Arc<dyn Store>,
    /// The clock.
    pub clock: SharedClock,
    /// The address clients use, without a slash at the end: shown in the doors' URLs.
    pub base_url: String,
}

/// Every route of the operator API.
pub fn router(operator: Operator) -> Router {
    Router::new()
        .route("/accounts", get(account::list).post(account::create))
        .route("/accounts/{id}", patch(account::change))
        .route("/workspaces", get(workspace::list).post(workspace::create))
        .route("/workspaces/{selector}", patch(workspace::change).delete(workspace::remove))
        .route("/keys", get(key::list).post(key::create))
        .route("/keys/{prefix}", delete(key::revoke))
        .route("/keys/{prefix}/rotate", post(key::rotate))
        .route("/contacts/{selector}/labels", get(contact::labels).post(contact::label))
        .route("/contacts/{selector}/merges", get(contact::merges).post(contact::merge))
        .route("/contacts/{selector}/merges/{merge}", delete(contact::split))
        .route("/conversions/{selector}", get(conversion::list))
        .route("/conversions/{selector}/{slug}", patch(conversion::set).delete(conversion::clear))
        .route("/mappings/{selector}", get(conversion::mappings).post(conversion::add_mapping))
        .route("/mappings/{selector}/{id}", delete(conversion::remove_mapping))
        .route("/mappings/{selector}/{id}/preview", post(conversion::preview))
        .route("/webhooks/{selector}", get(conversion::endpoints).post(conversion::add_endpoint))
        .route("/webhooks/{selector}/{id}", patch(conversion::change_endpoint).delete(conversion::remove_endpoint))
        .route("/webhooks/{selector}/{id}/rotate", post(conversion::rotate_endpoint))
        .route("/audit", get(audit::list))
        .route("/audit/verify", get(audit::verify))
        .route("/erase", post(erase::erase))
        .route("/query", post(query::query))
        .route("/import/{selector}", get(rows::terms).post(rows::import).layer(DefaultBodyLimit::max(rows::MAX_IMPORT_BYTES)))
        .route("/spend/{selector}", post(spend::import).layer(DefaultBodyLimit::max(spend::MAX_FILE_BYTES)))
        .route("/spend/{selector}/sums", post(spend::sums))
        .route("/rates/{selector}", get(spend::rates).post(spend::set_rates))
        .route("/rows/{selector}", get(rows::extent).post(rows::rows))
        .route("/reports/{selector}/{what}", get(report::list).post(report::ask))
        .route("/saved/{selector}/{kind}", get(report::all_saved).post(report::save))
        .route("/saved/{selector}/{kind}/{id}", get(report::saved).patch(report::change_saved).delete(report::remove_saved))
        .route("/saved/{selector}/{kind}/{id}/run", get(report::run_saved))
        .route("/ads/{selector}/{level}", get(report::ads))
        .route("/date-range/{selector}", get(report::date_range))
        .route("/search/{selector}", get(report::search))
        .route("/backup", post(store::backup))
        .route("/verify", get(store::verify))
        .fallback(body::unknown_route)
        .with_state(operator)
}
