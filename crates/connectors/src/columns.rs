//! A file's header, and its records by the names of columns.

use std::collections::HashMap;

use csv::ByteRecord;
use jiff::civil::Date;
use tributary_core::ads::{AdLevel, AdPath, MAX_COUNT};
use tributary_core::money::Currency;

use crate::cell;
use crate::problem::Fault;
use crate::table::{Amount, Ids};

/// Where each column stands. Names are compared without case and surrounding space.
pub(crate) struct Header {
    at: HashMap<String, usize>,
    columns: usize,
}

impl Header {
    pub fn new<'c>(cells: impl IntoIterator<Item = &'c str>) -> Self {
        let (mut at, mut columns) = (HashMap::new(), 0);
        for cell in cells {
            at.entry(normal(cell)).or_insert(columns);
            columns += 1;
        }
        Header { at, columns }
    }

    pub fn has(&self, column: &str) -> bool {
        self.at.contains_key(column)
    }

    /// Names that are none of `known`, in no particular order.
    pub fn others<'h>(&'h self, known: &'h [&str]) -> impl Iterator<Item = &'h str> {
        self.at.keys().map(String::as_str).filter(|column| !known.contains(column))
    }
}

/// A name as it is compared: some exports begin with a byte order mark, TikTok's are upper case.
fn normal(name: &str) -> String {
    name.trim_start_matches('\u{feff}').trim().to_ascii_lowercase()
}

/// One record under its header. Every reader gives `None` for an empty cell and for a column the file lacks.
pub(crate) struct Row<'r> {
    header: &'r Header,
    record: &'r ByteRecord,
}

impl<'r> Row<'r> {
    /// Refuses a record whose cells cannot belong to the header's columns.
    pub fn new(header: &'r Header, record: &'r ByteRecord) -> Result<Self, Fault> {
        if record.len() != header.columns {
            let (cells, columns) = (record.len(), header.columns);
            return Err(Fault::in_row(format!("the row has {cells} cells; accepted: {columns}, as the header has")));
        }
        Ok(Row { header, record })
    }

    pub fn filled(&self, column: &str) -> Result<Option<&'r str>, Fault> {
        let Some(cell) = self.header.at.get(column).and_then(|at| self.record.get(*at)) else { return Ok(None) };
        let cell =
            std::str::from_utf8(cell).map_err(|_| Fault::in_column(column, "the cell is not UTF-8; accepted: UTF-8 text"))?;
        Ok(cell::filled(cell))
    }

    pub fn text(&self, column: &str) -> Result<Option<String>, Fault> {
        self.read(column, cell::text)
    }

    pub fn count(&self, column: &str) -> Result<Option<i64>, Fault> {
        self.read(column, cell::count)
    }

    pub fn date(&self, column: &str) -> Result<Option<Date>, Fault> {
        self.read(column, cell::date)
    }

    pub fn currency(&self, column: &str) -> Result<Option<Currency>, Fault> {
        self.read(column, cell::currency)
    }

    pub fn amount(&self, amount: Amount) -> Result<Option<i64>, Fault> {
        self.read(amount.column, |cell| cell::amount(cell, amount.unit))
    }

    /// Text that only describes: the first of these that is filled, shortened rather than refused.
    pub fn label(&self, columns: &[&str]) -> Result<Option<String>, Fault> {
        for column in columns {
            if let Some(cell) = self.filled(column)? {
                return Ok(Some(cell::label(cell)));
            }
        }
        Ok(None)
    }

    /// Several columns of counts together; none when all are empty.
    pub fn counts(&self, columns: &[&str]) -> Result<Option<i64>, Fault> {
        let mut sum: Option<i64> = None;
        for column in columns {
            let Some(count) = self.count(column)? else { continue };
            let more = sum.unwrap_or(0).checked_add(count).filter(|sum| *sum <= MAX_COUNT);
            sum =
                Some(more.ok_or_else(|| Fault::in_column(column, format!("the sum is no count; accepted: up to {MAX_COUNT}")))?);
        }
        Ok(sum)
    }

    /// The entity and its parents, up to a level whose id must be filled.
    pub fn path(&self, ids: &Ids, level: AdLevel) -> Result<AdPath, Fault> {
        let id = |column: Option<&str>| column.map_or(Ok(None), |column| self.text(column));
        let mut parts = Vec::with_capacity(ids.keyword.len());
        for column in ids.keyword {
            parts.extend(self.text(column)?);
        }
        let path = AdPath {
            account: id(ids.account)?,
            campaign: id(ids.campaign)?,
            ad_set: id(ids.ad_set)?,
            ad: id(ids.ad)?,
            keyword: keyword(&parts, ids)?,
        };
        if path.at(level).is_none() {
            let column = ids.of(level).join(" and ");
            return Err(Fault::in_column(
                &column,
                format!("the {} has no id; accepted: the platform's id of it", level.as_str()),
            ));
        }
        Ok(path.up_to(level))
    }

    fn read<T>(&self, column: &str, read: impl Fn(&str) -> Result<T, String>) -> Result<Option<T>, Fault> {
        self.filled(column)?.map(read).transpose().map_err(|message| Fault::in_column(column, message))
    }
}

/// A keyword's id, when all its parts are there.
fn keyword(parts: &[String], ids: &Ids) -> Result<Option<String>, Fault> {
    if parts.is_empty() || parts.len() != ids.keyword.len() {
        return Ok(None);
    }
    cell::text(&parts.join("~")).map(Some).map_err(|message| Fault::in_column(&ids.keyword.join(" and "), message))
}
