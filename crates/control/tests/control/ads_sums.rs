//! Totals: each amount once, per currency, by any part of the hierarchy.

use crate::ads::{DAY, path, question, rows, spend};
use crate::world::{World, code};
use jiff::civil::date;
use tributary_control::{AdDimension, AdGroup, AdQuestion, AdSelection, SpendSum};
use tributary_core::ads::{AdBatch, AdEntity, AdLevel, SpendRow};
use tributary_core::error::Code;
use tributary_core::scope::WorkspaceScope;

/// `date source account campaign ad-set ad: units currency`, as far as they are told.
fn told(sums: &[SpendSum]) -> Vec<String> {
    let line = |sum: &SpendSum| {
        let AdGroup { date, source, account, campaign, ad_set, ad } = &sum.group;
        let parts =
            [date.map(|date| date.to_string()), source.clone(), account.clone(), campaign.clone(), ad_set.clone(), ad.clone()];
        let group: Vec<String> = parts.into_iter().flatten().collect();
        format!("{}: {} {}", group.join(" "), sum.spend_micros / 1_000_000, sum.currency)
    };
    sums.iter().map(line).collect()
}

async fn asked(world: &World, scope: &WorkspaceScope, question: &AdQuestion) -> Vec<String> {
    told(&world.control.sum_ad_spend(scope, question).await.unwrap())
}

#[tokio::test]
async fn the_deepest_level_of_each_campaigns_day_counts() {
    let world = World::new().await;
    let scope = world.scope("shop").await;
    let next = DAY.tomorrow().unwrap();
    let batch = rows(vec![
        // One day told four times, and a campaign beside it that has nothing deeper.
        spend(AdLevel::Account, "9", DAY, 100),
        spend(AdLevel::Campaign, "9/7", DAY, 60),
        spend(AdLevel::AdSet, "9/7/5", DAY, 59),
        spend(AdLevel::Ad, "9/7/5/3", DAY, 30),
        spend(AdLevel::Ad, "9/7/5/4", DAY, 20),
        spend(AdLevel::Campaign, "9/8", DAY, 40),
        // The next day has the account alone, and an account beside it has its campaign.
        spend(AdLevel::Account, "9", next, 70),
        spend(AdLevel::Account, "10", next, 7),
        spend(AdLevel::Campaign, "10/1", next, 6),
    ]);
    world.control.record_ads(&scope, batch, "test").await.unwrap();
    let by = |dimensions: &[AdDimension]| question(dimensions);
    assert_eq!(asked(&world, &scope, &by(&[])).await, [": 166 EUR"]);
    assert_eq!(asked(&world, &scope, &by(&[AdDimension::Date])).await, ["2026-05-01: 90 EUR", "2026-05-02: 76 EUR"]);
    assert_eq!(asked(&world, &scope, &by(&[AdDimension::Account])).await, ["x_ads 10: 6 EUR", "x_ads 9: 160 EUR"]);
    assert_eq!(
        asked(&world, &scope, &by(&[AdDimension::Campaign, AdDimension::Ad])).await,
        ["x_ads: 70 EUR", "x_ads 1: 6 EUR", "x_ads 7 3: 30 EUR", "x_ads 7 4: 20 EUR", "x_ads 8: 40 EUR"]
    );
    let only = AdSelection { campaign: Some("7".into()), source: Some("x_ads".into()), ..AdSelection::default() };
    assert_eq!(asked(&world, &scope, &AdQuestion { only, ..by(&[AdDimension::AdSet]) }).await, ["x_ads 5: 50 EUR"]);
    let early = AdQuestion { to: next, ..by(&[]) };
    assert_eq!(asked(&world, &scope, &early).await, [": 90 EUR"], "the range ends before its last day");
    let empty = AdQuestion { from: DAY, to: DAY, ..by(&[]) };
    assert_eq!(code(world.control.sum_ad_spend(&scope, &empty).await), Code::InvalidParams);
}

