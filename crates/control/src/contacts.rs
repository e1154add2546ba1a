//! Contacts: who a workspace's visitors are, and which companies they belong to.
//!
//! A contact is found or made by its identifiers ([`IdentifierKind`]). What is written stays with the contact it was written
//! to; that two contacts are one is a row of the journal, and everything is read over all contacts that are one. So a merge
//! moves nothing, and undoing it gives back exactly what each had.

mod free_mail;
mod kind;
mod slot;

mod identify;
mod journal;
mod merge;
mod people;
mod seen;
mod values;

mod company;
mod contact;
mod erase;
mod filter;
mod label;
mod list;
mod owners;
mod update;
mod visitors;

pub use company::{CompaniesQuery, Company, CompanyChange, CompanyPage};
pub use contact::{Contact, Include};
pub use erase::Forgotten;
pub use filter::{Condition, MAX_FIELD_FILTERS, OperatorKind};
pub use free_mail::is_free_mail;
pub use identify::Identification;
pub use journal::{Conflict, Merge, Separated};
pub use kind::{IdentifierKind, MAX_LIST_VALUES, normalise_email};
pub use label::Label;
pub use list::{ContactPage, ContactsQuery, PageStart};
pub use owners::MAX_VISITORS_LOOKED_UP;
pub use people::PeopleOf;
pub use slot::{FieldInput, FieldKind, FieldValue, Slot};
pub use update::{ContactChange, NewContact};

pub(crate) use kind::line;
pub(crate) use people::PeopleCache;
pub(crate) use seen::SeenTies;
