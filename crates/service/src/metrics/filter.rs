//! Filters on dimensions: `{"field": "campaign_name", "operator": "contains", "value": "spring"}`. All must hold.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tributary_control::Label;
use tributary_events::filter::Test;

use super::dimension::{Asked, Attribute};
use crate::problem::Problems;

/// Most filters of one question.
pub const MAX_FILTERS: usize = 10;
/// Most values one filter compares with.
pub const MAX_VALUES: usize = 100;
/// Longest value, characters.
const MAX_VALUE_CHARS: usize = 1_024;

/// What may be asked of a dimension's value. Negations hold where there is none, too.
pub const OPERATORS: [&str; 9] =
    ["equal_to", "not_equal_to", "contains", "not_contains", "starts_with", "ends_with", "contains_word", "any", "unknown"];

/// A filter as a caller gives it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct FilterInput {
    /// A dimension, by slug or label; time and custom fields are not filtered here.
    pub field: String,
    /// `equal_to`, `not_equal_to`, `contains`, `not_contains`, `starts_with`, `ends_with`, `contains_word`, `any`, `unknown`.
    pub operator: String,
    /// What is compared with: a text, or for `equal_to` and `not_equal_to` a list of texts. `any` and `unknown` take none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<OneOrMany>,
}

/// One text or several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub enum OneOrMany {
    /// One.
    One(String),
    /// Several; any of them will do.
    Many(Vec<String>),
}

/// A checked filter.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    /// What it reads.
    pub attribute: Attribute,
    /// What must hold.
    pub test: Test,
}

impl Filter {
    /// Checks a caller's filters. Problems are named by path.
    pub fn check(inputs: &[FilterInput], labels: &[Label], problems: &mut Problems) -> Vec<Filter> {
        if inputs.len() > MAX_FILTERS {
            problems.add("filters", format!("must have at most {MAX_FILTERS} conditions, got {}", inputs.len()));
            return Vec::new();
        }
        let mut filters = Vec::with_capacity(inputs.len());
        for (index, input) in inputs.iter().enumerate() {
            let attribute = match Asked::resolve(&input.field, labels) {
                Ok(Asked { attribute: Attribute::Time(_), .. }) => Err(String::from("time is chosen by date_range")),
                Ok(Asked { attribute: Attribute::Profile(_), .. }) => {
                    Err(String::from("custom fields are filtered by custom_field_filters"))
                }
                Ok(Asked { attribute, .. }) => Ok(attribute),
                Err(told) => Err(told),
            };
            match (attribute, test(input)) {
                (Ok(attribute), Ok(test)) => filters.push(Filter { attribute, test }),
                (attribute, test) => {
                    if let Err(told) = attribute {
                        problems.add(format!("filters.{index}.field"), told);
                    }
                    if let Err((name, told)) = test {
                        problems.add(format!("filters.{index}.{name}"), told);
                    }
                }
            }
        }
        filters
    }
}

fn test(input: &FilterInput) -> Result<Test, (&'static str, String)> {
    let operator = input.operator.as_str();
    if !OPERATORS.contains(&operator) {
        let shown: String = operator.chars().take(64).collect();
        return Err(("operator", format!("operator \"{shown}\" not allowed. Allowed: {}.", OPERATORS.join(", "))));
    }
    if matches!(operator, "any" | "unknown") {
        return match &input.value {
            None => Ok(if operator == "any" { Test::Present } else { Test::Absent }),
            Some(_) => Err(("value", format!("operator \"{operator}\" takes no value"))),
        };
    }
    let values = match &input.value {
        None => return Err(("value", format!("is required for operator \"{operator}\""))),
        Some(OneOrMany::One(value)) => vec![value.clone()],
        Some(OneOrMany::Many(values)) => values.clone(),
    };
    if values.is_empty() || values.len() > MAX_VALUES {
        return Err(("value", format!("must have 1 to {MAX_VALUES} texts, got {}", values.len())));
    }
    if values.iter().any(|value| value.is_empty() || value.chars().count() > MAX_VALUE_CHARS) {
        return Err(("value", format!("must have 1 to {MAX_VALUE_CHARS} characters")));
    }
    match (operator, values.as_slice()) {
        ("equal_to", _) => Ok(Test::Is(values)),
        ("not_equal_to", _) => Ok(Test::IsNot(values)),
        (_, [value]) => Ok(match operator {
            "contains" => Test::Contains(value.clone()),
            "not_contains" => Test::NotContains(value.clone()),
            "starts_with" => Test::StartsWith(value.clone()),
            "ends_with" => Test::EndsWith(value.clone()),
            _ => Test::ContainsWord(value.clone()),
        }),
        _ => Err(("value", format!("operator \"{operator}\" takes one text"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tributary_core::error::Code;

    #[test]
    fn every_problem_is_named_at_its_path() {
        let input = |field: &str, operator: &str, value: Option<&str>| FilterInput {
            field: field.into(),
            operator: operator.into(),
            value: value.map(|value| OneOrMany::One(value.into())),
        };
        let mut problems = Problems::new();
        let filters = Filter::check(
            &[
                input("country", "equal_to", Some("DE")),
                input("nowhere", "greater_than", Some("1")),
                input("day", "any", None),
                input("source", "any", Some("x")),
                input("url", "contains", None),
            ],
            &[],
            &mut problems,
        );
        assert_eq!(filters.len(), 1);
        let error = problems.into_error(Code::InvalidParams);
        let fields: Vec<String> = error
            .details()
            .and_then(|details| details["fieldErrors"].as_object().cloned())
            .into_iter()
            .flat_map(|map| map.into_iter().map(|(field, _)| field))
            .collect();
        assert_eq!(fields, ["filters.1.field", "filters.1.operator", "filters.2.field", "filters.3.value", "filters.4.value"]);
    }
}
