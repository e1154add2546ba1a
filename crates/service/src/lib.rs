//! Use cases: what can be asked and done, once, for every door. The only layer that combines control, ingest and events.

pub mod service;

pub mod answer;
pub mod body;
pub mod input;
pub mod problem;
pub mod provenance;
pub mod reach;

pub mod admission;
pub mod bounded;
pub mod import;
pub mod rate;
pub mod send;

pub mod health;

pub mod companies;
pub mod contact_body;
pub mod contact_counts;
pub mod contact_fields;
pub mod contacts;
pub mod forget;
pub mod identity;
pub mod retention;

pub mod conversions;
pub mod mappings;
pub mod webhook_endpoints;

pub mod ads;
pub mod attribution;
pub mod compare;
pub mod dates;
pub mod event_names;
pub mod events;
pub mod exports;
pub mod funnel;
pub mod metrics;
pub mod projects;
pub mod query;
pub mod recent;
pub mod saved;
pub mod search;
pub mod sources;
pub mod spend;
pub mod stats;

mod nearest;
mod restrict;
