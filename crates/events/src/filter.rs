//! Filters: a field, a test, all of them must hold.

use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

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

/// What must hold of a value. A missing value passes only `Absent`, `IsNot` and `NotContains`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Test {
    /// Equal to one of these.
    Is(Vec<String>),
    /// Equal to none of these (or absent).
    IsNot(Vec<String>),
    /// Contains this text, letter case ignored.
    Contains(String),
    /// Does not contain this text, letter case ignored (or absent).
    NotContains(String),
    /// Starts with this text.
    StartsWith(String),
    /// Ends with this text.
    EndsWith(String),
    /// Contains the words of this text one after the other, letter case ignored. A word is a run of letters and digits (of any
    /// script) that nothing but other characters or an end adjoins: `plan pro` stands in `Plan: PRO!` but not in `plan prose`.
    /// A text without a word is contained in every value.
    ContainsWord(String),
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
    /// `=`
    Equal,
    /// Another number: what is absent or reads as no number does not pass.
    NotEqual,
}

impl Filter {
    /// `field = value`.
    pub fn is(field: Field, value: impl Into<String>) -> Self {
        Self { field, test: Test::Is(vec![value.into()]) }
    }

    /// Whether the event passes; of traits it knows none, see [`crate::question::Slice::all_hold`].
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
            (Test::Contains(part), Some(value)) => contains(value, part),
            (Test::NotContains(part), Some(value)) => !contains(value, part),
            (Test::EndsWith(end), Some(value)) => value.ends_with(end.as_str()),
            (Test::ContainsWord(wanted), Some(value)) => contains_words(value, wanted),
            (Test::StartsWith(start), Some(value)) => value.starts_with(start.as_str()),
            (Test::Number(comparison, bound), Some(value)) => {
                value.parse::<f64>().is_ok_and(|number| comparison.holds(number, *bound))
            }
            (Test::Present, Some(_)) | (Test::IsNot(_) | Test::NotContains(_) | Test::Absent, None) => true,
            (Test::Absent, Some(_))
            | (
                Test::Is(_)
                | Test::Contains(_)
                | Test::StartsWith(_)
                | Test::EndsWith(_)
                | Test::ContainsWord(_)
                | Test::Number(..)
                | Test::Present,
                None,
            ) => false,
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
            Comparison::Equal => number == bound,
            Comparison::NotEqual => number.partial_cmp(&bound).is_some_and(Ordering::is_ne),
        }
    }
}

fn contains(value: &str, part: &str) -> bool {
    value.to_lowercase().contains(&part.to_lowercase())
}

fn contains_words(value: &str, wanted: &str) -> bool {
    let wanted: Vec<String> = words(wanted).collect();
    let found: Vec<String> = words(value).collect();
    wanted.is_empty() || found.windows(wanted.len()).any(|stretch| stretch == wanted)
}

/// The words of a text in lower case. They are cut before the case changes: a lower-case letter may be a letter and a mark.
fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}
