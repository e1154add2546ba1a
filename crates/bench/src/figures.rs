//! Figures as they are printed, in a terminal and in Markdown alike: tables of text cells.

use indexmap::IndexMap;

use crate::measure::Spread;
use crate::report::{Report, State, Timed};

/// One table.
pub struct Figures {
    /// What it shows.
    pub title: String,
    /// Names of the columns.
    pub columns: Vec<&'static str>,
    /// The rows.
    pub rows: Vec<Vec<String>>,
}

/// The tables of one run, in the order they are read.
pub fn of(report: &Report) -> Vec<Figures> {
    let mut all = Vec::new();
    if let Some(state) = &report.state {
        let title = format!("Warm, segments as ingest leaves them ({})", told(state));
        all.push(questions(title, &report.questions));
    }
    if let Some(compacted) = &report.compacted {
        let title =
            format!("Warm, after compaction ({}; compacting took {:.1} s)", told(&compacted.state), compacted.compaction_seconds);
        all.push(questions(title, &compacted.questions));
    }
    all.extend(models(report));
    all.extend(tools(report));
    all.extend(cold(report));
    all.push(sizes(report));
    all.extend(under_load(report));
    all
}

fn models(report: &Report) -> Option<Figures> {
    let rows = report.attribution.iter().map(|(model, ms)| vec![model.clone(), milliseconds(*ms)]);
    let rows: Vec<Vec<String>> = rows.collect();
    (!rows.is_empty()).then(|| Figures {
        title: String::from("Attribution: purchases to arrivals of 30 days, by channel, over all events, warm"),
        columns: vec!["model", "ms"],
        rows,
    })
}

fn told(state: &State) -> String {
    let [before, after] = state.load_average;
    format!("{} segments, {} events in the log, load average {before} to {after}", state.segments, state.tail_events)
}

fn questions(title: String, questions: &IndexMap<String, Timed>) -> Figures {
    let rows = questions.iter().map(|(name, one)| {
        let ratio = one.ratio_to_better_peer.map_or_else(dash, |ratio| format!("{ratio:.1}"));
        let spread = one.ratio_spread.map_or_else(dash, |Spread { min, max, .. }| format!("{min:.1} to {max:.1}"));
        let equal = match (one.equal, one.differences.is_empty()) {
            (None, _) => dash(),
            (Some(true), _) => String::from("yes"),
            (Some(false), _) => format!("no: {}", one.differences.keys().cloned().collect::<Vec<_>>().join(", ")),
        };
        vec![
            name.clone(),
            milliseconds(one.tributary_ms),
            optional(one.duckdb_ms),
            optional(one.clickhouse_ms),
            ratio,
            spread,
            equal,
        ]
    });
    let columns = vec!["question", "Tributary ms", "DuckDB ms", "ClickHouse ms", "times faster", "spread", "equal"];
    Figures { title, columns, rows: rows.collect() }
}

fn tools(report: &Report) -> Option<Figures> {
    let rows: Vec<Vec<String>> = report
        .tools
        .iter()
        .map(|(name, tool)| {
            let clients = |clients: &crate::tools::Clients| {
                let latency = clients.latency;
                format!("{} / {} ({:.0}/s)", milliseconds(latency.p50_ms), milliseconds(latency.p95_ms), clients.per_second)
            };
            vec![
                name.clone(),
                format!("`{}`", tool.tool),
                milliseconds(tool.engine_ms),
                milliseconds(tool.call_ms),
                milliseconds(tool.over_engine_ms),
                clients(&tool.one_client),
                clients(&tool.eight_clients),
                yes_or_no(tool.equal),
            ]
        })
        .collect();
    let columns = vec!["question", "tool", "engine ms", "call ms", "more", "1 client p50 / p95", "8 clients p50 / p95", "equal"];
    (!rows.is_empty()).then(|| Figures { title: String::from("Through `tools/call`, kept connection"), columns, rows })
}

fn cold(report: &Report) -> Option<Figures> {
    let cold = report.cold.as_ref()?;
    let way = match cold.way {
        crate::cold::Way::DropCaches => "page cache dropped by the kernel",
        crate::cold::Way::PerFile => "files dropped from the page cache one by one",
    };
    let rows = cold.questions.iter().map(|(name, one)| {
        let ratio = |ratio: Option<f64>| ratio.map_or_else(dash, |ratio| format!("{ratio:.1}"));
        vec![
            name.clone(),
            milliseconds(one.tributary_ms),
            milliseconds(one.open_ms),
            optional(one.duckdb_ms),
            optional(one.clickhouse_ms),
            ratio(one.ratio_to_better_peer_warm),
            ratio(one.ratio_to_better_peer_cold),
        ]
    });
    let columns =
        vec!["question", "Tributary ms", "opening ms", "DuckDB ms", "ClickHouse ms", "faster than warm peer", "than cold peer"];
    Some(Figures { title: format!("Cold: fresh process, {way}"), columns, rows: rows.collect() })
}

