//! What operators and their monitors read.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::json;
use tributary_core::error::Code;

use crate::limits::Broken;
use crate::world::World;

#[tokio::test]
async fn health_readiness_and_metrics() {
    let world = World::seeded().await;
    assert_eq!(world.get("", "/healthz").await.json(), json!({ "status": "ok" }));
    assert_eq!(world.get("", "/readyz").await.json(), json!({ "status": "ready" }));
    world.call(&world.storefront().rk, "/mcp", "no_such_tool", json!({})).await;
    world.get(&world.storefront().rk, "/v1/nothing-here").await;
    let metrics = world.get("", "/metrics").await;
    assert_eq!(metrics.header("content-type"), Some("application/openmetrics-text; version=1.0.0; charset=utf-8"));
    for line in [
        r#"tributary_http_requests_total{route="/v1/batch",method="POST",status="202"} 4"#,
        r#"tributary_http_requests_total{route="unmatched",method="GET",status="404"} 1"#,
        r#"tributary_tool_calls_total{door="key",tool="unknown",outcome="not_found"} 1"#,
        r#"tributary_events_total{outcome="accepted"} 24"#,
    ] {
        assert!(metrics.text.contains(line), "{line} is missing in\n{}", metrics.text);
    }
    world.state.draining.store(true, Ordering::Relaxed);
    let reply = world.get("", "/readyz").await;
    assert_eq!((reply.status, reply.header("retry-after")), (503, Some("5")));
    assert_eq!(world.get("", "/healthz").await.status, 200);
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_not_ready() {
    let world = World::seeded().await.answered_by(Arc::new(Broken(Code::UpstreamFailed)), World::unlimited());
    let reply = world.get("", "/readyz").await;
    assert_eq!((reply.status, reply.header("retry-after")), (503, Some("5")));
    assert_eq!(reply.json(), json!({ "status": "unready", "reason": "the event store does not answer" }));
    assert_eq!(world.get("", "/healthz").await.status, 200);
}
