//! `tests/data/attribution`: figures of marketing_attribution_models, ChannelAttribution and our own slow scripts.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use tributary_core::money::parse_micros;
use tributary_core::time::parse_instant;
use tributary_testkit::outside::table::{Row, read};

use super::{codes, paths};
use crate::attribution::credit::ChannelCredits;
use crate::attribution::journey::{CREDIT_UNITS, Crediting, Touch};
use crate::attribution::markov;
use crate::attribution::model::{Allocation, HalfLife, Model, Order};
use crate::attribution::paths::Paths;
use crate::attribution::shapley;

const CURRENCIES: [&str; 3] = ["EUR", "JPY", "USD"];

/// A purchase of `paths.csv`.
struct Purchase {
    touches: Vec<Touch>,
    currency: usize,
    micros: i64,
}

/// Units, and micros per currency.
#[derive(Clone, Debug, Default, PartialEq)]
struct Sums(i128, [i128; 3]);

fn purchases() -> (Vec<String>, Vec<Purchase>) {
    let rows = read("attribution/paths.csv.gz");
    let codes = codes(rows.iter().flat_map(|row| row.text("path").split(" > ")));
    let purchases = rows.iter().map(|row| purchase(row, &codes)).collect();
    (codes.keys().map(|name| (*name).to_owned()).collect(), purchases)
}

fn purchase(row: &Row, codes: &BTreeMap<&str, u32>) -> Purchase {
    let converted_us = parse_instant(row.text("conv_ts"), &TimeZone::UTC).expect("instants are ISO 8601");
    let hours = row.text("hours_before").split(" > ").map(|hours| parse_micros(hours).expect("six decimals"));
    let touches = row.text("path").split(" > ").zip(hours).map(|(name, hours_micros)| Touch {
        channel: codes[name],
        source: codes[name],
        // Millionths of an hour are 3,600 microseconds.
        time_us: converted_us - 3_600 * hours_micros,
        is_direct: name.starts_with("(direct)"),
        is_paid: name.contains("cpc") || name.contains("paid"),
    });
    let currency = CURRENCIES.iter().position(|currency| *currency == row.text("currency")).expect("three currencies");
    Purchase { touches: touches.collect(), currency, micros: parse_micros(row.text("revenue")).expect("revenues are decimals") }
}

/// What each channel gets, by name.
fn credited(model: Model) -> BTreeMap<String, Sums> {
    let (names, purchases) = purchases();
    let (mut crediting, mut shares) = (Crediting::default(), Vec::new());
    let mut sums: BTreeMap<String, Sums> = BTreeMap::new();
    for purchase in &purchases {
        let _attributed = crediting.weigh(model, &purchase.touches);
        crediting.split(CREDIT_UNITS, &mut shares);
        for share in &shares {
            let name = &names[purchase.touches[share.touch].channel as usize];
            sums.entry(name.clone()).or_default().0 += i128::from(share.part);
        }
        crediting.split(purchase.micros, &mut shares);
        for share in &shares {
            let name = &names[purchase.touches[share.touch].channel as usize];
            sums.entry(name.clone()).or_default().1[purchase.currency] += i128::from(share.part);
        }
    }
    sums
}

fn conversions(units: i128) -> f64 {
    units as f64 / CREDIT_UNITS as f64
}

fn raw_revenue(amounts: &[i128]) -> f64 {
    amounts.iter().sum::<i128>() as f64 / 1e6
}

fn near(found: f64, expected: f64, tolerance: f64, what: &str) {
    assert!((found - expected).abs() <= tolerance, "{what}: {found}, not {expected}");
}

const TABLE_NAMES: [(&str, Model); 7] = [
    ("first_touch", Model::FirstTouch),
    ("last_touch", Model::LastTouch),
    ("last_non_direct", Model::LastNonDirectTouch),
    ("linear", Model::Linear),
    ("position_40_20_40", Model::UShaped),
    ("time_decay_halflife_168h", Model::TimeDecay(HalfLife::WEEK)),
    ("shapley_coverage", Model::Shapley),
];

#[test]
fn single_journey_models_equal_the_reference() {
    let table = read("attribution/models_reference.csv");
    assert_eq!(table.len(), 70);
    for (name, model) in TABLE_NAMES {
        let found = credited(model);
        for row in table.iter().filter(|row| row.text("model") == name) {
            let what = format!("{name}, {}", row.text("channel"));
            let Sums(units, amounts) = &found[row.text("channel")];
            near(conversions(*units), row.number("conversions"), 1e-6, &what);
            near(raw_revenue(amounts), row.number("revenue_raw_sum"), 0.005, &what);
        }
    }
}

#[test]
fn single_journey_models_equal_marketing_attribution_models() {
    let table = read("attribution/models_mam.csv");
    assert_eq!(table.len(), 100);
    for row in &table {
        let (name, channel, value) = (row.text("model"), row.text("channel"), row.number("value"));
        let model = TABLE_NAMES.iter().find(|known| known.0 == name).expect("a model of ours").1;
        let Sums(units, amounts) = &credited(model)[channel];
        let what = format!("{name}, {channel}, {}", row.text("what"));
        match row.text("what") {
            "conversions" => near(conversions(*units), value, 1e-6, &what),
            "revenue" => near(raw_revenue(amounts), value, 0.005, &what),
            other => panic!("the table holds conversions and revenue, not {other}"),
        }
    }
}

