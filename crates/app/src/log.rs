//! Log lines on standard error.

use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat};

/// Below this nothing is shown by commands that end by themselves.
const QUIET: &str = "warn";

/// Shows log lines as configured: for commands that serve.
pub fn as_configured(log: &Log) {
    start(&log.filter, log.format);
}

/// Shows warnings only: for commands that end by themselves.
pub fn quietly(log: &Log) {
    start(QUIET, log.format);
}

fn start(filter: &str, format: LogFormat) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new(QUIET));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // Fails only when a subscriber is set already, as in tests that run commands in one process.
    let _ = match format {
        LogFormat::Human => lines.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).try_init(),
    };
}
