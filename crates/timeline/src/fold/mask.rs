//! Filters as lookup tables over codes.

use std::sync::Arc;

use tributary_core::error::Result;
use tributary_events::filter::Filter;

use super::field;
use crate::column::TextColumn;
use crate::run::Run;

/// A list of filters, all of which must hold, over one run.
pub(crate) struct Mask {
    /// One table per field: filters on the same field share it.
    tables: Vec<Table>,
}

struct Table {
    column: Arc<TextColumn>,
    passes: Vec<bool>,
}

impl Mask {
    pub fn over(run: &Run, filters: &[Filter]) -> Result<Self> {
        let mut tables: Vec<(&Filter, Table)> = Vec::new();
        for filter in filters {
            if let Some((_, table)) = tables.iter_mut().find(|(other, _)| other.field == filter.field) {
                table.narrow(filter);
                continue;
            }
            let column = field::column(run, &filter.field)?;
            let mut table = Table { passes: vec![true; column.values.len() + 1], column };
            table.narrow(filter);
            tables.push((filter, table));
        }
        // A table that lets everything through needs no look at its rows.
        let tables =
            tables.into_iter().map(|(_, table)| table).filter(|table| !table.passes.iter().all(|passes| *passes)).collect();
        Ok(Self { tables })
    }

    /// Whether a row passes.
    #[inline]
    pub fn holds(&self, row: usize) -> bool {
        self.tables.iter().all(|table| table.passes[table.column.codes.at(row) as usize])
    }
}

impl Table {
    fn narrow(&mut self, filter: &Filter) {
        self.passes[0] &= filter.test.holds(None);
        for (at, value) in self.column.values.iter().enumerate() {
            self.passes[at + 1] = self.passes[at + 1] && filter.test.holds(Some(value));
        }
    }
}
