//! `amount`: money with a type, exact, from where senders put it.
//!
//! `properties.amount_cents` (an integer, hundredths of the unit) with `properties.currency`, or `properties.amount` (a
//! decimal number, as number or text) with `properties.currency`. What does not read as both stays a plain property. An
//! import may map columns to an amount and its currency; those win.

use serde_json::{Map, Value};
use tributary_core::money::{Currency, MICROS, Money, parse_micros};

use super::Flight;
use crate::parse::IDENTIFY_EVENT;
use crate::pipeline::Tools;

const CENTS: i64 = 100;

pub fn run(_: &Tools, flight: &mut Flight<'_>) {
    let mapped = flight.draft.amount.take().filter(|_| flight.is_import());
    flight.event.amount = match (mapped, flight.draft.properties.as_ref()) {
        (Some(amount), _) => money(parse_micros(&amount).ok(), flight.draft.currency.as_deref()),
        // Traits describe a person: an `amount` among them was not paid here.
        (None, Some(properties)) if flight.event.name != IDENTIFY_EVENT => from_properties(properties),
        (None, _) => None,
    };
}

fn from_properties(properties: &Map<String, Value>) -> Option<Money> {
    // First of all, since most properties are about no money.
    let currency = properties.get("currency")?.as_str()?;
    let cents = properties.get("amount_cents").and_then(Value::as_i64).and_then(|cents| cents.checked_mul(MICROS / CENTS));
    let decimal = || match properties.get("amount")? {
        Value::Number(number) => parse_micros(&number.to_string()).ok(),
        Value::String(text) => parse_micros(text).ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    money(cents.or_else(decimal), Some(currency))
}

fn money(micros: Option<i64>, currency: Option<&str>) -> Option<Money> {
    Some(Money { micros: micros?, currency: currency?.parse::<Currency>().ok()? })
}
