//! The built `tributary` as a user has it: commands on a data folder, and a server over it.

use serde_json::Value;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::failure::{Failure, Result};
use crate::http::{Connection, get};

/// Longest time until a server is ready.
const START_TIME: Duration = Duration::from_secs(120);
/// Longest time a server may take to stop.
const STOP_TIME: Duration = Duration::from_secs(120);

/// The program and the settings it is run with.
#[derive(Clone, Debug)]
pub struct Tributary {
    binary: PathBuf,
    memory_mb: u64,
}

impl Tributary {
    /// The program that lies beside this one.
    pub fn beside_this(memory_mb: u64) -> Result<Tributary> {
        let this = std::env::current_exe()?;
        let binary = this.with_file_name("tributary");
        if !binary.is_file() {
            return Err(Failure::new(format!(
                "there is no {}; build it with `cargo build --release`, into the same target folder as this program",
                binary.display()
            )));
        }
        Ok(Tributary { binary, memory_mb })
    }

    /// Configuration shared by every process of the run: rate limits off, the given memory, few log lines.
    pub fn environment(&self) -> [(&'static str, String); 3] {
        [
            ("TRIBUTARY__LIMITS__ENFORCE", String::from("false")),
            ("TRIBUTARY__ENGINE__MEMORY_BUDGET_MB", self.memory_mb.to_string()),
            ("TRIBUTARY__LOG__FILTER", String::from("warn")),
        ]
    }

    /// Runs a command on a folder; its JSON answer.
    pub fn run(&self, data: &Path, arguments: &[&str]) -> Result<Value> {
        let done = Command::new(&self.binary)
            .args(arguments)
            .arg("--data")
            .arg(data)
            .arg("--json")
            .envs(self.environment())
            .stdin(Stdio::null())
            .output()
            .map_err(|error| Failure::at("starting", &self.binary, error))?;
        if !done.status.success() {
            let text = String::from_utf8_lossy(&done.stderr).trim().to_owned();
            return Err(Failure::new(format!("`tributary {}` failed: {text}", arguments.join(" "))));
        }
        Ok(if done.stdout.trim_ascii().is_empty() { Value::Null } else { serde_json::from_slice(&done.stdout)? })
    }

    /// Starts a server over a folder and waits until it is ready.
    pub async fn serve(&self, data: &Path) -> Result<Server> {
        let address = free_address()?;
        let log = data.with_extension("log");
        let file = std::fs::File::create(&log).map_err(|error| Failure::at("writing", &log, error))?;
        let child = Command::new(&self.binary)
            .args(["serve", "--listen", &address.to_string(), "--data"])
            .arg(data)
            .envs(self.environment())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(file)
            .spawn()
            .map_err(|error| Failure::at("starting", &self.binary, error))?;
        let mut server = Server { child, address };
        let begin = Instant::now();
        loop {
            if let Some(status) = server.child.try_wait()? {
                let told = std::fs::read_to_string(&log).unwrap_or_default();
                return Err(Failure::new(format!("the server left with {status}: {}", told.trim())));
            }
            if let Ok(mut connection) = Connection::open(address).await
                && connection.send(&get("/readyz", None), b"").await.is_ok_and(|reply| reply.status == 200)
            {
                return Ok(server);
            }
            if begin.elapsed() > START_TIME {
                return Err(Failure::new(format!("the server was not ready after {} s", START_TIME.as_secs())));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// A running server; dropped, it is killed.
pub struct Server {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Server {
    /// Its process, for looking at its memory.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to stop and waits until it has.
    pub async fn stop(mut self) -> Result<()> {
        ask_to_stop(self.child.id())?;
        let begin = Instant::now();
        while begin.elapsed() < STOP_TIME {
            if let Some(status) = self.child.try_wait()? {
                return if status.success() { Ok(()) } else { Err(Failure::new(format!("the server stopped with {status}"))) };
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Err(Failure::new(format!("the server did not stop within {} s", STOP_TIME.as_secs())))
    }
}

/// Sends SIGTERM to a process.
pub fn ask_to_stop(process: u32) -> Result<()> {
    // The standard library sends no signals, and this crate may not call the operating system unsafely.
    Command::new("kill").args(["-TERM", &process.to_string()]).status()?;
    Ok(())
}

impl Drop for Server {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _gone = self.child.kill();
            let _reaped = self.child.wait();
        }
    }
}

fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?)
}
