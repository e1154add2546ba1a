//! Our own table of spend: the same columns as a CSV file and as JSON objects.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;
use tributary_core::ads::{AdBatch, AdDay, AdEntity, AdLevel, AdPath, ClaimRow, ClaimRule, SpendRow};
use tributary_core::error::{Code, Error, Result};

use crate::cell;
use crate::problem::{Fault, Problem};
use crate::report::Batches;
use crate::table::Unit;

/// Every column.
pub const COLUMNS: [&str; 20] = [
    "source",
    "account_id",
    "account_name",
    "campaign_id",
    "campaign_name",
    "adset_id",
    "adset_name",
    "ad_id",
    "ad_name",
    "date",
    "currency",
    "spend",
    "impressions",
    "clicks",
    "link_clicks",
    "reported_event",
    "reported_conversions",
    "reported_value",
    "reported_window",
    "reported_model",
];

/// The columns every row must fill.
pub const REQUIRED: [&str; 4] = ["source", "account_id", "date", "spend"];

/// Most rows of one request.
pub const MAX_ROWS: usize = 1_000;

/// Longest source slug, bytes.
const MAX_SOURCE_BYTES: usize = 64;
/// What a claim that names no event, window or model is filed under.
const UNNAMED_EVENT: &str = "conversion";
const UNNAMED_RULE: &str = "default";

/// Reads a request's rows: objects with the fields of [`COLUMNS`]. Amounts may be JSON numbers or, exact to the last digit
/// however long, text. Each row that cannot be read is told to `on_problem`, with its place in the list; the others are kept.
///
/// Errors: `invalid_payload` for more than [`MAX_ROWS`] rows.
pub fn read(rows: &[Value], on_problem: &mut dyn FnMut(Problem)) -> Result<AdBatch> {
    if rows.len() > MAX_ROWS {
        return Err(Error::new(
            Code::InvalidPayload,
            format!("there are {} rows; accepted: up to {MAX_ROWS} at once", rows.len()),
        ));
    }
    let mut inputs = Inputs::default();
    for (place, row) in rows.iter().enumerate() {
        let place = u64::try_from(place).unwrap_or(u64::MAX);
        let read = match row {
            Value::Object(fields) => match fields.keys().find(|field| !COLUMNS.contains(&field.as_str())) {
                Some(field) => {
                    Err(vec![Fault::in_column(field, format!("is no field of a row; accepted: {}", COLUMNS.join(", ")))])
                }
                None => inputs.add(place, &|column| json_cell(column, fields.get(column))),
            },
            _ => Err(vec![Fault::in_row("is no object; accepted: an object such as {\"source\": \"facebook_ads\", …}")]),
        };
        for fault in read.err().into_iter().flatten() {
            on_problem(fault.at("rows", place));
        }
    }
    Ok(inputs.into_batches(usize::MAX).pop().unwrap_or_default())
}

fn json_cell(column: &str, value: Option<&Value>) -> Result<Option<String>, Fault> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(cell::filled(text).map(str::to_owned)),
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        Some(Value::Bool(_) | Value::Array(_) | Value::Object(_)) => Err(Fault::in_column(column, "accepted: text or a number")),
    }
}

/// A cell of a row by its column: without space around it, none when empty.
pub(crate) type Cells<'c> = &'c dyn Fn(&str) -> Result<Option<String>, Fault>;

/// Rows read so far. A row replaces what is stored of its entity and day, so two rows of one entity and day would contradict
/// each other and the second is refused, unless it repeats the figures and brings another claim.
#[derive(Default)]
pub(crate) struct Inputs {
    entities: BTreeMap<(String, AdLevel, String), AdEntity>,
    spend: Vec<SpendRow>,
    claims: Vec<ClaimRow>,
    /// Per entity and day: where its spend row is, and the line it came from.
    seen: HashMap<AdDay, (usize, u64)>,
    claimed: HashMap<(AdDay, ClaimRule), u64>,
}

impl Inputs {
    /// Takes one row, or tells everything that is wrong with it.
    pub fn add(&mut self, line: u64, cells: Cells<'_>) -> Result<(), Vec<Fault>> {
        let mut faults = Vec::new();
        let row = Input::read(cells, &mut faults);
        let (Some(row), true) = (row, faults.is_empty()) else { return Err(faults) };
        self.take(line, row).map_err(|fault| vec![fault])
    }

    fn take(&mut self, line: u64, row: Input) -> Result<(), Fault> {
        // The parents are not what a row is known by: see `AdDay`.
        let key = AdDay { path: only(row.spend.day.level, &row.spend.day.path), ..row.spend.day.clone() };
        let claim_key = row.claim.as_ref().map(|claim| (key.clone(), claim.rule.clone()));
        let repeats = |before: u64| {
            Fault::in_row(format!("repeats the entity and date of the row at {before}; accepted: one row per entity and date"))
        };
        let earlier = self.seen.get(&key).copied();
        if let Some((at, before)) = earlier {
            let is_new_claim = claim_key.as_ref().is_some_and(|claim| !self.claimed.contains_key(claim));
            if !is_new_claim || self.spend.get(at) != Some(&row.spend) {
                return Err(repeats(before));
            }
        } else {
            self.seen.insert(key, (self.spend.len(), line));
            self.spend.push(row.spend);
        }
        if let (Some(key), Some(claim)) = (claim_key, row.claim) {
            self.claimed.insert(key, line);
            self.claims.push(claim);
        }
        for entity in row.entities {
            let id = entity.path.at(entity.level).unwrap_or_default().to_owned();
            self.entities.insert((entity.source.clone(), entity.level, id), entity);
        }
        Ok(())
    }

