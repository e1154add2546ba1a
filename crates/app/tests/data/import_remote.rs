//! Importing into a running server over HTTP: the same rows, the same answers, once.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use crate::support::{all, data, mapping, world};
use tributary_app::import::destination::Destination;
use tributary_app::import::job::run;
use tributary_app::import::mapping::Mapping;
use tributary_app::import::remote::Remote;
use tributary_control::{Control, DefaultKeys, NewWorkspace};
use tributary_core::clock::FixedClock;
use tributary_core::entropy::SeededEntropy;
use tributary_core::plan::Plan;
use tributary_core::scope::WorkspaceScope;
use tributary_events::field::Field;
use tributary_events::filter::Filter;
use tributary_events::question::{Bots, Metric};
use tributary_events::reference::ReferenceStore;
use tributary_http::router::{AppState, router};
use tributary_http::settings::Settings;
use tributary_service::rate::RateSettings;
use tributary_service::service::{Service, Settings as ServiceSettings};

use crate::support::World;

/// A server on loopback with one workspace. The world asks the server's own store.
async fn server(folder: &Path) -> (String, DefaultKeys, World) {
    let mut world = world();
    let clock = FixedClock::at(1_790_000_000_000_000);
    let control = Control::open(folder, clock.clone(), SeededEntropy::new(9)).await.expect("opens");
    let account = control.create_account("Test", Plan::Business).await.expect("made");
    let new = NewWorkspace {
        account: account.id,
        name: "Shop".into(),
        slug: "shop".into(),
        zone: "UTC".into(),
        currency: "EUR".parse().expect("valid"),
        allowed_origins: Vec::new(),
    };
    let workspace = control.create_workspace(new).await.expect("made");
    let keys = control.create_default_keys(workspace.id).await.expect("made");
    let scope: WorkspaceScope = control.operator_access(workspace.id).await.expect("there").scope;
    world.store = Arc::new(ReferenceStore::new());
    world.scope = scope;
    // The clock stands still here, so no bucket would ever fill again.
    let rates = RateSettings { enforce: false, ..RateSettings::default() };
    let settings = ServiceSettings { rates, ..ServiceSettings::default() };
    let service = Service::new(control, world.store.clone(), world.pipeline.clone(), clock, settings);
    let state = AppState::open(Arc::new(service), Settings::default()).expect("opens");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    let app = router(state).into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, app).await });
    (url, keys, world)
}

fn remote(url: &str, key: &str) -> Destination {
    let client = tributary_app::client::server().expect("builds");
    Destination::Server(Remote::new(client, url, key, None).expect("valid"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapped_file_gives_the_same_events_as_in_the_folder() {
    let folder = tempfile::tempdir().expect("scratch");
    let (url, keys, there) = server(folder.path()).await;
    let here = world();
    let file = here.write(
        "orders.csv",
        "event,timestamp,anonymous_id,source,medium,country,amount,currency,plan\n\
         order_completed,2026-05-01T10:00:00Z,v1,partner,affiliate,DE,19.99,EUR,pro\n\
         order_completed,2026-05-01T10:00:00Z,v2,newsletter,email,AT,5,CHF,\n\
         order_completed,1999-05-01T10:00:00Z,v3,newsletter,email,AT,5,CHF,\n\
         order_completed,2026-05-01T10:00:00Z,v4,newsletter,email,AT,5,,\n",
    );
    let mut job = here.job(&file, Mapping::default());
    job.around.currency = None;
    let counts = run(&job, &remote(&url, &keys.sk)).await.expect("imports").remove(0).counts;
    assert_eq!((counts.accepted, counts.duplicates, counts.rejected), (2, 0, 2));
    here.run(&job).await.expect("imports");
    let (mut ours, theirs) = (here.events().await, there.events().await);
    for event in &mut ours {
        event.received_us = theirs[0].received_us;
    }
    assert_eq!(ours, theirs);
    let again = run(&job, &remote(&url, &keys.sk)).await.expect("imports").remove(0).counts;
    assert_eq!((again.accepted, again.duplicates, again.rejected), (0, 2, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn whole_files_travel() {
    let folder = tempfile::tempdir().expect("scratch");
    let (url, keys, there) = server(folder.path()).await;
    let job = there.job(&data("weblog/access.log.gz"), Mapping::default());
    let counts = run(&job, &remote(&url, &keys.sk)).await.expect("imports").remove(0).counts;
    assert_eq!((counts.accepted, counts.rejected), (10_000, 0));
    let slice = all(Bots::Include).with(Filter::is(Field::EventName, "request"));
    assert_eq!(there.aggregate(slice, &[Metric::Visitors], &[], None).await.totals, [2_095]);
    let again = run(&job, &remote(&url, &keys.sk)).await.expect("imports").remove(0).counts;
    assert_eq!((again.accepted, again.duplicates), (0, 10_000));
    let snowplow = there.job(&data("snowplow_web/events.csv.gz"), mapping("snowplow.toml"));
    let counts = run(&snowplow, &remote(&url, &keys.sk)).await.expect("imports").remove(0).counts;
    assert_eq!((counts.accepted, counts.duplicates, counts.rejected), (157, 3, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn other_keys_and_wrong_bodies_change_nothing() {
    let folder = tempfile::tempdir().expect("scratch");
    let (url, keys, there) = server(folder.path()).await;
    let client = tributary_app::client::server().expect("builds");
    let row = r#"{"rows":[{"event":"a","timestamp":"2026-05-01","anonymous_id":"v"}]}"#;
    for (key, body, status) in [
        (keys.pk.as_str(), row, 403),
        (&keys.rk, row, 403),
        ("", row, 401),
        (&keys.sk, "{", 400),
        (&keys.sk, r#"{"rows":[]}"#, 400),
        (&keys.sk, r#"{"rows":[{"restored":{"origin":"moon"}}]}"#, 400),
        (&keys.sk, r#"{"rows":[{"event":1}]}"#, 400),
    ] {
        let mut request = client.post(format!("{url}/v1/import")).header("content-type", "application/json");
        if !key.is_empty() {
            request = request.bearer_auth(key);
        }
        let answer = request.body(body).send().await.expect("answers");
        assert_eq!(answer.status().as_u16(), status, "{body}");
    }
    assert!(there.events().await.is_empty());
    let job = there.job(&data("weblog/access.log.gz"), Mapping::default());
    let error = run(&job, &remote(&url, "sk_live_00000000_x")).await.expect_err("no such key");
    assert!(error.message().contains("the server refused the import: status 401"), "{error}");
}
