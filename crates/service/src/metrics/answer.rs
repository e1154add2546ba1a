//! A metric question's answer: rows of dimensions and metrics, totals, and what they hold for.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value as Json};
use tributary_core::error::Result;
use tributary_core::money::format_micros;
use tributary_core::rate::ExactSum;
use tributary_events::attribution::model::Pass;
use tributary_events::attribution::window::WindowType;
use tributary_events::question::DatedBy;

use super::catalogue::{Computed, Measure, Metric};
use super::dimension::Attribute;
use super::facts::{Cells, Facts, Key, merge};
use super::plan::{Plan, Sort};
use super::time::shown_time;
use super::value::{Missing, Value, shown};
use crate::dates::resolve::dst_caveat;

/// One row: dimensions by slug, then metrics by slug. A metric without a number is null; `null_reasons` says why.
pub type MetricsRow = Map<String, Json>;

/// The answer.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct MetricsAnswer {
    /// The rows.
    pub rows: Vec<MetricsRow>,
    /// Rows there are without the limit.
    pub total_rows: u64,
    /// Whether rows were cut off by the limit.
    pub truncated: bool,
    /// The metrics over all rows, those cut off included, and over what is unattributed.
    pub totals: MetricsRow,
    /// Conversions and amounts that no touch is credited with, by the unit of time if there is one. Rows and these add up to the
    /// totals exactly.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unattributed: Vec<MetricsRow>,
    /// The days it is about.
    pub period: PeriodShown,
    /// How conversions were credited.
    pub attribution: AttributionShown,
    /// ISO 4217 currency of every amount: the workspace's.
    pub currency: String,
    /// Amounts in currencies that no rate of the workspace reaches: they are in no row.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_apart: Vec<LeftApart>,
    /// Why metrics are null, by metric.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub null_reasons: BTreeMap<String, Vec<String>>,
    /// What else a reader should know.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Ingest sequence number of the events it was told from.
    pub watermark: u64,
}

/// The days of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct PeriodShown {
    /// First day.
    pub date_start: String,
    /// Last day.
    pub date_end: String,
    /// Days, the first and the last included.
    pub days_inclusive: i32,
    /// IANA zone of the days. Days of ad spend are those of each ad account's own zone.
    pub timezone: String,
    /// Only where clocks change inside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dst_caveat: Option<String>,
}

/// How conversions of an answer were credited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct AttributionShown {
    /// The model, with its parameters as asked.
    pub model: String,
    /// What it does, in a sentence.
    pub definition: String,
    /// Days before a conversion in which touches count; 0 for the lifetime.
    pub window: u32,
    /// `relative` or `absolute`.
    pub window_type: String,
    /// `conversion` or `touch`.
    pub dated_by: String,
    /// Whether rows may add up to more than the totals.
    pub may_exceed_total: bool,
}

/// An amount that no rate reaches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct LeftApart {
    /// ISO 4217 currency.
    pub currency: String,
    /// The metric it belongs to.
    pub metric: String,
    /// The amount, a decimal number as text: exact.
    pub amount: String,
}

/// A row before it is shown.
pub(super) struct Row {
    /// Values of the dimensions; time as the first day of its unit.
    pub keys: Key,
    /// One value per metric.
    pub values: Vec<Value>,
}

/// An answer before it is shown.
pub(super) struct Table {
    pub rows: Vec<Row>,
    pub totals: Vec<Value>,
    pub unattributed: Vec<Row>,
    /// What a group has that is not there.
    pub nothing: Vec<Value>,
}

