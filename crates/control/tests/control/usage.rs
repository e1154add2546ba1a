//! Usage counters: in memory, on disk, over months and restarts.

use crate::world::{NOW_US, World};
use tributary_control::{Rejected, Usage};
use tributary_core::ids::WorkspaceId;
use tributary_core::time::{DAY_US, SECOND_US};

fn rejected(reason: &str, count: u64, last_us: i64) -> Rejected {
    Rejected { reason: reason.into(), count, last_us }
}

#[tokio::test]
async fn counters_add_up_in_memory_and_on_disk() {
    let world = World::new().await;
    let account = world.account("A").await;
    let (one, two) = (world.workspace(account.id, "one").await, world.workspace(account.id, "two").await);
    assert_eq!(world.control.usage(one.id).await.unwrap(), Usage { month: "2026-05".into(), ..Default::default() });

    world.control.note_accepted(one.id, 3, NOW_US - SECOND_US);
    world.control.note_rejected(one.id, "invalid_payload", 2);
    world.control.flush().await.unwrap();
    world.clock.advance_us(SECOND_US);
    world.control.note_accepted(one.id, 4, NOW_US);
    world.control.note_accepted(one.id, 0, NOW_US + DAY_US);
    world.control.note_accepted(two.id, 100, NOW_US);
    world.control.note_rejected(one.id, "invalid_payload", 1);
    world.control.note_rejected(one.id, "origin_not_allowed", 9);
    world.control.note_rejected(one.id, "rate_limited", 0);
    let expected = Usage {
        month: "2026-05".into(),
        month_events: 7,
        last_event_us: Some(NOW_US),
        rejected: vec![rejected("origin_not_allowed", 9, NOW_US + SECOND_US), rejected("invalid_payload", 3, NOW_US + SECOND_US)],
    };
    assert_eq!(world.control.usage(one.id).await.unwrap(), expected, "half of it in memory");
    assert_eq!(world.control.account_month_events(account.id).await.unwrap(), 107);
    world.control.flush().await.unwrap();
    assert_eq!(world.control.usage(one.id).await.unwrap(), expected, "all on disk");
    let world = world.restart().await;
    assert_eq!(world.control.usage(one.id).await.unwrap(), expected, "after a restart");
    assert_eq!(world.control.account_month_events(account.id).await.unwrap(), 107);

    world.control.delete_workspace(two.id).await.unwrap();
    assert_eq!(world.control.account_month_events(account.id).await.unwrap(), 107, "deleting does not win back a quota");
}

#[tokio::test]
async fn a_new_month_starts_at_nothing() {
    let world = World::new().await;
    let account = world.account("A").await;
    let workspace = world.workspace(account.id, "one").await;
    world.control.note_accepted(workspace.id, 5, NOW_US);
    world.control.note_accepted(workspace.id, 6, NOW_US + 17 * DAY_US);
    let month_events = async || world.control.usage(workspace.id).await.unwrap().month_events;
    assert_eq!(month_events().await, 5);
    world.clock.advance_us(17 * DAY_US);
    assert_eq!(month_events().await, 6, "June");
    world.control.flush().await.unwrap();
    assert_eq!(month_events().await, 6);
    world.clock.advance_us(60 * DAY_US);
    let usage = world.control.usage(workspace.id).await.unwrap();
    assert_eq!((usage.month.as_str(), usage.month_events, usage.last_event_us), ("2026-07", 0, Some(NOW_US + 17 * DAY_US)));
    assert_eq!(world.control.account_month_events(account.id).await.unwrap(), 0);
}

#[tokio::test]
async fn reasons_and_strangers_are_bounded() {
    let world = World::new().await;
    let account = world.account("A").await;
    let workspace = world.workspace(account.id, "one").await;
    for n in 0..1_000 {
        world.control.note_rejected(workspace.id, &format!("reason_{n}"), 1);
    }
    world.control.note_accepted(WorkspaceId(99), 1, NOW_US);
    world.control.flush().await.expect("a workspace that does not exist hurts nobody");
    let usage = world.control.usage(workspace.id).await.unwrap();
    assert_eq!(usage.rejected.len(), 65);
    assert_eq!(usage.rejected[0], rejected("other", 936, NOW_US));
    assert_eq!(world.control.usage(WorkspaceId(99)).await.unwrap().month_events, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn flushing_never_shows_a_smaller_count() {
    let world = World::new().await;
    let account = world.account("A").await;
    let workspace = world.workspace(account.id, "one").await;
    let flusher = {
        let control = world.control.clone();
        tokio::spawn(async move {
            for _ in 0..50 {
                control.flush().await.unwrap();
            }
        })
    };
    let mut before = 0;
    for n in 1..=200 {
        world.control.note_accepted(workspace.id, 1, NOW_US);
        let seen = world.control.usage(workspace.id).await.unwrap().month_events;
        assert!(seen >= before && seen == n, "{seen} after {before}");
        before = seen;
    }
    flusher.await.unwrap();
}
