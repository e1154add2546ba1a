//! Configuration: layers, refusals, printing.

use crate::support::{Ended, Scratch, ended, get, post, text};
use serde_json::{Value, json};
use std::fs;

fn with(scratch: &Scratch, variables: &[(&str, &str)], arguments: &[&str]) -> Ended {
    let mut command = scratch.command(&scratch.data(), arguments);
    command.envs(variables.iter().copied());
    ended(command)
}

fn write(scratch: &Scratch, name: &str, text: &str) {
    fs::create_dir_all(scratch.data()).expect("folder");
    fs::write(scratch.data().join(name), text).expect("file");
}

#[test]
fn environment_wins_over_file_over_defaults_and_flags_over_all() {
    let scratch = Scratch::new();
    let value = |ended: Ended, pointer: &str| {
        assert_eq!(ended.code, 0, "{ended:?}");
        serde_json::from_str::<Value>(&ended.stdout).expect("JSON").pointer(pointer).expect("a value").clone()
    };
    let print = &["config", "print", "--json"][..];
    assert_eq!(value(with(&scratch, &[], print), "/limits/track_burst"), 200, "the default");
    write(&scratch, "tributary.toml", "[limits]\ntrack_burst = 7\n[log]\nformat = \"json\"\n");
    assert_eq!(value(with(&scratch, &[], print), "/limits/track_burst"), 7, "the file");
    let variables = [("TRIBUTARY__LIMITS__TRACK_BURST", "8"), ("TRIBUTARY__LOG__FORMAT", "json")];
    assert_eq!(value(with(&scratch, &variables, print), "/limits/track_burst"), 8, "the environment");
    let flags = &["config", "print", "--json", "--log-format", "human"][..];
    assert_eq!(value(with(&scratch, &variables, flags), "/log/format"), "human", "a flag");
    let lists = [("TRIBUTARY__SERVER__TRUSTED_PROXIES", r#"["10.0.0.0/8", "fd00::/8"]"#)];
    assert_eq!(value(with(&scratch, &lists, print), "/server/trusted_proxies/1"), "fd00::/8", "a list");
    write(&scratch, "other.toml", "[limits]\ntrack_burst = 9\n");
    let other = scratch.data().join("other.toml");
    let named = ["config", "print", "--json", "--config", other.to_str().expect("text")];
    assert_eq!(value(with(&scratch, &[], &named), "/limits/track_burst"), 9, "another file");
}

#[test]
fn what_is_not_accepted_is_named_with_what_would_be() {
    let scratch = Scratch::new();
    let mut said = String::new();
    for (file, variables) in [
        ("[server]\nlistn = \"127.0.0.1:1\"\n", &[][..]),
        ("[limit]\nenforce = false\n", &[]),
        ("limits = 5\n", &[]),
        ("[server\n", &[]),
        ("[limits]\ntrack_burst = \"many\"\n", &[]),
        ("[limits]\ntrack_burst = 0\n", &[]),
        ("[server]\nlisten = \"localhost\"\n", &[]),
        ("[server]\ntrusted_proxies = [\"10.0.0.0/99\"]\n", &[]),
        ("[server]\npublic_url = \"https://a.example/path\"\n", &[]),
        ("[log]\nformat = \"xml\"\n", &[]),
        ("[log]\nfilter = \"in=fo=1\"\n", &[]),
        ("[engine]\nthreads = 0\n", &[]),
        ("[engine]\nmemory_budget_mb = 1\n", &[]),
        ("[engine]\nquestion_max_seconds = 0\n", &[]),
        ("[engine]\nquestion_max_groups = 500001\n", &[]),
        ("[engine]\nquestions_at_once = 0\n", &[]),
        ("", &[("TRIBUTARY__ENGINE__MEMORY_BUDGET", "64")]),
        ("", &[("TRIBUTARY__ENGINE__MEMORY_BUDGET_MB", "lots")]),
    ] {
        write(&scratch, "tributary.toml", file);
        let ended = with(&scratch, variables, &["config", "check"]);
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{file}");
        let message = ended.stderr.replace(scratch.data().to_str().expect("text"), "DIR");
        said.push_str(&format!("{}{variables:?}\n  {}\n", file.replace('\n', " "), message.trim_end().replace('\n', "\n  ")));
    }
    insta::assert_snapshot!(said);
}

#[test]
fn what_print_writes_is_read_back_equal() {
    let scratch = Scratch::new();
    let variables = [
        ("TRIBUTARY__SERVER__PUBLIC_URL", "https://analytics.example.com"),
        ("TRIBUTARY__SERVER__ALLOWED_ORIGINS", r#"["https://tools.example"]"#),
        ("TRIBUTARY__ENGINE__THREADS", "3"),
    ];
    let printed = with(&scratch, &variables, &["config", "print"]).stdout;
    write(&scratch, "tributary.toml", &printed);
    assert_eq!(with(&scratch, &[], &["config", "print"]).stdout, printed);
    assert_eq!(with(&scratch, &[], &["config", "check"]).code, 0);
}

#[test]
fn every_key_is_documented_in_print_and_schema() {
    let scratch = Scratch::new();
    let printed = scratch.text(&["config", "print"]);
    let schema: Value = serde_json::from_str(&scratch.text(&["config", "schema"])).expect("JSON");
    for key in tributary_app::config::load::known_keys() {
        let (section, name) = key.split_once('.').expect("section and key");
        let line = printed.lines().position(|line| line.starts_with(&format!("{name} =")) || line == format!("# {name} ="));
        let before = line.and_then(|line| printed.lines().nth(line - 1)).unwrap_or_default();
        assert!(before.starts_with("# "), "{key} has no documentation: {before}");
        let definition =
            schema["properties"][section]["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/")).expect("a section");
        let described =
            schema["$defs"][definition]["properties"][name]["description"].as_str().is_some_and(|text| text.len() > 20);
        assert!(described, "{key} has no description in the schema");
    }
}

#[test]
fn the_documentation_tells_every_key_and_its_default() {
    let scratch = Scratch::new();
    let defaults = scratch.json(&["config", "print"]);
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operations.md")).expect("the page");
    for key in tributary_app::config::load::known_keys() {
        let value = &defaults[key.split_once('.').expect("section and key").0][key.split_once('.').expect("section and key").1];
        let shown = match value {
            Value::Null => String::new(),
            Value::String(text) => format!("`{text}` "),
            other => format!("`{other}` "),
        };
        let line = format!("| `{key}` | {shown}| ");
        assert!(page.contains(&line), "docs/operations.md lacks a line beginning with {line}");
    }
}

/// How many of some events are taken at once by a server with this configuration.
async fn taken(configuration: &str) -> usize {
    let scratch = Scratch::new();
    let shop = scratch.workspace("shop", "UTC");
    write(&scratch, "tributary.toml", configuration);
    let server = scratch.serve();
    let mut taken = 0;
    for _ in 0..8 {
        let sent = post(&format!("{}/v1/track", server.url), text(&shop, "/keys/sk"), json!({ "event": "x" })).await;
        taken += usize::from(sent.0 == 202);
    }
    assert_eq!(server.stop(), 0);
    taken
}

#[tokio::test(flavor = "multi_thread")]
async fn rate_limits_are_as_configured() {
    // On a slow machine some come back meanwhile.
    let few = taken("[limits]\ntrack_burst = 2\ntrack_per_second = 1\n").await;
    assert!((2..8).contains(&few), "{few}");
    assert_eq!(taken("[limits]\nenforce = false\ntrack_burst = 1\ntrack_per_second = 1\n").await, 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn bounds_of_questions_are_as_configured_for_every_asker() {
    let scratch = Scratch::new();
    let shop = scratch.workspace("shop", "UTC");
    write(&scratch, "tributary.toml", "[engine]\nquestion_max_groups = 1\n");
    let server = scratch.serve();
    let events = json!({ "events": [{ "event": "a" }, { "event": "b" }] });
    assert_eq!(post(&format!("{}/v1/batch", server.url), text(&shop, "/keys/sk"), events).await.0, 202);
    let stats = format!("{}/v1/stats?from=2020-01-01&to=2100-01-01&group_by=event_name", server.url);
    let (status, refused) = get(&stats, text(&shop, "/keys/rk")).await;
    assert_eq!((status, &refused["error"], &refused["details"]["limit"]), (400, &json!("question_too_large"), &json!(1)));
    let (code, message) = scratch.refusal(&["query", "stats", "--workspace", "shop", "--group-by", "event_name"]);
    assert_eq!(code, 2, "{message}");
    assert!(message.contains("more than 1 groups"), "{message}");
    assert_eq!(server.stop(), 0);
}
