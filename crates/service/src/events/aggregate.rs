//! Conversions counted and summed by group.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tributary_boxed::boxed;
use tributary_control::{Conversions, CountsFrom, WorkspaceAccess};
use tributary_core::error::{Code, Error, Result};
use tributary_core::event::Origin;
use tributary_core::money::Currency;
use tributary_core::time::TimeRange;
use tributary_events::answer::{AggregateAnswer, Answer};
use tributary_events::bucket::Buckets;
use tributary_events::field::Field;
use tributary_events::filter::{Filter, Test};
use tributary_events::question::{Aggregate, MAX_CURRENCIES, MAX_ROWS, Metric, Question, Slice, Values};

use super::amount::ExactAmount;
use super::list::{kinds, query_mode};
use super::told::Kind;
use crate::answer::other_question;
use crate::body::object;
use crate::contact_body::conditions;
use crate::contacts::created_range;
use crate::metrics::dimension::Unit;
use crate::metrics::time::shown_time;
use crate::problem::Problems;
use crate::service::Service;

/// Largest body of a question, bytes.
pub const MAX_EVENTS_QUESTION_BODY: usize = 64 * 1024;
/// Rows of an answer at most, and when nothing else is asked for.
pub const MAX_GROUPS_SHOWN: usize = 10_000;
const DEFAULT_GROUPS_SHOWN: usize = 1_000;
/// Most groups a question may name: one unit of time and the six others.
const MAX_GROUP_BY: usize = 7;

/// Which conversions to count, and by what.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventsQuestion {
    /// First second, `YYYY-MM-DD HH:MM:SS` in the workspace's zone.
    pub start_date: String,
    /// Last second, likewise; after `start_date`.
    pub end_date: String,
    /// Who is counted as one: `profile` (contacts, the default) or `company`.
    #[serde(default)]
    pub query_mode: Option<String>,
    /// Slugs or labels, at most 10; all conversions when empty.
    #[serde(default)]
    pub event_names: Vec<String>,
    /// At most one of `day`, `week`, `month`, `quarter`, `year`; and `event_name`, `source`, `country`, `device_type`,
    /// `browser`, `os`, as the conversion event itself says.
    #[serde(default)]
    pub group_by: Vec<String>,
    /// Conditions on the contacts' custom fields; all must hold.
    #[serde(default)]
    pub custom_field_filters: Vec<Value>,
    /// Rows at most.
    #[serde(default)]
    pub limit: Option<usize>,
}

/// Conversions by group.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct EventsCounted {
    /// By time ascending, then the most conversions first.
    pub data: Vec<EventGroup>,
    /// Rows there are without the limit.
    pub total_rows: usize,
    /// Over everything.
    pub totals: Counted,
    /// What a reader should know.
    pub notes: Vec<String>,
}

/// One group: its columns as asked for, then the numbers.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct EventGroup {
    /// The values of the group columns, `null` where absent.
    #[serde(flatten)]
    pub keys: Map<String, Value>,
    /// The numbers.
    #[serde(flatten)]
    pub counted: Counted,
}

/// The numbers of a group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Counted {
    /// Conversions.
    pub count: u64,
    /// Their amounts by currency, exact.
    pub amounts: BTreeMap<String, ExactAmount>,
    /// Distinct people; `null` where they cannot be told exactly, see `notes`.
    pub people: Option<u64>,
}

/// A group column.
#[derive(Clone, Debug, PartialEq)]
enum Column {
    Time(Unit),
    EventName,
    Of(Field),
}

