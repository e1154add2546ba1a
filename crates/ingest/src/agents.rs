//! What a User-Agent says: bot or not, browser, system, device type. Tables are compiled at first use; what was read is
//! remembered in a bounded cache.

mod bots;
mod device;

use std::sync::{Arc, OnceLock};

use crate::memo::{Bounds, Memo};
use bots::Bots;
use device::Devices;

/// What one User-Agent says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agent {
    /// `isbot:<matched text>@<version>` for bots.
    pub bot: Option<String>,
    /// `chrome`, `firefox`, `safari`, `edge`, `opera`.
    pub browser: Option<&'static str>,
    /// `windows`, `macos`, `android`, `ios`, `linux`.
    pub os: Option<&'static str>,
    /// `mobile`, `tablet`, `desktop`.
    pub device_type: Option<&'static str>,
}

/// Agents remembered. Reading one takes long, so no length that gets here is left out (`MAX_USER_AGENT_CHARS`).
const REMEMBERED_AGENTS: Bounds = Bounds { per_generation: 4_096, text_bytes: 8_192 };

/// The tables and the cache.
pub struct Agents {
    tables: OnceLock<(Bots, Devices)>,
    cache: Memo<Arc<Agent>>,
}

impl Agents {
    /// Nothing is compiled yet.
    pub fn new() -> Self {
        Self { tables: OnceLock::new(), cache: Memo::new(REMEMBERED_AGENTS) }
    }

    /// Compiles the tables, if that has not happened.
    pub fn warm(&self) {
        self.tables();
    }

    /// Reads a User-Agent.
    pub fn read(&self, user_agent: &str) -> Arc<Agent> {
        if let Some(known) = self.cache.find(user_agent) {
            return known;
        }
        // Two threads may read the same new agent, to the same result.
        let (bots, devices) = self.tables();
        let (browser, os, device_type) = devices.read(user_agent);
        let agent = Arc::new(Agent { bot: bots.label(user_agent), browser, os, device_type });
        self.cache.keep(user_agent, agent.clone());
        agent
    }

    fn tables(&self) -> &(Bots, Devices) {
        self.tables.get_or_init(|| (Bots::compile(), Devices::compile()))
    }
}

impl Default for Agents {
    fn default() -> Self {
        Self::new()
    }
}
