//! The demo's ads: what addresses name, what the platforms report, and the truth beside what attribution models say.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use tributary_app::demo::ads::CAMPAIGNS;
use tributary_app::demo::generate::{Recipe, Site, generate};
use tributary_app::demo::spend::reports;
use tributary_app::demo::truth::{CampaignTruth, Truth, told_by};
use tributary_core::ads::{AdBatch, AdLevel};
use tributary_core::entropy::SeededEntropy;
use tributary_core::event::Event;
use tributary_core::time::parse_instant;
use tributary_events::ad_parameters::ad_parameter;
use tributary_events::answer::Answer;
use tributary_events::attribution::model::{Allocation, Model, Order};
use tributary_events::attribution::window::{Window, WindowType};
use tributary_events::channel::channel;
use tributary_events::field::Field;
use tributary_events::filter::Filter;
use tributary_events::question::{Attribution, Budget, DatedBy, Question, Slice, TouchRule, TouchWindow};
use tributary_events::reference;
use tributary_ingest::pipeline::{Pipeline, Settings};
use tributary_service::attribution::SESSION_GAP_US;

/// The order everything is credited for.
const ORDER: &str = "order_completed";
const MARKOV: Model = Model::Markov { order: Order::First, allocation: Allocation::RemovalShare };
const MODELS: [(&str, Model); 4] =
    [("first touch", Model::FirstTouch), ("last touch", Model::LastTouch), ("linear", Model::Linear), ("Markov", MARKOV)];

struct Shop {
    events: Vec<Event>,
    reports: AdBatch,
    truth: Truth,
}

fn shop(events: u64, seed: u64) -> Shop {
    let until_us = parse_instant("2026-05-17T12:00:00Z", &jiff::tz::TimeZone::UTC).expect("valid");
    let recipe = Recipe { seed, events, until_us };
    let pipeline = Pipeline::open(Settings { ip_salt: [0; 32], geo_database: None }, SeededEntropy::new(1)).expect("opens");
    let mut events = Vec::new();
    let ledger = generate(Site::Shop, &recipe, &mut |day| {
        for sent in day {
            events.push(pipeline.event(sent.draft, &sent.arrival)?);
        }
        Ok(())
    })
    .expect("every demo event is valid");
    let reports = reports(&ledger, &recipe).expect("reports");
    Shop { events, reports, truth: told_by(&ledger, &recipe).expect("truth") }
}

/// Orders by campaign id, as a model credits them; without an id what no ad brought.
fn credited(events: &[Event], model: Model) -> BTreeMap<Option<String>, f64> {
    let slice = Slice::of(tributary_core::time::TimeRange::ALL);
    let question = Question::Attribution(Attribution {
        report: slice.range,
        slice,
        dated_by: DatedBy::Conversion,
        conversion: vec![Filter::is(Field::EventName, ORDER)],
        touch: Vec::new(),
        touches: TouchRule::Arrivals(SESSION_GAP_US),
        model,
        window: TouchWindow::Dates(Window::Days30),
        window_type: WindowType::Relative,
        buckets: None,
        group_by: vec![Field::Channel, Field::CampaignId],
        resampling: None,
        conversion_by: None,
        amounts: Vec::new(),
        limit: 1_000,
    });
    let events: Vec<&Event> = events.iter().collect();
    let answer = match reference::answer(&events, &question, Budget::BACKGROUND).expect("answers") {
        Answer::Attribution(answer) => answer,
        other => panic!("{other:?}"),
    };
    let mut orders = BTreeMap::new();
    for row in answer.rows {
        *orders.entry(row.keys[1].clone()).or_default() += row.credit.units as f64 / 1e9;
    }
    orders
}

#[test]
fn ids_in_addresses_resolve_to_named_ads() {
    let Shop { events, reports, .. } = shop(20_000, 7);
    let named: BTreeSet<(&str, AdLevel, &str)> = reports
        .entities
        .iter()
        .filter(|entity| entity.name.is_some())
        .map(|entity| (entity.source.as_str(), entity.level, entity.path.at(entity.level).expect("has an id")))
        .collect();
    assert_eq!(named.len(), reports.entities.len(), "each has a name and an id of its own");
    let mut found = BTreeSet::new();
    for event in events.iter().filter(|event| event.bot.is_none()) {
        let url = event.url.as_deref().unwrap_or_default();
        let source = channel(&event.source, &event.medium);
        for level in [AdLevel::Campaign, AdLevel::AdSet, AdLevel::Ad] {
            let Some(id) = ad_parameter(url, level) else { continue };
            assert!(named.contains(&(source, level, id.as_str())), "{source} has no {} {id}: {url}", level.as_str());
            found.insert((level, id));
        }
    }
    let running = CAMPAIGNS.iter().filter(|campaign| campaign.runs()).count();
    let count = |level: AdLevel| found.iter().filter(|(of, _)| *of == level).count();
    assert_eq!((running, count(AdLevel::Campaign)), (10, 10), "people come by every campaign that runs");
    assert!(count(AdLevel::Ad) > count(AdLevel::AdSet) && count(AdLevel::AdSet) > 10, "{found:?}");
}

