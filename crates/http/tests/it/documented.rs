//! Every example of the documentation, run as it stands there with only host and key changed, on both engines.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use crate::world::{CHROME_AGENT, Engine, ORIGIN, Reply, World, with_key};

/// A documented example: its name, and how it is sent.
type Example = (&'static str, Sent);

enum Sent {
    /// A GET with the storefront's read key.
    Get(&'static str),
    /// A tool call at the key door, read key.
    Read(&'static str, &'static str),
    /// A tool call at the key door, secret key.
    Secret(&'static str, &'static str),
    /// A tool call at the account door.
    Account(&'static str, &'static str),
    /// A resource at the key door.
    Resource(&'static str),
    /// A resource at the account door.
    AccountResource(&'static str),
}

#[tokio::test]
async fn every_example_answers_as_documented() {
    let examples: Vec<Example> = vec![
        (
            "query_events",
            Sent::Read(
                "query_events",
                r#"{"from":"2026-05-01T00:00:00Z","to":"2026-05-17T00:00:00Z","event":"signup","source":"facebook","limit":50}"#,
            ),
        ),
        (
            "get_stats",
            Sent::Read(
                "get_stats",
                r#"{"metric":"uniques","from":"2026-05-01T00:00:00Z","to":"2026-05-17T00:00:00Z","group_by":"source,medium","interval":"day"}"#,
            ),
        ),
        (
            "top_sources",
            Sent::Read(
                "top_sources",
                r#"{"from":"2026-05-01T00:00:00Z","to":"2026-06-01T00:00:00Z","breakdown":"source_medium","limit":20}"#,
            ),
        ),
        (
            "funnel",
            Sent::Read(
                "funnel",
                r#"{"from":"2026-05-01T00:00:00Z","to":"2026-06-01T00:00:00Z","steps":["$pageview","signup","purchase"]}"#,
            ),
        ),
        (
            "funnel_first_times",
            Sent::Read(
                "funnel",
                r#"{"from":"2026-05-01","to":"2026-06-01","steps":["$pageview","signup"],"mode":"first_times","breakdown":"source"}"#,
            ),
        ),
        ("resource_recent", Sent::Resource("events://recent")),
        ("resource_schema", Sent::Resource("schema://events")),
        ("account_list_projects", Sent::Account("list_projects", "{}")),
        (
            "account_query_events_slug",
            Sent::Account(
                "query_events",
                r#"{"from":"2026-05-01T00:00:00Z","to":"2026-05-17T00:00:00Z","project_slug":"acme-storefront","limit":50}"#,
            ),
        ),
        (
            "account_query_events_all",
            Sent::Account("query_events", r#"{"from":"2026-05-10T00:00:00Z","to":"2026-05-17T00:00:00Z","limit":5}"#),
        ),
        (
            "account_get_stats",
            Sent::Account(
                "get_stats",
                r#"{"metric":"count","from":"2026-05-10T00:00:00Z","to":"2026-05-17T00:00:00Z","group_by":"project_id,source"}"#,
            ),
        ),
        ("account_top_sources", Sent::Account("top_sources", r#"{"from":"2026-05-01T00:00:00Z","to":"2026-06-01T00:00:00Z"}"#)),
        (
            "account_compare_projects",
            Sent::Account(
                "compare_projects",
                r#"{"from":"2026-05-10T00:00:00Z","to":"2026-05-17T00:00:00Z","metric":"uniques"}"#,
            ),
        ),
        ("account_resource_projects", Sent::AccountResource("projects://all")),
        ("account_resource_schema", Sent::AccountResource("schema://events")),
        (
            "rest_query",
            Sent::Get("/v1/query?from=2026-05-01T00:00:00Z&to=2026-05-17T00:00:00Z&event=signup&source=facebook&limit=50"),
        ),
        ("rest_stats", Sent::Get("/v1/stats?metric=count&from=2026-05-01&to=2026-06-01&group_by=source,medium")),
        (
            "rest_stats_month",
            Sent::Get("/v1/stats?metric=uniques&from=2026-05-01&to=2026-06-01&group_by=campaign,device_type&interval=month"),
        ),
        ("rest_sources", Sent::Get("/v1/sources?from=2026-05-01T00:00:00Z&to=2026-06-01T00:00:00Z&breakdown=source")),
        (
            "track_event",
            Sent::Secret(
                "track_event",
                r#"{"event":"agent_task_completed","anonymous_id":"agent_001","user_id":"user_42","properties":{"task":"refactor_billing","duration_ms":12400}}"#,
            ),
        ),
    ];
    let (reference, timeline) = (World::on(Engine::Reference).await, World::on(Engine::Timeline).await);
    for (name, sent) in &examples {
        let answer = send(&reference, sent).await.whole(&reference);
        assert_eq!(send(&timeline, sent).await.whole(&timeline), answer, "the engines disagree on {name}");
        insta::assert_snapshot!(*name, answer);
    }
}

async fn send(world: &World, sent: &Sent) -> Reply {
    let shop = world.storefront();
    let arguments = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    match sent {
        Sent::Get(path) => world.get(&shop.rk, path).await,
        Sent::Read(tool, text) => world.call(&shop.rk, "/mcp", tool, arguments(text)).await,
        Sent::Secret(tool, text) => world.call(&shop.sk, "/mcp", tool, arguments(text)).await,
        Sent::Account(tool, text) => world.call(&world.acme.ak, "/mcp/account", tool, arguments(text)).await,
        Sent::Resource(uri) => world.rpc(&shop.rk, "/mcp", "resources/read", json!({ "uri": uri })).await,
        Sent::AccountResource(uri) => world.rpc(&world.acme.ak, "/mcp/account", "resources/read", json!({ "uri": uri })).await,
    }
}

/// The bodies of the ingest routes, exactly as documented.
#[tokio::test]
async fn events_go_in_and_come_out() {
    let world = World::seeded().await;
    let shop = world.storefront();
    let question = "/v1/stats?from=2026-05-31&to=2026-06-01&group_by=event_name";

    let reply = world.post(&shop.sk, "/v1/track", r#"{"event":"signup","event_id":"e1","anonymous_id":"u_1"}"#).await;
    assert_eq!((reply.status, reply.json()), (202, json!({ "ok": true, "event_id": "e1", "status": "accepted" })));
    let reply = world.post(&shop.sk, "/v1/track", r#"{"event":"signup","event_id":"e1","anonymous_id":"u_1"}"#).await;
    assert_eq!((reply.status, reply.json()), (202, json!({ "ok": true, "event_id": "e1", "status": "duplicate" })));
    let reply = world.post(&shop.sk, "/v1/track", r#"{"event":"signup"}"#).await;
    assert_eq!((reply.status, reply.json()["event_id"].clone()), (202, Value::Null));
    let reply = world.post(&shop.sk, "/v1/batch", r#"{"events":[{"event":"a"},{"event":"b","event_id":"e1"}]}"#).await;
    assert_eq!((reply.status, reply.json()), (202, json!({ "ok": true, "count": 2, "accepted": 1, "duplicates": 1 })));
    let reply =
        world.post(&shop.sk, "/v1/identify", r#"{"anonymous_id":"u_1","user_id":"user_1","traits":{"plan":"pro"}}"#).await;
    assert_eq!((reply.status, reply.json()), (200, json!({ "ok": true })));

    let rows = world.get(&shop.rk, question).await.json()["rows"].clone();
    assert_eq!(
        rows,
        json!([
            { "event_name": "signup", "value": 2 },
            { "event_name": "$identify", "value": 1 },
            { "event_name": "a", "value": 1 }
        ])
    );

    let reply = world.post(&shop.sk, "/v1/forget", r#"{"user_id":"user_1"}"#).await;
    assert_eq!((reply.status, reply.json()), (200, json!({ "ok": true, "queued": true })));
    let rows = world.get(&shop.rk, question).await.json()["rows"].clone();
    assert_eq!(rows, json!([{ "event_name": "signup", "value": 2 }, { "event_name": "a", "value": 1 }]));
}

/// What a browser sends: a publishable key, an origin, its own agent; and the same as a beacon, which cannot set headers.
#[tokio::test]
async fn browsers_and_beacons() {
    let world = World::seeded().await;
    let shop = world.storefront();
    let body = r#"{"event":"$pageview","anonymous_id":"u_9","url":"https://shop.acme.example/"}"#;
    let request = with_key(Request::post("/v1/track"), &shop.pk)
        .header("origin", ORIGIN)
        .header("user-agent", CHROME_AGENT)
        .header("content-type", "application/json");
    let reply = world.send(request.body(Body::from(body)).unwrap()).await;
    assert_eq!(reply.status, 202, "{}", reply.text);
    assert_eq!(reply.header("access-control-allow-origin"), Some(ORIGIN));

    let beacon = Request::post(format!("/v1/batch?key={}", shop.pk))
        .header("origin", ORIGIN)
        .header("user-agent", CHROME_AGENT)
        .header("content-type", "text/plain;charset=UTF-8")
        .body(Body::from(format!(r#"{{"events":[{body}]}}"#)))
        .unwrap();
    let reply = world.send(beacon).await;
    assert_eq!(reply.status, 202, "{}", reply.text);

    let rows = world.get(&shop.rk, "/v1/query?from=2026-05-31&to=2026-06-01&anonymous_id=u_9").await.json()["rows"].clone();
    assert_eq!(rows.as_array().unwrap().len(), 2);
    for row in rows.as_array().unwrap() {
        assert_eq!((&row["device_type"], &row["browser"]), (&json!("desktop"), &json!("chrome")), "{row}");
    }
}

/// Compressed bodies are read.
#[tokio::test]
async fn gzip_and_zstd() {
    use std::io::Write;
    let world = World::seeded().await;
    let body = br#"{"events":[{"event":"packed"}]}"#;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(body).unwrap();
    for (encoding, packed) in [("gzip", gzip.finish().unwrap()), ("zstd", zstd::encode_all(&body[..], 1).unwrap())] {
        let request = with_key(Request::post("/v1/batch"), &world.storefront().sk)
            .header("content-type", "application/json")
            .header("content-encoding", encoding);
        let reply = world.send(request.body(Body::from(packed)).unwrap()).await;
        assert_eq!(reply.status, 202, "{encoding}: {}", reply.text);
    }
}

/// Bots are kept, left out by default, and countable.
#[tokio::test]
async fn bots_are_left_out_unless_asked_for() {
    let world = World::seeded().await;
    let mut totals = Vec::new();
    for rule in ["exclude", "include", "only"] {
        let path = format!("/v1/stats?from=2026-05-05&to=2026-05-06&event=$pageview&bots={rule}");
        let reply = world.get(&world.storefront().rk, &path).await.json();
        assert_eq!(reply["bots"], json!(rule));
        totals.push(reply["total"].as_i64().unwrap());
    }
    assert_eq!(totals, [0, 1, 1]);
}
