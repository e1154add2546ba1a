//! The binary, run as its users run it.

mod support;

mod config;
mod help;
mod life;
mod query;
mod spend;
