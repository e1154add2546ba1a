//! Numbered schema migrations, embedded, applied when the database is opened.

use sqlx::Row;
use tributary_core::error::{Code, Error, Result};

use crate::store::{DatabaseTransaction, failed};

struct Migration {
    version: i64,
    name: &'static str,
    script: &'static str,
}

/// In order. A released migration is never edited: a change is a new one.
const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, name: "control plane", script: include_str!("../migrations/sqlite/0001_control_plane.sql") },
    Migration { version: 3, name: "contacts", script: include_str!("../migrations/sqlite/0003_contacts.sql") },
];

/// Brings the database to this binary's schema and says whether it had none before. A newer schema is refused.
pub(crate) async fn migrate(transaction: &mut DatabaseTransaction, now_us: i64) -> Result<bool> {
    let step = "the schema of control.db could not be brought up to date";
    sqlx::query(
        "CREATE TABLE IF NOT EXISTS schema_migrations (version BIGINT PRIMARY KEY, name TEXT NOT NULL, applied_us BIGINT NOT NULL)",
    )
    .execute(&mut **transaction)
    .await
    .map_err(failed(step))?;
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
