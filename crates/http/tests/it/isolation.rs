//! No answer of one tenant holds anything of another: every route, every tool, with ids of the other side.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use tributary_mcp::door::{ACCOUNT_DOOR, DOORS, KEY_DOOR};
use tributary_mcp::tools::TOOLS;

use crate::world::{Project, Reply, World, with_key};

/// Text that belongs to the rival and must not be seen by Acme: ids, slugs, canaries.
fn canaries(world: &World) -> Vec<String> {
    let mut canaries = vec![String::from("canary"), String::from("rival")];
    canaries.extend(world.rival.projects.iter().map(|project| project.workspace.uuid.to_string()));
    canaries
}

#[tokio::test]
async fn acme_never_sees_the_rival() {
    let world = World::seeded().await;
    let rival = world.rival.projects[0].workspace.uuid.to_string();
    let traits =
        r#"{"anonymous_id":"canary-1","user_id":"canary-2","traits":{"email":"canary@canary-rival.com","name":"canary"}}"#;
    assert_eq!(world.post(&world.rival.projects[0].sk, "/v1/identify", traits).await.status, 200);
    define_canaries(&world).await;
    let sale = r#"{"event_name":"purchase","email":"canary@canary-rival.com","order_id":"canary-order","url":"https://canary-rival.example/?utm_source=canary"}"#;
    let tracked = world.post(&world.rival.projects[0].sk, "/public-api/v1/events/track", sale).await;
    assert_eq!(tracked.status, 202, "{}", tracked.text);
    let shop = world.storefront();
    let mut replies = everything_shown(&world, shop, Some(&world.acme.ak)).await;
    for path in [
        "/v1/query?from=2000-01-01&to=2027-01-01&event=canary-rival-shop-event".to_owned(),
        "/v1/query?from=2000-01-01&to=2027-01-01&user_id=canary-rival-shop-user".to_owned(),
        format!("/v1/stats?from=2000-01-01&to=2027-01-01&project_id={rival}"),
    ] {
        // An answer may repeat what was asked; it may not know more.
        let text = world.get(&shop.rk, &path).await.text.replace("canary-rival-shop-event", "").replace(&rival, "");
        replies.push((path, text));
    }
    assert_hidden(&replies, &canaries(&world));
}

#[tokio::test]
async fn a_key_sees_its_own_project_alone() {
    let world = World::seeded().await;
    let shop = world.storefront();
    let own = everything_shown(&world, shop, None).await;
    let signs = [shop.workspace.uuid.to_string(), String::from("shop.acme.example")];
    assert!(own.iter().any(|(_, text)| text.contains(&signs[1])), "the sign is one the project itself shows");
    assert_hidden(&everything_shown(&world, &world.acme.projects[1], None).await, &signs);
    assert_hidden(&everything_shown(&world, &world.rival.projects[0], Some(&world.rival.ak)).await, &signs);
}

/// A rival's names of everything a workspace may define.
async fn define_canaries(world: &World) {
    let sk = &world.rival.projects[0].sk;
    let rule = json!({ "name": "canary", "to": "purchase", "source": { "event": "canary-event" } });
    let webhook = json!({ "name": "canary", "to": "canary deal", "source": { "webhook": { "endpoint": 1, "fields": { "email": { "path": "canary" } } } } });
    for (method, path, body) in [
        ("PUT", "custom-events/custom_event_1", json!({ "label": "canary deal" })),
        ("PUT", "contact-fields/profile_field_1", json!({ "label": "canary" })),
        ("POST", "webhook-endpoints", json!({ "name": "canary" })),
        ("POST", "custom-metrics", json!({ "name": "canary", "definition": { "type": "number", "expression": "roas" } })),
        ("POST", "segments", json!({ "name": "canary", "definition": { "behaviours": [{ "event": "canary" }] } })),
        ("POST", "reports", json!({ "name": "canary", "definition": { "type": "kpi", "question": metrics(&[]) } })),
        ("POST", "dashboards", json!({ "name": "canary", "definition": { "cards": [{ "report_id": 3 }] } })),
        ("POST", "event-mappings", rule),
        ("POST", "event-mappings", webhook),
    ] {
        let reply = send(world, sk, method, path, &body).await;
        assert!(reply.status < 300, "{path}: {}", reply.text);
    }
}

/// A metric question about everything there ever was.
fn metrics(group_by: &[&str]) -> Value {
    json!({ "date_range": "all_time", "attribution_model": "first_touch", "attribution_window": 0, "query_mode": "visitor",
            "metrics": ["purchase", "amount_spent", "visitors"], "group_by": group_by })
}

