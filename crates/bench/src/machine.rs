//! Where the run happens: processor, memory, kernel, load, and how long the disk takes to sync.

use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Instant;

use crate::failure::{Failure, Result};
use crate::measure::{Spread, ms_since};

/// Writes measured for [`Machine::fdatasync_ms`].
const SYNCS: usize = 200;
/// Bytes of each.
const SYNC_BYTES: usize = 4_096;

/// Where the run happened.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// Model of the processor.
    pub processor: String,
    /// Cores this process may use.
    pub cores: usize,
    /// Memory, bytes.
    pub memory_bytes: u64,
    /// Kernel release.
    pub kernel: String,
    /// Time of the run, UTC.
    pub at: String,
    /// Median time of `fdatasync` after a write of 4 KiB into the work folder, milliseconds (of 200).
    pub fdatasync_ms: f64,
    /// Load averages when the run began.
    pub load_average: [f64; 3],
}

/// Looks at this machine.
pub fn this(work: &Path, now: String) -> Result<Machine> {
    let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).and_then(|line| line.split_once(':'));
        line.map(|(_, value)| value.trim().to_owned())
    };
    let kilobytes = field(&text("/proc/meminfo"), "MemTotal").and_then(|value| value.split(' ').next()?.parse::<u64>().ok());
    Ok(Machine {
        processor: field(&text("/proc/cpuinfo"), "model name").unwrap_or_else(|| String::from(std::env::consts::ARCH)),
        cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        memory_bytes: kilobytes.unwrap_or(0) * 1024,
        kernel: text("/proc/sys/kernel/osrelease").trim().to_owned(),
        at: now,
        fdatasync_ms: fdatasync_ms(work)?,
        load_average: load_average(),
    })
}

/// The load averages over 1, 5 and 15 minutes.
pub fn load_average() -> [f64; 3] {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let mut numbers = text.split(' ').map(|number| number.parse().unwrap_or(0.0));
    std::array::from_fn(|_| numbers.next().unwrap_or(0.0))
}

fn fdatasync_ms(folder: &Path) -> Result<f64> {
    let path = folder.join("fdatasync");
    let mut file = File::create(&path).map_err(|error| Failure::at("writing", &path, error))?;
    let mut times = Vec::with_capacity(SYNCS);
    for number in 0..SYNCS {
        // As a log does: the same place again and again, so that no new length has to be written.
        file.seek(SeekFrom::Start((number % 16 * SYNC_BYTES) as u64))?;
        file.write_all(&[number as u8; SYNC_BYTES])?;
        let begin = Instant::now();
        file.sync_data()?;
        times.push(ms_since(begin));
    }
    drop(file);
    fs::remove_file(&path)?;
    Ok(Spread::of(&times).map_or(0.0, |spread| spread.median))
}
