//! The command line.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Measure Tributary against DuckDB and ClickHouse's engine over the same events, and check that the answers are equal.
///
/// One run generates (or reads) an event file, loads a fresh data folder with `tributary import events`, asks q1 to q15 in
/// interleaved rounds with the peers, as ingest leaves the segments and after compaction, asks again through tools/call over
/// HTTP, cold, and under load, and prints one table per state. It exits with 1 when an answer differs.
#[derive(Debug, Parser)]
#[command(
    name = "tributary-bench",
    version,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    disable_help_subcommand = true,
    after_help = "Needs beside this program: `tributary`, \
built by `cargo build --release`. For peers: python3 with duckdb==2.0.0 chdb==4.4.0; for generating events also numpy and polars. \
Linux only (memory and page cache are read from /proc).

Examples:
  tributary-bench --rows 20000000 --work /var/tmp/bench --peers ../shared/bench/peers.py --json bench.json
  tributary-bench --rows 200000 --work /tmp/bench --peers ../shared/bench/peers.py --rounds 1 --parts engine,tools
  tributary-bench --rows 20000000 --shards 5 --work /var/tmp/bench --file events.parquet --parts engine,compacted,tools,cold,memory
  tributary-bench --from-json bench.json --from-json bench-2m.json --markdown docs/performance.md"
)]
pub struct Arguments {
    #[command(subcommand)]
    pub inner: Option<Inner>,
    #[command(flatten)]
    pub run: Run,
}

/// Arguments of a run.
#[derive(Args, Clone, Debug)]
pub struct Run {
    /// Events of the file; with --file, taken from it
    #[arg(long, value_name = "N", default_value_t = 20_000_000)]
    pub rows: u64,
    /// Folder for the event file, our data folder (emptied first) and the peers' databases (kept). 20 million events take about 3 GB
    #[arg(long, value_name = "DIR", required_unless_present_any = ["from_json"])]
    pub work: Option<PathBuf>,
    /// peers.py of the bench folder, with generate.py beside it; without it nothing is compared and --file is needed
    #[arg(long, value_name = "FILE")]
    pub peers: Option<PathBuf>,
    /// Write everything found as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write the tables into the section `## Figures` of this Markdown file, or make the file
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,
    /// Write our answers, by question, as JSON: instants in microseconds, money in cents
    #[arg(long, value_name = "FILE")]
    pub answers: Option<PathBuf>,
    /// Event file as generate.py writes it, instead of generating one
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Python with the peers' packages
    #[arg(long, value_name = "PATH", env = "TRIBUTARY_PYTHON", default_value = "python3")]
    pub python: PathBuf,
    /// Measured rounds, after one that warms up
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=100))]
    pub rounds: u16,
    /// What is measured
    #[arg(long, value_delimiter = ',', value_enum, value_name = "PART", default_values_t = Part::ALL)]
    pub parts: Vec<Part>,
    /// Load the file this many times, each time as other visitors; more than one leaves the peers out
    #[arg(long, value_name = "K", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub shards: u32,
    /// Budget of the engine for decoded columns, megabytes
    #[arg(long, value_name = "MB", default_value_t = 1_024)]
    pub memory_mb: u64,
    /// Threads of the peers; without it one per core, as our engine takes
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// Seconds of each run under load
    #[arg(long, value_name = "S", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub load_seconds: u64,
    /// Measure the folder an earlier run has loaded, as it left it, instead of loading a fresh one
    #[arg(long)]
    pub reuse: bool,
    /// Measure nothing: make the tables from the JSON of earlier runs, the first in full, all of them in the table of growth
    #[arg(long, value_name = "FILE", conflicts_with_all = ["json", "answers", "reuse"])]
    pub from_json: Vec<PathBuf>,
}

/// A part of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// Rounds of q1 to q15 with the segments that ingest leaves, peak memory, bytes on disk
    Engine,
    /// The same after compaction
    Compacted,
    /// Every attribution model over the whole file
    Attribution,
    /// q1, q2, q4, q5, q8 through tools/call: one and eight clients
    Tools,
    /// q1 to q8 in fresh processes with the page cache dropped
    Cold,
    /// Bytes per event of decoded columns
    Memory,
    /// Batches and single events over HTTP
    Ingest,
    /// Reads at 20 a second with and without ingest at half its maximum; measures ingest first
    Mix,
}

impl Part {
    /// Every part, in the order they run.
    pub const ALL: [Part; 8] =
        [Part::Engine, Part::Compacted, Part::Attribution, Part::Tools, Part::Cold, Part::Memory, Part::Ingest, Part::Mix];
}

/// Fresh processes this program starts of itself.
#[derive(Debug, Subcommand)]
pub enum Inner {
    /// One measurement in a fresh process
    #[command(subcommand, hide = true)]
    Part(Fresh),
}

/// What a fresh process measures.
#[derive(Debug, Subcommand)]
pub enum Fresh {
    /// Opens a folder and asks one question, once or over and over: then it is something to look at with a profiler
    Ask {
        #[arg(long)]
        data: PathBuf,
        #[arg(long)]
        question: String,
        #[arg(long)]
        visitor: String,
        #[arg(long)]
        memory_mb: u64,
        #[arg(long, default_value_t = 1)]
        times: u32,
    },
    /// Serves a folder and asks the engine and the tools in turns
    Tools {
        #[arg(long)]
        data: PathBuf,
        #[arg(long)]
        visitor: String,
        #[arg(long)]
        key: String,
        #[arg(long)]
        memory_mb: u64,
    },
    /// Decodes every column but the properties
    Decoded {
        #[arg(long)]
        data: PathBuf,
    },
}
