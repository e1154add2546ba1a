//! Conversions of a workspace: what each type is called, which events are one, and what of it is revenue.

mod change;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sqlx::Row;
use tributary_boxed::boxed;
use tributary_core::conversion::ConversionType;
use tributary_core::error::Result;
use tributary_core::ids::WorkspaceId;
use tributary_core::scope::WorkspaceScope;

pub use change::ConversionChange;

use crate::control::Control;
use crate::store::{DatabaseRow, DatabaseTransaction, damaged, failed};

/// Most workspaces whose conversions are kept; beyond it the cache starts over.
const MAX_KEPT: usize = 1_000;

/// Whose events count. Page and server may both send one purchase, and a public key cannot be trusted with revenue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CountsFrom {
    /// Every event.
    #[default]
    Any,
    /// Only events sent with a secret key or imported.
    Server,
}

impl CountsFrom {
    /// The stored name.
    pub fn as_str(self) -> &'static str {
        match self {
            CountsFrom::Any => "any",
            CountsFrom::Server => "server",
        }
    }

    /// The one with this name.
    pub fn parse(name: &str) -> Option<Self> {
        [CountsFrom::Any, CountsFrom::Server].into_iter().find(|from| from.as_str() == name)
    }
}

/// What a workspace has set for a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConversionSettings {
    /// The type.
    pub conversion: ConversionType,
    /// What the workspace calls it: custom slots only, and only configured ones.
    pub label: Option<String>,
    /// Whether its amounts are part of gross revenue. Fixed for standard types.
    pub include_in_gross_revenue: bool,
    /// Whose events count.
    pub counts_from: CountsFrom,
}

impl ConversionSettings {
    /// What holds as long as nothing is set.
    fn default_of(conversion: ConversionType) -> Self {
        Self { conversion, label: None, include_in_gross_revenue: is_revenue(conversion), counts_from: CountsFrom::default() }
    }
}

/// Whether a type is revenue as long as nothing is set.
fn is_revenue(conversion: ConversionType) -> bool {
    conversion == ConversionType::PURCHASE || conversion == ConversionType::UPSELL_PURCHASE
}

/// The conversions of a workspace at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversions {
    /// One for every type.
    settings: BTreeMap<ConversionType, ConversionSettings>,
    /// Names mapped to a type, ascending.
    mapped: BTreeMap<ConversionType, Vec<String>>,
    type_of_mapped: HashMap<String, ConversionType>,
    /// By label in lower case.
    by_label: HashMap<String, ConversionType>,
}

impl Default for Conversions {
    /// Those of a workspace that has set nothing.
    fn default() -> Self {
        Self::new(Vec::new(), Vec::new())
    }
}

impl Conversions {
    fn new(set: Vec<ConversionSettings>, mapped: Vec<(String, ConversionType)>) -> Self {
        let mut settings: BTreeMap<ConversionType, ConversionSettings> =
            ConversionType::all().map(|conversion| (conversion, ConversionSettings::default_of(conversion))).collect();
        settings.extend(set.into_iter().map(|set| (set.conversion, set)));
        let mut names: BTreeMap<ConversionType, Vec<String>> = BTreeMap::new();
        for (name, conversion) in &mapped {
            names.entry(*conversion).or_default().push(name.clone());
        }
        names.values_mut().for_each(|names| names.sort_unstable());
        let mut conversions =
            Self { settings, mapped: names, type_of_mapped: mapped.into_iter().collect(), by_label: HashMap::new() };
        conversions.by_label =
            conversions.configured().map(|set| (conversions.label_of(set.conversion).to_lowercase(), set.conversion)).collect();
        conversions
    }

    /// What is set for a type.
    pub fn settings(&self, conversion: ConversionType) -> &ConversionSettings {
        self.settings.get(&conversion).expect("every type has its settings")
    }

    /// Every type in order, unconfigured slots included.
    pub fn all(&self) -> impl Iterator<Item = &ConversionSettings> {
        self.settings.values()
    }

    /// The standard types by slug, then the slots that have a label.
    pub fn configured(&self) -> impl Iterator<Item = &ConversionSettings> {
        self.all().filter(|set| !set.conversion.is_custom() || set.label.is_some())
    }

    /// The names of events that are of a type: its slug, then those mapped to it.
    pub fn names_of(&self, conversion: ConversionType) -> Vec<String> {
        let mapped = self.mapped.get(&conversion).into_iter().flatten().cloned();
        std::iter::once(conversion.as_str().to_owned()).chain(mapped).collect()
    }

    /// The type events of a name are of.
    pub fn type_of(&self, event_name: &str) -> Option<ConversionType> {
        ConversionType::parse(event_name).or_else(|| self.type_of_mapped.get(event_name).copied())
    }

    /// The type a slug or a label names; a label in any case.
    pub fn resolve(&self, text: &str) -> Option<ConversionType> {
        let text = text.trim();
        ConversionType::parse(text).or_else(|| self.by_label.get(&text.to_lowercase()).copied())
    }

    /// The types whose amounts are gross revenue, in order.
    pub fn gross_revenue(&self) -> Vec<ConversionType> {
        self.configured().filter(|set| set.include_in_gross_revenue).map(|set| set.conversion).collect()
    }

    /// What people call a type: the workspace's label, or the default one.
    pub fn label_of(&self, conversion: ConversionType) -> &str {
        self.settings(conversion).label.as_deref().unwrap_or(conversion.label())
    }
}

