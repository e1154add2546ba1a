//! The audit log: complete, in order, and impossible to change unnoticed.

use std::collections::HashSet;

use crate::world::{World, code};
use tributary_control::{AuditEntry, AuditFilter};
use tributary_core::error::Code;
use tributary_core::ids::{KeyId, WorkspaceId};
use tributary_core::time::SECOND_US;

const DROP_GUARDS: &str = "DROP TRIGGER mcp_audit_log_no_update; DROP TRIGGER mcp_audit_log_no_delete;
    DROP TRIGGER mcp_audit_log_only_append; DROP TRIGGER mcp_audit_head_no_delete;
    DROP TRIGGER mcp_audit_head_only_forward; DROP TRIGGER mcp_audit_head_once;";

async fn with_rows(rows: usize) -> World {
    let world = World::new().await;
    for n in 0..rows {
        world.clock.advance_us(SECOND_US);
        world.control.audit(world.entry(&format!("tool_{n}"))).await.unwrap();
    }
    world
}

#[tokio::test]
async fn a_row_is_stored_as_it_happened() {
    let world = World::new().await;
    let id = world.control.new_correlation_id();
    let first = AuditEntry {
        correlation_id: Some(id),
        space: Some(WorkspaceId(3)),
        user: Some(4),
        token: Some(KeyId(5)),
        client_ip: Some("2001:db8:1:2::9".parse().unwrap()),
        client_user_agent: Some(format!("agent\r\n{}", "x".repeat(400))),
        outcome: Err(Code::InvalidParams),
        ..world.entry("query_events")
    };
    assert_eq!(world.control.audit(first).await.unwrap(), id.to_string());
    world.clock.advance_us(SECOND_US);
    let absent = AuditEntry { client_ip: None, client_user_agent: None, was_internal: true, ..world.entry("get_stats") };
    world.control.audit(absent).await.unwrap();
    insta::assert_debug_snapshot!(world.control.list_audit(10, &AuditFilter::default()).await.unwrap());
}

