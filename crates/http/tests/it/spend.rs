//! `/v1/spend`: what is recorded is what is answered, once, to its own workspace.

use serde_json::{Value, json};

use crate::world::World;

fn row(source: &str, campaign: &str, date: &str, currency: &str, spend: &str) -> Value {
    json!({ "source": source, "account_id": "a-1", "campaign_id": campaign, "date": date, "currency": currency, "spend": spend,
            "impressions": 100, "clicks": 7 })
}

async fn post(world: &World, key: &str, rows: Vec<Value>) -> Value {
    let reply = world.post(key, "/v1/spend", &json!({ "rows": rows }).to_string()).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()
}

#[tokio::test]
async fn a_row_replaces_what_is_stored_of_its_entity_and_day() {
    let world = World::seeded().await;
    let shop = world.storefront();
    let rows = || {
        vec![
            row("google_ads", "c1", "2026-05-01", "EUR", "10.10"),
            row("google_ads", "c1", "2026-05-02", "EUR", "0.000001"),
            row("facebook_ads", "c2", "2026-05-01", "USD", "5"),
        ]
    };
    let first = post(&world, &shop.sk, rows()).await;
    assert_eq!(first["spend"], json!({ "inserted": 3, "restated": 0, "unchanged": 0 }));
    let again = post(&world, &shop.sk, rows()).await;
    assert_eq!(again["spend"], json!({ "inserted": 0, "restated": 0, "unchanged": 3 }));
    let restated = post(&world, &shop.sk, vec![row("google_ads", "c1", "2026-05-01", "EUR", "12.00")]).await;
    assert_eq!(restated["spend"], json!({ "inserted": 0, "restated": 1, "unchanged": 0 }));

    let by_campaign = world.get(&shop.rk, "/v1/spend?from=2026-05-01&to=2026-06-01&by=campaign").await;
    insta::assert_snapshot!("spend_by_campaign", by_campaign.whole(&world));
    let one_day = world.get(&shop.rk, "/v1/spend?from=2026-05-02&to=2026-05-03&by=date&source=google_ads").await.json();
    assert_eq!(one_day["rows"].as_array().map(Vec::len), Some(1));
    assert_eq!(one_day["rows"][0]["spend"], "0.000001", "exact to the millionth");
    // Without a rate nothing is converted, and the answer says so.
    let euros = world.get(&shop.rk, "/v1/spend?from=2026-05-01&to=2026-06-01&currency=EUR").await.json();
    assert_eq!((&euros["left_apart"], euros["rows"].as_array().map(Vec::len)), (&json!(["USD"]), Some(2)));

    // Nobody else sees any of it.
    for other in [&world.blog().rk, &world.rival.projects[0].rk] {
        let seen = world.get(other, "/v1/spend?from=2026-05-01&to=2026-06-01&by=campaign").await.json();
        assert_eq!(seen["rows"], json!([]));
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_named_and_the_rest_is_kept() {
    let world = World::seeded().await;
    let shop = world.storefront();
    let answer = post(
        &world,
        &shop.sk,
        vec![
            row("google_ads", "c1", "2026-05-01", "EUR", "1,50"),
            json!({ "source": "Google Ads", "account_id": "a" }),
            json!({ "campaing": 1 }),
            json!(7),
            row("google_ads", "c2", "2026-05-01", "EUR", "1.50"),
        ],
    )
    .await;
    assert_eq!(answer["spend"]["inserted"], 1);
    insta::assert_json_snapshot!("rejected_spend", answer["rejected"]);
    for query in [
        "/v1/spend",
        "/v1/spend?from=2026-05-01&to=May",
        "/v1/spend?from=2026-05-02&to=2026-05-02",
        "/v1/spend?from=2026-05-01&to=2026-06-01&by=keyword",
        "/v1/spend?from=2026-05-01&to=2026-06-01&currency=EURO",
        "/v1/spend?from=2026-05-01&to=2026-06-01&limit=0",
        "/v1/spend?from=2026-05-01&to=2026-06-01&group=source",
    ] {
        let reply = world.get(&shop.rk, query).await;
        assert_eq!((reply.status, &reply.json()["error"]), (400, &json!("invalid_params")), "{query}: {}", reply.text);
    }
}
