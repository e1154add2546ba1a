//! One pass over stored days, a date at a time: which rows count, and to which group.
//!
//! Places are looked up in memory and the rule of levels is applied here: told in SQL, both cost ten times as much.

use std::collections::{BTreeMap, HashMap};

use futures::TryStreamExt;
use jiff::civil::Date;
use sqlx::Row;
use tributary_core::ads::{AdLevel, ClaimRule};
use tributary_core::error::{Code, Error, Result};
use tributary_core::money::Currency;
use tributary_core::rate::{ExactSum, Rate};
use tributary_core::scope::WorkspaceScope;

use super::question::{AdDimension, AdQuestion, AdSelection};
use super::rates::Rates;
use super::sums::AdGroup;
use crate::store::{DatabaseRow, DatabaseTransaction, damaged, failed};

/// Most sums in one answer.
const MAX_SUMS: usize = 100_000;

/// Stored rows in the order of dates: date, source, level, entity and currency, then what `read` reads.
pub(super) struct Rows {
    statement: &'static str,
    read: fn(&DatabaseRow) -> sqlx::Result<Figures>,
    is_money: [bool; 4],
}

/// The rule of a claim, and amounts in the order of [`Total::amounts`].
type Figures = (Option<ClaimRule>, [Option<i64>; 4]);

/// Spend, impressions, clicks and link clicks of each day.
pub(super) const SPEND: Rows = Rows {
    statement: "
        SELECT date, source, level, entity_id, currency, spend_micros, impressions, clicks, link_clicks FROM ad_spend
        WHERE workspace_id = $1 AND date >= $2 AND date < $3 AND cut_by = '' AND level <> 'keyword' AND ($4 IS NULL OR source = $4)
        ORDER BY date",
    read: |row| Ok((None, [row.try_get(5)?, row.try_get(6)?, row.try_get(7)?, row.try_get(8)?])),
    is_money: [true, false, false, false],
};

/// Claimed conversions and their value of each day.
pub(super) const CLAIMS: Rows = Rows {
    statement: "
        SELECT date, source, level, entity_id, currency, conversions_micros, value_micros, event, claim_window, model FROM ad_claims
        WHERE workspace_id = $1 AND date >= $2 AND date < $3 AND cut_by = '' AND level <> 'keyword' AND ($4 IS NULL OR source = $4)
        ORDER BY date",
    read: |row| {
        let rule = ClaimRule { event: row.try_get(7)?, window: row.try_get(8)?, model: row.try_get(9)? };
        Ok((Some(rule), [row.try_get(5)?, row.try_get(6)?, None, None]))
    },
    is_money: [false, true, false, false],
};

/// One group's sums; `None` where no row says the amount.
pub(super) struct Total {
    pub group: AdGroup,
    pub rule: Option<ClaimRule>,
    pub currency: Currency,
    pub amounts: [Option<i128>; 4],
}

/// Sums by group, rule and currency, in that order. With rates, money is converted where they reach.
pub(super) async fn fold(
    transaction: &mut DatabaseTransaction,
    scope: &WorkspaceScope,
    question: &AdQuestion,
    rows: &Rows,
    rates: Option<&Rates>,
) -> Result<Vec<Total>> {
    let read = failed("advertising could not be summed");
    let places = Places::load(transaction, scope, &question.only).await?;
    let mut totals = Totals { question, places: &places, is_money: rows.is_money, rates, sums: BTreeMap::new() };
    let mut stored = sqlx::query(rows.statement)
        .bind(scope.workspace().0)
        .bind(question.from.to_string())
        .bind(question.to.to_string())
        .bind(question.only.source.as_deref())
        .fetch(&mut **transaction);
    let (mut date, mut entries) = (String::new(), Vec::new());
    while let Some(row) = stored.try_next().await.map_err(&read)? {
        let this: &str = row.try_get(0).map_err(&read)?;
        if this != date {
            totals.settle(&date, &entries)?;
            entries.clear();
            date = this.to_owned();
        }
        entries.push(entry_from(&row, rows, &places)?);
    }
    totals.settle(&date, &entries)?;
    let totals = totals.sums.into_iter();
    Ok(totals
        .map(|((group, rule, currency), amounts)| Total {
            group,
            rule,
            currency,
            amounts: amounts.map(|amount| amount.map(ExactSum::micros)),
        })
        .collect())
}

