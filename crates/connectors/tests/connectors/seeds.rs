//! The 124 tables of twelve exports, and the daily totals another engine computed from them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::PathBuf;

use tributary_connectors::{Imported, read_file};
use tributary_core::ads::SpendRow;
use tributary_core::money::parse_micros;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/ads")
}

fn files() -> Vec<String> {
    let names = fs::read_dir(folder().join("fivetran_ad_reporting_seeds")).unwrap();
    let mut names: Vec<String> = names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name.ends_with(".csv"));
    names.sort();
    names
}

fn import(name: &str) -> (Imported, Vec<String>) {
    let mut problems = Vec::new();
    let file = File::open(folder().join("fivetran_ad_reporting_seeds").join(name)).unwrap();
    let imported = read_file(name, file, &mut |problem| problems.push(problem.to_string())).unwrap();
    (imported, problems)
}

fn spend(imported: &Imported) -> Vec<&SpendRow> {
    imported.batches.iter().flat_map(|batch| &batch.spend).collect()
}

#[test]
fn every_table_is_recognised_and_read_without_a_problem() {
    let names = files();
    assert_eq!(names.len(), 124);
    let mut overview = String::new();
    for name in names {
        let (imported, problems) = import(&name);
        assert_eq!(problems, Vec::<String>::new(), "{name}");
        assert_eq!(format!("{}.csv", imported.export.name()), name.replace("_data.csv", ".csv"));
        let (mut entities, mut spend, mut claims) = (0, 0, 0);
        for batch in &imported.batches {
            entities += batch.entities.len();
            spend += batch.spend.len();
            claims += batch.claims.len();
        }
        let what = match imported.export.nothing() {
            Some(reason) => {
                assert_eq!((entities, spend, claims), (0, 0, 0), "{name}");
                format!("nothing: {reason}")
            }
            None => {
                assert!(entities + spend + claims > 0, "{name} gave nothing and no reason");
                format!("{} rows: {entities} entities, {spend} spend, {claims} claims", imported.rows)
            }
        };
        overview.push_str(&format!("{name}: {what}\n"));
    }
    insta::assert_snapshot!(overview);
}

#[test]
fn a_day_of_an_entity_is_one_row() {
    for name in files() {
        let (imported, _) = import(&name);
        let mut seen = BTreeMap::new();
        for row in spend(&imported) {
            let key = (row.day.path.at(row.day.level).unwrap().to_owned(), row.day.date, row.day.cut.clone());
            assert_eq!(seen.insert(key, row.spend_micros), None, "{name}: {row:?}");
        }
    }
}

/// Totals of one day: impressions (the oracle leaves them out where no row has any), clicks, spend in micros.
type Totals = (Option<i64>, i64, i64);

#[test]
fn daily_totals_equal_the_oracle() {
    let mut expected: BTreeMap<String, BTreeMap<String, Totals>> = BTreeMap::new();
    let mut oracle = csv::Reader::from_path(folder().join("daily_totals_oracle.csv")).unwrap();
    for record in oracle.records() {
        let record = record.unwrap();
        let count =
            |at: usize| record[at].split('.').next().filter(|digits| !digits.is_empty()).map(|digits| digits.parse().unwrap());
        let totals = (count(5), count(6).unwrap_or(0), parse_micros(&record[7]).unwrap());
        expected.entry(record[1].to_owned()).or_default().insert(record[3].to_owned(), totals);
    }
    assert_eq!(expected.len(), 12);
    assert_eq!(expected.values().map(BTreeMap::len).sum::<usize>(), 382);
    for (table, expected) in expected {
        let (imported, _) = import(&format!("{table}.csv"));
        let mut found: BTreeMap<String, Totals> = BTreeMap::new();
        for row in spend(&imported) {
            assert_eq!(row.day.cut, None, "{table}");
            let totals = found.entry(row.day.date.to_string()).or_default();
            totals.0 = row.impressions.map_or(totals.0, |more| Some(totals.0.unwrap_or(0) + more));
            totals.1 += row.clicks.unwrap_or(0);
            totals.2 += row.spend_micros;
        }
        assert_eq!(found, expected, "{table}");
    }
}

#[test]
fn what_some_tables_say_in_full() {
    let mut batches = Vec::new();
    for name in [
        "facebook_ads_basic_ad_actions_data.csv",
        "google_ads_account_history_data.csv",
        "google_ads_keyword_stats_data.csv",
        "reddit_ads_ad_conversions.csv",
        "tiktok_ad_report_hourly_data.csv",
        "tiktok_adgroup_history_data.csv",
        "twitter_campaign_regions_report_data.csv",
    ] {
        let (imported, _) = import(name);
        let first = imported.batches.into_iter().next().unwrap();
        let (entity, spend) = (first.entities.into_iter().next(), first.spend.into_iter().next());
        batches.push((name, entity, spend, first.claims.into_iter().take(2).collect::<Vec<_>>()));
    }
    insta::assert_debug_snapshot!(batches);
}
