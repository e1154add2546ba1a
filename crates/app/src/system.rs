//! The real clock, the real randomness and the machine's size: the only place that asks the operating system for them.

use std::fs;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use tributary_core::clock::{Clock, SharedClock};
use tributary_core::entropy::{Entropy, SharedEntropy};

/// The system's clock.
pub fn clock() -> SharedClock {
    Arc::new(SystemClock)
}

/// The operating system's generator.
pub fn entropy() -> SharedEntropy {
    Arc::new(SystemEntropy)
}

/// The machine's memory, or what this process's control group allows if that is less; `None` where the system does not tell.
pub fn memory_bytes() -> Option<u64> {
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| total_of(&text));
    let group = fs::read_to_string("/sys/fs/cgroup/memory.max").ok().and_then(|text| text.trim().parse().ok());
    match (machine, group) {
        (Some(machine), Some(group)) => Some(u64::min(machine, group)),
        (machine, group) => machine.or(group),
    }
}

/// `MemTotal` of `/proc/meminfo`, which counts in KiB.
fn total_of(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1_024)
}

#[derive(Debug)]
struct SystemClock;

impl Clock for SystemClock {
    fn now_us(&self) -> i64 {
        #[expect(clippy::disallowed_methods, reason = "this is the clock that everybody else is handed")]
        let now = SystemTime::now();
        match now.duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_micros()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_micros()).map_or(i64::MIN, |micros| -micros),
        }
    }
}

#[derive(Debug)]
struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        #[expect(clippy::disallowed_methods, reason = "this is the source that everybody else is handed")]
        getrandom::fill(bytes).expect("the operating system has randomness; without it no key can be made safely");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_as_linux_writes_it() {
        assert_eq!(total_of("MemTotal:       24586104 kB\nMemFree:  1 kB\n"), Some(24_586_104 * 1_024));
        for text in ["", "MemFree: 1 kB\n", "MemTotal: many kB\n", "MemTotal: 1 MB\n", "MemTotal: 18446744073709551615 kB\n"] {
            assert_eq!(total_of(text), None, "{text}");
        }
    }
}
