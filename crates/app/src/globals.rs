//! What every command is handed: the folder's path, the effective configuration, how to print, clock and randomness.

use std::path::PathBuf;
use std::sync::Arc;

use tributary_core::clock::SharedClock;
use tributary_core::entropy::SharedEntropy;

use crate::config::Config;

/// What every command is handed.
#[derive(Clone)]
pub struct Globals {
    /// `--data`: the data folder; it may not exist yet.
    pub data: PathBuf,
    /// The effective configuration.
    pub config: Arc<Config>,
    /// `--json`: machine-readable output.
    pub json: bool,
    /// The clock.
    pub clock: SharedClock,
    /// The source of randomness.
    pub entropy: SharedEntropy,
}
