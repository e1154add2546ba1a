//! Conversions over `/public-api/v1/events`: taken in once, credited as they should be, listed, counted.

use serde_json::{Value, json};
use tributary_http::settings::Settings;

use crate::world::{Engine, Project, Reply, World};

const MAY: &str = "start_date=2026-05-01%2000:00:00&end_date=2026-05-31%2023:59:59";

async fn world() -> World {
    World::empty(Engine::Reference, World::unlimited(), Settings::default()).await
}

async fn track(world: &World, project: &Project, body: Value) -> Reply {
    world.post(&project.sk, "/public-api/v1/events/track", &body.to_string()).await
}

/// Tracks and says whether it was new.
async fn tracked(world: &World, project: &Project, body: Value) -> bool {
    let reply = track(world, project, body).await;
    assert_eq!((reply.status, &reply.json()["status"]), (202, &json!(202)), "{}", reply.text);
    !reply.json()["message"].as_str().unwrap().starts_with("Duplicate")
}

async fn stored(world: &World, project: &Project) -> Vec<Value> {
    let reply = world.get(&project.rk, "/v1/query?from=2000-01-01&to=2027-01-01&limit=1000&bots=include").await;
    reply.json()["rows"].as_array().unwrap().clone()
}

fn purchase() -> Value {
    json!({
        "event_name": "purchase", "email": "Ann@Acme.com", "full_name": "Ann Example", "phone": "+49 30 1", "tracking_id": "t-1",
        "event_time": "2026-05-04T10:00:00Z", "amount": 89.50, "order_id": "99812", "order_name": "Order 99812",
        "checkout_token": "ct", "url": "https://shop.acme.example/thanks?order=99812&email=ann@acme.com", "user_agent": crate::world::CHROME_AGENT,
        "do_not_capi": true, "profile_field_1": "Pro", "profile_field_16": 3, "comet_source": "facebook", "comet_ad_id": "123456789"
    })
}

#[tokio::test]
async fn a_conversion_is_taken_in_and_says_nothing_personal() {
    let world = world().await;
    let shop = world.storefront();
    assert!(tracked(&world, shop, purchase()).await);
    let rows = stored(&world, shop).await;
    let text = json!(rows).to_string().to_lowercase();
    for personal in ["ann", "acme.com", "+49", "pro\""] {
        assert!(!text.contains(personal), "{personal}: {text}");
    }
    let mut row = rows[0].clone();
    row["anonymous_id"] = json!("-");
    row["session_id"] = json!("-");
    insta::assert_snapshot!("conversion_stored", serde_json::to_string_pretty(&row).unwrap());
    let contacts = world.get(&shop.rk, &format!("/public-api/v1/contacts?{MAY}&include_comet_tokens=1")).await.json();
    let contact = &contacts["data"][0];
    assert_eq!(
        (&contact["email"], &contact["name"], &contact["phone"]),
        (&json!("ann@acme.com"), &json!("Ann Example"), &json!("+49 30 1"))
    );
    assert_eq!(contact["comet_tokens"], json!([rows[0]["anonymous_id"]]));
}

#[tokio::test]
async fn orders_and_keys_count_once() {
    let world = world().await;
    let shop = world.storefront();
    assert!(tracked(&world, shop, purchase()).await);
    assert!(!tracked(&world, shop, purchase()).await, "the same order");
    let mut upsell = purchase();
    upsell["is_upsell"] = json!(true);
    assert!(tracked(&world, shop, upsell.clone()).await, "an upsell is a type of its own");
    assert!(!tracked(&world, shop, upsell).await);
    let keyed = json!({ "event_name": "Lead_Generated", "email": "a@b.example", "idempotency_key": "k" });
    assert_eq!(track(&world, shop, keyed).await.status, 422, "slugs are written small; labels in any case");
    let keyed = json!({ "event_name": "lead generated", "email": "a@b.example", "idempotency_key": "k" });
    assert!(tracked(&world, shop, keyed.clone()).await);
    assert!(!tracked(&world, shop, keyed).await);
    let other = json!({ "event_name": "sign_up", "email": "a@b.example", "idempotency_key": "k" });
    assert!(!tracked(&world, shop, other).await, "the same key is never processed twice");
    let keyed_order = json!({ "event_name": "purchase", "email": "a@b.example", "order_id": "99812", "idempotency_key": "k2" });
    assert!(!tracked(&world, shop, keyed_order).await, "another key does not make another order");
    let names: Vec<Value> = stored(&world, shop).await.into_iter().map(|row| row["event_name"].clone()).collect();
    assert_eq!(names.len(), 3, "{names:?}");
    // Ids and keys are a workspace's own.
    assert!(tracked(&world, &world.rival.projects[0], purchase()).await);
}

