//! Two accounts with two workspaces each, keys of every kind, and events of May 2026.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;
use tributary_control::{Control, KeyOwner, NewKey, NewWorkspace, Workspace};
use tributary_core::clock::FixedClock;
use tributary_core::credential::KeyKind;
use tributary_core::entropy::SeededEntropy;
use tributary_core::ids::AccountId;
use tributary_core::plan::Plan;
use tributary_events::reference::ReferenceStore;
use tributary_events::store::EventStore;
use tributary_http::router::{AppState, router};
use tributary_http::settings::Settings;
use tributary_ingest::pipeline::{Pipeline, Settings as IngestSettings};
use tributary_service::rate::RateSettings;
use tributary_service::service::{Service, Settings as ServiceSettings};

/// 2026-05-31T12:00:00Z.
pub const NOW_US: i64 = 1_780_228_800_000_000;
/// The origin listed by every workspace.
pub const ORIGIN: &str = "https://shop.acme.example";

/// Which engine answers.
#[derive(Clone, Copy, Debug)]
pub enum Engine {
    Reference,
    Timeline,
}

pub struct World {
    pub router: Router,
    pub control: Control,
    pub clock: Arc<FixedClock>,
    pub state: AppState,
    pub acme: Tenant,
    pub rival: Tenant,
    _folder: TempDir,
}

/// An account and what belongs to it.
pub struct Tenant {
    pub account: AccountId,
    pub ak: String,
    pub projects: Vec<Project>,
}

/// A workspace and its keys.
pub struct Project {
    pub workspace: Workspace,
    pub pk: String,
    pub sk: String,
    pub rk: String,
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl World {
    /// The world with its events.
    pub async fn seeded() -> World {
        World::on(Engine::Reference).await
    }

    pub async fn on(engine: Engine) -> World {
        let world = World::empty(engine, ServiceSettings::default(), Settings::default()).await;
        world.seed().await;
        world
    }

    /// The world without events.
    pub async fn empty(engine: Engine, service: ServiceSettings, settings: Settings) -> World {
        let folder = TempDir::new().unwrap();
        let clock = FixedClock::at(NOW_US);
        let entropy = SeededEntropy::new(7);
        let control = Control::open(folder.path(), clock.clone(), entropy.clone()).await.unwrap();
        let events: Arc<dyn EventStore> = match engine {
            Engine::Reference => Arc::new(ReferenceStore::new()),
            Engine::Timeline => timeline(&folder, &clock),
        };
        let pipeline = Pipeline::open(IngestSettings { ip_salt: [3; 32], geo_database: None }, entropy).unwrap();
        let service = ServiceSettings { exports_folder: Some(folder.path().join("exports")), ..service };
        let service = Service::new(control.clone(), events, Arc::new(pipeline), clock.clone(), service);
        let state = AppState::open(Arc::new(service), settings).unwrap();
        let acme = Tenant::create(&control, "Acme", &[("acme-storefront", "UTC"), ("acme-blog", "Europe/Berlin")]).await;
        let rival = Tenant::create(&control, "Rival", &[("rival-shop", "UTC"), ("rival-app", "UTC")]).await;
        World { router: router(state.clone()), control, clock, state, acme, rival, _folder: folder }
    }

    /// The same world in front of another store.
    pub fn answered_by(mut self, events: Arc<dyn EventStore>, service: ServiceSettings) -> World {
        let pipeline = self.state.service.pipeline.clone();
        let service = Service::new(self.control.clone(), events, pipeline, self.clock.clone(), service);
        self.state = AppState::open(Arc::new(service), Settings::default()).unwrap();
        self.router = router(self.state.clone());
        self
    }

    /// Without rate limits, for tests that ask a lot.
    pub fn unlimited() -> ServiceSettings {
        ServiceSettings { rates: RateSettings { enforce: false, ..RateSettings::default() }, ..ServiceSettings::default() }
    }

    /// The same world over another store, without rate limits.
    pub fn serve(&mut self, events: Arc<dyn EventStore>, settings: Settings) {
        let pipeline = Pipeline::open(IngestSettings { ip_salt: [1; 32], geo_database: None }, SeededEntropy::new(1)).unwrap();
        let service = Service::new(self.control.clone(), events, Arc::new(pipeline), self.clock.clone(), World::unlimited());
        self.state = AppState::open(Arc::new(service), settings).unwrap();
        self.router = router(self.state.clone());
    }

    pub fn storefront(&self) -> &Project {
        &self.acme.projects[0]
    }

    pub fn blog(&self) -> &Project {
        &self.acme.projects[1]
    }

    pub async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Reply { status: parts.status.as_u16(), headers: parts.headers, text: String::from_utf8(bytes.to_vec()).unwrap() }
    }