fn too_much() -> Error {
    Error::new(Code::QuestionTooLarge, format!("the answer has more than {MAX_SUMS} sums; group by less or narrow the range"))
        .with_details(serde_json::json!({ "limit": MAX_SUMS }))
}

/// One stored row.
struct Entry {
    place: usize,
    currency: Option<Currency>,
    rule: Option<ClaimRule>,
    amounts: [Option<i64>; 4],
}

/// Where an entity stands.
struct Place {
    group: AdGroup,
    depth: u8,
    /// The outermost parent below the account that is known, or the entity itself: what has one spend a day.
    branch: usize,
    account: usize,
    currency: Option<Currency>,
}

struct Places {
    all: Vec<Place>,
    /// Source and level, then id.
    at: HashMap<(String, AdLevel), HashMap<String, usize>>,
}

impl Places {
    async fn load(transaction: &mut DatabaseTransaction, scope: &WorkspaceScope, only: &AdSelection) -> Result<Places> {
        let read = failed("the places of entities could not be read");
        let mut rows = sqlx::query(
            "SELECT source, level, id, account_id, campaign_id, ad_set_id, ad_id, currency FROM ad_places
             WHERE workspace_id = $1 AND level <> 'keyword' AND ($2 IS NULL OR source = $2)",
        )
        .bind(scope.workspace().0)
        .bind(only.source.as_deref())
        .fetch(&mut **transaction);
        let (mut all, mut at): (Vec<Place>, HashMap<_, HashMap<String, usize>>) = (Vec::new(), HashMap::new());
        let mut numbers = Numbers::default();
        while let Some(row) = rows.try_next().await.map_err(&read)? {
            let level: &str = row.try_get("level").map_err(&read)?;
            let level = AdLevel::parse(level).ok_or_else(|| damaged("an entity's stored level is damaged"))?;
            let currency: Option<&str> = row.try_get("currency").map_err(&read)?;
            let source: String = row.try_get("source").map_err(&read)?;
            let group = AdGroup {
                date: None,
                source: Some(source.clone()),
                account: row.try_get("account_id").map_err(&read)?,
                campaign: row.try_get("campaign_id").map_err(&read)?,
                ad_set: row.try_get("ad_set_id").map_err(&read)?,
                ad: row.try_get("ad_id").map_err(&read)?,
            };
            let outermost = [(1, &group.campaign), (2, &group.ad_set), (3, &group.ad)];
            let branch = outermost.into_iter().find_map(|(kind, id)| id.as_deref().map(|id| (kind, id))).unwrap_or((4, ""));
            let account = group.account.as_deref().map_or((5, ""), |id| (0, id));
            let place = Place {
                depth: depth(level),
                branch: numbers.of(&source, branch.0, branch.1),
                account: numbers.of(&source, account.0, account.1),
                currency: currency.map(str::parse).transpose()?,
                group,
            };
            at.entry((source, level)).or_default().insert(row.try_get("id").map_err(&read)?, all.len());
            all.push(place);
        }
        Ok(Places { all, at })
    }

    fn find(&self, source: &str, level: AdLevel, id: &str) -> Option<usize> {
        self.at.get(&(source.to_owned(), level))?.get(id).copied()
    }
}

/// Numbers for accounts and branches, so that rows compare them without their ids.
#[derive(Default)]
struct Numbers(HashMap<(String, u8, String), usize>);

impl Numbers {
    fn of(&mut self, source: &str, kind: u8, id: &str) -> usize {
        let next = self.0.len();
        *self.0.entry((source.to_owned(), kind, id.to_owned())).or_insert(next)
    }
}

fn depth(level: AdLevel) -> u8 {
    match level {
        AdLevel::Account => 0,
        AdLevel::Campaign => 1,
        AdLevel::AdSet => 2,
        AdLevel::Ad | AdLevel::Keyword => 3,
    }
}

