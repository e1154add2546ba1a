//! What a User-Agent says: bot or not, browser, system, device type. Tables are compiled at first use; what was read is
//! remembered in a bounded cache.

mod bots;
mod device;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

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

/// Agents remembered per generation; two generations are kept.
const CACHED_AGENTS: usize = 4_096;

/// The tables and the cache.
pub struct Agents {
    tables: OnceLock<(Bots, Devices)>,
    cache: Mutex<Cache>,
}

impl Agents {
    /// Nothing is compiled yet.
    pub fn new() -> Self {
        Self { tables: OnceLock::new(), cache: Mutex::default() }
    }

    /// Compiles the tables, if that has not happened.
    pub fn warm(&self) {
        self.tables();
    }

    /// Reads a User-Agent.
    pub fn read(&self, user_agent: &str) -> Arc<Agent> {
        if let Some(known) = self.lock().find(user_agent) {
            return known;
        }
        // Read outside the lock: two threads may read the same new agent, to the same result.
        let (bots, devices) = self.tables();
        let (browser, os, device_type) = devices.read(user_agent);
        let agent = Arc::new(Agent { bot: bots.label(user_agent), browser, os, device_type });
        self.lock().keep(user_agent, agent.clone());
        agent
    }

    fn tables(&self) -> &(Bots, Devices) {
        self.tables.get_or_init(|| (Bots::compile(), Devices::compile()))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Cache> {
        // The cache is whole between any two statements: a panic elsewhere leaves nothing half done in it.
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Agents {
    fn default() -> Self {
        Self::new()
    }
}

/// Two generations: when the young one is full it becomes the old one, and the old one is dropped. What is still in use
/// moves back to the young one, so the least recently used half goes, at one hash look-up per read.
#[derive(Default)]
struct Cache {
    young: HashMap<Box<str>, Arc<Agent>>,
    old: HashMap<Box<str>, Arc<Agent>>,
}

impl Cache {
    fn find(&mut self, user_agent: &str) -> Option<Arc<Agent>> {
        if let Some(agent) = self.young.get(user_agent) {
            return Some(agent.clone());
        }
        let (key, agent) = self.old.remove_entry(user_agent)?;
        self.insert(key, agent.clone());
        Some(agent)
    }

    fn keep(&mut self, user_agent: &str, agent: Arc<Agent>) {
        self.insert(user_agent.into(), agent);
    }

    fn insert(&mut self, key: Box<str>, agent: Arc<Agent>) {
        if self.young.len() >= CACHED_AGENTS {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, agent);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_is_bounded_and_keeps_what_is_in_use() {
        let agent = Arc::new(Agent { bot: None, browser: None, os: None, device_type: None });
        let mut cache = Cache::default();
        cache.keep("regular", agent.clone());
        for number in 0..10 * CACHED_AGENTS {
            cache.keep(&format!("passing {number}"), agent.clone());
            assert!(cache.find("regular").is_some(), "{number}");
        }
        assert!(cache.young.len() + cache.old.len() <= 2 * CACHED_AGENTS);
        assert!(cache.find("passing 0").is_none());
    }
}
