//! The peers: built by peers.py, then each kept open in a Python process that answers one question at a time.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::failure::{Failure, Result};
use crate::say::say;
use crate::work::Work;

/// The peers' names, as peers.py names them.
pub const PEERS: [&str; 2] = ["duckdb", "clickhouse"];
/// The driver, written into the work folder so that the program needs nothing of its source tree.
const DRIVER: &str = include_str!("../peers/driver.py");
/// What the peers need.
const PACKAGES: &str = "duckdb==2.0.0 chdb==4.4.0";

/// How the peers are started.
#[derive(Clone, Debug)]
pub struct Peers {
    python: PathBuf,
    source: PathBuf,
    driver: PathBuf,
    folder: PathBuf,
    threads: usize,
}

/// What building the peers' databases cost.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Built {
    /// The event file they were built from, with its size, so that another one is noticed.
    source: (PathBuf, u64),
    /// `load` of peers.py: seconds and bytes per peer.
    pub load: Value,
}

impl Peers {
    /// Checks that Python and the packages are there, and has peers.py build its databases unless they stand.
    pub fn prepare(python: &Path, source: &Path, work: &Work, file: &Path, threads: usize) -> Result<(Peers, Built)> {
        if !source.is_file() {
            return Err(Failure::new(format!("there is no {}; --peers names peers.py of the bench folder", source.display())));
        }
        let probe = Command::new(python).args(["-c", "import duckdb, chdb"]).output();
        if !probe.is_ok_and(|output| output.status.success()) {
            return Err(Failure::new(format!(
                "`{}` cannot import duckdb and chdb; install them with `{} -m pip install {PACKAGES}`, name another Python \
                 with --python, or leave --peers out to measure without peers",
                python.display(),
                python.display()
            )));
        }
        let driver = work.root().join("driver.py");
        fs::write(&driver, DRIVER).map_err(|error| Failure::at("writing", &driver, error))?;
        let source = source.canonicalize()?;
        let peers = Peers { python: python.to_owned(), source, driver, folder: work.peers(), threads };
        let built = peers.build(file)?;
        Ok((peers, built))
    }

    fn build(&self, file: &Path) -> Result<Built> {
        let note = self.folder.join("built.json");
        let source = (file.to_owned(), fs::metadata(file).map_err(|error| Failure::at("reading", file, error))?.len());
        let before = fs::read(&note).ok().and_then(|text| serde_json::from_slice::<Built>(&text).ok());
        if let Some(built) = before.filter(|built| built.source == source) {
            return Ok(built);
        }
        say("building the peers' databases (kept for later runs)");
        if self.folder.exists() {
            fs::remove_dir_all(&self.folder).map_err(|error| Failure::at("emptying", &self.folder, error))?;
        }
        let done = Command::new(&self.python)
            .arg(&self.source)
            .arg(file)
            .arg(&self.folder)
            .args(["--runs", "1", "--threads", &self.threads.to_string()])
            .output()
            .map_err(|error| Failure::at("starting", &self.python, error))?;
        if !done.status.success() {
            return Err(Failure::new(format!("peers.py failed: {}", String::from_utf8_lossy(&done.stderr).trim())));
        }
        let answer: Value = serde_json::from_slice(&done.stdout)?;
        let built = Built { source, load: answer.get("load").cloned().unwrap_or(Value::Null) };
        fs::write(&note, serde_json::to_vec_pretty(&built)?)?;
        Ok(built)
    }

    /// Opens both.
    pub fn open(&self, people: &Path, giant: &Path) -> Result<Vec<Peer>> {
        PEERS.iter().map(|name| Peer::start(self, name, people, giant)).collect()
    }

    /// Asks one question in a fresh process: milliseconds for opening and for asking.
    pub fn ask_once(&self, peer: &str, question: &str) -> Result<(f64, f64)> {
        let done = self.command("ask", peer).args(["--question", question]).output()?;
        if !done.status.success() {
            return Err(Failure::new(format!("{peer}: {}", String::from_utf8_lossy(&done.stderr).trim())));
        }
        let answer: Value = serde_json::from_slice(&done.stdout)?;
        Ok((milliseconds(&answer, "open_ms")?, milliseconds(&answer, "ms")?))
    }

    /// Where a peer's files lie.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn command(&self, command: &str, peer: &str) -> Command {
        let mut python = Command::new(&self.python);
        python.arg(&self.driver).args([command, "--engine", peer, "--threads", &self.threads.to_string()]);
        python.arg("--peers").arg(&self.source).arg("--work").arg(&self.folder);
        python
    }
}

/// A peer that stays open.
pub struct Peer {
    /// Its name.
    pub name: &'static str,
    /// Its version.
    pub version: String,
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Peer {
    fn start(peers: &Peers, name: &'static str, people: &Path, giant: &Path) -> Result<Peer> {
        let mut command = peers.command("serve", name);
        command.arg("--people").arg(people).arg("--giant").arg(giant);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let input = child.stdin.take().ok_or_else(|| Failure::new("a peer without an input"))?;
        let output = BufReader::new(child.stdout.take().ok_or_else(|| Failure::new("a peer without an output"))?);
        let mut peer = Peer { name, version: String::new(), child, input, output };
        let hello = peer.line()?;
        peer.version = hello.get("version").and_then(Value::as_str).unwrap_or("unknown").to_owned();
        Ok(peer)
    }

    /// Asks a question: milliseconds as the peer's process measures them, and the rows.
    pub fn ask(&mut self, question: &str) -> Result<(f64, Vec<Vec<String>>)> {
        writeln!(self.input, "{}", json!({ "question": question }))?;
        self.input.flush()?;
        let answer = self.line()?;
        if let Some(error) = answer.get("error").and_then(Value::as_str) {
            return Err(Failure::new(format!("{} could not answer {question}: {error}", self.name)));
        }
        let took = milliseconds(&answer, "ms")?;
        Ok((took, serde_json::from_value(answer.get("rows").cloned().unwrap_or(Value::Null))?))
    }

    fn line(&mut self) -> Result<Value> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            return Err(Failure::new(format!("{} left; its process says why above", self.name)));
        }
        Ok(serde_json::from_str(&line)?)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

fn milliseconds(answer: &Value, name: &str) -> Result<f64> {
    answer.get(name).and_then(Value::as_f64).ok_or_else(|| Failure::new(format!("a peer's answer has no `{name}`")))
}
