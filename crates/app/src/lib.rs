//! The program `tributary`: command line, configuration, wiring. The library exists so that tests reach the parts.

pub mod client;
pub mod command;
pub mod commands;
pub mod config;
pub mod exit;
pub mod folder;
pub mod globals;
pub mod output;
pub mod system;
