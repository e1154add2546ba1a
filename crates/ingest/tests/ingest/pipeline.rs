//! Whole events, by channel.

use std::sync::LazyLock;

use jiff::tz::TimeZone;
use serde_json::{Value, json};
use tributary_core::entropy::SeededEntropy;
use tributary_core::event::Event;
use tributary_core::time::zone;
use tributary_ingest::arrival::{Arrival, Channel};
use tributary_ingest::draft::{Context, Draft};
use tributary_ingest::pipeline::{Pipeline, Settings};
use tributary_ingest::steps::STEPS;

use crate::data;

/// 2026-05-01T12:00:00Z.
pub const NOW_US: i64 = 1_777_636_800_000_000;
const FIREFOX: &str = "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0";
/// British in MaxMind's test database.
const BRITISH: &str = "2.125.160.216";

pub fn pipeline() -> &'static Pipeline {
    static PIPELINE: LazyLock<Pipeline> = LazyLock::new(|| {
        let settings = Settings { ip_salt: [7; 32], geo_database: Some(data::path("geo/GeoLite2-Country-Test.mmdb")) };
        Pipeline::open(settings, SeededEntropy::new(1)).unwrap()
    });
    &PIPELINE
}

/// A visitor's own request.
pub fn browser() -> Arrival {
    Arrival {
        origin_host: Some("shop.example".into()),
        request_host: Some("api.example".into()),
        address: Some(BRITISH.parse().unwrap()),
        user_agent: Some(FIREFOX.into()),
        country_hint: Some("fr".into()),
        ..Arrival::new(Channel::Publishable, NOW_US, TimeZone::UTC)
    }
}

/// A backend's request: its agent is a bot to any list, its address is nobody's.
pub fn server() -> Arrival {
    Arrival { channel: Channel::Secret, user_agent: Some("node-fetch/1.0".into()), ..browser() }
}

fn track(body: Value, cx: &Arrival) -> Event {
    pipeline().track(body.to_string().as_bytes(), cx).unwrap()
}

fn shown(event: &Event) -> Value {
    serde_json::to_value(event).unwrap()
}

#[test]
fn a_page_view_from_a_browser() {
    let body = json!({
        "event": "$pageview", "event_id": "e1", "anonymous_id": "v1", "timestamp": "2026-05-01T11:59:00Z",
        "url": "https://shop.example/shoes?utm_source=News&utm_medium=email&utm_campaign=May&email=jo%40x.de",
        "referrer": "https://user:pw@mail.example/read?token=secret&id=5#top",
        "properties": { "b": 1, "a": "x" },
        "source": "evil", "ip_hash": "evil", "country": "ZZ", "unknown": [1, 2],
        "context": { "ip": "192.0.2.1", "user_agent": "Googlebot" },
    });
    insta::assert_json_snapshot!(shown(&track(body, &browser())));
}

#[test]
fn a_server_event_tells_nothing_about_the_visitor() {
    insta::assert_json_snapshot!(shown(&track(json!({ "event": "signup", "user_id": "u1" }), &server())), { ".anonymous_id" => "[uuid]" });
}

#[test]
fn a_server_may_pass_the_visitor_on() {
    let body = json!({
        "event": "signup", "anonymous_id": "v1", "session_id": "s1",
        "context": { "ip": "::ffff:2.125.160.216", "user_agent": "Mozilla/5.0 (compatible; Googlebot/2.1)" },
    });
    insta::assert_json_snapshot!(shown(&track(body, &server())));
}

#[test]
fn agents_and_addresses_count_where_they_are_the_visitors() {
    let body = || json!({ "event": "e", "anonymous_id": "v" });
    let seen = |cx: &Arrival| {
        let event = track(body(), cx);
        (event.origin.as_str(), event.browser, event.country, event.ip_hash.is_some(), event.bot)
    };
    let text = |text: &str| Some(text.to_owned());
    for (channel, expected) in [
        (Channel::Publishable, ("browser", text("firefox"), text("GB"), true, None)),
        (Channel::Secret, ("server", None, None, false, None)),
        (Channel::Mcp, ("server", None, None, false, None)),
        (Channel::Import, ("server", text("firefox"), text("GB"), true, None)),
    ] {
        assert_eq!(seen(&Arrival { channel, ..browser() }), expected, "{channel:?}");
    }
    let curl = Arrival { user_agent: Some("curl/8.5.0".into()), ..browser() };
    assert_eq!(seen(&curl).4.as_deref(), Some("isbot:curl/8.5.0@5.2.3"));
    assert_eq!(seen(&Arrival { channel: Channel::Mcp, ..curl }).4, None);
    let elsewhere = Arrival { address: Some("10.0.0.1".parse().unwrap()), ..browser() };
    assert_eq!(seen(&elsewhere).2.as_deref(), Some("FR"), "the proxy's word, where the file has none");
    assert_eq!(seen(&Arrival { country_hint: Some("XX".into()), ..elsewhere }).2, None);
}

