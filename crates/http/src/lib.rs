//! HTTP: every route on one page ([`router`]), extractors, refusals, served pages.

pub mod router;
pub mod settings;

pub mod pages;

pub mod admin;

mod public_api;
mod v1;

mod mcp;

mod health;
pub mod metrics;

mod auth;
mod body;
mod client;
mod cors;
mod params;
mod refusal;
