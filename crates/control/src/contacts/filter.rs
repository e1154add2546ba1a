//! Conditions on custom fields: read and checked by the slot's kind, then spelled as SQL of fixed pieces.

use std::collections::BTreeMap;
use std::fmt::Write;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::slot::{FieldInput, FieldKind, Slot, read_date, read_number};
use super::values::words;
use crate::problems::Problems;
use crate::store::DatabaseStatement;

/// Most conditions of one question.
pub const MAX_FIELD_FILTERS: usize = 10;
/// Longest text compared with, characters.
const MAX_VALUE_CHARS: usize = 1_024;
/// Largest age, days.
const MAX_AGE_DAYS: f64 = 1_000_000.0;

/// One condition on a custom field, as a caller gives it. All of a question's must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Condition {
    /// `profile_field_N`, or its label in any case.
    pub field: String,
    /// One of the operators of the field's kind.
    pub operator: String,
    /// What is compared with; `any` and `unknown` take none.
    pub value: Option<FieldInput>,
    /// First day of `between`.
    pub start: Option<FieldInput>,
    /// Last day of `between`, which is inside.
    pub end: Option<FieldInput>,
}

/// What a condition may ask. Negations hold for contacts without a value too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperatorKind {
    /// The value is this one, whatever the case.
    EqualTo,
    /// It is not.
    NotEqualTo,
    /// The text holds this one.
    Contains,
    /// It does not.
    NotContains,
    /// The text begins with this one.
    StartsWith,
    /// The text ends with this one.
    EndsWith,
    /// The text holds these words, whole and one after the other.
    ContainsWord,
    /// The number is greater, or the day later.
    GreaterThan,
    /// Greater or equal.
    GreaterThanOrEqualTo,
    /// Less, or earlier.
    LessThan,
    /// Less or equal.
    LessThanOrEqualTo,
    /// The day lies between two, both inside.
    Between,
    /// The day lies more than so many days back.
    AgeGreaterThan,
    /// The day lies so many days back.
    AgeEqualTo,
    /// The day lies fewer than so many days back, or ahead.
    AgeLessThan,
    /// There is a value.
    Any,
    /// There is none.
    Unknown,
}

use OperatorKind::{
    AgeEqualTo, AgeGreaterThan, AgeLessThan, Any, Between, Contains, ContainsWord, EndsWith, EqualTo, GreaterThan,
    GreaterThanOrEqualTo, LessThan, LessThanOrEqualTo, NotContains, NotEqualTo, StartsWith, Unknown,
};

impl OperatorKind {
    /// What may be asked of fields of a kind, in the documented order.
    pub fn of(kind: FieldKind) -> &'static [OperatorKind] {
        match kind {
            FieldKind::Text => &[EqualTo, NotEqualTo, Contains, NotContains, StartsWith, EndsWith, ContainsWord, Any, Unknown],
            FieldKind::Number => {
                &[EqualTo, NotEqualTo, GreaterThan, GreaterThanOrEqualTo, LessThan, LessThanOrEqualTo, Any, Unknown]
            }
            FieldKind::Date => &[EqualTo, Between, GreaterThan, LessThan, AgeGreaterThan, AgeEqualTo, AgeLessThan, Any, Unknown],
        }
    }

    /// The name callers use.
    pub fn as_str(self) -> &'static str {
        match self {
            EqualTo => "equal_to",
            NotEqualTo => "not_equal_to",
            Contains => "contains",
            NotContains => "not_contains",
            StartsWith => "starts_with",
            EndsWith => "ends_with",
            ContainsWord => "contains_word",
            GreaterThan => "greater_than",
            GreaterThanOrEqualTo => "greater_than_or_equal_to",
            LessThan => "less_than",
            LessThanOrEqualTo => "less_than_or_equal_to",
            Between => "between",
            AgeGreaterThan => "age_greater_than",
            AgeEqualTo => "age_equal_to",
            AgeLessThan => "age_less_than",
            Any => "any",
            Unknown => "unknown",
        }
    }
}

/// A checked condition: a test on the value of a slot.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct FieldFilter {
    slot: Slot,
    /// Whether the test must fail.
    negated: bool,
    test: Test,
}