#[tokio::test]
async fn the_visitor_is_the_one_who_browsed() {
    let world = world().await;
    let shop = world.storefront();
    let visitor_of = async |name: &str| {
        let rows = stored(&world, shop).await;
        rows.iter().find(|row| row["event_name"] == name).unwrap()["anonymous_id"].as_str().unwrap().to_owned()
    };
    assert!(tracked(&world, shop, json!({ "event_name": "sign_up", "comet_token": "v1", "email": "ann@acme.com" })).await);
    assert!(tracked(&world, shop, json!({ "event_name": "purchase", "email": "ANN@acme.com" })).await);
    assert_eq!(visitor_of("purchase").await, "v1");
    let by_device = json!({ "event_name": "schedule", "fingerprint": "fp", "ip": "203.0.113.7" });
    assert!(tracked(&world, shop, by_device.clone()).await && tracked(&world, shop, by_device).await);
    let device = visitor_of("schedule").await;
    assert!(device.len() == 32 && !device.contains("203"), "{device}");
    for name in ["contact", "subscribe"] {
        assert!(tracked(&world, shop, json!({ "event_name": name, "tracking_id": "crm-7" })).await);
    }
    assert_eq!(visitor_of("contact").await, visitor_of("subscribe").await, "stable, and tied to the contact");
}

#[tokio::test]
async fn a_thank_you_page_takes_no_credit() {
    let world = world().await;
    let shop = world.storefront();
    let visit = json!({ "event": "$pageview", "anonymous_id": "v1", "timestamp": "2026-05-04T08:00:00Z",
        "url": "https://shop.acme.example/?gclid=1" });
    world.batch(&shop.sk, vec![visit]).await;
    let order = |url: &str, id: &str| json!({ "event_name": "purchase", "comet_token": "v1", "order_id": id, "url": url, "event_time": "2026-05-04T12:00:00Z" });
    assert!(tracked(&world, shop, order("https://shop.acme.example/thanks?order=1", "1")).await);
    assert!(tracked(&world, shop, order("https://shop.acme.example/thanks?utm_source=newsletter&utm_medium=email", "2")).await);
    let question = json!({ "date_range": "custom", "date_start": "2026-05-04", "date_end": "2026-05-04", "attribution_model": "last_touch",
        "attribution_window": 7, "metrics": ["purchase"], "group_by": ["source"], "sort": "source" });
    let answer = world.post(&shop.rk, "/public-api/v1/metrics/query", &question.to_string()).await.json();
    // Both orders at noon: the newsletter's address is a touch of that very moment, the bare page is none.
    assert_eq!(answer["rows"], json!([{ "source": "email", "purchase": 2 }]));
    let listed = world
        .get(&shop.rk, "/public-api/v1/events?start_date=2026-05-04&end_date=2026-05-05&fields=order_id,event_url")
        .await
        .json();
    let pages: Vec<&Value> = listed["data"].as_array().unwrap().iter().map(|row| &row["event_url"]).collect();
    assert!(pages.contains(&&json!("https://shop.acme.example/thanks?order=1")), "{listed}");
}