    pub async fn get(&self, key: &str, path: &str) -> Reply {
        self.send(with_key(Request::get(path), key).body(Body::empty()).unwrap()).await
    }

    pub async fn post(&self, key: &str, path: &str, body: &str) -> Reply {
        let request = with_key(Request::post(path), key).header("content-type", "application/json");
        self.send(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    /// A JSON-RPC request at a door.
    pub async fn rpc(&self, key: &str, path: &str, method: &str, params: Value) -> Reply {
        self.post(key, path, &json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string()).await
    }

    /// A tool call at a door.
    pub async fn call(&self, key: &str, path: &str, tool: &str, arguments: Value) -> Reply {
        self.rpc(key, path, "tools/call", json!({ "name": tool, "arguments": arguments })).await
    }

    /// Text with everything that changes from run to run replaced by a name.
    pub fn named(&self, text: &str) -> String {
        let mut named = text.to_owned();
        for project in self.acme.projects.iter().chain(&self.rival.projects) {
            named = named.replace(&project.workspace.uuid.to_string(), &format!("<{}>", project.workspace.slug));
        }
        named
    }

    async fn seed(&self) {
        self.batch(&self.storefront().sk, storefront_events()).await;
        self.batch(&self.blog().sk, blog_events()).await;
        for project in &self.rival.projects {
            self.batch(&project.sk, canary_events(&project.workspace.slug)).await;
        }
    }

    pub async fn batch(&self, sk: &str, events: Vec<Value>) {
        let reply = self.post(sk, "/v1/batch", &json!({ "events": events }).to_string()).await;
        assert_eq!(reply.status, 202, "{}", reply.text);
    }
}

fn timeline(folder: &TempDir, clock: &Arc<FixedClock>) -> Arc<dyn EventStore> {
    let options = tributary_timeline::options::Options::new([5; 16], clock.clone());
    tributary_timeline::Timeline::open(folder.path(), options).unwrap()
}

impl Tenant {
    async fn create(control: &Control, name: &str, projects: &[(&str, &str)]) -> Tenant {
        let account = control.create_account(name, Plan::Business).await.unwrap().id;
        let mut created = Vec::new();
        for (slug, zone) in projects {
            created.push(Project::create(control, account, slug, zone).await);
        }
        let new = NewKey { owner: KeyOwner::Account(account), kind: KeyKind::Account, label: String::from("agency") };
        let (_, ak) = control.create_key(new).await.unwrap();
        Tenant { account, ak, projects: created }
    }
}

impl Project {
    pub async fn create(control: &Control, account: AccountId, slug: &str, zone: &str) -> Project {
        let new = NewWorkspace {
            account,
            name: format!("{slug} (name)"),
            slug: slug.to_owned(),
            zone: zone.to_owned(),
            currency: "EUR".parse().unwrap(),
            allowed_origins: vec![String::from(ORIGIN)],
        };
        let workspace = control.create_workspace(new).await.unwrap();
        let keys = control.create_default_keys(workspace.id).await.unwrap();
        Project { workspace, pk: keys.pk, sk: keys.sk, rk: keys.rk }
    }
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {}", self.text))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The rows in a tool result's text block.
    pub fn rows(&self) -> Value {
        let body = self.json();
        let text = body["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text block: {body}"));
        serde_json::from_str(text).unwrap()
    }

    /// Status, the headers that matter, body.
    pub fn whole(&self, world: &World) -> String {
        let mut whole = format!("HTTP {}\n", self.status);
        for name in ["content-type", "allow", "retry-after", "www-authenticate", "access-control-allow-origin"] {
            if let Some(value) = self.header(name) {
                whole.push_str(&format!("{name}: {value}\n"));
            }
        }
        let body = match serde_json::from_str::<Value>(&self.text) {
            Ok(json) => serde_json::to_string_pretty(&json).unwrap(),
            Err(_) => self.text.clone(),
        };
        world.named(&format!("{whole}\n{body}"))
    }
}

pub fn with_key(request: axum::http::request::Builder, key: &str) -> axum::http::request::Builder {
    let peer: SocketAddr = "203.0.113.9:50000".parse().unwrap();
    request.header("authorization", format!("Bearer {key}")).extension(ConnectInfo(peer))
}

pub const CHROME_AGENT: &str =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36";
const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
    Version/17.4 Mobile/15E148 Safari/604.1";
const GOOGLEBOT: &str = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";

struct Visit {
    visitor: &'static str,
    agent: &'static str,
    query: &'static str,
    referrer: &'static str,
    events: &'static [(&'static str, &'static str)],
}

/// Eight people and a bot: paid and social Facebook traffic, search, a newsletter, direct visits; three sign up, one buys.
fn storefront_events() -> Vec<Value> {
    let visits = [
        Visit {
            visitor: "v1",
            agent: CHROME_AGENT,
            query: "?fbclid=abc&utm_campaign=spring",
            referrer: "https://l.facebook.com/",
            events: &[
                ("$pageview", "2026-05-03T09:00:00Z"),
                ("signup", "2026-05-03T09:05:00Z"),
                ("purchase", "2026-05-04T10:00:00Z"),
            ],
        },
        Visit {
            visitor: "v2",
            agent: IPHONE,
            query: "?fbclid=def",
            referrer: "https://l.facebook.com/",
            events: &[("$pageview", "2026-05-03T10:00:00Z"), ("signup", "2026-05-05T10:00:00Z")],
        },
        Visit {
            visitor: "v3",
            agent: IPHONE,
            query: "",
            referrer: "https://m.facebook.com/",
            events: &[("$pageview", "2026-05-04T00:00:00Z")],
        },
        Visit {
            visitor: "v4",
            agent: CHROME_AGENT,
            query: "",
            referrer: "https://www.google.com/",
            events: &[("$pageview", "2026-05-10T12:00:00Z"), ("signup", "2026-05-10T12:00:00Z")],
        },
        Visit { visitor: "v5", agent: "", query: "?gclid=1", referrer: "", events: &[("$pageview", "2026-05-16T23:59:59Z")] },
        Visit {
            visitor: "v6",
            agent: CHROME_AGENT,
            query: "?utm_source=newsletter&utm_medium=email&utm_campaign=may",
            referrer: "",
            events: &[("$pageview", "2026-05-17T00:00:00Z")],
        },
        Visit { visitor: "v7", agent: CHROME_AGENT, query: "", referrer: "", events: &[("$pageview", "2026-05-20T08:00:00Z")] },
        // Signs up before the first page view: the recipe's funnel and the ordered one disagree on this visitor.
        Visit {
            visitor: "v8",
            agent: CHROME_AGENT,
            query: "",
            referrer: "",
            events: &[
                ("signup", "2026-05-21T08:00:00Z"),
                ("$pageview", "2026-05-21T09:00:00Z"),
                ("signup", "2026-05-21T10:00:00Z"),
            ],
        },
        Visit { visitor: "bot", agent: GOOGLEBOT, query: "", referrer: "", events: &[("$pageview", "2026-05-05T05:00:00Z")] },
    ];
    let mut events = Vec::new();
    for visit in &visits {
        for (number, (name, time)) in visit.events.iter().enumerate() {
            let mut event = json!({
                "event": name,
                "timestamp": time,
                "event_id": format!("{}-{number}", visit.visitor),
                "anonymous_id": visit.visitor,
                "url": format!("https://shop.acme.example/landing{}", visit.query),
                "properties": { "step": number },
            });
            if !visit.referrer.is_empty() {
                event["referrer"] = json!(visit.referrer);
            }
            if !visit.agent.is_empty() {
                event["context"] = json!({ "user_agent": visit.agent });
            }
            if *name != "$pageview" {
                event["user_id"] = json!(format!("user_{}", visit.visitor));
            }
            events.push(event);
        }
    }
    events
}

/// The blog lives in Berlin; one of its visitors carries the id of a shop visitor, which makes no one person of them.
fn blog_events() -> Vec<Value> {
    let event = |visitor: &str, time: &str, referrer: &str| json!({ "event": "$pageview", "timestamp": time, "anonymous_id": visitor, "url": "https://blog.acme.example/a", "referrer": referrer });
    vec![
        event("v1", "2026-05-11T22:30:00Z", "https://www.google.com/"),
        event("b2", "2026-05-12T21:30:00Z", "https://www.google.com/"),
        event("b3", "2026-05-12T22:30:00Z", "https://www.reddit.com/r/x"),
    ]
}

/// Events whose every text is a canary: none of it may appear in another tenant's answer.
fn canary_events(slug: &str) -> Vec<Value> {
    let canary = format!("canary-{slug}");
    (0..3)
        .map(|number| {
            json!({
                "event": format!("{canary}-event"),
                "timestamp": format!("2026-05-1{number}T10:00:00Z"),
                "event_id": format!("{canary}-id-{number}"),
                "anonymous_id": format!("{canary}-visitor-{number}"),
                "user_id": format!("{canary}-user"),
                "url": format!("https://{canary}.example/path?utm_source={canary}&utm_medium={canary}&utm_campaign={canary}"),
                "properties": { "secret": canary },
            })
        })
        .collect()
}