#[test]
fn heuristics_equal_channel_attribution() {
    for (name, model) in [("first", Model::FirstTouch), ("last", Model::LastTouch), ("linear", Model::Linear)] {
        let found = credited(model);
        for row in read("attribution/channelattribution_heuristic.csv") {
            let what = format!("{name}, {}", row.text("channel_name"));
            let Sums(units, amounts) = &found[row.text("channel_name")];
            near(conversions(*units), row.number(&format!("{name}_touch_conversions")), 1e-6, &what);
            near(raw_revenue(amounts), row.number(&format!("{name}_touch_value")), 0.005, &what);
        }
    }
}

#[test]
fn every_currency_adds_up_to_its_own_total() {
    let (_, purchases) = purchases();
    let mut totals = Sums(i128::from(CREDIT_UNITS) * purchases.len() as i128, [0; 3]);
    for purchase in &purchases {
        totals.1[purchase.currency] += i128::from(purchase.micros);
    }
    for (name, model) in TABLE_NAMES {
        let mut sums = Sums::default();
        for Sums(units, amounts) in credited(model).into_values() {
            sums.0 += units;
            for (sum, amount) in sums.1.iter_mut().zip(amounts) {
                *sum += amount;
            }
        }
        assert_eq!(sums, totals, "{name}");
    }
}

/// Where one touch gets everything, every channel's money is a sum of whole purchases.
#[test]
fn first_and_last_touch_are_exact_per_currency() {
    let (names, purchases) = purchases();
    for model in [Model::FirstTouch, Model::LastTouch] {
        let mut expected: BTreeMap<String, Sums> = BTreeMap::new();
        for purchase in &purchases {
            let touch = if model == Model::FirstTouch { purchase.touches.first() } else { purchase.touches.last() };
            let sums = expected.entry(names[touch.expect("all have touches").channel as usize].clone()).or_default();
            sums.0 += i128::from(CREDIT_UNITS);
            sums.1[purchase.currency] += i128::from(purchase.micros);
        }
        assert_eq!(credited(model), expected, "{}", model.slug());
    }
}

/// `paths.csv` grouped: converting journeys only, money in three currencies.
#[test]
fn shapley_values_of_grouped_paths_equal_the_reference() {
    let (names, purchases) = purchases();
    let journeys = purchases.iter().map(|purchase| {
        let mut amounts = vec![0; 3];
        amounts[purchase.currency] = i128::from(purchase.micros);
        (purchase.touches.iter().map(|touch| touch.channel).collect(), 1, 0, amounts)
    });
    let credits = shapley::credit(&paths(&journeys.collect(), 3));
    for row in read("attribution/models_reference.csv").iter().filter(|row| row.text("model") == "shapley_coverage") {
        let place = names.iter().position(|name| name == row.text("channel")).expect("the same channels");
        let credit = &credits.channels[place].credit;
        near(conversions(credit.units), row.number("conversions"), 1e-6, row.text("channel"));
        near(raw_revenue(&credit.amounts_micros), row.number("revenue_raw_sum"), 0.005, row.text("channel"));
    }
    adds_up(&credits);
}

fn markov_paths() -> (Vec<String>, Paths) {
    let rows = read("attribution/markov_paths.csv.gz");
    let codes = codes(rows.iter().flat_map(|row| row.text("path").split(" > ")));
    let journeys = rows.iter().map(|row| {
        let path = row.text("path").split(" > ").map(|name| codes[name]).collect();
        // Sums of cents, written with the last digits of a float.
        let cents = (row.number::<f64>("total_conversion_value") * 100.0).round() as i128;
        (path, row.number("total_conversions"), row.number("total_null"), vec![10_000 * cents])
    });
    let paths = paths(&journeys.collect(), 1);
    (codes.keys().map(|name| (*name).to_owned()).collect(), paths)
}

#[test]
fn removal_effects_of_order_one_are_exact() {
    let (names, paths) = markov_paths();
    let removal = markov::removal_effects(&paths, Order::First).expect("ten channels");
    near(removal.conversion_probability, 0.304_607_225_7, 1e-10, "conversion probability");
    for row in read("attribution/markov_order1.csv") {
        let name = row.text("channel_name");
        let effect = removal.effects[names.iter().position(|known| known == name).expect("the same channels")];
        near(effect, row.number("removal_effect_exact"), 1e-9, name);
        near(effect, row.number("removal_effect_mam"), 1e-9, name);
        // Simulated there, until it changed by less than one percent.
        near(effect, row.number("removal_effect_channelattribution_sim"), 0.01 * effect, name);
    }
}

#[test]
fn both_allocations_of_order_one_equal_their_tools() {
    let (names, paths) = markov_paths();
    let removal = markov::removal_effects(&paths, Order::First).expect("ten channels");
    for (allocation, column) in
        [(Allocation::RemovalShare, "markov_conversions_exact"), (Allocation::PerPath, "markov_conversions_mam_per_journey")]
    {
        let credits = markov::credit(&paths, &removal, allocation);
        for row in read("attribution/markov_order1.csv") {
            let name = row.text("channel_name");
            let place = names.iter().position(|known| known == name).expect("the same channels");
            near(conversions(credits.channels[place].credit.units), row.number(column), 1e-6, &format!("{column}, {name}"));
        }
        assert_eq!(credits.totals.units, 919 * i128::from(CREDIT_UNITS));
        assert_eq!(credits.unattributed.units, 0);
        adds_up(&credits);
    }
}

fn adds_up(credits: &ChannelCredits) {
    let channels = || credits.channels.iter().map(|channel| &channel.credit).chain([&credits.unattributed]);
    assert_eq!(channels().map(|credit| credit.units).sum::<i128>(), credits.totals.units);
    for (currency, total) in credits.totals.amounts_micros.iter().enumerate() {
        assert_eq!(channels().map(|credit| credit.amounts_micros[currency]).sum::<i128>(), *total);
    }
}
