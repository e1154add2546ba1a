//! What users save, date phrases, counts and search, through `/public-api/v1`, over the shop of [`crate::metrics`].

use serde_json::{Value, json};

use crate::metrics::{QUERY, ask, lines, question, set_rate, shop};
use crate::world::{Engine, World};

#[tokio::test]
async fn phrases_become_bounds() {
    let world = World::seeded().await;
    // The blog lives in Berlin, where it is two in the afternoon of a Sunday.
    let key = &world.blog().rk;
    let get = async |path: &str| world.get(key, path).await;
    insta::assert_snapshot!(
        "date_range_last_week",
        get("/public-api/v1/date-range?relative=compare+last+week+to+the+week+before").await.whole(&world)
    );
    insta::assert_snapshot!(
        "date_range_with_a_clock_change",
        get("/public-api/v1/date-range?preset=q1_2026&relative=today").await.whole(&world)
    );
    insta::assert_snapshot!(
        "date_range_refused",
        get("/public-api/v1/date-range?relative=today+or+yesterday").await.whole(&world)
    );
    let neither = get("/public-api/v1/date-range").await;
    assert_eq!(
        (neither.status, &neither.json()["errors"]["preset"]),
        (422, &json!(["is required, or `relative`: such as last_7_days, or \"last week\""]))
    );
}

async fn send(world: &World, method: &str, path: &str, body: Value) -> (u16, Value) {
    use axum::body::Body;
    use axum::http::Request;
    let request = crate::world::with_key(Request::builder().method(method).uri(path), &world.storefront().sk);
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    let reply = world.send(request.header("content-type", "application/json").body(body).unwrap()).await;
    (reply.status, if reply.text.is_empty() { Value::Null } else { reply.json() })
}

#[tokio::test]
async fn what_is_saved_is_checked_run_changed_and_kept_from_deletion_while_used() {
    let world = shop(Engine::Timeline).await;
    set_rate(&world).await;
    // A metric of their own, by labels, spelled with slugs.
    let margin = json!({ "name": "Profit Margin", "definition": { "type": "percent", "expression": "(\"Gross Revenue\" - spend) / gross_revenue" } });
    let (status, metric) = send(&world, "POST", "/public-api/v1/custom-metrics", margin.clone()).await;
    assert_eq!((status, &metric["slug"]), (201, &json!("profit_margin")));
    assert_eq!(metric["definition"]["expression"], "( gross_revenue - amount_spent ) / gross_revenue");
    assert_eq!(send(&world, "POST", "/public-api/v1/custom-metrics", margin).await.0, 409);
    for (name, definition, told) in [
        ("ROAS", json!({ "type": "number", "expression": "roi" }), "names a metric of the catalogue"),
        ("x", json!({ "type": "number", "expression": "gross_revenue + purchase" }), "puts an amount and a number together"),
        ("x", json!({ "type": "number", "expression": "profit_margin * 2" }), "is user-defined itself"),
        ("x", json!({ "type": "number", "expression": "roass" }), "nearest: roas"),
        ("x", json!({ "type": "ratio", "expression": "roas" }), "unknown variant"),
    ] {
        let (status, refused) =
            send(&world, "POST", "/public-api/v1/custom-metrics", json!({ "name": name, "definition": definition })).await;
        assert_eq!(status, 422, "{refused}");
        assert!(refused.to_string().contains(told), "{refused}");
    }
    // A report that asks for it, a dashboard that shows the report.
    let asked = question("last_touch", &["source"], &["Profit Margin", "gross_revenue"]);
    let report = json!({ "name": "Margin by source", "definition": { "type": "bar", "question": asked } });
    let (status, report) = send(&world, "POST", "/public-api/v1/reports", report).await;
    assert_eq!(status, 201, "{report}");
    let id = report["id"].as_i64().unwrap();
    let (_, run) = send(&world, "GET", &format!("/public-api/v1/reports/{id}/run"), Value::Null).await;
    assert!(lines(&run["rows"]).contains(&"google_ads 49.444444 90".to_owned()), "{run}");
    let (_, other) =
        send(&world, "GET", &format!("/public-api/v1/reports/{id}/run?date_start=2026-05-05&date_end=2026-05-05"), Value::Null)
            .await;
    assert_eq!(lines(&other["rows"]), ["google_ads 66.666667 60"]);
    let dashboard = json!({ "name": "Monday", "definition": { "cards": [{ "report_id": id, "width": 12 }] } });
    let (status, dashboard) = send(&world, "POST", "/public-api/v1/dashboards", dashboard).await;
    assert_eq!(status, 201, "{dashboard}");
    let board = format!("/public-api/v1/dashboards/{}", dashboard["id"]);
    let (_, shown) = send(&world, "GET", &format!("{board}/run"), Value::Null).await;
    assert_eq!((&shown["reports"][0]["name"], &shown["reports"][0]["type"]), (&json!("Margin by source"), &json!("bar")));
    let wrong = json!({ "name": "No", "definition": { "cards": [{ "report_id": 999, "width": 13 }] } });
    let (status, refused) = send(&world, "POST", "/public-api/v1/dashboards", wrong).await;
    assert_eq!((status, refused["errors"].as_object().map(|errors| errors.len())), (422, Some(2)), "{refused}");
    // Used things stay until what uses them is gone.
    let metric = format!("/public-api/v1/custom-metrics/{}", metric["id"]);
    let (status, told) = send(&world, "DELETE", &metric, Value::Null).await;
    assert_eq!((status, told["message"].as_str().unwrap().contains("the report `Margin by source`")), (409, true), "{told}");
    let report = format!("/public-api/v1/reports/{id}");
    assert_eq!(send(&world, "DELETE", &report, Value::Null).await.0, 409);
    let (status, renamed) = send(&world, "PUT", &report, json!({ "name": "Margins" })).await;
    assert_eq!((status, &renamed["name"], &renamed["definition"]["type"]), (200, &json!("Margins"), &json!("bar")));
    for path in [&board, &report, &metric] {
        assert_eq!(send(&world, "DELETE", path, Value::Null).await.0, 200, "{path}");
        assert_eq!(send(&world, "GET", path, Value::Null).await.0, 404, "{path}");
    }
    // Reading keys read.
    let reply = world.post(&world.storefront().rk, "/public-api/v1/segments", "{}").await;
    assert_eq!(reply.status, 403, "{}", reply.text);
}

