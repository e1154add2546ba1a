//! Accounts and workspaces: what is accepted, what is refused, who is found.

use crate::world::{World, code, new_workspace};
use tributary_control::{NewWorkspace, WorkspaceChange};
use tributary_core::error::Code;
use tributary_core::ids::{AccountId, WorkspaceId};
use tributary_core::plan::{Limits, Plan};

#[tokio::test]
async fn plans_bring_features_and_keep_the_operators_numbers() {
    let world = World::new().await;
    let account = world.control.create_account("  Example GmbH ", Plan::Business).await.unwrap();
    assert_eq!((account.name.as_str(), &account.limits), ("Example GmbH", &Limits::self_hosted(Plan::Business)));

    let limits =
        Limits { monthly_events: Some(1_000), retention_days: Some(30), workspaces: Some(2), mcp: true, account_mcp: true };
    world.control.set_limits(account.id, limits.clone()).await.unwrap();
    let free = world.control.set_plan(account.id, Plan::Free).await.unwrap();
    assert_eq!((free.plan, &free.limits), (Plan::Free, &Limits { mcp: false, account_mcp: false, ..limits }));
    assert_eq!(world.control.get_account(account.id).await.unwrap(), free);
    assert_eq!(world.control.list_accounts().await.unwrap(), [free]);

    assert_eq!(code(world.control.set_plan(AccountId(99), Plan::Pro).await), Code::NotFound);
    assert_eq!(code(world.control.get_account(AccountId(99)).await), Code::NotFound);
    for name in ["", "   ", "tab\there", &"x".repeat(129)] {
        assert_eq!(code(world.control.create_account(name, Plan::Free).await), Code::InvalidParams, "{name}");
    }
}

#[tokio::test]
async fn a_workspace_is_found_by_slug_uuid_and_id() {
    let world = World::new().await;
    let account = world.account("A").await;
    let workspace = world.workspace(account.id, "main-site").await;
    assert_eq!(workspace.allowed_origins, ["https://example.com"]);
    assert_eq!((workspace.zone_name.as_str(), workspace.currency.as_str()), ("Europe/Berlin", "EUR"));
    for selector in
        ["main-site", &workspace.uuid.to_string(), &workspace.uuid.to_string().to_uppercase(), &workspace.id.to_string()]
    {
        let found = world.control.find_workspace(selector).await.unwrap();
        assert_eq!(found.map(|found| found.id), Some(workspace.id), "{selector}");
    }
    for selector in ["", "Main-Site", "main", "99", "-1", "1.0", "' OR 1=1 --", "00000000-0000-4000-8000-000000000000"] {
        assert!(world.control.find_workspace(selector).await.unwrap().is_none(), "{selector}");
    }
    assert_eq!(world.control.operator_access(workspace.id).await.unwrap().scope.workspace(), workspace.id);
    assert_eq!(code(world.control.operator_access(WorkspaceId(99)).await), Code::NotFound);
}

#[tokio::test]
async fn fields_are_checked() {
    let world = World::new().await;
    let account = world.account("A").await;
    world.workspace(account.id, "taken").await;
    let good = || new_workspace(account.id, "good");
    let many = (0..101).map(|n| format!("https://{n}.example")).collect();
    for (new, expected) in [
        (NewWorkspace { slug: String::new(), ..good() }, Code::InvalidParams),
        (NewWorkspace { slug: "Upper".into(), ..good() }, Code::InvalidParams),
        (NewWorkspace { slug: "under_score".into(), ..good() }, Code::InvalidParams),
        (NewWorkspace { slug: "x".repeat(64), ..good() }, Code::InvalidParams),
        (NewWorkspace { slug: "2026".into(), ..good() }, Code::InvalidParams),
        (NewWorkspace { slug: "67e55044-10b1-426f-9247-bb680e5fe0c8".into(), ..good() }, Code::InvalidParams),
        (NewWorkspace { slug: "taken".into(), ..good() }, Code::Conflict),
        (NewWorkspace { name: " ".into(), ..good() }, Code::InvalidParams),
        (NewWorkspace { zone: "Europe/Atlantis".into(), ..good() }, Code::InvalidParams),
        (NewWorkspace { zone: "UTC+2".into(), ..good() }, Code::InvalidParams),
        (NewWorkspace { allowed_origins: vec!["https://example.com/shop".into()], ..good() }, Code::InvalidParams),
        (NewWorkspace { allowed_origins: many, ..good() }, Code::InvalidParams),
        (NewWorkspace { account: AccountId(99), ..good() }, Code::NotFound),
    ] {
        let text = format!("{new:?}");
        assert_eq!(code(world.control.create_workspace(new).await), expected, "{text}");
    }
    assert_eq!(world.control.list_workspaces(None).await.unwrap().len(), 1, "a refusal changes nothing");

    let longest = NewWorkspace { slug: "x".repeat(63), zone: "europe/berlin".into(), ..good() };
    assert_eq!(world.control.create_workspace(longest).await.unwrap().zone_name, "Europe/Berlin");
}

