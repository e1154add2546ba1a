//! The data folder: created, opened again, refused, copied.

use std::path::Path;

use crate::world::{NOW_US, World, code};
use sqlx::{Executor, Row};
use tributary_control::Control;
use tributary_core::clock::FixedClock;
use tributary_core::entropy::SeededEntropy;
use tributary_core::error::{Code, Result};

async fn open(folder: &Path) -> Result<Control> {
    Control::open(folder, FixedClock::at(NOW_US), SeededEntropy::new(21)).await
}

fn copy(from: &Path, to: &Path, names: &[&str]) {
    for name in names {
        std::fs::copy(from.join(name), to.join(name)).unwrap();
    }
}

#[tokio::test]
async fn the_schema_is_what_we_say() {
    let world = World::new().await;
    let rows = world
        .raw()
        .await
        .fetch_all("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY type DESC, name")
        .await
        .unwrap();
    let statements: Vec<String> = rows.iter().map(|row| row.get("sql")).collect();
    insta::assert_snapshot!(statements.join(";\n"));
}

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let world = World::new().await;
    let account = world.account("A").await;
    let workspace = world.workspace(account.id, "one").await;
    let keys = world.control.create_default_keys(workspace.id).await.unwrap();
    let secret = world.control.derived_secret("visitor hash");
    let world = world.restart().await;
    assert_eq!(world.control.list_accounts().await.unwrap(), std::slice::from_ref(&account));
    assert_eq!(world.control.authenticate(&keys.sk).await.unwrap().workspaces[0].workspace.uuid, workspace.uuid);
    assert_eq!(world.control.derived_secret("visitor hash"), secret);
    assert_ne!(world.control.derived_secret("ip salt"), secret);
}

#[cfg(unix)]
#[tokio::test]
async fn files_are_their_owners_only() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new().await;
    let copy = tempfile::tempdir().unwrap();
    world.control.backup(copy.path()).await.unwrap();
    for path in [
        world.folder.path().join("secret.key"),
        world.folder.path().join("control.db"),
        world.folder.path().join("control.db-wal"),
        copy.path().join("secret.key"),
        copy.path().join("control.db"),
    ] {
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", path.display());
    }
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_alone() {
    let world = World::new().await;
    world.tamper("INSERT INTO schema_migrations VALUES (1000, 'from the future', 0)").await;
    world.control.close().await.unwrap();
    let error = open(world.folder.path()).await.err().expect("refused");
    assert_eq!(error.code(), Code::Conflict);
    assert_eq!(
        error.message(),
        "control.db has schema version 1000, this binary knows versions up to 5; run the newer tributary that wrote it"
    );
    world.tamper("DELETE FROM schema_migrations WHERE version = 1000").await;
    assert!(open(world.folder.path()).await.is_ok());
}

#[tokio::test]
async fn a_database_needs_its_own_secret() {
    let (world, other) = (World::new().await, tempfile::tempdir().unwrap());
    drop(open(other.path()).await.unwrap());
    world.control.close().await.unwrap();
    let secret = world.folder.path().join("secret.key");

    std::fs::remove_file(&secret).unwrap();
    assert_eq!(code(open(world.folder.path()).await), Code::Conflict, "missing");
    assert!(!secret.exists(), "and none is invented");
    for damaged in ["", "abc", "zz", &"0".repeat(63)] {
        std::fs::write(&secret, damaged).unwrap();
        assert_eq!(code(open(world.folder.path()).await), Code::Conflict, "{damaged}");
    }
    copy(other.path(), world.folder.path(), &["secret.key"]);
    let error = open(world.folder.path()).await.err().expect("refused");
    assert_eq!(error.message(), "secret.key is not the one control.db was made with; restore both from one backup");
}

#[tokio::test]
async fn what_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).await.unwrap().close().await.unwrap();
    std::fs::write(folder.path().join("control.db"), "these are not the bytes of a database").unwrap();
    assert_eq!(code(open(folder.path()).await), Code::Internal);
    assert_eq!(code(open(&folder.path().join("absent")).await), Code::Internal);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_taken_while_running_opens_as_it_is() {
    let world = World::new().await;
    let account = world.account("A").await;
    let workspace = world.workspace(account.id, "one").await;
    let keys = world.control.create_default_keys(workspace.id).await.unwrap();
    world.control.note_accepted(workspace.id, 3, NOW_US);
    world.control.audit(world.entry("before")).await.unwrap();
    let busy = {
        let control = world.control.clone();
        let entries: Vec<_> = (0..200).map(|_| world.entry("meanwhile")).collect();
        tokio::spawn(async move {
            for entry in entries {
                control.audit(entry).await.unwrap();
            }
        })
    };
    let copy = tempfile::tempdir().unwrap();
    world.control.backup(copy.path()).await.unwrap();
    busy.await.unwrap();
    assert_eq!(code(world.control.backup(copy.path()).await), Code::Conflict, "never over another one");

    let restored = open(copy.path()).await.unwrap();
    assert_eq!(restored.authenticate(&keys.rk).await.unwrap().workspaces[0].workspace.uuid, workspace.uuid);
    assert_eq!(restored.usage(workspace.id).await.unwrap().month_events, 3);
    let report = restored.verify_audit().await.unwrap();
    assert!(report.is_intact() && report.rows >= 1, "{report:?}");
    assert!(world.control.verify_audit().await.unwrap().is_intact());
}
