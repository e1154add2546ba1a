//! The same questions through `tools/call`: what the way through HTTP, MCP and the use case adds to the engine's time.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tributary_events::question::{Question, Rows};

use crate::answer::{Cell, Table, difference, ours, read};
use crate::engine::{Asking, Engine, Place};
use crate::failure::{Failure, Result};
use crate::http::{Connection, post};
use crate::measure::{Latency, Spread, ms_since, rounded};
use crate::question::{Asked, EVERYTHING, MONTH, Order, STEPS, WINDOW_SECONDS, basic, top_sources};
use crate::say::say;

/// The door the tools are called at.
pub const DOOR: &str = "/mcp";
/// Pairs of a question to the engine and a call, one after the other; medians count.
const REPEATS: usize = 25;
/// No more of these than fit into this time, whatever `REPEATS` says.
const REPEAT_TIME: Duration = Duration::from_secs(15);
/// How long each number of clients asks.
const CLIENTS_TIME: Duration = Duration::from_secs(2);
/// How far `query_events` counts matching rows beyond those it shows.
const COUNTED_ROWS: u64 = 1_000;
/// Clients at the same time.
const MANY_CLIENTS: usize = 8;

/// A question that a tool answers.
pub struct Call {
    /// The question in the engine.
    pub asked: Asked,
    /// The tool.
    pub tool: &'static str,
    arguments: Value,
    /// The columns of the tool's rows that are compared.
    columns: &'static [(&'static str, Cell)],
}

/// What a tool's question took.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tool {
    /// The tool.
    pub tool: String,
    /// Median in the engine, milliseconds.
    pub engine_ms: f64,
    /// Median through the tool on one kept connection.
    pub call_ms: f64,
    /// What a call took more than the engine just before it, the median.
    pub over_engine_ms: f64,
    /// Whether the tool's rows are the engine's.
    pub equal: bool,
    /// One client.
    pub one_client: Clients,
    /// Eight clients at the same time.
    pub eight_clients: Clients,
}

/// Clients that ask one question again and again.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Clients {
    /// Answers per second, all clients together.
    pub per_second: f64,
    /// How long each answer took.
    #[serde(flatten)]
    pub latency: Latency,
}

/// The questions that have a tool.
pub fn calls(visitor: &str) -> Result<Vec<Call>> {
    use Cell::{Count, Instant, Text};
    let ((from, to), (month_from, month_to)) = (EVERYTHING, MONTH);
    let mut asked: IndexMap<&str, Asked> = basic(visitor)?.into_iter().map(|asked| (asked.short(), asked)).collect();
    // `top_sources` knows no revenue and adds the paid share: the engine is asked the same.
    if let Some(q4) = asked.get_mut("q4") {
        q4.question = top_sources()?;
        q4.cells = &[Text, Text, Count, Count, Count];
    }
    let mut call = |name: &str, tool: &'static str, arguments: Value, columns: &'static [(&'static str, Cell)]| {
        let asked = asked.swap_remove(name).ok_or_else(|| Failure::new(format!("there is no {name}")))?;
        Ok::<_, Failure>(Call { asked, tool, arguments, columns })
    };
    Ok(vec![
        call(
            "q1",
            "get_stats",
            json!({ "from": from, "to": to, "event": "page_view", "interval": "day", "limit": 200 }),
            &[("bucket", Instant), ("value", Count)],
        )?,
        call("q2", "get_stats", json!({ "metric": "uniques", "from": month_from, "to": month_to }), &[("value", Count)])?,
        call(
            "q4",
            "top_sources",
            json!({ "from": from, "to": to, "limit": 20 }),
            &[("source", Text), ("medium", Text), ("events", Count), ("uniques", Count)],
        )?,
        call(
            "q5",
            "funnel",
            json!({ "from": from, "to": to, "steps": STEPS, "window_seconds": WINDOW_SECONDS }),
            &[("users", Count)],
        )?,
        call(
            "q8",
            "query_events",
            json!({ "from": month_from, "to": to, "event": "signup", "source": "facebook", "limit": 50 }),
            &[("timestamp", Instant), ("anonymous_id", Text), ("path", Text)],
        )?,
    ])
}

/// Asks in a fresh process, which serves the folder itself: only so can the engine and the tool be asked in turns.
pub fn measure(data: &Path, memory_mb: u64, visitor: &str, key: &str) -> Result<IndexMap<String, Tool>> {
    let this = std::env::current_exe()?;
    let mut command = Command::new(&this);
    command.args(["part", "tools", "--visitor", visitor, "--key", key]);
    command.args(["--memory-mb", &memory_mb.to_string(), "--data"]).arg(data).stderr(Stdio::inherit());
    let done = command.output()?;
    if !done.status.success() {
        return Err(Failure::new(format!("asking through tools/call ended with {}", done.status)));
    }
    Ok(serde_json::from_slice(&done.stdout)?)
}

/// That process: opens the folder, serves it, asks, and stops.
pub async fn in_turns(data: &Path, memory_mb: u64, visitor: &str, key: &str) -> Result<IndexMap<String, Tool>> {
    let engine = Engine::open(data, memory_mb).await?;
    let (asking, serving) = engine.serve().await?;
    let mut found = IndexMap::new();
    for call in calls(visitor)? {
        let tool = ask_in_turns(&asking, serving.address, key, &call).await?;
        found.insert(call.asked.name.to_owned(), tool);
    }
    serving.stop().await?;
    Ok(found)
}

async fn ask_in_turns(asking: &Asking, address: SocketAddr, key: &str, call: &Call) -> Result<Tool> {
    let question = match call.asked.question.clone() {
        Question::Rows(rows) => Question::Rows(Rows { count_up_to: COUNTED_ROWS, ..rows }),
        other => other,
    };
    let (_, answer) = asking.ask(Place::Bench, question.clone()).await?;
    let request = call.request(key);
    let mut connection = Connection::open(address).await?;
    let (_, reply) = request.send(&mut connection).await?;
    let difference = difference(&call.expected(ours(&call.asked, &answer)?), &call.rows(&reply)?);
    if let Some(difference) = &difference {
        say(&format!("{} through {} differs from the engine: {difference}", call.asked.name, call.tool));
    }
    let (begin, mut engine_times, mut call_times) = (Instant::now(), Vec::new(), Vec::new());
    while call_times.is_empty() || (call_times.len() < REPEATS && begin.elapsed() < REPEAT_TIME) {
        engine_times.push(asking.ask(Place::Bench, question.clone()).await?.0);
        call_times.push(request.send(&mut connection).await?.0);
    }
    let median = |times: &[f64]| Spread::of(times).map_or(0.0, |spread| spread.median);
    let (engine_ms, call_ms) = (median(&engine_times), median(&call_times));
    let more: Vec<f64> = call_times.iter().zip(&engine_times).map(|(call, engine)| call - engine).collect();
    Ok(Tool {
        tool: call.tool.to_owned(),
        engine_ms,
        call_ms,
        over_engine_ms: median(&more),
        equal: difference.is_none(),
        one_client: clients(address, &request, 1).await?,
        eight_clients: clients(address, &request, MANY_CLIENTS).await?,
    })
}

async fn clients(address: SocketAddr, request: &Request, clients: usize) -> Result<Clients> {
    let begin = Instant::now();
    let mut tasks = Vec::with_capacity(clients);
    for _ in 0..clients {
        let request = request.clone();
        tasks.push(tokio::spawn(async move {
            let mut connection = Connection::open(address).await?;
            let mut times = Vec::new();
            while times.is_empty() || begin.elapsed() < CLIENTS_TIME {
                times.push(request.send(&mut connection).await?.0);
            }
            Ok::<_, Failure>(times)
        }));
    }
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await??);
    }
    let per_second = rounded(times.len() as f64 / begin.elapsed().as_secs_f64());
    let latency = Latency::of(&times).ok_or_else(|| Failure::new("no client was answered"))?;
    Ok(Clients { per_second, latency })
}

