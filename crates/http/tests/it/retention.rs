//! Events past their account's retention.

use serde_json::json;
use tributary_core::plan::Limits;
use tributary_core::time::DAY_US;
use tributary_service::retention::Retained;

use crate::world::{Engine, World};

async fn events(world: &World, key: &str) -> i64 {
    let reply = world.get(key, "/v1/stats?from=2026-01-01&to=2027-01-01").await;
    reply.json()["total"].as_i64().unwrap_or_else(|| panic!("{}", reply.text))
}

async fn keep(world: &World, days: Option<u32>) {
    let account = world.control.get_account(world.acme.account).await.unwrap();
    world.control.set_limits(account.id, Limits { retention_days: days, ..account.limits }).await.unwrap();
}

async fn old_events_leave_every_answer_of_their_account_alone(engine: Engine) {
    let world = World::on(engine).await;
    let service = &world.state.service;
    let rival = world.rival.projects[0].rk.clone();
    let (shop, rivals) = (events(&world, &world.storefront().rk).await, events(&world, &rival).await);
    assert_eq!(service.apply_retention().await.unwrap(), Retained::default(), "a self-hosted account keeps everything");
    // It is noon of 31 May: 14 days keep 17 May from midnight on, the purchase and three sign-ups go.
    keep(&world, Some(14)).await;
    assert_eq!(service.apply_retention().await.unwrap(), Retained { applied: 2, failed: 0 });
    let reply =
        world.call(&world.storefront().rk, "/mcp", "query_events", json!({ "from": "2026-01-01", "to": "2027-01-01" })).await;
    let times: Vec<String> = reply.rows().as_array().unwrap().iter().map(|row| row["timestamp"].to_string()).collect();
    assert!(times.last().is_some_and(|oldest| oldest.contains("2026-05-17T00:00:00")), "{times:?}");
    assert_eq!((times.len() as i64, events(&world, &rival).await), (events(&world, &world.storefront().rk).await, rivals));
    assert!((times.len() as i64) < shop);
    assert_eq!(events(&world, &world.blog().rk).await, 0, "every workspace of the account");
    // What arrives late is as old; what has expired does not come back with a longer retention.
    let late = json!({ "event": "late", "anonymous_id": "x", "timestamp": "2026-05-16T23:59:59Z" });
    assert_eq!(world.post(&world.storefront().sk, "/v1/track", &late.to_string()).await.status, 202);
    assert_eq!(events(&world, &world.storefront().rk).await, times.len() as i64);
    keep(&world, Some(365)).await;
    service.apply_retention().await.unwrap();
    assert_eq!(events(&world, &world.storefront().rk).await, times.len() as i64);
    // A day later another day is past.
    keep(&world, Some(14)).await;
    world.clock.advance_us(DAY_US);
    service.apply_retention().await.unwrap();
    assert_eq!(events(&world, &world.storefront().rk).await, times.len() as i64 - 1);
}

#[tokio::test]
async fn old_events_leave_every_answer_of_the_reference() {
    old_events_leave_every_answer_of_their_account_alone(Engine::Reference).await;
}

#[tokio::test]
async fn old_events_leave_every_answer_of_the_timeline() {
    old_events_leave_every_answer_of_their_account_alone(Engine::Timeline).await;
}

#[tokio::test]
async fn no_day_at_all_is_refused() {
    let world = World::seeded().await;
    let account = world.control.get_account(world.acme.account).await.unwrap();
    let refused = world.control.set_limits(account.id, Limits { retention_days: Some(0), ..account.limits }).await;
    assert!(refused.unwrap_err().message().contains("at least 1"));
}
