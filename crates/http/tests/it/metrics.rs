//! Metric questions through `/public-api/v1`.
//!
//! A week of a shop small enough to work out by hand: four people, five ways to arrive, spend of two platforms in two currencies.

use serde_json::{Value, json};

use crate::world::{Engine, World};

pub const QUERY: &str = "/public-api/v1/metrics/query";

/// Every question of these tests is about this week, credited in a month before each conversion.
pub fn question(model: &str, group_by: &[&str], metrics: &[&str]) -> Value {
    json!({
        "date_range": "custom", "date_start": "2026-05-11", "date_end": "2026-05-17",
        "attribution_model": model, "attribution_window": 30, "group_by": group_by, "metrics": metrics,
    })
}

fn visit(visitor: &str, time: &str, query: &str, referrer: Option<&str>) -> Value {
    let mut event = json!({ "event": "$pageview", "anonymous_id": visitor, "timestamp": time,
        "url": format!("https://shop.acme.example/start{query}"), "context": { "ip": "203.0.113.7" } });
    if let Some(referrer) = referrer {
        event["referrer"] = json!(referrer);
    }
    event
}

/// What the shop's server says: nothing about where anybody came from.
fn order(visitor: &str, time: &str, event: &str, amount: &str, currency: &str) -> Value {
    json!({ "event": event, "anonymous_id": visitor, "timestamp": time,
            "properties": { "amount": amount, "currency": currency } })
}

const FACEBOOK: &str = "?utm_source=facebook&utm_medium=paid&comet_ad_id=ad-7";
const GOOGLE: &str = "?gclid=x&comet_campaign=c-g&comet_ad_group=g-1";

pub async fn shop(engine: Engine) -> World {
    let world = World::empty(engine, World::unlimited(), Default::default()).await;
    let shop = world.storefront();
    let events = vec![
        // Ann: a Facebook ad, then a search, then she buys; a week later an upsell.
        visit("ann", "2026-05-09T10:00:00Z", FACEBOOK, None),
        visit("ann", "2026-05-11T10:00:00Z", "", Some("https://www.google.com/")),
        order("ann", "2026-05-11T10:05:00Z", "purchase", "200", "EUR"),
        order("ann", "2026-05-17T23:59:59Z", "upsell_purchase", "19.99", "EUR"),
        // Bob: a Google ad, buys at once, and gets half of it back.
        visit("bob", "2026-05-12T08:00:00Z", GOOGLE, None),
        order("bob", "2026-05-12T08:10:00Z", "purchase", "90", "EUR"),
        order("bob", "2026-05-12T08:10:00Z", "refund", "45", "EUR"),
        // Cid pays in dollars after three Facebook visits.
        visit("cid", "2026-05-13T09:00:00Z", FACEBOOK, None),
        visit("cid", "2026-05-14T09:00:00Z", FACEBOOK, None),
        visit("cid", "2026-05-15T09:00:00Z", "?utm_source=newsletter&utm_medium=email", None),
        order("cid", "2026-05-15T09:30:00Z", "purchase", "50", "USD"),
        // Dan is a stranger to the site.
        order("dan", "2026-05-16T12:00:00Z", "purchase", "10", "EUR"),
        // The week before.
        visit("eve", "2026-05-05T12:00:00Z", GOOGLE, None),
        order("eve", "2026-05-05T12:30:00Z", "purchase", "60", "EUR"),
    ];
    world.batch(&shop.sk, events).await;
    let row = |source: &str, ids: Value, date: &str, currency: &str, spend: &str, figures: Value| {
        let mut row = json!({ "source": source, "date": date, "currency": currency, "spend": spend });
        for part in [ids, figures] {
            for (name, value) in part.as_object().cloned().unwrap_or_default() {
                row[name] = value;
            }
        }
        row
    };
    let facebook = json!({ "account_id": "fb-1", "account_name": "Main Meta account", "campaign_id": "c-f",
        "campaign_name": "Spring Sale", "adset_id": "s-f", "adset_name": "Lookalikes", "ad_id": "ad-7", "ad_name": "Video A" });
    let google = json!({ "account_id": "gg-1", "account_name": "Search", "campaign_id": "c-g", "campaign_name": "Brand",
        "adset_id": "g-1", "adset_name": "Exact" });
    let claims = json!({ "impressions": 10_000, "clicks": 200, "link_clicks": 150, "reported_event": "purchase",
        "reported_conversions": "3", "reported_value": "330.50" });
    let clicks = json!({ "impressions": 1_000, "clicks": 50 });
    let rows = vec![
        row("facebook_ads", facebook.clone(), "2026-05-12", "USD", "100", claims),
        row("google_ads", google.clone(), "2026-05-12", "EUR", "30", clicks.clone()),
        row("google_ads", google.clone(), "2026-05-13", "EUR", "15.50", clicks.clone()),
        row("google_ads", google, "2026-05-05", "EUR", "20", clicks),
    ];
    let reply = world.post(&shop.sk, "/v1/spend", &json!({ "rows": rows }).to_string()).await;
    assert_eq!((reply.status, &reply.json()["rejected"]), (200, &json!([])), "{}", reply.text);
    world
}

