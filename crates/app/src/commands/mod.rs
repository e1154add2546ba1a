//! One module per command: its arguments, what it does, how it is shown.

pub mod ads;
pub mod serve;
pub mod spend;

pub mod account;
pub mod contact;
pub mod conversion;
pub mod key;
pub mod mapping;
pub mod webhook;
pub mod workspace;

pub mod lookup;
pub mod metrics;
pub mod query;
pub mod rate;
pub mod saved;

pub mod audit;
pub mod backup;
pub mod config;
pub mod doctor;
pub mod erase;
pub mod restore;
