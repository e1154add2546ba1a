//! The boundary of the crate, spoken to with data.

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
