//! What was counted, by the values of the attributes asked for.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use rust_decimal::Decimal;
use tributary_control::{AdDirectory, AdGroup, AdStanding};
use tributary_core::error::{Code, Error, Result};
use tributary_core::rate::{ExactSum, Rate};
use tributary_events::attribution::journey::CREDIT_UNITS;
use tributary_events::field::Field;

use super::catalogue::Measure;
use super::dimension::{Attribute, Level};
use super::plan::Plan;
use super::time::start_of;
use super::value::{Missing, Value, from_micros};

/// Decimals of a credited conversion: [`CREDIT_UNITS`] as a scale.
const CREDIT_SCALE: u32 = CREDIT_UNITS.ilog10();

/// The values of a plan's attributes, in their order. Time is the first day of its unit.
pub(super) type Key = Vec<Option<String>>;

/// Sums by key.
#[derive(Default)]
pub(super) struct Facts {
    pub sums: BTreeMap<Key, Cells>,
    /// Distinct people and sessions, which cannot be added up: by the values of the dimensions alone.
    pub visits: BTreeMap<Key, Cells>,
    /// Conversions nobody is credited with, by the first day of their unit of time.
    pub unattributed: BTreeMap<Option<String>, Cells>,
    /// Totals that are not the sum of the rows and the unattributed.
    pub totals: Cells,
    /// Measures without a number in this answer.
    pub missing: BTreeMap<Measure, Missing>,
    /// What else a reader should know.
    pub notes: BTreeSet<String>,
    /// Amounts no rate reaches: currency, then measure.
    pub left_apart: BTreeMap<(String, Measure), ExactSum>,
}

/// One sum for each measure that has any.
pub(super) type Cells = BTreeMap<Measure, Cell>;

/// A sum, or a number no platform has reported yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    /// A sum.
    Sum(ExactSum),
    /// Rows, of which none says the number.
    Unreported,
    /// Amounts, all of them in currencies without a rate.
    Apart,
}

impl Facts {
    /// Adds to a key's sum.
    pub fn add(&mut self, key: &[Option<String>], measure: Measure, amount: i128) -> Result<()> {
        add_to(self.cells(key), measure, amount, Rate::ONE)
    }

    /// Adds an amount of another currency to a key's sum.
    pub fn add_at(&mut self, key: &[Option<String>], measure: Measure, micros: i128, rate: Rate) -> Result<()> {
        add_to(self.cells(key), measure, micros, rate)
    }

    /// Notes that a key has rows that do not say a measure.
    pub fn note_unreported(&mut self, key: &[Option<String>], measure: Measure) {
        self.cells(key).entry(measure).or_insert(Cell::Unreported);
    }

    /// Notes that a key has amounts that no rate reaches.
    pub fn note_apart(&mut self, key: &[Option<String>], measure: Measure) {
        let cell = self.cells(key).entry(measure).or_insert(Cell::Apart);
        if *cell == Cell::Unreported {
            *cell = Cell::Apart;
        }
    }

    /// Makes sure that a key has a row.
    pub fn cells(&mut self, key: &[Option<String>]) -> &mut Cells {
        if !self.sums.contains_key(key) {
            self.sums.insert(key.to_vec(), Cells::new());
        }
        self.sums.get_mut(key).expect("it was put in when it was missing")
    }
}

/// Adds to one of some cells.
pub(super) fn add_to(cells: &mut Cells, measure: Measure, amount: i128, rate: Rate) -> Result<()> {
    let cell = cells.entry(measure).or_insert(Cell::Unreported);
    let sum = match cell {
        Cell::Sum(sum) => *sum,
        Cell::Unreported | Cell::Apart => ExactSum::default(),
    };
    *cell = Cell::Sum(sum.plus_at(amount, rate).ok_or_else(beyond)?);
    Ok(())
}

/// Adds cells to cells.
pub(super) fn merge(into: &mut Cells, from: &Cells) -> Result<()> {
    for (measure, cell) in from {
        let sum = match (into.get(measure), cell) {
            (None | Some(Cell::Unreported), cell) => *cell,
            (Some(held), Cell::Unreported) => *held,
            (Some(Cell::Apart), cell) => *cell,
            (Some(held), Cell::Apart) => *held,
            (Some(Cell::Sum(one)), Cell::Sum(other)) => Cell::Sum(one.and(*other).ok_or_else(beyond)?),
        };
        into.insert(*measure, sum);
    }
    Ok(())
}

