//! Accounts, campaigns, ad sets, ads and keywords: described, listed, found with their parents.

use sqlx::Row;
use tributary_boxed::boxed;
use tributary_core::ads::{AdEntity, AdLevel, AdPath, Budget, BudgetPeriod};
use tributary_core::error::{Code, Error, Result};
use tributary_core::money::Currency;
use tributary_core::scope::WorkspaceScope;

use super::places::parents;
use super::{Change, Outcome};
use crate::control::Control;
use crate::store::{DatabaseRow, DatabaseTransaction, damaged, failed};

/// Most entities listed at once.
const MAX_LISTED: u32 = 1_000;

/// An entity as it is known, with the parents known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAdEntity {
    /// What is known of it. Parents that only its parents' own rows name are filled in.
    pub entity: AdEntity,
    /// When it was first heard of, microseconds since the epoch, UTC.
    pub created_us: i64,
    /// When what is known last changed, microseconds since the epoch, UTC.
    pub updated_us: i64,
}

/// An entity and what it stands under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdLineage {
    /// The entity.
    pub entity: StoredAdEntity,
    /// Those of its parents that are known, outermost first.
    pub parents: Vec<StoredAdEntity>,
}

/// Which entities to list; every given condition must hold.
#[derive(Clone, Debug)]
pub struct AdEntityFilter {
    /// Of this level.
    pub level: AdLevel,
    /// Of this source.
    pub source: Option<String>,
    /// In this account.
    pub account: Option<String>,
    /// In this campaign.
    pub campaign: Option<String>,
    /// In this ad set.
    pub ad_set: Option<String>,
    /// In this state, in the platform's words.
    pub status: Option<String>,
}

impl AdEntityFilter {
    /// Every entity of a level.
    pub fn every(level: AdLevel) -> Self {
        AdEntityFilter { level, source: None, account: None, campaign: None, ad_set: None, status: None }
    }
}

/// A place in a list of entities of one level, which goes by source and id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AdCursor {
    /// The source of the last entity seen.
    pub source: String,
    /// Its id.
    pub id: String,
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdEntityPage {
    /// By source and id.
    pub entities: Vec<StoredAdEntity>,
    /// Where the next page begins; none on the last one.
    pub next: Option<AdCursor>,
}

impl Control {
    /// Entities of one level by source and id, those after `after`, at most `limit` of them (at least one, at most 1,000).
    #[boxed]
    pub async fn list_ad_entities(
        &self,
        scope: &WorkspaceScope,
        filter: &AdEntityFilter,
        after: Option<&AdCursor>,
        limit: u32,
    ) -> Result<AdEntityPage> {
        let limit = limit.clamp(1, MAX_LISTED);
        let rows = sqlx::query(
            "SELECT entity.source, entity.level, entity.id, place.account_id, place.campaign_id, place.ad_set_id, entity.name,
               entity.status, entity.currency, entity.budget_micros, entity.budget_period, entity.created_us, entity.updated_us
             FROM ad_entities AS entity JOIN ad_places AS place ON place.workspace_id = entity.workspace_id
               AND place.source = entity.source AND place.level = entity.level AND place.id = entity.id
             WHERE entity.workspace_id = $1 AND entity.level = $2 AND ($3 IS NULL OR entity.source = $3)
               AND ($4 IS NULL OR place.account_id = $4) AND ($5 IS NULL OR place.campaign_id = $5)
               AND ($6 IS NULL OR place.ad_set_id = $6) AND ($7 IS NULL OR entity.status = $7)
               AND ($8 IS NULL OR entity.source > $8 OR (entity.source = $8 AND entity.id > $9))
             ORDER BY entity.source, entity.id LIMIT $10",
        )
        .bind(scope.workspace().0)
        .bind(filter.level.as_str())
        .bind(filter.source.as_deref())
        .bind(filter.account.as_deref())
        .bind(filter.campaign.as_deref())
        .bind(filter.ad_set.as_deref())
        .bind(filter.status.as_deref())
        .bind(after.map(|after| after.source.as_str()))
        .bind(after.map(|after| after.id.as_str()))
        .bind(i64::from(limit) + 1)
        .fetch_all(self.inner.store.reader())
        .await
        .map_err(failed("the entities could not be listed"))?;
        let mut entities = rows.iter().map(entity_from).collect::<Result<Vec<StoredAdEntity>>>()?;
        let is_last = entities.len() <= limit as usize;
        entities.truncate(limit as usize);
        let last = entities.last().filter(|_| !is_last).map(|last| &last.entity);
        let next = last
            .map(|last| AdCursor { source: last.source.clone(), id: last.path.at(last.level).unwrap_or_default().to_owned() });
        Ok(AdEntityPage { entities, next })
    }

