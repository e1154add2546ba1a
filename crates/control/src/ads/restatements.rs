//! The journal of restated days.

use serde::Serialize;
use sqlx::Row;
use tributary_boxed::boxed;
use tributary_core::ads::{AdDay, AdLevel, ClaimRule, Cut, CutBy};
use tributary_core::error::{Error, Result};
use tributary_core::scope::WorkspaceScope;

use super::Change;
use crate::control::Control;
use crate::store::{DatabaseRow, DatabaseTransaction, damaged, failed};

/// Most restatements listed at once.
const MAX_LISTED: u32 = 1_000;

/// One day's figures before and after a row that said otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct Restatement {
    /// Grows with every restatement.
    pub id: i64,
    /// The source.
    pub source: String,
    /// The entity's level.
    pub level: AdLevel,
    /// The entity.
    pub entity: String,
    /// The day, `YYYY-MM-DD`.
    pub date: String,
    /// The part of the day, if it was one.
    pub cut: Option<Cut>,
    /// The claim that was restated; none for spend.
    pub claim: Option<ClaimRule>,
    /// What was stored, by the names of columns.
    pub old: serde_json::Value,
    /// What replaced it.
    pub new: serde_json::Value,
    /// Who recorded the new figures.
    pub author: String,
    /// When, microseconds since the epoch, UTC.
    pub at_us: i64,
}

/// Which restatements to list; every given condition must hold.
#[derive(Clone, Debug, Default)]
pub struct RestatementFilter {
    /// Of this source.
    pub source: Option<String>,
    /// Of this level.
    pub level: Option<AdLevel>,
    /// Of this entity.
    pub entity: Option<String>,
    /// Recorded at or after this instant, microseconds since the epoch, UTC.
    pub since_us: Option<i64>,
    /// Before this one: the last `id` of a page leads to the next.
    pub before_id: Option<i64>,
}

impl Control {
    /// The newest restatements that match, newest first, at most `limit` of them (and never more than 1,000).
    #[boxed]
    pub async fn list_ad_restatements(
        &self,
        scope: &WorkspaceScope,
        filter: &RestatementFilter,
        limit: u32,
    ) -> Result<Vec<Restatement>> {
        let rows = sqlx::query(
            "SELECT id, source, level, entity_id, date, cut_by, cut_value, event, claim_window, model, old_values, new_values, author, at_us
             FROM ad_restatements
             WHERE workspace_id = $1 AND ($3 IS NULL OR source = $3) AND ($4 IS NULL OR level = $4)
               AND ($5 IS NULL OR entity_id = $5) AND ($6 IS NULL OR at_us >= $6) AND ($7 IS NULL OR id < $7)
             ORDER BY id DESC LIMIT $2",
        )
        .bind(scope.workspace().0)
        .bind(i64::from(limit.min(MAX_LISTED)))
        .bind(filter.source.as_deref())
        .bind(filter.level.map(AdLevel::as_str))
        .bind(filter.entity.as_deref())
        .bind(filter.since_us)
        .bind(filter.before_id)
        .fetch_all(self.inner.store.reader())
        .await
        .map_err(failed("the restatements could not be listed"))?;
        rows.iter().map(restatement_from).collect()
    }
}

/// What a day's row is found by, in its stored form.
pub(super) struct Key<'d> {
    pub source: &'d str,
    pub level: &'static str,
    pub entity: &'d str,
    pub date: String,
    pub cut_by: &'static str,
    pub cut_value: &'d str,
}

impl<'d> Key<'d> {
    pub fn of(day: &'d AdDay) -> Self {
        Key {
            source: &day.source,
            level: day.level.as_str(),
            entity: day.path.at(day.level).unwrap_or_default(),
            date: day.date.to_string(),
            cut_by: day.cut.as_ref().map_or("", |cut| cut.by.as_str()),
            cut_value: day.cut.as_ref().map_or("", |cut| &cut.value),
        }
    }
}

/// Writes down what a row replaced.
pub(super) async fn journal(
    transaction: &mut DatabaseTransaction,
    change: &Change<'_>,
    day: &AdDay,
    claim: Option<&ClaimRule>,
    old: &impl Serialize,
    new: &impl Serialize,
) -> Result<()> {
    let key = Key::of(day);
    sqlx::query(
        "INSERT INTO ad_restatements (workspace_id, source, level, entity_id, date, cut_by, cut_value, event, claim_window, model,
           old_values, new_values, author, at_us)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
    )
    .bind(change.workspace.0)
    .bind(key.source)
    .bind(key.level)
    .bind(key.entity)
    .bind(key.date)
    .bind(key.cut_by)
    .bind(key.cut_value)
    .bind(claim.map(|claim| claim.event.as_str()))
    .bind(claim.map(|claim| claim.window.as_str()))
    .bind(claim.map(|claim| claim.model.as_str()))
    .bind(json(old)?)
    .bind(json(new)?)
    .bind(change.author)
    .bind(change.now_us)
    .execute(&mut **transaction)
    .await
    .map_err(failed("a restatement could not be journalled"))?;
    Ok(())
}

fn json(values: &impl Serialize) -> Result<String> {
    serde_json::to_string(values)
        .map_err(|error| Error::internal("restated figures could not be written as JSON").caused_by(error))
}

fn restatement_from(row: &DatabaseRow) -> Result<Restatement> {
    let read = failed("a restatement's row could not be read");
    let level: &str = row.try_get("level").map_err(&read)?;
    let cut_by: &str = row.try_get("cut_by").map_err(&read)?;
    let (event, window, model): (Option<String>, Option<String>, Option<String>) =
        (row.try_get("event").map_err(&read)?, row.try_get("claim_window").map_err(&read)?, row.try_get("model").map_err(&read)?);
    let cut = match cut_by {
        "" => None,
        by => Some(Cut {
            by: CutBy::parse(by).ok_or_else(|| damaged("a restatement's stored cut is damaged"))?,
            value: row.try_get("cut_value").map_err(&read)?,
        }),
    };
    let values = |column| {
        let text: &str = row.try_get(column).map_err(&read)?;
        serde_json::from_str(text).map_err(|error| damaged("a restatement's stored figures are damaged").caused_by(error))
    };
    Ok(Restatement {
        id: row.try_get("id").map_err(&read)?,
        source: row.try_get("source").map_err(&read)?,
        level: AdLevel::parse(level).ok_or_else(|| damaged("a restatement's stored level is damaged"))?,
        entity: row.try_get("entity_id").map_err(&read)?,
        date: row.try_get("date").map_err(&read)?,
        cut,
        claim: event.zip(window).zip(model).map(|((event, window), model)| ClaimRule { event, window, model }),
        old: values("old_values")?,
        new: values("new_values")?,
        author: row.try_get("author").map_err(&read)?,
        at_us: row.try_get("at_us").map_err(&read)?,
    })
}
