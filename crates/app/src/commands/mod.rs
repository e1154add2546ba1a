//! One module per command: its arguments, what it does, how it is shown.

pub mod account;
pub mod audit;
pub mod backup;
pub mod config;
pub mod erase;
pub mod key;
pub mod restore;
pub mod workspace;