#[tokio::test]
async fn equal_arguments_have_equal_digests_that_nobody_else_can_compute() {
    let (world, other) = (World::new().await, World::new().await);
    let digest = |text: &str| world.control.digest_arguments(&serde_json::from_str(text).unwrap());
    let one = digest(r#"{"a":1,"b":{"x":[1,2],"y":"ä"}}"#);
    assert_eq!(one, digest(r#"{ "b": {"y":"ä","x":[1,2]}, "a":1 }"#));
    assert_ne!(one, digest(r#"{"a":1,"b":{"x":[2,1],"y":"ä"}}"#));
    assert_ne!(digest("null"), digest("{}"));
    assert_eq!(one.as_str().len(), 64);
    // Both worlds draw the same randomness; another installation does not.
    other.control.close().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let stranger =
        tributary_control::Control::open(folder.path(), world.clock.clone(), tributary_core::entropy::SeededEntropy::new(9));
    assert_ne!(stranger.await.unwrap().digest_arguments(&serde_json::json!(null)), digest("null"));
}

#[tokio::test]
async fn rows_are_listed_newest_first_and_filtered() {
    let world = World::new().await;
    for (tool, space, outcome) in
        [("a", 1, Ok(())), ("b", 1, Err(Code::NotFound)), ("a", 2, Ok(())), ("a", 1, Err(Code::NotFound))]
    {
        world.clock.advance_us(SECOND_US);
        world.control.audit(AuditEntry { space: Some(WorkspaceId(space)), outcome, ..world.entry(tool) }).await.unwrap();
    }
    let cases = [
        (AuditFilter::default(), vec![4, 3, 2, 1]),
        (AuditFilter { space: Some(WorkspaceId(1)), ..Default::default() }, vec![4, 2, 1]),
        (AuditFilter { tool_name: Some("a".into()), ..Default::default() }, vec![4, 3, 1]),
        (AuditFilter { outcome: Some(Err(Code::NotFound)), ..Default::default() }, vec![4, 2]),
        (AuditFilter { outcome: Some(Ok(())), ..Default::default() }, vec![3, 1]),
        (AuditFilter { since_us: Some(crate::world::NOW_US + 3 * SECOND_US), ..Default::default() }, vec![4, 3]),
        (AuditFilter { before_seq: Some(3), ..Default::default() }, vec![2, 1]),
        (AuditFilter { token: Some(KeyId(1)), ..Default::default() }, vec![]),
    ];
    for (filter, expected) in cases {
        let rows = world.control.list_audit(100, &filter).await.unwrap();
        assert_eq!(rows.iter().map(|row| row.seq).collect::<Vec<_>>(), expected, "{filter:?}");
    }
    assert_eq!(world.control.list_audit(1, &AuditFilter::default()).await.unwrap().len(), 1);
    assert_eq!(world.control.list_audit(0, &AuditFilter::default()).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_tasks_write_one_chain() {
    let world = World::new().await;
    let tasks: Vec<_> = (0..16)
        .map(|task| {
            let control = world.control.clone();
            let entries: Vec<_> = (0..50).map(|n| world.entry(&format!("tool_{task}_{n}"))).collect();
            tokio::spawn(async move {
                let mut ids = Vec::new();
                for (n, entry) in entries.into_iter().enumerate() {
                    ids.push(if n % 2 == 0 { control.audit(entry).await.unwrap() } else { control.audit_queue(entry).unwrap() });
                }
                ids
            })
        })
        .collect();
    let mut ids = HashSet::new();
    for task in tasks {
        ids.extend(task.await.unwrap());
    }
    let report = world.control.verify_audit().await.unwrap();
    assert!(report.is_intact(), "{report:?}");
    assert_eq!((report.rows, report.head.seq, world.control.audit_lost()), (800, 800, 0));
    let rows = world.control.list_audit(1_000, &AuditFilter::default()).await.unwrap();
    assert_eq!(rows.into_iter().map(|row| row.correlation_id).collect::<HashSet<_>>(), ids);
}

#[tokio::test]
async fn the_chain_goes_on_after_a_restart() {
    let world = with_rows(3).await;
    world.control.audit_queue(world.entry("queued")).unwrap();
    let world = world.restart().await;
    world.control.audit(world.entry("after")).await.unwrap();
    let report = world.control.verify_audit().await.unwrap();
    assert!(report.is_intact(), "{report:?}");
    assert_eq!(report.rows, 5);
}

#[tokio::test]
async fn one_row_that_cannot_be_written_takes_no_other_with_it() {
    let world = with_rows(1).await;
    let id = world.control.new_correlation_id();
    let named = || AuditEntry { correlation_id: Some(id), ..world.entry("twice") };
    let (a, b, c) =
        tokio::join!(world.control.audit(named()), world.control.audit(named()), world.control.audit(world.entry("bystander")),);
    a.unwrap();
    assert_eq!(code(b), Code::Internal);
    c.unwrap();
    world.control.audit_queue(named()).unwrap();
    world.control.flush().await.unwrap();
    assert_eq!(world.control.audit_lost(), 1);
    let report = world.control.verify_audit().await.unwrap();
    assert_eq!((report.is_intact(), report.rows), (true, 3));
}

#[tokio::test]
async fn a_full_queue_refuses_and_loses_nothing_it_took() {
    let world = World::new().await;
    // The test's one thread never yields in this loop, so the writer cannot take anything out.
    let mut accepted = 0;
    let refusal = loop {
        match world.control.audit_queue(world.entry("burst")) {
            Ok(_) => accepted += 1,
            Err(error) => break error,
        }
        assert!(accepted < 100_000, "the queue has a bound");
    };
    assert_eq!(refusal.code(), Code::Overloaded);
    assert_eq!(world.control.verify_audit().await.unwrap().rows, accepted);
}

#[tokio::test]
async fn the_database_itself_refuses_changes() {
    let world = with_rows(3).await;
    let refused = [
        "UPDATE mcp_audit_log SET outcome = 'ok' WHERE seq = 2",
        "UPDATE mcp_audit_log SET hash = hash",
        "DELETE FROM mcp_audit_log",
        "DELETE FROM mcp_audit_log WHERE seq = 3",
        "INSERT OR REPLACE INTO mcp_audit_log SELECT * FROM mcp_audit_log WHERE seq = 2",
        "INSERT INTO mcp_audit_log SELECT 0, 'x', at_us, door, tool_name, args_digest, 0, 0, NULL, NULL, NULL, NULL, NULL, 0, outcome, prev_hash, hash FROM mcp_audit_log WHERE seq = 1",
        "INSERT OR REPLACE INTO mcp_audit_log SELECT 4, correlation_id, at_us, door, tool_name, args_digest, 0, 0, NULL, NULL, NULL, NULL, NULL, 0, outcome, prev_hash, hash FROM mcp_audit_log WHERE seq = 1",
        "DELETE FROM mcp_audit_head",
        "UPDATE mcp_audit_head SET seq = 1",
        "INSERT OR REPLACE INTO mcp_audit_head VALUES (1, 9, 'x', 'x')",
    ];
    for sql in refused {
        let complaint = world.tamper(sql).await.unwrap_or_else(|| panic!("accepted: {sql}"));
        assert!(complaint.contains("mcp_audit"), "{sql}: {complaint}");
    }
    let report = world.control.verify_audit().await.unwrap();
    assert_eq!((report.is_intact(), report.rows), (true, 3));
}

#[tokio::test]
async fn tampering_past_the_guards_is_found_and_named() {
    let changed = "a column was changed: the row does not have the hash it carries";
    let moved = "the row does not follow the one before: it carries another hash of it";
    let unsealed = "the sealed head is missing or was not sealed with this secret.key";
    for (sql, seq, reason) in [
        ("UPDATE mcp_audit_log SET outcome = 'not_found' WHERE seq = 3", 3, changed),
        ("UPDATE mcp_audit_log SET space_id = 7 WHERE seq = 1", 1, changed),
        ("UPDATE mcp_audit_log SET client_ip = NULL WHERE seq = 5", 5, changed),
        ("UPDATE mcp_audit_log SET at_us = at_us + 1 WHERE seq = 2", 2, changed),
        ("UPDATE mcp_audit_log SET prev_hash = hash WHERE seq = 2", 2, changed),
        ("UPDATE mcp_audit_log SET hash = prev_hash WHERE seq = 4", 4, changed),
        ("DELETE FROM mcp_audit_log WHERE seq = 1", 1, "rows 1 to 1 are missing"),
        ("DELETE FROM mcp_audit_log WHERE seq IN (2, 3)", 2, "rows 2 to 3 are missing"),
        ("DELETE FROM mcp_audit_log WHERE seq = 5", 5, "rows 5 to 5 were cut off the end"),
        ("DELETE FROM mcp_audit_log WHERE seq > 2", 3, "rows 3 to 5 were cut off the end"),
        ("DELETE FROM mcp_audit_log", 1, "rows 1 to 5 were cut off the end"),
        (
            "DELETE FROM mcp_audit_log WHERE seq = 5; UPDATE mcp_audit_head SET seq = 4, hash = (SELECT hash FROM mcp_audit_log WHERE seq = 4)",
            4,
            unsealed,
        ),
        ("DELETE FROM mcp_audit_head", 5, unsealed),
        ("UPDATE mcp_audit_log SET seq = 9 WHERE seq = 5", 5, "rows 5 to 8 are missing"),
        (
            "UPDATE mcp_audit_log SET seq = 99 WHERE seq = 2; UPDATE mcp_audit_log SET seq = 2 WHERE seq = 3; UPDATE mcp_audit_log SET seq = 3 WHERE seq = 99",
            2,
            changed,
        ),
    ] {
        let world = with_rows(5).await;
        assert_eq!(world.tamper(DROP_GUARDS).await, None);
        assert_eq!(world.tamper(sql).await, None, "{sql}");
        let fault = world.control.verify_audit().await.unwrap().fault.unwrap_or_else(|| panic!("not found: {sql}"));
        assert_eq!((fault.seq, fault.reason.as_str()), (seq, reason), "{sql}");

        // Neither a restart nor further rows heal it. A cut tail shows as a gap then.
        let world = world.restart().await;
        world.control.audit(world.entry("later")).await.unwrap();
        let fault = world.control.verify_audit().await.unwrap().fault.unwrap_or_else(|| panic!("healed: {sql}"));
        assert!(fault.seq >= seq, "{sql}: {fault:?}");
        assert!(
            [changed, moved, unsealed].contains(&fault.reason.as_str()) || fault.reason.ends_with("are missing"),
            "{fault:?}"
        );
    }
}

#[tokio::test]
async fn a_row_that_fits_the_chain_but_was_not_written_here_is_found() {
    let (world, twin) = (with_rows(3).await, with_rows(4).await);
    // Same seed, same clock: the twin's fourth row fits the chain, as a forger could compute it.
    let forged = &twin.control.list_audit(1, &AuditFilter::default()).await.unwrap()[0];
    assert_eq!(forged.prev_hash, world.control.list_audit(1, &AuditFilter::default()).await.unwrap()[0].hash);
    sqlx::query("INSERT INTO mcp_audit_log SELECT 4, $1, $2, door, 'tool_3', args_digest, latency_ms, output_size_bytes, NULL, NULL, NULL, client_user_agent, client_ip, 0, 'ok', $3, $4 FROM mcp_audit_log WHERE seq = 1")
        .bind(&forged.correlation_id)
        .bind(forged.at_us)
        .bind(&forged.prev_hash)
        .bind(&forged.hash)
        .execute(&mut world.raw().await)
        .await
        .unwrap();
    let fault = world.control.verify_audit().await.unwrap().fault.expect("found");
    assert_eq!((fault.seq, fault.reason.as_str()), (4, "the log goes on after its sealed head, row 3, or was rewritten"));
    let world = world.restart().await;
    world.control.audit(world.entry("later")).await.unwrap();
    assert_eq!(world.control.verify_audit().await.unwrap().fault.expect("not healed").seq, 5);
}
