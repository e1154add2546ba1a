//! Resident memory while questions run, and what an event costs once it is decoded.

use serde::{Deserialize, Serialize};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use tributary_core::money::Currency;
use tributary_events::field::{DIMENSIONS, Field};
use tributary_events::filter::{Filter, Test};
use tributary_events::question::Metric;

use crate::engine::{Engine, Place};
use crate::failure::{Failure, Result};
use crate::measure::rounded;
use crate::question::whole;

/// How often the process is looked at.
const SAMPLE_EVERY: Duration = Duration::from_millis(10);
/// A budget no folder of this benchmark reaches, megabytes: everything decoded stays.
const AMPLE_MB: u64 = 65_536;

/// Dimensions that are worked out of other columns.
const DERIVED: [Field; 7] =
    [Field::SessionId, Field::AnonymousId, Field::Channel, Field::Visit, Field::CampaignId, Field::AdSetId, Field::AdId];

/// Memory of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// The engine's budget, bytes.
    pub budget_bytes: u64,
    /// Most anonymous memory (`RssAnon`) seen while the rounds ran, bytes; the benchmark's own is part of it.
    pub peak_anonymous_bytes: u64,
    /// The same before the first question.
    pub before_bytes: u64,
    /// Most resident memory of the process (`VmHWM`), files included.
    pub peak_resident_bytes: u64,
    /// Bytes per event with every column but `properties` decoded; absent when that part was not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decoded: Option<Decoded>,
}

/// What decoded columns cost.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decoded {
    /// As the engine counts its decoded columns.
    pub counted_bytes_per_event: f64,
    /// Anonymous memory the process has gained, scratch included.
    pub resident_bytes_per_event: f64,
    /// As the engine counts them, with the ids of events, too.
    pub with_event_ids_bytes_per_event: f64,
}

/// A field of `/proc/<process>/status` that is given in kilobytes, in bytes.
pub fn status_bytes(process: Option<u32>, field: &str) -> u64 {
    let process = process.map_or_else(|| String::from("self"), |id| id.to_string());
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    line.and_then(|rest| rest.trim().split(' ').next()?.parse::<u64>().ok()).unwrap_or(0) * 1024
}

/// Watches the anonymous memory of a process until it is stopped.
pub struct Watch {
    stop: Arc<AtomicBool>,
    peak: Arc<AtomicU64>,
    thread: JoinHandle<()>,
    before: u64,
}

impl Watch {
    /// Watches a process, this one unless another is named.
    pub fn start(process: Option<u32>) -> Watch {
        let (stop, peak) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let before = status_bytes(process, "RssAnon");
        let (stopped, highest) = (stop.clone(), peak.clone());
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                highest.fetch_max(status_bytes(process, "RssAnon"), Ordering::Relaxed);
                std::thread::sleep(SAMPLE_EVERY);
            }
        });
        Watch { stop, peak, thread, before }
    }

    /// Stops; what was anonymous before and at most, bytes.
    pub fn stop(self) -> (u64, u64) {
        self.stop.store(true, Ordering::Relaxed);
        let _ended = self.thread.join();
        (self.before, self.peak.load(Ordering::Relaxed))
    }
}

/// Measures what decoded columns cost, in a fresh process.
pub fn decoded(data: &Path) -> Result<Decoded> {
    let this = std::env::current_exe()?;
    let done = Command::new(&this).args(["part", "decoded", "--data"]).arg(data).output()?;
    if !done.status.success() {
        return Err(Failure::new(String::from_utf8_lossy(&done.stderr).trim().to_owned()));
    }
    Ok(serde_json::from_slice(&done.stdout)?)
}

/// The fresh process: touches every column but `properties` and looks at what has become of its memory.
pub async fn decode_everything(data: &Path) -> Result<Decoded> {
    let engine = Engine::open(data, AMPLE_MB).await?;
    let before = status_bytes(None, "RssAnon");
    let usd: Currency = "USD".parse()?;
    // Every column that is stored; ids of events, which are all different, by themselves below.
    let present = |field: &Field| Metric::EventsWhere(vec![Filter { field: field.clone(), test: Test::Present }]);
    let stored = DIMENSIONS.iter().map(|dimension| &dimension.field).filter(|field| !DERIVED.contains(*field));
    let mut metrics: Vec<Metric> = stored.filter(|field| **field != Field::EventId).map(present).collect();
    metrics.extend([Metric::Events, Metric::Visitors, Metric::Amount(usd)]);
    engine.ask(Place::Bench, whole(&metrics, Vec::new())?).await?;
    let groups =
        [Field::EventName, Field::Source, Field::Medium, Field::Campaign, Field::Browser, Field::DeviceType, Field::Path];
    for field in groups {
        engine.ask(Place::Bench, whole(&[Metric::Events], vec![field])?).await?;
    }
    let (_, answer) = engine.ask(Place::Bench, whole(&[Metric::Events], Vec::new())?).await?;
    let tributary_events::answer::Answer::Aggregate(answer) = answer else {
        return Err(Failure::new("a count was answered with something else"));
    };
    let events = answer.totals.first().copied().unwrap_or(0).max(1) as f64;
    let gained = status_bytes(None, "RssAnon").saturating_sub(before);
    let counted = engine.stats()?.cache_bytes;
    engine.ask(Place::Bench, whole(&[present(&Field::EventId)], Vec::new())?).await?;
    let with_ids = engine.stats()?.cache_bytes;
    engine.close().await?;
    Ok(Decoded {
        counted_bytes_per_event: rounded(counted as f64 / events),
        resident_bytes_per_event: rounded(gained as f64 / events),
        with_event_ids_bytes_per_event: rounded(with_ids as f64 / events),
    })
}
