//! Our own columns, as a file and as JSON.

use serde_json::{Value, json};
use tributary_connectors::{read_file, rows};
use tributary_core::ads::AdBatch;
use tributary_core::error::Code;

fn read(rows: &Value) -> (AdBatch, Vec<String>) {
    let mut problems = Vec::new();
    let batch = rows::read(rows.as_array().unwrap(), &mut |problem| problems.push(problem.to_string())).unwrap();
    (batch, problems)
}

#[test]
fn a_row_says_entity_day_figures_and_claim() {
    let (batch, problems) = read(&json!([{
        "source": "facebook_ads", "account_id": "9", "account_name": "Shop", "campaign_id": "7", "campaign_name": "Spring",
        "adset_id": 5, "ad_id": "3", "ad_name": "Blue", "date": "2026-05-01", "currency": "usd", "spend": "12.345678",
        "impressions": 1000, "clicks": 20, "link_clicks": 15, "reported_event": "purchase", "reported_conversions": 2.5,
        "reported_value": "99.90", "reported_window": "7d_click", "reported_model": "click"
    }]));
    assert_eq!(problems, Vec::<String>::new());
    insta::assert_debug_snapshot!(batch);
}

#[test]
fn a_file_and_json_are_the_same() {
    let file = "source,account_id,campaign_id,date,currency,spend,impressions,reported_conversions
newspaper,ads-1,spring,2026-05-01,EUR,12.50,1000,
newspaper,ads-1,,2026-05-02,,-,,
newspaper,ads-1,spring,2026-05-02,EUR,0,,1.5
";
    let mut problems = Vec::new();
    let imported = read_file("any.csv", file.as_bytes(), &mut |problem| problems.push(problem.to_string())).unwrap();
    assert_eq!(problems, ["any.csv:3: spend: is required; every row needs source, account_id, date, spend"]);
    let (batch, problems) = read(&json!([
        {"source": "newspaper", "account_id": "ads-1", "campaign_id": "spring", "date": "2026-05-01", "currency": "EUR", "spend": 12.5, "impressions": 1000},
        {"source": "newspaper", "account_id": "ads-1", "campaign_id": "spring", "date": "2026-05-02", "currency": "EUR", "spend": 0, "reported_conversions": "1.5"}
    ]));
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!(imported.batches, [batch]);
}

#[test]
fn everything_wrong_with_a_row_is_told_at_once() {
    let (batch, problems) = read(&json!([
        {"source": "Face Book", "account_id": "", "date": "May", "currency": "EURO", "spend": "1e3", "clicks": -1, "impressions": true},
        {"source": "x_ads", "account_id": "1", "date": "2026-05-01", "spend": 1, "budget": 5},
        {"source": "x_ads", "account_id": "1", "date": "2026-05-01", "spend": 1},
        {"source": "x_ads", "account_id": "1", "date": "2026-05-01", "spend": 2},
        {"source": "x_ads", "account_id": "1", "date": "2026-05-01", "spend": 1, "reported_value": 3, "reported_window": "7d_click"},
        {"source": "x_ads", "account_id": "1", "date": "2026-05-01", "spend": 1, "reported_value": 3, "reported_window": "7d_click"},
        7
    ]));
    assert_eq!((batch.spend.len(), batch.claims.len()), (1, 1));
    insta::assert_snapshot!(problems.join("\n"));
}

#[test]
fn a_request_is_bounded() {
    let rows: Vec<Value> = (0..=rows::MAX_ROWS).map(|_| json!({})).collect();
    let error = rows::read(&rows, &mut |_| ()).unwrap_err();
    assert_eq!((error.code(), error.message()), (Code::InvalidPayload, "there are 1001 rows; accepted: up to 1000 at once"));
}

proptest::proptest! {
    #[test]
    fn no_value_makes_it_panic(text in "\\PC{0,30}", number in proptest::num::f64::ANY) {
        let rows = json!([{"source": "a", "account_id": text, "date": text, "spend": number, "clicks": text, "currency": text}]);
        let _ = rows::read(rows.as_array().unwrap(), &mut |_| ());
    }
}
