//! `conversion`, `mapping` and `webhook`.

use crate::support::{Scratch, text};
use serde_json::{Value, json};

const SHOP: [&str; 2] = ["--workspace", "shop"];

#[test]
fn types_are_set_listed_and_cleared() {
    let scratch = Scratch::new();
    scratch.workspace("shop", "Europe/Berlin");
    let command = |arguments: &[&str]| scratch.json(&[&["conversion"], arguments, &SHOP[..]].concat());
    let set = command(&["set", "custom_event_2", "--label", "Deal Created", "--revenue", "true", "--counts-from", "server"]);
    let row = json!({
        "slot": "custom_event_2", "label": "Deal Created", "include_in_gross_revenue": true, "counts_from": "server",
        "event_names": ["custom_event_2"]
    });
    assert_eq!(set, json!([row]));
    let listed = command(&["list"]);
    let listed: Vec<&str> = listed.as_array().expect("rows").iter().map(|row| text(row, "/slot")).collect();
    assert_eq!((listed.len(), listed.last()), (16, Some(&"custom_event_2")));
    assert_eq!(command(&["list", "--all"]).as_array().map(Vec::len), Some(65));
    assert_eq!(command(&["clear", "custom_event_2"])[0]["label"], Value::Null);
    for (arguments, said) in [
        (&["set", "sale", "--label", "x"][..], "`sale` is no conversion; accepted: add_payment_info"),
        (&["set", "custom_event_3", "--revenue", "true"], "label: is required: the slot has none yet"),
        (&["set", "custom_event_3"], "one of label, include_in_gross_revenue and counts_from is required"),
    ] {
        let (code, refusal) = scratch.refusal(&[&["conversion"], arguments, &SHOP[..]].concat());
        assert!(code != 0 && refusal.contains(said), "{code} {refusal}");
    }
}

#[test]
fn rules_and_endpoints_are_made_tried_and_removed() {
    let scratch = Scratch::new();
    scratch.workspace("shop", "Europe/Berlin");
    let run = |arguments: &[&str]| scratch.json(&[arguments, &SHOP[..]].concat());
    let refused = |arguments: &[&str]| scratch.refusal(&[arguments, &SHOP[..]].concat()).1;

    let named = run(&["mapping", "add", "--name", "Checkout", "--to", "purchase", "--event", "checkout_done"]);
    assert_eq!((&named[0]["id"], &named[0]["source"]), (&json!(1), &json!({ "event": "checkout_done" })));

    let opened = run(&["webhook", "add", "--name", "Shopify", "--provider", "shopify"]);
    assert!(text(&opened, "/signing_secret").starts_with("whsec_"));
    let listed = run(&["webhook", "list"]);
    assert_eq!((&listed[0]["token"], &listed[0]["signing_secret"]), (&opened["token"], &Value::Null));
    let rotated = run(&["webhook", "rotate", "1", "--signing-secret", "shpss_0123456789"]);
    assert_eq!(text(&rotated, "/signing_secret"), "shpss_0123456789");
    assert_eq!(run(&["webhook", "change", "1", "--active", "false"])[0]["is_active"], json!(false));
    assert!(refused(&["webhook", "add", "--name", "x", "--provider", "shop"]).contains("must be one of generic, shopify"));

    let rule = scratch.path("rule.json");
    let fields = json!({ "email": { "path": "email" }, "amount": { "path": "total", "divide_by": 100, "required": true } });
    std::fs::write(&rule, json!({ "fields": fields }).to_string()).expect("scratch is writable");
    let rule = rule.to_string_lossy().into_owned();
    run(&["mapping", "add", "--name", "Orders", "--to", "Purchase", "--endpoint", "1", "--rule", &rule]);
    let table = scratch.text(&["mapping", "list", "--workspace", "shop"]);
    assert!(table.contains("event checkout_done") && table.contains("endpoint 1: 2 fields, 0 conditions"), "{table}");

    let payload = scratch.path("order.json");
    std::fs::write(&payload, r#"{"email":"ann@acme.com","total":4990}"#).expect("scratch is writable");
    let payload = payload.to_string_lossy().into_owned();
    let event = json!({ "event_name": "purchase", "amount": "49.90", "email": "ann@acme.com" });
    assert_eq!(run(&["mapping", "preview", "2", &payload]), event);
    assert!(refused(&["mapping", "preview", "1", &payload]).contains("maps named events"));
    assert!(refused(&["mapping", "preview", "2", "nowhere.json"]).contains("nowhere.json cannot be read"));

    assert!(refused(&["webhook", "remove", "1"]).contains("event mappings read this endpoint: 2 (Orders)"));
    assert_eq!(run(&["mapping", "remove", "2"]), json!({ "id": 2 }));
    assert_eq!(run(&["webhook", "remove", "1"]), json!({ "id": 1 }));
    assert!(refused(&["webhook", "remove", "1"]).contains("no webhook endpoint has the id 1"));
}
