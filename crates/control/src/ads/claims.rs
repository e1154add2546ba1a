//! Platforms' claims: inserted, restated or left alone.

use sqlx::Row;
use tributary_core::ads::ClaimRow;
use tributary_core::error::Result;
use tributary_core::money::Currency;

use super::restatements::{self, Key};
use super::{Change, Outcome};
use crate::store::{DatabaseTransaction, failed};

/// The figures of one claim.
#[derive(PartialEq, Eq, serde::Serialize)]
struct Figures {
    currency: Option<String>,
    conversions_micros: Option<i64>,
    value_micros: Option<i64>,
}

/// Platforms put the number and the value of the same conversions into different tables, so what a row does not say stays.
pub(super) async fn record(transaction: &mut DatabaseTransaction, change: &Change<'_>, row: &ClaimRow) -> Result<Outcome> {
    let said = Figures {
        currency: row.currency.as_ref().map(Currency::to_string),
        conversions_micros: row.conversions_micros,
        value_micros: row.value_micros,
    };
    let Some(before) = stored(transaction, change, row).await? else {
        write(transaction, change, row, &said).await?;
        return Ok(Outcome::Inserted);
    };
    let now = Figures {
        currency: said.currency.or_else(|| before.currency.clone()),
        conversions_micros: said.conversions_micros.or(before.conversions_micros),
        value_micros: said.value_micros.or(before.value_micros),
    };
    if before == now {
        return Ok(Outcome::Unchanged);
    }
    write(transaction, change, row, &now).await?;
    let only_adds = (before.conversions_micros.is_none() || before.conversions_micros == now.conversions_micros)
        && (before.value_micros.is_none() || before.value_micros == now.value_micros)
        && (before.currency.is_none() || before.currency == now.currency);
    if only_adds {
        return Ok(Outcome::Inserted);
    }
    restatements::journal(transaction, change, &row.day, Some(&row.rule), &before, &now).await?;
    Ok(Outcome::Restated)
}

async fn stored(transaction: &mut DatabaseTransaction, change: &Change<'_>, row: &ClaimRow) -> Result<Option<Figures>> {
    let read = failed("a day's claims could not be read");
    let key = Key::of(&row.day);
    let found = sqlx::query(
        "SELECT currency, conversions_micros, value_micros FROM ad_claims
         WHERE workspace_id = $1 AND source = $2 AND level = $3 AND entity_id = $4 AND date = $5 AND cut_by = $6 AND cut_value = $7
           AND event = $8 AND claim_window = $9 AND model = $10",
    )
    .bind(change.workspace.0)
    .bind(key.source)
    .bind(key.level)
    .bind(key.entity)
    .bind(key.date)
    .bind(key.cut_by)
    .bind(key.cut_value)
    .bind(&row.rule.event)
    .bind(&row.rule.window)
    .bind(&row.rule.model)
    .fetch_optional(&mut **transaction)
    .await
    .map_err(&read)?;
    let Some(found) = found else { return Ok(None) };
    Ok(Some(Figures {
        currency: found.try_get("currency").map_err(&read)?,
        conversions_micros: found.try_get("conversions_micros").map_err(&read)?,
        value_micros: found.try_get("value_micros").map_err(&read)?,
    }))
}

async fn write(transaction: &mut DatabaseTransaction, change: &Change<'_>, row: &ClaimRow, now: &Figures) -> Result<()> {
    let key = Key::of(&row.day);
    sqlx::query(
        "INSERT INTO ad_claims (workspace_id, source, level, entity_id, date, cut_by, cut_value, event, claim_window, model,
           currency, conversions_micros, value_micros)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
         ON CONFLICT (workspace_id, date, source, level, entity_id, cut_by, cut_value, event, claim_window, model)
         DO UPDATE SET currency = excluded.currency, conversions_micros = excluded.conversions_micros,
           value_micros = excluded.value_micros",
    )
    .bind(change.workspace.0)
    .bind(key.source)
    .bind(key.level)
    .bind(key.entity)
    .bind(key.date)
    .bind(key.cut_by)
    .bind(key.cut_value)
    .bind(&row.rule.event)
    .bind(&row.rule.window)
    .bind(&row.rule.model)
    .bind(&now.currency)
    .bind(now.conversions_micros)
    .bind(now.value_micros)
    .execute(&mut **transaction)
    .await
    .map_err(failed("a day's claims could not be recorded"))?;
    Ok(())
}