/// A call as bytes, sent again and again.
#[derive(Clone)]
pub struct Request {
    head: Vec<u8>,
    body: Vec<u8>,
}

impl Request {
    /// Sends it; the milliseconds until all of the answer was there, and its body, which must be a result.
    pub async fn send(&self, connection: &mut Connection) -> Result<(f64, Value)> {
        let begin = Instant::now();
        let reply = connection.send(&self.head, &self.body).await?;
        let ms = ms_since(begin);
        let answer: Value = serde_json::from_slice(&reply.body).unwrap_or(Value::Null);
        let failed = answer.pointer("/result/isError").and_then(Value::as_bool) == Some(true);
        if reply.status != 200 || failed || answer.get("result").is_none() {
            let text: String = String::from_utf8_lossy(&reply.body).chars().take(400).collect();
            return Err(Failure::new(format!("a tool answered {}: {text}", reply.status)));
        }
        Ok((ms, answer))
    }
}

impl Call {
    /// The call as it is sent.
    pub fn request(&self, key: &str) -> Request {
        let message = json!({
            "jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": { "name": self.tool, "arguments": self.arguments },
        });
        let body = message.to_string().into_bytes();
        Request { head: post(DOOR, key, body.len()), body }
    }

    /// The rows of an answer that are compared.
    fn rows(&self, answer: &Value) -> Result<Table> {
        let text = answer.pointer("/result/content/0/text").and_then(Value::as_str);
        let rows: Vec<Value> = serde_json::from_str(text.ok_or_else(|| Failure::new("a tool's answer has no text"))?)?;
        let cell = |row: &Value, (name, cell): &(&str, Cell)| match row.get(name) {
            Some(Value::String(text)) => read(text, *cell),
            Some(Value::Null) | None => Ok(String::new()),
            Some(other) => Ok(other.to_string()),
        };
        let mut table =
            rows.iter().map(|row| self.columns.iter().map(|column| cell(row, column)).collect()).collect::<Result<Table>>()?;
        if self.asked.short() == "q5" {
            table = vec![table.into_iter().flatten().collect()];
        }
        if self.asked.order == Order::Any {
            table.retain(|row| row.last().is_some_and(|value| value != "0"));
            table.sort();
        }
        Ok(table)
    }

    /// The engine's rows without the columns the tool words otherwise.
    fn expected(&self, mut rows: Table) -> Table {
        if self.asked.short() != "q5" {
            rows.iter_mut().for_each(|row| row.truncate(self.columns.len()));
        }
        rows
    }
}
