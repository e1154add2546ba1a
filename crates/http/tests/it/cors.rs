//! What pages of other origins may do.

use axum::body::Body;
use axum::http::Request;
use serde_json::json;
use tributary_http::settings::Settings;

use crate::world::{Engine, World, with_key};

async fn preflight(world: &World, path: &str, origin: &str) -> (u16, Option<String>, Option<String>) {
    let request = Request::options(path)
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,content-type");
    let reply = world.send(request.body(Body::empty()).unwrap()).await;
    let owned = |name: &str| reply.header(name).map(str::to_owned);
    (reply.status, owned("access-control-allow-origin"), owned("access-control-allow-headers"))
}

#[tokio::test]
async fn any_page_may_ask_about_ingest() {
    let world = World::seeded().await;
    for path in ["/v1/track", "/v1/batch", "/v1/identify", "/v1/forget"] {
        let (status, origin, headers) = preflight(&world, path, "https://anywhere.example").await;
        assert_eq!((status, origin.as_deref()), (204, Some("https://anywhere.example")), "{path}");
        assert!(headers.unwrap().contains("authorization"));
    }
}

/// The Inspector's page is cross-origin; other pages stay out, whatever key they hold.
#[tokio::test]
async fn doors_admit_known_origins() {
    let settings = Settings { mcp_origins: vec![String::from("https://agents.example.com")], ..Settings::default() };
    let world = World::empty(Engine::Reference, World::unlimited(), settings).await;
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    for (origin, status) in [
        ("http://localhost:6274", 200),
        ("http://127.0.0.1:6274", 200),
        ("https://agents.example.com", 200),
        ("https://evil.example", 403),
        ("null", 403),
    ] {
        for (door, key) in [("/mcp", &world.storefront().rk), ("/mcp/account", &world.acme.ak)] {
            let request = with_key(Request::post(door), key).header("origin", origin);
            let reply = world.send(request.body(Body::from(body)).unwrap()).await;
            assert_eq!(reply.status, status, "{origin} {door}");
            let shared = (status == 200).then_some(origin);
            assert_eq!(reply.header("access-control-allow-origin"), shared, "{origin}");
            assert_eq!(preflight(&world, door, origin).await.0, if status == 200 { 204 } else { 403 });
            if status == 403 {
                assert_eq!(reply.json()["error"], json!("origin_not_allowed"));
            }
        }
    }
    // Errors carry the headers too, so that a page can read them.
    let reply = world.send(Request::post("/mcp").header("origin", "http://localhost:6274").body(Body::from(body)).unwrap()).await;
    assert_eq!((reply.status, reply.header("access-control-allow-origin")), (401, Some("http://localhost:6274")));
    assert!(reply.header("access-control-expose-headers").unwrap().contains("www-authenticate"));
}
