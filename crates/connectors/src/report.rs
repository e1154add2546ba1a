//! Figures per day: read row by row, summed to one row per entity and day.

use std::collections::BTreeMap;

use jiff::civil::Date;
use tributary_core::ads::{AdBatch, AdDay, AdEntity, AdLevel, AdPath, ClaimRow, ClaimRule, Cut, MAX_COUNT, MAX_MICROS, SpendRow};
use tributary_core::money::Currency;

use crate::columns::Row;
use crate::problem::Fault;
use crate::table::{Claim, Event, Report};

/// What is summed to one row. The parents are not part of it: they are what the rows say together.
type Key = (String, Date, Option<Cut>);

/// The sums of one file's rows.
pub(crate) struct Sums {
    source: &'static str,
    level: AdLevel,
    days: BTreeMap<Key, Day>,
    names: BTreeMap<String, (AdPath, String)>,
}

#[derive(Default)]
struct Day {
    path: AdPath,
    currency: Option<Currency>,
    spend: Option<Figures>,
    claims: BTreeMap<ClaimRule, Claimed>,
}

#[derive(Clone, Copy, Default)]
struct Figures {
    spend_micros: i64,
    impressions: Option<i64>,
    clicks: Option<i64>,
    link_clicks: Option<i64>,
}

#[derive(Clone, Copy, Default)]
struct Claimed {
    conversions_micros: Option<i64>,
    value_micros: Option<i64>,
}

impl Sums {
    pub fn new(source: &'static str, report: &Report) -> Self {
        Sums { source, level: report.level, days: BTreeMap::new(), names: BTreeMap::new() }
    }

    /// Adds one row, or nothing of it.
    pub fn add(&mut self, report: &Report, row: &Row<'_>) -> Result<(), Fault> {
        let path = row.path(&report.ids, report.level)?;
        let date =
            row.date(report.date)?.ok_or_else(|| Fault::in_column(report.date, "the row has no date; accepted: 2026-05-31"))?;
        let mut cut = None;
        if let Some((by, column)) = report.cut {
            // A part that is not named is still a part: it must not pass for the whole.
            cut = Some(Cut { by, value: row.label(&[column])?.unwrap_or_else(|| "unknown".to_owned()) });
        }
        let currency = report.currency.map_or(Ok(None), |column| row.currency(column))?;
        let figures = figures(report, row)?;
        let claims = claims(report.claims, row)?;
        let name = report.name.map_or(Ok(None), |column| row.label(&[column]))?;
        let id = path.at(self.level).unwrap_or_default().to_owned();
        if let Some(name) = name {
            self.names.insert(id.clone(), (path.clone(), name));
        }
        let day = self.days.entry((id, date, cut)).or_default();
        day.add(path, currency, figures, claims)
    }

    /// The sums as rows, in the order of entities and days, at most `most` in a batch.
    pub fn into_batches(self, most: usize) -> Vec<AdBatch> {
        let Sums { source, level, days, names } = self;
        let mut batches = Batches::new(most);
        for (path, name) in names.into_values() {
            batches.open().entities.push(AdEntity { name: Some(name), ..AdEntity::at(source, level, path) });
        }
        for ((_, date, cut), Day { path, currency, spend, claims }) in days {
            let day = AdDay { source: source.to_owned(), level, path, date, cut };
            if let Some(Figures { spend_micros, impressions, clicks, link_clicks }) = spend {
                batches.open().spend.push(SpendRow {
                    day: day.clone(),
                    currency,
                    spend_micros,
                    impressions,
                    clicks,
                    link_clicks,
                });
            }
            for (rule, Claimed { conversions_micros, value_micros }) in claims {
                batches.open().claims.push(ClaimRow { day: day.clone(), rule, currency, conversions_micros, value_micros });
            }
        }
        batches.finish()
    }
}

/// Rows collected into batches of bounded size.
pub(crate) struct Batches {
    most: usize,
    done: Vec<AdBatch>,
    open: AdBatch,
}

impl Batches {
    pub fn new(most: usize) -> Self {
        Batches { most, done: Vec::new(), open: AdBatch::default() }
    }

    /// The batch the next row goes into.
    pub fn open(&mut self) -> &mut AdBatch {
        if self.open.len() >= self.most {
            self.done.push(std::mem::take(&mut self.open));
        }
        &mut self.open
    }