/// Conversions read before, each with the count of changes they were read at.
#[derive(Default)]
pub(crate) struct ConversionsCache(Mutex<HashMap<WorkspaceId, (i64, Arc<Conversions>)>>);

impl ConversionsCache {
    fn kept(&self) -> MutexGuard<'_, HashMap<WorkspaceId, (i64, Arc<Conversions>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, workspace: WorkspaceId, changes: i64) -> Option<Arc<Conversions>> {
        self.kept().get(&workspace).filter(|(read_at, _)| *read_at == changes).map(|(_, conversions)| conversions.clone())
    }

    fn keep(&self, workspace: WorkspaceId, changes: i64, conversions: Arc<Conversions>) {
        let mut kept = self.kept();
        if kept.len() >= MAX_KEPT && !kept.contains_key(&workspace) {
            kept.clear();
        }
        kept.insert(workspace, (changes, conversions));
    }
}

impl Control {
    /// The conversions of a workspace as of now. Read anew only after a change: the same answer is the same `Arc`.
    #[boxed]
    pub async fn conversions(&self, scope: &WorkspaceScope) -> Result<Arc<Conversions>> {
        let workspace = scope.workspace();
        let mut transaction = self.inner.store.begin_read().await?;
        let changes = changes(&mut transaction, workspace).await?;
        if let Some(conversions) = self.inner.conversions.find(workspace, changes) {
            return Ok(conversions);
        }
        let conversions = Arc::new(read_conversions(&mut transaction, workspace).await?);
        self.inner.conversions.keep(workspace, changes, conversions.clone());
        Ok(conversions)
    }
}

/// The conversions inside a transaction.
pub(crate) async fn read_conversions(transaction: &mut DatabaseTransaction, workspace: WorkspaceId) -> Result<Conversions> {
    let read = failed("the conversions could not be read");
    let rows =
        sqlx::query("SELECT conversion, label, include_in_gross_revenue, counts_from FROM conversions WHERE workspace_id = $1")
            .bind(workspace.0)
            .fetch_all(&mut **transaction)
            .await
            .map_err(&read)?;
    let set = rows.iter().map(settings_from).collect::<Result<Vec<ConversionSettings>>>()?;
    let rows =
        sqlx::query("SELECT event, conversion FROM event_mappings WHERE workspace_id = $1 AND event IS NOT NULL ORDER BY id")
            .bind(workspace.0)
            .fetch_all(&mut **transaction)
            .await
            .map_err(&read)?;
    let mapped = |row: &DatabaseRow| Ok((row.try_get("event").map_err(&read)?, conversion_from(row)?));
    Ok(Conversions::new(set, rows.iter().map(mapped).collect::<Result<_>>()?))
}

fn settings_from(row: &DatabaseRow) -> Result<ConversionSettings> {
    let read = failed("a conversion's row could not be read");
    let counts_from: &str = row.try_get("counts_from").map_err(&read)?;
    Ok(ConversionSettings {
        conversion: conversion_from(row)?,
        label: row.try_get("label").map_err(&read)?,
        include_in_gross_revenue: row.try_get("include_in_gross_revenue").map_err(&read)?,
        counts_from: CountsFrom::parse(counts_from).ok_or_else(|| damaged("a conversion's stored origin is damaged"))?,
    })
}

/// The type in a row's column `conversion`.
pub(crate) fn conversion_from(row: &DatabaseRow) -> Result<ConversionType> {
    let slug: &str = row.try_get("conversion").map_err(failed("a conversion's slug could not be read"))?;
    ConversionType::parse(slug).ok_or_else(|| damaged("a stored conversion is of no known type"))
}

async fn changes(transaction: &mut DatabaseTransaction, workspace: WorkspaceId) -> Result<i64> {
    let read = failed("the count of changes of conversions could not be read");
    let row = sqlx::query("SELECT changes FROM conversion_counters WHERE workspace_id = $1")
        .bind(workspace.0)
        .fetch_optional(&mut **transaction)
        .await
        .map_err(&read)?;
    row.map_or(Ok(0), |row| row.try_get("changes")).map_err(&read)
}

/// Notes inside a transaction that something changed which decides what is a conversion.
pub(crate) async fn note_change(transaction: &mut DatabaseTransaction, workspace: WorkspaceId) -> Result<()> {
    sqlx::query(
        "INSERT INTO conversion_counters (workspace_id, changes) VALUES ($1, 1)
         ON CONFLICT (workspace_id) DO UPDATE SET changes = conversion_counters.changes + 1",
    )
    .bind(workspace.0)
    .execute(&mut **transaction)
    .await
    .map_err(failed("a change of conversions could not be noted"))?;
    Ok(())
}

/// Erases what a deleted workspace had set, mapped, opened, saved and noted. Its count of changes stays.
pub(crate) async fn erase(transaction: &mut DatabaseTransaction, workspace: WorkspaceId) -> Result<()> {
    const STATEMENTS: [&str; 5] = [
        "DELETE FROM conversions WHERE workspace_id = $1",
        "DELETE FROM event_mappings WHERE workspace_id = $1",
        "DELETE FROM webhook_endpoints WHERE workspace_id = $1",
        "DELETE FROM saved_items WHERE workspace_id = $1",
        "DELETE FROM idempotency_keys WHERE workspace_id = $1",
    ];
    for statement in STATEMENTS {
        sqlx::query(statement)
            .bind(workspace.0)
            .execute(&mut **transaction)
            .await
            .map_err(failed("the conversions of a workspace could not be erased"))?;
    }
    note_change(transaction, workspace).await
}
