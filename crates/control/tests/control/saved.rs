//! What users save, and keys by which repeated requests are known.

use tributary_control::{NewSaved, SavedChange, SavedKind};
use tributary_core::error::Code;
use tributary_core::ids::SavedId;

use crate::world::{NOW_US, World, code};

const DAY_US: i64 = 86_400_000_000;

fn segment(name: &str) -> NewSaved {
    NewSaved { kind: SavedKind::Segment, name: name.into(), slug: None, definition: r#"{"filters":[]}"#.into() }
}

#[tokio::test]
async fn items_are_saved_changed_and_deleted() {
    let world = World::new().await;
    let (scope, other) = (world.scope("a").await, world.scope("b").await);
    let control = &world.control;
    let saved = control.create_saved(&scope, NewSaved { slug: Some("big-spenders".into()), ..segment(" Big spenders ") }).await;
    let saved = saved.unwrap();
    assert_eq!((saved.name.as_str(), saved.slug.as_deref()), ("Big spenders", Some("big-spenders")));
    for (new, code_of) in [
        (segment("BIG SPENDERS"), Code::Conflict),
        (NewSaved { slug: Some("big-spenders".into()), ..segment("x") }, Code::Conflict),
        (NewSaved { slug: Some("Big".into()), ..segment("x") }, Code::InvalidParams),
        (NewSaved { definition: "{".into(), ..segment("x") }, Code::InvalidParams),
        (NewSaved { definition: format!("\"{}\"", "x".repeat(64 * 1024)), ..segment("x") }, Code::InvalidParams),
        (segment(""), Code::InvalidParams),
        (segment(&"x".repeat(256)), Code::InvalidParams),
    ] {
        assert_eq!(code(control.create_saved(&scope, new.clone()).await), code_of, "{:.80}", format!("{new:?}"));
    }
    // Names are unique per kind and workspace.
    control.create_saved(&scope, NewSaved { kind: SavedKind::Report, ..segment("Big spenders") }).await.unwrap();
    control.create_saved(&other, segment("Big spenders")).await.unwrap();
    let second = control.create_saved(&scope, segment("second")).await.unwrap();

    world.clock.advance_us(5);
    let rename = |name: &str| SavedChange { name: Some(name.into()), ..SavedChange::default() };
    let changed = control.update_saved(&scope, saved.kind, saved.id, rename("big SPENDERS")).await.unwrap();
    assert_eq!((changed.name.as_str(), &changed.definition, changed.slug), ("big SPENDERS", &saved.definition, saved.slug));
    assert_eq!((changed.created_us, changed.updated_us), (NOW_US, NOW_US + 5));
    let taken = control.update_saved(&scope, saved.kind, second.id, rename("Big Spenders")).await.unwrap_err();
    assert_eq!((taken.code(), taken.message()), (Code::Conflict, "segment 1 has the name `Big Spenders` already"));
    assert_eq!(code(control.update_saved(&scope, saved.kind, saved.id, SavedChange::default()).await), Code::InvalidParams);

    for (scope, kind) in [(&other, SavedKind::Segment), (&scope, SavedKind::Report)] {
        assert_eq!(code(control.get_saved(scope, kind, saved.id).await), Code::NotFound);
        assert_eq!(code(control.update_saved(scope, kind, saved.id, rename("x")).await), Code::NotFound);
        assert_eq!(code(control.delete_saved(scope, kind, saved.id).await), Code::NotFound);
    }
    control.delete_saved(&scope, saved.kind, saved.id).await.unwrap();
    let left: Vec<SavedId> = control.list_saved(&scope, SavedKind::Segment).await.unwrap().iter().map(|saved| saved.id).collect();
    assert_eq!(left, [second.id]);
}

#[tokio::test]
async fn items_are_bounded_by_kind() {
    let world = World::new().await;
    let scope = world.scope("a").await;
    for number in 0..1_000 {
        world.control.create_saved(&scope, segment(&number.to_string())).await.unwrap();
    }
    assert_eq!(code(world.control.create_saved(&scope, segment("more")).await), Code::Conflict);
    world.control.create_saved(&scope, NewSaved { kind: SavedKind::Metric, ..segment("more") }).await.unwrap();
}

#[tokio::test]
async fn keys_are_known_for_thirty_days() {
    let world = World::new().await;
    let (scope, other) = (world.scope("a").await, world.scope("b").await);
    let control = &world.control;
    assert!(!control.is_key_used(&scope, "k").await.unwrap());
    assert!(control.note_key(&scope, "k").await.unwrap());
    assert!(!control.note_key(&scope, "k").await.unwrap(), "noted already");
    assert!(control.is_key_used(&scope, "k").await.unwrap());
    assert!(!control.is_key_used(&other, "k").await.unwrap());
    world.clock.advance_us(30 * DAY_US - 1);
    assert!(!control.note_key(&scope, "k").await.unwrap(), "noting again prolongs nothing");
    world.clock.advance_us(1);
    assert!(!control.is_key_used(&scope, "k").await.unwrap());
    // Another key's note sweeps the expired one away.
    assert!(control.note_key(&other, "l").await.unwrap());
    let left: i64 = {
        let mut raw = world.raw().await;
        sqlx::query_scalar("SELECT COUNT(*) FROM idempotency_keys").fetch_one(&mut raw).await.unwrap()
    };
    assert_eq!(left, 1);
    assert!(control.note_key(&scope, "k").await.unwrap());
    for key in ["", "a\nb", &"x".repeat(256)] {
        assert_eq!(code(control.note_key(&scope, key).await), Code::InvalidParams, "{key}");
    }
}
