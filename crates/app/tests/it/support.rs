//! The real binary on scratch folders.

use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The longest a server may take to start or stop.
const PATIENCE: Duration = Duration::from_secs(60);

/// A scratch place with a data folder in it that does not exist yet.
pub struct Scratch {
    dir: TempDir,
}

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// A running server.
pub struct Server {
    child: Child,
    pub url: String,
}

impl Scratch {
    pub fn new() -> Self {
        Self { dir: tempfile::tempdir().expect("scratch folder") }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn data(&self) -> PathBuf {
        self.path("data")
    }

    /// The binary with nothing of this process's environment.
    pub fn command(&self, data: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tributary"));
        command.env_clear().current_dir(self.dir.path()).args(arguments).arg("--data").arg(data);
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ended {
        ended(self.command(&self.data(), arguments))
    }

    /// Runs a command that must succeed; its text on standard output.
    pub fn text(&self, arguments: &[&str]) -> String {
        let ended = self.run(arguments);
        assert_eq!(ended.code, 0, "{arguments:?}: {ended:?}");
        ended.stdout
    }

    /// Runs a command that must succeed with `--json`.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let mut all = arguments.to_vec();
        all.push("--json");
        serde_json::from_str(&self.text(&all)).expect("JSON on standard output")
    }

    /// Runs a command that must be refused: its exit code and its message.
    pub fn refusal(&self, arguments: &[&str]) -> (i32, String) {
        let ended = self.run(arguments);
        assert_ne!(ended.code, 0, "{arguments:?}: {ended:?}");
        assert_eq!(ended.stdout, "", "a refusal writes nothing to standard output");
        (ended.code, ended.stderr.trim_end().to_owned())
    }

    /// An account and a workspace with its keys, as `workspace create --json` tells them.
    pub fn workspace(&self, slug: &str, timezone: &str) -> Value {
        let account = self.json(&["account", "create", "--name", "Acme"])["id"].to_string();
        self.json(&[
            "workspace",
            "create",
            "--account",
            &account,
            "--name",
            "Shop",
            "--slug",
            slug,
            "--timezone",
            timezone,
            "--currency",
            "EUR",
        ])
    }

    /// Starts a server on a free port.
    pub fn serve(&self) -> Server {
        self.serve_in(&self.data())
    }

    pub fn serve_in(&self, data: &Path) -> Server {
        let mut command = self.command(data, &["serve", "--listen", "127.0.0.1:0", "--json"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the server starts");
        let stdout = child.stdout.take().expect("piped");
        let mut text = String::new();
        for line in BufReader::new(stdout).lines() {
            text.push_str(&line.expect("text"));
            if let Ok(ready) = serde_json::from_str::<Value>(&text) {
                let url = ready["url"].as_str().expect("an address").to_owned();
                return Server { child, url };
            }
        }
        panic!("the server ended before it was ready, {:?}: {text}", child.wait());
    }
}

impl Server {
    /// Asks it to stop as a service manager does, and waits. Its exit code.
    pub fn stop(mut self) -> i32 {
        self.signal("TERM");
        self.wait()
    }

    pub fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &pid]).status().expect("kill is there");
        assert!(sent.success());
    }

    fn wait(&mut self) -> i32 {
        let begin = Instant::now();
        while begin.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().expect("it is our child") {
                return status.code().unwrap_or(-1);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the server did not stop");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A test that failed leaves no process behind; one that ended is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn ended(mut command: Command) -> Ended {
    let output = command.output().expect("the binary runs");
    Ended {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).expect("text"),
        stderr: String::from_utf8(output.stderr).expect("text"),
    }
}

/// A `POST` with a key: status and JSON.
pub async fn post(url: &str, key: &str, body: Value) -> (u16, Value) {
    let client = tributary_app::client::server().expect("a client");
    let response = client.post(url).bearer_auth(key).json(&body).send().await.expect("an answer");
    (response.status().as_u16(), response.json().await.expect("JSON"))
}

/// A `GET` with a key: status and JSON.
pub async fn get(url: &str, key: &str) -> (u16, Value) {
    let client = tributary_app::client::server().expect("a client");
    let response = client.get(url).bearer_auth(key).send().await.expect("an answer");
    (response.status().as_u16(), response.json().await.expect("JSON"))
}

/// A text field of an answer.
pub fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no text at {pointer} in {value}"))
}
