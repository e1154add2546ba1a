//! What the doors promise beyond the examples: scopes, selectors, refusals inside a call, provenance, audit.

use serde_json::{Value, json};
use tributary_control::{AuditFilter, KeyOwner, NewKey};
use tributary_core::credential::KeyKind;
use tributary_core::plan::Plan;

use crate::world::{Project, World};

const MAY: [(&str, &str); 2] = [("from", "2026-05-01"), ("to", "2026-06-01")];

fn may(extra: Value) -> Value {
    let mut arguments = json!({});
    for (name, value) in MAY {
        arguments[name] = json!(value);
    }
    for (name, value) in extra.as_object().unwrap() {
        arguments[name] = value.clone();
    }
    arguments
}

/// `(code, message)` of a JSON-RPC error that travelled with HTTP 200.
fn error(reply: &crate::world::Reply) -> (i64, String, Value) {
    assert_eq!(reply.status, 200, "{}", reply.text);
    let error = reply.json()["error"].clone();
    (
        error["code"].as_i64().unwrap_or_else(|| panic!("{}", reply.text)),
        error["message"].as_str().unwrap().to_owned(),
        error["data"].clone(),
    )
}

#[tokio::test]
async fn a_read_key_may_not_track() {
    let world = World::seeded().await;
    let reply = world.call(&world.storefront().rk, "/mcp", "track_event", json!({ "event": "x" })).await;
    assert_eq!(
        reply.json()["error"],
        json!({ "code": -32000, "message": "insufficient_scope", "data": { "required": "ingest", "got": "read" } })
    );
}

#[tokio::test]
async fn names_that_do_not_exist() {
    let world = World::seeded().await;
    let (rk, ak) = (&world.storefront().rk, &world.acme.ak);
    for (key, door, tool) in [(rk, "/mcp", "top_pages"), (rk, "/mcp", "list_projects"), (ak, "/mcp/account", "track_event")] {
        let (code, message, data) = error(&world.call(key, door, tool, json!({})).await);
        assert_eq!((code, message.as_str()), (-32602, "unknown_tool"), "{tool}");
        assert!(data["tools"].as_array().unwrap().iter().all(|name| name != "track_event"));
    }
    for (key, door, uri) in
        [(rk, "/mcp", "projects://all"), (ak, "/mcp/account", "events://recent"), (rk, "/mcp", "file:///etc/passwd")]
    {
        let (code, message, _) = error(&world.rpc(key, door, "resources/read", json!({ "uri": uri })).await);
        assert_eq!((code, message.as_str()), (-32602, "unknown_resource"), "{uri}");
    }
    let (code, message, _) = error(&world.rpc(rk, "/mcp", "prompts/list", json!({})).await);
    assert_eq!((code, message.as_str()), (-32601, "method_not_found"));
}

#[tokio::test]
async fn arguments_are_checked_and_the_refusal_teaches() {
    let world = World::seeded().await;
    let reply = world
        .call(
            &world.storefront().rk,
            "/mcp",
            "get_stats",
            json!({ "metric": "sum", "from": "2026-05-01", "limit": 5000, "groupby": "source" }),
        )
        .await;
    insta::assert_snapshot!("invalid_params", reply.whole(&world));
    for (arguments, field) in [
        (json!({ "from": "2026-05-01" }), "to"),
        (may(json!({ "interval": "minute" })), "interval"),
        (may(json!({ "limit": "10" })), "limit"),
        (may(json!({ "limit": 0 })), "limit"),
        (may(json!({ "from": "yesterday" })), "from"),
        (may(json!({ "to": "2026-05-01" })), "to"),
        (may(json!({ "group_by": "plan" })), "group_by"),
        (may(json!({ "group_by": "project_id" })), "group_by"),
        (may(json!({ "group_by": "source,source" })), "group_by"),
        (may(json!({ "project_slug": "acme-storefront" })), "project_slug"),
        (may(json!({ "bots": "maybe" })), "bots"),
        (may(json!({ "event": "" })), "event"),
        (may(json!({ "event": ["signup"] })), "event"),
        (json!([1, 2]), "arguments"),
        (json!("x"), "arguments"),
    ] {
        let (code, message, data) = error(&world.call(&world.storefront().rk, "/mcp", "get_stats", arguments.clone()).await);
        assert_eq!((code, message.as_str()), (-32602, "invalid_params"), "{arguments}");
        assert!(data["fieldErrors"].get(field).is_some(), "{arguments}: {data}");
    }
    // A null for an optional argument means it is absent, and 10.0 is an integer.
    let reply = world.call(&world.storefront().rk, "/mcp", "get_stats", may(json!({ "event": null, "limit": 10.0 }))).await;
    assert_eq!(reply.rows(), json!([{ "value": 14 }]));
    for arguments in
        [json!({ "event": "x", "properties": { "blob": "x".repeat(9_000) } }), json!({ "event": "x", "timestamp": "1999-12-31" })]
    {
        let (code, message, _) = error(&world.call(&world.storefront().sk, "/mcp", "track_event", arguments).await);
        assert_eq!((code, message.as_str()), (-32602, "invalid_params"));
    }
}