#[tokio::test]
async fn segments_have_members_and_restrict_questions() {
    let world = shop(Engine::Timeline).await;
    set_rate(&world).await;
    let shop = world.storefront();
    let scope = world.control.operator_access(shop.workspace.id).await.unwrap().scope;
    world.control.set_label(&scope, tributary_control::Slot::new(5).unwrap(), "Customer Plan").await.unwrap();
    for (visitor, plan) in [("ann", "Premium"), ("bob", "Basic"), ("cid", "Premium"), ("eve", "Premium")] {
        let traits = json!({ "anonymous_id": visitor, "user_id": format!("u-{visitor}"),
            "traits": { "email": format!("{visitor}@example.com"), "name": visitor, "profile_field_5": plan } });
        assert_eq!(world.post(&shop.sk, "/v1/identify", &traits.to_string()).await.status, 200);
    }
    let segment = json!({ "name": "Premium buyers of late", "definition": {
        "custom_field_filters": [{ "field": "Customer Plan", "operator": "equal_to", "value": "premium" }],
        "behaviours": [{ "event": "Purchase", "within_days": 21 }] } });
    let (status, segment) = send(&world, "POST", "/public-api/v1/segments", segment).await;
    assert_eq!(status, 201, "{segment}");
    let id = segment["id"].as_i64().unwrap();
    let (_, members) = send(&world, "GET", &format!("/public-api/v1/segments/{id}/members?per_page=1"), Value::Null).await;
    assert_eq!(
        (&members["data"][0]["email"], members["next_cursor"].is_string()),
        (&json!("cid@example.com"), true),
        "{members}"
    );
    let next = members["next_page_url"].as_str().unwrap();
    let (_, rest) = send(&world, "GET", &next[next.find("/public-api").unwrap()..], Value::Null).await;
    assert_eq!(
        (&rest["data"][0]["email"], &rest["next_cursor"]),
        (&json!("ann@example.com"), &Value::Null),
        "eve's order is too old"
    );

    // The same people in a question, by segment, by condition, by field.
    let mut asked = question("first_touch", &["source"], &["purchase"]);
    asked["segment_id"] = json!(id);
    assert_eq!(lines(&ask(&world, QUERY, &asked).await["rows"]), ["facebook_ads 2"]);
    let mut asked = question("first_touch", &["source"], &["purchase", "amount_spent"]);
    asked["custom_field_filters"] = json!([{ "field": "profile_field_5", "operator": "equal_to", "value": "Basic" }]);
    let basic = ask(&world, QUERY, &asked).await;
    assert_eq!(lines(&basic["rows"]), ["google_ads 1 null"]);
    assert_eq!(basic["null_reasons"]["amount_spent"], json!(["ad platforms do not report by what is known of contacts"]));
    let by_plan = ask(&world, QUERY, &question("first_touch", &["Customer Plan"], &["purchase", "visitors"])).await;
    assert_eq!(lines(&by_plan["rows"]), ["Premium 2 2", "Basic 1 1"]);
    let mut asked = question("first_touch", &[], &["purchase"]);
    asked["segment_id"] = json!(id + 1);
    assert_eq!(world.post(&shop.rk, QUERY, &asked.to_string()).await.status, 404);
    // Nobody did not: those who never bought an upsell.
    let negated =
        json!({ "name": "No upsell", "definition": { "behaviours": [{ "event": "upsell_purchase", "negated": true }] } });
    let (_, negated) = send(&world, "POST", "/public-api/v1/segments", negated).await;
    let (_, members) = send(&world, "GET", &format!("/public-api/v1/segments/{}/members", negated["id"]), Value::Null).await;
    let emails: Vec<&Value> = members["data"].as_array().unwrap().iter().map(|row| &row["email"]).collect();
    assert_eq!(emails, ["eve@example.com", "cid@example.com", "bob@example.com"]);
    for (definition, told) in [
        (json!({}), "a segment of everybody is no segment"),
        (json!({ "behaviours": [{ "event": "", "at_least": 0, "within_days": 0 }] }), "those who never did are `negated`"),
        (json!({ "custom_field_filters": [{ "field": "profile_field_6", "operator": "any" }] }), "has no label"),
    ] {
        let (status, refused) =
            send(&world, "POST", "/public-api/v1/segments", json!({ "name": "x", "definition": definition })).await;
        assert_eq!(status, 422, "{refused}");
        assert!(refused.to_string().contains(told), "{refused}");
    }
}

