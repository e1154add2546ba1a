//! One module per command: its arguments, what it does, how it is shown.

pub mod config;