fn beyond() -> Error {
    Error::new(Code::QuestionTooLarge, "a sum of the answer is beyond what is counted; narrow the range or the filters")
}

impl Measure {
    /// A sum of this measure as a number.
    pub(super) fn value(self, cell: Option<&Cell>) -> Value {
        let sum = match cell {
            Some(Cell::Sum(sum)) => sum.micros(),
            Some(Cell::Unreported) => return Err(Missing::Unknown("no platform reports it here".into())),
            Some(Cell::Apart) => return Err(Missing::Unknown("its amounts are in currencies without a rate".into())),
            None => 0,
        };
        match self {
            Measure::Count(_) | Measure::Refunds => {
                Decimal::try_from_i128_with_scale(sum, CREDIT_SCALE).map(|value| value.normalize()).map_err(|_| Missing::TooLarge)
            }
            Measure::Impressions | Measure::Clicks | Measure::LinkClicks | Measure::Visitors | Measure::Sessions => {
                Decimal::try_from_i128_with_scale(sum, 0).map_err(|_| Missing::TooLarge)
            }
            Measure::Spend
            | Measure::ReportedPurchases
            | Measure::ReportedRevenue
            | Measure::Amount(_)
            | Measure::GrossRevenue
            | Measure::RefundAmount
            | Measure::LifetimeRevenue => from_micros(sum),
        }
    }
}

impl Plan<'_> {
    /// The values of the attributes, told from the fields of a touch or a visit and the first day of its time unit.
    pub fn key_of(&self, fields: &[Field], values: &[Option<String>], date: Option<Date>) -> Key {
        let value = |field: &Field| fields.iter().position(|asked| asked == field).and_then(|place| values[place].clone());
        let channel = value(&Field::Channel);
        let ids = [(Level::Ad, Field::AdId), (Level::AdSet, Field::AdSetId), (Level::Campaign, Field::CampaignId)];
        let standing = if self.reads_ads() {
            ids.iter().find_map(|(level, field)| {
                let id = value(field)?;
                self.directory.find(channel.as_deref(), level.ad_level(), &id)
            })
        } else {
            None
        };
        let of_ad = |attribute: &Attribute| match attribute {
            Attribute::AdId(level) => {
                let known = standing.and_then(|standing| standing.ids[level.place()].clone());
                known.or_else(|| ids.iter().find(|(of, _)| of == level).and_then(|(_, field)| value(field)))
            }
            Attribute::AdName(level) => {
                let known = standing.and_then(|standing| standing.names[level.place()].clone());
                let is_unknown = *level == Level::Campaign && standing.is_none();
                known.or_else(|| value(&Field::Campaign).filter(|_| is_unknown))
            }
            _ => None,
        };
        self.key(date, |attribute| match attribute {
            Attribute::Source => standing.map(|standing| standing.source.clone()).or_else(|| channel.clone()),
            Attribute::Visit(field) => value(field),
            Attribute::Profile(slot) => value(&Field::Trait(slot.to_string())),
            attribute => of_ad(attribute),
        })
    }

    /// The same, told from a sum of spend or claims.
    pub fn key_of_spend(&self, group: &AdGroup) -> Key {
        let source = group.source.as_deref();
        let ids = [&group.account, &group.campaign, &group.ad_set, &group.ad];
        let deepest = Level::ALL.into_iter().rev().find_map(|level| ids[level.place()].as_deref().map(|id| (level, id)));
        let standing: Option<&AdStanding> =
            deepest.and_then(|(level, id)| AdDirectory::find(&self.directory, source, level.ad_level(), id));
        let date = group.date.zip(self.time()).map(|(date, unit)| start_of(unit, date));
        self.key(date, |attribute| match attribute {
            Attribute::Source => group.source.clone(),
            Attribute::AdId(level) => ids[level.place()].clone(),
            Attribute::AdName(level) => standing.and_then(|standing| standing.names[level.place()].clone()),
            _ => None,
        })
    }

    fn key(&self, date: Option<Date>, value: impl Fn(&Attribute) -> Option<String>) -> Key {
        let one = |attribute: &Attribute| match attribute {
            Attribute::Time(_) => date.map(|date| date.to_string()),
            attribute => value(attribute),
        };
        self.attributes.iter().map(one).collect()
    }

    /// Whether a key passes the filters.
    pub fn passes(&self, key: &[Option<String>]) -> bool {
        self.filters.iter().all(|filter| {
            let place = self.attributes.iter().position(|attribute| *attribute == filter.attribute);
            place.is_some_and(|place| filter.test.holds(key[place].as_deref()))
        })
    }
}
