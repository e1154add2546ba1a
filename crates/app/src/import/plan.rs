//! A mapping bound to the columns of one file: from a row to a draft, without looking names up again.

use jiff::tz::TimeZone;
use serde_json::{Map, Value};
use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

use tributary_core::error::{Code, Error, Result};
use tributary_core::money::Currency;
use tributary_core::time::zone;
use tributary_ingest::draft::{Context, Draft};
use tributary_ingest::imported::{ImportedRow, Restored};
use tributary_ingest::properties::Properties as Facts;

use crate::import::cell::{Cell, Column, Row};
use crate::import::mapping::{Mapping, Origin, Properties, Target, TimeUnit};

/// What a file's rows are read in the light of.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// The workspace's zone: what a timestamp without offset means unless the mapping says otherwise.
    pub zone: TimeZone,
    /// The workspace's currency: what an amount without currency is in. `None` where it is not known: such amounts are
    /// refused.
    pub currency: Option<Currency>,
    /// Whether rows without an `event_id` get one made of their number and content.
    pub event_ids: EventIds,
}

/// What happens to rows without an `event_id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventIds {
    /// They get one, so that importing the same file again adds nothing.
    FromRow,
    /// They stay without: importing again doubles them.
    None,
}

/// A mapping bound to a file.
#[derive(Clone, Debug)]
pub struct Plan {
    fields: Vec<(Target, Bound)>,
    unit: Option<TimeUnit>,
    zone: TimeZone,
    currency: Option<Currency>,
    event_ids: EventIds,
    json: Option<Column>,
    properties: PropertyColumns,
    rename: std::collections::BTreeMap<String, String>,
    known: Known,
}

/// Objects of JSON columns read before: rows often hold the same one. Starts over when it is full.
#[derive(Clone, Debug, Default)]
struct Known(RefCell<HashMap<Box<str>, Facts>>);

/// Objects remembered, and the longest of them, bytes: a few tens of megabytes at the very most.
const MAX_KNOWN: usize = 16_384;
const MAX_KNOWN_BYTES: usize = 256;

impl Known {
    fn find(&self, text: &str) -> Option<Facts> {
        if text.len() <= MAX_KNOWN_BYTES { self.0.borrow().get(text).cloned() } else { None }
    }

    fn keep(&self, text: &str, facts: &Facts) {
        if text.len() > MAX_KNOWN_BYTES {
            return;
        }
        let mut known = self.0.borrow_mut();
        if known.len() >= MAX_KNOWN {
            known.clear();
        }
        known.insert(text.into(), facts.clone());
    }
}

#[derive(Clone, Debug)]
enum Bound {
    Column(Column),
    Value(String),
}

#[derive(Clone, Debug)]
enum PropertyColumns {
    /// These, known from the header (or named by the mapping).
    Listed(Vec<Column>),
    /// Whatever a row has besides these names.
    AllBut(BTreeSet<String>),
}

impl Plan {
    /// Binds a mapping to a file with a header. Refuses a mapping that names a column the file does not have.
    pub fn for_header(mapping: &Mapping, header: &[String], around: &Surroundings) -> Result<Plan> {
        for (index, name) in header.iter().enumerate() {
            if header[..index].contains(name) {
                return Err(invalid(format!("the column `{name}` stands in the header twice")));
            }
        }
        let column = |name: &str| {
            let index = header.iter().position(|one| one == name)?;
            Some(Column { name: name.to_owned(), index })
        };
        let missing = |name: &str, what: &str| {
            invalid(format!("the file has no column `{name}` for `{what}`; its columns: {}", header.join(", ")))
        };
        let mut plan = Plan::empty(mapping, around)?;
        let mut used: BTreeSet<String> = mapping.ignore.clone();
        for (_, target) in Target::ALL {
            match (mapping.fields.contains_key(&target), mapping.origin(target)) {
                (_, Origin::Value(value)) => plan.fields.push((target, Bound::Value(value))),
                (_, Origin::Row | Origin::Nothing) => {}
                (false, Origin::Column(name)) if mapping.ignore.contains(&name) => {}
                (is_named, Origin::Column(name)) => match column(&name) {
                    Some(column) => {
                        used.insert(name);
                        plan.fields.push((target, Bound::Column(column)));
                    }
                    None if is_named => return Err(missing(&name, target.name())),
                    None => {}
                },
            }
        }
        if let Some(name) = &mapping.json {
            plan.json = column(name);
            used.insert(name.clone());
            if plan.json.is_none() && mapping.json != Mapping::default().json {
                return Err(missing(name, "properties.json"));
            }
        }
        let listed = match &mapping.properties {
            Properties::Rest => header.iter().filter(|name| !used.contains(*name)).filter_map(|name| column(name)).collect(),
            Properties::Columns(names) => names
                .iter()
                .map(|name| column(name).ok_or_else(|| missing(name, "properties.columns")))
                .collect::<Result<Vec<_>>>()?,
        };
        plan.properties = PropertyColumns::Listed(listed);
        plan.check()
    }

