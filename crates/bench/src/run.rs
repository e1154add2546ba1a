//! The order of a run: set-up, the folder as ingest leaves it, compacted, then what changes it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use indexmap::IndexMap;
use tributary_app::system;
use tributary_core::time::format_utc;

use crate::answer::Table;
use crate::arguments::{Part, Run};
use crate::engine::Engine;
use crate::events::people::Visitors;
use crate::events::{count_rows, generate, shards};
use crate::failure::{Failure, Result};
use crate::load::{Loaded, Source, giant_file, load, reuse};
use crate::memory::{Memory, Watch, decoded, status_bytes};
use crate::peers::{Peer, Peers};
use crate::question::{Asked, Known, all};
use crate::report::{Compacted, PeersReport, Report, State};
use crate::rounds::Rounds;
use crate::say::{print, say};
use crate::tools;
use crate::tributary::Tributary;
use crate::work::{Work, settle};
use crate::{cold, disk, ingest, machine, markdown, mix, models, rounds, table};

/// Everything set-up leaves behind.
struct Prepared {
    tributary: Tributary,
    loaded: Loaded,
    visitors: Visitors,
    visitor: String,
    asked: Vec<Asked>,
    peers: Option<Peers>,
    people: PathBuf,
    giant: PathBuf,
}

/// Measures what is asked for. The exit code is 1 when an answer differs.
pub async fn run(arguments: &Run) -> Result<ExitCode> {
    let root = arguments.work.as_deref().ok_or_else(|| Failure::new("--work is needed: the folder to work in"))?;
    let rows = match &arguments.file {
        Some(file) => count_rows(file)?,
        None => arguments.rows,
    };
    let work = Work::open(root, rows)?;
    let now_us = system::clock().now_us();
    let mut report = Report {
        rows: rows * u64::from(arguments.shards),
        shards: arguments.shards,
        command: command_line(std::env::args().skip(1)),
        machine: machine::this(work.root(), format_utc(now_us))?,
        ..Report::default()
    };
    let prepared = prepare(arguments, &work, rows, &mut report)?;
    let begin = Instant::now();
    let answers = measure(arguments, &prepared, &mut report, now_us).await?;
    report.seconds = begin.elapsed().as_secs_f64().round();
    say(&format!("measured in {} s, set-up apart", report.seconds));
    if let Some(file) = &arguments.answers {
        write(file, &serde_json::to_string(&answers)?)?;
    }
    if let Some(file) = &arguments.json {
        write(file, &serde_json::to_string_pretty(&report)?)?;
    }
    show(&[report], arguments.markdown.as_deref())
}

/// Makes the tables from the JSON of earlier runs.
pub fn tables_of(arguments: &Run) -> Result<ExitCode> {
    let mut reports = Vec::with_capacity(arguments.from_json.len());
    for file in &arguments.from_json {
        let text = fs::read(file).map_err(|error| Failure::at("reading", file, error))?;
        let report: Report = serde_json::from_slice(&text)
            .map_err(|error| Failure::new(format!("{} is no --json of this program: {error}", file.display())))?;
        reports.push(report);
    }
    show(&reports, arguments.markdown.as_deref())
}

