//! `metrics`, `saved`, `search` and `dates` on a small demo: ads, conversions, people, and what is saved of them.

use crate::support::Scratch;
use serde_json::{Value, json};

const DAYS: &str = "2026-02-17..2026-05-16";

fn demo() -> Scratch {
    let scratch = Scratch::new();
    let made = ["demo", "--events", "20000", "--seed", "7", "--until", "2026-05-17T12:00:00Z", "--prepare-only"];
    scratch.text(&made);
    scratch
}

fn in_shop<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [&arguments[..2], &["--workspace", "gipfelgut"], &arguments[2..]].concat()
}

#[test]
fn the_demo_answers_metrics_on_the_command_line() {
    let scratch = demo();
    let mut shown = String::new();
    for arguments in [
        &["metrics", "query", "--metrics", "roas,gross_revenue,amount_spent,purchase", "--by", "source", "--range", DAYS][..],
        &[
            "metrics",
            "query",
            "--metrics",
            "purchase,cpa,Profit Margin",
            "--by",
            "campaign_name",
            "--model",
            "linear",
            "--range",
            DAYS,
            "--filter",
            "source equal_to facebook_ads|instagram_ads",
            "--sort=-cost_per_purchase",
        ],
        &["metrics", "query", "--metrics", "amount_spent,refund_amount", "--by", "country", "--range", DAYS, "--limit", "2"],
        &["metrics", "compare", "--metrics", "net_profit", "--range", "2026-05-01..2026-05-16", "--to", "2026-04-01..2026-04-16"],
        &[
            "metrics",
            "under",
            "--metrics",
            "purchase",
            "--by",
            "source",
            "--models",
            "first_touch,markov",
            "--sources",
            "google_ads",
            "--range",
            DAYS,
        ],
        &["metrics", "split", "--metrics", "gross_revenue", "--by", "source", "--limit", "3", "--range", DAYS],
    ] {
        let arguments = in_shop(arguments);
        let ended = scratch.run(&arguments);
        assert_eq!(ended.code, 0, "{arguments:?}: {ended:?}");
        shown.push_str(&format!("$ tributary {}\n{}{}\n", arguments.join(" "), ended.stdout, ended.stderr));
    }
    insta::assert_snapshot!("metrics_on_the_command_line", shown);

    // What the demo has saved can be asked, and has something to show.
    for workspace in ["gipfelgut", "paperplane"] {
        for report in scratch.json(&["saved", "list", "report", "--workspace", workspace]).as_array().expect("reports") {
            let id = report["id"].to_string();
            let answer = scratch.json(&["saved", "run", "report", &id, "--workspace", workspace, "--range", DAYS]);
            assert!(answer["rows"].as_array().is_some_and(|rows| !rows.is_empty()), "{report}: {answer}");
            assert_eq!(answer.get("left_apart"), None, "every currency of the demo has rates: {answer}");
        }
        let board = scratch.json(&["saved", "list", "dashboard", "--workspace", workspace])[0]["id"].to_string();
        let board = scratch.json(&["saved", "run", "dashboard", &board, "--workspace", workspace, "--range", DAYS]);
        assert!(board["reports"].as_array().is_some_and(|reports| reports.len() >= 2), "{board}");
    }
    assert!(scratch.text(&["metrics", "list", "--workspace", "gipfelgut"]).contains("Return on ad spend"));
    assert!(scratch.text(&["metrics", "dimensions", "--workspace", "gipfelgut"]).contains("Lifetime Orders"));
    assert!(scratch.text(&["metrics", "models", "--workspace", "gipfelgut"]).contains("markov"));
    let found = scratch.json(&["search", "--workspace", "gipfelgut", "retargetng", "--types", "campaign"]);
    assert!(found["rows"][0]["name"].as_str().is_some_and(|name| name.contains("Retargeting")), "{found}");
    let campaigns = scratch.text(&["ads", "campaign", "--workspace", "gipfelgut", "--source", "google_ads"]);
    assert!(campaigns.contains("Search | Brand"), "{campaigns}");
    let quarter = scratch.text(&["dates", "--workspace", "gipfelgut", "the first quarter of 2026"]);
    assert!(quarter.contains("days_inclusive  90") && quarter.contains("clocks change on 2026-03-29"), "{quarter}");
}

#[test]
fn what_is_saved_comes_from_files_and_refusals_say_what_is_accepted() {
    let scratch = Scratch::new();
    scratch.workspace("shop", "Europe/Berlin");
    let file = |name: &str, definition: &Value| {
        let path = scratch.path(name);
        std::fs::write(&path, definition.to_string()).unwrap();
        path.to_string_lossy().into_owned()
    };
    let segment = file("segment.json", &json!({ "behaviours": [{ "event": "purchase" }] }));
    let told = scratch.text(&["saved", "create", "segment", "--workspace", "shop", "--name", "Buyers", &segment]);
    assert_eq!(told.trim_end(), "saved as 1: Buyers");
    let changed = scratch.json(&["saved", "change", "segment", "1", "--workspace", "shop", "--name", "Customers"]);
    assert_eq!((&changed["name"], &changed["definition"]["behaviours"][0]["at_least"]), (&json!("Customers"), &json!(1)));
    assert_eq!(scratch.json(&["saved", "show", "segment", "1", "--workspace", "shop"]), changed);
    assert!(scratch.text(&["saved", "run", "segment", "1", "--workspace", "shop"]).contains("0 members"));
    assert_eq!(scratch.text(&["saved", "delete", "segment", "1", "--workspace", "shop"]).trim_end(), "segment 1 is deleted");
    let report = file("report.json", &json!({ "type": "line", "question": { "date_range": "today" } }));
    for (arguments, part) in [
        (&["saved", "create", "report", "--workspace", "shop", "--name", "x", &report][..], "missing field"),
        (&["saved", "show", "segment", "1", "--workspace", "shop"], "segment"),
        (&["saved", "create", "metric", "--workspace", "shop", "--name", "x", "/nowhere.json"], "cannot be read"),
        (&["metrics", "query", "--workspace", "shop", "--metrics", "roass"], "nearest: roas"),
        (
            &["metrics", "query", "--workspace", "shop", "--metrics", "roas", "--filter", "country"],
            "a field, an operator and a value",
        ),
        (&["metrics", "query", "--workspace", "shop", "--metrics", "roas", "--range", "someday"], "accepted: today, yesterday"),
        (&["dates", "--workspace", "shop", "whenever"], "accepted: today, yesterday"),
        (&["search", "--workspace", "shop", "x", "--types", "planet"], "accepted: ad_account, campaign"),
    ] {
        let (code, said) = scratch.refusal(arguments);
        assert!(said.contains(part), "{arguments:?} ({code}): {said}");
    }
}