impl Column {
    const NAMES: [(&'static str, Column); 11] = [
        ("day", Column::Time(Unit::Day)),
        ("week", Column::Time(Unit::Week)),
        ("month", Column::Time(Unit::Month)),
        ("quarter", Column::Time(Unit::Quarter)),
        ("year", Column::Time(Unit::Year)),
        ("event_name", Column::EventName),
        ("source", Column::Of(Field::Channel)),
        ("country", Column::Of(Field::Country)),
        ("device_type", Column::Of(Field::DeviceType)),
        ("browser", Column::Of(Field::Browser)),
        ("os", Column::Of(Field::Os)),
    ];

    fn read(names: &[String], problems: &mut Problems) -> Vec<(&'static str, Column)> {
        if names.len() > MAX_GROUP_BY {
            problems.add("group_by", format!("must name at most {MAX_GROUP_BY} groups, got {}", names.len()));
            return Vec::new();
        }
        let mut columns: Vec<(&str, Column)> = Vec::with_capacity(names.len());
        for (index, name) in names.iter().enumerate() {
            let path = format!("group_by.{index}");
            match Column::NAMES.iter().find(|(known, _)| known == name) {
                Some(column) if columns.contains(column) => problems.add(path, format!("names {name} a second time")),
                Some(column) => columns.push(column.clone()),
                None => {
                    let shown: String = name.chars().take(64).collect();
                    let allowed = Column::NAMES.map(|(name, _)| name).join(", ");
                    problems.add(path, format!("`{shown}` is no group. Allowed: {allowed}."));
                }
            }
        }
        if columns.iter().filter(|(_, column)| matches!(column, Column::Time(_))).count() > 1 {
            problems.add("group_by", "must name at most one unit of time");
        }
        columns
    }
}

/// Conversions that one question can count together.
struct Part {
    /// Where they are of one kind that is shown.
    kind: Option<Kind>,
    names: Vec<String>,
    is_server_only: bool,
}

/// A group: its bucket and the values of its columns but the time.
type Key = (Option<u32>, Vec<Option<String>>);

impl EventsQuestion {
    /// Reads a body.
    pub fn read(body: &[u8]) -> Result<EventsQuestion> {
        // As an object, and as nothing else that could be read for one.
        serde_json::from_value(Value::Object(object(body)?))
            .map_err(|error| Error::new(Code::InvalidPayload, format!("the body cannot be read: {error}")))
    }
}

impl Service {
    /// Counts and sums conversions of a range by group.
    #[boxed]
    pub async fn count_events(&self, access: &WorkspaceAccess, question: EventsQuestion) -> Result<EventsCounted> {
        let mut problems = Problems::new();
        let conversions = self.control.conversions(&access.scope).await?;
        let given = (Some(question.start_date.as_str()), Some(question.end_date.as_str()));
        let range = created_range(given, &access.workspace.zone, &mut problems);
        let of = query_mode(question.query_mode.as_deref(), &mut problems);
        let asked = kinds(&conversions, &question.event_names, &mut problems);
        let columns = Column::read(&question.group_by, &mut problems);
        let limit = question.limit.unwrap_or(DEFAULT_GROUPS_SHOWN);
        if !(1..=MAX_GROUPS_SHOWN).contains(&limit) {
            problems.add("limit", format!("must be between 1 and {MAX_GROUPS_SHOWN}"));
        }
        let conditions = match question.custom_field_filters {
            given if given.is_empty() => Vec::new(),
            given => conditions(&given.into(), &mut problems),
        };
        problems.check(Code::InvalidParams)?;
        let mut slice = self.slice_of(access, range, of).await?;
        self.restrict(access, None, &conditions, &mut slice).await?;
        let asked: Vec<Kind> =
            if asked.is_empty() { conversions.all().map(|set| Kind::Conversion(set.conversion)).collect() } else { asked };
        let is_by_name = columns.iter().any(|(_, column)| *column == Column::EventName);
        let (occurring, currencies) = self.occurring_conversions(access, &slice, &conversions, &asked).await?;
        let shown_parts = parts(&conversions, &asked, is_by_name, &occurring);
        // Somebody may have done several: people of all names are counted by themselves.
        let whole_parts = parts(&conversions, &asked, false, &occurring);
        let buckets = buckets(&columns, range, access)?;
        let mut groups: BTreeMap<Key, Counted> = BTreeMap::new();
        let mut totals = Counted { people: Some(0), ..Counted::default() };
        for part in whole_parts.iter().filter(|_| is_by_name) {
            let answer = self.count_part(access, &slice, part, &[], (&None, &currencies[..])).await?;
            add(&mut totals, &answer.totals, &currencies, whole_parts.len() == 1);
        }
        for part in &shown_parts {
            let answer = self.count_part(access, &slice, part, &columns, (&buckets, &currencies[..])).await?;
            if !is_by_name {
                add(&mut totals, &answer.totals, &currencies, shown_parts.len() == 1);
            }
            for row in answer.rows {
                let name = part.kind.map(|kind| Some(kind.slug().to_owned()));
                let key = (row.bucket, name.into_iter().chain(row.keys).collect());
                let is_new = !groups.contains_key(&key);
                add(groups.entry(key).or_default(), &row.values, &currencies, is_new);
            }
        }
        Ok(shown(groups, totals, &columns, buckets.as_ref(), limit))
    }

    /// Which names and which currencies occur at all.
    async fn occurring_conversions(
        &self,
        access: &WorkspaceAccess,
        slice: &Slice,
        conversions: &Conversions,
        asked: &[Kind],
    ) -> Result<(BTreeSet<String>, Vec<Currency>)> {
        let names: BTreeSet<String> = asked.iter().flat_map(|kind| kind.names(conversions)).collect();
        let slice = slice.clone().with(Filter { field: Field::EventName, test: Test::Is(names.into_iter().collect()) });
        let names = Values { slice: slice.clone(), field: Field::EventName, limit: MAX_ROWS };
        let (names, _) = self.values_in(&access.scope, names).await?;
        let currencies = Values { slice, field: Field::Currency, limit: MAX_CURRENCIES };
        let (currencies, _) = self.values_in(&access.scope, currencies).await?;
        Ok((names.into_iter().collect(), currencies.iter().filter_map(|code| code.parse().ok()).collect()))
    }