pub async fn ask(world: &World, path: &str, body: &Value) -> Value {
    let reply = world.post(&world.storefront().rk, path, &body.to_string()).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()
}

/// The rows as lines: dimensions and metrics in their order.
pub fn lines(rows: &Value) -> Vec<String> {
    let line = |row: &Value| {
        let values = row.as_object().into_iter().flat_map(|row| row.values());
        values.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).collect::<Vec<_>>().join(" ")
    };
    rows.as_array().into_iter().flatten().map(line).collect()
}

/// Sets the rate that makes a dollar 90 cents.
pub async fn set_rate(world: &World) {
    use tributary_control::CurrencyRate;
    let rate = CurrencyRate {
        from: "USD".parse().unwrap(),
        to: "EUR".parse().unwrap(),
        date: "2026-05-01".parse().unwrap(),
        rate: "0.9".parse().unwrap(),
    };
    let scope = world.control.operator_access(world.storefront().workspace.id).await.unwrap().scope;
    world.control.set_currency_rates(&scope, vec![rate]).await.unwrap();
}

#[tokio::test]
async fn spend_credit_and_money_of_other_currencies_meet_in_one_answer() {
    let world = shop(Engine::Timeline).await;
    let metrics = [
        "gross_revenue",
        "amount_spent",
        "roas",
        "purchase",
        "cpa",
        "clicks",
        "ctr",
        "reported_revenue",
        "Real Revenue vs Reported",
    ];
    let apart = ask(&world, QUERY, &question("last_touch", &["source"], &metrics)).await;
    insta::assert_json_snapshot!("metrics_without_a_rate", apart);
    set_rate(&world).await;
    let converted = ask(&world, QUERY, &question("last_touch", &["source"], &metrics)).await;
    insta::assert_json_snapshot!("metrics_with_a_rate", converted);
}

#[tokio::test]
async fn each_model_credits_as_worked_out_by_hand() {
    let world = shop(Engine::Timeline).await;
    set_rate(&world).await;
    for (model, expected) in [
        ("first_touch", vec!["facebook_ads 2 245", "google_ads 1 90"]),
        ("last_touch", vec!["email 1 45", "google_ads 1 90", "google_organic 1 200"]),
        ("linear_paid_ads", vec!["facebook_ads 2 245", "google_ads 1 90"]),
        // Ann: half and half; Cid: two of three visits by Facebook, in dollars exact to the millionth.
        (
            "linear",
            vec!["email 0.333333 14.999999", "facebook_ads 1.166667 130.000001", "google_ads 1 90", "google_organic 0.5 100"],
        ),
        // Cid: 40 and 20 by Facebook, 40 by the newsletter.
        ("u_shaped", vec!["email 0.4 18", "facebook_ads 1.1 127", "google_ads 1 90", "google_organic 0.5 100"]),
        ("last_touch_source_specific", vec!["email 1 45", "facebook_ads 2 245", "google_ads 1 90", "google_organic 1 200"]),
    ] {
        let mut asked = question(model, &["source"], &["purchase", "purchase_amount"]);
        asked["sort"] = json!("source");
        let answer = ask(&world, QUERY, &asked).await;
        assert_eq!(lines(&answer["rows"]), expected, "{model}");
        // Dan's order is nobody's, whatever the model; rows and it are the total.
        assert_eq!(lines(&answer["unattributed"]), ["null 1 10"], "{model}");
        assert_eq!(answer["totals"], json!({ "purchase": 4, "purchase_amount": 345 }), "{model}");
    }
}

