//! The binary, run as its users run it.

mod support;

mod config;
mod conversions;
mod help;
mod life;
mod metrics;
mod people;
mod query;
mod spend;