    pub fn into_batches(self, most: usize) -> Vec<AdBatch> {
        let mut batches = Batches::new(most);
        for entity in self.entities.into_values() {
            batches.open().entities.push(entity);
        }
        for row in self.spend {
            batches.open().spend.push(row);
        }
        for row in self.claims {
            batches.open().claims.push(row);
        }
        batches.finish()
    }
}

/// A path that holds nothing but the id at one level.
fn only(level: AdLevel, path: &AdPath) -> AdPath {
    let id = path.at(level).map(str::to_owned);
    let mut alone = AdPath::default();
    match level {
        AdLevel::Account => alone.account = id,
        AdLevel::Campaign => alone.campaign = id,
        AdLevel::AdSet => alone.ad_set = id,
        AdLevel::Ad => alone.ad = id,
        AdLevel::Keyword => alone.keyword = id,
    }
    alone
}

/// One row, read.
struct Input {
    spend: SpendRow,
    claim: Option<ClaimRow>,
    entities: Vec<AdEntity>,
}

impl Input {
    fn read(cells: Cells<'_>, faults: &mut Vec<Fault>) -> Option<Input> {
        let mut fields = Fields { cells, faults };
        let source = fields.required("source", source);
        let path = AdPath {
            account: fields.required("account_id", cell::text),
            campaign: fields.optional("campaign_id", cell::text),
            ad_set: fields.optional("adset_id", cell::text),
            ad: fields.optional("ad_id", cell::text),
            keyword: None,
        };
        let date = fields.required("date", cell::date);
        let currency = fields.optional("currency", cell::currency);
        let spend_micros = fields.required("spend", |cell| cell::amount(cell, Unit::Whole));
        let impressions = fields.optional("impressions", cell::count);
        let clicks = fields.optional("clicks", cell::count);
        let link_clicks = fields.optional("link_clicks", cell::count);
        let conversions_micros = fields.optional("reported_conversions", |cell| cell::amount(cell, Unit::Whole));
        let value_micros = fields.optional("reported_value", |cell| cell::amount(cell, Unit::Whole));
        let mut word = |column, unnamed: &str| fields.optional(column, cell::text).unwrap_or_else(|| unnamed.to_owned());
        let rule = ClaimRule {
            event: word("reported_event", UNNAMED_EVENT),
            window: word("reported_window", UNNAMED_RULE),
            model: word("reported_model", UNNAMED_RULE),
        };
        let names = ["account_name", "campaign_name", "adset_name", "ad_name"]
            .map(|column| fields.optional(column, |cell| Ok(cell::label(cell))));
        let level = [AdLevel::Ad, AdLevel::AdSet, AdLevel::Campaign].into_iter().find(|level| path.at(*level).is_some());
        let (source, date, spend_micros) = (source?, date?, spend_micros?);
        let level = level.unwrap_or(AdLevel::Account);
        let entities = entities(&source, level, &path, names);
        let day = AdDay { source, level, path, date, cut: None };
        let is_claimed = conversions_micros.is_some() || value_micros.is_some();
        let claim = is_claimed.then(|| ClaimRow { day: day.clone(), rule, currency, conversions_micros, value_micros });
        Some(Input { spend: SpendRow { day, currency, spend_micros, impressions, clicks, link_clicks }, claim, entities })
    }
}

/// The entities a row describes: its own, and those it names.
fn entities(source: &str, own: AdLevel, path: &AdPath, names: [Option<String>; 4]) -> Vec<AdEntity> {
    let levels = [AdLevel::Account, AdLevel::Campaign, AdLevel::AdSet, AdLevel::Ad];
    let described =
        levels.into_iter().zip(names).filter(|(level, name)| path.at(*level).is_some() && (*level == own || name.is_some()));
    described.map(|(level, name)| AdEntity { name, ..AdEntity::at(source, level, path.up_to(level)) }).collect()
}

struct Fields<'f> {
    cells: Cells<'f>,
    faults: &'f mut Vec<Fault>,
}

impl Fields<'_> {
    fn optional<T>(&mut self, column: &str, read: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let cell = (self.cells)(column).unwrap_or_else(|fault| {
            self.faults.push(fault);
            None
        })?;
        read(&cell).map_err(|message| self.faults.push(Fault::in_column(column, message))).ok()
    }

    fn required<T>(&mut self, column: &str, read: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let faults = self.faults.len();
        let value = self.optional(column, read);
        if value.is_none() && self.faults.len() == faults {
            self.faults.push(Fault::in_column(column, format!("is required; every row needs {}", REQUIRED.join(", "))));
        }
        value
    }
}

fn source(cell: &str) -> Result<String, String> {
    let spelt = cell.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if cell.len() > MAX_SOURCE_BYTES || !spelt || !cell.starts_with(|letter: char| letter.is_ascii_lowercase()) {
        return Err("is no source; accepted: a slug such as facebook_ads: a letter, then up to 63 of a-z, 0-9 and _".to_owned());
    }
    Ok(cell.to_owned())
}
