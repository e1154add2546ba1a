//! The bounds of questions: what one may take, how many there may be, and that nobody works for a client that went away.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tributary_control::AuditFilter;
use tributary_core::error::Result;
use tributary_core::event::Event;
use tributary_core::scope::WorkspaceScope;
use tributary_events::answer::Answered;
use tributary_events::question::{Budget, Question};
use tributary_events::reference::ReferenceStore;
use tributary_events::store::{Appended, Erased, Erasure, EventStore, Holdings};
use tributary_http::settings::Settings;
use tributary_service::bounded::{BoundedStore, QuestionBounds};
use tributary_service::service::Settings as ServiceSettings;

use crate::world::{Engine, Reply, World};

/// The longest anything here may take.
const PATIENCE: Duration = Duration::from_secs(20);
const MAY: &str = "/v1/stats?from=2026-05-01&to=2026-06-01";

/// A store that answers a question when it is let, and counts those it is told of and those it is told to forget.
#[derive(Default)]
struct Gate {
    store: ReferenceStore,
    begun: AtomicUsize,
    ended: AtomicUsize,
    open: Option<Semaphore>,
}

struct Ended<'g>(&'g Gate);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Ordering::SeqCst);
    }
}

impl Gate {
    fn closed() -> Arc<Self> {
        Arc::new(Self { open: Some(Semaphore::new(0)), ..Self::default() })
    }

    fn let_in(&self, questions: usize) {
        self.open.as_ref().unwrap().add_permits(questions);
    }

    async fn until(&self, begun: usize, ended: usize) {
        let begin = Instant::now();
        loop {
            let now = (self.begun.load(Ordering::SeqCst), self.ended.load(Ordering::SeqCst));
            if now == (begun, ended) {
                return;
            }
            assert!(begin.elapsed() < PATIENCE, "{now:?} begun and ended, not {:?}", (begun, ended));
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

#[async_trait]
impl EventStore for Gate {
    async fn append(&self, scope: &WorkspaceScope, events: Vec<Event>) -> Result<Appended> {
        self.store.append(scope, events).await
    }
    async fn ask(&self, scope: &WorkspaceScope, question: Question, budget: Budget) -> Result<Answered> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        let _ended = Ended(self);
        if let Some(open) = &self.open {
            open.acquire().await.unwrap().forget();
        }
        self.store.ask(scope, question, budget).await
    }
    async fn erase(&self, scope: &WorkspaceScope, what: Erasure) -> Result<Erased> {
        self.store.erase(scope, what).await
    }
    async fn expire(&self, scope: &WorkspaceScope, before_us: i64) -> Result<()> {
        self.store.expire(scope, before_us).await
    }
    async fn describe(&self, scope: &WorkspaceScope) -> Result<Holdings> {
        self.store.describe(scope).await
    }
}

async fn world_behind(gate: &Arc<Gate>, bounds: QuestionBounds) -> World {
    let world = World::empty(Engine::Reference, World::unlimited(), Settings::default()).await;
    world.answered_by(BoundedStore::new(gate.clone(), bounds), World::unlimited())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_away_cancels_its_question() {
    let gate = Gate::closed();
    let world = world_behind(&gate, QuestionBounds { at_once: 1, per_workspace: 1, ..QuestionBounds::default() }).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = world.router.clone().into_make_service_with_connect_info::<SocketAddr>();
    let server = tokio::spawn(async move { axum::serve(listener, service).await });
    let key = &world.storefront().rk;
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
        "name": "get_stats", "arguments": { "from": "2026-05-01", "to": "2026-06-01" } } })
    .to_string();
    let head = format!("Host: here\r\nAuthorization: Bearer {key}\r\n");
    let requests = [
        format!("GET {MAY} HTTP/1.1\r\n{head}\r\n"),
        format!("POST /mcp HTTP/1.1\r\n{head}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{call}", call.len()),
    ];
    for (number, request) in (1..).zip(&requests) {
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(request.as_bytes()).await.unwrap();
        gate.until(number, number - 1).await;
        drop(client);
        gate.until(number, number).await;
    }
    // The call has its row all the same, one, and the only place is free again.
    let begin = Instant::now();
    let rows = loop {
        world.control.flush().await.unwrap();
        let rows = world.control.list_audit(10, &AuditFilter::default()).await.unwrap();
        if !rows.is_empty() || begin.elapsed() > PATIENCE {
            break rows;
        }
    };
    let told: Vec<(&str, &str)> = rows.iter().map(|row| (row.tool_name.as_str(), row.outcome.as_str())).collect();
    assert_eq!(told, [("get_stats", "cancelled")]);
    gate.let_in(1);
    assert_eq!(world.get(key, MAY).await.status, 200);
    server.abort();
}

