//! The control plane: accounts with plans, workspaces, keys, contacts, conversions, what users save, the audit log, usage
//! counters and advertising, in SQLite.
//!
//! [`Control`] is the one way in. It alone turns a credential into a `WorkspaceScope`, which every data method asks for.
//! Statements are literals in the subset SQLite and PostgreSQL share; only `migrations/` and `store` know the engine.

mod access;
mod account;
mod ads;
mod audit;
mod backup;
mod contacts;
mod control;
mod conversions;
mod exports;
mod idempotency;
mod key;
mod mappings;
mod origin;
mod problems;
mod saved;
mod schema;
mod search;
mod secret;
mod store;
mod token;
mod usage;
mod webhook_endpoints;
mod witness;
mod workspace;

pub use access::{Caller, WorkspaceAccess};
pub use account::Account;
pub use ads::{
    AD_LEVELS, AdCounts, AdCursor, AdDimension, AdDirectory, AdEntityFilter, AdEntityPage, AdGroup, AdLineage, AdQuestion,
    AdSelection, AdStanding, ClaimSum, Converted, Counts, CurrencyRate, RateFilter, Rates, Restatement, RestatementFilter,
    SpendSum, StoredAdEntity,
};
pub use audit::{ArgsDigest, AuditEntry, AuditFault, AuditFilter, AuditHead, AuditReport, AuditRow};
pub use contacts::{
    CompaniesQuery, Company, CompanyChange, CompanyPage, Condition, Conflict, Contact, ContactChange, ContactPage, ContactsQuery,
    FieldInput, FieldKind, FieldValue, Forgotten, Identification, IdentifierKind, Include, Label, MAX_FIELD_FILTERS,
    MAX_LIST_VALUES, MAX_VISITORS_LOOKED_UP, Merge, NewContact, OperatorKind, PageStart, PeopleOf, Separated, Slot, is_free_mail,
    normalise_email,
};
pub use control::Control;
pub use conversions::{ConversionChange, ConversionSettings, Conversions, CountsFrom};
pub use exports::{Export, ExportKind, ExportStatus};
pub use key::{DefaultKeys, Key, KeyOwner, NewKey};
pub use mappings::{EventMapping, MappingChange, MappingSource, NewMapping};
pub use origin::normalise_origin;
pub use saved::{NewSaved, Saved, SavedChange, SavedKind};
pub use search::Named;
pub use usage::{Rejected, Usage};
pub use webhook_endpoints::{EndpointChange, SigningSecret, WebhookEndpoint, WebhookProvider};
pub use workspace::{NewWorkspace, Workspace, WorkspaceChange};
