//! Rate limits by workspace and route, and stores that do not answer.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;
use tributary_core::error::{Code, Error, Result};
use tributary_core::scope::WorkspaceScope;
use tributary_core::time::SECOND_US;
use tributary_events::answer::Answered;
use tributary_events::question::{Budget, Question};
use tributary_events::store::{Appended, Erased, Erasure, EventStore, Holdings};
use tributary_http::settings::Settings;
use tributary_service::service::Settings as ServiceSettings;
use tributary_timeline::Timeline;
use tributary_timeline::options::Options;

use crate::world::{Engine, World};

#[tokio::test]
async fn the_documented_buckets() {
    let world = World::empty(Engine::Reference, ServiceSettings::default(), Settings::default()).await;
    let (shop, blog) = (world.storefront(), world.blog());
    let event = r#"{"event":"x"}"#;
    let batch = r#"{"events":[{"event":"x"}]}"#;
    for _ in 0..200 {
        assert_eq!(world.post(&shop.sk, "/v1/track", event).await.status, 202);
    }
    let refused = world.post(&shop.sk, "/v1/track", event).await;
    insta::assert_snapshot!("rate_limited", refused.whole(&world));
    let refused = world.post(&shop.sk, "/v1/track", "{broken").await;
    assert_eq!(refused.status, 429, "the rate comes before the body");
    // The tool takes from the same bucket and is refused in the same words; its row is written.
    let refused = world.call(&shop.sk, "/mcp", "track_event", json!({ "event": "x" })).await;
    assert_eq!((refused.status, refused.json()), (429, json!({ "error": "rate_limited", "retry_after_s": 1 })));
    assert_eq!(refused.header("retry-after"), Some("1"));
    // Batches, other workspaces and other routes are not touched.
    for _ in 0..20 {
        assert_eq!(world.post(&shop.sk, "/v1/batch", batch).await.status, 202);
    }
    assert_eq!(world.post(&shop.sk, "/v1/batch", batch).await.status, 429);
    assert_eq!(world.post(&blog.sk, "/v1/track", event).await.status, 202);
    assert_eq!(world.post(&shop.sk, "/v1/identify", r#"{"anonymous_id":"a","user_id":"u"}"#).await.status, 200);
    world.clock.advance_us(SECOND_US);
    for (path, body, refill) in [("/v1/track", event, 50), ("/v1/batch", batch, 5)] {
        for _ in 0..refill {
            assert_eq!(world.post(&shop.sk, path, body).await.status, 202, "{path}");
        }
        assert_eq!(world.post(&shop.sk, path, body).await.status, 429, "{path}");
    }
}

#[tokio::test]
async fn a_full_tail_sends_every_way_in_away_until_there_is_room() {
    let mut world = World::empty(Engine::Reference, World::unlimited(), Settings::default()).await;
    let folder = tempfile::tempdir().unwrap();
    let options = Options { tail_events: 1, ..Options::new([1; 16], world.clock.clone()) };
    let timeline = Timeline::open(folder.path(), options).unwrap();
    world.serve(timeline.clone(), Settings::default());
    let sk = world.storefront().sk.clone();
    let one = r#"{"event":"x","event_id":"1"}"#;
    let ways = [
        ("/v1/track", one),
        ("/v1/batch", r#"{"events":[{"event":"x","event_id":"2"},{"event":"x","event_id":"3"}]}"#),
        ("/v1/identify", r#"{"anonymous_id":"a","user_id":"u"}"#),
        ("/v1/import", r#"{"rows":[{"event":"x","event_id":"4","timestamp":"2026-05-01T00:00:00Z"}]}"#),
    ];
    assert_eq!(world.post(&sk, "/v1/track", r#"{"event":"x","event_id":"0"}"#).await.status, 202);
    for (path, body) in ways {
        let refused = world.post(&sk, path, body).await;
        assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")), "{path}: {}", refused.text);
        assert_eq!(refused.json()["error"], "overloaded", "{path}");
    }
    // The JSON-RPC doors say the same in their own words.
    let refused = world.call(&sk, "/mcp", "track_event", json!({ "event": "x", "event_id": "5" })).await.json();
    let data = &refused["error"]["data"];
    assert_eq!((&data["retry_after_s"], &data["reason"]), (&json!(1), &json!("overloaded")), "{refused}");
    for (path, body) in ways {
        timeline.flush().unwrap();
        let taken = world.post(&sk, path, body).await;
        assert!(taken.status < 300, "{path}: {}", taken.text);
    }
    timeline.flush().unwrap();
    // Nothing of what was refused had been stored: a batch is taken whole or not at all.
    let again = world.post(&sk, "/v1/batch", ways[1].1).await.json();
    assert_eq!((&again["accepted"], &again["duplicates"]), (&json!(0), &json!(2)));
}

/// A store that fails in a given way.
pub struct Broken(pub Code);

impl Broken {
    fn fail<T>(&self) -> Result<T> {
        Err(Error::new(self.0, "segment /data/secret-path is gone").caused_by("io: secret cause"))
    }
}

#[async_trait]
impl EventStore for Broken {
    async fn append(&self, _: &WorkspaceScope, _: Vec<tributary_core::event::Event>) -> Result<Appended> {
        self.fail()
    }
    async fn ask(&self, _: &WorkspaceScope, _: Question, _: Budget) -> Result<Answered> {
        self.fail()
    }
    async fn erase(&self, _: &WorkspaceScope, _: Erasure) -> Result<Erased> {
        self.fail()
    }
    async fn expire(&self, _: &WorkspaceScope, _: i64) -> Result<()> {
        self.fail()
    }
    async fn describe(&self, _: &WorkspaceScope) -> Result<Holdings> {
        self.fail()
    }
}

#[tokio::test]
async fn stores_that_do_not_answer() {
    let mut table = String::new();
    for code in [Code::Overloaded, Code::UpstreamFailed, Code::Internal, Code::QuestionTooLarge] {
        let world = World::empty(Engine::Reference, World::unlimited(), Settings::default()).await;
        let world = world.answered_by(Arc::new(Broken(code)), World::unlimited());
        let shop = world.storefront();
        let range = json!({ "from": "2026-05-01", "to": "2026-06-01" });
        let replies = [
            ("track", world.post(&shop.sk, "/v1/track", r#"{"event":"x"}"#).await),
            ("forget", world.post(&shop.sk, "/v1/forget", r#"{"user_id":"u"}"#).await),
            ("stats", world.get(&shop.rk, "/v1/stats?from=2026-05-01&to=2026-06-01").await),
            ("get_stats", world.call(&shop.rk, "/mcp", "get_stats", range).await),
            ("recent", world.rpc(&shop.rk, "/mcp", "resources/read", json!({ "uri": "events://recent" })).await),
        ];
        for (name, reply) in replies {
            if code != Code::Overloaded && code != Code::QuestionTooLarge {
                assert!(!reply.text.contains("secret"), "the inside of a fault stays in the log: {}", reply.text);
            }
            let error = reply.json()["error"].clone();
            let word = error.as_str().or(error["message"].as_str()).unwrap().to_owned();
            let wait = reply.header("retry-after").unwrap_or("-");
            table.push_str(&format!(
                "{} {name} -> {} {word} {} retry-after {wait}\n",
                code.as_str(),
                reply.status,
                error["code"]
            ));
        }
    }
    insta::assert_snapshot!("stores_that_do_not_answer", table);
}
