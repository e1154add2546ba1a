//! Entities and rows: recorded, restated, listed, kept apart.

use crate::world::{NOW_US, World, code};
use jiff::civil::{Date, date};
use tributary_control::{AdCounts, AdCursor, AdEntityFilter, AdQuestion, AdSelection, Counts, RestatementFilter};
use tributary_core::ads::{
    AdBatch, AdDay, AdEntity, AdLevel, AdPath, Budget, BudgetPeriod, ClaimRow, ClaimRule, Cut, CutBy, SpendRow,
};
use tributary_core::error::Code;

pub const DAY: Date = date(2026, 5, 1);

pub const fn counts(inserted: u64, restated: u64, unchanged: u64) -> Counts {
    Counts { inserted, restated, unchanged }
}

/// `account/campaign/ad set/ad`, empty where nobody says.
pub fn path(text: &str) -> AdPath {
    let mut ids = text.split('/').map(|id| Some(id.to_owned()).filter(|id| !id.is_empty()));
    let mut next = || ids.next().flatten();
    AdPath { account: next(), campaign: next(), ad_set: next(), ad: next(), keyword: None }
}

pub fn day(level: AdLevel, at: &str, date: Date) -> AdDay {
    AdDay { source: "x_ads".into(), level, path: path(at), date, cut: None }
}

/// A row of so many whole units.
pub fn spend(level: AdLevel, at: &str, date: Date, units: i64) -> SpendRow {
    let day = day(level, at, date);
    SpendRow {
        day,
        currency: None,
        spend_micros: units * 1_000_000,
        impressions: Some(units * 10),
        clicks: Some(units),
        link_clicks: None,
    }
}

pub fn rows(spend: Vec<SpendRow>) -> AdBatch {
    AdBatch { spend, ..AdBatch::default() }
}

pub fn question(by: &[tributary_control::AdDimension]) -> AdQuestion {
    AdQuestion {
        from: date(2026, 1, 1),
        to: date(2027, 1, 1),
        by: by.to_vec(),
        only: AdSelection::default(),
        default_currency: "EUR".parse().unwrap(),
    }
}

fn claim(conversions: Option<i64>, value: Option<i64>) -> ClaimRow {
    ClaimRow {
        day: day(AdLevel::Ad, "///3", DAY),
        rule: ClaimRule { event: "purchase".into(), window: "7d_click".into(), model: "click".into() },
        currency: None,
        conversions_micros: conversions,
        value_micros: value,
    }
}

#[tokio::test]
async fn a_day_is_replaced_and_the_journal_says_so() {
    let world = World::new().await;
    let scope = world.scope("shop").await;
    let record = async |units| {
        world
            .control
            .record_ads(&scope, rows(vec![spend(AdLevel::Ad, "9/7/5/3", DAY, units)]), "import may.csv")
            .await
            .unwrap()
            .spend
    };
    let total = async || world.control.sum_ad_spend(&scope, &question(&[])).await.unwrap()[0].spend_micros;
    assert_eq!((record(5).await, total().await), (counts(1, 0, 0), 5_000_000));
    assert_eq!((record(5).await, total().await), (counts(0, 0, 1), 5_000_000));
    world.clock.advance_us(1_000);
    assert_eq!((record(8).await, total().await), (counts(0, 1, 0), 8_000_000));
    assert_eq!(record(8).await, counts(0, 0, 1));
    let journal = world.control.list_ad_restatements(&scope, &RestatementFilter::default(), 10).await.unwrap();
    assert_eq!((journal.len(), journal[0].at_us), (1, NOW_US + 1_000));
    insta::assert_debug_snapshot!(journal);
    let complaint = world.tamper("UPDATE ad_restatements SET new_values = '{}'").await.unwrap();
    assert!(complaint.contains("rows cannot be updated"), "{complaint}");
}

#[tokio::test]
async fn a_part_of_a_day_is_its_own_row() {
    let world = World::new().await;
    let scope = world.scope("shop").await;
    let whole = spend(AdLevel::Campaign, "9/7", DAY, 5);
    let part = |value: &str, units| {
        let mut row = spend(AdLevel::Campaign, "9/7", DAY, units);
        row.day.cut = Some(Cut { by: CutBy::Country, value: value.into() });
        row
    };
    let batch = rows(vec![whole, part("DE", 3), part("FR", 2)]);
    assert_eq!(world.control.record_ads(&scope, batch, "test").await.unwrap().spend, counts(3, 0, 0));
    assert_eq!(world.control.sum_ad_spend(&scope, &question(&[])).await.unwrap()[0].spend_micros, 5_000_000);
    world.control.record_ads(&scope, rows(vec![part("FR", 1)]), "test").await.unwrap();
    let journal = world.control.list_ad_restatements(&scope, &RestatementFilter::default(), 10).await.unwrap();
    assert_eq!(journal[0].cut, Some(Cut { by: CutBy::Country, value: "FR".into() }));
}

