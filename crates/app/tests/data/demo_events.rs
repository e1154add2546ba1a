//! The demo's events, after the real pipeline: repeatable, realistic, and none of the names the documentation uses.

use std::collections::{BTreeMap, BTreeSet};

use tributary_app::demo::generate::{Recipe, Site, generate};
use tributary_core::entropy::SeededEntropy;
use tributary_core::event::Event;
use tributary_core::time::{DAY_US, parse_instant};
use tributary_events::field::Field;
use tributary_ingest::pipeline::{Pipeline, Settings};

const EVENTS: u64 = 20_000;

fn recipe(seed: u64) -> Recipe {
    let until_us = parse_instant("2026-05-17T12:00:00Z", &jiff::tz::TimeZone::UTC).expect("valid");
    Recipe { seed, events: EVENTS, until_us }
}

fn events(site: Site, recipe: &Recipe) -> Vec<Event> {
    let pipeline = Pipeline::open(Settings { ip_salt: [0; 32], geo_database: None }, SeededEntropy::new(1)).expect("opens");
    let mut events = Vec::new();
    generate(site, recipe, &mut |day| {
        for sent in day {
            events.push(pipeline.event(sent.draft, &sent.arrival)?);
        }
        Ok(())
    })
    .expect("every demo event is valid");
    events
}

#[test]
fn the_same_recipe_gives_the_same_events_and_another_seed_others() {
    for site in Site::ALL {
        let text = |seed: u64| serde_json::to_string(&events(site, &recipe(seed))).expect("serializes");
        let first = text(7);
        assert!(first == text(7), "{site:?} differs between two runs");
        assert!(first != text(8), "{site:?} ignores the seed");
    }
}

#[test]
fn there_are_as_many_events_as_asked_for_all_before_the_end() {
    for count in [0, 1, 100, 12_345] {
        let recipe = Recipe { events: count, ..recipe(3) };
        let all: Vec<Event> = Site::ALL.iter().flat_map(|site| events(*site, &recipe)).collect();
        assert_eq!(all.len() as u64, count);
        for event in &all {
            assert!((recipe.until_us - 90 * DAY_US..recipe.until_us).contains(&event.time_us), "{event:?}");
            assert!(event.received_us <= recipe.until_us);
        }
        let ids: BTreeSet<_> = all.iter().map(|event| (event.origin, event.event_id.clone())).collect();
        assert_eq!(ids.len() as u64, count, "every event has an id of its own");
    }
}

/// Example event names of the documentation this product is compared with: a question about one of them must not find demo
/// data by accident.
const FORBIDDEN: &[&str] = &[
    "signup",
    "agent_task_completed",
    "clicked_cta",
    "viewed_signup_form",
    "activated",
    "trial_started",
    "invite_sent",
    "viewed_product",
    "added_to_cart",
    "removed_from_cart",
    "started_checkout",
    "applied_discount",
    "completed_checkout",
    "refunded",
    "viewed_collection",
    "searched",
    "reviewed_product",
    "purchase",
    "checkout",
    "add_to_cart",
    "lead",
    "page_view",
];

#[test]
fn the_events_are_varied_real_and_named_freshly() {
    for site in Site::ALL {
        let events = events(site, &recipe(7));
        let distinct = |field: Field| -> BTreeMap<String, usize> {
            let mut counts = BTreeMap::new();
            for value in events.iter().filter_map(|event| field.of(event)) {
                *counts.entry(value.into_owned()).or_default() += 1;
            }
            counts
        };
        let names = distinct(Field::EventName);
        assert!(names.len() >= 8, "{names:?}");
        assert!(!names.keys().any(|name| FORBIDDEN.contains(&name.as_str()) || name.starts_with("subscription_")), "{names:?}");
        let sources = distinct(Field::Source);
        assert!((12..150).contains(&sources.len()), "{sources:?}");
        assert!(!sources.contains_key("unknown"), "{sources:?}");
        let mediums = distinct(Field::Medium);
        for medium in ["paid", "organic", "social", "email", "referral", "direct"] {
            assert!(mediums.contains_key(medium), "{site:?} lacks {medium}: {mediums:?}");
        }
        for field in [Field::Campaign, Field::Country, Field::DeviceType, Field::Browser, Field::Os] {
            assert!(distinct(field.clone()).len() >= 3, "{field:?}");
        }
        let bots = distinct(Field::Bot).values().sum::<usize>();
        assert!((events.len() / 100..events.len() / 10).contains(&bots), "{site:?}: {bots} bot events");
        assert!(!distinct(Field::Currency).is_empty());
    }
}

#[test]
fn funnels_convert_differently_by_device_and_source() {
    let events = events(Site::Shop, &Recipe { events: 60_000, ..recipe(7) });
    let reached = |name: &str, of: &dyn Fn(&Event) -> bool| {
        let visitors: BTreeSet<&str> =
            events.iter().filter(|event| event.name == name && of(event)).map(|event| event.anonymous_id.as_str()).collect();
        visitors.len() as f64
    };
    let rate = |of: &dyn Fn(&Event) -> bool| reached("order_completed", of) / reached("product_viewed", of);
    let all = rate(&|_| true);
    assert!((0.01..0.25).contains(&all), "{all}");
    let device = |name: &'static str| move |event: &Event| event.device_type.as_deref() == Some(name);
    assert!(rate(&device("desktop")) > 1.3 * rate(&device("mobile")));
    let source = |name: &'static str| move |event: &Event| event.source == name;
    assert!(rate(&source("newsletter")) > 1.5 * rate(&source("facebook")));
    let steps: Vec<f64> =
        ["product_viewed", "cart_filled", "checkout_begun", "order_completed"].map(|step| reached(step, &|_| true)).to_vec();
    assert!(steps.windows(2).all(|pair| pair[0] > pair[1]), "{steps:?}");
    let returning = events.iter().filter(|event| event.name == "$identify").count();
    assert!(returning > 50, "{returning} people signed in");
}
