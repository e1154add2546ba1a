//! Loading a fresh data folder the way a user does: an account, two workspaces, `tributary import events`.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::events::{count_rows, giant, shards};
use crate::failure::{Failure, Result};
use crate::measure::rounded;
use crate::say::say;
use crate::tributary::Tributary;
use crate::work::Work;

/// Slug of the workspace with the benchmark's events.
pub const BENCH: &str = "bench";
/// Slug of the workspace with the giant.
pub const GIANT: &str = "giant";
/// What the columns of the event file mean: the example mapping of the documentation.
const MAPPING: &str = include_str!("../../../examples/mappings/bench.toml");

/// A loaded folder.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Loaded {
    /// The folder.
    pub data: PathBuf,
    /// Keys of the workspace `bench`.
    pub keys: Keys,
    /// How loading went.
    pub import: Import,
}

/// Keys of a workspace.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Keys {
    /// For sending.
    pub sk: String,
    /// For asking.
    pub rk: String,
}

/// How loading went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Import {
    /// Rows stored.
    pub rows: u64,
    /// Seconds the command took, shards together.
    pub seconds: f64,
    /// The first divided by the second.
    pub rows_per_second: f64,
}

/// What is loaded.
pub struct Source<'a> {
    /// The event file.
    pub file: &'a Path,
    /// How often it is loaded, each time as other visitors.
    pub shards: u32,
    /// The giant's file; `None` leaves it out.
    pub giant: Option<&'a Path>,
}

/// Loads a fresh folder.
pub fn load(tributary: &Tributary, work: &Work, source: &Source<'_>) -> Result<Loaded> {
    let data = work.data();
    if data.exists() {
        fs::remove_dir_all(&data).map_err(|error| Failure::at("emptying", &data, error))?;
    }
    let account = tributary.run(&data, &["account", "create", "--name", "Bench", "--plan", "business"])?;
    let account = number(&account, "id")?.to_string();
    let keys = workspace(tributary, &data, &account, BENCH)?;
    let mapping = work.root().join("mapping.toml");
    fs::write(&mapping, MAPPING).map_err(|error| Failure::at("writing", &mapping, error))?;
    let (mut rows, mut seconds) = (0, 0.0);
    for suffix in shards::suffixes(source.shards) {
        let shard = work.file("shard", "parquet");
        let file = if suffix.is_empty() { source.file } else { shard.as_path() };
        if !suffix.is_empty() {
            say(&format!("writing the shard of visitors `…{suffix}`"));
            shards::write(source.file, &suffix, &shard)?;
        }
        say(&format!("importing {}", file.display()));
        let begin = Instant::now();
        rows += import(tributary, &data, BENCH, &mapping, file)?;
        seconds += begin.elapsed().as_secs_f64();
        if !suffix.is_empty() {
            fs::remove_file(&shard).map_err(|error| Failure::at("removing", &shard, error))?;
        }
    }
    let expected = count_rows(source.file)? * u64::from(source.shards.max(1));
    if rows != expected {
        return Err(Failure::new(format!("{rows} of {expected} rows were stored; the import rejected the others")));
    }
    if let Some(file) = source.giant {
        workspace(tributary, &data, &account, GIANT)?;
        import(tributary, &data, GIANT, &mapping, file)?;
    }
    let import = Import { rows, seconds: rounded(seconds), rows_per_second: (rows as f64 / seconds).round() };
    let loaded = Loaded { data, keys, import };
    fs::write(work.file("loaded", "json"), serde_json::to_vec_pretty(&loaded)?)?;
    Ok(loaded)
}

/// The folder an earlier run has loaded.
pub fn reuse(work: &Work) -> Result<Loaded> {
    let note = work.file("loaded", "json");
    let text = fs::read(&note)
        .map_err(|_| Failure::new(format!("there is no {}: nothing was loaded before; leave --reuse out", note.display())))?;
    Ok(serde_json::from_slice(&text)?)
}

/// Writes the giant's file unless it is there. A small run gets a smaller giant, so that its workspace stays the smaller one.
pub fn giant_file(work: &Work, rows: u64) -> Result<PathBuf> {
    let file = work.file("giant", "parquet");
    if !file.is_file() {
        giant::write((rows / 2).clamp(1_000, giant::GIANT_EVENTS), &file)?;
    }
    Ok(file)
}

fn workspace(tributary: &Tributary, data: &Path, account: &str, slug: &str) -> Result<Keys> {
    let arguments =
        ["workspace", "create", "--account", account, "--name", slug, "--slug", slug, "--timezone", "UTC", "--currency", "USD"];
    let answer = tributary.run(data, &arguments)?;
    let keys = find(&answer, "keys").ok_or_else(|| Failure::new("`workspace create` printed no keys"))?;
    let key = |kind: &str| -> Result<String> {
        let text = keys.get(kind).and_then(Value::as_str);
        text.map(str::to_owned).ok_or_else(|| Failure::new(format!("`workspace create` printed no {kind} key")))
    };
    Ok(Keys { sk: key("sk")?, rk: key("rk")? })
}

fn import(tributary: &Tributary, data: &Path, workspace: &str, mapping: &Path, file: &Path) -> Result<u64> {
    let (mapping, file) = (mapping.to_string_lossy(), file.to_string_lossy());
    let answer = tributary.run(data, &["import", "events", "--workspace", workspace, "--mapping", &mapping, &file])?;
    number(&answer, "accepted")
}

fn number(answer: &Value, name: &str) -> Result<u64> {
    find(answer, name).and_then(Value::as_u64).ok_or_else(|| Failure::new(format!("no `{name}` in {answer}")))
}

/// The value under a name, at the top or below.
fn find<'a>(answer: &'a Value, name: &str) -> Option<&'a Value> {
    match answer {
        Value::Object(map) => map.get(name).or_else(|| map.values().find_map(|inner| find(inner, name))),
        Value::Array(list) => list.iter().find_map(|inner| find(inner, name)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}
