//! Durable ingest over HTTP: batches, then single events, into the folder that holds everything already.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tributary_core::time::{DAY_US, SECOND_US, format_utc};

use crate::bodies::Body;
use crate::failure::{Failure, Result};
use crate::http::{Connection, get, post};
use crate::load::Keys;
use crate::measure::{Latency, ms_since, rounded};
use crate::memory::Watch;
use crate::say::say;
use crate::tributary::Server;

/// Events of a batch.
pub const BATCH_EVENTS: usize = 500;
/// Connections that send batches.
pub const BATCH_CONNECTIONS: usize = 8;
/// Connections that send single events.
const SINGLE_CONNECTIONS: usize = 64;
/// Bodies each connection takes turns with.
const BODIES: usize = 4;
/// Of this many single events one has the id of an event that was acknowledged before.
const REPEATED_EVERY: u32 = 100;
/// Pause after an answer 503.
const BACK_OFF: Duration = Duration::from_millis(100);

/// Events sent over HTTP.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ingest {
    /// Events in the folder before.
    pub events_before: u64,
    /// Median `fdatasync` of the disk, milliseconds: no durable answer is faster.
    pub fdatasync_ms: f64,
    /// Mean bytes of an event as sent.
    pub event_bytes: f64,
    /// `POST /v1/batch`, 500 events each.
    pub batches: Sent,
    /// `POST /v1/track`.
    pub singles: Sent,
    /// Whether as many events can be counted afterwards as were acknowledged as accepted.
    pub every_event_counted: bool,
    /// Most anonymous memory of the server meanwhile, bytes.
    pub server_peak_anonymous_bytes: u64,
}

/// What was sent in one way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sent {
    /// Connections kept open.
    pub connections: usize,
    /// Seconds.
    pub seconds: f64,
    /// Events acknowledged per second, duplicates included: they were looked up and answered.
    pub events_per_second: f64,
    /// Events stored.
    pub accepted: u64,
    /// Events answered as there already.
    pub duplicates: u64,
    /// Requests answered 503.
    pub refused: u64,
    /// How long an acknowledged request took.
    #[serde(flatten)]
    pub latency: Latency,
}

/// Numbers of one sender.
#[derive(Default)]
struct Tally {
    accepted: u64,
    duplicates: u64,
    refused: u64,
    times: Vec<f64>,
}

/// Measures both ways.
pub async fn measure(
    server: &Server,
    keys: &Keys,
    events_before: u64,
    fdatasync_ms: f64,
    seconds: u64,
    now_us: i64,
) -> Result<Ingest> {
    let span = Duration::from_secs(seconds);
    let watch = Watch::start(Some(server.process()));
    let before = count(server.address, &keys.rk, now_us).await?;
    say(&format!("sending batches for {seconds} s"));
    let batches = send(server.address, &keys.sk, Way::Batches, Pace::AsFastAsAnswered, span, now_us).await?;
    say(&format!("sending single events for {seconds} s"));
    let singles = send(server.address, &keys.sk, Way::Singles, Pace::AsFastAsAnswered, span, now_us).await?;
    let counted = count(server.address, &keys.rk, now_us).await? - before;
    let accepted = batches.accepted + singles.accepted;
    if counted != accepted {
        say(&format!("{accepted} events were accepted, {counted} are counted"));
    }
    let sample = Body::batch(0, 0, BATCH_EVENTS, now_us);
    Ok(Ingest {
        events_before,
        fdatasync_ms,
        event_bytes: rounded(sample.bytes.len() as f64 / BATCH_EVENTS as f64),
        batches,
        singles,
        every_event_counted: counted == accepted,
        server_peak_anonymous_bytes: watch.stop().1,
    })
}

/// How events are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// `POST /v1/batch`.
    Batches,
    /// `POST /v1/track`.
    Singles,
}

/// When the next request is sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// When the one before is answered.
    AsFastAsAnswered,
    /// At this many events per second, all connections together.
    EventsPerSecond(f64),
}

/// Sends for a while.
pub async fn send(address: SocketAddr, key: &str, way: Way, pace: Pace, span: Duration, now_us: i64) -> Result<Sent> {
    let connections = match way {
        Way::Batches => BATCH_CONNECTIONS,
        Way::Singles => SINGLE_CONNECTIONS,
    };
    let begin = Instant::now();
    let mut tasks = Vec::with_capacity(connections);
    for sender in 0..connections {
        let key = key.to_owned();
        tasks.push(tokio::spawn(async move { sender_loop(address, &key, way, pace, sender, begin, span, now_us).await }));
    }
    let mut all = Tally::default();
    for task in tasks {
        let one = task.await??;
        all.accepted += one.accepted;
        all.duplicates += one.duplicates;
        all.refused += one.refused;
        all.times.extend(one.times);
    }
    let seconds = begin.elapsed().as_secs_f64();
    Ok(Sent {
        connections,
        seconds: rounded(seconds),
        events_per_second: ((all.accepted + all.duplicates) as f64 / seconds).round(),
        accepted: all.accepted,
        duplicates: all.duplicates,
        refused: all.refused,
        latency: Latency::of(&all.times).ok_or_else(|| Failure::new("the server acknowledged nothing"))?,
    })
}