fn sizes(report: &Report) -> Figures {
    let mut rows = Vec::new();
    let mut row = |what: &str, figure: String| rows.push(vec![what.to_owned(), figure]);
    if let Some(import) = &report.import {
        row("import, rows a second", format!("{:.0} ({} rows in {:.1} s)", import.rows_per_second, import.rows, import.seconds));
    }
    let states =
        [("as ingest leaves them", report.state.as_ref()), ("compacted", report.compacted.as_ref().map(|one| &one.state))];
    for (name, state) in states {
        let Some(disk) = state.map(|state| &state.disk) else { continue };
        let figure = format!("{:.1} / {:.1} / {:.1}", disk.columns, disk.with_properties, disk.all_in);
        row(&format!("bytes per event on disk, {name}: columns without properties / with / all in"), figure);
    }
    if let Some(memory) = &report.memory {
        if memory.peak_anonymous_bytes > 0 {
            row(
                "peak anonymous memory during the rounds",
                format!("{} MiB of a budget of {} MiB", memory.peak_anonymous_bytes >> 20, memory.budget_bytes >> 20),
            );
        }
        if let Some(decoded) = memory.decoded {
            let figure = format!(
                "{:.1} (process: {:.1}; with the ids of events {:.1})",
                decoded.counted_bytes_per_event, decoded.resident_bytes_per_event, decoded.with_event_ids_bytes_per_event
            );
            row("bytes per event decoded, every column but properties", figure);
        }
    }
    row("fdatasync of 4 KiB, median", format!("{} ms", milliseconds(report.machine.fdatasync_ms)));
    Figures { title: String::from("Loading, disk, memory"), columns: vec!["what", "figure"], rows }
}

fn under_load(report: &Report) -> Option<Figures> {
    let mut rows = Vec::new();
    if let Some(ingest) = &report.ingest {
        for (name, sent) in [("`/v1/batch`, 500 events each", &ingest.batches), ("`/v1/track`", &ingest.singles)] {
            let figure = format!("{:.0}", sent.events_per_second);
            let latency = format!("{} / {}", milliseconds(sent.latency.p50_ms), milliseconds(sent.latency.p95_ms));
            let rest = format!("{} connections, {} refused, {} duplicates", sent.connections, sent.refused, sent.duplicates);
            rows.push(vec![format!("{name}, events a second"), figure, latency, rest]);
        }
        let counted =
            if ingest.every_event_counted { "every accepted event is counted" } else { "not every accepted event is counted" };
        rows.push(vec![format!("events of {:.0} bytes", ingest.event_bytes), dash(), dash(), counted.to_owned()]);
    }
    if let Some(mix) = &report.mix {
        let reads = |name: String, reads: &crate::mix::Reads| {
            let latency = format!("{} / {}", milliseconds(reads.latency.p50_ms), milliseconds(reads.latency.p95_ms));
            vec![name, format!("{}", mix.per_second), latency, format!("{} of {} failed", reads.errors, reads.sent)]
        };
        rows.push(reads(String::from("reads a second, without ingest"), &mix.without_ingest));
        let beside = format!("reads a second, beside {:.0} events a second", mix.ingest.events_per_second);
        rows.push(reads(beside, &mix.with_ingest));
        rows.push(vec![String::from("p95 with ingest divided by p95 without"), format!("{:.2}", mix.p95_ratio), dash(), dash()]);
    }
    let columns = vec!["what", "figure", "p50 / p95 ms", "besides"];
    (!rows.is_empty()).then(|| Figures { title: String::from("Under load, over HTTP, limits off"), columns, rows })
}

/// How times and sizes grow with the number of events, over several runs.
pub fn growth(reports: &[Report]) -> Figures {
    let rows = reports.iter().map(|report| {
        let time = |number: &str| {
            let found = report.questions.iter().find(|(name, _)| name.starts_with(&format!("{number}_")));
            found.map_or_else(dash, |(_, one)| milliseconds(one.tributary_ms))
        };
        let mut row = vec![report.rows.to_string()];
        row.extend(["q1", "q2", "q3", "q4", "q5", "q6", "q7", "q8"].map(time));
        row.push(report.import.as_ref().map_or_else(dash, |import| format!("{:.0}", import.rows_per_second)));
        row.push(report.state.as_ref().map_or_else(dash, |state| format!("{:.1}", state.disk.all_in)));
        row
    });
    let columns = vec!["events", "q1 ms", "q2", "q3", "q4", "q5", "q6", "q7", "q8", "import rows/s", "bytes per event"];
    Figures { title: String::from("Growth"), columns, rows: rows.collect() }
}

fn milliseconds(ms: f64) -> String {
    if ms.abs() < 10.0 { format!("{ms:.2}") } else { format!("{ms:.0}") }
}

fn optional(ms: Option<f64>) -> String {
    ms.map_or_else(dash, milliseconds)
}

fn yes_or_no(is: bool) -> String {
    String::from(if is { "yes" } else { "no" })
}

fn dash() -> String {
    String::from("-")
}
