//! Recognising files, and what is said of those that cannot be read.

use tributary_connectors::{Export, read_file};
use tributary_core::ads::{AdBatch, AdLevel};
use tributary_core::error::Result;

fn read(name: &str, content: impl AsRef<[u8]>) -> Result<(Vec<AdBatch>, Vec<String>)> {
    let mut problems = Vec::new();
    let imported = read_file(name, content.as_ref(), &mut |problem| problems.push(problem.to_string()))?;
    Ok((imported.batches, problems))
}

#[test]
fn a_table_is_known_by_its_name_and_header() {
    let header = ["AD_ID", " date", "impressions", "inline_link_clicks", "spend", "else"];
    for (name, expected) in [
        ("facebook_ads_basic_ad_data.csv", "facebook_ads_basic_ad"),
        ("2026-05_facebook_ads_basic_ad.csv", "facebook_ads_basic_ad"),
        ("exports/May/FACEBOOK_ADS_BASIC_AD.CSV", "facebook_ads_basic_ad"),
        ("c:\\exports\\facebook_ads_basic_ad.csv.gz", "facebook_ads_basic_ad"),
    ] {
        assert_eq!(Export::recognise(name, &header).unwrap().name(), expected, "{name}");
    }
    let own = ["source", "account_id", "date", "spend", "clicks"];
    assert_eq!(Export::recognise("may.csv", &own).unwrap().name(), "spend");
}

#[test]
fn what_is_not_known_is_refused_by_name() {
    let refusal = |name: &str, header: &[&str]| Export::recognise(name, header).unwrap_err().message().to_owned();
    insta::assert_snapshot!(
        [
            refusal("may.csv", &["date", "amount"]),
            refusal("notfacebook_ads_basic_ad.csv", &["date"]),
            refusal("facebook_ads_basic_ad.csv", &["ad_id", "date", "impressions"]),
            refusal("may.csv", &["source", "account_id", "date", "spend", "impresions", "budget"]),
            read("empty.csv", "").unwrap_err().message().to_owned(),
        ]
        .join("\n")
    );
}

#[test]
fn bad_cells_are_named_and_other_rows_kept() {
    let file = b"ad_id,date,account_id,impressions,inline_link_clicks,spend
1,2026-05-01,9,10,1,1.5
1,2026-05-01,9,ten,1,2.5
,2026-05-01,9,1,1,1
2,01.05.2026,9,1,1,1
2,2026-05-01,9,1,-1,1
2,2026-05-01,9,1,1,\"1,50\"
2,2026-05-01,9,1,1
2,2026-05-01,9,1,1,1,1
\xff,2026-05-01,9,1,1,1
3,2026-05-01,9,-,,-
1,2026-05-01,9,5,,0.25
";
    let (batches, problems) = read("facebook_ads_basic_ad.csv", file).unwrap();
    let rows: Vec<_> = batches[0]
        .spend
        .iter()
        .map(|row| (row.day.path.at(AdLevel::Ad).unwrap(), row.spend_micros, row.impressions, row.clicks))
        .collect();
    assert_eq!(rows, [("1", 1_750_000, Some(15), Some(1)), ("3", 0, None, None)]);
    insta::assert_snapshot!(problems.join("\n"));
}

#[test]
fn sums_that_cannot_be_are_problems_too() {
    let file = "date,id,local_spend_amount,local_spend_currency,impressions,taps
2026-05-01,1,1000000000000,USD,1,1
2026-05-01,1,1,EUR,1,1
2026-05-01,2,1,,1,1
2026-05-01,2,1,EUR,1,1
";
    let (batches, problems) = read("apple_search_campaign_report.csv", file).unwrap();
    assert_eq!(problems, ["apple_search_campaign_report.csv:3: the row is in EUR, an earlier one of this entity and day in USD"]);
    let currencies: Vec<_> = batches[0].spend.iter().map(|row| row.currency.map(|currency| currency.to_string())).collect();
    assert_eq!(currencies, [Some("USD".to_owned()), Some("EUR".to_owned())]);
    let many = "date,id,local_spend_amount,local_spend_currency,impressions,taps\n".to_owned()
        + &"2026-05-01,1,1000000000000,USD,1,1\n".repeat(10);
    let (batches, problems) = read("apple_search_campaign_report.csv", many).unwrap();
    assert_eq!(
        (batches[0].spend[0].spend_micros, problems.len()),
        (1_000_000_000_000_000_000, 9),
        "bounds of sums are those of rows"
    );
}

#[test]
fn the_newest_version_of_an_entity_counts() {
    let file = "id,account_id,name,updated_time
1,9,new,2026-05-02 10:00:00
1,9,old,2026-05-02 9:00:00
2,9,first,2026-05-01
2,9,second,2026-05-01
";
    let (batches, problems) = read("facebook_ads_campaign_history.csv", file).unwrap();
    assert_eq!(problems, Vec::<String>::new());
    let names: Vec<_> = batches[0].entities.iter().map(|entity| entity.name.as_deref().unwrap()).collect();
    assert_eq!(names, ["new", "second"]);
}

#[test]
fn batches_are_bounded() {
    let mut file = "ad_id,date,account_id,impressions,inline_link_clicks,spend\n".to_owned();
    for ad in 0..2_500 {
        file.push_str(&format!("{ad},2026-05-01,9,1,1,1\n"));
    }
    let (batches, _) = read("facebook_ads_basic_ad.csv", file).unwrap();
    assert_eq!(batches.iter().map(AdBatch::len).collect::<Vec<_>>(), [1_000, 1_000, 500]);
}

proptest::proptest! {
    #[test]
    fn no_content_makes_it_panic(content in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400), header in proptest::bool::ANY) {
        let head: &[u8] = if header { b"ad_id,date,impressions,inline_link_clicks,spend\n" } else { b"" };
        let _ = read("facebook_ads_basic_ad.csv", [head, &content].concat());
        let _ = read("spend.csv", [b"source,account_id,date,spend\n".as_slice(), &content].concat());
    }
}