#[tokio::test]
async fn projects_are_selected_by_id_slug_or_list() {
    let world = World::seeded().await;
    let (shop, blog) = (world.storefront().workspace.uuid.to_string(), world.blog().workspace.uuid.to_string());
    let foreign = world.rival.projects[0].workspace.uuid.to_string();
    let ask = async |extra: Value| world.call(&world.acme.ak, "/mcp/account", "get_stats", may(extra)).await;
    for (extra, value, timezone) in [
        (json!({}), 17, "UTC"),
        (json!({ "project_id": shop }), 14, "UTC"),
        (json!({ "project_id": blog.to_uppercase() }), 3, "Europe/Berlin"),
        (json!({ "project_slug": "acme-blog" }), 3, "Europe/Berlin"),
        (json!({ "project_ids": [blog, shop] }), 17, "UTC"),
        (json!({ "project_ids": [blog] }), 3, "Europe/Berlin"),
    ] {
        let reply = ask(extra.clone()).await;
        assert_eq!(reply.rows(), json!([{ "value": value }]), "{extra}");
        assert_eq!(reply.json()["result"]["structuredContent"]["timezone"], json!(timezone), "{extra}");
    }
    for (extra, code, message) in [
        (json!({ "project_id": foreign }), -32004, "unknown_project_id"),
        (json!({ "project_ids": [shop, foreign] }), -32004, "unknown_project_id"),
        (json!({ "project_id": "1" }), -32004, "unknown_project_id"),
        (json!({ "project_slug": "rival-shop" }), -32004, "unknown_project_slug"),
        (json!({ "project_slug": "acme-store" }), -32004, "unknown_project_slug"),
        (json!({ "project_id": shop, "project_slug": "acme-blog" }), -32602, "invalid_params"),
        (json!({ "project_ids": [] }), -32602, "invalid_params"),
    ] {
        let (found, name, data) = error(&ask(extra.clone()).await);
        assert_eq!((found, name.as_str()), (code, message), "{extra}");
        // What was asked for is repeated; nothing else of the other account is known.
        assert_eq!(data.get("nearest").filter(|nearest| nearest.to_string().contains("rival")), None, "{data}");
    }
    let (_, _, data) = error(&ask(json!({ "project_slug": "acme-store" })).await);
    assert_eq!(data["nearest"][0], "acme-storefront");
}

/// Two projects: distinct visitors are added up, and the answer says so.
#[tokio::test]
async fn several_projects_are_added_up_in_utc() {
    let world = World::seeded().await;
    let reply = world
        .call(&world.acme.ak, "/mcp/account", "get_stats", may(json!({ "metric": "uniques", "interval": "day", "limit": 3 })))
        .await;
    insta::assert_snapshot!("stats_over_two_projects", reply.whole(&world));
    let reply = world.call(&world.acme.ak, "/mcp/account", "funnel", may(json!({ "steps": ["$pageview", "signup"] }))).await;
    insta::assert_snapshot!("funnel_over_two_projects", reply.whole(&world));
}

/// A local day of the blog begins at 22:00 UTC; dates without time mean its zone, and the answer prints it.
#[tokio::test]
async fn one_project_answers_in_its_own_zone() {
    let world = World::seeded().await;
    let reply = world
        .call(&world.blog().rk, "/mcp", "get_stats", json!({ "from": "2026-05-12", "to": "2026-05-13", "interval": "day" }))
        .await;
    insta::assert_snapshot!("stats_in_berlin", reply.whole(&world));
}