async fn send(world: &World, key: &str, method: &str, path: &str, body: &Value) -> Reply {
    let request = with_key(Request::builder().method(method).uri(format!("/public-api/v1/{path}")), key);
    world.send(request.body(Body::from(body.to_string())).unwrap()).await
}

/// What the rival defined exists for nobody else, and nobody else can change it.
#[tokio::test]
async fn definitions_are_not_found_by_others() {
    let world = World::seeded().await;
    define_canaries(&world).await;
    let (shop, rival) = (world.storefront(), &world.rival.projects[0]);
    let mut seen = Vec::new();
    for (method, path, body) in [
        ("GET", "event-mappings/1", json!({})),
        ("PUT", "event-mappings/1", json!({ "name": "x" })),
        ("DELETE", "event-mappings/1", json!({})),
        ("POST", "event-mappings/2/preview", json!({ "canary": "ann@acme.com" })),
        ("GET", "custom-metrics/1", json!({})),
        ("PUT", "custom-metrics/1", json!({ "name": "x" })),
        ("DELETE", "custom-metrics/1", json!({})),
        ("GET", "segments/2", json!({})),
        ("GET", "segments/2/members", json!({})),
        ("DELETE", "segments/2", json!({})),
        ("GET", "reports/3/run", json!({})),
        ("PUT", "reports/3", json!({ "name": "x" })),
        ("GET", "dashboards/4", json!({})),
        ("GET", "dashboards/4/run", json!({})),
        ("GET", "webhook-endpoints/1", json!({})),
        ("PUT", "webhook-endpoints/1", json!({ "is_active": false })),
        ("POST", "webhook-endpoints/1/rotate", json!({})),
        ("DELETE", "webhook-endpoints/1", json!({})),
    ] {
        let reply = send(&world, &shop.sk, method, path, &body).await;
        assert_eq!((reply.status, &reply.json()["error"]), (404, &json!("not_found")), "{method} {path}: {}", reply.text);
        seen.push((path.to_owned(), reply.text));
    }
    // Another's endpoint and another's label are as unknown as any other.
    let foreign = json!({ "name": "x", "to": "purchase", "source": { "webhook": { "endpoint": 1, "fields": { "email": { "path": "a" } } } } });
    let reply = send(&world, &shop.sk, "POST", "event-mappings", &foreign).await;
    assert_eq!(reply.status, 404, "{}", reply.text);
    seen.push((String::from("event-mappings"), reply.text));
    let labelled = json!({ "name": "x", "to": "deal of nobody", "source": { "event": "x" } });
    let reply = send(&world, &shop.sk, "POST", "event-mappings", &labelled).await;
    assert_eq!(reply.status, 422, "{}", reply.text);
    seen.push((String::from("event-mappings"), reply.text));
    assert_hidden(&seen, &canaries(&world));
    for path in ["custom-events/custom_event_1", "contact-fields/profile_field_1"] {
        assert_eq!(send(&world, &shop.sk, "DELETE", path, &json!({})).await.status, 200);
    }
    let kept = world.get(&rival.rk, "/public-api/v1/webhook-endpoints/1").await.json();
    assert_eq!((&kept["name"], &kept["is_active"]), (&json!("canary"), &json!(true)));
    for (path, pointer) in [("custom-events", "/data/15/label"), ("contact-fields", "/data/0/label")] {
        let listed = world.get(&rival.rk, &format!("/public-api/v1/{path}")).await.json();
        assert!(listed.pointer(pointer).unwrap().as_str().unwrap().starts_with("canary"), "{path}: {listed}");
    }
    let rules = world.get(&rival.rk, "/public-api/v1/event-mappings").await.json();
    assert_eq!(rules["data"].as_array().unwrap().len(), 2);
}

fn assert_hidden(replies: &[(String, String)], signs: &[String]) {
    for (name, text) in replies {
        for sign in signs {
            assert!(!text.contains(sign.as_str()), "{name} shows `{sign}`: {text}");
        }
    }
}

