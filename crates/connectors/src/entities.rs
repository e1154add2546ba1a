//! Accounts, campaigns, ad sets and ads: the newest version of each.

use std::collections::BTreeMap;

use tributary_core::ads::{AdBatch, AdEntity, Budget, BudgetPeriod};

use crate::cell;
use crate::columns::Row;
use crate::problem::Fault;
use crate::report::Batches;
use crate::table::{BudgetColumn, Entities, Period};

/// The newest versions of one file.
pub(crate) struct Newest {
    source: &'static str,
    by_id: BTreeMap<String, (Vec<u64>, AdEntity)>,
}

impl Newest {
    pub fn new(source: &'static str) -> Self {
        Newest { source, by_id: BTreeMap::new() }
    }

    /// Keeps the row, if it is the newest of its entity so far.
    pub fn add(&mut self, entities: &Entities, row: &Row<'_>) -> Result<(), Fault> {
        let path = row.path(&entities.ids, entities.level)?;
        let id = path.at(entities.level).unwrap_or_default().to_owned();
        let entity = AdEntity {
            name: row.label(entities.name)?,
            status: row.label(entities.status)?,
            currency: entities.currency.map_or(Ok(None), |column| row.currency(column))?,
            budget: budget(entities.budgets, row)?,
            ..AdEntity::at(self.source, entities.level, path)
        };
        let time = entities.version.map_or(Ok(None), |column| row.filled(column))?;
        let version = time.map(cell::version).unwrap_or_default();
        if self.by_id.get(&id).is_none_or(|(newest, _)| *newest <= version) {
            self.by_id.insert(id, (version, entity));
        }
        Ok(())
    }

    pub fn into_batches(self, most: usize) -> Vec<AdBatch> {
        let mut batches = Batches::new(most);
        for (_, entity) in self.by_id.into_values() {
            batches.open().entities.push(entity);
        }
        batches.finish()
    }
}

fn budget(columns: &[BudgetColumn], row: &Row<'_>) -> Result<Option<Budget>, Fault> {
    for BudgetColumn { amount, period } in columns {
        let Some(micros) = row.amount(*amount)?.filter(|micros| *micros != 0) else { continue };
        if let Some(period) = told(*period, row)? {
            return Ok(Some(Budget { micros, period }));
        }
    }
    Ok(None)
}

fn told(period: Period, row: &Row<'_>) -> Result<Option<BudgetPeriod>, Fault> {
    let (column, daily, lifetime) = match period {
        Period::Always(period) => return Ok(Some(period)),
        Period::Told { column, daily, lifetime } => (column, daily, lifetime),
    };
    let word = row.filled(column)?.unwrap_or_default().to_ascii_lowercase();
    Ok(match word.as_str() {
        word if word == daily => Some(BudgetPeriod::Daily),
        word if word == lifetime => Some(BudgetPeriod::Lifetime),
        _ => None,
    })
}