impl Table {
    /// Brings facts together by the plan's dimensions and evaluates its metrics.
    pub fn of(plan: &Plan<'_>, facts: &Facts) -> Result<Table> {
        let places: Vec<usize> = plan
            .dimensions
            .iter()
            .filter_map(|asked| plan.attributes.iter().position(|attribute| *attribute == asked.attribute))
            .collect();
        let mut by_key: BTreeMap<Key, Cells> = BTreeMap::new();
        let mut totals = Cells::new();
        for (key, cells) in &facts.sums {
            let key: Key = places.iter().map(|place| key[*place].clone()).collect();
            merge(by_key.entry(key).or_default(), cells)?;
            merge(&mut totals, cells)?;
        }
        for (key, cells) in &facts.visits {
            merge(by_key.entry(key.clone()).or_default(), cells)?;
        }
        // Without anything to tell rows apart there is one row, whatever is in it.
        if plan.dimensions.is_empty() {
            by_key.entry(Vec::new()).or_default();
        }
        let mut unattributed = Vec::new();
        for (date, cells) in facts.unattributed.iter().filter(|_| plan.filters.is_empty()) {
            merge(&mut totals, cells)?;
            let is_time = |asked: &super::dimension::Asked| matches!(asked.attribute, Attribute::Time(_));
            let keys = plan.dimensions.iter().map(|asked| date.clone().filter(|_| is_time(asked))).collect();
            unattributed.push(Row { keys, values: evaluated(plan, facts, cells, Some(cells)) });
        }
        // Sums that are told apart from the rows replace what the rows add up to.
        for (measure, cell) in &facts.totals {
            totals.insert(*measure, *cell);
        }
        let mut rows: Vec<Row> =
            by_key.into_iter().map(|(keys, cells)| Row { keys, values: evaluated(plan, facts, &cells, None) }).collect();
        rows.sort_by(|left, right| order(plan, left, right));
        let nothing = evaluated(plan, facts, &Cells::new(), None);
        Ok(Table { rows, totals: evaluated(plan, facts, &totals, None), unattributed, nothing })
    }

    /// The answer as it is shown.
    pub fn shown(self, plan: &Plan<'_>, facts: &Facts, watermark: u64) -> MetricsAnswer {
        let total_rows = self.rows.len();
        let rows: Vec<MetricsRow> = self.rows.iter().take(plan.limit).map(|row| row.shown(plan)).collect();
        let mut totals = MetricsRow::new();
        put_values(&mut totals, plan, &self.totals);
        MetricsAnswer {
            truncated: rows.len() < total_rows,
            total_rows: total_rows as u64,
            null_reasons: self.reasons(plan),
            rows,
            totals,
            unattributed: self.unattributed.iter().map(|row| row.shown(plan)).collect(),
            period: period_shown(plan),
            attribution: AttributionShown::of(plan),
            currency: plan.access.workspace.currency.to_string(),
            left_apart: left_apart(facts),
            notes: notes(plan, facts),
            watermark,
        }
    }

    fn reasons(&self, plan: &Plan<'_>) -> BTreeMap<String, Vec<String>> {
        let mut reasons: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let values = self.rows.iter().map(|row| &row.values).chain([&self.totals]);
        for (metric, value) in values.flat_map(|values| plan.metrics.iter().zip(values)) {
            if let Err(missing) = value {
                reasons.entry(metric.slug.to_string()).or_default().insert(missing.reason());
            }
        }
        reasons.into_iter().map(|(metric, reasons)| (metric, reasons.into_iter().collect())).collect()
    }
}

impl Row {
    /// The row as it is shown.
    pub fn shown(&self, plan: &Plan<'_>) -> MetricsRow {
        let mut row = MetricsRow::new();
        for (asked, value) in plan.dimensions.iter().zip(&self.keys) {
            let value = match (&asked.attribute, value) {
                (Attribute::Time(unit), Some(start)) => Json::from(shown_time(*unit, start)),
                (_, Some(value)) => Json::from(value.as_str()),
                (_, None) => Json::Null,
            };
            row.insert(asked.column.clone(), value);
        }
        put_values(&mut row, plan, &self.values);
        row
    }
}

fn put_values(row: &mut MetricsRow, plan: &Plan<'_>, values: &[Value]) {
    for (metric, value) in plan.metrics.iter().zip(values) {
        row.insert(metric.slug.to_string(), value.as_ref().map_or(Json::Null, |value| shown(*value)));
    }
}

/// The plan's metrics over some cells. Of what is unattributed only what was counted has a number.
fn evaluated(plan: &Plan<'_>, facts: &Facts, cells: &Cells, only: Option<&Cells>) -> Vec<Value> {
    plan.metrics
        .iter()
        .map(|metric| match only {
            Some(counted) => match &metric.computed {
                Computed::Measure(measure) if counted.contains_key(measure) => value_of(plan, facts, cells, metric),
                _ => Err(Missing::Unknown("nothing is spent on what no touch is credited with".into())),
            },
            None => value_of(plan, facts, cells, metric),
        })
        .collect()
}