/// What every route, tool and resource answers to the keys of one project (and of its account).
async fn everything_shown(world: &World, project: &Project, ak: Option<&String>) -> Vec<(String, String)> {
    let mut replies: Vec<(String, String)> = Vec::new();
    for path in [
        "/v1/query?from=2000-01-01&to=2027-01-01&limit=1000&bots=include",
        "/v1/stats?from=2000-01-01&to=2027-01-01&bots=include&group_by=event_name,source,campaign,path",
        "/v1/sources?from=2000-01-01&to=2027-01-01",
        "/metrics",
        "/readyz",
    ] {
        replies.push((path.to_owned(), world.get(&project.rk, path).await.text));
    }
    let created = "start_date=2000-01-01&end_date=2027-01-01";
    let flags = "include_all_emails=1&include_comet_tokens=1&include_custom_fields=1";
    let mut paths = vec![format!("/public-api/v1/contacts?{created}&{flags}"), String::from("/public-api/v1/companies")];
    let journey = "include_comet_tokens=1&include_events=1&hide_direct_touchpoints=0&include_browsing_session_data=1";
    paths.extend((1..=20).map(|id| format!("/public-api/v1/contacts/{id}?{journey}")));
    let columns = "fields=id,event_name,event_url,order_id,profile_id,company_id,campaign_name";
    let credited = "sources=direct,other,other_ads,facebook_ads&attribution_model=linear&attribution_window=0";
    paths.push(format!("/public-api/v1/events?{created}&{columns}&{credited}"));
    paths.push(format!("/public-api/v1/events?{created}"));
    paths.push(String::from("/public-api/v1/event-types"));
    for kind in ["events", "contacts", "companies"] {
        paths.extend((1..=3).map(|id| format!("/public-api/v1/{kind}/exports/{id}")));
    }
    paths.extend((1..=5).map(|id| format!("/public-api/v1/companies/{id}")));
    for noun in ["event-mappings", "webhook-endpoints"] {
        paths.push(format!("/public-api/v1/{noun}"));
        paths.extend((1..=3).map(|id| format!("/public-api/v1/{noun}/{id}")));
    }
    for level in ["account", "campaign", "adset", "ad"] {
        paths.push(format!("/public-api/v1/ads/{level}"));
        paths.push(format!("/public-api/v1/ads/{level}/google_ads/canary"));
    }
    for noun in ["custom-metrics", "segments", "reports", "dashboards"] {
        paths.push(format!("/public-api/v1/{noun}"));
        paths.extend((1..=4).flat_map(|id| ["", "/run", "/members"].map(|what| format!("/public-api/v1/{noun}/{id}{what}"))));
    }
    for (query, group_by) in [("query", "source"), ("compare", "landing_page"), ("models", "url"), ("breakdown", "campaign_name")]
    {
        let mut asked = metrics(&[group_by]);
        if query == "breakdown" {
            asked["metrics"] = json!(["amount_spent"]);
        }
        if query == "compare" {
            asked["compare_to"] = json!("previous_year");
        }
        let path = format!("/public-api/v1/metrics/{query}");
        let reply = world.post(&project.rk, &path, &asked.to_string()).await;
        assert!(reply.status < 400 || reply.text.contains("all_time"), "{path}: {}", reply.text);
        replies.push((path, reply.text));
    }
    for noun in ["contacts", "companies"] {
        let path = format!("/public-api/v1/{noun}/aggregate");
        let mut asked = json!({ "start_date": "2020-01-01", "end_date": "2027-01-01", "group_by": ["year"] });
        if noun == "contacts" {
            asked["group_by"] = json!(["location", "email_domain"]);
        }
        replies.push((path.clone(), world.post(&project.rk, &path, &asked.to_string()).await.text));
    }
    paths.extend(
        ["search?query=canary", "search?query=canary&types=contact,company,campaign"]
            .map(|path| format!("/public-api/v1/{path}")),
    );
    paths.extend(["metrics", "dimensions"].map(|path| format!("/public-api/v1/{path}")));
    paths.extend(["custom-events", "contact-fields"].map(|noun| format!("/public-api/v1/{noun}")));
    for path in paths {
        let text = world.get(&project.rk, &path).await.text;
        // Every conversion that is listed, by itself.
        let page: Value = serde_json::from_str(&text).unwrap_or_default();
        for row in page["data"].as_array().into_iter().flatten().filter(|_| path.contains("/events?")) {
            let path = format!("/public-api/v1/events/{}", row["id"]);
            let reply = world.get(&project.rk, &path).await;
            assert_eq!(reply.status, 200, "{path}");
            replies.push((path, reply.text));
        }
        replies.push((path, text));
    }
    for (path, body) in [
        (
            "/public-api/v1/events/aggregate",
            r#"{"start_date":"2000-01-01","end_date":"2027-01-01","group_by":["event_name","source"]}"#,
        ),
        ("/public-api/v1/contacts/exports", r#"{"start_date":"2000-01-01","end_date":"2027-01-01"}"#),
    ] {
        replies.push((path.to_owned(), world.post(&project.rk, path, body).await.text));
    }
    for door in DOORS {
        let keys = if door.path == KEY_DOOR.path { vec![&project.sk, &project.rk] } else { ak.into_iter().collect() };
        for key in keys {
            for method in ["initialize", "tools/list", "resources/list"] {
                replies.push((format!("{} {method}", door.path), world.rpc(key, door.path, method, json!({})).await.text));
            }
            for resource in door.resources {
                let reply = world.rpc(key, door.path, "resources/read", json!({ "uri": resource.uri })).await;
                assert!(reply.json().get("result").is_some(), "{}: {}", resource.uri, reply.text);
                replies.push((resource.uri.to_owned(), reply.text));
            }
            for listed in door.catalogue {
                for example in listed.tool.examples {
                    let mut arguments: Value = serde_json::from_str(example).unwrap();
                    if arguments.get("from").is_some() {
                        arguments["from"] = json!("2000-01-01");
                        arguments["to"] = json!("2027-01-01");
                        arguments["bots"] = json!("include");
                    }
                    let reply = world.call(key, door.path, listed.tool.name, arguments).await;
                    replies.push((format!("{} {}", door.path, listed.tool.name), reply.text));
                }
            }
        }
    }
    replies
}

/// Every tool with ids of the other account: unknown, whichever way they are named.
#[tokio::test]
async fn foreign_ids_are_unknown() {
    let world = World::seeded().await;
    let rival = &world.rival.projects[0].workspace;
    for listed in ACCOUNT_DOOR.catalogue {
        let tool = listed.tool;
        if tool.span == tributary_mcp::tool::Span::Everything {
            continue;
        }
        let example: Value = serde_json::from_str(tool.examples[0]).unwrap();
        for (selector, value, message) in [
            ("project_id", json!(rival.uuid), "unknown_project_id"),
            ("project_ids", json!([rival.uuid]), "unknown_project_id"),
            ("project_slug", json!(rival.slug), "unknown_project_slug"),
        ] {
            let mut arguments = example.clone();
            arguments[selector] = value;
            let reply = world.call(&world.acme.ak, "/mcp/account", tool.name, arguments).await;
            let error = &reply.json()["error"];
            assert_eq!((&error["code"], &error["message"]), (&json!(-32004), &json!(message)), "{} {selector}", tool.name);
        }
    }
}

/// What one tenant sends or forgets changes nothing for another, even with the other's ids.
#[tokio::test]
async fn writes_stay_at_home() {
    let world = World::seeded().await;
    let rival = &world.rival.projects[0];
    let everything = "/v1/query?from=2000-01-01&to=2027-01-01&limit=1000&bots=include";
    let before = world.get(&rival.rk, everything).await.json()["rows"].clone();
    let shop = world.storefront();
    for (path, body) in [
        ("/v1/track", r#"{"event":"x","event_id":"canary-rival-shop-id-0","anonymous_id":"canary-rival-shop-visitor-0"}"#),
        ("/v1/batch", r#"{"events":[{"event":"x","event_id":"canary-rival-shop-id-1"}]}"#),
        (
            "/v1/import",
            r#"{"rows":[{"event":"x","event_id":"canary-rival-shop-id-3","timestamp":"2026-05-03T00:00:00Z","anonymous_id":"canary-rival-shop-visitor-0"}]}"#,
        ),
        ("/v1/identify", r#"{"anonymous_id":"canary-rival-shop-visitor-0","user_id":"canary-rival-shop-user"}"#),
        ("/v1/forget", r#"{"user_id":"canary-rival-shop-user"}"#),
        (
            "/public-api/v1/events/track",
            r#"{"event_name":"purchase","comet_token":"canary-rival-shop-visitor-0","order_id":"canary-rival-shop-id-0","email":"ann@example.com"}"#,
        ),
        ("/v1/spend", r#"{"rows":[{"source":"radio","account_id":"canary-rival-shop","date":"2026-05-01","spend":"1"}]}"#),
    ] {
        let reply = world.post(&shop.sk, path, body).await;
        assert!(reply.status < 300, "{path}: {}", reply.text);
        assert!(!reply.text.contains(r#""duplicate""#), "ids are per workspace: {path}: {}", reply.text);
    }
    world.call(&shop.sk, "/mcp", "track_event", json!({ "event": "x", "event_id": "canary-rival-shop-id-2" })).await;
    assert_eq!(world.get(&rival.rk, everything).await.json()["rows"], before);
    // Nor does a publishable key work from a page another tenant listed but its own did not.
    let request = with_key(Request::post("/v1/track"), &rival.pk).header("origin", "https://shop.acme.example.evil");
    assert_eq!(world.send(request.body(Body::from(r#"{"event":"x"}"#)).unwrap()).await.status, 403);
}

#[test]
fn every_tool_stands_at_a_door() {
    for tool in TOOLS {
        let is_listed = DOORS.iter().any(|door| door.catalogue.iter().any(|listed| listed.tool.name == tool.name));
        assert!(is_listed, "{} is in no catalogue", tool.name);
    }
}
