//! What a metric's number is a number of.

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a metric's number is a number of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Unit {
    /// A count, or a ratio of two metrics. Counts of credited conversions may have a fraction.
    Number,
    /// An amount in the answer's currency.
    Currency,
    /// Percent: 12.5 means 12.5 %.
    Percent,
}

impl Unit {
    /// The names callers use.
    pub const NAMES: [&str; 3] = ["number", "currency", "percent"];

    /// Reads a caller's name.
    pub fn parse(name: &str) -> Option<Unit> {
        Some(match name {
            "number" => Unit::Number,
            "currency" => Unit::Currency,
            "percent" => Unit::Percent,
            _ => return None,
        })
    }

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Unit::Number => "number",
            Unit::Currency => "currency",
            Unit::Percent => "percent",
        }
    }

    /// To which power money stands in it.
    pub(crate) fn money_power(self) -> i8 {
        match self {
            Unit::Number | Unit::Percent => 0,
            Unit::Currency => 1,
        }
    }

    /// A formula's result as a number of this unit.
    pub(crate) fn scaled(self, value: Decimal) -> Option<Decimal> {
        match self {
            Unit::Number | Unit::Currency => Some(value),
            Unit::Percent => value.checked_mul(Decimal::ONE_HUNDRED),
        }
    }

    /// A number of this unit as it stands in a formula: 12.5 % counts as 0.125.
    pub(crate) fn unscaled(self, value: Decimal) -> Option<Decimal> {
        match self {
            Unit::Number | Unit::Currency => Some(value),
            Unit::Percent => value.checked_div(Decimal::ONE_HUNDRED),
        }
    }
}
