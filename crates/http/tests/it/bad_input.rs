//! Malformed input of every sort: the documented error, and nothing changes.

use axum::body::Body;
use axum::http::Request;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::world::{Engine, World, with_key};

const RANGE: &str = "from=2026-05-01&to=2026-06-01";

#[tokio::test]
async fn query_strings() {
    let world = World::seeded().await;
    let mut table = String::new();
    for path in [
        "/v1/stats",
        "/v1/stats?from=2026-05-01",
        "/v1/stats?from=2026-05-01&to=",
        "/v1/stats?from=2026-06-01&to=2026-05-01",
        "/v1/stats?from=2026-05-01&to=2026-05-01",
        "/v1/stats?from=1746057600&to=2026-05-01",
        "/v1/stats?from=2026-02-30&to=2026-05-01",
        "/v1/stats?from=2026-05-01T00:00:00%2B99:00&to=2026-06-01",
        &format!("/v1/stats?{RANGE}&metric=sum"),
        &format!("/v1/stats?{RANGE}&interval=minute"),
        &format!("/v1/stats?{RANGE}&limit=0"),
        &format!("/v1/stats?{RANGE}&limit=1001"),
        &format!("/v1/stats?{RANGE}&limit=1e2"),
        &format!("/v1/stats?{RANGE}&limit=99999999999999999999999"),
        &format!("/v1/stats?{RANGE}&group_by=plan"),
        &format!("/v1/stats?{RANGE}&group_by=project_id"),
        &format!("/v1/stats?{RANGE}&group_by=source,"),
        &format!("/v1/stats?{RANGE}&group_by=event_name,source,medium,campaign,country,device_type,browser,os,path"),
        &format!("/v1/stats?{RANGE}&bots=all"),
        &format!("/v1/stats?{RANGE}&evnt=signup"),
        &format!("/v1/stats?{RANGE}&event=a&event=b"),
        &format!("/v1/stats?{RANGE}&event={}", "x".repeat(129)),
        "/v1/stats?from=1970-01-01&to=2026-05-01&interval=hour",
        &format!("/v1/sources?{RANGE}&limit=201"),
        &format!("/v1/sources?{RANGE}&breakdown=medium"),
        &format!("/v1/query?{RANGE}&limit=-1"),
        &format!("/v1/query?{RANGE}&country=DEU"),
        &format!("/v1/query?{RANGE}&{}", "a=b&".repeat(5_000)),
    ] {
        let reply = world.get(&world.storefront().rk, path).await;
        let body = reply.json();
        assert_eq!(reply.status, 400, "{path}: {body}");
        let shown: String = path.chars().take(120).collect();
        table.push_str(&format!("{shown}\n  {}: {}\n", body["error"].as_str().unwrap(), cut(&body["message"])));
    }
    insta::assert_snapshot!("query_strings", table);
    let reply = world.get(&world.storefront().rk, &format!("/v1/stats?{RANGE}&group_by=plan")).await;
    insta::assert_snapshot!("invalid_group_by", reply.whole(&world));
    let reply = world.get(&world.storefront().rk, "/v1/query?from=x&limit=0").await;
    insta::assert_snapshot!("several_problems_at_once", reply.whole(&world));
    // A `+` that was not escaped, and a space before a time, are understood.
    let plain = world
        .get(&world.storefront().rk, "/v1/stats?from=2026-05-01T02:00:00+02:00&to=2026-06-01 00:00".replace(' ', "%20").as_str())
        .await;
    assert_eq!((plain.status, &plain.json()["from"]), (200, &json!("2026-05-01T00:00:00Z")), "{}", plain.text);
}