#[tokio::test]
async fn a_question_that_waits_is_forgotten_with_its_client() {
    let gate = Gate::closed();
    let bounds = QuestionBounds { at_once: 1, per_workspace: 1, waiting: 2, patience: PATIENCE };
    let world = Arc::new(world_behind(&gate, bounds).await);
    let key = world.storefront().rk.clone();
    let under_way = ask(&world, &key);
    gate.until(1, 0).await;
    let waiting = ask(&world, &key);
    tokio::time::sleep(Duration::from_millis(20)).await;
    waiting.abort();
    under_way.abort();
    gate.until(1, 1).await;
    gate.let_in(1);
    assert_eq!(world.get(&key, MAY).await.status, 200, "both places are free again");
    gate.until(2, 2).await;
}

/// Asks, without waiting for the answer longer than the store takes to hear of it, or to refuse.
fn ask(world: &Arc<World>, key: &str) -> tokio::task::JoinHandle<Reply> {
    let (world, key) = (world.clone(), key.to_owned());
    tokio::spawn(async move { world.get(&key, MAY).await })
}

#[tokio::test]
async fn questions_beyond_the_bounds_are_told_to_come_back() {
    let gate = Gate::closed();
    let bounds = QuestionBounds { at_once: 2, per_workspace: 1, waiting: 2, patience: PATIENCE };
    let world = Arc::new(world_behind(&gate, bounds).await);
    let (shop, blog) = (world.storefront().rk.clone(), world.blog().rk.clone());
    let (rival, other) = (world.rival.projects[0].rk.clone(), world.rival.projects[1].rk.clone());
    let under_way = ask(&world, &shop);
    gate.until(1, 0).await;
    let waiting = ask(&world, &shop);
    tokio::time::sleep(Duration::from_millis(20)).await;
    // One of the workspace is under way, one waits: half of the waiting places.
    let refused = world.get(&shop, MAY).await;
    insta::assert_snapshot!("workspace_overloaded", refused.whole(&world));
    let call = world.call(&shop, "/mcp", "get_stats", json!({ "from": "2026-05-01", "to": "2026-06-01" })).await;
    let data = &call.json()["error"]["data"];
    assert_eq!((call.status, &data["reason"], &data["retry_after_s"]), (200, &json!("overloaded"), &json!(1)));
    // Another workspace has a place at once, a third waits, a fourth finds nowhere to wait.
    let next = ask(&world, &blog);
    gate.until(2, 0).await;
    let third = ask(&world, &rival);
    tokio::time::sleep(Duration::from_millis(20)).await;
    let refused = world.get(&other, MAY).await;
    insta::assert_snapshot!("process_overloaded", refused.whole(&world));
    // Nothing of it lasts.
    gate.let_in(100);
    for question in [under_way, waiting, next, third] {
        assert_eq!(question.await.unwrap().status, 200);
    }
    assert_eq!(world.get(&other, MAY).await.status, 200);
}

#[tokio::test]
async fn nobody_waits_for_ever() {
    let gate = Gate::closed();
    let bounds = QuestionBounds { at_once: 1, per_workspace: 1, waiting: 2, patience: Duration::from_millis(20) };
    let world = Arc::new(world_behind(&gate, bounds).await);
    let key = world.storefront().rk.clone();
    let under_way = ask(&world, &key);
    gate.until(1, 0).await;
    let reply = world.get(&key, MAY).await;
    assert_eq!((reply.status, reply.header("retry-after")), (503, Some("1")), "{}", reply.text);
    gate.let_in(1);
    assert_eq!(under_way.await.unwrap().status, 200, "a question under way is not cut off by the wait of others");
}

/// A store that refuses every question for one of its bounds.
struct Refusing(fn(&Budget) -> tributary_core::error::Error);

