//! `tributary config`: show, check and document the configuration.

use clap::Subcommand;
use serde_json::json;

use tributary_core::error::Result;

use crate::config::print;
use crate::exit::Exit;
use crate::globals::Globals;
use crate::output;

/// Show, check and document the configuration.
#[derive(Debug, Subcommand)]
pub enum Config {
    /// Print the effective configuration as TOML, every key with its documentation
    #[command(after_help = "Example:\n  tributary config print > tributary-data/tributary.toml")]
    Print,
    /// Check the configuration and say which key is not accepted
    Check,
    /// Print the JSON Schema of tributary.toml
    Schema,
}

/// Runs one of them. The configuration has been loaded and checked on the way here.
pub fn run(command: Config, globals: &Globals) -> Result<Exit> {
    match command {
        Config::Print if globals.json => output::json(&*globals.config)?,
        Config::Print => output::line(print::toml(&globals.config)?.trim_end())?,
        Config::Check if globals.json => output::json(&json!({ "ok": true }))?,
        Config::Check => output::line("the configuration is accepted")?,
        Config::Schema => output::json(&print::schema())?,
    }
    Ok(Exit::Done)
}