#[tokio::test]
async fn a_refund_lies_where_its_order_lies() {
    let world = world().await;
    let shop = world.storefront();
    let mut order = purchase();
    order["comet_token"] = json!("v1");
    order["currency"] = json!("USD");
    assert!(tracked(&world, shop, order).await);
    let refund = json!({ "event_name": "refund", "order_id": "99812", "refunded_at": 1_779_000_000, "amount": "10", "url": "https://shop.acme.example/r" });
    assert!(tracked(&world, shop, refund.clone()).await);
    assert!(!tracked(&world, shop, refund).await, "one refund per order");
    let keyed = json!({ "event_name": "refund", "order_id": "99812", "idempotency_key": "second", "event_time": "2026-05-20" });
    assert!(tracked(&world, shop, keyed).await, "unless it has a key");
    let rows = stored(&world, shop).await;
    let refunds: Vec<&Value> = rows.iter().filter(|row| row["event_name"] == "refund").collect();
    assert_eq!(refunds.len(), 2);
    for refund in &refunds {
        assert_eq!((&refund["anonymous_id"], &refund["timestamp"]), (&json!("v1"), &json!("2026-05-04T10:00:00Z")));
        assert_eq!((&refund["url"], &refund["currency"]), (&Value::Null, &json!("USD")));
    }
    let mut amounts: Vec<&str> = refunds.iter().map(|refund| refund["amount"].as_str().unwrap()).collect();
    amounts.sort_unstable();
    assert_eq!(amounts, ["10.00", "89.50"], "without an amount the whole order");
    let text = json!(refunds).to_string();
    assert!(text.contains("2026-05-17T06:40:00Z") && text.contains("2026-05-20T00:00:00Z"), "{text}");
    // An order nobody knows: the refund stands for itself, if it says who it is about.
    let unknown = json!({ "event_name": "refund", "order_id": "nobody's" });
    assert_eq!(track(&world, shop, unknown).await.status, 422);
    assert!(tracked(&world, shop, json!({ "event_name": "refund", "order_id": "nobody's", "email": "ann@acme.com" })).await);
}

