//! `tributary doctor`: is everything as it should be, and what to do if not.

use serde::Serialize;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tributary_core::error::{Code, Error, Result};
use tributary_core::time::{SECOND_US, format_utc, parse_instant};
use tributary_http::admin::{AuditChainAnswer, ListedWorkspace, StoreReport};

use crate::config::check::listen_address;
use crate::exit::Exit;
use crate::folder::owner::Owner;
use crate::folder::{Folder, Missing, is_data_folder};
use crate::globals::Globals;
use crate::operator::Operator;
use crate::{output, system};

/// Less free space than this is a warning, bytes.
const LITTLE_SPACE_BYTES: u64 = 1 << 30;
/// Files that hold secrets or everybody's events.
const PRIVATE_FILES: [&str; 2] = ["secret.key", "control.db"];
/// A clock this far behind the newest arrival is wrong, microseconds.
const CLOCK_TOLERANCE_US: i64 = 5 * SECOND_US;
/// No clock is right before this.
const EARLIEST_CLOCK: &str = "2026-01-01T00:00:00Z";

#[derive(Serialize)]
struct Finding {
    check: &'static str,
    status: Status,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Ok,
    Warning,
    Problem,
}

/// Runs every check and shows what it found; exit code 5 when one found a problem.
pub async fn run(globals: &Globals) -> Result<Exit> {
    let mut findings = vec![folder(globals)?];
    findings.extend([
        privacy(&globals.data),
        space(&globals.data),
        clock(globals),
        memory(globals),
        listener(globals),
        geo(globals),
    ]);
    match Folder::open(&globals.inspecting(), Missing::Refuse).await {
        Err(error) => findings.push(cannot_open(&error)),
        Ok(Folder::Served(owner)) => {
            findings.push(served(&owner));
            findings.extend(stores(&Operator::over(&owner)?, globals).await);
        }
        Ok(Folder::Owned(owned)) => {
            findings.push(fine("owner", String::from("no server runs; the folder opens, schema and keys fit this version")));
            findings.push(databases(owned.broken_seal.as_deref()));
            findings.extend(stores(&Operator::inside(&owned, globals), globals).await);
            owned.close().await?;
        }
    }
    show(&findings, globals)?;
    let sound = findings.iter().all(|finding| finding.status != Status::Problem);
    Ok(if sound { Exit::Done } else { Exit::Problems })
}

fn folder(globals: &Globals) -> Result<Finding> {
    if !is_data_folder(&globals.data) {
        return Err(Error::new(
            Code::NotFound,
            format!("no data folder at {}; name one with --data, or make one with `tributary serve`", globals.data.display()),
        ));
    }
    Ok(fine("configuration", String::from("accepted; `tributary config print` shows it")))
}

fn privacy(data: &Path) -> Finding {
    let mode = |path: &Path| fs::metadata(path).map(|metadata| metadata.permissions().mode() & 0o777);
    let mut open = Vec::new();
    let folder_mode = mode(data).unwrap_or(0o777);
    // In a closed folder the files' own modes matter less, but a copy keeps them.
    for name in PRIVATE_FILES {
        if mode(&data.join(name)).is_ok_and(|mode| mode & 0o077 != 0) {
            open.push(name);
        }
    }
    if folder_mode & 0o077 != 0 {
        open.insert(0, "the folder itself");
    }
    if open.is_empty() {
        return fine("permissions", String::from("only the folder's owner can read it"));
    }
    let advice = format!("chmod 700 {0}; chmod 600 {0}/secret.key {0}/*.db", data.display());
    warning("permissions", format!("others can read {}", open.join(", ")), advice)
}

fn space(data: &Path) -> Finding {
    match fs4::available_space(data) {
        Ok(free) if free < LITTLE_SPACE_BYTES => {
            warning("disk space", format!("{} MB free", free >> 20), String::from("free some space: a full disk stops ingestion"))
        }
        Ok(free) => fine("disk space", format!("{} MB free", free >> 20)),
        Err(error) => warning("disk space", format!("cannot be told: {error}"), String::from("check the disk by other means")),
    }
}

fn clock(globals: &Globals) -> Finding {
    let now_us = globals.clock.now_us();
    let earliest_us = parse_instant(EARLIEST_CLOCK, &jiff::tz::TimeZone::UTC).unwrap_or(i64::MAX);
    if now_us < earliest_us {
        return problem(
            "clock",
            format!("shows {}", format_utc(now_us)),
            String::from("set the system's clock; events without a timestamp get it"),
        );
    }
    fine("clock", format!("shows {}", format_utc(now_us)))
}

fn memory(globals: &Globals) -> Finding {
    let engine = &globals.config.engine;
    let budget = engine.memory_budget();
    let Some(machine) = system::memory_bytes().map(|bytes| bytes >> 20) else {
        return fine("memory", format!("{budget} MB for decoded columns; the machine does not tell its memory"));
    };
    if budget > machine / 2 {
        return warning(
            "memory",
            format!("{budget} MB for decoded columns, of {machine} MB"),
            String::from("questions and ingestion need memory too: set engine.memory_budget_mb to half of it at most"),
        );
    }
    fine("memory", format!("{budget} MB for decoded columns, of {machine} MB"))
}

fn listener(globals: &Globals) -> Finding {
    let server = &globals.config.server;
    let is_local = listen_address(&server.listen).is_ok_and(|address| address.ip().is_loopback());
    if !is_local && server.public_url.is_none() {
        return warning(
            "public address",
            format!("listens on {} without server.public_url", server.listen),
            String::from("put a proxy with TLS in front and set server.public_url to its https address"),
        );
    }
    fine("public address", globals.base_url())
}

