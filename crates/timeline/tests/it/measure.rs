//! A measurement, not a test: `cargo test --release -p tributary-timeline --test it measure -- --ignored --nocapture`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;

use tributary_core::event::Event;
use tributary_core::time::TimeRange;
use tributary_events::bucket::{Buckets, Interval};
use tributary_events::field::Field;
use tributary_events::filter::Filter;
use tributary_events::question::{
    Aggregate, Budget, Funnel, FunnelMode, Metric, Question, Retention, RetentionPeriod, RowOrder, Rows, SessionRule, Sessions,
    Slice, Unit, Values,
};
use tributary_events::store::EventStore;
use tributary_testkit::scope::workspace;
use tributary_timeline::options::Options;

use crate::ground::{open, small};
use crate::sample::{MAY, MONTH_US, event};

const EVENTS: u64 = 200_000;
const BATCH: u64 = 500;
const SINGLE_CLIENTS: u64 = 64;
const SINGLE_EVENTS: u64 = 300;

fn made(n: u64) -> Event {
    let mixed = n.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(31).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    let pick = |shift: u32, of: u64| (mixed >> shift) % of;
    let names = ["page_view", "page_view", "page_view", "product_view", "add_to_cart", "checkout", "purchase", "signup"];
    let time = MAY + (n * (3 * MONTH_US as u64 / EVENTS)) as i64;
    Event {
        name: names[pick(3, 8) as usize].to_owned(),
        source: format!("source-{}", pick(7, 40)),
        medium: ["direct", "paid", "organic", "email"][pick(13, 4) as usize].to_owned(),
        path: Some(format!("/p/{}", pick(17, 300))),
        country: Some(["DE", "FR", "US", "JP"][pick(23, 4) as usize].to_owned()),
        properties: Some(format!(r#"{{"plan":"{}","amount":{}}}"#, ["free", "pro"][pick(29, 2) as usize], pick(31, 500))),
        ..event(&format!("visitor-{}", pick(11, EVENTS / 8)), &format!("event-{n}"), time)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn measure() {
    let folder = tempfile::tempdir().unwrap();
    let timeline = open(folder.path(), Options::new([7; 16], small().clock));
    let scope = workspace(1);

    let batches: Vec<Vec<Event>> =
        (0..EVENTS / BATCH).map(|batch| (batch * BATCH..(batch + 1) * BATCH).map(made).collect()).collect();
    let started = Instant::now();
    let writers: Vec<_> = batches
        .chunks((EVENTS / BATCH / 8) as usize)
        .map(|batches| {
            let (timeline, scope, batches) = (Arc::clone(&timeline), scope.clone(), batches.to_vec());
            tokio::spawn(async move {
                for batch in batches {
                    timeline.append(&scope, batch).await.unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    rate("appended in batches of 500 by 8 writers", EVENTS, started.elapsed());

    let started = Instant::now();
    let clients: Vec<_> = (0..SINGLE_CLIENTS)
        .map(|client| {
            let (timeline, scope) = (Arc::clone(&timeline), workspace(2));
            tokio::spawn(async move {
                for n in 0..SINGLE_EVENTS {
                    let event = event("v", &format!("{client}-{n}"), MAY);
                    timeline.append(&scope, vec![event]).await.unwrap();
                }
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    rate("appended one by one by 64 clients", SINGLE_CLIENTS * SINGLE_EVENTS, started.elapsed());

    for stage in ["tail and segments", "flushed", "compacted"] {
        let started = Instant::now();
        match stage {
            "flushed" => timeline.flush().unwrap(),
            "compacted" => timeline.compact().unwrap(),
            _ => {}
        }
        println!("{stage}: {} ms; {:?}", started.elapsed().as_millis(), timeline.stats().unwrap());
        for (name, question) in questions() {
            let mut times = Vec::new();
            for _ in 0..4 {
                let started = Instant::now();
                timeline.ask(&scope, question.clone(), Budget::BACKGROUND).await.unwrap();
                times.push(started.elapsed());
            }
            println!("  {name}: first {} us, best {} us", times[0].as_micros(), times[1..].iter().min().unwrap().as_micros());
        }
    }
    let started = Instant::now();
    timeline.close();
    let timeline = open(folder.path(), Options::new([7; 16], small().clock));
    println!("closed and reopened in {} ms", started.elapsed().as_millis());
    let again: Vec<Event> = (0..10_000).map(|n| made(n * 20)).collect();
    let started = Instant::now();
    assert_eq!(timeline.append(&scope, again).await.unwrap().accepted(), 0);
    rate("duplicates found in segments", 10_000, started.elapsed());
}

fn rate(what: &str, count: u64, elapsed: Duration) {
    println!("{what}: {count} in {} ms, {:.0} per second", elapsed.as_millis(), count as f64 / elapsed.as_secs_f64());
}

fn questions() -> Vec<(&'static str, Question)> {
    let range = TimeRange::new(MAY, MAY + 4 * MONTH_US).unwrap();
    let slice = Slice::of(range);
    let is = |name: &str| vec![Filter::is(Field::EventName, name)];
    let days = Buckets::cover(range, Interval::Day, &TimeZone::UTC).unwrap();
    let aggregate = |metrics: Vec<Metric>, group_by: Vec<Field>, buckets: Option<Buckets>| {
        Question::Aggregate(Aggregate { slice: slice.clone(), metrics, group_by, buckets, limit: 1_000 })
    };
    vec![
        ("daily events and uniques", aggregate(vec![Metric::Events, Metric::Visitors], vec![], Some(days.clone()))),
        ("daily uniques by source, medium", aggregate(vec![Metric::Visitors], vec![Field::Source, Field::Medium], Some(days))),
        ("sessions by source", aggregate(vec![Metric::Sessions, Metric::Events], vec![Field::Source], None)),
        ("by property", aggregate(vec![Metric::Events], vec![Field::Property(String::from("plan"))], None)),
        (
            "funnel of 4, a week",
            Question::Funnel(Funnel {
                slice: slice.clone(),
                steps: ["page_view", "product_view", "add_to_cart", "purchase"].map(is).to_vec(),
                window_us: Some(7 * 86_400_000_000),
                mode: FunnelMode::Ordered,
                unit: Unit::Visitor,
                breakdown: Some(Field::Source),
            }),
        ),
        (
            "weekly retention",
            Question::Retention(Retention {
                slice: slice.clone(),
                start: is("signup"),
                returning: vec![],
                period: RetentionPeriod::Calendar(Interval::Week),
                zone: TimeZone::UTC,
                by_period: true,
                breakdown: None,
                periods: 12,
            }),
        ),
        (
            "sessions by half an hour",
            Question::Sessions(Sessions {
                slice: slice.clone(),
                rule: SessionRule::GapOver(1_800_000_000),
                buckets: None,
                group_by: vec![Field::Source],
                containing: vec![is("purchase")],
                limit: 100,
            }),
        ),
        ("event names", Question::Values(Values { slice: slice.clone(), field: Field::EventName, limit: 100 })),
        ("newest 100", Question::Rows(Rows { slice, order: RowOrder::NewestFirst, limit: 100 })),
    ]
}
