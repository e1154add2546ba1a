//! The program `tributary`: command line, configuration, wiring. The library exists so that tests reach the parts.

pub mod client;
pub mod command;
pub mod commands;
pub mod config;
pub mod demo;
pub mod exit;
pub mod export;
pub mod folder;
pub mod globals;
pub mod import;
pub mod output;
pub mod system;