    /// Binds a mapping to a file whose rows name their own fields (NDJSON).
    pub fn for_objects(mapping: &Mapping, around: &Surroundings) -> Result<Plan> {
        let column = |name: &str| Column { name: name.to_owned(), index: usize::MAX };
        let mut plan = Plan::empty(mapping, around)?;
        let mut used: BTreeSet<String> = mapping.ignore.clone();
        for (_, target) in Target::ALL {
            match mapping.origin(target) {
                Origin::Value(value) => plan.fields.push((target, Bound::Value(value))),
                Origin::Column(name) if mapping.ignore.contains(&name) => {}
                Origin::Column(name) => {
                    used.insert(name.clone());
                    plan.fields.push((target, Bound::Column(column(&name))));
                }
                Origin::Row | Origin::Nothing => {}
            }
        }
        // Rows in the shape `/v1/track` takes carry the visitor's circumstances one level down.
        for (target, name) in [(Target::Ip, "context.ip"), (Target::UserAgent, "context.user_agent")] {
            if !mapping.fields.contains_key(&target) && !mapping.ignore.contains("context") {
                plan.fields.push((target, Bound::Column(column(name))));
                used.insert("context".to_owned());
            }
        }
        plan.json = mapping.json.as_deref().map(column);
        used.extend(mapping.json.clone());
        plan.properties = match &mapping.properties {
            Properties::Rest => PropertyColumns::AllBut(used),
            Properties::Columns(names) => PropertyColumns::Listed(names.iter().map(|name| column(name)).collect()),
        };
        plan.check()
    }

