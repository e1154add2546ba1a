//! The exports of `tests/data/ads`, from file to total.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::PathBuf;

use crate::ads::{counts, question};
use crate::world::World;
use jiff::civil::date;
use tributary_connectors::read_file;
use tributary_control::{AdCounts, AdDimension, AdQuestion, RestatementFilter};
use tributary_core::money::parse_micros;
use tributary_core::scope::WorkspaceScope;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/ads")
}

async fn import(world: &World, scope: &WorkspaceScope, name: &str) -> AdCounts {
    let file = File::open(folder().join("fivetran_ad_reporting_seeds").join(name)).unwrap();
    let imported = read_file(name, file, &mut |problem| panic!("{problem}")).unwrap();
    let mut counts = AdCounts::default();
    for batch in imported.batches {
        counts += world.control.record_ads(scope, batch, name).await.unwrap();
    }
    counts
}

fn ever(by: &[AdDimension]) -> AdQuestion {
    AdQuestion { from: date(2000, 1, 1), to: date(2100, 1, 1), ..question(by) }
}

#[tokio::test]
async fn every_table_imports_twice_without_change() {
    let world = World::new().await;
    let scope = world.scope("shop").await;
    let mut names: Vec<String> = fs::read_dir(folder().join("fivetran_ad_reporting_seeds"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".csv"))
        .collect();
    names.sort();
    assert_eq!(names.len(), 124);
    let (mut first, mut second) = (AdCounts::default(), AdCounts::default());
    for name in &names {
        first += import(&world, &scope, name).await;
    }
    let totals = world.control.sum_ad_spend(&scope, &ever(&[AdDimension::Source])).await.unwrap();
    let claims = world.control.sum_ad_claims(&scope, &ever(&[AdDimension::Source])).await.unwrap();
    for name in names.iter().rev() {
        second += import(&world, &scope, name).await;
    }
    assert_eq!((first.spend.restated, first.claims.restated), (0, 0), "no table restates another");
    assert_eq!(second.spend, counts(0, 0, first.spend.inserted));
    assert_eq!((second.claims.inserted, second.claims.restated), (0, 0));
    assert_eq!((second.entities.inserted, second.entities.restated), (0, 0));
    assert_eq!(world.control.list_ad_restatements(&scope, &RestatementFilter::default(), 10).await.unwrap(), []);
    assert_eq!(world.control.sum_ad_spend(&scope, &ever(&[AdDimension::Source])).await.unwrap(), totals);
    assert_eq!(world.control.sum_ad_claims(&scope, &ever(&[AdDimension::Source])).await.unwrap(), claims);
    insta::assert_debug_snapshot!((first, totals));
}

/// Totals of one day: impressions (empty where no row has any), clicks, spend in micros.
type Totals = (Option<i64>, i64, i128);

#[tokio::test]
async fn daily_totals_equal_the_oracle() {
    let world = World::new().await;
    let mut expected: BTreeMap<String, BTreeMap<String, Totals>> = BTreeMap::new();
    let oracle = fs::read_to_string(folder().join("daily_totals_oracle.csv")).unwrap();
    for line in oracle.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let count =
            |at: usize| cells[at].split('.').next().filter(|digits| !digits.is_empty()).map(|digits| digits.parse().unwrap());
        let totals = (count(5), count(6).unwrap_or(0), i128::from(parse_micros(cells[7]).unwrap()));
        expected.entry(cells[1].to_owned()).or_default().insert(cells[3].to_owned(), totals);
    }
    assert_eq!((expected.len(), expected.values().map(BTreeMap::len).sum::<usize>()), (12, 382));
    for (place, (table, expected)) in expected.into_iter().enumerate() {
        let scope = world.scope(&format!("table-{place}")).await;
        for again in [false, true] {
            let counts = import(&world, &scope, &format!("{table}.csv")).await;
            assert_eq!(counts.spend.inserted == 0, again, "{table}");
            let sums = world.control.sum_ad_spend(&scope, &ever(&[AdDimension::Date])).await.unwrap();
            let found: BTreeMap<String, _> = sums
                .into_iter()
                .map(|sum| (sum.group.date.unwrap().to_string(), (sum.impressions, sum.clicks.unwrap_or(0), sum.spend_micros)))
                .collect();
            assert_eq!(found, expected, "{table}");
        }
    }
}
