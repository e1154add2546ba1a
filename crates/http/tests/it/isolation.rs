//! No answer of one tenant holds anything of another: every route, every tool, with ids of the other side.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use tributary_mcp::door::{ACCOUNT_DOOR, DOORS, KEY_DOOR};
use tributary_mcp::tools::TOOLS;

use crate::world::{World, with_key};

/// Text that belongs to the rival and must not be seen by Acme: ids, slugs, canaries.
fn canaries(world: &World) -> Vec<String> {
    let mut canaries = vec![String::from("canary"), String::from("rival")];
    canaries.extend(world.rival.projects.iter().map(|project| project.workspace.uuid.to_string()));
    canaries
}

#[tokio::test]
async fn acme_never_sees_the_rival() {
    let world = World::seeded().await;
    let canaries = canaries(&world);
    let rival = world.rival.projects[0].workspace.uuid.to_string();
    let mut replies: Vec<(String, String)> = Vec::new();
    let shop = world.storefront();

    for path in [
        "/v1/query?from=2000-01-01&to=2027-01-01&limit=1000&bots=include".to_owned(),
        "/v1/query?from=2000-01-01&to=2027-01-01&event=canary-rival-shop-event".to_owned(),
        "/v1/query?from=2000-01-01&to=2027-01-01&user_id=canary-rival-shop-user".to_owned(),
        "/v1/stats?from=2000-01-01&to=2027-01-01&bots=include&group_by=event_name,source,campaign,path".to_owned(),
        "/v1/sources?from=2000-01-01&to=2027-01-01".to_owned(),
        "/metrics".to_owned(),
        "/readyz".to_owned(),
        format!("/v1/stats?from=2000-01-01&to=2027-01-01&project_id={rival}"),
    ] {
        let asked = path.contains("canary") || path.contains(&rival);
        let reply = world.get(&shop.rk, &path).await;
        // An answer may repeat what was asked; it may not know more.
        let text = if asked { reply.text.replace("canary-rival-shop-event", "").replace(&rival, "") } else { reply.text };
        replies.push((path, text));
    }
    for door in DOORS {
        let keys = if door.path == KEY_DOOR.path { vec![&shop.sk, &shop.rk] } else { vec![&world.acme.ak] };
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
    for (name, text) in &replies {
        for canary in &canaries {
            assert!(!text.contains(canary.as_str()), "{name} shows `{canary}`: {text}");
        }
    }
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
        ("/v1/identify", r#"{"anonymous_id":"canary-rival-shop-visitor-0","user_id":"canary-rival-shop-user"}"#),
        ("/v1/forget", r#"{"user_id":"canary-rival-shop-user"}"#),
    ] {
        let reply = world.post(&shop.sk, path, body).await;
        assert!(reply.status < 300, "{path}: {}", reply.text);
        assert_eq!(reply.json().get("status").filter(|status| **status == json!("duplicate")), None, "ids are per workspace");
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