fn geo(globals: &Globals) -> Finding {
    match &globals.config.ingest.geo_database {
        None => fine("geo database", String::from("none configured; countries come from trusted proxies' headers only")),
        Some(path) if path.is_file() => fine("geo database", path.display().to_string()),
        Some(path) => problem(
            "geo database",
            format!("no file at {}", path.display()),
            String::from("put a MaxMind-format .mmdb file there, or remove ingest.geo_database"),
        ),
    }
}

fn cannot_open(error: &Error) -> Finding {
    let advice = match error.code() {
        Code::Conflict => String::from("stop the process that owns the folder, or use the version of tributary that wrote it"),
        _ => String::from("restore the last backup into a new folder with `tributary restore`, and keep this one for inspection"),
    };
    problem("owner", error.chain(), advice)
}

fn databases(broken_seal: Option<&str>) -> Finding {
    match broken_seal {
        None => fine("databases", String::from("as they were left")),
        Some(what) => problem(
            "databases",
            what.to_owned(),
            String::from("the disk or someone changed the file; nothing but `doctor` and `audit verify` opens it"),
        ),
    }
}

fn served(owner: &Owner) -> Finding {
    let url = owner.url.as_deref().unwrap_or("an unknown address");
    fine("owner", format!("a server runs: process {}, {url}, its operator socket answers", owner.pid))
}

async fn stores(operator: &Operator, globals: &Globals) -> Vec<Finding> {
    vec![audit(operator).await, segments(operator).await, arrivals(operator, globals).await]
}

async fn audit(operator: &Operator) -> Finding {
    match operator.get::<AuditChainAnswer>("/audit/verify").await {
        Ok(chain) => match chain.fault {
            None => fine("audit log", format!("{} rows, chain intact, head {} {}", chain.rows, chain.head_seq, chain.head_hash)),
            Some(fault) => problem(
                "audit log",
                format!("broken at row {}: {}", fault.seq, fault.reason),
                String::from("someone changed control.db by hand; compare with a backup"),
            ),
        },
        Err(error) => unanswered("audit log", &error),
    }
}

async fn segments(operator: &Operator) -> Finding {
    match operator.get::<StoreReport>("/verify").await {
        Ok(report) if report.faults.is_empty() => fine(
            "events",
            format!("{} events; {} segment files, {} bytes, every hash as catalogued", report.events, report.files, report.bytes),
        ),
        Ok(report) => {
            let faults: Vec<String> = report.faults.iter().map(|fault| format!("{}: {}", fault.place, fault.reason)).collect();
            problem(
                "events",
                faults.join("; "),
                String::from(
                    "the disk or someone changed files; restore the last backup into a new folder with `tributary restore`",
                ),
            )
        }
        Err(error) => unanswered("events", &error),
    }
}

async fn arrivals(operator: &Operator, globals: &Globals) -> Finding {
    let workspaces = match operator.get::<Vec<ListedWorkspace>>("/workspaces").await {
        Ok(workspaces) => workspaces,
        Err(error) => return unanswered("workspaces", &error),
    };
    let newest = workspaces.iter().filter_map(|one| one.holdings.last_received_at.as_deref()).max();
    let newest_us = newest.and_then(|text| parse_instant(text, &jiff::tz::TimeZone::UTC).ok());
    if newest_us.is_some_and(|newest_us| newest_us > globals.clock.now_us() + CLOCK_TOLERANCE_US) {
        return problem(
            "workspaces",
            format!("an event arrived at {}, which is later than the clock shows", newest.unwrap_or_default()),
            String::from("the clock was set back, or was wrong before: check time synchronisation"),
        );
    }
    let rejected: u64 = workspaces.iter().flat_map(|one| &one.rejected).map(|rejected| rejected.count).sum();
    let events: u64 = workspaces.iter().map(|one| one.holdings.events).sum();
    let detail = format!(
        "{} workspaces, {events} events, last arrival {}, {rejected} rejected",
        workspaces.len(),
        newest.unwrap_or("never")
    );
    fine("workspaces", detail)
}

fn show(findings: &[Finding], globals: &Globals) -> Result<()> {
    if globals.json {
        let sound = findings.iter().all(|finding| finding.status != Status::Problem);
        return output::json(&serde_json::json!({ "ok": sound, "findings": findings }));
    }
    for finding in findings {
        let mark = match finding.status {
            Status::Ok => "ok      ",
            Status::Warning => "warning ",
            Status::Problem => "PROBLEM ",
        };
        output::line(&format!("{mark} {}: {}", finding.check, finding.detail))?;
        if let Some(advice) = &finding.advice {
            output::line(&format!("          -> {advice}"))?;
        }
    }
    Ok(())
}

fn fine(check: &'static str, detail: String) -> Finding {
    Finding { check, status: Status::Ok, detail, advice: None }
}

fn warning(check: &'static str, detail: String, advice: String) -> Finding {
    Finding { check, status: Status::Warning, detail, advice: Some(advice) }
}

fn problem(check: &'static str, detail: String, advice: String) -> Finding {
    Finding { check, status: Status::Problem, detail, advice: Some(advice) }
}

fn unanswered(check: &'static str, error: &Error) -> Finding {
    problem(check, error.chain(), String::from("the check could not run; see the server's log"))
}