#[derive(Clone, Debug, PartialEq)]
enum Test {
    Exists,
    Folded(String),
    FoldedLike(String),
    WordsLike(String),
    Number(&'static str, f64),
    Date(&'static str, String),
    Dates(String, String),
}

/// Checks conditions against the labels of a workspace.
pub(super) fn check_conditions(
    conditions: &[Condition],
    labels: &BTreeMap<Slot, String>,
    now_us: i64,
    problems: &mut Problems,
) -> Vec<FieldFilter> {
    if conditions.len() > MAX_FIELD_FILTERS {
        let told = format!("must have at most {MAX_FIELD_FILTERS} conditions, got {}", conditions.len());
        problems.add("custom_field_filters", told);
        return Vec::new();
    }
    let mut filters = Vec::with_capacity(conditions.len());
    for (index, condition) in conditions.iter().enumerate() {
        let path = format!("custom_field_filters.{index}");
        if let Some(slot) = problems.take(format!("{path}.field"), slot_of(&condition.field, labels)) {
            filters.extend(check_one(condition, slot, now_us, &path, problems));
        }
    }
    filters
}

fn slot_of(field: &str, labels: &BTreeMap<Slot, String>) -> Result<Slot, String> {
    if let Some(slot) = Slot::parse(field) {
        let unlabelled = || format!("slot {slot} has no label in this workspace; label it before filtering");
        return labels.contains_key(&slot).then_some(slot).ok_or_else(unlabelled);
    }
    let folded = field.trim().to_lowercase();
    let labelled = labels.iter().find(|(_, label)| label.to_lowercase() == folded).map(|(slot, _)| *slot);
    labelled.ok_or_else(|| {
        let shown: String = field.chars().take(64).collect();
        let mut allowed = String::new();
        for (slot, label) in labels {
            let _infallible = write!(allowed, "{}{slot} ({label})", if allowed.is_empty() { "" } else { ", " });
        }
        let allowed = if allowed.is_empty() { String::from("none, no slot has a label") } else { allowed };
        format!("\"{shown}\" is no labelled custom field. Allowed: {allowed}.")
    })
}

fn check_one(condition: &Condition, slot: Slot, now_us: i64, path: &str, problems: &mut Problems) -> Option<FieldFilter> {
    let kind = slot.kind();
    let allowed = OperatorKind::of(kind);
    let Some(operator) = allowed.iter().copied().find(|operator| operator.as_str() == condition.operator) else {
        let shown: String = condition.operator.chars().take(64).collect();
        let names: Vec<&str> = allowed.iter().map(|operator| operator.as_str()).collect();
        let told = format!("operator \"{shown}\" not allowed for {} fields. Allowed: {}.", kind.as_str(), names.join(", "));
        problems.add(format!("{path}.operator"), told);
        return None;
    };
    let takes: &[&str] = match operator {
        Any | Unknown => &[],
        Between => &["start", "end"],
        _ => &["value"],
    };
    let given = [("value", &condition.value), ("start", &condition.start), ("end", &condition.end)];
    for (name, _) in given.iter().filter(|(name, given)| given.is_some() && !takes.contains(name)) {
        problems.add(format!("{path}.{name}"), format!("operator \"{}\" takes no {name}", operator.as_str()));
    }
    let mut input = |name: &str, given: &Option<FieldInput>| match given {
        Some(given) => Some(given.clone()),
        None => {
            problems.add(format!("{path}.{name}"), format!("is required for operator \"{}\"", operator.as_str()));
            None
        }
    };
    let (test, negated) = match operator {
        Any => (Test::Exists, false),
        Unknown => (Test::Exists, true),
        Between => {
            let (start, end) = (input("start", &condition.start), input("end", &condition.end));
            let start = problems.take(format!("{path}.start"), read_date(&start?));
            let end = problems.take(format!("{path}.end"), read_date(&end?));
            let (start, end) = (start?, end?);
            if end < start {
                problems.add(format!("{path}.end"), "must not be before start");
                return None;
            }
            (Test::Dates(start, end), false)
        }
        operator => {
            let value = input("value", &condition.value)?;
            let test = match kind {
                FieldKind::Text => text_test(operator, &value),
                FieldKind::Number => read_number(&value).map(|number| Test::Number(comparison(operator), number)),
                FieldKind::Date => date_test(operator, &value, now_us),
            };
            (problems.take(format!("{path}.value"), test)?, matches!(operator, NotEqualTo | NotContains))
        }
    };
    Some(FieldFilter { slot, negated, test })
}

fn text_test(operator: OperatorKind, value: &FieldInput) -> Result<Test, String> {
    let FieldInput::Text(text) = value else { return Err(String::from("must be text")) };
    if text.is_empty() || text.chars().count() > MAX_VALUE_CHARS {
        return Err(format!("must have 1 to {MAX_VALUE_CHARS} characters"));
    }
    let folded = text.to_lowercase();
    Ok(match operator {
        Contains | NotContains => Test::FoldedLike(format!("%{}%", escaped(&folded))),
        StartsWith => Test::FoldedLike(format!("{}%", escaped(&folded))),
        EndsWith => Test::FoldedLike(format!("%{}", escaped(&folded))),
        ContainsWord => {
            let words = words(text);
            if words.trim().is_empty() {
                return Err(String::from("must hold a letter or a digit"));
            }
            Test::WordsLike(format!("%{words}%"))
        }
        _ => Test::Folded(folded),
    })
}

fn date_test(operator: OperatorKind, value: &FieldInput, now_us: i64) -> Result<Test, String> {
    if !matches!(operator, AgeGreaterThan | AgeEqualTo | AgeLessThan) {
        return read_date(value).map(|day| Test::Date(comparison(operator), day));
    }
    let days = read_number(value)?;
    if days.fract() != 0.0 || !(0.0..=MAX_AGE_DAYS).contains(&days) {
        return Err(format!("must be a whole number of days between 0 and {MAX_AGE_DAYS}"));
    }
    let today = Timestamp::from_microsecond(now_us).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(TimeZone::UTC).date();
    // Before the first day there is, everything is younger.
    let day = today.checked_sub((days as i64).days()).ok().filter(|day| day.year() >= 0).unwrap_or(Date::ZERO);
    Ok(Test::Date(comparison(operator), day.to_string()))
}

/// How the stored value is compared. An older day is a smaller one.
fn comparison(operator: OperatorKind) -> &'static str {
    match operator {
        GreaterThan | AgeLessThan => " > ",
        GreaterThanOrEqualTo => " >= ",
        LessThan | AgeGreaterThan => " < ",
        LessThanOrEqualTo => " <= ",
        _ => " = ",
    }
}

/// A text in which nothing means anything to LIKE.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

impl FieldFilter {
    /// Adds ` AND [NOT] EXISTS (…)` on the newest value of the slot among all contacts that are one with `head`.
    pub fn push(&self, statement: &mut DatabaseStatement) {
        statement.push(if self.negated { " AND NOT EXISTS (" } else { " AND EXISTS (" });
        statement.push(
            "SELECT 1 FROM (
               SELECT contact_fields.folded, contact_fields.words, contact_fields.number_value, contact_fields.date_value
               FROM contacts JOIN contact_fields ON contact_fields.contact_id = contacts.id
               WHERE contacts.workspace_id = head.workspace_id AND contacts.survivor_id = head.id AND contact_fields.slot = ",
        );
        statement.push_bind(i64::from(self.slot.number()));
        statement.push(" ORDER BY contact_fields.place DESC LIMIT 1) AS newest");
        match &self.test {
            Test::Exists => {}
            Test::Folded(text) => {
                statement.push(" WHERE folded = ").push_bind(text.clone());
            }
            Test::FoldedLike(pattern) => {
                statement.push(" WHERE folded LIKE ").push_bind(pattern.clone()).push(" ESCAPE '\\'");
            }
            Test::WordsLike(pattern) => {
                statement.push(" WHERE words LIKE ").push_bind(pattern.clone());
            }
            Test::Number(comparison, number) => {
                statement.push(" WHERE number_value").push(comparison).push_bind(*number);
            }
            Test::Date(comparison, day) => {
                statement.push(" WHERE date_value").push(comparison).push_bind(day.clone());
            }
            Test::Dates(start, end) => {
                statement.push(" WHERE date_value >= ").push_bind(start.clone());
                statement.push(" AND date_value <= ").push_bind(end.clone());
            }
        }
        statement.push(")");
    }
}