    /// Places of the columns that are read at all, ascending, each once.
    pub fn places(&self) -> Vec<usize> {
        let fields = self.fields.iter().filter_map(|(_, bound)| match bound {
            Bound::Column(column) => Some(column.index),
            Bound::Value(_) => None,
        });
        let listed = match &self.properties {
            PropertyColumns::Listed(columns) => columns.as_slice(),
            PropertyColumns::AllBut(_) => &[],
        };
        let places = fields.chain(self.json.iter().map(|column| column.index)).chain(listed.iter().map(|column| column.index));
        places.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The draft a row describes. `row_id` is used when the row has no `event_id` of its own. `Err` says what is wrong.
    pub fn draft(&self, row: &impl Row, row_id: impl FnOnce() -> String) -> Result<ImportedRow, String> {
        let mut draft = Draft::default();
        let mut restored = Restored::default();
        for (target, bound) in &self.fields {
            let cell = match bound {
                Bound::Column(column) => row.cell(column),
                Bound::Value(value) => Cell::text(value),
            };
            self.fill(&mut draft, &mut restored, *target, cell)?;
        }
        if draft.time_us.is_none() {
            return Err(String::from("timestamp is missing"));
        }
        if draft.event_id.is_none() && self.event_ids == EventIds::FromRow {
            draft.event_id = Some(row_id());
        }
        if draft.anonymous_id.is_none() {
            // A row that names only the person is the visit of that person.
            draft.anonymous_id = draft.user_id.as_ref().map(|user| user.chars().take(128).collect());
        }
        if draft.amount.is_some() && draft.currency.is_none() {
            draft.currency = self.currency.map(|currency| currency.to_string());
        }
        if draft.amount.is_none() {
            draft.currency = None;
        }
        draft.properties = self.properties(row)?;
        Ok(ImportedRow { draft, restored })
    }

    fn fill(&self, draft: &mut Draft, restored: &mut Restored, target: Target, cell: Cell<'_>) -> Result<(), String> {
        if cell == Cell::Absent {
            return Ok(());
        }
        if target == Target::Timestamp {
            draft.time_us = cell.into_instant(self.unit, &self.zone)?;
            return Ok(());
        }
        if target == Target::ReceivedAt {
            restored.received_us =
                cell.into_instant(self.unit, &self.zone).map_err(|reason| reason.replace("timestamp", "received_at"))?;
            return Ok(());
        }
        let text = match (target, cell) {
            // The last digits of a binary fraction are no money.
            (Target::Amount, Cell::Float(number)) => Some(format!("{number:.6}")),
            (_, cell) => cell.into_text().map(|text| text.into_owned()),
        };
        match target {
            Target::Timestamp | Target::ReceivedAt => {}
            Target::Event => draft.event = text,
            Target::EventId => draft.event_id = text,
            Target::AnonymousId => draft.anonymous_id = text,
            Target::UserId => draft.user_id = text,
            Target::SessionId => draft.session_id = text,
            Target::Url => draft.url = text,
            Target::Path => draft.path = text,
            Target::Referrer => draft.referrer = text,
            Target::Source => draft.source = text,
            Target::Medium => draft.medium = text,
            Target::Campaign => draft.campaign = text,
            Target::Country => draft.country = text,
            Target::DeviceType => draft.device_type = text,
            Target::Browser => draft.browser = text,
            Target::Os => draft.os = text,
            Target::Amount => draft.amount = text,
            Target::Currency => draft.currency = text,
            Target::Ip => draft.context.get_or_insert_with(Context::default).ip = text,
            Target::UserAgent => draft.context.get_or_insert_with(Context::default).user_agent = text,
            Target::Bot => restored.bot = text,
            Target::SourceRuleId => restored.source_rule_id = text,
            Target::Origin => restored.origin = known("origin", text)?,
            Target::SourceConfidence => restored.source_confidence = known("source_confidence", text)?,
        }
        Ok(())
    }

    fn properties(&self, row: &impl Row) -> Result<Option<Facts>, String> {
        let json = self.json.as_ref().map(|column| row.cell(column));
        // Where nothing is added to the object, equal texts are equal facts.
        let is_all = matches!(&self.properties, PropertyColumns::Listed(columns) if columns.is_empty());
        let text = match &json {
            Some(Cell::Text(text)) if is_all => Some(*text),
            _ => None,
        };
        if let Some(known) = text.and_then(|text| self.known.find(text)) {
            return Ok(Some(known));
        }
        let mut properties = match json {
            None | Some(Cell::Absent) => Map::new(),
            Some(Cell::Json(Value::Object(object))) => object.clone(),
            Some(Cell::Text(text)) => {
                serde_json::from_str(text).map_err(|error| format!("{} is not a JSON object: {error}", self.json_name()))?
            }
            Some(_) => return Err(format!("{} is not a JSON object", self.json_name())),
        };
        let mut add = |name: &str, cell: Cell<'_>| {
            if let Some(value) = cell.into_property() {
                properties.insert(self.rename.get(name).map_or(name, String::as_str).to_owned(), value);
            }
        };
        match &self.properties {
            PropertyColumns::Listed(columns) => {
                for column in columns {
                    add(&column.name, row.cell(column));
                }
            }
            PropertyColumns::AllBut(used) => row.each(&mut |name, cell| {
                if !used.contains(name) {
                    add(name, cell);
                }
            }),
        }
        let facts = (!properties.is_empty()).then(|| Facts::from(properties));
        if let (Some(text), Some(facts)) = (text, &facts) {
            self.known.keep(text, facts);
        }
        Ok(facts)
    }

    fn json_name(&self) -> &str {
        self.json.as_ref().map_or("properties", |column| column.name.as_str())
    }

    fn empty(mapping: &Mapping, around: &Surroundings) -> Result<Plan> {
        let zone = match &mapping.zone {
            Some(name) => zone(name)?,
            None => around.zone.clone(),
        };
        Ok(Plan {
            fields: Vec::new(),
            unit: mapping.unit,
            zone,
            currency: around.currency,
            event_ids: around.event_ids,
            json: None,
            properties: PropertyColumns::Listed(Vec::new()),
            rename: mapping.rename.clone(),
            known: Known::default(),
        })
    }

    fn check(self) -> Result<Plan> {
        for needed in [Target::Event, Target::Timestamp] {
            if !self.fields.iter().any(|(target, _)| *target == needed) {
                let name = needed.name();
                return Err(invalid(format!(
                    "no column is mapped to `{name}`; accepted: a column named {name}, --map {name}=COLUMN or --set {name}=VALUE"
                )));
            }
        }
        Ok(self)
    }
}

fn known<T: serde::de::DeserializeOwned>(field: &str, text: Option<String>) -> Result<Option<T>, String> {
    text.map(|text| {
        serde_json::from_value(Value::String(text))
            .map_err(|error| format!("{field} has an {}", error.to_string().replace('`', "'")))
    })
    .transpose()
}

fn invalid(message: String) -> Error {
    Error::new(Code::InvalidParams, message)
}
