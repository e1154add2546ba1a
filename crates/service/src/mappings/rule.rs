//! What a webhook rule says: conditions on a payload, and where each field of the event is taken from.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tributary_control::Slot;

use super::apply::{literal, number};
use crate::body::shown;
use crate::problem::Problems;

/// Most conditions of a rule.
pub const MAX_CONDITIONS: usize = 10;
/// Longest path, bytes, and most steps of one.
const MAX_PATH_BYTES: usize = 255;
const MAX_PATH_STEPS: usize = 16;
/// Longest text a condition compares with, and longest literal of a field, characters.
const MAX_VALUE_CHARS: usize = 255;
/// Largest divisor: what is a millionth of the unit.
const MAX_DIVISOR: u64 = 1_000_000;

/// What is made of a payload, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WebhookRule {
    /// What must hold, all of it.
    #[serde(default)]
    pub conditions: Vec<PayloadCondition>,
    /// Where the fields of the event come from, by their names in `POST /public-api/v1/events/track`.
    pub fields: BTreeMap<String, FieldSource>,
}

/// A condition on a payload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PayloadCondition {
    /// Steps from the top, with dots between: names, indexes of lists, or `name=value` for the first item of a list that has it.
    pub path: String,
    /// How the value there is compared.
    pub operator: PayloadOperator,
    /// What it is compared with; none for `any` and `unknown`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
}

macro_rules! operators {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),* $(,)?) => {
        /// How a value of a payload is compared. Texts compare whatever their case; `not_equal_to` holds for what is missing.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
        #[schemars(inline)]
        pub enum PayloadOperator {
            $($(#[$doc])* #[serde(rename = $name)] $variant),*
        }

        impl PayloadOperator {
            /// Every operator.
            pub const ALL: &[PayloadOperator] = &[$(PayloadOperator::$variant),*];

            /// Its name on the wire.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(PayloadOperator::$variant => $name),*
                }
            }
        }
    };
}

operators! {
    /// The same text or number.
    EqualTo = "equal_to",
    /// Anything else, or nothing.
    NotEqualTo = "not_equal_to",
    /// A text with this one in it, or a list with this item.
    Contains = "contains",
    /// A text that begins so.
    StartsWith = "starts_with",
    /// Any value.
    Any = "any",
    /// No value.
    Unknown = "unknown",
    /// A larger number.
    GreaterThan = "greater_than",
    /// A smaller number.
    LessThan = "less_than",
}

impl PayloadOperator {
    fn takes_value(self) -> bool {
        !matches!(self, PayloadOperator::Any | PayloadOperator::Unknown)
    }

    fn compares_numbers(self) -> bool {
        matches!(self, PayloadOperator::GreaterThan | PayloadOperator::LessThan)
    }
}

/// Where a field comes from: a path or a literal.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FieldSource {
    /// Where in the payload, as in conditions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The value itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// What the number there is divided by: 100 for an amount in cents, 1000 for a time in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub divide_by: Option<u32>,
    /// Whether a payload without it is refused. Otherwise the field is left out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
}

/// What a field of an event holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    Text,
    Currency,
    Amount,
    Time,
    Flag,
}

/// The fields of an event, but for `profile_field_1` to `profile_field_30`, which hold text.
const FIELDS: &[(&str, Holds)] = &[
    ("email", Holds::Text),
    ("full_name", Holds::Text),
    ("first_name", Holds::Text),
    ("last_name", Holds::Text),
    ("phone", Holds::Text),
    ("comet_token", Holds::Text),
    ("fingerprint", Holds::Text),
    ("ip", Holds::Text),
    ("user_agent", Holds::Text),
    ("tracking_id", Holds::Text),
    ("amount", Holds::Amount),
    ("currency", Holds::Currency),
    ("order_id", Holds::Text),
    ("order_name", Holds::Text),
    ("checkout_token", Holds::Text),
    ("event_time", Holds::Time),
    ("url", Holds::Text),
    ("idempotency_key", Holds::Text),
    ("is_upsell", Holds::Flag),
    ("upsell_common_id", Holds::Text),
    ("comet_source", Holds::Text),
    ("comet_network", Holds::Text),
    ("comet_campaign", Holds::Text),
    ("comet_ad_group", Holds::Text),
    ("comet_ad_id", Holds::Text),
    ("comet_keyword", Holds::Text),
    ("comet_type", Holds::Text),
    ("do_not_capi", Holds::Flag),
];

/// What the field of this name holds, if there is one.
pub(super) fn holds(name: &str) -> Option<Holds> {
    let listed = FIELDS.iter().find(|(field, _)| *field == name).map(|(_, holds)| *holds);
    listed.or_else(|| Slot::parse(name).map(|_| Holds::Text))
}

/// The names of all fields but `profile_field_N`.
#[cfg(test)]
pub(crate) fn field_names() -> impl Iterator<Item = &'static str> {
    FIELDS.iter().map(|(name, _)| *name)
}

/// Whether these fields tell who it was.
pub(super) fn identifies(has: impl Fn(&str) -> bool) -> bool {
    has("email") || has("comet_token") || (has("fingerprint") && has("ip"))
}

/// What to say when they do not.
pub(super) const NOBODY: &str = "one of email, comet_token, or fingerprint and ip together, is needed to tell who it was";