fn show(reports: &[Report], into: Option<&Path>) -> Result<ExitCode> {
    if let Some(first) = reports.first() {
        print(&table::all(first));
    }
    if let Some(file) = into {
        let before = fs::read_to_string(file).unwrap_or_default();
        write(file, &markdown::with_figures(&before, &markdown::figures(reports)))?;
    }
    let equal = reports.iter().all(Report::is_equal);
    Ok(if equal { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn prepare(arguments: &Run, work: &Work, rows: u64, report: &mut Report) -> Result<Prepared> {
    let tributary = Tributary::beside_this(arguments.memory_mb)?;
    let with_peers = arguments.peers.as_deref().filter(|_| arguments.shards == 1);
    if arguments.peers.is_some() && with_peers.is_none() {
        say("several shards: the peers are left out");
    }
    let file = match (&arguments.file, &arguments.peers) {
        (Some(file), _) => file.canonicalize().map_err(|error| Failure::at("finding", file, error))?,
        (None, Some(peers)) => {
            let file = work.file("events", "parquet");
            generate(&arguments.python, peers, rows, &file)?;
            file
        }
        (None, None) => {
            return Err(Failure::new(
                "there are no events: name a file with --file, or peers.py with --peers and generate.py beside it",
            ));
        }
    };
    let giant = giant_file(work, rows)?;
    let visitors = Visitors::read(&file)?;
    report.visitors = visitors.count() as u64;
    let people = work.file("people", "csv");
    visitors.write_people(&people)?;
    let threads = arguments.threads.unwrap_or(report.machine.cores);
    let peers = match with_peers {
        Some(source) => {
            let (peers, built) = Peers::prepare(&arguments.python, source, work, &file, threads)?;
            report.peers = Some(PeersReport { versions: IndexMap::new(), load: built.load });
            Some(peers)
        }
        None => None,
    };
    let loaded = if arguments.reuse {
        reuse(work)?
    } else {
        load(&tributary, work, &Source { file: &file, shards: arguments.shards, giant: Some(&giant) })?
    };
    report.import = Some(loaded.import.clone());
    say(&format!("imported {} rows in {} s", loaded.import.rows, loaded.import.seconds));
    let suffixes = shards::suffixes(arguments.shards);
    let visitor = format!("{}{}", visitors.greatest(), suffixes.first().map_or("", String::as_str));
    let known = Known { visitor: visitor.clone(), people: Some(visitors.people(&suffixes)?) };
    Ok(Prepared { tributary, loaded, visitors, visitor, asked: all(&known)?, peers, people, giant })
}

async fn measure(arguments: &Run, prepared: &Prepared, report: &mut Report, now_us: i64) -> Result<IndexMap<String, Table>> {
    let wants = |part: Part| arguments.parts.contains(&part);
    let data = prepared.loaded.data.as_path();
    let memory_mb = arguments.memory_mb;
    say(&format!("{} visitors, a fifth of them merged for q12", prepared.visitors.count()));
    let mut answers = IndexMap::new();
    if wants(Part::Engine) || wants(Part::Tools) || wants(Part::Attribution) {
        let engine = Engine::open(data, memory_mb).await?;
        settle(data).await?;
        if wants(Part::Engine) {
            let watch = Watch::start(None);
            let (state, found) = in_state(arguments, prepared, &engine, report).await?;
            let (before_bytes, peak_anonymous_bytes) = watch.stop();
            report.memory = Some(Memory {
                budget_bytes: memory_mb << 20,
                peak_anonymous_bytes,
                before_bytes,
                peak_resident_bytes: status_bytes(None, "VmHWM"),
                decoded: None,
            });
            report.state = Some(state);
            report.questions = found.questions;
            answers = found.answers;
        }
        if wants(Part::Attribution) {
            report.attribution = models::measure(&engine).await?;
        }
        engine.close().await?;
        if wants(Part::Tools) {
            say("asking through tools/call");
            report.tools = tools::measure(data, memory_mb, &prepared.visitor, &prepared.loaded.keys.rk)?;
        }
    }
    if wants(Part::Cold) {
        report.cold = Some(cold::measure(data, memory_mb, &prepared.visitor, prepared.peers.as_ref(), &report.questions)?);
    }
    if wants(Part::Memory) {
        let decoded = Some(decoded(data)?);
        let seen = report.memory.take().unwrap_or_default();
        report.memory = Some(Memory { budget_bytes: memory_mb << 20, decoded, ..seen });
    }
    if wants(Part::Compacted) {
        let engine = Engine::open(data, memory_mb).await?;
        say("compacting");
        let compaction_seconds = engine.compact().await?;
        let (state, found) = in_state(arguments, prepared, &engine, report).await?;
        engine.close().await?;
        report.compacted = Some(Compacted { compaction_seconds, state, questions: found.questions });
    }
    if wants(Part::Ingest) || wants(Part::Mix) {
        under_load(arguments, prepared, report, now_us).await?;
    }
    Ok(answers)
}

/// The rounds in the state the folder is in.
async fn in_state(arguments: &Run, prepared: &Prepared, engine: &Engine, report: &mut Report) -> Result<(State, Rounds)> {
    let mut open: Vec<Peer> = match &prepared.peers {
        Some(peers) => peers.open(&prepared.people, &prepared.giant)?,
        None => Vec::new(),
    };
    if let Some(peers) = &mut report.peers {
        peers.versions = open.iter().map(|peer| (peer.name.to_owned(), peer.version.clone())).collect();
    }
    let before = machine::load_average()[0];
    let found = rounds::run(engine, &mut open, &prepared.asked, usize::from(arguments.rounds)).await?;
    let stats = engine.stats()?;
    let state = State {
        segments: stats.segments,
        tail_events: stats.tail_events,
        disk: disk::measure(&prepared.loaded.data)?,
        load_average: [before, machine::load_average()[0]],
    };
    Ok((state, found))
}

async fn under_load(arguments: &Run, prepared: &Prepared, report: &mut Report, now_us: i64) -> Result<()> {
    let Loaded { data, keys, .. } = &prepared.loaded;
    let server = prepared.tributary.serve(data).await?;
    let seconds = arguments.load_seconds;
    let sent = ingest::measure(&server, keys, report.rows, report.machine.fdatasync_ms, seconds, now_us).await?;
    let maximum = sent.batches.events_per_second;
    report.ingest = Some(sent);
    if arguments.parts.contains(&Part::Mix) {
        settle(data).await?;
        // Past the ids of the measurement before.
        let later_us = system::clock().now_us();
        report.mix = Some(mix::measure(server.address, keys, &prepared.visitor, maximum, seconds, later_us).await?);
    }
    server.stop().await
}

/// The arguments as others may repeat them: paths of this machine are cut down to their last part.
fn command_line(arguments: impl Iterator<Item = String>) -> String {
    let shown = arguments.map(|argument| match Path::new(&argument) {
        path if path.is_absolute() => path.file_name().map_or(argument.clone(), |name| name.to_string_lossy().into_owned()),
        _ => argument,
    });
    shown.collect::<Vec<_>>().join(" ")
}

fn write(file: &Path, text: &str) -> Result<()> {
    fs::write(file, text).map_err(|error| Failure::at("writing", file, error))
}