#[tokio::test]
async fn ads_have_names_and_their_visits_their_campaign() {
    let world = shop(Engine::Timeline).await;
    set_rate(&world).await;
    let by = |dimensions: &[&str]| {
        let mut asked = question("first_touch", dimensions, &["purchase", "amount_spent", "roas"]);
        asked["sort"] = json!("-amount_spent");
        asked
    };
    let campaigns = ask(&world, QUERY, &by(&["source", "campaign_name"])).await;
    assert_eq!(lines(&campaigns["rows"]), ["facebook_ads Spring Sale 2 90 2.944333", "google_ads Brand 1 45.5 1.978022"]);
    let ads = ask(&world, QUERY, &by(&["account_name", "adset_id", "ad_name"])).await;
    assert_eq!(lines(&ads["rows"]), ["Main Meta account s-f Video A 2 90 2.944333", "Search g-1 null 1 45.5 1.978022"]);
    let mut filtered = by(&["campaign_name"]);
    filtered["filters"] = json!([{ "field": "ad_name", "operator": "starts_with", "value": "Video" }]);
    let filtered = ask(&world, QUERY, &filtered).await;
    assert_eq!(lines(&filtered["rows"]), ["Spring Sale 2 90 2.944333"]);
    assert_eq!((&filtered["totals"]["purchase"], filtered.get("unattributed")), (&json!(2), None));
    // What platforms do not report by is null, and the answer says why.
    let by_country = ask(&world, QUERY, &by(&["landing_page"])).await;
    assert_eq!(lines(&by_country["rows"]), ["/start 3 null null"]);
    assert_eq!(by_country["null_reasons"]["amount_spent"], json!(["ad platforms do not report by landing_page"]));
}

#[tokio::test]
async fn the_hierarchy_is_listed_and_read_with_its_parents() {
    let world = shop(Engine::Reference).await;
    let get = async |path: &str| world.get(&world.storefront().rk, &format!("/public-api/v1/ads/{path}")).await;
    let first = get("campaign?per_page=1").await.json();
    assert_eq!((&first["data"][0]["name"], &first["next_cursor"]), (&json!("Spring Sale"), &json!("facebook_ads:c-f")));
    let next = first["next_page_url"].as_str().unwrap();
    let second = get(next.split_once("/ads/").unwrap().1).await.json();
    assert_eq!((&second["data"][0]["name"], &second["next_cursor"]), (&json!("Brand"), &Value::Null));
    assert_eq!(get("adset?campaign_id=c-g").await.json()["data"].as_array().map(Vec::len), Some(1));
    let ad = get("ad/facebook_ads/ad-7").await.json();
    let parents: Vec<&Value> = ad["parents"].as_array().unwrap().iter().map(|parent| &parent["name"]).collect();
    assert_eq!(
        (&ad["name"], parents),
        (&json!("Video A"), vec![&json!("Main Meta account"), &json!("Spring Sale"), &json!("Lookalikes")])
    );
    for (path, status) in [("ad/facebook_ads/none", 404), ("keyword", 422), ("ad?cursor=x", 422), ("ad?moon=1", 422)] {
        assert_eq!(get(path).await.status, status, "{path}");
    }
    let foreign = world.get(&world.rival.projects[0].rk, "/public-api/v1/ads/ad/facebook_ads/ad-7").await;
    assert_eq!(foreign.status, 404);
}

#[tokio::test]
async fn time_runs_through_rows_and_lifetime_value_is_dated_by_the_touch() {
    let world = shop(Engine::Timeline).await;
    set_rate(&world).await;
    let by_day =
        ask(&world, QUERY, &question("last_touch", &["day"], &["gross_revenue", "amount_spent", "net_revenue", "refunds"])).await;
    insta::assert_json_snapshot!("metrics_by_day", by_day["rows"]);
    let mut whole = question("first_touch", &["quarter"], &["gross_revenue", "ltv", "visitors", "visitor_conversion_rate"]);
    whole["date_range"] = json!("this_month");
    whole.as_object_mut().unwrap().retain(|name, _| name != "date_start" && name != "date_end");
    let whole = ask(&world, QUERY, &whole).await;
    // Every order of the month, Dan's included; ltv leaves his out: no touch brought him.
    assert_eq!(lines(&whole["rows"]), ["2026-Q2 424.99 414.99 4 125"]);
    assert_eq!(whole["period"]["date_end"], "2026-05-31");
}