#[tokio::test]
async fn bodies() {
    let world = World::seeded().await;
    let before = total(&world).await;
    let mut table = String::new();
    for (path, body) in [
        ("/v1/track", String::from("")),
        ("/v1/track", String::from("{")),
        ("/v1/track", String::from("[]")),
        ("/v1/track", String::from("null")),
        ("/v1/track", String::from("{}")),
        ("/v1/track", json!({ "event": "" }).to_string()),
        ("/v1/track", json!({ "event": "x".repeat(129) }).to_string()),
        ("/v1/track", json!({ "event": 5 }).to_string()),
        ("/v1/track", json!({ "event": "x", "timestamp": "yesterday" }).to_string()),
        ("/v1/track", json!({ "event": "x", "timestamp": "1999-12-31T23:59:59Z" }).to_string()),
        ("/v1/track", json!({ "event": "x", "timestamp": "2026-06-01T12:00:01Z" }).to_string()),
        ("/v1/track", json!({ "event": "x", "url": "not a url" }).to_string()),
        ("/v1/track", json!({ "event": "x", "user_id": "u".repeat(257) }).to_string()),
        ("/v1/track", json!({ "event": "x", "properties": [] }).to_string()),
        ("/v1/track", json!({ "event": "x", "properties": { "a": "b".repeat(8_192) } }).to_string()),
        ("/v1/track", format!(r#"{{"event":"x","properties":{}1{}}}"#, r#"{"a":"#.repeat(500), "}".repeat(500))),
        ("/v1/batch", json!({}).to_string()),
        ("/v1/batch", json!({ "events": [] }).to_string()),
        ("/v1/batch", json!({ "events": [{ "event": "good" }, { "event": "" }] }).to_string()),
        ("/v1/batch", json!({ "events": vec![json!({ "event": "x" }); 1_001] }).to_string()),
        ("/v1/import", json!({}).to_string()),
        ("/v1/import", json!({ "rows": [] }).to_string()),
        ("/v1/import", json!({ "rows": vec![json!({ "event": "x" }); 1_001] }).to_string()),
        ("/v1/identify", json!({ "anonymous_id": "a" }).to_string()),
        ("/v1/identify", json!({ "anonymous_id": "a", "user_id": "u", "traits": { "a": "b".repeat(9_000) } }).to_string()),
        ("/v1/spend", json!({}).to_string()),
        ("/v1/spend", json!({ "rows": [] }).to_string()),
        ("/v1/spend", json!({ "rows": vec![json!({ "source": "x" }); 1_001] }).to_string()),
        ("/v1/forget", json!({}).to_string()),
        ("/v1/forget", json!({ "user_id": "" }).to_string()),
    ] {
        let reply = world.post(&world.storefront().sk, path, &body).await;
        let answer = reply.json();
        assert_eq!((reply.status, &answer["error"]), (400, &json!("invalid_payload")), "{path} {body:.200}: {answer}");
        table.push_str(&format!("{path} {body:.80}\n  {}\n", cut(&answer["message"])));
    }
    insta::assert_snapshot!("bodies", table);
    assert_eq!(total(&world).await, before, "nothing was written");
    let reply = world.post(&world.storefront().sk, "/v1/track", "{}").await;
    insta::assert_snapshot!("invalid_payload", reply.whole(&world));
}

#[tokio::test]
async fn media_types_encodings_and_sizes() {
    let world = World::seeded().await;
    let sk = &world.storefront().sk;
    let send = async |path: &str, headers: &[(&str, &str)], body: Vec<u8>| {
        let mut request = with_key(Request::post(path), sk);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        world.send(request.body(Body::from(body)).unwrap()).await
    };
    let event = br#"{"event":"x"}"#.to_vec();
    let bomb = zstd::encode_all(&vec![b' '; 64 << 20][..], 1).unwrap();
    for (path, headers, body, status, error) in [
        ("/v1/track", vec![("content-type", "application/x-www-form-urlencoded")], event.clone(), 415, "unsupported_media_type"),
        ("/v1/track", vec![("content-type", "text/plain")], event.clone(), 415, "unsupported_media_type"),
        ("/v1/track", vec![("content-encoding", "br")], event.clone(), 415, "unsupported_media_type"),
        ("/v1/track", vec![("content-encoding", "gzip")], event.clone(), 400, "invalid_payload"),
        ("/v1/track", vec![], vec![b' '; 1 << 20], 413, "payload_too_large"),
        ("/v1/batch", vec![], vec![b' '; 20 << 20], 413, "payload_too_large"),
        ("/v1/batch", vec![("content-encoding", "zstd")], bomb, 413, "payload_too_large"),
        ("/mcp", vec![], vec![b' '; 2 << 20], 413, "payload_too_large"),
        ("/mcp", vec![("content-type", "text/plain")], event.clone(), 415, "unsupported_media_type"),
    ] {
        let reply = send(path, &headers, body).await;
        assert_eq!((reply.status, &reply.json()["error"]), (status, &json!(error)), "{path} {headers:?}");
    }
    // No content type, and one with parameters, are read.
    assert_eq!(send("/v1/track", &[], event.clone()).await.status, 202);
    assert_eq!(send("/v1/track", &[("content-type", "Application/JSON; charset=utf-8")], event).await.status, 202);
}

#[tokio::test]
async fn routes_and_methods_that_do_not_exist() {
    let world = World::seeded().await;
    for (method, path, status, allow) in [
        ("GET", "/v1/track", 405, Some("POST")),
        ("DELETE", "/v1/batch", 405, Some("POST")),
        ("POST", "/v1/stats", 405, Some("GET,HEAD")),
        ("PATCH", "/healthz", 405, Some("GET,HEAD")),
        ("GET", "/v2/track", 404, None),
        ("POST", "/v1/trackk", 404, None),
        ("GET", "/mcp/", 404, None),
        ("POST", "/mcp/1/public-api", 404, None),
        ("GET", "/accounts", 404, None),
        ("GET", "/.well-known/oauth-protected-resource", 404, None),
        ("GET", "/../etc/passwd", 404, None),
        ("DELETE", "/public-api/v1/contacts", 405, Some("GET,HEAD,POST")),
        ("POST", "/public-api/v1/contacts/1", 405, Some("GET,HEAD,PUT")),
        ("POST", "/public-api/v1/companies", 405, Some("GET,HEAD")),
        ("GET", "/public-api/v2/contacts", 404, None),
        ("POST", "/public-api/v1/custom-events", 405, Some("GET,HEAD")),
        ("GET", "/public-api/v1/custom-events/purchase", 405, Some("PUT,DELETE")),
        ("GET", "/public-api/v1/event-mappings/1/preview", 405, Some("POST")),
        ("GET", "/public-api/v1/metrics/query", 405, Some("POST")),
        ("POST", "/public-api/v1/reports/1", 405, Some("GET,HEAD,PUT,DELETE")),
        ("POST", "/public-api/v1/reports/1/run", 405, Some("GET,HEAD")),
        ("POST", "/public-api/v1/webhook-endpoints/1", 405, Some("GET,HEAD,PUT,DELETE")),
    ] {
        let request = with_key(Request::builder().method(method).uri(path), &world.storefront().sk);
        let reply = world.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!((reply.status, reply.header("allow")), (status, allow), "{method} {path}");
        assert!(reply.json()["error"].is_string(), "{method} {path}: {}", reply.text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// No bytes on any route make it panic or fail on our side.
    #[test]
    fn no_bytes_break_a_route(
        body in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..300),
            r#"\{"emails":\["[a-z@.]{0,12}"\],"names":\[[0-9"]{0,3}\],"custom_fields":\{"profile_field_[0-9]{1,2}":[0-9eE.+-]{1,8}\}\}"#
                .prop_map(String::into_bytes),
            r#"\{"name":"[a-z]{0,2}","label":"[a-z_0-9]{0,14}","to":"purchase","source":\{"webhook":\{"endpoint":[0-9]{1,30},"conditions":\[\{"path":"[a-z.0-9=]{0,8}","operator":"less_than","value":[0-9eE.+-]{1,8}\}\],"fields":\{"email":\{"path":"[a-z.]{0,5}"\},"amount":\{"value":[0-9eE.+-]{1,8}\}\}\}\}\}"#
                .prop_map(String::into_bytes),
            r#"\{"date_range":"(today|custom|all_time|[a-z_0-9]{0,8})","date_start":"[0-9-]{0,12}","attribution_model":"(linear|markov:[0-9]|time_decay:[0-9dh]{0,20}|[a-z:]{0,9})","attribution_window":(30|0|[0-9]{1,12}),"metrics":\["(roas|[a-z_ ]{0,8})"\],"group_by":\["(day|source|[a-z_]{0,8})"\],"limit":[0-9]{1,25},"filters":\[\{"field":"url","operator":"contains","value":"[a-z%\\\\u0000]{0,6}"\}\]\}"#
                .prop_map(String::into_bytes),
            r#"\{"name":"[a-z]{0,2}","slug":"[a-zA-Z_0-9]{0,3}","definition":\{"type":"(number|percent)","expression":"[a-z_0-9()+*/. -]{0,30}"\}\}"#
                .prop_map(String::into_bytes),
            r#"\{"name":"s","definition":\{"behaviours":\[\{"event":"[a-z]{0,3}","at_least":[0-9]{1,25},"within_days":[0-9-]{1,12}\}\]\}\}"#
                .prop_map(String::into_bytes),
            r#"\{"event":"[a-z]{0,3}","properties":\{"a":[0-9eE.+-]{1,8}\}\}"#.prop_map(String::into_bytes),
            r#"\{"jsonrpc":"2.0","id":[0-9]{1,30},"method":"tools/call","params":\{"name":"get_stats","arguments":\{"from":"[0-9T:Z-]{0,24}","to":"2026-[0-9]{2}-01","limit":[0-9.eE-]{1,6}\}\}\}"#
                .prop_map(String::into_bytes),
        ],
        query in "[a-z&=%+0-9:,-]{0,60}",
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let world = World::empty(Engine::Reference, World::unlimited(), Default::default()).await;
            let shop = world.storefront();
            for (method, path, key) in [
                ("POST", String::from("/v1/track"), &shop.sk),
                ("POST", String::from("/v1/batch"), &shop.sk),
                ("POST", String::from("/v1/import"), &shop.sk),
                ("POST", String::from("/v1/identify"), &shop.sk),
                ("POST", String::from("/v1/forget"), &shop.sk),
                ("POST", String::from("/public-api/v1/contacts"), &shop.sk),
                ("PUT", String::from("/public-api/v1/contacts/1"), &shop.sk),
                ("PUT", String::from("/public-api/v1/companies/1"), &shop.sk),
                ("PUT", String::from("/public-api/v1/custom-events/custom_event_1"), &shop.sk),
                ("PUT", String::from("/public-api/v1/contact-fields/profile_field_1"), &shop.sk),
                ("POST", String::from("/public-api/v1/webhook-endpoints"), &shop.sk),
                ("POST", String::from("/public-api/v1/webhook-endpoints/1/rotate"), &shop.sk),
                ("POST", String::from("/public-api/v1/event-mappings"), &shop.sk),
                ("PUT", String::from("/public-api/v1/event-mappings/1"), &shop.sk),
                ("POST", String::from("/public-api/v1/event-mappings/1/preview"), &shop.sk),
                ("POST", String::from("/public-api/v1/contacts/aggregate"), &shop.rk),
                ("POST", String::from("/public-api/v1/companies/aggregate"), &shop.rk),
                ("POST", String::from("/public-api/v1/metrics/query"), &shop.rk),
                ("POST", String::from("/public-api/v1/metrics/compare"), &shop.rk),
                ("POST", String::from("/public-api/v1/metrics/models"), &shop.rk),
                ("POST", String::from("/public-api/v1/metrics/breakdown"), &shop.rk),
                ("POST", String::from("/public-api/v1/custom-metrics"), &shop.sk),
                ("POST", String::from("/public-api/v1/segments"), &shop.sk),
                ("POST", String::from("/public-api/v1/reports"), &shop.sk),
                ("PUT", String::from("/public-api/v1/dashboards/1"), &shop.sk),
                ("GET", format!("/public-api/v1/search?{query}"), &shop.rk),
                ("GET", format!("/public-api/v1/date-range?{query}"), &shop.rk),
                ("GET", format!("/public-api/v1/contacts?{query}"), &shop.rk),
                ("POST", String::from("/mcp"), &shop.sk),
                ("POST", String::from("/mcp/account"), &world.acme.ak),
                ("GET", format!("/v1/stats?from=2026-05-01&to=2026-06-01&{query}"), &shop.rk),
                ("GET", format!("/v1/query?{query}"), &shop.rk),
            ] {
                let request = with_key(Request::builder().method(method).uri(&path), key);
                let reply = world.send(request.body(Body::from(body.clone())).unwrap()).await;
                assert!(reply.status < 500, "{method} {path}: {}", reply.text);
            }
        });
    }
}

async fn total(world: &World) -> Value {
    world.get(&world.storefront().rk, "/v1/stats?from=2000-01-01&to=2027-01-01&bots=include").await.json()["total"].clone()
}

fn cut(message: &Value) -> String {
    message.as_str().unwrap().chars().take(220).collect()
}