#[tokio::test]
async fn number_and_value_of_a_claim_may_come_apart() {
    let world = World::new().await;
    let scope = world.scope("shop").await;
    let record = async |row| {
        let batch = AdBatch { claims: vec![row], ..AdBatch::default() };
        world.control.record_ads(&scope, batch, "test").await.unwrap().claims
    };
    assert_eq!(record(claim(Some(1_500_000), None)).await, counts(1, 0, 0));
    assert_eq!(record(claim(None, Some(9_900_000))).await, counts(1, 0, 0), "a figure that was not there");
    assert_eq!(record(claim(Some(1_500_000), None)).await, counts(0, 0, 1));
    assert_eq!(record(claim(Some(2_000_000), None)).await, counts(0, 1, 0));
    let sums = world.control.sum_ad_claims(&scope, &question(&[])).await.unwrap();
    assert_eq!((sums.len(), sums[0].conversions_micros, sums[0].value_micros), (1, Some(2_000_000), Some(9_900_000)));
    let journal = world.control.list_ad_restatements(&scope, &RestatementFilter::default(), 10).await.unwrap();
    assert_eq!(journal[0].claim.as_ref().unwrap().window, "7d_click");
    assert_eq!(journal[0].old["conversions_micros"], 1_500_000);
}

#[tokio::test]
async fn entities_keep_what_a_later_row_does_not_say() {
    let world = World::new().await;
    let scope = world.scope("shop").await;
    let record = async |entity: AdEntity| {
        let batch = AdBatch { entities: vec![entity], ..AdBatch::default() };
        world.control.record_ads(&scope, batch, "test").await.unwrap().entities
    };
    let campaign = |at: &str| AdEntity::at("x_ads", AdLevel::Campaign, path(at));
    let named = AdEntity {
        name: Some("Spring".into()),
        budget: Some(Budget { micros: 5_000_000, period: BudgetPeriod::Daily }),
        ..campaign("9/7")
    };
    assert_eq!(record(named.clone()).await, counts(1, 0, 0));
    assert_eq!(record(named).await, counts(0, 0, 1));
    assert_eq!(record(campaign("/7")).await, counts(0, 0, 1));
    assert_eq!(record(AdEntity { status: Some("PAUSED".into()), ..campaign("/7") }).await, counts(0, 1, 0));
    world.control.record_ads(&scope, rows(vec![spend(AdLevel::Ad, "other/7/5/3", DAY, 1)]), "test").await.unwrap();
    let lineage = world.control.get_ad_entity(&scope, "x_ads", AdLevel::Ad, "3").await.unwrap();
    assert_eq!(
        lineage.parents.iter().map(|parent| parent.entity.level.as_str()).collect::<Vec<_>>(),
        ["account", "campaign", "adset"]
    );
    let stored = world.control.get_ad_entity(&scope, "x_ads", AdLevel::Campaign, "7").await.unwrap().entity.entity;
    assert_eq!(stored.path, path("9/7"), "a row does not move what its own table has placed");
    assert_eq!((stored.name.as_deref(), stored.status.as_deref()), (Some("Spring"), Some("PAUSED")));
    assert_eq!(stored.budget, Some(Budget { micros: 5_000_000, period: BudgetPeriod::Daily }));
    assert_eq!(code(world.control.get_ad_entity(&scope, "x_ads", AdLevel::Ad, "4").await), Code::NotFound);
}

#[tokio::test]
async fn lists_are_paged_and_filtered() {
    let world = World::new().await;
    let scope = world.scope("shop").await;
    let mut batch = rows((1..=7).map(|ad| spend(AdLevel::Ad, &format!("9/7/{}/{ad}", ad % 2), DAY, 1)).collect());
    batch.spend[6].day.source = "a_source".into();
    world.control.record_ads(&scope, batch, "test").await.unwrap();
    let every = AdEntityFilter::every(AdLevel::Ad);
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = world.control.list_ad_entities(&scope, &every, after.as_ref(), 3).await.unwrap();
        seen.extend(
            page.entities.iter().map(|found| format!("{}:{}", found.entity.source, found.entity.path.ad.as_deref().unwrap())),
        );
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, ["a_source:7", "x_ads:1", "x_ads:2", "x_ads:3", "x_ads:4", "x_ads:5", "x_ads:6"]);
    let odd = AdEntityFilter { source: Some("x_ads".into()), ad_set: Some("1".into()), campaign: Some("7".into()), ..every };
    assert_eq!(world.control.list_ad_entities(&scope, &odd, None, 10).await.unwrap().entities.len(), 3);
    let end = AdCursor { source: "x_ads".into(), id: "6".into() };
    let page = world.control.list_ad_entities(&scope, &AdEntityFilter::every(AdLevel::Ad), Some(&end), 10).await.unwrap();
    assert_eq!((page.entities.len(), page.next), (0, None));
    assert_eq!(
        world.control.list_ad_entities(&scope, &AdEntityFilter::every(AdLevel::Campaign), None, 10).await.unwrap().entities.len(),
        2
    );
}

