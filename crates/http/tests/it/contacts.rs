//! Contacts and companies over REST, and who events make of whom.

use serde_json::{Value, json};
use tributary_control::{PeopleOf, Slot};
use tributary_http::settings::Settings;

use crate::world::{Engine, Project, Reply, World, with_key};
use axum::body::Body;
use axum::http::Request;

const MAY: &str = "start_date=2026-05-01%2000:00:00&end_date=2026-05-31%2023:59:59";

async fn world() -> World {
    World::empty(Engine::Reference, World::unlimited(), Settings::default()).await
}

async fn put(world: &World, key: &str, path: &str, body: &Value) -> Reply {
    let request = with_key(Request::put(path), key).header("content-type", "application/json");
    world.send(request.body(Body::from(body.to_string())).unwrap()).await
}

async fn identify(world: &World, project: &Project, visitor: &str, user: &str, traits: Value) {
    let body = json!({ "anonymous_id": visitor, "user_id": user, "traits": traits });
    let reply = world.post(&project.sk, "/v1/identify", &body.to_string()).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
}

async fn groups(world: &World, project: &Project, of: PeopleOf) -> Vec<String> {
    let scope = world.control.operator_access(project.workspace.id).await.unwrap().scope;
    let people = world.state.service.people(&scope, of).await.unwrap();
    let again = world.state.service.people(&scope, of).await.unwrap();
    assert!(std::sync::Arc::ptr_eq(&people, &again), "made once");
    people.groups().iter().map(|group| group.join("+")).collect()
}