    async fn count_part(
        &self,
        access: &WorkspaceAccess,
        slice: &Slice,
        part: &Part,
        columns: &[(&'static str, Column)],
        (buckets, currencies): (&Option<Buckets>, &[Currency]),
    ) -> Result<AggregateAnswer> {
        let mut slice = slice.clone().with(Filter { field: Field::EventName, test: Test::Is(part.names.clone()) });
        if part.is_server_only {
            slice = slice.with(Filter::is(Field::Origin, Origin::Server.as_str()));
        }
        let mut metrics = vec![Metric::Events, Metric::Visitors];
        metrics.extend(currencies.iter().map(|currency| Metric::Amount(*currency)));
        let group_by = columns.iter().filter_map(|(_, column)| match column {
            Column::Of(field) => Some(field.clone()),
            Column::Time(_) | Column::EventName => None,
        });
        let question = Aggregate { slice, metrics, group_by: group_by.collect(), buckets: buckets.clone(), limit: MAX_ROWS };
        match self.events.ask(&access.scope, Question::Aggregate(question), self.budget).await?.answer {
            Answer::Aggregate(answer) if answer.total_rows > answer.rows.len() => Err(self.budget.groups_exceeded()),
            Answer::Aggregate(answer) => Ok(answer),
            _ => Err(other_question()),
        }
    }
}

/// Kinds together that may be counted together: each by itself where names are shown, otherwise those that count from
/// everywhere and those that count from servers alone.
fn parts(conversions: &Conversions, asked: &[Kind], is_by_name: bool, occurring: &BTreeSet<String>) -> Vec<Part> {
    let is_server_only = |kind: Kind| match kind {
        Kind::Conversion(of_type) => conversions.settings(of_type).counts_from == CountsFrom::Server,
        Kind::Refund => true,
    };
    let names_of = |kind: Kind| kind.names(conversions).into_iter().filter(|name| occurring.contains(name));
    let mut parts: Vec<Part> = Vec::new();
    for kind in asked.iter().copied().filter(|kind| names_of(*kind).next().is_some()) {
        let is_server_only = is_server_only(kind);
        let same = parts.iter_mut().find(|part| !is_by_name && part.is_server_only == is_server_only);
        match same {
            Some(part) => part.names.extend(names_of(kind)),
            None => {
                parts.push(Part { kind: is_by_name.then_some(kind), names: names_of(kind).collect(), is_server_only });
            }
        }
    }
    parts
}

fn buckets(columns: &[(&'static str, Column)], range: TimeRange, access: &WorkspaceAccess) -> Result<Option<Buckets>> {
    let interval = columns.iter().find_map(|(_, column)| match column {
        Column::Time(unit) => Some(unit.interval()),
        Column::EventName | Column::Of(_) => None,
    });
    interval.map(|interval| Buckets::cover(range, interval, &access.workspace.zone)).transpose()
}

/// Adds an answer's numbers: conversions, people, then an amount for each currency. People of two answers may be the same.
fn add(counted: &mut Counted, values: &[i128], currencies: &[Currency], has_all_people: bool) {
    let number = |place: usize| values.get(place).copied().unwrap_or_default();
    let whole = |value: i128| u64::try_from(value).unwrap_or_default();
    counted.count += whole(number(0));
    counted.people = has_all_people.then(|| whole(number(1)));
    for (place, currency) in currencies.iter().enumerate() {
        let micros = number(place + 2);
        if micros != 0 {
            counted.amounts.entry(currency.to_string()).or_insert(ExactAmount(0)).0 += micros;
        }
    }
}

fn shown(
    groups: BTreeMap<Key, Counted>,
    totals: Counted,
    columns: &[(&'static str, Column)],
    buckets: Option<&Buckets>,
    limit: usize,
) -> EventsCounted {
    let total_rows = groups.len();
    let mut groups: Vec<(Key, Counted)> = groups.into_iter().collect();
    groups.sort_by(|((one_bucket, one_keys), one), ((other_bucket, other_keys), other)| {
        let by_count = other.count.cmp(&one.count);
        one_bucket.cmp(other_bucket).then(by_count).then_with(|| one_keys.cmp(other_keys))
    });
    groups.truncate(limit);
    let mut notes = Vec::new();
    if totals.people.is_none() || groups.iter().any(|(_, counted)| counted.people.is_none()) {
        notes.push(String::from(
            "people are null where conversions that count from servers alone meet others: somebody may be among both",
        ));
    }
    let data = groups.into_iter().map(|((bucket, keys), counted)| {
        let is_by_name = columns.iter().any(|(_, column)| *column == Column::EventName);
        let (name, mut others) = keys.split_at(usize::from(is_by_name));
        let mut shown = Map::new();
        for (column, of) in columns {
            let value = match of {
                // A bucket's label begins with its first day.
                Column::Time(unit) => bucket
                    .and_then(|bucket| buckets?.labels.get(bucket as usize)?.get(..10))
                    .map(|start| shown_time(*unit, start)),
                Column::EventName => name.first().cloned().flatten(),
                Column::Of(_) => match others.split_first() {
                    Some((first, rest)) => {
                        others = rest;
                        first.clone()
                    }
                    None => None,
                },
            };
            shown.insert((*column).to_owned(), value.map_or(Value::Null, Value::String));
        }
        EventGroup { keys: shown, counted }
    });
    EventsCounted { data: data.collect(), total_rows, totals, notes }
}
