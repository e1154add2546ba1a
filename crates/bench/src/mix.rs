//! A fixed mix of reads at a fixed rate, alone and beside ingest at half its measured maximum.

use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::failure::{Failure, Result};
use crate::http::Connection;
use crate::ingest::{Pace, Sent, Way, send};
use crate::load::Keys;
use crate::measure::{Latency, ms_since, rounded};
use crate::say::say;
use crate::tools::{Request, calls};

/// Reads per second, all connections together.
const PER_SECOND: usize = 20;
/// Connections they are spread over.
const CONNECTIONS: usize = 32;

/// Reads at a fixed rate.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Mix {
    /// Reads per second.
    pub per_second: usize,
    /// Connections.
    pub connections: usize,
    /// Seconds of each run.
    pub seconds: u64,
    /// Without ingest.
    pub without_ingest: Reads,
    /// With it.
    pub with_ingest: Reads,
    /// The second p95 divided by the first.
    pub p95_ratio: f64,
    /// Events per second that were meant to come in meanwhile.
    pub ingest_wanted_per_second: f64,
    /// What came in.
    pub ingest: Sent,
}

/// Reads of one run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Reads {
    /// Reads sent.
    pub sent: usize,
    /// Reads that were not answered with a result.
    pub errors: usize,
    /// From the moment a read was due to its answer: a late start counts.
    #[serde(flatten)]
    pub latency: Latency,
    /// What the first failed read was told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_error: Option<String>,
}

/// Measures both.
pub async fn measure(address: SocketAddr, keys: &Keys, visitor: &str, maximum: f64, seconds: u64, now_us: i64) -> Result<Mix> {
    let requests: Vec<Request> = calls(visitor)?.iter().map(|call| call.request(&keys.rk)).collect();
    let span = Duration::from_secs(seconds);
    let mut connection = Connection::open(address).await?;
    for request in &requests {
        request.send(&mut connection).await?;
    }
    say(&format!("{PER_SECOND} reads a second for {seconds} s, without ingest"));
    let without_ingest = reads(address, &requests, span).await?;
    say(&format!("the same with ingest at {:.0} events a second", maximum / 2.0));
    let (sk, pace) = (keys.sk.clone(), Pace::EventsPerSecond(maximum / 2.0));
    let sender = tokio::spawn(async move { send(address, &sk, Way::Batches, pace, span, now_us).await });
    let with_ingest = reads(address, &requests, span).await?;
    let ingest = sender.await??;
    Ok(Mix {
        per_second: PER_SECOND,
        connections: CONNECTIONS,
        seconds,
        p95_ratio: rounded(with_ingest.latency.p95_ms / without_ingest.latency.p95_ms.max(1e-6)),
        without_ingest,
        with_ingest,
        ingest_wanted_per_second: (maximum / 2.0).round(),
        ingest,
    })
}

async fn reads(address: SocketAddr, requests: &[Request], span: Duration) -> Result<Reads> {
    let total = usize::try_from(span.as_secs()).unwrap_or(0).max(1) * PER_SECOND;
    let begin = Instant::now();
    let mut tasks = Vec::with_capacity(CONNECTIONS);
    for connection in 0..CONNECTIONS {
        let requests = requests.to_vec();
        tasks.push(tokio::spawn(async move {
            let mut times = Vec::new();
            let mut errors = Vec::new();
            let mut open = Connection::open(address).await?;
            for number in (connection..total).step_by(CONNECTIONS) {
                let due = Duration::from_secs(1).mul_f64(number as f64 / PER_SECOND as f64);
                tokio::time::sleep(due.saturating_sub(begin.elapsed())).await;
                match requests[number % requests.len()].send(&mut open).await {
                    Ok(_) => times.push(ms_since(begin + due)),
                    Err(error) => {
                        errors.push(error.to_string());
                        open = Connection::open(address).await?;
                    }
                }
            }
            Ok::<_, Failure>((times, errors))
        }));
    }
    let (mut times, mut errors) = (Vec::new(), Vec::new());
    for task in tasks {
        let (some, failed) = task.await??;
        times.extend(some);
        errors.extend(failed);
    }
    let latency = Latency::of(&times).ok_or_else(|| Failure::new("no read was answered"))?;
    Ok(Reads { sent: total, errors: errors.len(), latency, first_error: errors.into_iter().next() })
}
