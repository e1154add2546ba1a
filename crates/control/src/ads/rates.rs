//! Currency rates the workspace supplies, each good from its date until the next.

use std::collections::BTreeMap;

use jiff::civil::Date;
use sqlx::Row;
use tributary_boxed::boxed;
use tributary_core::error::{Code, Error, Result};
use tributary_core::money::Currency;
use tributary_core::rate::Rate;
use tributary_core::scope::WorkspaceScope;

use super::checks::check_date;
use super::{Change, Counts, Outcome, invalid};
use crate::control::Control;
use crate::store::{DatabaseRow, DatabaseTransaction, commit, damaged, failed};

/// Most rates set at once.
const MAX_RATES: usize = 10_000;
/// Most rates listed at once.
const MAX_LISTED: u32 = 10_000;

/// From `date` on, one unit of `from` is worth `rate` units of `to`. Nothing is derived from it: neither the way back nor a way
/// over a third currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CurrencyRate {
    /// The currency that is converted.
    pub from: Currency,
    /// The currency it is converted to.
    pub to: Currency,
    /// The first day it is good for.
    pub date: Date,
    /// The rate.
    pub rate: Rate,
}

/// Which rates to list; every given condition must hold.
#[derive(Clone, Copy, Debug, Default)]
pub struct RateFilter {
    /// From this currency.
    pub from: Option<Currency>,
    /// To this currency.
    pub to: Option<Currency>,
    /// After this one in the list's order: the last rate of a page leads to the next.
    pub after: Option<(Currency, Currency, Date)>,
}

impl Control {
    /// Sets rates, all or none; a rate of the same currencies and date is replaced.
    ///
    /// Errors: `invalid_params` for a rate of a currency to itself, a date out of bounds or more than 10,000 rates, `not_found`
    /// for a workspace that was deleted.
    #[boxed]
    pub async fn set_currency_rates(&self, scope: &WorkspaceScope, rates: Vec<CurrencyRate>) -> Result<Counts> {
        if rates.len() > MAX_RATES {
            return Err(invalid(format!("there are {} rates; accepted: up to {MAX_RATES} at once", rates.len())));
        }
        for rate in &rates {
            check_date("date", rate.date)?;
            if rate.from == rate.to {
                return Err(invalid(format!(
                    "a rate leads from one currency to another; this one leads from {} to itself",
                    rate.from
                )));
            }
        }
        let workspace = scope.workspace();
        self.run_to_end(move |control| async move {
            let mut transaction = control.begin_in(workspace).await?;
            let change = Change { workspace, author: "", now_us: control.now_us() };
            let mut counts = Counts::default();
            for rate in &rates {
                counts.note(set(&mut transaction, &change, rate).await?);
            }
            commit(transaction).await?;
            Ok(counts)
        })
        .await
    }

    /// Rates by currencies and date, at most `limit` of them (and never more than 10,000).
    #[boxed]
    pub async fn list_currency_rates(
        &self,
        scope: &WorkspaceScope,
        filter: &RateFilter,
        limit: u32,
    ) -> Result<Vec<CurrencyRate>> {
        let rows = sqlx::query(
            "SELECT from_currency, to_currency, date, rate_parts FROM currency_rates
             WHERE workspace_id = $1 AND ($2 IS NULL OR from_currency = $2) AND ($3 IS NULL OR to_currency = $3)
               AND ($4 IS NULL OR from_currency > $4 OR (from_currency = $4 AND to_currency > $5)
                 OR (from_currency = $4 AND to_currency = $5 AND date > $6))
             ORDER BY from_currency, to_currency, date LIMIT $7",
        )
        .bind(scope.workspace().0)
        .bind(filter.from.as_ref().map(Currency::to_string))
        .bind(filter.to.as_ref().map(Currency::to_string))
        .bind(filter.after.as_ref().map(|(from, _, _)| from.to_string()))
        .bind(filter.after.as_ref().map(|(_, to, _)| to.to_string()))
        .bind(filter.after.as_ref().map(|(_, _, date)| date.to_string()))
        .bind(i64::from(limit.min(MAX_LISTED)))
        .fetch_all(self.inner.store.reader())
        .await
        .map_err(failed("the currency rates could not be listed"))?;
        rows.iter().map(rate_from).collect()
    }

