//! The life of a key: made, used, revoked, rotated.

use crate::world::{World, code, new_workspace};
use std::future::{Future, poll_fn};
use std::task::Poll;

use tributary_control::{KeyOwner, NewKey, WorkspaceChange};
use tributary_core::credential::KeyKind;
use tributary_core::error::Code;
use tributary_core::ids::{AccountId, WorkspaceId};
use tributary_core::plan::{Limits, Plan};
use tributary_core::time::SECOND_US;

fn secret_of(token: &str) -> &str {
    token.splitn(4, '_').nth(3).unwrap()
}

#[tokio::test]
async fn each_kind_opens_what_it_belongs_to() {
    let world = World::new().await;
    let account = world.account("Agency").await;
    let (one, two) = (world.workspace(account.id, "one").await, world.workspace(account.id, "two").await);
    world.workspace(world.account("Other").await.id, "foreign").await;
    let keys = world.control.create_default_keys(one.id).await.unwrap();
    let ak = NewKey { owner: KeyOwner::Account(account.id), kind: KeyKind::Account, label: "agency agent".into() };
    let (_, ak) = world.control.create_key(ak).await.unwrap();

    for (token, kind, opened) in [
        (&keys.pk, KeyKind::Publishable, vec![one.id]),
        (&keys.sk, KeyKind::Secret, vec![one.id]),
        (&keys.rk, KeyKind::Read, vec![one.id]),
        (&ak, KeyKind::Account, vec![one.id, two.id]),
    ] {
        let caller = world.control.authenticate(token).await.unwrap();
        assert_eq!(caller.kind, kind);
        assert_eq!(caller.account, account);
        assert_eq!(caller.workspaces.iter().map(|access| access.scope.workspace()).collect::<Vec<_>>(), opened);
        assert_eq!(caller.workspaces.iter().map(|access| access.workspace.id).collect::<Vec<_>>(), opened);
        assert!(token.starts_with(&format!("{}_live_{}_", kind.as_str(), caller.prefix)), "{token}");
        assert_eq!((caller.prefix.len(), secret_of(token).len()), (8, 43));
    }
}

#[tokio::test]
async fn refusals_come_in_the_documented_order() {
    let world = World::new().await;
    let account = world.account("A").await;
    let workspace = world.workspace(account.id, "one").await;
    let rk = world.control.create_default_keys(workspace.id).await.unwrap().rk;
    let prefix = rk.split('_').nth(2).unwrap();
    let secret = secret_of(&rk);
    let longer = "x".repeat(10_000);

    for malformed in
        ["", "rk", "rk_live_00000000", "rk_live__secret", "rk__00000000_s", "xx_live_00000000_s", "RK_live_00000000_s", &longer]
    {
        assert_eq!(code(world.control.authenticate(malformed).await), Code::MalformedApiKey, "{malformed}");
    }
    for invalid in [
        format!("rk_live_{prefix}_wrong"),
        format!("rk_live_{prefix}_{secret}x"),
        format!("rk_live_{prefix}_{}", &secret[1..]),
        format!("sk_live_{prefix}_wrong"),
        format!("rk_test_{prefix}_{secret}"),
        format!("rk_live_ffffffff_{secret}"),
        format!("rk_live_{prefix}_{secret} "),
    ] {
        assert_eq!(code(world.control.authenticate(&invalid).await), Code::InvalidApiKey, "{invalid}");
    }
    // Only whoever knows the secret learns that the kind is wrong.
    assert_eq!(code(world.control.authenticate(&format!("sk_live_{prefix}_{secret}")).await), Code::KeyKindMismatch);
    assert!(world.control.authenticate(&rk).await.is_ok());
}

#[tokio::test]
async fn only_a_hash_is_stored() {
    let world = World::new().await;
    let account = world.account("A").await;
    let workspace = world.workspace(account.id, "one").await;
    let keys = world.control.create_default_keys(workspace.id).await.unwrap();
    world.control.authenticate(&keys.sk).await.unwrap();
    world.control.close().await.unwrap();
    for file in ["control.db", "control.db-wal"] {
        let bytes = std::fs::read(world.folder.path().join(file)).unwrap_or_default();
        for token in [&keys.pk, &keys.sk, &keys.rk] {
            let secret = secret_of(token).as_bytes();
            assert!(!bytes.windows(secret.len()).any(|window| window == secret), "{file} holds a secret");
        }
    }
}

#[tokio::test]
async fn a_revoked_key_fails_at_once() {
    let world = World::new().await;
    let account = world.account("A").await;
    let workspace = world.workspace(account.id, "one").await;
    let keys = world.control.create_default_keys(workspace.id).await.unwrap();
    let caller = world.control.authenticate(&keys.rk).await.unwrap();

    let revoked = world.control.revoke_key(&caller.prefix).await.unwrap();
    assert_eq!(revoked.revoked_us, Some(crate::world::NOW_US));
    assert_eq!(code(world.control.authenticate(&keys.rk).await), Code::InvalidApiKey);
    assert!(world.control.authenticate(&keys.sk).await.is_ok(), "the others live on");

    world.clock.advance_us(SECOND_US);
    assert_eq!(world.control.revoke_key(&revoked.display()).await.unwrap(), revoked, "revoking twice changes nothing");
    assert_eq!(code(world.control.revoke_key("nonsense").await), Code::NotFound);
    assert_eq!(code(world.control.rotate_key(&caller.prefix).await), Code::Conflict);

    let world = world.restart().await;
    assert_eq!(code(world.control.authenticate(&keys.rk).await), Code::InvalidApiKey);
    assert!(world.control.authenticate(&keys.sk).await.is_ok());
}

