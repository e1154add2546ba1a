//! Money in answers: a JSON number that is exact, however many digits it has.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use tributary_core::money::format_micros;

/// An amount in micros of its currency's unit, written as a decimal number with at least two decimals. Never by way of
/// floating point, which has no room for the digits of large amounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExactAmount(pub i128);

impl Serialize for ExactAmount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(format_micros(self.0)).map_err(S::Error::custom)?.serialize(serializer)
    }
}

impl JsonSchema for ExactAmount {
    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("ExactAmount")
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "number" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_digit_is_kept() {
        for (micros, text) in
            [(0, "0.00"), (89_500_000, "89.50"), (-1, "-0.000001"), (i128::from(i64::MAX), "9223372036854.775807")]
        {
            assert_eq!(serde_json::to_string(&ExactAmount(micros)).expect("a number"), text);
        }
    }
}