#[tokio::test]
async fn parents_learned_later_count_for_rows_stored_before() {
    let world = World::new().await;
    let scope = world.scope("shop").await;
    let batch = rows(vec![
        spend(AdLevel::Ad, "///3", DAY, 30),
        spend(AdLevel::AdSet, "//5", DAY, 31),
        spend(AdLevel::Account, "9", DAY, 32),
    ]);
    world.control.record_ads(&scope, batch, "test").await.unwrap();
    let by_account = question(&[AdDimension::Account]);
    assert_eq!(asked(&world, &scope, &by_account).await, ["x_ads: 61 EUR", "x_ads 9: 32 EUR"], "nothing says that they are one");
    let entities = vec![
        AdEntity::at("x_ads", AdLevel::Ad, path("//5/3")),
        AdEntity::at("x_ads", AdLevel::AdSet, path("/7/5")),
        AdEntity::at("x_ads", AdLevel::Campaign, path("9/7")),
        AdEntity { currency: Some("USD".parse().unwrap()), ..AdEntity::at("x_ads", AdLevel::Account, path("9")) },
    ];
    world.control.record_ads(&scope, AdBatch { entities, ..AdBatch::default() }, "test").await.unwrap();
    assert_eq!(asked(&world, &scope, &by_account).await, ["x_ads 9: 30 USD"]);
    let again = rows(vec![spend(AdLevel::Ad, "9/7/5/3", DAY, 30)]);
    assert_eq!(world.control.record_ads(&scope, again, "test").await.unwrap().spend.unchanged, 1, "with or without its parents");
}

#[tokio::test]
async fn the_nearest_currency_counts() {
    let world = World::new().await;
    let scope = world.scope("shop").await;
    let in_currency = |level, at: &str, code: &str| AdEntity {
        currency: Some(code.parse().unwrap()),
        ..AdEntity::at("x_ads", level, path(at))
    };
    let entities = vec![in_currency(AdLevel::Account, "9", "USD"), in_currency(AdLevel::Campaign, "9/7", "GBP")];
    let own = SpendRow { currency: Some("CHF".parse().unwrap()), ..spend(AdLevel::Ad, "9/7/5/3", DAY, 1) };
    let spend = vec![
        own,
        spend(AdLevel::Ad, "//5/4", DAY, 2),
        spend(AdLevel::Campaign, "9/8", DAY, 3),
        spend(AdLevel::Ad, "///6", DAY, 4),
    ];
    world.control.record_ads(&scope, AdBatch { entities, spend, ..AdBatch::default() }, "test").await.unwrap();
    assert_eq!(asked(&world, &scope, &question(&[])).await, [": 1 CHF", ": 4 EUR", ": 2 GBP", ": 3 USD"]);
}

#[tokio::test]
async fn no_sum_crosses_currencies_or_overflows() {
    let world = World::new().await;
    let scope = world.scope("shop").await;
    let most = |ad: usize, currency: &str| SpendRow {
        currency: Some(currency.parse().unwrap()),
        spend_micros: 1_000_000_000_000_000_000,
        ..spend(AdLevel::Ad, &format!("9/7/5/{ad}"), DAY, 1)
    };
    let mut batch = rows((0..20).map(|ad| most(ad, "USD")).collect());
    batch.spend.push(most(20, "JPY"));
    batch.spend.push(SpendRow { spend_micros: -1, ..most(21, "JPY") });
    world.control.record_ads(&scope, batch, "test").await.unwrap();
    let sums = world.control.sum_ad_spend(&scope, &question(&[])).await.unwrap();
    let totals: Vec<_> = sums.iter().map(|sum| (sum.currency.to_string(), sum.spend_micros)).collect();
    assert_eq!(totals, [("JPY".to_owned(), 999_999_999_999_999_999), ("USD".to_owned(), 20_000_000_000_000_000_000)]);
}

#[tokio::test]
async fn counts_that_nobody_says_are_not_zero() {
    let world = World::new().await;
    let scope = world.scope("shop").await;
    let silent = SpendRow { impressions: None, clicks: None, ..spend(AdLevel::Campaign, "9/7", DAY, 1) };
    world
        .control
        .record_ads(&scope, rows(vec![silent, spend(AdLevel::Campaign, "9/8", date(2026, 5, 9), 2)]), "test")
        .await
        .unwrap();
    let sums = world.control.sum_ad_spend(&scope, &question(&[AdDimension::Campaign])).await.unwrap();
    assert_eq!((sums[0].impressions, sums[1].impressions, sums[1].link_clicks), (None, Some(20), None));
}
