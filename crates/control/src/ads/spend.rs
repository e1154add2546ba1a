//! Spend rows: inserted, restated or left alone.

use sqlx::Row;
use tributary_core::ads::{AdDay, SpendRow};
use tributary_core::error::Result;
use tributary_core::money::Currency;

use super::restatements::{self, Key};
use super::{Change, Outcome};
use crate::store::{DatabaseTransaction, failed};

/// The figures of one row.
#[derive(PartialEq, Eq, serde::Serialize)]
struct Figures {
    currency: Option<String>,
    spend_micros: i64,
    impressions: Option<i64>,
    clicks: Option<i64>,
    link_clicks: Option<i64>,
}

pub(super) async fn record(transaction: &mut DatabaseTransaction, change: &Change<'_>, row: &SpendRow) -> Result<Outcome> {
    let now = Figures {
        currency: row.currency.as_ref().map(Currency::to_string),
        spend_micros: row.spend_micros,
        impressions: row.impressions,
        clicks: row.clicks,
        link_clicks: row.link_clicks,
    };
    let Some(before) = stored(transaction, change, &row.day).await? else {
        write(transaction, change, &row.day, &now).await?;
        return Ok(Outcome::Inserted);
    };
    if before == now {
        return Ok(Outcome::Unchanged);
    }
    write(transaction, change, &row.day, &now).await?;
    restatements::journal(transaction, change, &row.day, None, &before, &now).await?;
    Ok(Outcome::Restated)
}

async fn stored(transaction: &mut DatabaseTransaction, change: &Change<'_>, day: &AdDay) -> Result<Option<Figures>> {
    let read = failed("a day's spend could not be read");
    let key = Key::of(day);
    let row = sqlx::query(
        "SELECT currency, spend_micros, impressions, clicks, link_clicks FROM ad_spend
         WHERE workspace_id = $1 AND source = $2 AND level = $3 AND entity_id = $4 AND date = $5 AND cut_by = $6 AND cut_value = $7",
    )
    .bind(change.workspace.0)
    .bind(key.source)
    .bind(key.level)
    .bind(key.entity)
    .bind(key.date)
    .bind(key.cut_by)
    .bind(key.cut_value)
    .fetch_optional(&mut **transaction)
    .await
    .map_err(&read)?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Figures {
        currency: row.try_get("currency").map_err(&read)?,
        spend_micros: row.try_get("spend_micros").map_err(&read)?,
        impressions: row.try_get("impressions").map_err(&read)?,
        clicks: row.try_get("clicks").map_err(&read)?,
        link_clicks: row.try_get("link_clicks").map_err(&read)?,
    }))
}

async fn write(transaction: &mut DatabaseTransaction, change: &Change<'_>, day: &AdDay, now: &Figures) -> Result<()> {
    let key = Key::of(day);
    sqlx::query(
        "INSERT INTO ad_spend (workspace_id, source, level, entity_id, date, cut_by, cut_value,
           currency, spend_micros, impressions, clicks, link_clicks)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         ON CONFLICT (workspace_id, date, source, level, entity_id, cut_by, cut_value) DO UPDATE SET currency = excluded.currency,
           spend_micros = excluded.spend_micros, impressions = excluded.impressions, clicks = excluded.clicks,
           link_clicks = excluded.link_clicks",
    )
    .bind(change.workspace.0)
    .bind(key.source)
    .bind(key.level)
    .bind(key.entity)
    .bind(key.date)
    .bind(key.cut_by)
    .bind(key.cut_value)
    .bind(&now.currency)
    .bind(now.spend_micros)
    .bind(now.impressions)
    .bind(now.clicks)
    .bind(now.link_clicks)
    .execute(&mut **transaction)
    .await
    .map_err(failed("a day's spend could not be recorded"))?;
    Ok(())
}