#[test]
fn a_user_without_a_visitor_is_always_the_same_one() {
    let visitor = |user_id: &str| track(json!({ "event": "e", "user_id": user_id }), &server()).anonymous_id;
    assert_eq!(visitor("u1"), visitor("u1"));
    assert_ne!(visitor("u1"), visitor("u2"));
    assert!(uuid::Uuid::parse_str(&visitor("u1")).is_ok());
    // Kept for good: what is stored already must be met again.
    assert_eq!(visitor("u1"), "3a00d525-b96e-8a5a-b917-3f2f3aa396c9");
    assert_eq!(track(json!({ "event": "e", "user_id": "u1", "anonymous_id": "v" }), &server()).anonymous_id, "v");
}

#[test]
fn a_visitor_is_made_up_when_nobody_is_named() {
    let first = track(json!({ "event": "e" }), &server()).anonymous_id;
    let second = track(json!({ "event": "e", "anonymous_id": null }), &server()).anonymous_id;
    assert_ne!(first, second);
    for id in [first, second] {
        let uuid = uuid::Uuid::parse_str(&id).unwrap();
        assert_eq!(uuid.get_version_num(), 4, "{id}");
    }
}

#[test]
fn times_without_offset_mean_the_workspace_zone() {
    let berlin = Arrival { zone: zone("Europe/Berlin").unwrap(), ..server() };
    let at = |text: &str| track(json!({ "event": "e", "timestamp": text }), &berlin).time_us;
    assert_eq!(at("2026-05-01T14:00:00"), NOW_US);
    assert_eq!(at("2026-05-01T12:00:00Z"), NOW_US);
    assert_eq!(track(json!({ "event": "e" }), &berlin).time_us, NOW_US);
}

#[test]
fn identify_is_an_event_with_traits() {
    let body =
        json!({ "anonymous_id": "v1", "user_id": "u1", "traits": { "plan": "pro", "amount_cents": 5, "currency": "EUR" } });
    let event = pipeline().identify(body.to_string().as_bytes(), &server()).unwrap();
    insta::assert_json_snapshot!(shown(&event));
}

#[test]
fn the_own_host_falls_back_from_url_to_origin_to_request() {
    let classified = |body: Value, cx: &Arrival| track(body, cx).source_rule_id;
    let from = |host: &str| json!({ "event": "e", "referrer": format!("https://{host}/") });
    assert_eq!(classified(from("www.shop.example"), &browser()), "ref_internal");
    assert_eq!(classified(from("api.example"), &browser()), "ref_other");
    assert_eq!(classified(from("api.example"), &Arrival { origin_host: None, ..browser() }), "ref_internal");
    let with_url = json!({ "event": "e", "url": "https://other.example/", "referrer": "https://shop.example/" });
    assert_eq!(classified(with_url, &browser()), "ref_other");
}

#[test]
fn referrers_that_are_no_url_count_as_absent() {
    for referrer in ["", "null", "about:blank", "ht!tp://%%%", "www.google.com", "https://a\u{0}b.example/"] {
        let event = track(json!({ "event": "e", "referrer": referrer }), &server());
        assert_eq!((event.referrer, event.source.as_str()), (None, "direct"), "{referrer:?}");
    }
}

#[test]
fn paths_come_from_the_url_unless_given() {
    let path = |body: Value| track(body, &server()).path;
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(path(json!({ "event": "e", "url": "https://a.com/x/ü?q=1" })), text("/x/%C3%BC"));
    assert_eq!(path(json!({ "event": "e", "url": "https://a.com", "path": "/own?email=x&b=1" })), text("/own?b=1"));
    assert_eq!(path(json!({ "event": "e", "url": "https://a.com" })), text("/"));
    assert_eq!(path(json!({ "event": "e", "url": "mailto:x" })), None);
    assert_eq!(path(json!({ "event": "e", "url": "android-app://com.example" })), None);
    assert_eq!(path(json!({ "event": "e", "path": "" })), None);
    assert_eq!(path(json!({ "event": "e", "path": "?email=x" })), None);
}