#[tokio::test]
async fn a_change_touches_only_what_it_names() {
    let world = World::new().await;
    let account = world.account("A").await;
    let (one, two) = (world.workspace(account.id, "one").await, world.workspace(account.id, "two").await);

    let change = WorkspaceChange { slug: Some("uno".into()), zone: Some("UTC".into()), ..Default::default() };
    let after = world.control.update_workspace(one.id, change).await.unwrap();
    assert_eq!((after.slug.as_str(), after.zone_name.as_str()), ("uno", "UTC"));
    assert_eq!(
        (after.name, after.currency, after.allowed_origins, after.uuid),
        (one.name, one.currency, one.allowed_origins, one.uuid)
    );

    let taken = WorkspaceChange { slug: Some("two".into()), name: Some("New".into()), ..Default::default() };
    assert_eq!(code(world.control.update_workspace(one.id, taken).await), Code::Conflict);
    assert_eq!(code(world.control.update_workspace(WorkspaceId(99), WorkspaceChange::default()).await), Code::NotFound);
    let slugs: Vec<_> =
        world.control.list_workspaces(Some(account.id)).await.unwrap().into_iter().map(|w| (w.slug, w.name)).collect();
    assert_eq!(slugs, [("uno".into(), "Workspace one".into()), ("two".into(), two.name)]);
}

#[tokio::test]
async fn a_deleted_workspace_frees_its_slug_and_never_its_id() {
    let world = World::new().await;
    let account = world.account("A").await;
    let old = world.workspace(account.id, "site").await;
    world.control.delete_workspace(old.id).await.unwrap();
    for selector in ["site", &old.id.to_string(), &old.uuid.to_string()] {
        assert!(world.control.find_workspace(selector).await.unwrap().is_none(), "{selector}");
    }
    assert_eq!(code(world.control.delete_workspace(old.id).await), Code::NotFound);
    assert_eq!(code(world.control.operator_access(old.id).await), Code::NotFound);
    assert_eq!(code(world.control.update_workspace(old.id, WorkspaceChange::default()).await), Code::NotFound);
    let new = world.workspace(account.id, "site").await;
    assert!(new.id > old.id);
}

#[tokio::test]
async fn the_limit_on_workspaces_holds_under_concurrency() {
    let world = World::new().await;
    let account = world.account("A").await;
    world.control.set_limits(account.id, Limits { workspaces: Some(3), ..Limits::self_hosted(Plan::Business) }).await.unwrap();
    let attempts: Vec<_> = (0..10)
        .map(|n| {
            let (control, new) = (world.control.clone(), new_workspace(account.id, &format!("site-{n}")));
            tokio::spawn(async move { control.create_workspace(new).await })
        })
        .collect();
    let mut refused = Vec::new();
    for attempt in attempts {
        refused.extend(attempt.await.unwrap().err());
    }
    assert_eq!(refused.len(), 7);
    for error in refused {
        assert_eq!((error.code(), error.details()), (Code::PlanLimit, Some(&serde_json::json!({ "limit": 3, "used": 3 }))));
    }
    let first = world.control.list_workspaces(None).await.unwrap()[0].id;
    world.control.delete_workspace(first).await.unwrap();
    world.workspace(account.id, "one-more").await;
}

#[tokio::test]
async fn accounts_list_only_their_own() {
    let world = World::new().await;
    let (a, b) = (world.account("A").await, world.account("B").await);
    let (of_a, of_b) = (world.workspace(a.id, "a").await, world.workspace(b.id, "b").await);
    let ids = |list: Vec<tributary_control::Workspace>| list.into_iter().map(|workspace| workspace.id).collect::<Vec<_>>();
    assert_eq!(ids(world.control.list_workspaces(Some(a.id)).await.unwrap()), [of_a.id]);
    assert_eq!(ids(world.control.list_workspaces(Some(b.id)).await.unwrap()), [of_b.id]);
    assert_eq!(ids(world.control.list_workspaces(None).await.unwrap()), [of_a.id, of_b.id]);
}