    /// One entity with its parents, or `not_found`: also for one that another workspace has.
    #[boxed]
    pub async fn get_ad_entity(&self, scope: &WorkspaceScope, source: &str, level: AdLevel, id: &str) -> Result<AdLineage> {
        let mut transaction = self.inner.store.begin_read().await?;
        let found = find(&mut transaction, scope, source, level, id).await?;
        let unknown = || Error::new(Code::NotFound, format!("no {} of {source} has this id", level.as_str()));
        let entity = found.ok_or_else(unknown)?;
        let mut above = Vec::new();
        for at in AdLevel::ALL.into_iter().filter(|at| *at < level) {
            if let Some(id) = entity.entity.path.at(at) {
                above.extend(find(&mut transaction, scope, source, at, id).await?);
            }
        }
        Ok(AdLineage { entity, parents: above })
    }
}

async fn find(
    transaction: &mut DatabaseTransaction,
    scope: &WorkspaceScope,
    source: &str,
    level: AdLevel,
    id: &str,
) -> Result<Option<StoredAdEntity>> {
    let row = sqlx::query(
        "SELECT entity.source, entity.level, entity.id, place.account_id, place.campaign_id, place.ad_set_id, entity.name,
           entity.status, entity.currency, entity.budget_micros, entity.budget_period, entity.created_us, entity.updated_us
         FROM ad_entities AS entity JOIN ad_places AS place ON place.workspace_id = entity.workspace_id
           AND place.source = entity.source AND place.level = entity.level AND place.id = entity.id
         WHERE entity.workspace_id = $1 AND entity.source = $2 AND entity.level = $3 AND entity.id = $4",
    )
    .bind(scope.workspace().0)
    .bind(source)
    .bind(level.as_str())
    .bind(id)
    .fetch_optional(&mut **transaction)
    .await
    .map_err(failed("the entity could not be read"))?;
    row.as_ref().map(entity_from).transpose()
}