#[tokio::test]
async fn workspaces_see_nothing_of_each_other() {
    let world = World::new().await;
    let (one, two) = (world.scope("one").await, world.scope("two").await);
    let record = async |scope, units| {
        world.control.record_ads(scope, rows(vec![spend(AdLevel::Ad, "9/7/5/3", DAY, units)]), "test").await.unwrap().spend
    };
    assert_eq!((record(&one, 5).await, record(&two, 8).await), (counts(1, 0, 0), counts(1, 0, 0)));
    assert_eq!(record(&one, 6).await, counts(0, 1, 0));
    let named = AdEntity { name: Some("canary".into()), ..AdEntity::at("x_ads", AdLevel::Ad, path("/only-one/5/33")) };
    world.control.record_ads(&one, AdBatch { entities: vec![named], ..AdBatch::default() }, "test").await.unwrap();
    assert_eq!(world.control.sum_ad_spend(&one, &question(&[])).await.unwrap()[0].spend_micros, 6_000_000);
    assert_eq!(world.control.sum_ad_spend(&two, &question(&[])).await.unwrap()[0].spend_micros, 8_000_000);
    assert_eq!(code(world.control.get_ad_entity(&two, "x_ads", AdLevel::Ad, "33").await), Code::NotFound);
    let lineage = world.control.get_ad_entity(&two, "x_ads", AdLevel::Ad, "3").await.unwrap();
    assert_eq!(lineage.entity.entity.path.campaign.as_deref(), Some("7"), "places come from the own workspace alone");
    assert_eq!(
        world.control.list_ad_entities(&two, &AdEntityFilter::every(AdLevel::Ad), None, 10).await.unwrap().entities.len(),
        1
    );
    assert_eq!(world.control.list_ad_restatements(&two, &RestatementFilter::default(), 10).await.unwrap(), []);
    assert_eq!(world.control.list_ad_restatements(&one, &RestatementFilter::default(), 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_deleted_workspace_leaves_nothing() {
    let world = World::new().await;
    let scope = world.scope("shop").await;
    for units in [1, 2] {
        world.control.record_ads(&scope, rows(vec![spend(AdLevel::Ad, "9/7/5/3", DAY, units)]), "test").await.unwrap();
    }
    world.control.delete_workspace(scope.workspace()).await.unwrap();
    assert_eq!(world.control.sum_ad_spend(&scope, &question(&[])).await.unwrap(), []);
    assert_eq!(world.control.list_ad_restatements(&scope, &RestatementFilter::default(), 10).await.unwrap(), []);
    assert_eq!(code(world.control.record_ads(&scope, AdBatch::default(), "test").await), Code::NotFound);
}

#[tokio::test]
async fn what_is_out_of_bounds_is_refused_whole() {
    let world = World::new().await;
    let scope = world.scope("shop").await;
    let good = || spend(AdLevel::Ad, "9/7/5/3", DAY, 1);
    let bad = [
        rows(vec![SpendRow { day: AdDay { source: "X Ads".into(), ..good().day }, ..good() }]),
        rows(vec![SpendRow { day: AdDay { path: path("9/7/5/"), ..good().day }, ..good() }]),
        rows(vec![SpendRow { day: AdDay { path: path(&format!("{}///3", "x".repeat(1_025))), ..good().day }, ..good() }]),
        rows(vec![SpendRow { day: AdDay { date: date(1989, 12, 31), ..good().day }, ..good() }]),
        rows(vec![SpendRow { spend_micros: i64::MAX, ..good() }]),
        rows(vec![SpendRow { clicks: Some(-1), ..good() }]),
        AdBatch { claims: vec![claim(Some(i64::MIN), None)], ..AdBatch::default() },
        AdBatch {
            entities: vec![AdEntity { name: Some(String::new()), ..AdEntity::at("x_ads", AdLevel::Ad, path("///3")) }],
            ..AdBatch::default()
        },
        rows(vec![good(); 10_001]),
    ];
    for batch in bad {
        let mut batch = batch;
        batch.spend.insert(0, good());
        assert_eq!(code(world.control.record_ads(&scope, batch, "test").await), Code::InvalidParams);
    }
    for author in ["", "tab\there", &"x".repeat(256)] {
        assert_eq!(code(world.control.record_ads(&scope, rows(vec![good()]), author).await), Code::InvalidParams);
    }
    assert_eq!(world.control.sum_ad_spend(&scope, &question(&[])).await.unwrap(), []);
    assert_eq!(world.control.record_ads(&scope, AdBatch::default(), "test").await.unwrap(), AdCounts::default());
}
