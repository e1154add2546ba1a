//! Cold: a fresh process for every question, with the files dropped from the page cache before.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use crate::engine::Engine;
use crate::failure::{Failure, Result};
use crate::measure::{Spread, ms_since, rounded};
use crate::peers::{PEERS, Peers};
use crate::question::basic;
use crate::report::Timed;
use crate::say::say;
use crate::work::files_below;

/// Fresh processes of ours per question; the median counts. Peers are asked once, they take seconds.
const REPEATS: usize = 3;

/// Cold questions.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Cold {
    /// How the files left the page cache.
    pub way: Way,
    /// By question.
    pub questions: IndexMap<String, ColdQuestion>,
}

/// How files leave the page cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// The kernel dropped its whole cache (`/proc/sys/vm/drop_caches`), directories included.
    DropCaches,
    /// `dd iflag=nocache` on every file of the folder, for users who are not root.
    PerFile,
}

/// One question, cold.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ColdQuestion {
    /// From asking to the answer, in a process that has just opened the folder, milliseconds.
    pub tributary_ms: f64,
    /// Opening the folder, milliseconds.
    pub open_ms: f64,
    /// The peer's, in a process that has just opened its database.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duckdb_ms: Option<f64>,
    /// The peer's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clickhouse_ms: Option<f64>,
    /// The better peer **warm**, from the rounds of the same run, divided by ours cold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ratio_to_better_peer_warm: Option<f64>,
    /// The better peer cold divided by ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ratio_to_better_peer_cold: Option<f64>,
}

/// What a fresh process says.
#[derive(Debug, Serialize, Deserialize)]
pub struct Once {
    open_ms: f64,
    ms: f64,
    /// The same question asked again, if it was: the median.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    again_ms: Option<f64>,
}

/// Asks q1 to q8 cold.
pub fn measure(
    data: &Path,
    memory_mb: u64,
    visitor: &str,
    peers: Option<&Peers>,
    warm: &IndexMap<String, Timed>,
) -> Result<Cold> {
    let mut cold = Cold { way: Way::DropCaches, questions: IndexMap::new() };
    for asked in basic(visitor)? {
        say(&format!("cold {}", asked.name));
        let mut times = Vec::new();
        for _ in 0..REPEATS {
            cold.way = evict(data)?;
            times.push(once(data, memory_mb, visitor, asked.name)?);
        }
        let median = |of: fn(&Once) -> f64| Spread::of(&times.iter().map(of).collect::<Vec<_>>()).map_or(0.0, |one| one.median);
        let ours = median(|once| once.ms);
        let mut theirs = IndexMap::new();
        if let Some(peers) = peers {
            for peer in PEERS {
                evict(peers.folder())?;
                theirs.insert(peer, rounded(peers.ask_once(peer, asked.name)?.1));
            }
        }
        let ratio = |better: Option<f64>| better.map(|better| rounded(better / ours.max(1e-6)));
        let warm = warm.get(asked.name);
        let better_warm = [warm.and_then(|warm| warm.duckdb_ms), warm.and_then(|warm| warm.clickhouse_ms)];
        let question = ColdQuestion {
            tributary_ms: ours,
            open_ms: median(|once| once.open_ms),
            duckdb_ms: theirs.get("duckdb").copied(),
            clickhouse_ms: theirs.get("clickhouse").copied(),
            ratio_to_better_peer_warm: ratio(better_warm.into_iter().flatten().reduce(f64::min)),
            ratio_to_better_peer_cold: ratio(theirs.values().copied().reduce(f64::min)),
        };
        cold.questions.insert(asked.name.to_owned(), question);
    }
    Ok(cold)
}

fn once(data: &Path, memory_mb: u64, visitor: &str, question: &str) -> Result<Once> {
    let this = std::env::current_exe()?;
    let mut command = Command::new(&this);
    command.args(["part", "ask", "--question", question, "--visitor", visitor]);
    command.args(["--memory-mb", &memory_mb.to_string(), "--data"]).arg(data);
    let done = command.output()?;
    if !done.status.success() {
        return Err(Failure::new(format!("{question} cold: {}", String::from_utf8_lossy(&done.stderr).trim())));
    }
    Ok(serde_json::from_slice(&done.stdout)?)
}

/// The fresh process: opens the folder, asks one question, as many `times` as told.
pub async fn ask_once(data: &Path, memory_mb: u64, visitor: &str, question: &str, times: u32) -> Result<Once> {
    let asked = basic(visitor)?.into_iter().find(|asked| asked.name == question);
    let asked = asked.ok_or_else(|| Failure::new(format!("there is no question `{question}`")))?;
    let begin = Instant::now();
    let engine = Engine::open(data, memory_mb).await?;
    let open_ms = ms_since(begin);
    let (ms, _) = engine.ask(asked.place, asked.question.clone()).await?;
    let mut again = Vec::new();
    for _ in 1..times {
        again.push(engine.ask(asked.place, asked.question.clone()).await?.0);
    }
    engine.close().await?;
    Ok(Once { open_ms, ms, again_ms: Spread::of(&again).map(|again| again.median) })
}

/// Takes the files of a folder out of the page cache.
fn evict(folder: &Path) -> Result<Way> {
    Command::new("sync").status()?;
    if fs::write("/proc/sys/vm/drop_caches", "3").is_ok() {
        return Ok(Way::DropCaches);
    }
    for (file, _) in files_below(folder)? {
        let mut named = std::ffi::OsString::from("if=");
        named.push(&file);
        let done = Command::new("dd").arg(named).args(["iflag=nocache", "count=0", "status=none"]).status();
        if !done.is_ok_and(|status| status.success()) {
            return Err(Failure::new(format!(
                "{} cannot be taken out of the page cache: run as root, or have GNU dd at hand; or leave `cold` out of --parts",
                file.display()
            )));
        }
    }
    Ok(Way::PerFile)
}
