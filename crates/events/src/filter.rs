//! Filters: a field, a test, all of them must hold.

use serde::{Deserialize, Serialize};

use tributary_core::event::Event;

use crate::field::Field;

/// A test on one field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Filter {
    /// The field looked at.
    pub field: Field,
    /// What must hold.
    pub test: Test,
}

/// What must hold of a value. A missing value passes only `Absent` and `IsNot`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Test {
    /// Equal to one of these.
    Is(Vec<String>),
    /// Equal to none of these (or absent).
    IsNot(Vec<String>),
    /// Contains this text, letter case ignored.
    Contains(String),
    /// Starts with this text.
    StartsWith(String),
    /// Has a value.
    Present,
    /// Has no value.
    Absent,
    /// Reads as a number for which this holds.
    Number(Comparison, f64),
}

/// How a number compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

impl Filter {
    /// `field = value`.
    pub fn is(field: Field, value: impl Into<String>) -> Self {
        Self { field, test: Test::Is(vec![value.into()]) }
    }

    /// Whether the event passes.
    pub fn holds(&self, event: &Event) -> bool {
        self.test.holds(self.field.of(event).as_deref())
    }
}

impl Test {
    /// Whether a value (or its absence) passes.
    pub fn holds(&self, value: Option<&str>) -> bool {
        match (self, value) {
            (Test::Is(wanted), Some(value)) => wanted.iter().any(|one| one == value),
            (Test::IsNot(unwanted), Some(value)) => !unwanted.iter().any(|one| one == value),
            (Test::Contains(part), Some(value)) => value.to_lowercase().contains(&part.to_lowercase()),
            (Test::StartsWith(start), Some(value)) => value.starts_with(start.as_str()),
            (Test::Number(comparison, bound), Some(value)) => {
                value.parse::<f64>().is_ok_and(|number| comparison.holds(number, *bound))
            }
            (Test::Present, Some(_)) | (Test::IsNot(_) | Test::Absent, None) => true,
            (Test::Absent, Some(_))
            | (Test::Is(_) | Test::Contains(_) | Test::StartsWith(_) | Test::Number(..) | Test::Present, None) => false,
        }
    }
}

impl Comparison {
    /// Whether `number` stands in this relation to `bound`. NaN never does.
    pub fn holds(self, number: f64, bound: f64) -> bool {
        match self {
            Comparison::Less => number < bound,
            Comparison::AtMost => number <= bound,
            Comparison::Greater => number > bound,
            Comparison::AtLeast => number >= bound,
        }
    }
}

/// Whether the event passes all filters.
pub fn all_hold(filters: &[Filter], event: &Event) -> bool {
    filters.iter().all(|filter| filter.holds(event))
}
