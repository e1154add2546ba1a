//! A metric's value: a decimal number, or the reason why there is none.

use std::borrow::Cow;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::Value as Json;

/// Decimals an answer shows. Money and credited conversions are exact to them; ratios are rounded.
const SHOWN_DECIMALS: u32 = 6;
/// Micros per unit, as the scale of a decimal.
const MICRO_SCALE: u32 = 6;

/// A number, or why there is none.
pub type Value = Result<Decimal, Missing>;

/// Why a metric has no number here. Shown as `null`, with this reason in the answer's notes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Missing {
    /// A division by zero: the text is the divisor's formula.
    ZeroDivisor(String),
    /// The number does not exist for what the answer is grouped or filtered by.
    Unknown(Cow<'static, str>),
    /// Beyond 28 digits.
    TooLarge,
}

impl Missing {
    /// The reason in words.
    pub fn reason(&self) -> String {
        match self {
            Missing::ZeroDivisor(divisor) => format!("{divisor} is 0"),
            Missing::Unknown(reason) => reason.to_string(),
            Missing::TooLarge => String::from("the number is beyond 28 digits"),
        }
    }
}

/// Micros as a decimal number of units.
pub(crate) fn from_micros(micros: i128) -> Value {
    Decimal::try_from_i128_with_scale(micros, MICRO_SCALE).map(|value| value.normalize()).map_err(|_| Missing::TooLarge)
}

/// The number as JSON: rounded half to even to six decimals, whole where it is whole.
pub(crate) fn shown(value: Decimal) -> Json {
    let value = value.round_dp(SHOWN_DECIMALS).normalize();
    if value.scale() == 0
        && let Some(whole) = value.to_i64()
    {
        return Json::from(whole);
    }
    value.to_f64().map_or(Json::Null, Json::from)
}