#[expect(clippy::too_many_arguments, reason = "one task's whole surroundings, moved into it once")]
async fn sender_loop(
    address: SocketAddr,
    key: &str,
    way: Way,
    pace: Pace,
    sender: usize,
    begin: Instant,
    span: Duration,
    now_us: i64,
) -> Result<Tally> {
    // Ways must not share ids.
    let (sender_id, path) = match way {
        Way::Batches => (sender, "/v1/batch"),
        Way::Singles => (0x1000 + sender, "/v1/track"),
    };
    let mut bodies: Vec<Body> = (0..BODIES)
        .map(|number| match way {
            Way::Batches => Body::batch(sender_id, number, BATCH_EVENTS, now_us),
            Way::Singles => Body::single(sender_id, number, now_us),
        })
        .collect();
    let heads: Vec<Vec<u8>> = bodies.iter().map(|body| post(path, key, body.bytes.len())).collect();
    let interval = match (pace, way) {
        (Pace::AsFastAsAnswered, _) => Duration::ZERO,
        (Pace::EventsPerSecond(rate), Way::Batches) => {
            Duration::from_secs_f64((BATCH_CONNECTIONS * BATCH_EVENTS) as f64 / rate.max(1.0))
        }
        (Pace::EventsPerSecond(rate), Way::Singles) => Duration::from_secs_f64(SINGLE_CONNECTIONS as f64 / rate.max(1.0)),
    };
    // A thousand sendings a second at most keep the numbers of one run apart from those of the next.
    let first = (now_us / (SECOND_US / 1_000)) as u32;
    let mut connection = Connection::open(address).await?;
    let mut tally = Tally::default();
    let mut round = 0_u32;
    while begin.elapsed() < span {
        if !interval.is_zero() {
            // Senders start spread over the interval, then keep their beat whatever the answers take.
            let due = interval.mul_f64(f64::from(round) + sender as f64 / BATCH_CONNECTIONS as f64);
            tokio::time::sleep(due.saturating_sub(begin.elapsed())).await;
        }
        let at = round as usize % BODIES;
        // A batch repeats ids of its own; of single events, one in a hundred is sent as it was sent before.
        if way == Way::Batches || round % REPEATED_EVERY != REPEATED_EVERY - 1 {
            bodies[at].stamp(first.wrapping_add(round / BODIES as u32 + 1));
        }
        round += 1;
        let sent = Instant::now();
        let reply = connection.send(&heads[at], &bodies[at].bytes).await?;
        match reply.status {
            202 => {
                tally.times.push(ms_since(sent));
                let (accepted, duplicates) = outcome(&reply.body)?;
                tally.accepted += accepted;
                tally.duplicates += duplicates;
            }
            503 => {
                tally.refused += 1;
                tokio::time::sleep(BACK_OFF).await;
            }
            status => {
                let text: String = String::from_utf8_lossy(&reply.body).chars().take(400).collect();
                return Err(Failure::new(format!("{path} answered {status}: {text}")));
            }
        }
    }
    Ok(tally)
}

fn outcome(body: &[u8]) -> Result<(u64, u64)> {
    let answer: Value = serde_json::from_slice(body)?;
    let number = |name: &str| answer.get(name).and_then(Value::as_u64);
    match (number("accepted"), number("duplicates"), answer.get("status").and_then(Value::as_str)) {
        (Some(accepted), Some(duplicates), _) => Ok((accepted, duplicates)),
        (_, _, Some("accepted")) => Ok((1, 0)),
        (_, _, Some("duplicate")) => Ok((0, 1)),
        _ => Err(Failure::new(format!("an acknowledgement says nothing: {answer}"))),
    }
}

/// Events of the last and the next day, which no event of the file belongs to.
async fn count(address: SocketAddr, key: &str, now_us: i64) -> Result<u64> {
    let (from, to) = (format_utc(now_us - DAY_US), format_utc(now_us + DAY_US));
    let path = format!("/v1/stats?metric=count&bots=include&from={from}&to={to}");
    let reply = Connection::open(address).await?.send(&get(&path, Some(key)), b"").await?;
    let answer: Value = serde_json::from_slice(&reply.body)?;
    if reply.status != 200 {
        return Err(Failure::new(format!("/v1/stats answered {}: {answer}", reply.status)));
    }
    Ok(answer.pointer("/rows/0/value").and_then(Value::as_u64).unwrap_or(0))
}
