//! Entities that rows name without describing them: each gets a place, and parents nobody knew before.

use std::collections::BTreeSet;

use tributary_core::ads::{AdBatch, AdDay, AdLevel, AdPath};
use tributary_core::error::Result;

use super::Change;
use crate::store::{DatabaseTransaction, failed};

/// Makes sure that every entity of the batch and every parent it names is there. What an entity's own table said of its parents
/// stays: a row only fills what is missing.
pub(super) async fn ensure(transaction: &mut DatabaseTransaction, change: &Change<'_>, batch: &AdBatch) -> Result<()> {
    let days = batch.spend.iter().map(|row| &row.day).chain(batch.claims.iter().map(|row| &row.day));
    let days = days.map(|AdDay { source, level, path, .. }| (source.as_str(), *level, path));
    let described = batch.entities.iter().map(|entity| (entity.source.as_str(), entity.level, &entity.path));
    let mut named = BTreeSet::new();
    for (source, level, path) in days.chain(described) {
        for at in AdLevel::ALL.into_iter().filter(|at| *at <= level && path.at(*at).is_some()) {
            named.insert((source, at, path.up_to(at)));
        }
    }
    for (source, level, path) in named {
        place(transaction, change, source, level, &path).await?;
    }
    Ok(())
}

async fn place(
    transaction: &mut DatabaseTransaction,
    change: &Change<'_>,
    source: &str,
    level: AdLevel,
    path: &AdPath,
) -> Result<()> {
    let [account, campaign, ad_set] = parents(level, path);
    sqlx::query(
        "INSERT INTO ad_entities (workspace_id, source, level, id, account_id, campaign_id, ad_set_id, created_us, updated_us)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
         ON CONFLICT (workspace_id, source, level, id) DO UPDATE SET
           account_id = COALESCE(ad_entities.account_id, excluded.account_id),
           campaign_id = COALESCE(ad_entities.campaign_id, excluded.campaign_id),
           ad_set_id = COALESCE(ad_entities.ad_set_id, excluded.ad_set_id), updated_us = excluded.updated_us
         WHERE (ad_entities.account_id IS NULL AND excluded.account_id IS NOT NULL)
            OR (ad_entities.campaign_id IS NULL AND excluded.campaign_id IS NOT NULL)
            OR (ad_entities.ad_set_id IS NULL AND excluded.ad_set_id IS NOT NULL)",
    )
    .bind(change.workspace.0)
    .bind(source)
    .bind(level.as_str())
    .bind(path.at(level))
    .bind(account)
    .bind(campaign)
    .bind(ad_set)
    .bind(change.now_us)
    .execute(&mut **transaction)
    .await
    .map_err(failed("an entity's place could not be recorded"))?;
    Ok(())
}

/// The account, campaign and ad set above a level.
pub(super) fn parents(level: AdLevel, path: &AdPath) -> [Option<&str>; 3] {
    [AdLevel::Account, AdLevel::Campaign, AdLevel::AdSet].map(|at| path.at(at).filter(|_| at < level))
}
