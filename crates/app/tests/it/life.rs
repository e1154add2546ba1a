//! The whole life of an installation, with the real binary: made, served, asked, guarded, copied, forgotten.

use crate::support::{Scratch, ended, get, post, text};
use serde_json::json;
use std::fs;
use std::io::{Read, Write};

#[tokio::test(flavor = "multi_thread")]
async fn an_installation_lives() {
    let scratch = Scratch::new();
    let account = scratch.json(&["account", "create", "--name", "Acme Agency", "--plan", "pro"]);
    assert_eq!((account["id"].as_i64(), text(&account, "/plan")), (Some(1), "pro"));
    let shop = scratch.json(&[
        "workspace",
        "create",
        "--account",
        "1",
        "--name",
        "Acme Shop",
        "--slug",
        "acme-shop",
        "--timezone",
        "Europe/Berlin",
        "--currency",
        "EUR",
        "--origin",
        "https://shop.example",
    ]);
    let (sk, rk) = (text(&shop, "/keys/sk").to_owned(), text(&shop, "/keys/rk").to_owned());

    // Commands reach the running server through its socket: the port was not known before.
    let server = scratch.serve();
    let owner: serde_json::Value =
        serde_json::from_slice(&fs::read(scratch.data().join("owner.json")).expect("there")).expect("JSON");
    assert_eq!((text(&owner, "/url"), owner["pid"].as_u64()), (server.url.as_str(), Some(u64::from(server.pid()))));

    let track = format!("{}/v1/track", server.url);
    for number in 0..3 {
        let event = json!({ "event": "signup", "event_id": format!("e{number}"), "anonymous_id": format!("v{number}"), "user_id": format!("u{number}") });
        assert_eq!(post(&track, &sk, event).await.0, 202);
    }
    let names = scratch.json(&["query", "names", "--workspace", "acme-shop"]);
    assert_eq!((text(&names, "/rows/0/event_name"), names["rows"][0]["events"].as_u64()), ("signup", Some(3)));
    let listed = scratch.json(&["workspace", "list"]);
    assert_eq!(text(&listed, "/0/doors/mcp"), format!("{}/mcp", server.url), "the door's address is the running server's");
    assert_eq!((listed[0]["holdings"]["events"].as_u64(), listed[0]["month_events"].as_u64()), (Some(3), Some(3)));

    // A second owner is refused at once, naming the first.
    let (code, message) = scratch.refusal(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(code, 4);
    assert!(message.contains(&server.url) && message.contains("stop it first"), "{message}");

    // Changes made by commands hold on the running server at once.
    let account_door = format!("{}/mcp/account", server.url);
    let list_tools = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
    let ak = scratch.json(&["key", "create", "--account", "1", "--kind", "ak", "--label", "agency"]);
    assert_eq!(post(&account_door, text(&ak, "/token"), list_tools.clone()).await.0, 402, "the pro plan has no account door");
    scratch.json(&["account", "set-plan", "--account", "1", "--plan", "business"]);
    assert_eq!(post(&account_door, text(&ak, "/token"), list_tools.clone()).await.0, 200);
    scratch.text(&["account", "set-limits", "--account", "1", "--monthly-events", "3"]);
    assert_eq!(post(&track, &sk, json!({ "event": "one too many" })).await.1["error"], "plan_limit");
    scratch.text(&["account", "set-limits", "--account", "1", "--monthly-events", "none"]);
    let rotated = scratch.json(&["key", "rotate", &rk[..16]]);
    let read = format!("{}/v1/query?from=2020-01-01&to=2100-01-01", server.url);
    assert_eq!(get(&read, &rk).await.1["error"], "invalid_api_key");
    assert_eq!(get(&read, text(&rotated, "/token")).await.0, 200);
    scratch.text(&["key", "revoke", &sk[..16]]);
    assert_eq!(
        post(&track, &sk, json!({ "event": "signup" })).await,
        (401, json!({ "error": "invalid_api_key", "message": "the key is unknown or revoked, or its secret is wrong" }))
    );

    // One tool call: one row of the audit log.
    let call =
        json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": { "name": "list_projects", "arguments": {} } });
    assert_eq!(post(&account_door, text(&ak, "/token"), call).await.0, 200);

    // A backup of the running server.
    let copy = scratch.path("copy");
    let copied = scratch.json(&["backup", "--to", copy.to_str().expect("text")]);
    assert!(copied["files"].as_u64() >= Some(3), "{copied}");
    assert_eq!(scratch.refusal(&["backup", "--to", copy.to_str().expect("text")]).0, 4, "never over an older one");

    // Forgetting one person.
    let erased = scratch.json(&["erase", "--workspace", "acme-shop", "--user", "u1", "--now"]);
    assert_eq!((erased["events"].as_u64(), erased["from_disk"].as_bool()), (Some(1), Some(true)));
    assert_eq!(scratch.json(&["doctor"])["ok"], true);
    assert_eq!(server.stop(), 0, "a graceful stop");
    assert!(!scratch.data().join("owner.json").exists() && !scratch.data().join("tributary.sock").exists());

    // Without a server the same commands open the folder themselves.
    let stats =
        scratch.json(&["query", "stats", "--workspace", "1", "--metric", "events", "--metric", "visitors", "--last", "1d"]);
    assert_eq!(stats["totals"], json!({ "events": 2, "visitors": 2 }));
    let audit = scratch.json(&["audit", "list", "--workspace", "acme-shop"]);
    let whole = scratch.json(&["audit", "list"]);
    assert_eq!(whole[0]["tool_name"], "list_projects", "{whole} {audit}");
    assert_eq!(scratch.json(&["audit", "verify"])["intact"], true);
    assert_eq!(scratch.json(&["doctor"])["ok"], true);

    // The copy is a data folder of its own, as of the backup.
    let restored = scratch.path("restored");
    let restore = scratch.command(&restored, &["restore", "--from", copy.to_str().expect("text")]);
    assert_eq!(ended(restore).code, 0);
    let again = scratch.command(&restored, &["restore", "--from", copy.to_str().expect("text")]);
    assert_eq!(ended(again).code, 4, "never into a folder that holds something");
    let counted = ended(scratch.command(&restored, &["query", "names", "--workspace", "acme-shop", "--json"]));
    let counted: serde_json::Value = serde_json::from_str(&counted.stdout).expect("JSON");
    assert_eq!(counted["rows"][0]["events"], 3, "with the person who was forgotten later");
    assert_eq!(ended(scratch.command(&restored, &["doctor"])).code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_leaves_a_folder_that_opens() {
    let scratch = Scratch::new();
    let shop = scratch.workspace("shop", "UTC");
    let server = scratch.serve();
    let track = format!("{}/v1/track", server.url);
    let sent = post(&track, text(&shop, "/keys/sk"), json!({ "event": "signup", "anonymous_id": "v" })).await;
    assert_eq!(sent.0, 202);
    server.kill();
    assert!(scratch.data().join("tributary.sock").exists(), "nobody tidied up");
    assert_eq!(scratch.json(&["query", "names", "--workspace", "shop"])["rows"][0]["events"], 1);
    assert_eq!(scratch.serve().stop(), 0, "the next server takes the socket's place");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_with_a_long_path_is_reached_too() {
    let scratch = Scratch::new();
    let deep = scratch.path(&"deep".repeat(40)).join("data");
    let server = scratch.serve_in(&deep);
    let listed = ended(scratch.command(&deep, &["account", "create", "--name", "Far"]));
    assert_eq!(listed.code, 0, "{listed:?}");
    let owner: serde_json::Value = serde_json::from_slice(&fs::read(deep.join("owner.json")).expect("there")).expect("JSON");
    let socket = std::path::PathBuf::from(text(&owner, "/socket"));
    assert!(socket.exists() && !socket.starts_with(&deep));
    assert_eq!(server.stop(), 0);
    assert!(!socket.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_a_workspace_takes_its_keys_and_events() {
    let scratch = Scratch::new();
    let shop = scratch.workspace("shop", "UTC");
    let server = scratch.serve();
    let track = format!("{}/v1/track", server.url);
    let sk = text(&shop, "/keys/sk");
    assert_eq!(post(&track, sk, json!({ "event": "signup", "anonymous_id": "v" })).await.0, 202);
    let (code, message) = scratch.refusal(&["workspace", "delete", "--workspace", "shop"]);
    assert_eq!(code, 2);
    assert!(message.contains("--yes"), "{message}");
    assert_eq!(scratch.json(&["workspace", "delete", "--workspace", "shop", "--yes"])["events"], 1);
    assert_eq!(post(&track, sk, json!({ "event": "signup" })).await.0, 401);
    assert_eq!(scratch.refusal(&["query", "names", "--workspace", "shop"]).0, 3);
    assert_eq!(scratch.json(&["workspace", "list"]), json!([]));
    assert_eq!(server.stop(), 0);
}

#[test]
fn what_does_not_exist_is_said_with_what_does() {
    let scratch = Scratch::new();
    let (code, message) = scratch.refusal(&["workspace", "list"]);
    assert_eq!(code, 3);
    assert!(message.contains("tributary account create"), "{message}");
    assert!(!scratch.data().exists(), "asking makes no folder");
    scratch.workspace("shop", "UTC");
    for (arguments, code, part) in [
        (&["query", "names", "--workspace", "shp"][..], 3, "known: shop"),
        (&["key", "list", "--account", "99"][..], 3, "99"),
        (&["key", "revoke", "00000000"][..], 3, "no key has this prefix"),
        (&["key", "create", "--workspace", "shop", "--kind", "ak"][..], 2, "account"),
        (&["workspace", "create", "--account", "1", "--name", "Shop", "--slug", "shop"][..], 4, "shop"),
        (
            &["workspace", "create", "--account", "1", "--name", "Shop", "--slug", "two", "--timezone", "Mars/Olympus"][..],
            2,
            "Europe/Berlin",
        ),
        (&["workspace", "create", "--account", "1", "--name", "Shop", "--slug", "two", "--currency", "EURO"][..], 2, "ISO 4217"),
        (&["workspace", "update", "--workspace", "shop", "--origin", "shop.example"][..], 2, "https://"),
        (&["restore", "--from", "nowhere"][..], 3, "tributary backup"),
    ] {
        let (found, message) = scratch.refusal(arguments);
        assert_eq!(found, code, "{arguments:?}: {message}");
        assert!(message.contains(part), "{arguments:?}: {message}");
    }
}

#[test]
fn doctor_tells_problems_and_what_to_do() {
    let scratch = Scratch::new();
    scratch.workspace("shop", "UTC");
    assert_eq!(scratch.run(&["doctor"]).code, 0);
    let mut command = scratch.command(&scratch.data(), &["doctor", "--json"]);
    command.env("TRIBUTARY__INGEST__GEO_DATABASE", "nowhere.mmdb").env("TRIBUTARY__SERVER__LISTEN", "0.0.0.0:8787");
    let found = ended(command);
    assert_eq!(found.code, 5, "{found:?}");
    let found: serde_json::Value = serde_json::from_str(&found.stdout).expect("JSON");
    let status = |check: &str| {
        let findings = found["findings"].as_array().expect("findings");
        findings.iter().find(|finding| finding["check"] == check).map(|finding| text(finding, "/status").to_owned())
    };
    assert_eq!(status("geo database").as_deref(), Some("problem"));
    assert_eq!(status("public address").as_deref(), Some("warning"));
    assert_eq!(status("disk space").as_deref(), Some("ok"));
    assert_eq!(status("memory").as_deref(), Some("ok"));
    assert!(
        found["findings"]
            .as_array()
            .expect("findings")
            .iter()
            .all(|finding| finding["status"] == "ok" || finding["advice"].is_string())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_beyond_the_bound_wait_and_idle_ones_do_not_hold_a_stop() {
    let scratch = Scratch::new();
    std::fs::create_dir_all(scratch.data()).expect("folder");
    std::fs::write(scratch.data().join("tributary.toml"), "[server]\nmax_connections = 1\nshutdown_grace_seconds = 3600\n")
        .expect("file");
    let server = scratch.serve();
    let address = server.url.strip_prefix("http://").expect("http").to_owned();
    let mut first = std::net::TcpStream::connect(&address).expect("connects");
    let ask = b"GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n";
    let mut answer = [0; 15];
    first.write_all(ask).expect("sent");
    first.read_exact(&mut answer).expect("answered");
    assert_eq!(&answer, b"HTTP/1.1 200 OK");
    let mut second = std::net::TcpStream::connect(&address).expect("the system's queue takes it");
    second.write_all(ask).expect("sent");
    drop(first);
    second.read_exact(&mut answer).expect("answered once the first has gone");
    assert_eq!(&answer, b"HTTP/1.1 200 OK");
    assert_eq!(server.stop(), 0, "an idle connection is closed, not waited for");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_past_the_retention_are_gone_once_a_server_starts() {
    let scratch = Scratch::new();
    let shop = scratch.workspace("shop", "UTC");
    let server = scratch.serve();
    let track = format!("{}/v1/track", server.url);
    for event in [json!({ "event": "old", "timestamp": "2026-05-04T10:00:00Z" }), json!({ "event": "new" })] {
        assert_eq!(post(&track, text(&shop, "/keys/sk"), event).await.0, 202);
    }
    let account = shop["account_id"].to_string();
    let said = scratch.text(&["account", "set-limits", "--account", &account, "--retention-days", "30"]);
    assert!(said.contains("events kept for 30 days"), "{said}");
    assert_eq!(scratch.json(&["workspace", "list"])[0]["retention_days"], 30);
    let (code, message) = scratch.refusal(&["account", "set-limits", "--account", &account, "--retention-days", "0"]);
    assert_eq!(code, 2, "{message}");
    assert_eq!(server.stop(), 0);

    let server = scratch.serve();
    let names = || {
        let answer = scratch.json(&["query", "names", "--workspace", "shop", "--from", "2020-01-01"]);
        answer["rows"].as_array().expect("rows").iter().map(|row| text(row, "/event_name").to_owned()).collect::<Vec<_>>()
    };
    let begin = std::time::Instant::now();
    while names() != ["new"] {
        assert!(begin.elapsed() < std::time::Duration::from_secs(30), "{:?}", names());
    }
    assert_eq!(server.stop(), 0);
}
