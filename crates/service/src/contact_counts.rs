//! Contacts and companies counted: how many were created when, and who they are.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tributary_boxed::boxed;
use tributary_control::{CompaniesQuery, Contact, ContactsQuery, FieldValue, Include, WorkspaceAccess};
use tributary_core::error::{Code, Error, Result};
use tributary_core::time::TimeRange;

use crate::contact_body::conditions;
use crate::contacts::created_range;
use crate::metrics::dimension::{Asked, Attribute, Unit};
use crate::metrics::time::{shown_time, start_of};
use crate::problem::Problems;
use crate::service::Service;

/// Most dimensions of one question.
const MAX_DIMENSIONS: usize = 4;
/// Most groups of an answer.
const MAX_GROUPS: usize = 10_000;
/// Contacts read at once.
const PAGE: u32 = ContactsQuery::MAX_PER_PAGE;
/// Most contacts or companies counted by one question.
const MAX_COUNTED: u64 = 2_000_000;

/// What to count.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CountInput {
    /// First second of creation, `YYYY-MM-DD HH:MM:SS` in the workspace's zone.
    pub start_date: String,
    /// Last second of creation, likewise; after `start_date`.
    pub end_date: String,
    /// `day`, `week`, `month`, `quarter` or `year` of creation; of contacts also `location`, `email_domain`, and labelled custom
    /// fields by slot or label.
    #[serde(default)]
    pub group_by: Vec<String>,
    /// Conditions on custom fields, all of which must hold; of contacts alone.
    #[serde(default)]
    pub custom_field_filters: Vec<Value>,
}

/// The counts.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct CountOutput {
    /// A row for each group: the dimensions, then `count`. Time ascending, then the largest first.
    pub rows: Vec<Map<String, Value>>,
    /// All of them.
    pub total: u64,
}

/// What a row is told apart by.
enum By {
    Time(Unit),
    Location,
    EmailDomain,
    Field(tributary_control::Slot),
}

type Key = Vec<Option<String>>;

#[derive(Default)]
struct Counts {
    by_key: BTreeMap<Key, u64>,
    total: u64,
}

impl Counts {
    fn add(&mut self, key: Key) -> Result<()> {
        *self.by_key.entry(key).or_default() += 1;
        self.total += 1;
        if self.by_key.len() > MAX_GROUPS {
            return Err(too_large(format!(
                "the answer has more than {MAX_GROUPS} groups; group by less, filter, or narrow the range"
            )));
        }
        if self.total > MAX_COUNTED {
            return Err(too_large(format!("more than {MAX_COUNTED} were created in the range; narrow it")));
        }
        Ok(())
    }
}

impl Service {
    /// Counts the contacts created in a range.
    ///
    /// Errors: `invalid_params` naming every field at fault, `question_too_large` past the bounds.
    #[boxed]
    pub async fn count_contacts(&self, access: &WorkspaceAccess, input: &CountInput) -> Result<CountOutput> {
        let zone = &access.workspace.zone;
        let mut problems = Problems::new();
        let created = created_range((Some(&input.start_date), Some(&input.end_date)), zone, &mut problems);
        let labels = self.control.list_labels(&access.scope).await?;
        let by = dimensions(&input.group_by, &mut problems, |name| match name {
            "location" => Ok((String::from(name), By::Location)),
            "email_domain" => Ok((String::from(name), By::EmailDomain)),
            name => match Asked::resolve(name, &labels) {
                Ok(Asked { column, attribute: Attribute::Time(unit) }) => Ok((column, By::Time(unit))),
                Ok(Asked { column, attribute: Attribute::Profile(slot) }) => Ok((column, By::Field(slot))),
                _ => Err("accepted: day, week, month, quarter, year, location, email_domain, and labelled custom fields"),
            },
        });
        let conditions = match input.custom_field_filters.as_slice() {
            [] => Vec::new(),
            given => conditions(&Value::from(given.to_vec()), &mut problems),
        };
        problems.check(Code::InvalidParams)?;
        let reads_fields = by.iter().any(|(_, by)| matches!(by, By::Field(_)));
        let include = Include { fields: reads_fields, ..Include::default() };
        let mut counts = Counts::default();
        let mut query = ContactsQuery { created, conditions, include, per_page: PAGE, after: None };
        loop {
            let page = self.control.list_contacts(&access.scope, &query).await?;
            for contact in &page.contacts {
                counts.add(by.iter().map(|(_, by)| value_of(by, contact, zone)).collect())?;
            }
            match page.next {
                Some(next) => query.after = Some(next),
                None => return Ok(shown(&by, counts)),
            }
        }
    }

