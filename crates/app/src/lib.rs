//! The program `tributary`: command line, configuration, wiring. The library exists so that tests reach the parts.

pub mod command;
pub mod exit;
pub mod globals;

pub mod commands;
pub mod config;
pub mod output;

pub mod demo;
pub mod export;
pub mod import;

pub mod folder;
pub mod operator;
pub mod query;
pub mod serve;
pub mod store;

pub mod client;
pub mod log;
pub mod system;
