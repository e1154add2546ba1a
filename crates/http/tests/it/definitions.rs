//! What conversions are made of, over REST: types, rules, endpoints, and the labels of contacts' fields.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use tributary_http::settings::Settings;

use crate::world::{Engine, Project, Reply, World, with_key};

async fn world() -> World {
    World::empty(Engine::Reference, World::unlimited(), Settings::default()).await
}

async fn send(world: &World, shop: &Project, method: &str, path: &str, body: &Value) -> Reply {
    let key = if method == "GET" { &shop.rk } else { &shop.sk };
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let request = with_key(Request::builder().method(method).uri(format!("/public-api/v1/{path}")), key);
    world.send(request.header("content-type", "application/json").body(Body::from(body)).unwrap()).await
}

#[tokio::test]
async fn types_are_named_and_cleared() {
    let world = world().await;
    let shop = world.storefront();
    let set = json!({ "label": "Deal Created", "include_in_gross_revenue": true, "counts_from": "server" });
    let reply = send(&world, shop, "PUT", "custom-events/custom_event_2", &set).await;
    insta::assert_snapshot!("type_set", reply.whole(&world));
    let rule = json!({ "name": "deals", "to": "deal created", "source": { "event": "deal_won" } });
    assert_eq!(send(&world, shop, "POST", "event-mappings", &rule).await.json()["to"], json!("custom_event_2"));
    let listed = send(&world, shop, "GET", "custom-events", &Value::Null).await.json();
    let rows = listed["data"].as_array().unwrap();
    assert_eq!(rows.len(), 65);
    assert_eq!(rows[0]["slot"], json!("add_payment_info"));
    assert_eq!(rows[15]["label"], json!(null), "a slot without a label is not configured");
    assert_eq!(rows[16]["event_names"], json!(["custom_event_2", "deal_won"]));
    let cleared = send(&world, shop, "DELETE", "custom-events/custom_event_2", &Value::Null).await;
    assert_eq!((cleared.status, &cleared.json()["label"]), (200, &json!(null)));
}

#[tokio::test]
async fn fields_of_contacts_are_labelled() {
    let world = world().await;
    let shop = world.storefront();
    let labelled = send(&world, shop, "PUT", "contact-fields/profile_field_16", &json!({ "label": " Seats " })).await;
    let field = |label: Value| json!({ "slot": "profile_field_16", "kind": "number", "label": label });
    assert_eq!((labelled.status, labelled.json()), (200, field(json!("Seats"))));
    let listed = send(&world, shop, "GET", "contact-fields", &Value::Null).await.json();
    assert_eq!((listed["data"].as_array().unwrap().len(), &listed["data"][15]), (30, &field(json!("Seats"))));
    let cleared = send(&world, shop, "DELETE", "contact-fields/profile_field_16", &Value::Null).await;
    assert_eq!((cleared.status, cleared.json()), (200, field(Value::Null)));
}

#[tokio::test]
async fn an_endpoint_and_a_rule_that_reads_it() {
    let world = world().await;
    let shop = world.storefront();
    let body = json!({ "name": "Shopify", "provider": "shopify", "signing_secret": "shpss_0123456789" });
    let opened = send(&world, shop, "POST", "webhook-endpoints", &body).await;
    assert_eq!((opened.status, &opened.json()["signing_secret"]), (201, &json!("shpss_0123456789")));
    let id = opened.json()["id"].as_i64().unwrap();
    let endpoint = format!("webhook-endpoints/{id}");
    let read = send(&world, shop, "GET", &endpoint, &Value::Null).await;
    assert!(!read.text.contains("secret") && read.json()["token"] == opened.json()["token"], "{}", read.text);
    assert_eq!(send(&world, shop, "GET", "webhook-endpoints", &Value::Null).await.json(), json!({ "data": [read.json()] }));

    let webhook = json!({
        "endpoint": id,
        "conditions": [{ "path": "test", "operator": "not_equal_to", "value": true }, { "path": "total_price", "operator": "greater_than", "value": 0 }],
        "fields": {
            "email": { "path": "email" },
            "amount": { "path": "total_price", "required": true },
            "order_id": { "path": "id" },
            "comet_source": { "value": "shopify" }
        }
    });
    let rule = json!({ "name": "orders", "to": "Purchase", "source": { "webhook": webhook } });
    let made = send(&world, shop, "POST", "event-mappings", &rule).await;
    insta::assert_snapshot!("webhook_rule", made.whole(&world));
    let path = format!("event-mappings/{}", made.json()["id"]);
    assert_eq!(send(&world, shop, "GET", &path, &Value::Null).await.json(), made.json());

    let order = json!({ "id": 820_982_911_946_154_508_i64, "email": "ann@acme.com", "total_price": "1234.10", "test": false });
    let preview = format!("/public-api/v1/{path}/preview");
    let shown = world.post(&shop.rk, &preview, &order.to_string()).await;
    let event = json!({ "event_name": "purchase", "amount": "1234.10", "comet_source": "shopify", "email": "ann@acme.com", "order_id": "820982911946154508" });
    assert_eq!((shown.status, shown.json()), (200, event));
    let unmet = world.post(&shop.rk, &preview, &json!({ "test": true, "total_price": "1" }).to_string()).await;
    insta::assert_snapshot!("preview_unmet", unmet.whole(&world));
    let unreadable = world.post(&shop.rk, &preview, &json!({ "email": ["a"], "total_price": 1, "id": {} }).to_string()).await;
    insta::assert_snapshot!("preview_unreadable", unreadable.whole(&world));
    assert_eq!(world.post(&shop.rk, &preview, "{").await.status, 422);

    let refused = send(&world, shop, "DELETE", &endpoint, &Value::Null).await;
    assert_eq!((refused.status, &refused.json()["error"]), (409, &json!("conflict")));
    assert!(refused.text.contains("(orders)"), "{}", refused.text);
    let off = send(&world, shop, "PUT", &endpoint, &json!({ "is_active": false })).await.json();
    assert_eq!((&off["is_active"], &off["name"]), (&json!(false), &json!("Shopify")));
    let rotated = send(&world, shop, "POST", &format!("{endpoint}/rotate"), &Value::Null).await.json();
    assert!(rotated["signing_secret"].as_str().unwrap().starts_with("whsec_"));
    let moved = send(&world, shop, "PUT", &path, &json!({ "source": { "event": "order" }, "to": "lead_generated" })).await.json();
    assert_eq!((&moved["source"], &moved["to"]), (&json!({ "event": "order" }), &json!("lead_generated")));
    assert_eq!(world.post(&shop.rk, &preview, "{}").await.status, 422, "named events have no payload");
    let gone = json!({ "id": id, "deleted": true });
    assert_eq!(send(&world, shop, "DELETE", &endpoint, &Value::Null).await.json(), gone);
    assert_eq!(send(&world, shop, "DELETE", &path, &Value::Null).await.status, 200);
    assert_eq!(send(&world, shop, "GET", &path, &Value::Null).await.status, 404);
}

