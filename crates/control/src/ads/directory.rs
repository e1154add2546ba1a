//! Every entity of a workspace's advertising by id, with names and parents: what reports name touches and spend by.

use std::collections::HashMap;

use futures::TryStreamExt;
use jiff::civil::Date;
use sqlx::Row;
use tributary_boxed::boxed;
use tributary_core::ads::AdLevel;
use tributary_core::error::{Error, Result};
use tributary_core::money::Currency;
use tributary_core::scope::WorkspaceScope;

use super::rates::{self, Rates};
use crate::control::Control;
use crate::store::{damaged, failed};

/// Where an entity stands, with the names along the way. Ids and names are `None` above what is known, and below the entity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AdStanding {
    /// The source's slug.
    pub source: String,
    /// Ids of account, campaign, ad set and ad.
    pub ids: [Option<String>; 4],
    /// Their names.
    pub names: [Option<String>; 4],
}

/// The entities of a workspace.
#[derive(Debug, Default)]
pub struct AdDirectory {
    standings: Vec<AdStanding>,
    /// Level, then id, to places in `standings`: platforms may use the same id.
    by_id: HashMap<(AdLevel, String), Vec<usize>>,
}

/// The levels of [`AdStanding`]'s ids and names, in order.
pub const AD_LEVELS: [AdLevel; 4] = [AdLevel::Account, AdLevel::Campaign, AdLevel::AdSet, AdLevel::Ad];

impl AdDirectory {
    /// Every entity with a name: its level, id, source and name.
    pub fn named(&self) -> impl Iterator<Item = (AdLevel, &str, &str, &str)> {
        self.standings.iter().filter_map(|standing| {
            let place = standing.ids.iter().rposition(Option::is_some)?;
            let (id, name) = (standing.ids[place].as_deref()?, standing.names[place].as_deref()?);
            Some((AD_LEVELS[place], id, standing.source.as_str(), name))
        })
    }

    /// The entity with this id: the source's own, or the only one that any source has. A visit may name another source than
    /// the account's: ads bought on one platform are shown on its others.
    pub fn find(&self, source: Option<&str>, level: AdLevel, id: &str) -> Option<&AdStanding> {
        let found = self.by_id.get(&(level, id.to_owned()))?;
        let mut standings = found.iter().map(|place| &self.standings[*place]);
        let own = standings.clone().find(|standing| Some(standing.source.as_str()) == source);
        own.or_else(|| standings.next().filter(|_| found.len() == 1))
    }
}

impl Control {
    /// The entities of a workspace's advertising, keywords aside.
    #[boxed]
    pub async fn ad_directory(&self, scope: &WorkspaceScope) -> Result<AdDirectory> {
        let read = failed("the names of advertising could not be read");
        let mut rows = sqlx::query(
            "SELECT place.source, place.level, place.id, place.account_id, place.campaign_id, place.ad_set_id, place.ad_id,
               entity.name
             FROM ad_places AS place JOIN ad_entities AS entity ON entity.workspace_id = place.workspace_id
               AND entity.source = place.source AND entity.level = place.level AND entity.id = place.id
             WHERE place.workspace_id = $1 AND place.level <> 'keyword'",
        )
        .bind(scope.workspace().0)
        .fetch(self.inner.store.reader());
        let mut directory = AdDirectory::default();
        let mut names: HashMap<(String, AdLevel, String), String> = HashMap::new();
        while let Some(row) = rows.try_next().await.map_err(&read)? {
            let level: &str = row.try_get("level").map_err(&read)?;
            let level = AdLevel::parse(level).ok_or_else(|| damaged("an entity's stored level is damaged"))?;
            let id: String = row.try_get("id").map_err(&read)?;
            let source: String = row.try_get("source").map_err(&read)?;
            let name: Option<String> = row.try_get("name").map_err(&read)?;
            if let Some(name) = name {
                names.insert((source.clone(), level, id.clone()), name);
            }
            let ids = [
                row.try_get("account_id").map_err(&read)?,
                row.try_get("campaign_id").map_err(&read)?,
                row.try_get("ad_set_id").map_err(&read)?,
                row.try_get("ad_id").map_err(&read)?,
            ];
            directory.by_id.entry((level, id)).or_default().push(directory.standings.len());
            directory.standings.push(AdStanding { source, ids, names: Default::default() });
        }
        for standing in &mut directory.standings {
            for (place, level) in AD_LEVELS.into_iter().enumerate() {
                let named = standing.ids[place].clone().map(|id| (standing.source.clone(), level, id));
                standing.names[place] = named.and_then(|key| names.get(&key).cloned());
            }
        }
        Ok(directory)
    }

    /// The first day of which any ad spend is stored.
    #[boxed]
    pub async fn first_ad_day(&self, scope: &WorkspaceScope) -> Result<Option<Date>> {
        let read = failed("the first day of advertising could not be read");
        let row = sqlx::query("SELECT MIN(date) AS date FROM ad_spend WHERE workspace_id = $1")
            .bind(scope.workspace().0)
            .fetch_one(self.inner.store.reader())
            .await
            .map_err(&read)?;
        let date: Option<String> = row.try_get("date").map_err(&read)?;
        let parsed = date.map(|date| date.parse()).transpose();
        parsed.map_err(|error: jiff::Error| -> Error { damaged("a stored date is damaged").caused_by(error) })
    }

    /// The rates into a currency that are good on days before `to`.
    #[boxed]
    pub async fn rates_into(&self, scope: &WorkspaceScope, target: Currency, to: Date) -> Result<Rates> {
        let mut transaction = self.inner.store.begin_read().await?;
        rates::into_currency(&mut transaction, scope, target, to).await
    }
}
