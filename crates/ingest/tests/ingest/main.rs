//! The boundary of the crate, spoken to with data.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod access_log;
mod agents;
mod bad_input;
mod classifier;
mod crawlers;
mod data;
mod geo;
mod pipeline;
mod referrers;
mod taxonomies;