#[tokio::test]
async fn the_week_before_is_laid_beside_the_week() {
    let world = shop(Engine::Timeline).await;
    set_rate(&world).await;
    let mut asked = question("last_touch", &["source"], &["purchase", "roas"]);
    asked["compare_to"] = json!("previous_period");
    let comparison = ask(&world, "/public-api/v1/metrics/compare", &asked).await;
    insta::assert_json_snapshot!("metrics_compared", comparison);
    asked["compare_to"] = json!("custom");
    let reply = world.post(&world.storefront().rk, "/public-api/v1/metrics/compare", &asked.to_string()).await;
    assert_eq!(reply.status, 422);
    assert_eq!(
        reply.json()["errors"],
        json!({ "previous_date_start": ["is required with compare_to custom"], "previous_date_end": ["is required with compare_to custom"] })
    );
}

#[tokio::test]
async fn models_stand_beside_each_other_and_a_metric_is_split_with_shares() {
    let world = shop(Engine::Timeline).await;
    set_rate(&world).await;
    let mut asked = question("last_touch", &["source"], &["purchase_amount"]);
    asked["attribution_models"] = json!(["first_touch", "markov", "shapley"]);
    let models = ask(&world, "/public-api/v1/metrics/models", &asked).await;
    insta::assert_json_snapshot!("metrics_under_models", models);
    let split = ask(&world, "/public-api/v1/metrics/breakdown", &question("linear", &["source"], &["purchase_amount"])).await;
    insta::assert_json_snapshot!("metrics_split", split);
}

#[tokio::test]
async fn every_problem_of_a_question_is_named() {
    let world = World::seeded().await;
    let key = &world.storefront().rk;
    let body = json!({
        "date_range": "last_8_days", "attribution_model": "last_click", "attribution_window": 10, "attribution_window_type": "both",
        "metrics": ["roass", "profile_field_1"], "group_by": ["day", "week", "moon"], "query_mode": "person", "sort": "-x", "limit": 0,
        "filters": [{ "field": "country", "operator": "like", "value": "D" }], "dated_by": "now",
    });
    let reply = world.post(key, QUERY, &body.to_string()).await;
    insta::assert_snapshot!("metrics_refused", reply.whole(&world));
    for (body, told) in [
        ("[]", "must be a JSON object"),
        ("{\"date_range\":\"today\"}", "missing field"),
        ("{\"date_ranges\":\"today\"}", "unknown field `date_ranges`"),
    ] {
        let reply = world.post(key, QUERY, body).await;
        assert_eq!(reply.status, 422, "{body}");
        assert!(reply.text.contains(told), "{}", reply.text);
    }
    // A model over all paths says what it cannot be asked.
    for (changed, told) in [
        (json!({ "group_by": ["day"] }), "cannot be split by time"),
        (json!({ "group_by": ["campaign_name"] }), "accepted: its id, or source"),
        (json!({ "dated_by": "touch" }), "knows no touch date"),
    ] {
        let mut asked = question("markov", &[], &["purchase"]);
        asked.as_object_mut().unwrap().extend(changed.as_object().unwrap().clone());
        let reply = world.post(key, QUERY, &asked.to_string()).await;
        assert_eq!(reply.status, 422);
        assert!(reply.text.contains(told), "{}", reply.text);
    }
}

#[tokio::test]
async fn both_engines_give_one_answer() {
    let (timeline, reference) = (shop(Engine::Timeline).await, shop(Engine::Reference).await);
    for model in [
        "first_touch",
        "last_non_direct_touch",
        "linear",
        "time_decay:3d",
        "position_based:30-30",
        "markov:1-per_path",
        "shapley",
    ] {
        for dimensions in [&["source"][..], &["landing_page", "source"], &[]] {
            let asked = question(model, dimensions, &["purchase", "gross_revenue", "lead_generated", "visitors", "roas"]);
            assert_eq!(ask(&timeline, QUERY, &asked).await, ask(&reference, QUERY, &asked).await, "{model} {dimensions:?}");
        }
    }
}
