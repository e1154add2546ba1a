//! The binary itself: demo, export and import on a real data folder.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::data;

/// Runs `tributary` in a folder; answers its standard output.
fn tributary(folder: &Path, arguments: &[&str]) -> String {
    let output =
        Command::new(env!("CARGO_BIN_EXE_tributary")).args(arguments).current_dir(folder).output().expect("the binary runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn demo(folder: &Path, name: &str, events: &str) -> Value {
    let until = "2026-05-17T00:00:00Z";
    let arguments = ["demo", "--data", name, "--events", events, "--seed", "7", "--until", until, "--prepare-only", "--json"];
    let shown: Value = serde_json::from_str(&tributary(folder, &arguments)).expect("JSON");
    let written = std::fs::read_to_string(folder.join(name).join("demo.json")).expect("demo.json is there");
    assert_eq!(shown, serde_json::from_str::<Value>(&written).expect("JSON"));
    shown
}

#[test]
fn the_demo_is_made_once_and_always_the_same() {
    let folder = tempfile::tempdir().expect("scratch");
    let folder = folder.path();
    let made = demo(folder, "one", "3000");
    let keys = |value: &Value| value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&made), ["url", "account_id", "workspaces", "ak"]);
    assert_eq!(keys(&made["workspaces"][0]), ["id", "uuid", "slug", "keys"]);
    assert_eq!(keys(&made["workspaces"][0]["keys"]), ["pk", "sk", "rk"]);
    assert_eq!(made["workspaces"].as_array().map(Vec::len), Some(2));
    assert_eq!(demo(folder, "one", "3000"), made, "a second run changes nothing");
    assert_eq!(demo(folder, "one", "9999"), made, "nor does one that wants another demo");
    demo(folder, "two", "3000");
    for workspace in ["gipfelgut", "paperplane"] {
        let [one, two] =
            ["one", "two"].map(|name| tributary(folder, &["export", "--data", name, "--workspace", workspace, "--out", "-"]));
        assert!(one.lines().count() > 1_000);
        assert!(one == two, "the same seed and end give the same bytes");
    }
}

#[test]
fn the_demo_has_ads_contacts_and_conversions() {
    let folder = tempfile::tempdir().expect("scratch");
    let folder = folder.path();
    demo(folder, "one", "12000");
    let json = |arguments: &[&str]| -> Value { serde_json::from_str(&tributary(folder, arguments)).expect("JSON") };
    let spend = ["spend", "--data", "one", "--workspace", "gipfelgut", "--from", "2026-02-01", "--to", "2026-06-01", "--json"];
    let spent = json(&[&spend[..], &["--currency", "EUR", "--by", "source,campaign"]].concat());
    assert_eq!(spent["left_apart"], serde_json::json!([]), "every currency has its rates");
    let truth = json(&["demo", "--data", "one", "--truth", "--json"]);
    let rows = truth["campaigns"].as_array().expect("campaigns");
    assert_eq!(rows.len(), 10);
    // To the cent: the truth rounds each campaign's spend as it is shown.
    let cents = |text: &Value| (text.as_str().expect("an amount").parse::<f64>().expect("a number") * 100.0).round() as i64;
    for row in rows {
        let told = spent["rows"].as_array().expect("rows").iter().find(|told| told["campaign_id"] == row["campaign_id"]);
        let told = told.unwrap_or_else(|| panic!("nothing was spent on {row}"));
        assert_eq!((&told["source"], cents(&told["spend"])), (&row["source"], cents(&row["spend"])));
    }
    let labels = tributary(folder, &["contact", "labels", "--data", "one", "--workspace", "gipfelgut"]);
    for label in ["Customer Plan", "Lifetime Orders", "First Order"] {
        assert!(labels.contains(label), "{labels}");
    }
    let merges = json(&["contact", "merges", "--data", "one", "--workspace", "gipfelgut", "--json"]);
    assert!(merges.as_array().is_some_and(|merges| !merges.is_empty()), "some people opened two accounts: {merges}");
    let stats =
        ["query", "stats", "--data", "one", "--from", "2026-02-01", "--to", "2026-06-01", "--json", "--metric", "visitors"];
    let counted = |workspace: &str, people: &str| {
        let answer = json(&[&stats[..], &["--workspace", workspace, "--people", people]].concat());
        answer["totals"]["visitors"].as_u64().expect("a number")
    };
    assert!(counted("gipfelgut", "contacts") < counted("gipfelgut", "visitors"), "some people have two devices");
    assert!(counted("paperplane", "companies") < counted("paperplane", "contacts"), "colleagues share a company");
}

#[test]
fn a_log_is_imported_and_asked_about() {
    let folder = tempfile::tempdir().expect("scratch");
    let folder = folder.path();
    tributary(folder, &["account", "create", "--data", "d", "--name", "Test", "--plan", "business", "--json"]);
    let workspace = ["--name", "Blog", "--slug", "blog", "--timezone", "UTC", "--currency", "USD", "--json"];
    tributary(folder, &[&["workspace", "create", "--data", "d", "--account", "1"][..], &workspace].concat());
    let log = data("weblog/access.log.gz");
    let import =
        ["import", "events", "--data", "d", "--workspace", "blog", "--json", "--rejected-dir", ".", log.to_str().expect("UTF-8")];
    let counts = || -> Value { serde_json::from_str(&tributary(folder, &import)).expect("JSON") };
    let first = counts();
    assert_eq!((&first[0]["accepted"], &first[0]["duplicates"], &first[0]["rejected"]), (&10_000.into(), &0.into(), &0.into()));
    assert_eq!(counts()[0]["duplicates"], 10_000);
    let stats = ["query", "stats", "--data", "d", "--workspace", "blog", "--from", "2015-05-17", "--to", "2015-05-21", "--json"];
    let question = ["--metric", "visitors", "--where", "event_name=request", "--bots", "include", "--interval", "day"];
    let answer: Value = serde_json::from_str(&tributary(folder, &[&stats[..], &question].concat())).expect("JSON");
    let per_day: Vec<i64> = answer["rows"].as_array().expect("rows").iter().filter_map(|row| row["visitors"].as_i64()).collect();
    assert_eq!((per_day, &answer["totals"]["visitors"]), (vec![359, 643, 570, 523], &2_095.into()));
}