#[tokio::test]
async fn rotation_replaces_a_key_with_its_like() {
    let world = World::new().await;
    let account = world.account("A").await;
    let owner = KeyOwner::Account(account.id);
    let new = NewKey { owner, kind: KeyKind::Account, label: "  nightly report ".into() };
    let (old, old_token) = world.control.create_key(new).await.unwrap();
    world.control.authenticate(&old_token).await.unwrap();

    let (new, new_token) = world.control.rotate_key(&old.display()).await.unwrap();
    assert_eq!((new.kind, new.owner, new.label.as_str()), (KeyKind::Account, owner, "nightly report"));
    assert_ne!(new.prefix, old.prefix);
    assert_eq!(code(world.control.authenticate(&old_token).await), Code::InvalidApiKey);
    assert_eq!(world.control.authenticate(&new_token).await.unwrap().key, new.id);
    let listed = world.control.list_keys(owner).await.unwrap();
    assert_eq!(
        listed.iter().map(|key| (key.id, key.revoked_us.is_some())).collect::<Vec<_>>(),
        [(old.id, true), (new.id, false)]
    );
}

#[tokio::test]
async fn kinds_and_owners_must_fit() {
    let world = World::new().await;
    let account = world.account("A").await;
    let workspace = world.workspace(account.id, "one").await;
    let (of_account, of_workspace) = (KeyOwner::Account(account.id), KeyOwner::Workspace(workspace.id));
    let label = || String::from("label");
    for (owner, kind, label, expected) in [
        (of_account, KeyKind::Read, label(), Code::InvalidParams),
        (of_workspace, KeyKind::Account, label(), Code::InvalidParams),
        (KeyOwner::Workspace(WorkspaceId(99)), KeyKind::Read, label(), Code::NotFound),
        (KeyOwner::Account(AccountId(99)), KeyKind::Account, label(), Code::NotFound),
        (of_workspace, KeyKind::Read, String::new(), Code::InvalidParams),
        (of_workspace, KeyKind::Read, "x".repeat(129), Code::InvalidParams),
        (of_workspace, KeyKind::Read, "line\nbreak".into(), Code::InvalidParams),
    ] {
        assert_eq!(code(world.control.create_key(NewKey { owner, kind, label }).await), expected, "{owner:?} {kind:?}");
    }
    assert_eq!(code(world.control.create_default_keys(WorkspaceId(99)).await), Code::NotFound);
    assert_eq!(code(world.control.list_keys(KeyOwner::Account(AccountId(99))).await), Code::NotFound);
    assert_eq!(world.control.list_keys(of_workspace).await.unwrap(), []);
}

#[tokio::test]
async fn changes_are_seen_by_the_next_call() {
    let world = World::new().await;
    let account = world.account("A").await;
    let workspace = world.workspace(account.id, "one").await;
    let pk = world.control.create_default_keys(workspace.id).await.unwrap().pk;
    let ak = NewKey { owner: KeyOwner::Account(account.id), kind: KeyKind::Account, label: "agent".into() };
    let (_, ak) = world.control.create_key(ak).await.unwrap();
    assert_eq!(world.control.authenticate(&ak).await.unwrap().workspaces.len(), 1);
    assert!(world.control.authenticate(&pk).await.unwrap().account.limits.mcp);

    world.control.create_workspace(new_workspace(account.id, "two")).await.unwrap();
    assert_eq!(world.control.authenticate(&ak).await.unwrap().workspaces.len(), 2, "a workspace more");

    world.control.set_plan(account.id, Plan::Free).await.unwrap();
    assert!(!world.control.authenticate(&pk).await.unwrap().account.limits.mcp, "another plan");

    let limits = Limits { monthly_events: Some(5), ..Limits::self_hosted(Plan::Pro) };
    world.control.set_limits(account.id, limits.clone()).await.unwrap();
    assert_eq!(world.control.authenticate(&pk).await.unwrap().account.limits, limits, "other limits");

    let change = WorkspaceChange { allowed_origins: Some(vec!["https://shop.example".into()]), ..Default::default() };
    world.control.update_workspace(workspace.id, change).await.unwrap();
    let caller = world.control.authenticate(&pk).await.unwrap();
    assert!(caller.workspaces[0].workspace.allows_origin("https://shop.example"), "another origin");
    assert!(!caller.workspaces[0].workspace.allows_origin("https://example.com"));

    world.control.delete_workspace(workspace.id).await.unwrap();
    assert_eq!(code(world.control.authenticate(&pk).await), Code::InvalidApiKey, "a deleted workspace's key");
    assert_eq!(world.control.authenticate(&ak).await.unwrap().workspaces.len(), 1, "a workspace less");
}

