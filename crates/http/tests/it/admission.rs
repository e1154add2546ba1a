//! Who may enter where, and in which order refusals come.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use tributary_control::{KeyOwner, NewKey};
use tributary_core::credential::KeyKind;
use tributary_core::plan::{Limits, Plan};
use tributary_http::settings::Settings;

use crate::world::{Engine, ORIGIN, Project, World, with_key};

const PING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
const RANGE: &str = "from=2026-05-01&to=2026-06-01";

/// Every kind of key on every route: status and error.
const COUNTS: &str = r#"{"start_date":"2026-05-01","end_date":"2026-06-01"}"#;
const METRICS: &str = r#"{"date_range":"today","attribution_model":"last_touch","attribution_window":30,"metrics":["roas"],
    "group_by":["source"]}"#;

#[tokio::test]
async fn kinds_and_routes() {
    let world = World::seeded().await;
    let shop = world.storefront();
    let keys = [("pk", &shop.pk), ("sk", &shop.sk), ("rk", &shop.rk), ("ak", &world.acme.ak)];
    let stats = format!("/v1/stats?{RANGE}");
    let query = format!("/v1/query?{RANGE}");
    let sources = format!("/v1/sources?{RANGE}");
    let contacts = "/public-api/v1/contacts?start_date=2026-05-01&end_date=2026-06-01";
    let routes: [(&str, &str, &str); 65] = [
        ("POST", "/v1/track", r#"{"event":"x"}"#),
        ("POST", "/v1/batch", r#"{"events":[{"event":"x"}]}"#),
        ("POST", "/v1/import", r#"{"rows":[{"event":"x","timestamp":"2026-05-03T00:00:00Z"}]}"#),
        ("POST", "/v1/identify", r#"{"anonymous_id":"a","user_id":"u"}"#),
        ("POST", "/v1/forget", r#"{"user_id":"u"}"#),
        ("POST", "/v1/spend", r#"{"rows":[{"source":"radio","account_id":"a","date":"2026-05-01","spend":"1"}]}"#),
        ("GET", "/v1/spend?from=2026-05-01&to=2026-06-01", ""),
        ("GET", &query, ""),
        ("GET", &stats, ""),
        ("GET", &sources, ""),
        ("GET", contacts, ""),
        ("POST", "/public-api/v1/contacts", r#"{"emails":["ann@example.com"]}"#),
        ("GET", "/public-api/v1/contacts/1", ""),
        ("PUT", "/public-api/v1/contacts/1", r#"{"names":["Ann"]}"#),
        ("GET", "/public-api/v1/companies", ""),
        ("GET", "/public-api/v1/companies/1", ""),
        ("PUT", "/public-api/v1/companies/1", r#"{"name":"Example"}"#),
        ("GET", "/public-api/v1/contact-fields", ""),
        ("PUT", "/public-api/v1/contact-fields/profile_field_1", r#"{"label":"Plan"}"#),
        ("DELETE", "/public-api/v1/contact-fields/profile_field_1", ""),
        ("GET", "/public-api/v1/custom-events", ""),
        ("PUT", "/public-api/v1/custom-events/custom_event_1", r#"{"label":"Deal"}"#),
        ("DELETE", "/public-api/v1/custom-events/custom_event_1", ""),
        ("GET", "/public-api/v1/event-mappings", ""),
        ("POST", "/public-api/v1/event-mappings", r#"{"name":"n","to":"purchase","source":{"event":"done"}}"#),
        ("GET", "/public-api/v1/event-mappings/1", ""),
        ("PUT", "/public-api/v1/event-mappings/1", r#"{"name":"m"}"#),
        ("POST", "/public-api/v1/event-mappings/1/preview", "{}"),
        ("GET", "/public-api/v1/webhook-endpoints", ""),
        ("POST", "/public-api/v1/webhook-endpoints", r#"{"name":"n"}"#),
        ("PUT", "/public-api/v1/webhook-endpoints/1", r#"{"is_active":false}"#),
        ("POST", "/public-api/v1/webhook-endpoints/1/rotate", ""),
        ("DELETE", "/public-api/v1/webhook-endpoints/1", ""),
        ("POST", "/public-api/v1/contacts/aggregate", COUNTS),
        ("POST", "/public-api/v1/companies/aggregate", COUNTS),
        ("GET", "/public-api/v1/ads/campaign", ""),
        ("GET", "/public-api/v1/ads/campaign/google_ads/1", ""),
        ("GET", "/public-api/v1/metrics", ""),
        ("GET", "/public-api/v1/dimensions", ""),
        ("GET", "/public-api/v1/attribution-models", ""),
        ("POST", "/public-api/v1/metrics/query", METRICS),
        ("POST", "/public-api/v1/metrics/compare", METRICS),
        ("POST", "/public-api/v1/metrics/models", METRICS),
        ("POST", "/public-api/v1/metrics/breakdown", METRICS),
        ("GET", "/public-api/v1/custom-metrics", ""),
        ("POST", "/public-api/v1/custom-metrics", r#"{"name":"n","definition":{"type":"number","expression":"roas"}}"#),
        ("GET", "/public-api/v1/reports/1", ""),
        ("PUT", "/public-api/v1/reports/1", r#"{"name":"m"}"#),
        ("DELETE", "/public-api/v1/dashboards/1", ""),
        ("GET", "/public-api/v1/segments/1/members", ""),
        ("GET", "/public-api/v1/reports/1/run", ""),
        ("GET", "/public-api/v1/dashboards/1/run", ""),
        ("GET", "/public-api/v1/date-range?preset=today", ""),
        ("GET", "/public-api/v1/search?query=x", ""),
        ("POST", "/public-api/v1/events/track", r#"{"event_name":"purchase","email":"ann@example.com"}"#),
        ("GET", "/public-api/v1/events?start_date=2026-05-01&end_date=2026-06-01", ""),
        ("GET", "/public-api/v1/events/1", ""),
        ("POST", "/public-api/v1/events/aggregate", r#"{"start_date":"2026-05-01","end_date":"2026-06-01"}"#),
        ("GET", "/public-api/v1/event-types", ""),
        ("POST", "/public-api/v1/events/exports", r#"{"date":"2026-05-01"}"#),
        ("GET", "/public-api/v1/events/exports/1", ""),
        ("POST", "/public-api/v1/contacts/exports", r#"{"start_date":"2026-05-01","end_date":"2026-06-01"}"#),
        ("POST", "/public-api/v1/companies/exports", r#"{"start_date":"2026-05-01","end_date":"2026-06-01"}"#),
        ("POST", "/mcp", PING),
        ("POST", "/mcp/account", PING),
    ];
    let mut table = String::new();
    for (method, path, body) in routes {
        for (kind, key) in keys {
            let request = with_key(Request::builder().method(method).uri(path), key)
                .header("origin", if path.starts_with("/mcp") { "http://localhost:6274" } else { ORIGIN })
                .header("content-type", "application/json");
            let reply = world.send(request.body(Body::from(body.to_owned())).unwrap()).await;
            let error = if reply.status < 300 { Value::Null } else { reply.json()["error"].clone() };
            table.push_str(&format!("{method} {path} {kind} -> {} {}\n", reply.status, error.as_str().unwrap_or("-")));
        }
    }
    insta::assert_snapshot!("kinds_and_routes", table);
}

#[tokio::test]
async fn tokens_that_are_none() {
    let world = World::seeded().await;
    let shop = world.storefront();
    let swapped = shop.sk.replacen("sk_", "rk_", 1);
    let wrong_secret = format!("{}x", shop.rk);
    let unknown = "rk_live_00000000_c2VjcmV0";
    let (_, revoked) = world
        .control
        .create_key(NewKey { owner: KeyOwner::Workspace(shop.workspace.id), kind: KeyKind::Read, label: String::from("old") })
        .await
        .unwrap();
    world.control.revoke_key(revoked.split('_').nth(2).unwrap()).await.unwrap();
    for (header, error) in [
        (None, "missing_bearer_token"),
        (Some(String::from("Bearer ")), "missing_bearer_token"),
        (Some(String::from("Basic abc")), "malformed_api_key"),
        (Some(String::from("Bearer nonsense")), "malformed_api_key"),
        (Some(String::from("Bearer xk_live_00000000_x")), "malformed_api_key"),
        (Some(format!("Bearer {unknown}")), "invalid_api_key"),
        (Some(format!("Bearer {wrong_secret}")), "invalid_api_key"),
        (Some(format!("Bearer {revoked}")), "invalid_api_key"),
        (Some(format!("Bearer {swapped}")), "key_kind_mismatch"),
    ] {
        for (method, path) in [
            ("POST", "/v1/track"),
            ("POST", "/v1/forget"),
            ("GET", "/v1/stats"),
            ("GET", "/public-api/v1/contacts"),
            ("PUT", "/public-api/v1/contacts/1"),
            ("GET", "/public-api/v1/companies/1"),
            ("POST", "/public-api/v1/events/track"),
            ("GET", "/public-api/v1/events"),
            ("POST", "/public-api/v1/events/exports"),
            ("POST", "/mcp"),
            ("POST", "/mcp/account"),
        ] {
            let mut request = Request::builder().method(method).uri(path);
            if let Some(header) = &header {
                request = request.header("authorization", header);
            }
            // The body is broken as well: credentials are looked at first.
            let reply = world.send(request.body(Body::from("{broken")).unwrap()).await;
            assert_eq!((reply.status, &reply.json()["error"]), (401, &json!(error)), "{method} {path} {header:?}");
        }
    }
    let reply = world.send(Request::post("/mcp").body(Body::from(PING)).unwrap()).await;
    assert_eq!(reply.json()["error"], json!("missing_bearer_token"));
}

/// A personal access token belongs to the token door, which answers its own 401; elsewhere it is no key.
#[tokio::test]
async fn personal_access_tokens() {
    let world = World::seeded().await;
    let reply = world.post("cfp_abcdefghijklmnop", "/mcp", PING).await;
    insta::assert_snapshot!("token_door_401", reply.whole(&world));
    assert_eq!(world.post("cfp_abcdefghijklmnop", "/mcp/account", PING).await.json()["error"], json!("malformed_api_key"));
    assert_eq!(world.post("cfp_abcdefghijklmnop", "/v1/track", "{}").await.json()["error"], json!("malformed_api_key"));
}

#[tokio::test]
async fn origins_of_publishable_keys() {
    let world = World::seeded().await;
    let pk = &world.storefront().pk;
    for (origin, status) in [
        (Some(ORIGIN), 202),
        (Some("https://SHOP.acme.example:443"), 202),
        (Some("http://shop.acme.example"), 403),
        (Some("https://www.shop.acme.example"), 403),
        (Some("https://shop.acme.example:8443"), 403),
        (Some("null"), 403),
        (None, 403),
    ] {
        let mut request = with_key(Request::post("/v1/track"), pk).header("content-type", "application/json");
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        let reply = world.send(request.body(Body::from(r#"{"event":"x"}"#)).unwrap()).await;
        assert_eq!(reply.status, status, "{origin:?}: {}", reply.text);
        if status == 403 {
            assert_eq!(reply.json()["error"], json!("origin_not_allowed"));
            assert_eq!(reply.header("access-control-allow-origin"), origin, "a page can read its refusal");
        }
    }
    // Kind, then origin, then scope.
    let forget = world.post(pk, "/v1/forget", "{}").await;
    assert_eq!(forget.json()["error"], json!("forget_requires_secret_key"));
    assert_eq!(world.get(pk, &format!("/v1/stats?{RANGE}")).await.json()["error"], json!("origin_not_allowed"));
}

#[tokio::test]
async fn keys_in_the_address_are_publishable_ones_on_ingest_routes() {
    let world = World::seeded().await;
    let shop = world.storefront();
    let post = async |path: String| {
        let request = Request::post(path).header("origin", ORIGIN).header("content-type", "text/plain");
        world.send(request.body(Body::from(r#"{"event":"x","events":[{"event":"x"}],"user_id":"u"}"#)).unwrap()).await
    };
    assert_eq!(post(format!("/v1/track?key={}", shop.pk)).await.status, 202);
    for path in [
        format!("/v1/track?key={}", shop.sk),
        format!("/v1/forget?key={}", shop.pk),
        format!("/v1/track?token={}", shop.pk),
        format!("/mcp?key={}", shop.rk),
    ] {
        let request = Request::post(path.as_str()).body(Body::from("{}")).unwrap();
        let reply = world.send(request).await;
        assert_eq!((reply.status, &reply.json()["error"]), (401, &json!("missing_bearer_token")), "{path}");
    }
}

#[tokio::test]
async fn plans_open_doors() {
    let world = World::seeded().await;
    for (plan, key_door, account_door) in [(Plan::Free, 402, 402), (Plan::Pro, 200, 402), (Plan::Business, 200, 200)] {
        world.control.set_plan(world.acme.account, plan).await.unwrap();
        let key = world.post(&world.storefront().rk, "/mcp", r#"{"jsonrpc":"2.0","id":"q","method":"ping"}"#).await;
        let account = world.post(&world.acme.ak, "/mcp/account", PING).await;
        assert_eq!((key.status, account.status), (key_door, account_door), "{plan:?}");
        match plan {
            Plan::Free => insta::assert_snapshot!("free_on_mcp", key.whole(&world)),
            Plan::Pro => insta::assert_snapshot!("pro_on_mcp_account", account.whole(&world)),
            Plan::Business => {}
        }
        assert_eq!(world.get(&world.storefront().rk, &format!("/v1/stats?{RANGE}")).await.status, 200, "REST is open to all");
        // The kind is looked at before the plan.
        assert_eq!(world.post(&world.acme.ak, "/mcp", PING).await.json()["error"], json!("key_kind_not_allowed"));
    }
}

#[tokio::test]
async fn a_monthly_quota() {
    let world = World::seeded().await;
    let project = Project::create(&world.control, world.acme.account, "acme-small", "UTC").await;
    let limits = Limits { monthly_events: Some(20), ..Limits::self_hosted(Plan::Business) };
    world.control.set_limits(world.acme.account, limits).await.unwrap();
    // The seeded events count: 18 of 20 are used.
    let batch = json!({ "events": [{ "event": "a" }, { "event": "b" }, { "event": "c" }] }).to_string();
    assert_eq!(world.post(&project.sk, "/v1/batch", &batch).await.status, 202, "a request that starts below is taken whole");
    for (path, body) in [("/v1/track", r#"{"event":"d"}"#), ("/v1/identify", r#"{"anonymous_id":"a","user_id":"u"}"#)] {
        let reply = world.post(&project.sk, path, body).await;
        assert_eq!((reply.status, &reply.json()["error"]), (402, &json!("plan_limit")), "{path}");
    }
    let reply = world.call(&project.sk, "/mcp", "track_event", json!({ "event": "d" })).await;
    assert_eq!((reply.status, &reply.json()["error"]["code"]), (200, &json!(-32002)));
    assert_eq!(world.get(&project.rk, &format!("/v1/stats?{RANGE}")).await.status, 200);
}

#[tokio::test]
async fn secret_keys_may_read_over_rest_where_the_operator_says_so() {
    let settings = Settings { secret_keys_read: true, ..Settings::default() };
    let world = World::empty(Engine::Reference, World::unlimited(), settings).await;
    let shop = world.storefront();
    assert_eq!(world.get(&shop.sk, &format!("/v1/stats?{RANGE}")).await.status, 200);
    assert_eq!(world.get(&world.acme.ak, &format!("/v1/stats?{RANGE}")).await.status, 403);
}
