//! What types cannot say about a configuration.

use std::net::SocketAddr;

use tributary_control::normalise_origin;
use tributary_core::error::{Code, Error, Result};
use tributary_events::question::MAX_GROUPS;
use tributary_http::settings::Network;

use super::Config;

/// The smallest useful column cache, megabytes.
pub const MIN_MEMORY_MB: u64 = 16;
/// The largest that means anything, megabytes.
const MAX_MEMORY_MB: u64 = 16 << 20;

/// The longest a question may be allowed to take, seconds.
const MAX_QUESTION_SECONDS: u64 = 3_600;
/// The most questions under way or waiting that may be configured.
const MAX_QUESTIONS: u64 = 100_000;
/// The most connections that may be configured.
const MAX_CONNECTIONS: u32 = 1_000_000;

/// Refuses values that would only fail later, naming the key and what would be accepted.
pub fn check(config: &Config) -> Result<()> {
    listen_address(&config.server.listen)?;
    if let Some(url) = &config.server.public_url {
        origin("server.public_url", url)?;
        if url.ends_with('/') {
            return Err(refuse("server.public_url", "must not end with a slash"));
        }
    }
    for proxy in &config.server.trusted_proxies {
        network(proxy)?;
    }
    for allowed in &config.server.allowed_origins {
        origin("server.allowed_origins", allowed)?;
    }
    if !(1..=MAX_CONNECTIONS).contains(&config.server.max_connections) {
        return Err(refuse("server.max_connections", &format!("must be between 1 and {MAX_CONNECTIONS}")));
    }
    let limits = &config.limits;
    for (key, value) in [
        ("limits.track_per_second", limits.track_per_second),
        ("limits.track_burst", limits.track_burst),
        ("limits.batch_per_second", limits.batch_per_second),
        ("limits.batch_burst", limits.batch_burst),
        ("limits.list_contacts_per_minute", limits.list_contacts_per_minute),
        ("limits.get_contact_per_minute", limits.get_contact_per_minute),
        ("limits.write_contact_per_minute", limits.write_contact_per_minute),
        ("limits.list_companies_per_minute", limits.list_companies_per_minute),
        ("limits.get_company_per_minute", limits.get_company_per_minute),
        ("limits.write_company_per_minute", limits.write_company_per_minute),
        ("limits.query_metrics_per_minute", limits.query_metrics_per_minute),
        ("limits.definitions_per_minute", limits.definitions_per_minute),
        ("limits.list_events_per_minute", limits.list_events_per_minute),
        ("limits.get_event_per_minute", limits.get_event_per_minute),
        ("limits.create_export_per_minute", limits.create_export_per_minute),
        ("limits.get_export_per_minute", limits.get_export_per_minute),
    ] {
        if value == 0 {
            return Err(refuse(key, "must be at least 1; to switch limits off set limits.enforce = false"));
        }
    }
    let engine = &config.engine;
    if engine.memory_budget_mb.is_some_and(|budget| !(MIN_MEMORY_MB..=MAX_MEMORY_MB).contains(&budget)) {
        return Err(refuse(
            "engine.memory_budget_mb",
            &format!("must be between {MIN_MEMORY_MB} and {MAX_MEMORY_MB}; leave it out to take a quarter of the memory"),
        ));
    }
    for (key, value, least, most) in [
        ("engine.question_max_seconds", engine.question_max_seconds, 1, MAX_QUESTION_SECONDS),
        ("engine.question_max_groups", engine.question_max_groups, 1, MAX_GROUPS as u64),
        ("engine.question_max_memory_mb", engine.question_max_memory_mb, 1, MAX_MEMORY_MB),
        ("engine.questions_at_once", u64::from(engine.questions_at_once), 1, MAX_QUESTIONS),
        ("engine.questions_per_workspace", u64::from(engine.questions_per_workspace), 1, MAX_QUESTIONS),
        ("engine.questions_waiting", u64::from(engine.questions_waiting), 0, MAX_QUESTIONS),
    ] {
        if !(least..=most).contains(&value) {
            return Err(refuse(key, &format!("must be between {least} and {most}")));
        }
    }
    for (key, value, least) in [
        ("engine.flush_events", engine.flush_events, 1),
        ("engine.flush_after_seconds", engine.flush_after_seconds, 1),
        ("engine.tail_events", engine.tail_events, 1_000),
        ("engine.segment_rows", engine.segment_rows, 1_000),
        ("engine.queue_events", engine.queue_events, 1_000),
    ] {
        if value < least {
            return Err(refuse(key, &format!("must be at least {least}")));
        }
    }
    if engine.threads == Some(0) {
        return Err(refuse("engine.threads", "must be at least 1; leave it out to use every core"));
    }
    if tracing_subscriber::EnvFilter::try_new(&config.log.filter).is_err() {
        return Err(refuse(
            "log.filter",
            "must be a level (error, warn, info, debug, trace) or a filter such as info,tributary_http=debug",
        ));
    }
    Ok(())
}

/// Reads `server.listen`.
pub fn listen_address(text: &str) -> Result<SocketAddr> {
    text.parse().map_err(|_| {
        refuse(
            "server.listen",
            &format!("`{text}` is not an address with a port; accepted: 127.0.0.1:8787, 0.0.0.0:80, [::1]:8787"),
        )
    })
}

fn network(text: &str) -> Result<()> {
    text.parse::<Network>().map(|_| ()).map_err(|error| refuse("server.trusted_proxies", error.message()))
}

fn origin(key: &str, text: &str) -> Result<()> {
    normalise_origin(text).map(|_| ()).map_err(|error| refuse(key, error.message()))
}

fn refuse(key: &str, reason: &str) -> Error {
    Error::new(Code::InvalidParams, format!("configuration key `{key}`: {reason}"))
}