impl WebhookRule {
    /// Reads the conditions and fields of a body, noting every problem below `at`.
    pub(super) fn read(given: &Map<String, Value>, at: &str, problems: &mut Problems) -> Option<WebhookRule> {
        for name in given.keys().filter(|name| !["endpoint", "conditions", "fields"].contains(&name.as_str())) {
            problems.add(format!("{at}.{}", shown(name)), "is not known here. Allowed: endpoint, conditions, fields.");
        }
        let conditions = match given.get("conditions") {
            None => Vec::new(),
            Some(Value::Array(items)) if items.len() <= MAX_CONDITIONS => items
                .iter()
                .enumerate()
                .filter_map(|(index, item)| condition(item, &format!("{at}.conditions.{index}"), problems))
                .collect(),
            Some(_) => {
                problems.add(format!("{at}.conditions"), format!("must be a list of at most {MAX_CONDITIONS} conditions"));
                Vec::new()
            }
        };
        let Some(Value::Object(given)) = given.get("fields") else {
            problems.add(
                format!("{at}.fields"),
                "is required: an object by field, such as {\"email\": {\"path\": \"customer.email\"}}",
            );
            return None;
        };
        let mut fields = BTreeMap::new();
        for (name, source) in given {
            let at = format!("{at}.fields.{}", shown(name));
            let Some(holds) = holds(name) else {
                let known: Vec<&str> = FIELDS.iter().map(|(name, _)| *name).collect();
                let known = known.join(", ");
                problems.add(at, format!("is no field of an event. Allowed: {known}, profile_field_1 to profile_field_30."));
                continue;
            };
            if let Some(source) = field(source, holds, &at, problems) {
                fields.insert(name.clone(), source);
            }
        }
        if !identifies(|name| given.contains_key(name)) {
            problems.add(format!("{at}.fields"), NOBODY);
        }
        Some(WebhookRule { conditions, fields })
    }
}

fn condition(given: &Value, at: &str, problems: &mut Problems) -> Option<PayloadCondition> {
    let Value::Object(given) = given else {
        problems.add(at, "must be an object with path, operator and value");
        return None;
    };
    for name in given.keys().filter(|name| !["path", "operator", "value"].contains(&name.as_str())) {
        problems.add(format!("{at}.{}", shown(name)), "is not known here. Allowed: path, operator, value.");
    }
    let path = path(given.get("path"), &format!("{at}.path"), problems);
    let name = given.get("operator").and_then(Value::as_str).unwrap_or_default();
    let Some(operator) = PayloadOperator::ALL.iter().copied().find(|operator| operator.as_str() == name) else {
        let known: Vec<&str> = PayloadOperator::ALL.iter().map(|operator| operator.as_str()).collect();
        problems.add(format!("{at}.operator"), format!("must be one of {}", known.join(", ")));
        return None;
    };
    let value = given.get("value").filter(|value| !value.is_null()).cloned();
    let problem = match &value {
        Some(_) if !operator.takes_value() => Some("takes no value with this operator"),
        None if operator.takes_value() => Some("is required: text, a number, true or false"),
        None => None,
        Some(value) if operator.compares_numbers() && number(value).is_none() => Some("must be a number of at most six decimals"),
        Some(Value::String(text)) if text.chars().count() > MAX_VALUE_CHARS => Some("must have at most 255 characters"),
        Some(Value::String(_) | Value::Number(_) | Value::Bool(_)) => None,
        Some(Value::Null | Value::Array(_) | Value::Object(_)) => Some("must be text, a number, true or false"),
    };
    if let Some(problem) = problem {
        problems.add(format!("{at}.value"), problem);
        return None;
    }
    Some(PayloadCondition { path: path?, operator, value })
}

fn field(given: &Value, holds: Holds, at: &str, problems: &mut Problems) -> Option<FieldSource> {
    let Value::Object(given) = given else {
        problems.add(at, "must be {\"path\": \"…\"} or {\"value\": …}");
        return None;
    };
    for name in given.keys().filter(|name| !["path", "value", "divide_by", "required"].contains(&name.as_str())) {
        problems.add(format!("{at}.{}", shown(name)), "is not known here. Allowed: path, value, divide_by, required.");
    }
    let mut source = FieldSource::default();
    match (given.get("path"), given.get("value")) {
        (Some(_), None) => source.path = path(given.get("path"), &format!("{at}.path"), problems),
        (None, Some(value)) => match literal(value, holds, MAX_VALUE_CHARS) {
            Ok(()) => source.value = Some(value.clone()),
            Err(problem) => problems.add(format!("{at}.value"), problem),
        },
        (Some(_), Some(_)) | (None, None) => problems.add(at, "must have one of path and value"),
    }
    source.divide_by = given.get("divide_by").and_then(|divisor| {
        let divides = matches!(holds, Holds::Amount | Holds::Time) && given.contains_key("path");
        let divisor = divisor.as_u64().filter(|divisor| divides && (1..=MAX_DIVISOR).contains(divisor));
        if divisor.is_none() {
            let problem = format!("must be a whole number from 1 to {MAX_DIVISOR}, beside the path of amount or event_time");
            problems.add(format!("{at}.divide_by"), problem);
        }
        divisor.and_then(|divisor| u32::try_from(divisor).ok())
    });
    match given.get("required") {
        None => {}
        Some(Value::Bool(required)) => source.required = *required,
        Some(_) => problems.add(format!("{at}.required"), "must be true or false"),
    }
    Some(source)
}

fn path(given: Option<&Value>, at: &str, problems: &mut Problems) -> Option<String> {
    let path = given.and_then(Value::as_str).unwrap_or_default();
    let steps = path.split('.').count();
    if path.len() > MAX_PATH_BYTES || steps > MAX_PATH_STEPS || path.split('.').any(str::is_empty) {
        problems.add(
            at,
            format!(
                "must be 1 to {MAX_PATH_STEPS} steps with dots between, at most {MAX_PATH_BYTES} bytes, such as line_items.0.sku"
            ),
        );
        return None;
    }
    Some(path.to_owned())
}
