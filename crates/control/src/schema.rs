//! Numbered schema migrations, embedded, applied when the database is opened.

use sqlx::{Connection, Row, SqliteConnection, SqlitePool};
use tributary_core::error::{Code, Error, Result};

use crate::store::{DatabaseTransaction, failed};

struct Migration {
    version: i64,
    name: &'static str,
    script: &'static str,
}

/// In order, without gaps. A released migration is never edited: a change is a new one.
const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, name: "control plane", script: include_str!("../migrations/sqlite/0001_control_plane.sql") },
    Migration { version: 2, name: "ads", script: include_str!("../migrations/sqlite/0002_ads.sql") },
    Migration { version: 3, name: "contacts", script: include_str!("../migrations/sqlite/0003_contacts.sql") },
    Migration { version: 4, name: "conversions", script: include_str!("../migrations/sqlite/0004_conversions.sql") },
    Migration { version: 5, name: "exports", script: include_str!("../migrations/sqlite/0005_exports.sql") },
];

const FIRST_TABLE: &str =
    "CREATE TABLE IF NOT EXISTS schema_migrations (version BIGINT PRIMARY KEY, name TEXT NOT NULL, applied_us BIGINT NOT NULL)";

/// Compares the tables with those that this binary's migrations make: SQLite's own check does not look at their definitions.
/// Errors: `upstream_failed` naming the first one that differs.
pub(crate) async fn check(database: &SqlitePool) -> Result<()> {
    let unreadable = |error: sqlx::Error| {
        Error::new(Code::UpstreamFailed, "control.db is damaged: its schema cannot be read").caused_by(error)
    };
    let step = "the schema could not be worked out";
    let mut fresh = SqliteConnection::connect("sqlite::memory:").await.map_err(failed(step))?;
    sqlx::raw_sql(FIRST_TABLE).execute(&mut fresh).await.map_err(failed(step))?;
    for migration in MIGRATIONS {
        sqlx::raw_sql(migration.script).execute(&mut fresh).await.map_err(failed(step))?;
    }
    const DEFINITIONS: &str =
        "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite%' ORDER BY name";
    let expected: Vec<(String, String)> = sqlx::query_as(DEFINITIONS).fetch_all(&mut fresh).await.map_err(failed(step))?;
    let found: Vec<(String, String)> = sqlx::query_as(DEFINITIONS).fetch_all(database).await.map_err(unreadable)?;
    match expected.iter().find(|definition| !found.contains(definition)) {
        None => Ok(()),
        Some((name, _)) => Err(Error::new(
            Code::UpstreamFailed,
            format!("control.db is damaged: the definition of {name} is not what was written"),
        )),
    }
}

/// Brings the database to this binary's schema and says whether it had none before. A newer schema is refused.
pub(crate) async fn migrate(transaction: &mut DatabaseTransaction, now_us: i64) -> Result<bool> {
    let step = "the schema of control.db could not be brought up to date";
    sqlx::raw_sql(FIRST_TABLE).execute(&mut **transaction).await.map_err(failed(step))?;
    let found: i64 = sqlx::query("SELECT COALESCE(MAX(version), 0) AS version FROM schema_migrations")
        .fetch_one(&mut **transaction)
        .await
        .and_then(|row| row.try_get("version"))
        .map_err(failed(step))?;
    let known = MIGRATIONS.last().map_or(0, |migration| migration.version);
    if found > known {
        return Err(Error::new(
            Code::Conflict,
            format!(
                "control.db has schema version {found}, this binary knows versions up to {known}; run the newer tributary that wrote it"
            ),
        ));
    }
    for migration in MIGRATIONS.iter().filter(|migration| migration.version > found) {
        sqlx::raw_sql(migration.script).execute(&mut **transaction).await.map_err(failed(step))?;
        sqlx::query("INSERT INTO schema_migrations (version, name, applied_us) VALUES ($1, $2, $3)")
            .bind(migration.version)
            .bind(migration.name)
            .bind(now_us)
            .execute(&mut **transaction)
            .await
            .map_err(failed(step))?;
    }
    Ok(found == 0)
}
