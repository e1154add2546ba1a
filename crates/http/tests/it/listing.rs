//! The lists an agent reads: whole, per door and kind of key; and rules that hold over every entry.

use serde_json::{Value, json};

use crate::world::World;

#[tokio::test]
async fn what_each_key_is_shown() {
    let world = World::seeded().await;
    let shop = world.storefront();
    for (name, key, door) in
        [("tools_rk", &shop.rk, "/mcp"), ("tools_sk", &shop.sk, "/mcp"), ("tools_ak", &world.acme.ak, "/mcp/account")]
    {
        let reply = world.rpc(key, door, "tools/list", json!({})).await;
        let names: Vec<Value> =
            reply.json()["result"]["tools"].as_array().unwrap().iter().map(|tool| tool["name"].clone()).collect();
        match name {
            "tools_rk" => assert_eq!(json!(names), json!(["query_events", "get_stats", "top_sources", "funnel"])),
            "tools_sk" => assert_eq!(json!(names), json!(["track_event", "query_events", "get_stats", "top_sources", "funnel"])),
            _ => assert_eq!(
                json!(names),
                json!(["list_projects", "query_events", "get_stats", "top_sources", "funnel", "compare_projects"])
            ),
        }
        insta::assert_snapshot!(name, reply.whole(&world));
    }
    let resources = world.rpc(&shop.rk, "/mcp", "resources/list", json!({})).await;
    insta::assert_snapshot!("resources_key", resources.whole(&world));
    let resources = world.rpc(&world.acme.ak, "/mcp/account", "resources/list", json!({})).await;
    insta::assert_snapshot!("resources_account", resources.whole(&world));
}

#[tokio::test]
async fn rules_over_every_tool() {
    let world = World::seeded().await;
    for (key, door) in [(&world.storefront().sk, "/mcp"), (&world.acme.ak, "/mcp/account")] {
        let listing = world.rpc(key, door, "tools/list", json!({})).await.json()["result"]["tools"].clone();
        let mut names = Vec::new();
        for tool in listing.as_array().unwrap() {
            let name = tool["name"].as_str().unwrap();
            assert!(!names.contains(&name), "{name} stands there twice");
            names.push(name);
            assert!(tool["description"].as_str().unwrap().len() >= 80, "{name} needs a description a model can act on");
            for schema in ["inputSchema", "outputSchema"] {
                assert_eq!(tool[schema]["type"], json!("object"), "{name} {schema}");
                jsonschema::draft202012::new(&tool[schema]).unwrap();
                assert!(!tool[schema].to_string().contains("$ref"), "{name} {schema} has references");
                describes_every_field(name, &tool[schema]);
            }
            assert_eq!(tool["inputSchema"]["additionalProperties"], json!(false), "{name}");
            assert_eq!(tool["annotations"]["openWorldHint"], json!(false), "{name}");
        }
    }
}

fn describes_every_field(name: &str, schema: &Value) {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
    for (field, property) in properties {
        let described = property.get("description").and_then(Value::as_str).is_some_and(|text| text.len() >= 8);
        assert!(described, "{name}: `{field}` needs a description: {property}");
        describes_every_field(name, property);
        if let Some(items) = property.get("items") {
            describes_every_field(name, items);
        }
    }
}

/// Every example passes its own schema, and every result passes its output schema.
#[tokio::test]
async fn examples_and_results_fit_their_schemas() {
    let world = World::seeded().await;
    for (key, door) in [(&world.storefront().sk, "/mcp"), (&world.acme.ak, "/mcp/account")] {
        let listing = world.rpc(key, door, "tools/list", json!({})).await.json()["result"]["tools"].clone();
        for tool in listing.as_array().unwrap() {
            let name = tool["name"].as_str().unwrap();
            let definition = tributary_mcp::tools::TOOLS.iter().find(|definition| definition.name == name).unwrap();
            let output = jsonschema::draft202012::new(&tool["outputSchema"]).unwrap();
            for example in definition.examples {
                let arguments: Value = serde_json::from_str(example).unwrap();
                let reply = world.call(key, door, name, arguments).await.json();
                let structured = &reply["result"]["structuredContent"];
                assert!(structured.is_object(), "{name}: {reply}");
                let problems: Vec<String> = output.iter_errors(structured).map(|error| error.to_string()).collect();
                assert!(problems.is_empty(), "{name}: {problems:?}");
            }
        }
    }
}