struct Totals<'t> {
    question: &'t AdQuestion,
    places: &'t Places,
    is_money: [bool; 4],
    rates: Option<&'t Rates>,
    sums: BTreeMap<(AdGroup, Option<ClaimRule>, Currency), [Option<ExactSum>; 4]>,
}

impl Totals<'_> {
    /// Adds the rows of one date that count.
    fn settle(&mut self, date: &str, entries: &[Entry]) -> Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        let date = date.parse().map_err(|error: jiff::Error| damaged("a stored date is damaged").caused_by(error))?;
        let mut deepest: HashMap<(usize, Option<&ClaimRule>), u8> = HashMap::new();
        for Entry { place, rule, .. } in entries {
            let place = &self.places.all[*place];
            for part in [place.branch, place.account] {
                let known = deepest.entry((part, rule.as_ref())).or_default();
                *known = place.depth.max(*known);
            }
        }
        for Entry { place, rule, currency, amounts } in entries {
            let place = &self.places.all[*place];
            let part = if place.depth == 0 { place.account } else { place.branch };
            if deepest.get(&(part, rule.as_ref())) != Some(&place.depth) || !selects(&self.question.only, &place.group) {
                continue;
            }
            let currency = currency.or(place.currency).unwrap_or(self.question.default_currency);
            let (currency, rate) = self.converted(currency, date);
            let is_money = self.is_money;
            let sums = self.sums.entry((self.group(date, &place.group), rule.clone(), currency)).or_default();
            for ((sum, more), is_money) in sums.iter_mut().zip(amounts).zip(is_money) {
                let Some(more) = more else { continue };
                let rate = if is_money { rate } else { Rate::ONE };
                *sum = Some(sum.unwrap_or_default().plus_at(i128::from(*more), rate).ok_or_else(too_much)?);
            }
        }
        if self.sums.len() > MAX_SUMS {
            return Err(too_much());
        }
        Ok(())
    }

    /// The currency an amount is counted in, and at what rate.
    fn converted(&self, currency: Currency, date: Date) -> (Currency, Rate) {
        let converted = self.rates.and_then(|rates| rates.at(currency, date).map(|rate| (rates.target, rate)));
        converted.unwrap_or((currency, Rate::ONE))
    }

    /// What of a place and date was asked for.
    fn group(&self, date: Date, place: &AdGroup) -> AdGroup {
        let asked = |dimension, id: &Option<String>| id.clone().filter(|_| self.question.groups(dimension));
        AdGroup {
            date: Some(date).filter(|_| self.question.groups(AdDimension::Date)),
            source: asked(AdDimension::Source, &place.source),
            account: asked(AdDimension::Account, &place.account),
            campaign: asked(AdDimension::Campaign, &place.campaign),
            ad_set: asked(AdDimension::AdSet, &place.ad_set),
            ad: asked(AdDimension::Ad, &place.ad),
        }
    }
}

fn selects(only: &AdSelection, group: &AdGroup) -> bool {
    let AdSelection { source, account, campaign, ad_set, ad } = only;
    [(source, &group.source), (account, &group.account), (campaign, &group.campaign), (ad_set, &group.ad_set), (ad, &group.ad)]
        .into_iter()
        .all(|(asked, is)| asked.is_none() || asked == is)
}

fn entry_from(row: &DatabaseRow, rows: &Rows, places: &Places) -> Result<Entry> {
    let read = failed("a day of advertising could not be read");
    let (source, level, id): (&str, &str, &str) =
        (row.try_get(1).map_err(&read)?, row.try_get(2).map_err(&read)?, row.try_get(3).map_err(&read)?);
    let place = AdLevel::parse(level).and_then(|level| places.find(source, level, id));
    let currency: Option<&str> = row.try_get(4).map_err(&read)?;
    let (rule, amounts) = (rows.read)(row).map_err(&read)?;
    Ok(Entry {
        place: place.ok_or_else(|| damaged("a stored day's entity is missing"))?,
        currency: currency.map(str::parse).transpose()?,
        rule,
        amounts,
    })
}