    pub fn finish(mut self) -> Vec<AdBatch> {
        if !self.open.is_empty() {
            self.done.push(self.open);
        }
        self.done
    }
}

impl Day {
    fn add(
        &mut self,
        path: AdPath,
        currency: Option<Currency>,
        figures: Option<Figures>,
        claims: Vec<(ClaimRule, Claimed)>,
    ) -> Result<(), Fault> {
        if let (Some(before), Some(now)) = (self.currency, currency)
            && before != now
        {
            return Err(Fault::in_row(format!("the row is in {now}, an earlier one of this entity and day in {before}")));
        }
        // Everything is summed before anything is kept, so that a row that does not fit leaves nothing behind.
        let spend = match (self.spend, figures) {
            (Some(before), Some(now)) => Some(before.plus(now)?),
            (before, now) => before.or(now),
        };
        let mut summed = Vec::with_capacity(claims.len());
        for (rule, now) in claims {
            let before = self.claims.get(&rule).copied().unwrap_or_default();
            summed.push((rule, before.plus(now)?));
        }
        self.spend = spend;
        self.claims.extend(summed);
        self.currency = self.currency.or(currency);
        let known = std::mem::take(&mut self.path);
        self.path = AdPath {
            account: known.account.or(path.account),
            campaign: known.campaign.or(path.campaign),
            ad_set: known.ad_set.or(path.ad_set),
            ad: known.ad.or(path.ad),
            keyword: known.keyword.or(path.keyword),
        };
        Ok(())
    }
}

impl Figures {
    fn plus(self, other: Figures) -> Result<Figures, Fault> {
        Ok(Figures {
            spend_micros: amounts(Some(self.spend_micros), Some(other.spend_micros))?.unwrap_or(0),
            impressions: counts(self.impressions, other.impressions)?,
            clicks: counts(self.clicks, other.clicks)?,
            link_clicks: counts(self.link_clicks, other.link_clicks)?,
        })
    }
}

impl Claimed {
    fn plus(self, other: Claimed) -> Result<Claimed, Fault> {
        Ok(Claimed {
            conversions_micros: amounts(self.conversions_micros, other.conversions_micros)?,
            value_micros: amounts(self.value_micros, other.value_micros)?,
        })
    }
}

fn amounts(one: Option<i64>, other: Option<i64>) -> Result<Option<i64>, Fault> {
    sum(one, other, MAX_MICROS)
}

fn counts(one: Option<i64>, other: Option<i64>) -> Result<Option<i64>, Fault> {
    sum(one, other, MAX_COUNT)
}

/// A sum obeys the bounds of its parts: what is handed on is what may be stored.
fn sum(one: Option<i64>, other: Option<i64>, most: i64) -> Result<Option<i64>, Fault> {
    let (Some(first), Some(second)) = (one, other) else { return Ok(one.or(other)) };
    let sum = first.checked_add(second).filter(|sum| (-most..=most).contains(sum));
    sum.map(Some).ok_or_else(|| Fault::in_row("with this row the entity's day is beyond what is counted; earlier rows are kept"))
}

/// Spend without a value is nothing spent: the row is there, so the platform has said so.
fn figures(report: &Report, row: &Row<'_>) -> Result<Option<Figures>, Fault> {
    let Some(spend) = report.spend else { return Ok(None) };
    Ok(Some(Figures {
        spend_micros: row.amount(spend)?.unwrap_or(0),
        impressions: row.counts(report.impressions)?,
        clicks: row.counts(report.clicks)?,
        link_clicks: row.counts(report.link_clicks)?,
    }))
}

fn claims(claims: &[Claim], row: &Row<'_>) -> Result<Vec<(ClaimRule, Claimed)>, Fault> {
    let mut found = Vec::new();
    for claim in claims {
        let amount = |amount| Option::map_or(amount, Ok(None), |amount| row.amount(amount));
        let claimed = Claimed { conversions_micros: amount(claim.conversions)?, value_micros: amount(claim.value)? };
        if claimed.conversions_micros.is_none() && claimed.value_micros.is_none() {
            continue;
        }
        let event = match claim.event {
            Event::Named(event) => event.to_owned(),
            Event::Column(column) => row
                .text(column)?
                .ok_or_else(|| Fault::in_column(column, "the row names no event; accepted: the platform's name of it"))?,
        };
        found.push((ClaimRule { event, window: claim.window.to_owned(), model: claim.model.to_owned() }, claimed));
    }
    Ok(found)
}
