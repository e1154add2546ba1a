//! Exports: queued, written in the background, fetched by a link, gone after a day.

use std::io::Read;
use std::time::Duration;

use serde_json::{Value, json};
use tributary_http::settings::Settings;

use crate::world::{Engine, Reply, World};

async fn world() -> World {
    let world = World::empty(Engine::Reference, World::unlimited(), Settings::default()).await;
    for (name, email) in [("purchase", "ann@acme.com"), ("sign_up", "bob@gmail.com")] {
        let body = json!({ "event_name": name, "email": email, "event_time": "2026-05-04T10:00:00Z", "amount": "0.10" });
        let reply = world.post(&world.storefront().sk, "/public-api/v1/events/track", &body.to_string()).await;
        assert_eq!(reply.status, 202, "{}", reply.text);
    }
    world
}

async fn begin(world: &World, kind: &str, body: Value) -> String {
    let reply = world.post(&world.storefront().rk, &format!("/public-api/v1/{kind}/exports"), &body.to_string()).await;
    assert_eq!((reply.status, &reply.json()["status"]), (202, &json!("queued")), "{}", reply.text);
    format!("/public-api/v1/{kind}/exports/{}", reply.json()["export_id"])
}

async fn state(world: &World, path: &str) -> Value {
    world.get(&world.storefront().rk, path).await.json()
}

fn local(url: &Value) -> String {
    let (_, rest) = url.as_str().unwrap().split_once("/public-api").unwrap();
    format!("/public-api{rest}")
}

/// The lines of the file a link leads to.
async fn fetch(world: &World, url: &Value) -> Vec<Value> {
    use http_body_util::BodyExt;
    use tower::ServiceExt;
    let request = axum::http::Request::get(local(url)).header("accept-encoding", "gzip").body(axum::body::Body::empty()).unwrap();
    let response = world.router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.headers().get("content-encoding").is_none(), "it is not compressed twice");
    assert_eq!(response.headers()["content-type"], "application/gzip");
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let mut text = String::new();
    flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn without_key(world: &World, path: &str) -> Reply {
    world.send(axum::http::Request::get(path).body(axum::body::Body::empty()).unwrap()).await
}

const EVER: [(&str, &str); 2] = [("start_date", "2020-01-01 00:00:00"), ("end_date", "2030-01-01 00:00:00")];

fn ever() -> Value {
    EVER.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect::<serde_json::Map<_, _>>().into()
}

#[tokio::test]
async fn files_are_written_and_fetched() {
    let world = world().await;
    let service = world.state.service.clone();
    let events = begin(&world, "events", json!({ "date": "2026-05-04", "event_names": ["Purchase"] })).await;
    let contacts = begin(&world, "contacts", ever()).await;
    let companies = begin(&world, "companies", ever()).await;
    assert_eq!(state(&world, &events).await, json!({ "export_id": 1, "status": "queued" }));
    while service.write_next_export().await.unwrap() {}
    let done = state(&world, &events).await;
    assert_eq!((&done["status"], &done["rows"]), (&json!("completed"), &json!(1)));
    assert_eq!((&done["completed_at"], &done["expires_at"]), (&json!("2026-05-31T12:00:00Z"), &json!("2026-05-31T12:15:00Z")));
    let lines = fetch(&world, &done["download_url"]).await;
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0].as_object().unwrap().keys().collect::<Vec<_>>(), ["id", "event_name", "amount", "event_time_utc"]);
    assert_eq!((&lines[0]["event_name"], &lines[0]["amount"]), (&json!("purchase"), &json!(0.1)));
    let people = fetch(&world, &state(&world, &contacts).await["download_url"]).await;
    assert_eq!(
        people.iter().map(|line| line["email"].clone()).collect::<Vec<_>>(),
        [json!("bob@gmail.com"), json!("ann@acme.com")]
    );
    let firms = fetch(&world, &state(&world, &companies).await["download_url"]).await;
    assert_eq!((firms.len(), &firms[0]["domain"]), (1, &json!("acme.com")));
    assert!(firms[0]["created_at"].is_string());

    // A link is for one file, for a quarter of an hour, and cannot be made up.
    let link = local(&done["download_url"]);
    for forged in [link.replace("/exports/1/", "/exports/2/"), link.replace("expires=1", "expires=2"), format!("{link}0")] {
        assert_eq!(without_key(&world, &forged).await.status, 404, "{forged}");
    }
    assert_eq!(without_key(&world, "/public-api/v1/exports/1/file").await.status, 422);
    assert_eq!(without_key(&world, &events).await.status, 401);
    world.clock.advance_us(15 * 60 * 1_000_000 + 1_000_000);
    assert_eq!(without_key(&world, &link).await.status, 404, "not good any more");
    assert_eq!(fetch(&world, &state(&world, &events).await["download_url"]).await.len(), 1, "another link is");
    // And nobody else sees the export.
    let rival = world.get(&world.rival.projects[0].rk, &events).await;
    assert_eq!(rival.status, 404);
    assert_eq!(world.get(&world.storefront().rk, &events.replace("events", "contacts")).await.status, 404, "of another kind");
}

