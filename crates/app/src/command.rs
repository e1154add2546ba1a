//! The command tree and the way from the command line to an exit code.

use clap::{Args, Parser, Subcommand};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use tributary_core::error::{Error, Result};

use crate::commands;
use crate::config::LogFormat;
use crate::config::load::{Flags, load};
use crate::exit::{self, Exit};
use crate::globals::Globals;
use crate::{demo, export, import, log, output, system};

/// Analytics that people and their AI agents can trust: events in over HTTP, answers out over MCP, REST and this command
/// line.
#[derive(Debug, Parser)]
#[command(name = "tributary", version, after_help = exit::HELP, max_term_width = 110)]
pub struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// The data folder, unless --data names another.
const DEFAULT_DATA: &str = "tributary-data";

/// Flags of every command.
#[derive(Args, Debug)]
struct Common {
    /// Data folder; one process at a time owns it, other commands talk to that process
    #[arg(
        long,
        global = true,
        env = "TRIBUTARY_DATA",
        default_value = DEFAULT_DATA,
        value_name = "DIR",
        help_heading = "Global options"
    )]
    data: PathBuf,
    /// Configuration file instead of DIR/tributary.toml
    #[arg(long, global = true, env = "TRIBUTARY_CONFIG", value_name = "FILE", help_heading = "Global options")]
    config: Option<PathBuf>,
    /// Write answers as JSON
    #[arg(long, global = true, help_heading = "Global options")]
    json: bool,
    /// How log lines look
    #[arg(long, global = true, value_name = "FORMAT", help_heading = "Global options")]
    log_format: Option<LogFormat>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve a data folder: events in, answers out, until told to stop
    Serve(commands::serve::Serve),
    /// Make a demo with two workspaces of realistic events, once, and serve it
    Demo(demo::command::DemoArgs),
    /// Ask about the events of a workspace
    #[command(subcommand)]
    Query(commands::query::Query),
    /// Ask metrics by dimensions: ad spend, credited conversions and revenue, people, and formulas over them
    #[command(subcommand)]
    Metrics(commands::metrics::Metrics),
    /// Save, list, change, delete and run metrics of one's own, segments, reports and dashboards
    #[command(subcommand)]
    Saved(commands::saved::Saved),
    /// Search everything that has a name: ads, contacts, companies, what is saved, metrics, events
    Search(commands::lookup::Search),
    /// Show which days a preset or a phrase means
    Dates(commands::lookup::Dates),
    /// List ad accounts, campaigns, ad sets or ads
    Ads(commands::ads::Ads),
    /// Show what was spent on ads, by day, source, campaign and ad
    Spend(commands::spend::Spend),
    /// Create, list and change accounts
    #[command(subcommand)]
    Account(commands::account::Account),
    /// Create, list, change and delete workspaces
    #[command(subcommand)]
    Workspace(commands::workspace::Workspace),
    /// Create, list, revoke and rotate keys
    #[command(subcommand)]
    Key(commands::key::Key),
    /// Label custom fields of contacts; list, make and undo merges
    #[command(subcommand)]
    Contact(commands::contact::Contact),
    /// Name types of conversions, say what is revenue and whose events count
    #[command(subcommand)]
    Conversion(commands::conversion::Conversion),
    /// Make, list, try and remove the rules that turn events and webhooks into conversions
    #[command(subcommand)]
    Mapping(commands::mapping::Mapping),
    /// Open, list, change and close webhook endpoints
    #[command(subcommand)]
    Webhook(commands::webhook::Webhook),
    /// List the audit log of tool calls and verify its chain
    #[command(subcommand)]
    Audit(commands::audit::Audit),
    /// Import events or ad spend from files
    #[command(subcommand)]
    Import(import::command::Import),
    /// Set and list currency rates, by which spend is converted
    #[command(subcommand)]
    Rate(commands::rate::Rate),
    /// Write a workspace's events to a file
    Export(export::command::Export),
    /// Forget a person: their events vanish from answers at once
    Erase(commands::erase::Erase),
    /// Check folder, keys, hashes, audit chain, clock and disk, and say what to do
    Doctor,
    /// Copy the data folder consistently, while it runs too
    Backup(commands::backup::Backup),
    /// Make a data folder from a backup
    Restore(commands::restore::Restore),
    /// Show, check and document the configuration
    #[command(subcommand)]
    Config(commands::config::Config),
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    // clap writes its own usage errors and leaves with code 2, as documented.
    let cli = Cli::parse();
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::internal("the runtime cannot start").caused_by(error))
        .and_then(|runtime| runtime.block_on(Box::pin(run(cli))));
    match outcome {
        Ok(exit) => exit.into(),
        Err(error) => {
            output::error(&error);
            Exit::from(&error).into()
        }
    }
}

async fn run(cli: Cli) -> Result<Exit> {
    let flags = Flags { file: cli.common.config, log_format: cli.common.log_format };
    let data = match &cli.command {
        // Without --data the demo keeps out of the folder real data would be in.
        Command::Demo(_) if cli.common.data == Path::new(DEFAULT_DATA) => PathBuf::from(demo::command::DEFAULT_DATA),
        _ => cli.common.data,
    };
    let config = load(&data, &flags)?;
    let globals = Globals {
        data,
        config: Arc::new(config),
        json: cli.common.json,
        clock: system::clock(),
        entropy: system::entropy(),
        inspects: false,
    };
    match &cli.command {
        Command::Serve(_) | Command::Demo(_) => log::as_configured(&globals.config.log),
        _ => log::quietly(&globals.config.log),
    }
    match cli.command {
        Command::Serve(serve) => commands::serve::run(serve, &globals).await,
        Command::Demo(demo) => Box::pin(demo::command::run(demo, &globals)).await,
        Command::Query(query) => commands::query::run(query, &globals).await,
        Command::Metrics(metrics) => commands::metrics::run(metrics, &globals).await,
        Command::Saved(saved) => commands::saved::run(saved, &globals).await,
        Command::Search(search) => commands::lookup::search(search, &globals).await,
        Command::Dates(dates) => commands::lookup::dates(dates, &globals).await,
        Command::Ads(ads) => commands::ads::run(ads, &globals).await,
        Command::Spend(spend) => commands::spend::run(spend, &globals).await,
        Command::Account(command) => commands::account::run(command, &globals).await,
        Command::Workspace(command) => commands::workspace::run(command, &globals).await,
        Command::Key(command) => commands::key::run(command, &globals).await,
        Command::Contact(command) => commands::contact::run(command, &globals).await,
        Command::Conversion(command) => commands::conversion::run(command, &globals).await,
        Command::Mapping(command) => commands::mapping::run(command, &globals).await,
        Command::Webhook(command) => commands::webhook::run(command, &globals).await,
        Command::Audit(command) => commands::audit::run(command, &globals).await,
        Command::Import(import) => Box::pin(import::command::run(import, &globals)).await,
        Command::Rate(rate) => commands::rate::run(rate, &globals).await,
        Command::Export(export) => Box::pin(export::command::run(export, &globals)).await,
        Command::Erase(erase) => commands::erase::run(erase, &globals).await,
        Command::Doctor => commands::doctor::run(&globals).await,
        Command::Backup(backup) => commands::backup::run(backup, &globals).await,
        Command::Restore(restore) => commands::restore::run(restore, &globals).await,
        Command::Config(command) => commands::config::run(command, &globals),
    }
}