#[test]
fn amounts_are_typed_where_amount_and_currency_are_right() {
    let amount = |properties: Value| {
        let event = track(json!({ "event": "e", "properties": properties }), &server());
        event.amount.map(|money| (money.micros, money.currency.to_string()))
    };
    let money = |micros: i64, currency: &str| Some((micros, currency.to_owned()));
    assert_eq!(amount(json!({ "amount_cents": 1999, "currency": "EUR" })), money(19_990_000, "EUR"));
    assert_eq!(amount(json!({ "amount_cents": -5, "currency": "usd" })), money(-50_000, "USD"));
    assert_eq!(amount(json!({ "amount": 19.99, "currency": "EUR" })), money(19_990_000, "EUR"));
    assert_eq!(amount(json!({ "amount": "0.000001", "currency": "EUR" })), money(1, "EUR"));
    assert_eq!(amount(json!({ "amount": 3, "currency": "JPY" })), money(3_000_000, "JPY"));
    for absent in [
        json!({ "amount_cents": 1999 }),
        json!({ "amount_cents": 19.5, "currency": "EUR" }),
        json!({ "amount_cents": i64::MAX, "currency": "EUR" }),
        json!({ "amount": "12,50", "currency": "EUR" }),
        json!({ "amount": 1e300, "currency": "EUR" }),
        json!({ "amount": 5, "currency": "euro" }),
        json!({ "amount": 5, "currency": 978 }),
        json!({ "amount": [5], "currency": "EUR" }),
    ] {
        assert_eq!(amount(absent.clone()), None, "{absent}");
    }
}

#[test]
fn an_import_may_say_what_is_otherwise_derived() {
    let draft = || Draft {
        event: Some("purchase".into()),
        time_us: Some(NOW_US - 1),
        anonymous_id: Some("v1".into()),
        url: Some("https://shop.example/?gclid=1&utm_campaign=c".into()),
        source: Some("Newsletter".into()),
        medium: Some("Email".into()),
        country: Some("de".into()),
        device_type: Some("Mobile".into()),
        browser: Some("Chrome".into()),
        os: Some("iOS".into()),
        amount: Some("12.5".into()),
        currency: Some("EUR".into()),
        context: Some(Context { ip: Some(BRITISH.into()), user_agent: Some(FIREFOX.into()) }),
        ..Draft::default()
    };
    let import = Arrival { channel: Channel::Import, ..server() };
    insta::assert_json_snapshot!(shown(&pipeline().event(draft(), &import).unwrap()));
    // The same words over another channel are not read.
    let event = pipeline().event(draft(), &Arrival { channel: Channel::Mcp, ..server() }).unwrap();
    assert_eq!((event.source.as_str(), event.country.as_deref(), event.amount), ("google", Some("GB"), None));
    let bad = Draft { country: Some("Germany".into()), amount: Some("1,5".into()), currency: None, ..draft() };
    insta::assert_json_snapshot!(pipeline().event(bad, &import).unwrap_err().details());
}

#[test]
fn a_stored_event_classifies_the_same_again() {
    let body = json!({ "event": "e", "url": "https://shop.example/?utm_source=x&email=a%40b.cd&fbclid=1&name=z", "referrer": "https://l.facebook.com/?u=https%3A%2F%2Fshop.example" });
    let event = track(body, &browser());
    let url = url::Url::parse(event.url.as_deref().unwrap()).unwrap();
    assert_eq!(url.query(), Some("utm_source=x&fbclid=1"));
    let referrer = url::Url::parse(event.referrer.as_deref().unwrap()).unwrap();
    let again = tributary_ingest::classify::classify(Some(&url), Some(&referrer), url.host_str());
    assert_eq!((again.source, again.rule_id), (event.source, "fb_ad_redirect"));
}

#[test]
fn the_steps_in_order() {
    let names: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
    let docs = include_str!("../../../../docs/classification.md");
    for step in STEPS {
        assert!(docs.contains(&format!("| `{}` | {}", step.name, &step.purpose[..20])), "{}", step.name);
    }
    assert_eq!(names, ["limits", "origin", "bot", "geo", "device", "session", "amount", "privacy", "classify"]);
}