#[tokio::test]
async fn contacts_and_companies_are_counted() {
    let world = shop(Engine::Reference).await;
    let shop = world.storefront();
    let scope = world.control.operator_access(shop.workspace.id).await.unwrap().scope;
    world.control.set_label(&scope, tributary_control::Slot::new(16).unwrap(), "Seats").await.unwrap();
    for (visitor, email, seats) in [("ann", "ann@acme.com", 3), ("bob", "bob@acme.com", 5), ("cid", "cid@gmail.com", 3)] {
        let traits = json!({ "anonymous_id": visitor, "user_id": visitor,
            "traits": { "email": email, "location": "Berlin", "profile_field_16": seats } });
        assert_eq!(world.post(&shop.sk, "/v1/identify", &traits.to_string()).await.status, 200);
    }
    let count = async |noun: &str, group_by: &[&str]| {
        let body = json!({ "start_date": "2026-05-01 00:00:00", "end_date": "2026-06-01 00:00:00", "group_by": group_by });
        let answer = ask(&world, &format!("/public-api/v1/{noun}/aggregate"), &body).await;
        (lines(&answer["rows"]), answer["total"].as_u64())
    };
    assert_eq!(
        count("contacts", &["month", "email_domain"]).await,
        (vec!["2026-05 acme.com 2".into(), "2026-05 gmail.com 1".into()], Some(3))
    );
    assert_eq!(count("contacts", &["Seats"]).await, (vec!["3 2".into(), "5 1".into()], Some(3)));
    assert_eq!(count("contacts", &[]).await, (vec!["3".into()], Some(3)));
    assert_eq!(count("companies", &["quarter"]).await, (vec!["2026-Q2 1".into()], Some(1)));
    let body = json!({ "start_date": "", "end_date": "soon", "group_by": ["source"], "custom_field_filters": [] });
    let reply = world.post(&shop.rk, "/public-api/v1/contacts/aggregate", &body.to_string()).await;
    assert_eq!((reply.status, reply.json()["errors"].as_object().map(|errors| errors.len())), (422, Some(3)), "{}", reply.text);
}

#[tokio::test]
async fn everything_named_is_found() {
    let world = shop(Engine::Timeline).await;
    let shop = world.storefront();
    let traits = r#"{"anonymous_id":"ann","user_id":"u1","traits":{"email":"ann@spring-fashion.com","name":"Ann Springer"}}"#;
    assert_eq!(world.post(&shop.sk, "/v1/identify", traits).await.status, 200);
    let report =
        json!({ "name": "Spring review", "definition": { "type": "kpi", "question": question("last_touch", &[], &["roas"]) } });
    assert_eq!(send(&world, "POST", "/public-api/v1/reports", report).await.0, 201);
    let found = world.get(&shop.rk, "/public-api/v1/search?query=sprng").await;
    insta::assert_snapshot!("search_with_a_typo", found.whole(&world));
    let one = world.get(&shop.rk, "/public-api/v1/search?query=sprng&types=campaign,report&limit=1").await.json();
    assert_eq!((one["rows"].as_array().map(Vec::len), &one["total_rows"]), (Some(1), &json!(2)));
    let metric = world.get(&shop.rk, "/public-api/v1/search?query=return+on+ad&types=metric").await.json();
    assert_eq!(metric["rows"], json!([]), "metrics are found by label, not by definition");
    let refused = world.get(&shop.rk, "/public-api/v1/search?query=--&types=campaigns").await;
    assert_eq!((refused.status, refused.json()["errors"].as_object().map(|errors| errors.len())), (422, Some(2)));
    // Nothing of this is anybody else's.
    for other in [&world.blog().rk, &world.rival.projects[0].rk] {
        let seen = world.get(other, "/public-api/v1/search?query=spring").await.json();
        assert_eq!(seen["rows"], json!([]));
    }
}
