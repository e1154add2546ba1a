//! Configuration: one file, every key also as an environment variable, flags above both.
//!
//! Precedence: flags, then `TRIBUTARY__SECTION__KEY`, then `DIR/tributary.toml` (or `--config FILE`), then the defaults
//! below. Unknown keys are refused. The doc comments here are what `config print` and `config schema` show.

pub mod bounds;
pub mod check;
pub mod load;
pub mod print;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Configuration of one Tributary process.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where the server listens and how it is seen from outside.
    pub server: Server,
    /// Rate limits per workspace and route.
    pub limits: Limits,
    /// How events are read and enriched.
    pub ingest: Ingest,
    /// The event engine.
    pub engine: Engine,
    /// Log lines.
    pub log: Log,
}

/// Where the server listens and how it is seen from outside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    /// Address and port to listen on; port 0 takes a free one. A server on anything but a loopback address should stand
    /// behind a proxy that speaks TLS.
    pub listen: String,
    /// The address clients use, such as https://analytics.example.com, when it differs from `listen` (behind a proxy).
    /// Shown in client configurations.
    pub public_url: Option<String>,
    /// Addresses or networks (CIDR) of proxies whose `X-Forwarded-For` and country headers are believed. From anybody
    /// else these headers are ignored.
    pub trusted_proxies: Vec<String>,
    /// Origins of web pages that may call `/mcp` from a browser, such as http://localhost:6274 (MCP Inspector), besides
    /// loopback origins. The origins a publishable key may be used from are set per workspace.
    pub allowed_origins: Vec<String>,
    /// Whether secret keys may read over REST too. The documented endpoints take read keys only.
    pub secret_keys_read: bool,
    /// Connections open at the same time at most; further ones wait. Stay below the process's limit of open files.
    pub max_connections: u32,
    /// Seconds a stopping server waits for requests under way.
    pub shutdown_grace_seconds: u64,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: String::from("127.0.0.1:8787"),
            public_url: None,
            trusted_proxies: Vec::new(),
            allowed_origins: Vec::new(),
            secret_keys_read: false,
            max_connections: 900,
            shutdown_grace_seconds: 15,
        }
    }
}

/// Rate limits: token buckets per workspace and route, in memory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Whether rate limits hold at all. Without them a single sender can fill the queue.
    pub enforce: bool,
    /// Requests to `POST /v1/track` and calls of `track_event` per second and workspace, sustained.
    pub track_per_second: u32,
    /// The same in one burst.
    pub track_burst: u32,
    /// Requests to `POST /v1/batch` per second and workspace, sustained. A request carries up to 1000 events.
    pub batch_per_second: u32,
    /// The same in one burst.
    pub batch_burst: u32,
    /// Requests to `GET /public-api/v1/contacts` per minute and workspace.
    pub list_contacts_per_minute: u32,
    /// Requests to `GET /public-api/v1/contacts/{id}` per minute and workspace.
    pub get_contact_per_minute: u32,
    /// Contacts created per minute and workspace, and contacts changed: so many of each.
    pub write_contact_per_minute: u32,
    /// Requests to `GET /public-api/v1/companies` per minute and workspace.
    pub list_companies_per_minute: u32,
    /// Requests to `GET /public-api/v1/companies/{id}` per minute and workspace.
    pub get_company_per_minute: u32,
    /// Companies changed per minute and workspace.
    pub write_company_per_minute: u32,
    /// Metric questions under `/public-api/v1`, saved reports and dashboards run, per workspace and minute.
    pub query_metrics_per_minute: u32,
    /// Types of conversions, mapping rules, webhook endpoints and custom fields read per minute and workspace, and changed: so
    /// many of each.
    pub definitions_per_minute: u32,
    /// Requests to `GET /public-api/v1/events` per minute and workspace.
    pub list_events_per_minute: u32,
    /// Requests to `GET /public-api/v1/events/{id}` per minute and workspace, to `POST /public-api/v1/events/aggregate`, and to
    /// `GET /public-api/v1/event-types`: so many of each.
    pub get_event_per_minute: u32,
    /// Exports begun per minute and workspace.
    pub create_export_per_minute: u32,
    /// Requests for the state of an export per minute and workspace.
    pub get_export_per_minute: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            enforce: true,
            track_per_second: 50,
            track_burst: 200,
            batch_per_second: 5,
            batch_burst: 20,
            list_contacts_per_minute: 15,
            get_contact_per_minute: 30,
            write_contact_per_minute: 60,
            list_companies_per_minute: 15,
            get_company_per_minute: 15,
            write_company_per_minute: 60,
            query_metrics_per_minute: 30,
            definitions_per_minute: 60,
            list_events_per_minute: 7,
            get_event_per_minute: 30,
            create_export_per_minute: 5,
            get_export_per_minute: 30,
        }
    }
}

/// How events are read and enriched.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Ingest {
    /// A MaxMind-format country or city database (`.mmdb`). Without one, the country comes from a trusted proxy's header
    /// or stays absent. A relative path starts at the data folder.
    pub geo_database: Option<PathBuf>,
}

/// The event engine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Engine {
    /// Megabytes of decoded columns kept in memory between questions; without a value, a quarter of the machine's memory
    /// (of what its control group allows, if that is less).
    pub memory_budget_mb: Option<u64>,
    /// Events in the log that start a flush into segments.
    pub flush_events: u64,
    /// Seconds events stay in the log at most before they are flushed.
    pub flush_after_seconds: u64,
    /// Events the log may hold at most; beyond, senders are answered 503 with Retry-After.
    pub tail_events: u64,
    /// Events waiting to be written to the log at most; beyond, senders are answered 503 with Retry-After.
    pub queue_events: u64,
    /// Rows in one segment at most.
    pub segment_rows: u64,
    /// Threads one question may use; without a value, one per core.
    pub threads: Option<u16>,
    /// Seconds one question may take; one that needs longer is refused. Also the longest it waits for its turn.
    pub question_max_seconds: u64,
    /// Groups (rows before the limit, values, cohorts) one question may hold; one that needs more is refused.
    pub question_max_groups: u64,
    /// Megabytes one question may hold beside the shared columns; one that needs more is refused.
    pub question_max_memory_mb: u64,
    /// Questions under way at once, over all workspaces; further ones wait.
    pub questions_at_once: u32,
    /// Questions of one workspace under way at once; further ones wait, so that one workspace cannot take every place.
    pub questions_per_workspace: u32,
    /// Questions waiting at most, half of them of one workspace; beyond, askers are answered 503 with Retry-After.
    pub questions_waiting: u32,
}

impl Default for Engine {
    fn default() -> Self {
        Self {
            memory_budget_mb: None,
            flush_events: 100_000,
            flush_after_seconds: 600,
            tail_events: 1_000_000,
            queue_events: 200_000,
            segment_rows: 8_000_000,
            threads: None,
            question_max_seconds: 30,
            question_max_groups: 100_000,
            question_max_memory_mb: 256,
            questions_at_once: 16,
            questions_per_workspace: 8,
            questions_waiting: 256,
        }
    }
}

/// Log lines, written to standard error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// Least severe level shown (error, warn, info, debug, trace), or a filter such as `info,tributary_http=debug`.
    pub filter: String,
    /// How lines look: for people, or one JSON object per line.
    pub format: LogFormat,
}

impl Default for Log {
    fn default() -> Self {
        Self { filter: String::from("info"), format: LogFormat::Human }
    }
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Human,
    /// One JSON object per line.
    Json,
}