fn value_of(plan: &Plan<'_>, facts: &Facts, cells: &Cells, metric: &Metric) -> Value {
    match &metric.computed {
        Computed::Measure(measure) => match facts.missing.get(measure) {
            Some(missing) => Err(missing.clone()),
            None => measure.value(cells.get(measure)),
        },
        Computed::Formula(formula) => {
            let value = formula.evaluate(&|slug| {
                let inner = plan.catalogue.get(slug).ok_or(Missing::Unknown("a metric of its formula is gone".into()))?;
                let value = value_of(plan, facts, cells, inner)?;
                inner.unit.unscaled(value).ok_or(Missing::TooLarge)
            })?;
            metric.unit.scaled(value).ok_or(Missing::TooLarge)
        }
    }
}

fn order(plan: &Plan<'_>, left: &Row, right: &Row) -> Ordering {
    match &plan.sort {
        Sort::Natural => {
            let time = plan.dimensions.iter().position(|asked| matches!(asked.attribute, Attribute::Time(_)));
            let by_time = time.map_or(Ordering::Equal, |place| left.keys[place].cmp(&right.keys[place]));
            by_time
                .then_with(|| by_value(left.values.first(), right.values.first(), true))
                .then_with(|| left.keys.cmp(&right.keys))
        }
        Sort::By { column, descending } => {
            let dimension = plan.dimensions.iter().position(|asked| asked.column == *column);
            let metric = plan.metrics.iter().position(|metric| metric.slug == *column);
            let by_column = match (dimension, metric) {
                (Some(place), _) => {
                    let order = left.keys[place].cmp(&right.keys[place]);
                    if *descending { order.reverse() } else { order }
                }
                (None, Some(place)) => by_value(left.values.get(place), right.values.get(place), *descending),
                (None, None) => Ordering::Equal,
            };
            by_column.then_with(|| left.keys.cmp(&right.keys))
        }
    }
}

/// Rows without a number stand last, whichever way.
fn by_value(left: Option<&Value>, right: Option<&Value>, descending: bool) -> Ordering {
    let number = |value: Option<&Value>| -> Option<Decimal> { value.and_then(|value| value.as_ref().ok()).copied() };
    match (number(left), number(right)) {
        (Some(left), Some(right)) if descending => right.cmp(&left),
        (Some(left), Some(right)) => left.cmp(&right),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    }
}

pub(super) fn period_shown(plan: &Plan<'_>) -> PeriodShown {
    PeriodShown {
        date_start: plan.days.period.start.to_string(),
        date_end: plan.days.period.end.to_string(),
        days_inclusive: plan.days.period.days(),
        timezone: plan.access.workspace.zone_name.clone(),
        dst_caveat: dst_caveat(plan.days.period, plan.range, &plan.access.workspace.zone),
    }
}

impl AttributionShown {
    pub(super) fn of(plan: &Plan<'_>) -> Self {
        Self {
            model: plan.model_as_asked.clone(),
            definition: plan.model.definition().to_owned(),
            window: plan.window.days(),
            window_type: String::from(match plan.window_type {
                WindowType::Relative => "relative",
                WindowType::Absolute => "absolute",
            }),
            dated_by: String::from(match plan.dated_by {
                DatedBy::Conversion => "conversion",
                DatedBy::Touch => "touch",
            }),
            may_exceed_total: plan.model.may_exceed_total(),
        }
    }
}

fn left_apart(facts: &Facts) -> Vec<LeftApart> {
    let shown = |((currency, measure), sum): (&(String, Measure), &ExactSum)| LeftApart {
        currency: currency.clone(),
        metric: measure.slug(),
        amount: format_micros(sum.micros()),
    };
    facts.left_apart.iter().filter(|(_, sum)| sum.micros() != 0).map(shown).collect()
}

fn notes(plan: &Plan<'_>, facts: &Facts) -> Vec<String> {
    let mut notes: Vec<String> = facts.notes.iter().cloned().collect();
    if plan.model.may_exceed_total() && !plan.dimensions.is_empty() {
        notes.push(format!(
            "{} credits a conversion once for each source: rows may add up to more than the totals",
            plan.model.slug()
        ));
    }
    if !facts.left_apart.is_empty() {
        let currency = plan.access.workspace.currency;
        notes.push(if plan.model.pass() == Pass::AllPaths {
            format!("{} looks at all paths at once and knows no days to convert at: amounts in other currencies than {currency} stand in left_apart and in no row", plan.model.slug())
        } else {
            format!("amounts without a rate into {currency} stand in left_apart and in no row; rates are set with `tributary rate set`")
        });
    }
    notes
}