#[async_trait]
impl EventStore for Refusing {
    async fn append(&self, _: &WorkspaceScope, _: Vec<Event>) -> Result<Appended> {
        unreachable!("nothing is sent")
    }
    async fn ask(&self, _: &WorkspaceScope, _: Question, budget: Budget) -> Result<Answered> {
        Err((self.0)(&budget))
    }
    async fn erase(&self, _: &WorkspaceScope, _: Erasure) -> Result<Erased> {
        unreachable!("nothing is erased")
    }
    async fn expire(&self, _: &WorkspaceScope, _: i64) -> Result<()> {
        unreachable!("nothing expires")
    }
    async fn describe(&self, _: &WorkspaceScope) -> Result<Holdings> {
        Ok(Holdings::default())
    }
}

#[tokio::test]
async fn every_bound_is_refused_through_every_door_as_configured() {
    let budget = Budget { max_groups: 7, max_time: Duration::from_millis(1_500), max_bytes: 3 << 20 };
    let settings = ServiceSettings { budget, ..World::unlimited() };
    let mut said = String::new();
    for refuse in [Budget::groups_exceeded, Budget::time_exceeded, Budget::bytes_exceeded] {
        let world = World::empty(Engine::Reference, World::unlimited(), Settings::default()).await;
        let world = world.answered_by(Arc::new(Refusing(refuse)), settings.clone());
        let range = json!({ "from": "2026-05-01", "to": "2026-06-01" });
        for reply in [
            world.get(&world.storefront().rk, MAY).await,
            world.call(&world.storefront().rk, "/mcp", "get_stats", range.clone()).await,
            world.call(&world.acme.ak, "/mcp/account", "compare_projects", range).await,
        ] {
            said.push_str(&format!("{} {}\n", reply.status, reply.text));
        }
    }
    insta::assert_snapshot!("bounds", said);
}

#[tokio::test]
async fn more_groups_than_allowed_are_refused() {
    let budget = Budget { max_groups: 2, ..Budget::INTERACTIVE };
    let settings = ServiceSettings { budget, ..World::unlimited() };
    let world = World::empty(Engine::Reference, settings, Settings::default()).await;
    let event = |name: &str| json!({ "event": name, "anonymous_id": "v", "timestamp": "2026-05-03T00:00:00Z" });
    world.batch(&world.storefront().sk, vec![event("a"), event("b")]).await;
    let by_name = format!("{MAY}&group_by=event_name");
    assert_eq!(world.get(&world.storefront().rk, &by_name).await.status, 200);
    world.batch(&world.storefront().sk, vec![event("c")]).await;
    let refused = world.get(&world.storefront().rk, &by_name).await.json();
    assert_eq!((&refused["error"], &refused["details"]["limit"]), (&json!("question_too_large"), &json!(2)));
}

#[tokio::test]
async fn rows_are_counted_to_the_largest_page() {
    let world = World::empty(Engine::Reference, World::unlimited(), Settings::default()).await;
    let shop = world.storefront();
    let events = |name: &str, count: usize| {
        (0..count)
            .map(|number| json!({ "event": name, "anonymous_id": format!("v{number}"), "timestamp": "2026-05-03T00:00:00Z" }))
            .collect::<Vec<_>>()
    };
    world.batch(&shop.sk, events("many", 900)).await;
    world.batch(&shop.sk, events("many", 105)).await;
    world.batch(&shop.sk, events("few", 999)).await;
    for (arguments, total, is_exact, is_truncated) in [
        (json!({ "event": "many", "limit": 10 }), 1_000, Some(false), true),
        (json!({ "event": "many", "limit": 1000 }), 1_001, Some(false), true),
        (json!({ "event": "few", "limit": 10 }), 999, None, true),
        (json!({ "event": "few", "limit": 1000 }), 999, None, false),
    ] {
        let mut asked = arguments.clone();
        asked["from"] = json!("2026-05-01");
        asked["to"] = json!("2026-06-01");
        let answer = world.call(&shop.rk, "/mcp", "query_events", asked).await.json();
        let answer = &answer["result"]["structuredContent"];
        assert_eq!(answer["total_rows"], total, "{arguments}");
        assert_eq!(answer["total_rows_is_exact"].as_bool(), is_exact, "{arguments}");
        assert_eq!(answer["truncated"], is_truncated, "{arguments}");
    }
}
