//! Funnels against `windowFunnel` and against hand-written SQL. `strict_once` has no counterpart here.

use std::collections::BTreeMap;

use tributary_core::time::SECOND_US;
use tributary_events::field::Field;
use tributary_events::filter::Filter;
use tributary_events::question::{Funnel, FunnelMode, Slice, Unit};

use super::super::asking::Filled;
use super::super::table::read;
use super::all;

pub(super) async fn check(filled: &Filled<'_>) {
    levels(filled).await;
    edge_users(filled).await;
    reached(filled).await;
}

const WINDOWS_S: [i64; 4] = [3_600, 86_400, 604_800, 2_592_000];

const MODES: [(&str, FunnelMode); 4] = [
    ("default", FunnelMode::Ordered),
    ("strict_deduplication", FunnelMode::StrictDeduplication),
    ("strict_order", FunnelMode::StrictOrder),
    ("strict_increase", FunnelMode::StrictIncrease),
];

async fn reaching(filled: &Filled<'_>, slice: Slice, window_s: i64, mode: FunnelMode) -> Vec<u64> {
    let steps = ["page_view", "view_item", "add_to_cart", "purchase"];
    let asked = Funnel {
        slice,
        steps: steps.into_iter().map(|name| vec![Filter::is(Field::EventName, name)]).collect(),
        window_us: Some(window_s * SECOND_US),
        mode,
        unit: Unit::Visitor,
        exclusions: vec![],
        breakdown: None,
        with_times: false,
    };
    filled.funnel(asked).await.overall.reached
}

async fn levels(filled: &Filled<'_>) {
    let mut expected: BTreeMap<(i64, String), [u64; 4]> = BTreeMap::new();
    for row in read("events_synthetic/expected/funnel_levels.csv") {
        let levels = expected.entry((row.number("window_s"), row.text("mode").to_owned())).or_default();
        levels[row.number::<usize>("level") - 1] = row.number("users");
    }
    for window_s in WINDOWS_S {
        for (name, mode) in MODES {
            let reached = reaching(filled, all(), window_s, mode).await;
            let stopping: Vec<u64> = (0..4).map(|level| reached[level] - reached.get(level + 1).unwrap_or(&0)).collect();
            assert_eq!(stopping, expected[&(window_s, name.to_owned())], "funnel_levels.csv {window_s} {name}");
        }
    }
}

async fn edge_users(filled: &Filled<'_>) {
    for row in read("events_synthetic/expected/funnel_edge_users.csv") {
        for window_s in &WINDOWS_S[..3] {
            for (name, mode) in MODES {
                let slice = all().with(Filter::is(Field::AnonymousId, row.text("user_id")));
                let level: u64 = reaching(filled, slice, *window_s, mode).await.iter().sum();
                let column = format!("w{window_s}_{name}");
                assert_eq!(level, row.number::<u64>(&column), "funnel_edge_users.csv {} {column}", row.text("user_id"));
            }
        }
    }
}

async fn reached(filled: &Filled<'_>) {
    for window_s in WINDOWS_S {
        let reached = reaching(filled, all(), window_s, FunnelMode::Ordered).await;
        for row in read(&format!("events_synthetic/expected/funnel_reached_{window_s}s.csv")) {
            let step: usize = row.number("step");
            assert_eq!(reached[step - 1], row.number::<u64>("users"), "funnel_reached_{window_s}s.csv step {step}");
        }
    }
}