#[test]
fn platforms_report_plausible_days_in_their_own_currencies() {
    let Shop { events, reports, truth } = shop(60_000, 7);
    assert!(!reports.spend.is_empty() && reports.spend.len() + reports.claims.len() < 10_000, "one batch holds them");
    let keys: BTreeSet<_> = reports.spend.iter().map(|row| &row.day).collect();
    assert_eq!(keys.len(), reports.spend.len(), "an ad's day is reported once");
    for row in &reports.spend {
        let (shown, clicks, link_clicks) = (row.impressions.unwrap(), row.clicks.unwrap(), row.link_clicks.unwrap());
        assert!(shown > clicks && clicks >= link_clicks && link_clicks >= 0, "{row:?}");
        assert!((row.spend_micros > 0) == (link_clicks > 0), "{row:?}");
        assert_eq!(row.currency.unwrap().as_str(), if row.day.source == "tiktok_ads" { "USD" } else { "EUR" });
    }
    let orders = events.iter().filter(|event| event.name == ORDER && event.bot.is_none()).count() as u64;
    assert_eq!(truth.orders, orders, "every order has a cause");
    let caused: u64 = truth.campaigns.iter().map(|row| row.orders).sum();
    assert_eq!(caused + truth.orders_anyway, orders);
    let claimed: i64 = reports.claims.iter().filter_map(|row| row.conversions_micros).sum();
    assert_eq!(claimed / 1_000_000, truth.campaigns.iter().map(|row| row.reported_orders as i64).sum::<i64>());
    let visits: u64 = truth.campaigns.iter().map(|row| row.visits).sum();
    let clicks: i64 = reports.spend.iter().filter_map(|row| row.link_clicks).sum();
    assert!(clicks as u64 > visits, "platforms count more clicks than visits arrive");
}

#[test]
fn the_truth_is_not_what_touches_and_platforms_say() {
    let Shop { events, truth, .. } = shop(120_000, 7);
    let of = |tag: &str| -> &CampaignTruth {
        let campaign = CAMPAIGNS.iter().find(|campaign| campaign.tag == tag).expect(tag);
        truth.campaigns.iter().find(|row| row.campaign_id == campaign.id).expect(tag)
    };
    let [first, last] = [Model::FirstTouch, Model::LastTouch].map(|model| credited(&events, model));
    let by = |orders: &BTreeMap<Option<String>, f64>, tag: &str| orders[&Some(of(tag).campaign_id.to_owned())];
    for tag in ["brand_search", "cart_retargeting"] {
        let truth = of(tag).orders as f64;
        assert!(by(&last, tag) > 4.0 * truth, "{tag}: last touch says {}, the truth is {truth}", by(&last, tag));
        assert!(of(tag).reported_orders as f64 > 4.0 * truth, "{tag}: its platform claims {}", of(tag).reported_orders);
    }
    for tag in ["lookalike_hikers", "summit_challenge"] {
        let truth = of(tag).orders as f64;
        assert!(by(&last, tag) < truth, "{tag}: last touch says {}, the truth is {truth}", by(&last, tag));
        assert!(by(&first, tag) > by(&last, tag), "{tag}: it finds people who come back another way");
    }
    let reported: u64 = truth.campaigns.iter().map(|row| row.reported_orders).sum();
    let caused: u64 = truth.campaigns.iter().map(|row| row.orders).sum();
    assert!(reported as f64 > 1.5 * caused as f64, "platforms claim {reported} of the {caused} they brought about");
}

/// The table of `docs/demo.md`: orders of the demo of seed 1 by campaign.
#[test]
fn the_documentation_shows_the_truth_beside_the_models() {
    let Shop { events, truth, .. } = shop(200_000, 1);
    let credits = MODELS.map(|(_, model)| credited(&events, model));
    let mut table = String::from("| campaign | lift | visits | truth |");
    MODELS.iter().for_each(|(name, _)| write!(table, " {name} |").expect("writes"));
    table.push_str(" claimed |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n");
    for row in &truth.campaigns {
        let lift = CAMPAIGNS.iter().find(|campaign| campaign.id == row.campaign_id).map_or(0, |campaign| campaign.lift);
        let name = row.campaign.replace(" | ", ", ");
        write!(table, "| {}: {name} | {lift} % | {} | {} |", row.source, row.visits, row.orders).expect("writes");
        for credit in &credits {
            let orders = credit.get(&Some(row.campaign_id.to_owned())).copied().unwrap_or_default();
            write!(table, " {orders:.0} |").expect("writes");
        }
        writeln!(table, " {} |", row.reported_orders).expect("writes");
    }
    write!(table, "| no ad | | | {} |", truth.orders_anyway).expect("writes");
    for credit in &credits {
        let ads: f64 = truth.campaigns.iter().filter_map(|row| credit.get(&Some(row.campaign_id.to_owned()))).sum();
        write!(table, " {:.0} |", truth.orders as f64 - ads).expect("writes");
    }
    table.push_str(" |\n");
    let docs = include_str!("../../../../docs/demo.md");
    assert!(docs.contains(&table), "docs/demo.md should hold:\n{table}");
}
