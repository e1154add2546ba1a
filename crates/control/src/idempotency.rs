//! Keys by which a repeated request is known: noted once, kept 30 days.

use tributary_boxed::boxed;
use tributary_core::error::Result;
use tributary_core::scope::WorkspaceScope;
use tributary_core::time::SECOND_US;

use crate::contacts::line;
use crate::control::Control;
use crate::problems::Problems;
use crate::store::{commit, failed};

/// How long a key is known, microseconds.
const KEPT_US: i64 = 30 * 86_400 * SECOND_US;
/// Longest key, characters.
const MAX_KEY_CHARS: usize = 255;
/// Expired keys swept with every note: more than are noted, so that none pile up.
const SWEPT_AT_ONCE: i64 = 100;

impl Control {
    /// Whether a key was noted within the last 30 days.
    ///
    /// Errors: `invalid_params` for a key that has not 1 to 255 characters.
    #[boxed]
    pub async fn is_key_used(&self, scope: &WorkspaceScope, key: &str) -> Result<bool> {
        let key = checked(key)?;
        let row =
            sqlx::query("SELECT 1 FROM idempotency_keys WHERE workspace_id = $1 AND idempotency_key = $2 AND first_us > $3")
                .bind(scope.workspace().0)
                .bind(key)
                .bind(self.now_us().saturating_sub(KEPT_US))
                .fetch_optional(self.inner.store.reader())
                .await
                .map_err(failed("the idempotency key could not be looked up"))?;
        Ok(row.is_some())
    }

    /// Notes a key and says whether it was new: of several at once, one is told so. Noting again does not prolong it.
    ///
    /// Errors as in [`Control::is_key_used`].
    #[boxed]
    pub async fn note_key(&self, scope: &WorkspaceScope, key: &str) -> Result<bool> {
        let key = checked(key)?;
        let workspace = scope.workspace();
        self.run_to_end(move |control| async move {
            let step = "the idempotency key could not be noted";
            let now_us = control.now_us();
            let expired_us = now_us.saturating_sub(KEPT_US);
            let mut transaction = control.inner.store.begin().await?;
            let noted = sqlx::query(
                "INSERT INTO idempotency_keys (workspace_id, idempotency_key, first_us) VALUES ($1, $2, $3)
                 ON CONFLICT (workspace_id, idempotency_key) DO UPDATE SET first_us = excluded.first_us
                 WHERE idempotency_keys.first_us <= $4",
            )
            .bind(workspace.0)
            .bind(key)
            .bind(now_us)
            .bind(expired_us)
            .execute(&mut *transaction)
            .await
            .map_err(failed(step))?;
            if noted.rows_affected() == 0 {
                return Ok(false);
            }
            sqlx::query(
                "DELETE FROM idempotency_keys WHERE (workspace_id, idempotency_key) IN
                 (SELECT workspace_id, idempotency_key FROM idempotency_keys WHERE first_us <= $1 ORDER BY first_us LIMIT $2)",
            )
            .bind(expired_us)
            .bind(SWEPT_AT_ONCE)
            .execute(&mut *transaction)
            .await
            .map_err(failed(step))?;
            commit(transaction).await?;
            Ok(true)
        })
        .await
    }
}

fn checked(key: &str) -> Result<String> {
    let mut problems = Problems::default();
    let key = problems.take("idempotency_key", line(key, MAX_KEY_CHARS));
    problems.check()?;
    Ok(key.unwrap_or_default())
}