#[tokio::test]
async fn events_tell_who_is_who_before_they_are_acknowledged() {
    let world = world().await;
    let shop = world.storefront();
    let track = async |body: Value| assert_eq!(world.post(&shop.sk, "/v1/track", &body.to_string()).await.status, 202);
    track(json!({ "event": "a", "anonymous_id": "v1", "user_id": "ann" })).await;
    track(json!({ "event": "a", "anonymous_id": "v2", "user_id": "ann" })).await;
    track(json!({ "event": "a", "anonymous_id": "nobody" })).await;
    assert_eq!(groups(&world, shop, PeopleOf::Contacts).await, ["v1+v2"]);
    let events = json!([
        { "event": "b", "anonymous_id": "v3", "user_id": "ann" },
        { "event": "b", "anonymous_id": "w1", "user_id": "bob" },
        { "event": "b", "anonymous_id": "w2" }
    ]);
    world.batch(&shop.sk, events.as_array().unwrap().clone()).await;
    identify(&world, shop, "w2", "bob", json!({ "email": "bob@acme.com", "name": "Bob", "phone": 5, "profile_field_1": "Pro" }))
        .await;
    let rows = json!({ "rows": [
        { "event": "c", "timestamp": "2026-05-03T00:00:00Z", "anonymous_id": "w3", "user_id": "bob" },
        { "event": "", "timestamp": "2026-05-03T00:00:00Z", "anonymous_id": "w4", "user_id": "bob" }
    ] });
    assert_eq!(world.post(&shop.sk, "/v1/import", &rows.to_string()).await.status, 200);
    assert_eq!(groups(&world, shop, PeopleOf::Contacts).await, ["v1+v2+v3", "w1+w2+w3"]);
    identify(&world, shop, "v1", "ann", json!({ "email": "ann@acme.com" })).await;
    assert_eq!(groups(&world, shop, PeopleOf::Companies).await, ["v1+v2+v3+w1+w2+w3"]);
    // A refused event tells nothing.
    let refused = world.post(&shop.sk, "/v1/track", r#"{"event":"","anonymous_id":"v9","user_id":"ann"}"#).await;
    assert_eq!(refused.status, 400);
    assert_eq!(groups(&world, shop, PeopleOf::Contacts).await.len(), 2);
    let reply =
        world.get(&shop.rk, &format!("/public-api/v1/contacts?{MAY}&include_all_emails=1&include_comet_tokens=true")).await;
    insta::assert_snapshot!("contacts_of_events", reply.whole(&world));

    let forgotten = world.post(&shop.sk, "/v1/forget", r#"{"user_id":"ann"}"#).await;
    assert_eq!(forgotten.status, 200);
    assert_eq!(groups(&world, shop, PeopleOf::Contacts).await, ["w1+w2+w3"]);
    let left = world.get(&shop.rk, &format!("/public-api/v1/contacts?{MAY}")).await;
    assert!(!left.text.contains("ann") && left.json()["data"].as_array().unwrap().len() == 1, "{}", left.text);
    track(json!({ "event": "a", "anonymous_id": "v1", "user_id": "ann" })).await;
    track(json!({ "event": "a", "anonymous_id": "v2", "user_id": "ann" })).await;
    assert_eq!(groups(&world, shop, PeopleOf::Contacts).await, ["v1+v2", "w1+w2+w3"]);
}

#[tokio::test]
async fn a_contact_is_created_read_and_changed() {
    let world = world().await;
    let shop = world.storefront();
    let body = json!({
        "emails": ["Ann@Acme.com", "ann@gmail.com"], "names": ["Ann Example"], "phones": ["+49 30 1"], "locations": [],
        "custom_fields": { "profile_field_1": "Pro", "profile_field_16": 3, "profile_field_17": 2.5, "profile_field_26": "2026-05-01", "profile_field_2": null }
    });
    let created = world.post(&shop.sk, "/public-api/v1/contacts", &body.to_string()).await;
    insta::assert_snapshot!("contact_created", created.whole(&world));
    let id = created.json()["id"].as_i64().unwrap();
    let path = format!("/public-api/v1/contacts/{id}");
    let scope = world.control.operator_access(shop.workspace.id).await.unwrap().scope;
    world.control.set_label(&scope, Slot::new(1).unwrap(), "Plan").await.unwrap();
    let read = world.get(&shop.rk, &format!("{path}?use_custom_field_labels=1&include_comet_tokens=1")).await.json();
    assert_eq!((&read["custom_fields"]["Plan"], &read["comet_tokens"]), (&json!("Pro"), &json!([])));
    assert_eq!(read["custom_fields"].as_object().unwrap().len(), 30);

    let reply = put(&world, &shop.sk, &path, &json!({ "phones": [], "names": ["Anna", "Ann"] })).await;
    assert_eq!((reply.status, reply.json()), (200, json!({ "id": id, "phones": [], "names": ["Anna", "Ann"] })));
    let reply = put(&world, &shop.sk, &path, &json!({ "custom_fields": { "profile_field_3": "x" } })).await.json();
    let set: Vec<&String> =
        reply["custom_fields"].as_object().unwrap().iter().filter(|(_, value)| !value.is_null()).map(|(name, _)| name).collect();
    assert_eq!(set, ["profile_field_3"]);
    let reply = put(&world, &shop.sk, &path, &json!({ "custom_fields": {} })).await.json();
    assert!(reply["custom_fields"].as_object().unwrap().values().all(Value::is_null));
    let read = world.get(&shop.sk, &path).await.json();
    assert_eq!((&read["emails"], &read["names"]), (&json!(["ann@acme.com", "ann@gmail.com"]), &json!(["Anna", "Ann"])));

    let companies = world.get(&shop.rk, "/public-api/v1/companies").await;
    insta::assert_snapshot!("companies", companies.whole(&world));
    let company = format!("/public-api/v1/companies/{}", companies.json()["data"][0]["id"]);
    let reply = put(&world, &shop.sk, &company, &json!({ "name": "Acme" })).await;
    assert_eq!((reply.status, &reply.json()["name"]), (200, &json!("Acme")));
    assert_eq!(world.get(&shop.rk, &company).await.json()["domain"], json!("acme.com"));
}

#[tokio::test]
async fn pages_and_filters() {
    let world = world().await;
    let shop = world.storefront();
    for n in 0..5 {
        identify(
            &world,
            shop,
            &format!("v{n}"),
            &format!("u{n}"),
            json!({ "name": format!("n{n}"), "profile_field_5": if n % 2 == 0 { "Premium" } else { "Free" } }),
        )
        .await;
    }
    let scope = world.control.operator_access(shop.workspace.id).await.unwrap().scope;
    world.control.set_label(&scope, Slot::new(5).unwrap(), "Customer Plan").await.unwrap();
    let filter = "custom_field_filters=%5B%7B%22field%22%3A%22customer%20plan%22%2C%22operator%22%3A%22equal_to%22%2C%22value%22%3A%22premium%22%7D%5D";
    let mut path = format!("/public-api/v1/contacts?{MAY}&per_page=2&{filter}");
    let first = world.get(&shop.rk, &path).await.json();
    let names = |page: &Value| -> Vec<String> {
        page["data"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&first), ["n4", "n2"]);
    assert_eq!((&first["prev_cursor"], &first["prev_page_url"]), (&Value::Null, &Value::Null));
    path = first["next_page_url"].as_str().unwrap().replace("http://127.0.0.1:8787", "");
    let second = world.get(&shop.rk, &path).await.json();
    assert_eq!((names(&second), &second["next_cursor"]), (vec![String::from("n0")], &Value::Null));
    path = second["prev_page_url"].as_str().unwrap().replace("http://127.0.0.1:8787", "");
    assert_eq!(world.get(&shop.rk, &path).await.json()["data"], first["data"]);
    // Both ends are inside: everything was created at 12:00:00.
    for (range, count) in [
        ("start_date=2026-05-31%2012:00:00&end_date=2026-05-31%2013:00:00", 5),
        ("start_date=2026-05-31%2011:00:00&end_date=2026-05-31%2012:00:00", 5),
        ("start_date=2026-05-31%2011:00:00&end_date=2026-05-31%2011:59:59", 0),
        ("start_date=2026-05-31%2012:00:01&end_date=2026-05-31%2013:00:00", 0),
    ] {
        let page = world.get(&shop.rk, &format!("/public-api/v1/contacts?{range}")).await.json();
        assert_eq!(page["data"].as_array().unwrap().len(), count, "{range}");
    }
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let world = world().await;
    let shop = world.storefront();
    let long = "x".repeat(256);
    let list = |query: &str| ("GET", format!("/public-api/v1/contacts?{query}"), json!(null));
    let created = world.post(&shop.sk, "/public-api/v1/contacts", r#"{"emails":["ann@acme.com"]}"#).await.json();
    let contact = format!("/public-api/v1/contacts/{}", created["id"]);
    let other = world.post(&shop.sk, "/public-api/v1/contacts", r#"{"emails":["bob@other.org"]}"#).await.json();
    let other = format!("/public-api/v1/contacts/{}", other["id"]);
    let mut table = String::new();
    for (method, path, body) in [
        list(""),
        list("start_date=2026-05-01&end_date=2026-04-01"),
        list("start_date=May&end_date=2026-05-01"),
        list(&format!("{MAY}&per_page=5001")),
        list(&format!("{MAY}&per_page=0")),
        list(&format!("{MAY}&cursor=abc")),
        list(&format!("{MAY}&include_all_emails=yes")),
        list(&format!("{MAY}&include_events=1")),
        list(&format!("{MAY}&custom_field_filters=x")),
        list(&format!("{MAY}&custom_field_filters=%7B%7D")),
        list(&format!("{MAY}&custom_field_filters=%5B%7B%22field%22%3A%22profile_field_5%22%7D%5D")),
        ("GET", String::from("/public-api/v1/companies?per_page=x&start_date=now"), json!(null)),
        ("POST", String::from("/public-api/v1/contacts"), json!([])),
        ("POST", String::from("/public-api/v1/contacts"), json!({})),
        ("POST", String::from("/public-api/v1/contacts"), json!({ "emails": "ann@acme.com", "tags": [] })),
        (
            "POST",
            String::from("/public-api/v1/contacts"),
            json!({ "emails": ["nobody"], "names": ["", long], "custom_fields": { "profile_field_16": "many", "plan": 1, "profile_field_1": true } }),
        ),
        ("PUT", contact.clone(), json!({})),
        ("PUT", other, json!({ "emails": ["ann@acme.com"] })),
        ("PUT", String::from("/public-api/v1/companies/1"), json!({})),
        ("PUT", String::from("/public-api/v1/companies/1"), json!({ "domain": "gmail.com", "name": 5 })),
        ("PUT", String::from("/public-api/v1/companies/1"), json!({ "domain": "other.org" })),
    ] {
        let reply = match method {
            "GET" => world.get(&shop.sk, &path).await,
            "POST" => world.post(&shop.sk, &path, &body.to_string()).await,
            _ => put(&world, &shop.sk, &path, &body).await,
        };
        let answer = reply.json();
        assert_eq!(reply.status, 422, "{method} {path}: {answer}");
        assert!(answer["message"].is_string());
        let shown: String = path.replace(MAY, "MAY").chars().take(100).collect();
        table.push_str(&format!("{method} {shown} {:.60}\n", body.to_string()));
        for (path, told) in answer["errors"].as_object().into_iter().flatten() {
            table.push_str(&format!(
                "  {path}: {}\n",
                told.as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect::<Vec<_>>().join("; ")
            ));
        }
        if answer.get("errors").is_none() {
            table.push_str(&format!("  {}\n", answer["message"].as_str().unwrap()));
        }
    }
    insta::assert_snapshot!("contacts_what_is_wrong", table.replace(&contact, "CONTACT"));
    for path in
        ["/public-api/v1/contacts/99", "/public-api/v1/contacts/x", "/public-api/v1/contacts/-1", "/public-api/v1/companies/99"]
    {
        let reply = world.get(&shop.rk, path).await;
        assert_eq!((reply.status, &reply.json()["error"]), (404, &json!("not_found")), "{path}");
    }
}

#[tokio::test]
async fn foreign_contacts_are_unknown_and_stay_as_they_are() {
    let world = world().await;
    let (shop, rival) = (world.storefront(), &world.rival.projects[0]);
    identify(&world, rival, "v1", "u1", json!({ "email": "ann@acme.com", "name": "Ann" })).await;
    let page = world.get(&rival.rk, &format!("/public-api/v1/contacts?{MAY}")).await.json();
    let contact = format!("/public-api/v1/contacts/{}", page["data"][0]["id"]);
    let page = world.get(&rival.rk, "/public-api/v1/companies").await.json();
    let company = format!("/public-api/v1/companies/{}", page["data"][0]["id"]);
    let before = (world.get(&rival.rk, &contact).await.text, world.get(&rival.rk, &company).await.text);
    for (path, body) in [(&contact, json!({ "names": ["Mine"] })), (&company, json!({ "name": "Mine" }))] {
        assert_eq!(world.get(&shop.rk, path).await.status, 404, "{path}");
        assert_eq!(put(&world, &shop.sk, path, &body).await.status, 404, "{path}");
    }
    identify(&world, shop, "v1", "u1", json!({ "email": "ann@acme.com", "name": "Mine" })).await;
    world.post(&shop.sk, "/public-api/v1/contacts", r#"{"emails":["ann@acme.com"],"names":["Mine"]}"#).await;
    world.post(&shop.sk, "/v1/forget", r#"{"user_id":"u1"}"#).await;
    assert_eq!((world.get(&rival.rk, &contact).await.text, world.get(&rival.rk, &company).await.text), before);
}

#[tokio::test]
async fn each_route_has_its_rate_and_says_what_is_left() {
    let world = World::empty(Engine::Reference, Default::default(), Settings::default()).await;
    let shop = world.storefront();
    let created = world.post(&shop.sk, "/public-api/v1/contacts", r#"{"emails":["ann@acme.com"]}"#).await;
    assert_eq!((created.header("x-ratelimit-limit"), created.header("x-ratelimit-remaining")), (Some("60"), Some("59")));
    let contact = format!("/public-api/v1/contacts/{}", created.json()["id"]);
    let list = format!("/public-api/v1/contacts?{MAY}");
    for (path, limit) in
        [(list.as_str(), 15), (contact.as_str(), 30), ("/public-api/v1/companies", 15), ("/public-api/v1/companies/1", 15)]
    {
        for _ in 0..limit {
            assert_eq!(world.get(&shop.rk, path).await.status, 200, "{path}");
        }
        let refused = world.get(&shop.sk, path).await;
        assert_eq!(refused.status, 429, "{path}: keys of one workspace share a bucket");
        assert_eq!(
            (refused.header("x-ratelimit-limit"), refused.header("x-ratelimit-remaining")),
            (Some(limit.to_string().as_str()), Some("0"))
        );
        assert!(refused.header("retry-after").is_some() && refused.json()["message"].is_string(), "{path}: {}", refused.text);
    }
    assert_eq!(world.get(&world.blog().rk, &list).await.status, 200, "another workspace is not touched");
}
