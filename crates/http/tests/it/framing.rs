//! JSON-RPC and MCP over HTTP as clients of four revisions meet it.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use crate::world::{World, with_key};

#[tokio::test]
async fn the_handshake_of_every_revision() {
    let world = World::seeded().await;
    let (rk, ak) = (&world.storefront().rk, &world.acme.ak);
    for (asked, answered) in [
        (json!("2025-11-25"), "2025-11-25"),
        (json!("2025-06-18"), "2025-06-18"),
        (json!("2025-03-26"), "2025-03-26"),
        (json!("2024-11-05"), "2024-11-05"),
        (json!("2026-07-28"), "2025-11-25"),
        (json!("1999-01-01"), "2025-11-25"),
        (json!(5), "2025-11-25"),
        (Value::Null, "2025-11-25"),
    ] {
        let params = json!({ "protocolVersion": asked, "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } });
        let reply = world.rpc(rk, "/mcp", "initialize", params).await;
        assert_eq!(reply.json()["result"]["protocolVersion"], json!(answered), "{asked}");
    }
    insta::assert_snapshot!("initialize_key", world.rpc(rk, "/mcp", "initialize", json!({})).await.whole(&world));
    insta::assert_snapshot!("initialize_account", world.rpc(ak, "/mcp/account", "initialize", json!({})).await.whole(&world));
    assert_eq!(world.rpc(rk, "/mcp", "ping", json!({})).await.json(), json!({ "jsonrpc": "2.0", "id": 1, "result": {} }));
    let templates = world.rpc(rk, "/mcp", "resources/templates/list", json!({})).await;
    assert_eq!(templates.json()["result"], json!({ "resourceTemplates": [] }));
}

#[tokio::test]
async fn notifications_and_responses_are_accepted_silently() {
    let world = World::seeded().await;
    for body in [
        r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#,
        r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"track_event","arguments":{"event":"never"}}}"#,
        r#"{"jsonrpc":"2.0","id":9,"result":{}}"#,
    ] {
        let reply = world.post(&world.storefront().sk, "/mcp", body).await;
        assert_eq!((reply.status, reply.text.as_str()), (202, ""), "{body}");
    }
    let stats = world.get(&world.storefront().rk, "/v1/stats?from=2026-05-01&to=2026-06-02&event=never").await;
    assert_eq!(stats.json()["total"], json!(0), "a notification runs nothing");
}

#[tokio::test]
async fn what_is_no_request_answers_invalid_request_with_http_200() {
    let world = World::seeded().await;
    for (body, id) in [
        ("", json!(null)),
        ("{not json", json!(null)),
        ("12_400", json!(null)),
        (r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, json!(null)),
        (r#"{"jsonrpc":"1.0","id":3,"method":"ping"}"#, json!(3)),
        (r#"{"jsonrpc":"2.0","id":"x","params":{}}"#, json!("x")),
    ] {
        let reply = world.post(&world.storefront().rk, "/mcp", body).await;
        let answer = reply.json();
        assert_eq!(
            (reply.status, &answer["id"], &answer["error"]["code"], &answer["error"]["message"]),
            (200, &id, &json!(-32600), &json!("invalid_request")),
            "{body}"
        );
    }
    let cursor = world.rpc(&world.storefront().rk, "/mcp", "tools/list", json!({ "cursor": "abc" })).await;
    assert_eq!(cursor.json()["error"]["code"], json!(-32602));
}

/// Any or no Accept header is served `application/json`; the version header is checked once the handshake is done.
#[tokio::test]
async fn headers_of_the_transport() {
    let world = World::seeded().await;
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
    for (name, value, status) in [
        ("accept", "text/event-stream", 200),
        ("accept", "image/png", 200),
        ("accept", "application/json, text/event-stream", 200),
        ("mcp-protocol-version", "2025-06-18", 200),
        ("mcp-protocol-version", "2024-11-05", 200),
        ("mcp-protocol-version", "2026-07-28", 400),
        ("mcp-protocol-version", "rubbish", 400),
        ("mcp-session-id", "gone", 200),
    ] {
        let request = with_key(Request::post("/mcp"), &world.storefront().rk).header("content-type", "application/json");
        let reply = world.send(request.header(name, value).body(Body::from(body)).unwrap()).await;
        assert_eq!((reply.status, reply.header("content-type")), (status, Some("application/json")), "{name}: {value}");
    }
    // A client of the next revision probes first and then falls back to the handshake.
    for (method, code) in [("server/discover", json!(-32601)), ("initialize", Value::Null)] {
        let request = with_key(Request::post("/mcp"), &world.storefront().rk).header("mcp-protocol-version", "2026-07-28");
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method }).to_string();
        let reply = world.send(request.body(Body::from(body)).unwrap()).await;
        assert_eq!((reply.status, &reply.json()["error"]["code"]), (200, &code), "{method}");
    }
    for method in ["GET", "DELETE", "PUT"] {
        for door in ["/mcp", "/mcp/account"] {
            let request = with_key(Request::builder().method(method).uri(door), &world.storefront().rk);
            let reply = world.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!((reply.status, reply.header("allow")), (405, Some("POST")), "{method} {door}");
        }
    }
}