    /// Counts the companies created in a range. Errors as in [`Service::count_contacts`].
    #[boxed]
    pub async fn count_companies(&self, access: &WorkspaceAccess, input: &CountInput) -> Result<CountOutput> {
        let zone = &access.workspace.zone;
        let mut problems = Problems::new();
        let created: TimeRange = created_range((Some(&input.start_date), Some(&input.end_date)), zone, &mut problems);
        let by = dimensions(&input.group_by, &mut problems, |name| match Asked::resolve(name, &[]) {
            Ok(Asked { column, attribute: Attribute::Time(unit) }) => Ok((column, By::Time(unit))),
            _ => Err("accepted: day, week, month, quarter, year"),
        });
        if !input.custom_field_filters.is_empty() {
            problems.add("custom_field_filters", "companies have no custom fields");
        }
        problems.check(Code::InvalidParams)?;
        let mut counts = Counts::default();
        let mut query = CompaniesQuery { created, per_page: PAGE, after: None };
        loop {
            let page = self.control.list_companies(&access.scope, &query).await?;
            for company in &page.companies {
                let time = |by: &By| match by {
                    By::Time(unit) => Some(unit_of(*unit, company.created_us, zone)),
                    By::Location | By::EmailDomain | By::Field(_) => None,
                };
                counts.add(by.iter().map(|(_, by)| time(by)).collect())?;
            }
            match page.next {
                Some(next) => query.after = Some(next),
                None => return Ok(shown(&by, counts)),
            }
        }
    }
}

fn dimensions(
    names: &[String],
    problems: &mut Problems,
    resolve: impl Fn(&str) -> Result<(String, By), &'static str>,
) -> Vec<(String, By)> {
    if names.len() > MAX_DIMENSIONS {
        problems.add("group_by", format!("must name at most {MAX_DIMENSIONS} dimensions, got {}", names.len()));
        return Vec::new();
    }
    let mut found: Vec<(String, By)> = Vec::new();
    for (index, name) in names.iter().enumerate() {
        match resolve(name) {
            Ok((column, by)) if !found.iter().any(|(known, _)| *known == column) => found.push((column, by)),
            Ok(_) => {}
            Err(accepted) => {
                let shown: String = name.chars().take(64).collect();
                problems.add(format!("group_by.{index}"), format!("`{shown}` is no dimension here; {accepted}"));
            }
        }
    }
    found
}

fn value_of(by: &By, contact: &Contact, zone: &TimeZone) -> Option<String> {
    match by {
        By::Time(unit) => Some(unit_of(*unit, contact.created_us, zone)),
        By::Location => contact.locations.first().cloned(),
        By::EmailDomain => contact.emails.first().and_then(|email| Some(email.rsplit_once('@')?.1.to_owned())),
        By::Field(slot) => contact.fields.iter().find(|(held, _)| held == slot).map(|(_, value)| match value {
            FieldValue::Text(text) | FieldValue::Date(text) => text.clone(),
            FieldValue::Number(number) => number.to_string(),
        }),
    }
}

/// The first day of the unit of time an instant lies in.
fn unit_of(unit: Unit, time_us: i64, zone: &TimeZone) -> String {
    let instant = Timestamp::from_microsecond(time_us).unwrap_or(Timestamp::MAX);
    start_of(unit, instant.to_zoned(zone.clone()).date()).to_string()
}

fn shown(by: &[(String, By)], counts: Counts) -> CountOutput {
    let time = by.iter().position(|(_, by)| matches!(by, By::Time(_)));
    let mut groups: Vec<(Key, u64)> = counts.by_key.into_iter().collect();
    groups.sort_by(|(left, left_count), (right, right_count)| {
        let by_time = time.map_or(std::cmp::Ordering::Equal, |place| left[place].cmp(&right[place]));
        by_time.then_with(|| right_count.cmp(left_count)).then_with(|| left.cmp(right))
    });
    let row = |(key, count): (Key, u64)| {
        let mut row = Map::new();
        for ((column, by), value) in by.iter().zip(key) {
            let value = match (by, value) {
                (By::Time(unit), Some(start)) => Value::from(shown_time(*unit, &start)),
                (_, value) => value.map_or(Value::Null, Value::from),
            };
            row.insert(column.clone(), value);
        }
        row.insert(String::from("count"), Value::from(count));
        row
    };
    CountOutput { rows: groups.into_iter().map(row).collect(), total: counts.total }
}

fn too_large(message: String) -> Error {
    Error::new(Code::QuestionTooLarge, message)
}