#[tokio::test]
async fn last_use_is_known_at_once_and_written_in_batches() {
    let world = World::new().await;
    let account = world.account("A").await;
    let workspace = world.workspace(account.id, "one").await;
    let rk = world.control.create_default_keys(workspace.id).await.unwrap().rk;
    let owner = KeyOwner::Workspace(workspace.id);
    let last_used = |keys: Vec<tributary_control::Key>| keys.into_iter().map(|key| key.last_used_us).collect::<Vec<_>>();
    assert_eq!(last_used(world.control.list_keys(owner).await.unwrap()), [None, None, None]);

    world.clock.advance_us(SECOND_US);
    world.control.authenticate(&rk).await.unwrap();
    let used = [None, None, Some(crate::world::NOW_US + SECOND_US)];
    assert_eq!(last_used(world.control.list_keys(owner).await.unwrap()), used, "from memory");
    let world = world.restart().await;
    assert_eq!(last_used(world.control.list_keys(owner).await.unwrap()), used, "from disk");

    world.control.authenticate("rk_live_00000000_nobody").await.unwrap_err();
    assert_eq!(last_used(world.control.list_keys(owner).await.unwrap()), used, "a refusal is no use");
}

#[tokio::test]
async fn a_warm_cache_and_unknown_prefixes_need_no_database() {
    let world = World::new().await;
    let account = world.account("A").await;
    let workspace = world.workspace(account.id, "one").await;
    let keys = world.control.create_default_keys(workspace.id).await.unwrap();
    world.control.authenticate(&keys.rk).await.unwrap();
    world.control.close().await.unwrap();

    assert!(world.control.authenticate(&keys.rk).await.is_ok());
    assert_eq!(code(world.control.authenticate("rk_live_0badf00d_nobody").await), Code::InvalidApiKey);
    assert_eq!(code(world.control.authenticate(&keys.sk).await), Code::Internal, "a cold one does");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn revocation_holds_among_concurrent_uses() {
    let world = World::new().await;
    let account = world.account("A").await;
    let workspace = world.workspace(account.id, "one").await;
    for _ in 0..20 {
        let new = NewKey { owner: KeyOwner::Workspace(workspace.id), kind: KeyKind::Read, label: "short-lived".into() };
        let (key, token) = world.control.create_key(new).await.unwrap();
        let uses = (0..8).map(|_| {
            let (control, token) = (world.control.clone(), token.clone());
            // A cached answer never waits, so the task must yield for the others to run.
            tokio::spawn(async move {
                while control.authenticate(&token).await.is_ok() {
                    tokio::task::yield_now().await;
                }
            })
        });
        let uses: Vec<_> = uses.collect();
        world.control.revoke_key(&key.prefix).await.unwrap();
        assert_eq!(code(world.control.authenticate(&token).await), Code::InvalidApiKey);
        for task in uses {
            task.await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_change_is_finished_although_its_caller_leaves() {
    let world = World::new().await;
    let account = world.account("A").await;
    let workspace = world.workspace(account.id, "one").await;
    let rk = world.control.create_default_keys(workspace.id).await.unwrap().rk;
    let prefix = world.control.authenticate(&rk).await.unwrap().prefix.clone();

    // Polled once, then dropped, as a handler is when its connection closes.
    let mut revocation = Box::pin(world.control.revoke_key(&prefix));
    assert!(poll_fn(|context| Poll::Ready(revocation.as_mut().poll(context).is_pending())).await);
    drop(revocation);
    while world.control.authenticate(&rk).await.is_ok() {
        tokio::task::yield_now().await;
    }
    let keys = world.control.list_keys(KeyOwner::Workspace(workspace.id)).await.unwrap();
    assert!(keys.iter().any(|key| key.prefix == prefix && key.revoked_us.is_some()));
}

#[test]
fn any_text_is_answered() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (world, rk) = runtime.block_on(async {
        let world = World::new().await;
        let account = world.account("A").await;
        let workspace = world.workspace(account.id, "one").await;
        let rk = world.control.create_default_keys(workspace.id).await.unwrap().rk;
        (world, rk)
    });
    let prefix = rk.split('_').nth(2).unwrap().to_owned();
    proptest::proptest!(|(text in proptest::prop_oneof![".{0,300}", "(pk|sk|rk|ak)_live_[0-9a-f]{8}_.{0,60}"])| {
        let refusal = code(runtime.block_on(world.control.authenticate(&text)));
        proptest::prop_assert!(matches!(refusal, Code::MalformedApiKey | Code::InvalidApiKey), "{}", text);
    });
    proptest::proptest!(|(secret in ".{1,60}")| {
        let refusal = code(runtime.block_on(world.control.authenticate(&format!("rk_live_{prefix}_{secret}"))));
        proptest::prop_assert!(matches!(refusal, Code::InvalidApiKey | Code::MalformedApiKey), "{}", secret);
    });
}
