//! `import spend`, `spend` and `rate` over tables as ad platforms export them.

use crate::support::Scratch;
use serde_json::{Value, json};
use std::path::Path;

fn table(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/ads/fivetran_ad_reporting_seeds");
    folder.join(name).to_string_lossy().into_owned()
}

#[test]
fn exports_import_twice_without_change_and_are_summed() {
    let scratch = Scratch::new();
    scratch.workspace("shop", "Europe/Berlin");
    let files = [table("google_ads_campaign_stats_data.csv"), table("facebook_ads_basic_ad_data.csv")];
    let import = |scratch: &Scratch| scratch.json(&["import", "spend", "--workspace", "shop", &files[0], &files[1]]);
    let first = import(&scratch);
    let inserted: Vec<&Value> = first.as_array().expect("files").iter().map(|file| &file["spend"]["inserted"]).collect();
    assert!(inserted.iter().all(|count| count.as_u64() > Some(0)), "{first}");
    let again = import(&scratch);
    for file in again.as_array().expect("files") {
        assert_eq!(
            (&file["spend"]["inserted"], &file["spend"]["restated"], &file["problem_count"]),
            (&json!(0), &json!(0), &json!(0))
        );
    }
    let may = ["spend", "--workspace", "shop", "--from", "2000-01-01", "--to", "2030-01-01"];
    let by_source = scratch.text(&may);
    insta::assert_snapshot!("spend_by_source", by_source);

    let own = scratch.path("own.csv");
    std::fs::write(&own, "source,account_id,date,currency,spend\nradio,r1,2026-05-01,USD,100\nradio,r1,2026-05-02,USD,x\n")
        .unwrap();
    let own = own.to_string_lossy().into_owned();
    let ended = scratch.run(&["import", "spend", "--workspace", "shop", &own]);
    assert_eq!(ended.code, 5, "a row had a problem: {}", ended.stderr);
    assert!(ended.stderr.contains("own.csv:3: spend: `x` is no amount; accepted:"), "{}", ended.stderr);

    let radio =
        ["spend", "--workspace", "shop", "--from", "2026-05-01", "--to", "2026-06-01", "--source", "radio", "--currency", "EUR"];
    assert_eq!(scratch.json(&radio)["left_apart"], json!(["USD"]));
    scratch.text(&["rate", "set", "--workspace", "shop", "USD", "EUR", "0.9", "--date", "2026-01-01"]);
    let converted = scratch.json(&radio);
    assert_eq!((&converted["rows"][0]["spend"], &converted["rows"][0]["currency"]), (&json!("90.00"), &json!("EUR")));
    assert_eq!(converted["left_apart"], json!([]));
    assert_eq!(scratch.json(&["rate", "list", "--workspace", "shop"])[0]["rate"], "0.9");

    let unknown = scratch.path("notes.csv");
    std::fs::write(&unknown, "a,b\n1,2\n").unwrap();
    let (code, said) = scratch.refusal(&["import", "spend", "--workspace", "shop", &unknown.to_string_lossy()]);
    assert_eq!(code, 2, "{said}");
}