#[tokio::test]
async fn an_unknown_event_name_is_told_with_its_neighbours() {
    let world = World::seeded().await;
    for (tool, arguments) in [
        ("get_stats", may(json!({ "event": "sign_up" }))),
        ("query_events", may(json!({ "event": "sign_up" }))),
        ("funnel", may(json!({ "steps": ["$pageview", "sign_up"] }))),
    ] {
        let reply = world.call(&world.storefront().rk, "/mcp", tool, arguments).await;
        let unknown = reply.json()["result"]["structuredContent"]["unknown_events"].clone();
        assert_eq!(unknown, json!([{ "event": "sign_up", "nearest": ["signup"] }]), "{tool}");
    }
    // A known name without events in the range is not unknown.
    let reply = world
        .call(&world.storefront().rk, "/mcp", "get_stats", json!({ "from": "2026-05-30", "to": "2026-05-31", "event": "signup" }))
        .await;
    assert_eq!(reply.json()["result"]["structuredContent"].get("unknown_events"), None);
}

#[tokio::test]
async fn truncation_and_true_totals_are_told() {
    let world = World::seeded().await;
    let reply = world.call(&world.storefront().rk, "/mcp", "query_events", may(json!({ "limit": 2 }))).await;
    let structured = reply.json()["result"]["structuredContent"].clone();
    assert_eq!(
        (&structured["rows_returned"], &structured["total_rows"], &structured["truncated"]),
        (&json!(2), &json!(14), &json!(true))
    );
    assert_eq!(structured["rows"], reply.rows(), "text and structured content hold the same rows");
}

#[tokio::test]
async fn an_account_without_projects() {
    let world = World::seeded().await;
    let account = world.control.create_account("Empty", Plan::Business).await.unwrap().id;
    let new = NewKey { owner: KeyOwner::Account(account), kind: KeyKind::Account, label: String::from("agency") };
    let (_, ak) = world.control.create_key(new).await.unwrap();
    let reply = world.call(&ak, "/mcp/account", "list_projects", json!({})).await;
    assert_eq!(reply.rows(), json!([]));
    for tool in ["query_events", "get_stats", "top_sources", "funnel", "compare_projects"] {
        let (code, message, _) = error(&world.call(&ak, "/mcp/account", tool, may(json!({}))).await);
        assert_eq!((code, message.as_str()), (-32005, "no_projects_visible"), "{tool}");
    }
    let reply = world.rpc(&ak, "/mcp/account", "resources/read", json!({ "uri": "projects://all" })).await;
    assert_eq!(reply.json()["result"]["contents"][0]["text"], json!("[]"));
}

#[tokio::test]
async fn projects_without_events_are_compared_too() {
    let world = World::seeded().await;
    Project::create(&world.control, world.acme.account, "acme-empty", "UTC").await;
    let reply = world.call(&world.acme.ak, "/mcp/account", "compare_projects", may(json!({}))).await;
    let ranked: Vec<(String, i64)> = reply
        .rows()
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["slug"].as_str().unwrap().to_owned(), row["value"].as_i64().unwrap()))
        .collect();
    assert_eq!(ranked, [(String::from("acme-storefront"), 14), (String::from("acme-blog"), 3), (String::from("acme-empty"), 0)]);
}

/// One row per call, failed ones included, in an unbroken chain; nothing for other methods.
#[tokio::test]
async fn every_call_is_audited() {
    let world = World::seeded().await;
    let shop = world.storefront();
    world.call(&shop.rk, "/mcp", "top_sources", may(json!({}))).await;
    world.call(&shop.rk, "/mcp", "track_event", json!({ "event": "x" })).await;
    world.call(&shop.rk, "/mcp", "no_such_tool", json!({})).await;
    world.call(&shop.rk, "/mcp", "get_stats", json!({})).await;
    world.rpc(&shop.rk, "/mcp", "tools/call", json!({})).await;
    world.rpc(&shop.rk, "/mcp", "tools/list", json!({})).await;
    world.call(&world.acme.ak, "/mcp/account", "list_projects", json!({})).await;
    world.control.flush().await.unwrap();
    let mut rows = world.control.list_audit(100, &AuditFilter::default()).await.unwrap();
    rows.sort_by_key(|row| row.seq);
    let told: Vec<(&str, &str, &str, Option<i64>)> =
        rows.iter().map(|row| (row.door.as_str(), row.tool_name.as_str(), row.outcome.as_str(), row.space_id)).collect();
    let shop_id = Some(shop.workspace.id.0);
    assert_eq!(
        told,
        [
            ("key", "top_sources", "ok", shop_id),
            ("key", "track_event", "insufficient_scope", shop_id),
            ("key", "no_such_tool", "not_found", shop_id),
            ("key", "get_stats", "invalid_params", shop_id),
            ("key", "", "invalid_params", shop_id),
            ("account", "list_projects", "ok", None),
        ]
    );
    assert!(rows.iter().all(|row| row.client_ip.as_deref() == Some("203.0.113.0/24")));
    assert!(rows[0].output_size_bytes > 0);
}