#[tokio::test]
async fn the_background_writes_what_is_queued() {
    let world = world().await;
    let running = tokio::spawn(world.state.service.clone().run_exports());
    // It begins with what the last stop interrupted: only what comes afterwards is written.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let path = begin(&world, "companies", ever()).await;
    let mut found = json!({});
    for _ in 0..500 {
        found = state(&world, &path).await;
        if found["status"] == "completed" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    running.abort();
    assert_eq!(found["status"], json!("completed"), "{found}");
}

#[tokio::test]
async fn exports_go_after_a_day_and_with_the_forgotten() {
    let world = world().await;
    let service = world.state.service.clone();
    let path = begin(&world, "contacts", ever()).await;
    assert!(service.write_next_export().await.unwrap());
    service.sweep_exports().await.unwrap();
    let link = state(&world, &path).await["download_url"].clone();
    assert_eq!(fetch(&world, &link).await.len(), 2);
    let identify = json!({ "anonymous_id": "v1", "user_id": "ann", "traits": { "email": "ann@acme.com" } });
    assert_eq!(world.post(&world.storefront().sk, "/v1/identify", &identify.to_string()).await.status, 200);
    assert_eq!(world.post(&world.storefront().sk, "/v1/forget", r#"{"user_id":"ann"}"#).await.status, 200);
    assert_eq!(without_key(&world, &local(&link)).await.status, 404);
    assert_eq!(world.get(&world.storefront().rk, &path).await.status, 404);

    let path = begin(&world, "contacts", ever()).await;
    assert!(service.write_next_export().await.unwrap());
    world.clock.advance_us(86_400 * 1_000_000 + 1);
    service.sweep_exports().await.unwrap();
    assert_eq!(world.get(&world.storefront().rk, &path).await.status, 404);
}

#[tokio::test]
async fn what_a_restart_interrupts_has_failed() {
    let world = world().await;
    let path = begin(&world, "companies", ever()).await;
    world.control.fail_interrupted_exports("the server stopped").await.unwrap();
    assert_eq!(state(&world, &path).await, json!({ "export_id": 1, "status": "failed", "message": "the server stopped" }));
    assert!(!world.state.service.write_next_export().await.unwrap());
}

#[tokio::test]
async fn what_cannot_be_exported() {
    let world = world().await;
    let shop = world.storefront();
    let mut table = String::new();
    for (kind, body) in [
        ("events", json!({})),
        ("events", json!({ "date": "2026-13-01" })),
        ("events", json!({ "date": "2026-05-04", "sources": ["facebook_ads"], "fields": ["colour"] })),
        ("events", json!({ "date": "2026-05-04", "start_date": "x" })),
        ("contacts", json!({ "start_date": "2026-05-04" })),
        ("contacts", json!({ "start_date": "2026-05-04", "end_date": "2026-05-05", "custom_field_filters": [{}] })),
        ("companies", json!({})),
        ("companies", json!(["2026-05-04", "2026-05-05"])),
    ] {
        let reply = world.post(&shop.rk, &format!("/public-api/v1/{kind}/exports"), &body.to_string()).await;
        assert_eq!(reply.status, 422, "{kind} {body}: {}", reply.text);
        table.push_str(&format!("{kind} {body}\n  {}\n", reply.json()["message"]));
    }
    insta::assert_snapshot!("what_cannot_be_exported", table);
    for _ in 0..10 {
        begin(&world, "companies", ever()).await;
    }
    let one_more = world.post(&shop.rk, "/public-api/v1/companies/exports", &ever().to_string()).await;
    assert_eq!((one_more.status, &one_more.json()["error"]), (503, &json!("overloaded")), "{}", one_more.text);
    assert_eq!(world.post(&shop.pk, "/public-api/v1/companies/exports", "{}").await.status, 403);
}