/// Bad input of every route, and what is said of it.
#[tokio::test]
async fn refusals() {
    let world = world().await;
    let shop = world.storefront();
    send(&world, shop, "PUT", "custom-events/custom_event_1", &json!({ "label": "Deal" })).await;
    send(&world, shop, "POST", "event-mappings", &json!({ "name": "a", "to": "deal", "source": { "event": "won" } })).await;
    let mut table = String::new();
    for (method, path, body) in [
        ("PUT", "custom-events/sale", json!({ "label": "x" })),
        ("PUT", "custom-events/custom_event_2", json!({})),
        ("PUT", "custom-events/custom_event_2", json!({ "label": "DEAL" })),
        (
            "PUT",
            "custom-events/custom_event_2",
            json!({ "label": 5, "counts_from": "page", "colour": 1, "include_in_gross_revenue": "yes" }),
        ),
        ("PUT", "custom-events/purchase", json!({ "label": "Order", "include_in_gross_revenue": false })),
        ("PUT", "custom-events/custom_event_2", json!([])),
        ("DELETE", "custom-events/sale", Value::Null),
        ("GET", "custom-events?page=2", Value::Null),
        ("PUT", "contact-fields/profile_field_31", json!({ "label": "x" })),
        ("PUT", "contact-fields/profile_field_1", json!({})),
        ("PUT", "contact-fields/profile_field_1", json!({ "label": "profile_field_2" })),
        ("POST", "event-mappings", json!({})),
        ("POST", "event-mappings", json!({ "name": "b", "to": "sale", "source": { "event": "won", "webhook": {} } })),
        ("POST", "event-mappings", json!({ "name": "b", "to": "deal", "source": { "event": "won" } })),
        ("POST", "event-mappings", json!({ "name": "b", "to": "deal", "source": { "event": "purchase" } })),
        (
            "POST",
            "event-mappings",
            json!({ "name": "b", "to": "deal", "source": { "webhook": { "endpoint": 9, "fields": { "email": { "path": "a" } } } } }),
        ),
        (
            "POST",
            "event-mappings",
            json!({ "name": "b", "to": "deal", "source": { "webhook": { "fields": { "ip": { "path": "." }, "total": {} } } } }),
        ),
        ("PUT", "event-mappings/1", json!({})),
        ("PUT", "event-mappings/x", json!({ "name": "c" })),
        ("POST", "webhook-endpoints", json!({ "provider": "shop", "signing_secret": 5 })),
        ("POST", "webhook-endpoints", json!({ "name": "x", "signing_secret": "short" })),
        ("PUT", "webhook-endpoints/1", json!({ "token": "mine" })),
        ("POST", "webhook-endpoints/1/rotate", json!({ "secret": "x" })),
    ] {
        let reply = send(&world, shop, method, path, &body).await;
        assert!((400..500).contains(&reply.status), "{method} {path} {body}: {}", reply.text);
        let shown = if body.is_null() { String::new() } else { format!(" {body}") };
        let mut told = reply.json();
        let problems = told["errors"].take();
        table.push_str(&format!(
            "{method} {path}{shown}\n  {} {}: {}\n",
            reply.status,
            told["error"].as_str().unwrap(),
            told["message"].as_str().unwrap()
        ));
        for (field, problem) in problems.as_object().into_iter().flatten() {
            table.push_str(&format!("    {field}: {}\n", problem[0].as_str().unwrap()));
        }
    }
    insta::assert_snapshot!("definitions_refused", table);
}

#[tokio::test]
async fn reads_and_writes_have_a_rate_each() {
    let world = World::empty(Engine::Reference, Default::default(), Settings::default()).await;
    let shop = world.storefront();
    for left in (0..60).rev() {
        let path = if left % 2 == 0 { "custom-events" } else { "contact-fields" };
        let reply = send(&world, shop, "GET", path, &Value::Null).await;
        let remaining = left.to_string();
        assert_eq!((reply.status, reply.header("x-ratelimit-remaining")), (200, Some(remaining.as_str())));
    }
    assert_eq!(send(&world, shop, "GET", "event-mappings", &Value::Null).await.status, 429);
    assert_eq!(send(&world, shop, "PUT", "custom-events/custom_event_1", &json!({ "label": "Deal" })).await.status, 200);
}