/// Keeps what the entity's own table says of it.
pub(super) async fn record(transaction: &mut DatabaseTransaction, change: &Change<'_>, entity: &AdEntity) -> Result<Outcome> {
    let step = "an entity could not be recorded";
    let [account, campaign, ad_set] = parents(entity.level, &entity.path);
    let before: Option<i64> = sqlx::query(
        "SELECT CASE WHEN COALESCE($5, account_id, '') = COALESCE(account_id, '')
             AND COALESCE($6, campaign_id, '') = COALESCE(campaign_id, '') AND COALESCE($7, ad_set_id, '') = COALESCE(ad_set_id, '')
             AND COALESCE($8, name, '') = COALESCE(name, '') AND COALESCE($9, status, '') = COALESCE(status, '')
             AND COALESCE($10, currency, '') = COALESCE(currency, '')
             AND COALESCE($11, budget_micros, 0) = COALESCE(budget_micros, 0)
             AND COALESCE($12, budget_period, '') = COALESCE(budget_period, '') THEN 1 ELSE 0 END AS is_same
         FROM ad_entities WHERE workspace_id = $1 AND source = $2 AND level = $3 AND id = $4",
    )
    .bind(change.workspace.0)
    .bind(&entity.source)
    .bind(entity.level.as_str())
    .bind(entity.path.at(entity.level))
    .bind(account)
    .bind(campaign)
    .bind(ad_set)
    .bind(entity.name.as_deref())
    .bind(entity.status.as_deref())
    .bind(entity.currency.as_ref().map(Currency::to_string))
    .bind(entity.budget.map(|budget| budget.micros))
    .bind(entity.budget.map(|budget| budget.period.as_str()))
    .fetch_optional(&mut **transaction)
    .await
    .and_then(|row| row.map(|row| row.try_get("is_same")).transpose())
    .map_err(failed(step))?;
    if before == Some(1) {
        return Ok(Outcome::Unchanged);
    }
    sqlx::query(
        "INSERT INTO ad_entities (workspace_id, source, level, id, account_id, campaign_id, ad_set_id, name, status, currency,
           budget_micros, budget_period, created_us, updated_us)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13)
         ON CONFLICT (workspace_id, source, level, id) DO UPDATE SET
           account_id = COALESCE(excluded.account_id, ad_entities.account_id),
           campaign_id = COALESCE(excluded.campaign_id, ad_entities.campaign_id),
           ad_set_id = COALESCE(excluded.ad_set_id, ad_entities.ad_set_id),
           name = COALESCE(excluded.name, ad_entities.name), status = COALESCE(excluded.status, ad_entities.status),
           currency = COALESCE(excluded.currency, ad_entities.currency),
           budget_micros = COALESCE(excluded.budget_micros, ad_entities.budget_micros),
           budget_period = COALESCE(excluded.budget_period, ad_entities.budget_period), updated_us = excluded.updated_us",
    )
    .bind(change.workspace.0)
    .bind(&entity.source)
    .bind(entity.level.as_str())
    .bind(entity.path.at(entity.level))
    .bind(account)
    .bind(campaign)
    .bind(ad_set)
    .bind(entity.name.as_deref())
    .bind(entity.status.as_deref())
    .bind(entity.currency.as_ref().map(Currency::to_string))
    .bind(entity.budget.map(|budget| budget.micros))
    .bind(entity.budget.map(|budget| budget.period.as_str()))
    .bind(change.now_us)
    .execute(&mut **transaction)
    .await
    .map_err(failed(step))?;
    Ok(if before.is_some() { Outcome::Restated } else { Outcome::Inserted })
}

fn entity_from(row: &DatabaseRow) -> Result<StoredAdEntity> {
    let read = failed("an entity's row could not be read");
    let level: &str = row.try_get("level").map_err(&read)?;
    let level = AdLevel::parse(level).ok_or_else(|| damaged("an entity's stored level is damaged"))?;
    let currency: Option<&str> = row.try_get("currency").map_err(&read)?;
    let micros: Option<i64> = row.try_get("budget_micros").map_err(&read)?;
    let period: Option<&str> = row.try_get("budget_period").map_err(&read)?;
    let budget = micros.zip(period).map(|(micros, period)| {
        let period = BudgetPeriod::parse(period).ok_or_else(|| damaged("an entity's stored budget is damaged"))?;
        Ok(Budget { micros, period })
    });
    let id: String = row.try_get("id").map_err(&read)?;
    let (mut ad, mut keyword) = (None, None);
    match level {
        AdLevel::Ad => ad = Some(id),
        AdLevel::Keyword => keyword = Some(id),
        // The view already says these of themselves.
        AdLevel::Account | AdLevel::Campaign | AdLevel::AdSet => {}
    }
    let path = AdPath {
        account: row.try_get("account_id").map_err(&read)?,
        campaign: row.try_get("campaign_id").map_err(&read)?,
        ad_set: row.try_get("ad_set_id").map_err(&read)?,
        ad,
        keyword,
    };
    Ok(StoredAdEntity {
        entity: AdEntity {
            source: row.try_get("source").map_err(&read)?,
            level,
            path,
            name: row.try_get("name").map_err(&read)?,
            status: row.try_get("status").map_err(&read)?,
            currency: currency.map(str::parse).transpose()?,
            budget: budget.transpose()?,
        },
        created_us: row.try_get("created_us").map_err(&read)?,
        updated_us: row.try_get("updated_us").map_err(&read)?,
    })
}