    /// Removes one rate; days it was good for fall back to the one before. An unknown one is `not_found`.
    #[boxed]
    pub async fn remove_currency_rate(&self, scope: &WorkspaceScope, from: Currency, to: Currency, date: Date) -> Result<()> {
        let workspace = scope.workspace();
        self.run_to_end(move |control| async move {
            let mut transaction = control.begin_in(workspace).await?;
            let removed = sqlx::query(
                "DELETE FROM currency_rates WHERE workspace_id = $1 AND from_currency = $2 AND to_currency = $3 AND date = $4",
            )
            .bind(workspace.0)
            .bind(from.as_str())
            .bind(to.as_str())
            .bind(date.to_string())
            .execute(&mut *transaction)
            .await
            .map_err(failed("the currency rate could not be removed"))?;
            if removed.rows_affected() == 0 {
                return Err(Error::new(Code::NotFound, format!("there is no rate from {from} to {to} of {date}")));
            }
            commit(transaction).await
        })
        .await
    }
}

/// Rates into one currency.
#[derive(Clone, Debug)]
pub struct Rates {
    /// The currency they lead to.
    pub target: Currency,
    by_currency: BTreeMap<Currency, BTreeMap<Date, Rate>>,
}

impl Rates {
    /// The latest rate at or before a day.
    pub fn at(&self, from: Currency, date: Date) -> Option<Rate> {
        if from == self.target {
            return Some(Rate::ONE);
        }
        self.by_currency.get(&from)?.range(..=date).next_back().map(|(_, rate)| *rate)
    }
}

/// Every rate into `target` of days before `to`.
pub(super) async fn into_currency(
    transaction: &mut DatabaseTransaction,
    scope: &WorkspaceScope,
    target: Currency,
    to: Date,
) -> Result<Rates> {
    let rows = sqlx::query(
        "SELECT from_currency, to_currency, date, rate_parts FROM currency_rates
         WHERE workspace_id = $1 AND to_currency = $2 AND date < $3",
    )
    .bind(scope.workspace().0)
    .bind(target.as_str())
    .bind(to.to_string())
    .fetch_all(&mut **transaction)
    .await
    .map_err(failed("the currency rates could not be read"))?;
    let mut by_currency: BTreeMap<Currency, BTreeMap<Date, Rate>> = BTreeMap::new();
    for row in &rows {
        let CurrencyRate { from, date, rate, .. } = rate_from(row)?;
        by_currency.entry(from).or_default().insert(date, rate);
    }
    Ok(Rates { target, by_currency })
}

async fn set(transaction: &mut DatabaseTransaction, change: &Change<'_>, rate: &CurrencyRate) -> Result<Outcome> {
    let step = "a currency rate could not be set";
    let before: Option<i64> = sqlx::query(
        "SELECT rate_parts FROM currency_rates WHERE workspace_id = $1 AND from_currency = $2 AND to_currency = $3 AND date = $4",
    )
    .bind(change.workspace.0)
    .bind(rate.from.as_str())
    .bind(rate.to.as_str())
    .bind(rate.date.to_string())
    .fetch_optional(&mut **transaction)
    .await
    .and_then(|row| row.map(|row| row.try_get("rate_parts")).transpose())
    .map_err(failed(step))?;
    if before == Some(rate.rate.parts()) {
        return Ok(Outcome::Unchanged);
    }
    sqlx::query(
        "INSERT INTO currency_rates (workspace_id, from_currency, to_currency, date, rate_parts) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (workspace_id, from_currency, to_currency, date) DO UPDATE SET rate_parts = excluded.rate_parts",
    )
    .bind(change.workspace.0)
    .bind(rate.from.as_str())
    .bind(rate.to.as_str())
    .bind(rate.date.to_string())
    .bind(rate.rate.parts())
    .execute(&mut **transaction)
    .await
    .map_err(failed(step))?;
    Ok(if before.is_some() { Outcome::Restated } else { Outcome::Inserted })
}

fn rate_from(row: &DatabaseRow) -> Result<CurrencyRate> {
    let read = failed("a currency rate's row could not be read");
    let (from, to): (&str, &str) = (row.try_get("from_currency").map_err(&read)?, row.try_get("to_currency").map_err(&read)?);
    let date: &str = row.try_get("date").map_err(&read)?;
    Ok(CurrencyRate {
        from: from.parse()?,
        to: to.parse()?,
        date: date.parse().map_err(|error: jiff::Error| damaged("a currency rate's stored date is damaged").caused_by(error))?,
        rate: Rate::from_parts(row.try_get("rate_parts").map_err(&read)?)?,
    })
}
