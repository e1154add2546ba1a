//! A control plane in a scratch folder, with a clock that stands still and randomness that repeats.

use std::sync::Arc;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Executor};
use tempfile::TempDir;
use tributary_control::{Account, AuditEntry, Control, NewWorkspace, Workspace};
use tributary_core::clock::FixedClock;
use tributary_core::entropy::SeededEntropy;
use tributary_core::error::{Code, Result};
use tributary_core::ids::AccountId;
use tributary_core::plan::Plan;
use tributary_core::scope::WorkspaceScope;

/// 2026-05-15T12:00:00Z.
pub const NOW_US: i64 = 1_778_846_400_000_000;

pub struct World {
    pub folder: TempDir,
    pub clock: Arc<FixedClock>,
    pub control: Control,
}

impl World {
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = FixedClock::at(NOW_US);
        let control = Control::open(folder.path(), clock.clone(), SeededEntropy::new(7)).await.unwrap();
        World { folder, clock, control }
    }

    /// Closes and opens again, with other randomness.
    pub async fn restart(self) -> Self {
        self.control.close().await.unwrap();
        let control = Control::open(self.folder.path(), self.clock.clone(), SeededEntropy::new(8)).await.unwrap();
        World { control, ..self }
    }

    pub async fn account(&self, name: &str) -> Account {
        self.control.create_account(name, Plan::Business).await.unwrap()
    }

    pub async fn workspace(&self, account: AccountId, slug: &str) -> Workspace {
        self.control.create_workspace(new_workspace(account, slug)).await.unwrap()
    }

    /// A workspace of its own account, and the right to its data.
    pub async fn scope(&self, slug: &str) -> WorkspaceScope {
        let account = self.account(slug).await;
        let workspace = self.workspace(account.id, slug).await;
        self.control.operator_access(workspace.id).await.unwrap().scope
    }

    /// A connection beside the server's own, as an intruder would open one.
    pub async fn raw(&self) -> SqliteConnection {
        SqliteConnectOptions::new().filename(self.folder.path().join("control.db")).connect().await.unwrap()
    }

    /// Runs statements as an intruder and returns SQLite's complaint, if any.
    pub async fn tamper(&self, sql: &'static str) -> Option<String> {
        self.raw().await.execute(sqlx::raw_sql(sql)).await.err().map(|error| error.to_string())
    }

    pub fn entry(&self, tool: &str) -> AuditEntry {
        AuditEntry {
            correlation_id: None,
            door: "key".into(),
            tool_name: tool.into(),
            args: self.control.digest_arguments(&serde_json::json!({ "days": 7 })),
            latency_ms: 12,
            output_size_bytes: 345,
            space: None,
            user: None,
            token: None,
            client_user_agent: Some("claude-code/2.0".into()),
            client_ip: Some("203.0.113.77".parse().unwrap()),
            was_internal: false,
            outcome: Ok(()),
        }
    }
}

pub fn new_workspace(account: AccountId, slug: &str) -> NewWorkspace {
    NewWorkspace {
        account,
        name: format!("Workspace {slug}"),
        slug: slug.into(),
        zone: "Europe/Berlin".into(),
        currency: "EUR".parse().unwrap(),
        allowed_origins: vec!["https://Example.com/".into()],
    }
}

/// The code a call was refused with.
#[track_caller]
pub fn code<T>(result: Result<T>) -> Code {
    match result {
        Ok(_) => panic!("expected a refusal"),
        Err(error) => error.code(),
    }
}