#[tokio::test]
async fn amounts_are_exact() {
    let world = world().await;
    let shop = world.storefront();
    for (written, stored_as) in [
        ("89.50", Some("89.50")),
        ("\"89.5\"", Some("89.50")),
        ("9223372036853.775807", Some("9223372036853.775807")),
        ("\"0.000001\"", Some("0.000001")),
        ("0", Some("0.00")),
        ("0.1000000000000000055", None),
        ("0.0000001", None),
        ("1e2", None),
        ("-1", None),
        ("9223372036855", None),
        ("true", None),
    ] {
        let key = format!("k{written}").replace('"', "'");
        let body = format!(r#"{{"event_name":"purchase","email":"a@b.example","idempotency_key":"{key}","amount":{written}}}"#);
        let reply = world.post(&shop.sk, "/public-api/v1/events/track", &body).await;
        assert_eq!(reply.status, if stored_as.is_some() { 202 } else { 422 }, "{written}: {}", reply.text);
        if let Some(expected) = stored_as {
            let rows = stored(&world, shop).await;
            assert!(rows.iter().any(|row| row["amount"] == expected && row["currency"] == "EUR"), "{written}: {rows:?}");
        }
    }
}

#[tokio::test]
async fn what_cannot_be_tracked() {
    let world = world().await;
    let shop = world.storefront();
    let mut table = String::new();
    for body in [
        json!({}),
        json!([]),
        json!({ "event_name": "purchase" }),
        json!({ "event_name": "purchase", "fingerprint": "f" }),
        json!({ "event_name": "purchase", "ip": "203.0.113.7" }),
        json!({ "event_name": "purchase", "fingerprint": "f", "ip": "localhost" }),
        json!({ "event_name": "sale", "email": "nobody", "event_tine": 1, "is_upsell": "yes", "amount": [], "url": 5 }),
        json!({ "event_name": "purchase", "email": "a@b.example", "currency": "euro", "event_time": "yesterday", "order_id": "" }),
        json!({ "event_name": "purchase", "email": "a@b.example", "event_time": 1_780_228_800_000_i64 }),
        json!({ "event_name": "purchase", "email": "a@b.example", "event_time": 5 }),
        json!({ "event_name": "purchase", "email": "a@b.example", "refunded_at": "2026-05-01" }),
        json!({ "event_name": "purchase", "email": "a@b.example", "url": "/thanks" }),
        json!({ "event_name": "purchase", "email": "a@b.example", "profile_field_31": 1 }),
        json!({ "event_name": "purchase", "email": "a@b.example", "profile_field_16": "many" }),
        json!({ "event_name": "purchase", "email": "a@b.example", "order_id": "x".repeat(256) }),
    ] {
        let reply = track(&world, shop, body.clone()).await;
        assert_eq!(reply.status, 422, "{body}: {}", reply.text);
        let answer = reply.json();
        let errors = answer.get("errors").unwrap_or(&answer["message"]);
        table.push_str(&format!("{body:.90}\n{}\n", serde_json::to_string_pretty(errors).unwrap()));
    }
    insta::assert_snapshot!("what_cannot_be_tracked", table);
    assert!(stored(&world, shop).await.is_empty(), "nothing was written");
    for key in [&shop.pk, &shop.rk] {
        assert!(matches!(world.post(key, "/public-api/v1/events/track", "{}").await.status, 401 | 403));
    }
}

/// Ann comes by an ad, looks around, buys twice; Bob comes by search and signs up; Eve buys directly.
async fn told() -> World {
    told_on(Engine::Reference).await
}

async fn told_on(engine: Engine) -> World {
    let world = World::empty(engine, World::unlimited(), Settings::default()).await;
    let shop = world.storefront();
    let row = json!({
        "source": "facebook_ads", "account_id": "act_1", "account_name": "Main account", "campaign_id": "c_1", "campaign_name": "Campaign X",
        "adset_id": "s_1", "adset_name": "Ad set 1", "ad_id": "123456789", "ad_name": "Ad A", "date": "2026-05-03", "currency": "EUR", "spend": "10"
    });
    let spend = world.post(&shop.sk, "/v1/spend", &json!({ "rows": [row] }).to_string()).await;
    assert!(spend.status == 200 && spend.json()["rejected"].as_array().is_none_or(Vec::is_empty), "{}", spend.text);
    let view = |visitor: &str, time: &str, query: &str, referrer: &str| {
        json!({ "event": "$pageview", "anonymous_id": visitor, "timestamp": time, "url": format!("https://shop.acme.example/{query}"),
                "referrer": referrer, "context": { "user_agent": crate::world::CHROME_AGENT } })
    };
    world
        .batch(
            &shop.sk,
            vec![
                view("v1", "2026-05-03T09:00:00Z", "?fbclid=abc&utm_source=facebook&utm_medium=cpc&ad_id=123456789", ""),
                view("v1", "2026-05-03T09:05:00Z", "pricing", "https://shop.acme.example/"),
                view("v1", "2026-05-04T09:50:00Z", "", ""),
                view("v2", "2026-05-05T08:00:00Z", "", "https://www.google.com/"),
            ],
        )
        .await;
    for body in [
        json!({ "event_name": "purchase", "comet_token": "v1", "email": "ann@acme.com", "event_time": "2026-05-04T10:00:00Z", "amount": 89.5,
                "order_id": "1", "order_name": "Order 1", "profile_field_1": "Pro" }),
        json!({ "event_name": "purchase", "is_upsell": true, "email": "ann@acme.com", "event_time": "2026-05-04T10:01:00Z", "amount": "10.000001",
                "currency": "USD", "order_id": "1" }),
        json!({ "event_name": "sign_up", "comet_token": "v2", "email": "bob@gmail.com", "event_time": "2026-05-05T08:30:00Z" }),
        json!({ "event_name": "purchase", "email": "eve@example.net", "event_time": "2026-05-06T00:00:00Z", "amount": 5, "order_id": "2" }),
        json!({ "event_name": "refund", "order_id": "1", "amount": 1, "event_time": "2026-05-20" }),
    ] {
        assert!(tracked(&world, shop, body).await);
    }
    world
}

#[tokio::test]
async fn conversions_are_listed_in_pages() {
    let world = told().await;
    let shop = world.storefront();
    let fields = "fields=id,event_name,configured_name,amount,currency,event_time_utc,event_url,order_id,order_name,profile_id,company_id,space_id,is_upsell";
    let all = world.get(&shop.rk, &format!("/public-api/v1/events?{MAY}&{fields}")).await;
    insta::assert_snapshot!("conversions_listed", all.whole(&world));
    // Every page on its own, and the same rows.
    let mut rows: Vec<Value> = Vec::new();
    let mut path = format!("/public-api/v1/events?{MAY}&per_page=1&{fields}");
    loop {
        let page = world.get(&shop.rk, &path).await.json();
        rows.extend(page["data"].as_array().unwrap().clone());
        let Some(next) = page["next_page_url"].as_str() else { break };
        path = next.split_once("/public-api").map(|(_, rest)| format!("/public-api{rest}")).unwrap();
        let second = world.get(&shop.rk, &path).await.json();
        assert_eq!(second["prev_cursor"], json!("first"));
    }
    assert_eq!(json!(rows), all.json()["data"]);
    let count = async |query: &str| {
        let reply = world.get(&shop.rk, &format!("/public-api/v1/events?{MAY}&{query}")).await;
        reply.json()["data"].as_array().unwrap_or_else(|| panic!("{query}: {}", reply.text)).len()
    };
    assert_eq!(count("event_names[]=purchase&event_names[]=Sign%20Up").await, 3);
    assert_eq!(count("event_names=%5B%22upsell_purchase%22%5D").await, 1);
    assert_eq!(count("event_names=refund").await, 1);
    let scope = world.control.operator_access(shop.workspace.id).await.unwrap().scope;
    world.control.set_label(&scope, tributary_control::Slot::new(1).unwrap(), "Plan").await.unwrap();
    let filter =
        "custom_field_filters=%5B%7B%22field%22%3A%22Plan%22%2C%22operator%22%3A%22equal_to%22%2C%22value%22%3A%22Pro%22%7D%5D";
    assert_eq!(count(filter).await, 2, "Ann's alone");
}

#[tokio::test]
async fn conversions_are_credited_to_their_sources() {
    let world = told().await;
    let shop = world.storefront();
    let listed = async |query: &str| {
        let reply = world.get(&shop.rk, &format!("/public-api/v1/events?{MAY}&{query}")).await;
        reply.json()["data"].as_array().unwrap_or_else(|| panic!("{query}: {}", reply.text)).clone()
    };
    let ads = "sources=facebook_ads&attribution_window=30&fields=event_name,ad_id,ad_name,adset_name,campaign_name,account_name";
    let first = listed(&format!("{ads}&attribution_model=first_touch")).await;
    let credited = json!({ "event_name": "purchase", "ad_id": "123456789", "ad_name": "Ad A", "adset_name": "Ad set 1",
                           "campaign_name": "Campaign X", "account_name": "Main account" });
    assert_eq!(first.len(), 2, "{first:?}");
    assert_eq!(first[1], credited);
    assert!(listed(&format!("{ads}&attribution_model=last_touch")).await.is_empty(), "Ann came back directly");
    assert_eq!(listed(&format!("{ads}&attribution_model=last_non_direct_touch")).await.len(), 2);
    assert_eq!(listed(&format!("{ads}&attribution_model=linear&event_names=purchase")).await.len(), 1);
    let one_day = ads.replace("window=30", "window=1");
    assert_eq!(listed(&format!("{one_day}&attribution_model=first_touch")).await.len(), 2, "yesterday is inside a day's window");
    let search =
        "sources[]=google_organic&sources[]=bing_ads&attribution_window=0&attribution_model=last_touch&fields=event_name";
    assert_eq!(listed(search).await, [json!({ "event_name": "sign_up" })]);
    // A refund is credited to what its order is credited to.
    assert_eq!(listed(&format!("{ads}&attribution_model=first_touch&event_names=refund")).await.len(), 1);
}

/// The engine and its reference say the same.
#[tokio::test]
async fn both_engines_answer_alike() {
    let (one, other) = (told_on(Engine::Reference).await, told_on(Engine::Timeline).await);
    let credited =
        "sources=facebook_ads,direct,google_organic&attribution_model=u_shaped&attribution_window=7&fields=id,ad_name,amount";
    let mut paths = vec![
        format!("/public-api/v1/events?{MAY}&{credited}"),
        format!("/public-api/v1/events?{MAY}&{credited}&query_mode=company"),
        String::from("/public-api/v1/event-types"),
        String::from("/public-api/v1/contacts/1?include_events=1&hide_direct_touchpoints=0&include_browsing_session_data=1"),
    ];
    let listed = one.get(&one.storefront().rk, &paths[0]).await.json();
    let ids: Vec<String> = listed["data"].as_array().unwrap().iter().map(|row| row["id"].to_string()).collect();
    assert_eq!(ids.len(), 3, "{listed}");
    paths.extend(ids.iter().map(|id| format!("/public-api/v1/events/{id}")));
    for path in paths {
        let (one, other) = (one.get(&one.storefront().rk, &path).await, other.get(&other.storefront().rk, &path).await);
        assert_eq!((one.status, one.json()), (200, other.json()), "{path}");
    }
    let body =
        json!({ "start_date": "2026-05-01", "end_date": "2026-05-31", "group_by": ["week", "event_name", "source"] }).to_string();
    let path = "/public-api/v1/events/aggregate";
    let (one, other) = (one.post(&one.storefront().rk, path, &body).await, other.post(&other.storefront().rk, path, &body).await);
    assert_eq!((one.status, one.json()), (200, other.json()));
}

#[tokio::test]
async fn one_conversion_has_its_touchpoints() {
    let world = told().await;
    let shop = world.storefront();
    let listed = world.get(&shop.rk, &format!("/public-api/v1/events?{MAY}&fields=id,order_id,event_name")).await.json();
    let id_of =
        |name: &str| listed["data"].as_array().unwrap().iter().find(|row| row["event_name"] == name).unwrap()["id"].to_string();
    let purchases: Vec<String> =
        listed["data"].as_array().unwrap().iter().filter(|row| row["order_id"] == "1").map(|row| row["id"].to_string()).collect();
    let order = world.get(&shop.rk, &format!("/public-api/v1/events/{}", purchases[1])).await;
    insta::assert_snapshot!("conversion_with_touchpoints", order.whole(&world));
    let sign_up = world.get(&shop.sk, &format!("/public-api/v1/events/{}", id_of("sign_up"))).await.json();
    assert_eq!(sign_up["touchpoints"][0]["source"], json!("google_organic"));
    for unknown in ["0", "x", "9007199254740993", "-1", "2645217044135937"] {
        assert_eq!(world.get(&shop.rk, &format!("/public-api/v1/events/{unknown}")).await.status, 404, "{unknown}");
    }
    // A page view has an id as well, but is no conversion.
    let foreign = world.get(&world.rival.projects[0].rk, &format!("/public-api/v1/events/{}", purchases[0])).await;
    assert_eq!(foreign.status, 404);
}

#[tokio::test]
async fn a_contact_shows_its_journey() {
    let world = told().await;
    let shop = world.storefront();
    let contacts = world.get(&shop.rk, &format!("/public-api/v1/contacts?{MAY}")).await.json();
    let ann = contacts["data"].as_array().unwrap().iter().find(|row| row["email"] == "ann@acme.com").unwrap()["id"].clone();
    let path = format!("/public-api/v1/contacts/{ann}");
    let reply = world.get(&shop.rk, &format!("{path}?include_events=1&include_browsing_session_data=1")).await;
    let shown = json!({ "events": reply.json()["events"], "hits": reply.json()["browsing_session_hits"] });
    insta::assert_snapshot!("contact_journey", serde_json::to_string_pretty(&shown).unwrap());
    let everything = world.get(&shop.rk, &format!("{path}?include_events=1&hide_direct_touchpoints=0")).await.json();
    let direct = everything["events"].as_array().unwrap().iter().filter(|entry| entry["source"] == "direct").count();
    assert_eq!(direct, 1);
    let plain = world.get(&shop.rk, &path).await.json();
    assert!(plain.get("events").is_none() && plain.get("browsing_session_hits").is_none());
    let nobody = world.post(&shop.sk, "/public-api/v1/contacts", r#"{"emails":["new@example.com"]}"#).await.json();
    let empty = world.get(&shop.rk, &format!("/public-api/v1/contacts/{}?include_events=1", nobody["id"])).await.json();
    assert_eq!(empty["events"], json!([]));
}

#[tokio::test]
async fn conversions_are_counted() {
    let world = told().await;
    let shop = world.storefront();
    let ask = async |more: Value| {
        let mut body = json!({ "start_date": "2026-05-01 00:00:00", "end_date": "2026-05-31 23:59:59" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        world.post(&shop.rk, "/public-api/v1/events/aggregate", &body.to_string()).await
    };
    insta::assert_snapshot!("conversions_counted", ask(json!({ "group_by": ["day", "event_name"] })).await.whole(&world));
    let all = ask(json!({})).await.json();
    assert_eq!(all["totals"], json!({ "count": 4, "amounts": { "EUR": 94.5, "USD": 10.000001 }, "people": 3 }));
    assert_eq!(all["data"], json!([all["totals"]]));
    let quarter = ask(json!({ "group_by": ["quarter", "source"], "event_names": ["purchase"] })).await.json();
    assert_eq!(quarter["data"][0]["quarter"], json!("2026-Q2"));
    // Where only servers count for one type, people of both sorts cannot be told apart.
    let scope = world.control.operator_access(shop.workspace.id).await.unwrap().scope;
    let change =
        tributary_control::ConversionChange { counts_from: Some(tributary_control::CountsFrom::Server), ..Default::default() };
    world.control.set_conversion(&scope, "purchase".to_owned().try_into().unwrap(), change).await.unwrap();
    let browser = json!([{ "event": "purchase", "timestamp": "2026-05-07T00:00:00Z", "anonymous_id": "v9" }]);
    let request = crate::world::with_key(axum::http::Request::post("/v1/batch"), &shop.pk).header("origin", crate::world::ORIGIN);
    let sent = world.send(request.body(json!({ "events": browser }).to_string().into()).unwrap()).await;
    assert_eq!(sent.status, 202, "{}", sent.text);
    let mixed = ask(json!({})).await.json();
    assert_eq!((&mixed["totals"]["count"], &mixed["totals"]["people"]), (&json!(4), &Value::Null));
    assert_eq!(mixed["notes"].as_array().unwrap().len(), 1);
    let listed = world.get(&shop.rk, &format!("/public-api/v1/events?{MAY}")).await.json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 4, "what does not count is not listed");
    let types = world.get(&shop.rk, "/public-api/v1/event-types").await.json();
    let purchase = types["data"].as_array().unwrap().iter().find(|row| row["slug"] == "purchase").unwrap().clone();
    assert_eq!(
        purchase,
        json!({ "slug": "purchase", "configured_name": "Purchase", "is_custom": false, "events": 2,
                "first_seen_utc": "2026-05-04T10:00:00Z", "last_seen_utc": "2026-05-06T00:00:00Z" })
    );
    assert_eq!(types["data"].as_array().unwrap().len(), 15);
}

#[tokio::test]
async fn lists_and_counts_refuse_what_they_cannot_read() {
    let world = told().await;
    let shop = world.storefront();
    let mut table = String::new();
    for query in [
        "",
        "start_date=2026-05-02&end_date=2026-05-01",
        &format!("{MAY}&event_names=sale,purchase,purchase"),
        &format!("{MAY}&event_names=a,b,c,d,e,f,g,h,i,j,k"),
        &format!("{MAY}&sources=facebook_ads"),
        &format!("{MAY}&sources=facebook_ads&attribution_model=markov&attribution_window=5"),
        &format!("{MAY}&fields=id,ad_id,colour"),
        &format!("{MAY}&fields[]=id&fields=id"),
        &format!("{MAY}&per_page=4001"),
        &format!("{MAY}&cursor=next"),
        &format!("{MAY}&query_mode=visitor"),
        &format!("{MAY}&colour[]=red"),
        &format!("{MAY}&custom_field_filters=%5B%7B%22field%22%3A%22profile_field_1%22%2C%22operator%22%3A%22any%22%7D%5D"),
    ] {
        let reply = world.get(&shop.rk, &format!("/public-api/v1/events?{query}")).await;
        assert_eq!(reply.status, 422, "{query}: {}", reply.text);
        let shown = query.replace(MAY, "MAY");
        table.push_str(&format!("{shown}\n{}\n", serde_json::to_string_pretty(&reply.json()["errors"]).unwrap()));
    }
    let range = r#""start_date":"2026-05-01","end_date":"2026-05-02""#;
    for body in [
        String::from("{}"),
        String::from("[]"),
        String::from(r#"["2026-05-01","2026-05-02"]"#),
        format!(r#"{{{range},"group_by":["day","week","colour","day"],"limit":0}}"#),
        format!(r#"{{{range},"groups":[]}}"#),
    ] {
        let reply = world.post(&shop.rk, "/public-api/v1/events/aggregate", &body).await;
        assert_eq!(reply.status, 422, "{body}: {}", reply.text);
        table.push_str(&format!("{body}\n{}\n", reply.json()["message"]));
    }
    insta::assert_snapshot!("events_refused", table);
}
