//! Saved segments: contacts by what is known of them and by what they did.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tributary_boxed::boxed;
use tributary_control::{Condition, CountsFrom, Include, SavedKind, WorkspaceAccess};
use tributary_core::error::{Code, Error, Result};
use tributary_core::event::Origin;
use tributary_core::ids::{ContactId, SavedId};
use tributary_core::time::{DAY_US, TimeRange};
use tributary_events::answer::Answer;
use tributary_events::field::Field;
use tributary_events::filter::{Filter, Test};
use tributary_events::question::{Aggregate, Budget, MAX_ROWS, Metric, Question, Slice};

use super::stored_definition;
use crate::answer::other_question;
use crate::contact_body::conditions;
use crate::contacts::{ContactRow, Paged, row_of};
use crate::problem::Problems;
use crate::service::Service;

/// Most behaviours of a segment.
pub const MAX_BEHAVIOURS: usize = 10;
/// Longest look back of a behaviour, days.
const MAX_DAYS: u32 = 3_650;

/// Which contacts are members: all of its conditions must hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SegmentDefinition {
    /// Conditions on custom fields, as `custom_field_filters` of lists takes them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub custom_field_filters: Vec<Value>,
    /// What members did, or did not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub behaviours: Vec<Behaviour>,
}

/// Something contacts do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct Behaviour {
    /// A conversion, by slug or label, or the name of an event.
    pub event: String,
    /// How often at least; once unless given.
    #[serde(default = "once")]
    pub at_least: u64,
    /// Within so many days back from now; ever unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within_days: Option<u32>,
    /// Whether members are those who did not.
    #[serde(default)]
    pub negated: bool,
}

fn once() -> u64 {
    1
}

/// Members of a segment, a page of them.
#[derive(Clone, Debug)]
pub struct Membership {
    /// The segment's name.
    pub name: String,
    /// How many members it has.
    pub total: u64,
    /// Some of them, newest id first.
    pub page: Paged<ContactRow>,
}

impl Service {
    /// The visitors of a segment's members.
    pub(crate) async fn segment_visitors(&self, access: &WorkspaceAccess, id: i64) -> Result<Vec<String>> {
        let saved = self.control.get_saved(&access.scope, SavedKind::Segment, SavedId(id)).await?;
        let members = self.members(access, &stored_definition(&saved)?).await?;
        Ok(members.into_values().flatten().collect())
    }

    /// The members of a segment in pages, newest id first.
    ///
    /// Errors: `not_found`, `invalid_params` for a cursor of no such list.
    #[boxed]
    pub async fn segment_members(
        &self,
        access: &WorkspaceAccess,
        id: i64,
        per_page: Option<u32>,
        cursor: Option<&str>,
    ) -> Result<Membership> {
        let saved = self.control.get_saved(&access.scope, SavedKind::Segment, SavedId(id)).await?;
        let mut problems = Problems::new();
        let after = crate::contacts::after(cursor, &mut problems);
        problems.check(Code::InvalidParams)?;
        let members = self.members(access, &stored_definition(&saved)?).await?;
        let per_page = per_page.unwrap_or(tributary_control::ContactsQuery::DEFAULT_PER_PAGE);
        let newest_first: Vec<ContactId> = members.keys().rev().copied().collect();
        let start = after.map_or(0, |after| newest_first.partition_point(|id| id.0 >= after));
        let page: Vec<ContactId> = newest_first.iter().skip(start).take(per_page as usize).copied().collect();
        let next = page.last().filter(|_| start + page.len() < newest_first.len());
        let include = Include::default();
        let contacts = self.control.contacts_by_id(&access.scope, &page, include).await?;
        let prev_cursor = (start > 0).then(|| match start.checked_sub(per_page as usize + 1) {
            Some(before) => newest_first[before].0.to_string(),
            None => String::from(crate::contacts::FIRST_PAGE),
        });
        Ok(Membership {
            name: saved.name,
            total: newest_first.len() as u64,
            page: Paged {
                next_cursor: next.map(|id| id.0.to_string()),
                prev_cursor,
                per_page,
                rows: contacts.into_iter().map(|contact| row_of(contact, include, &BTreeMap::new())).collect(),
            },
        })
    }

    /// Checks a segment's definition.
    pub(super) async fn check_segment(&self, access: &WorkspaceAccess, segment: &SegmentDefinition) -> Result<()> {
        let mut problems = Problems::new();
        if segment.custom_field_filters.is_empty() && segment.behaviours.is_empty() {
            problems.add("definition", "must have custom_field_filters or behaviours: a segment of everybody is no segment");
        }
        if segment.behaviours.len() > MAX_BEHAVIOURS {
            problems
                .add("definition.behaviours", format!("must have at most {MAX_BEHAVIOURS}, got {}", segment.behaviours.len()));
        }
        for (index, behaviour) in segment.behaviours.iter().enumerate() {
            let path = format!("definition.behaviours.{index}");
            if behaviour.event.trim().is_empty() || behaviour.event.chars().count() > crate::input::MAX_EVENT_NAME_CHARS {
                problems
                    .add(format!("{path}.event"), format!("must have 1 to {} characters", crate::input::MAX_EVENT_NAME_CHARS));
            }
            if behaviour.at_least == 0 {
                problems.add(format!("{path}.at_least"), "must be 1 or more; those who never did are `negated`");
            }
            if behaviour.within_days.is_some_and(|days| !(1..=MAX_DAYS).contains(&days)) {
                problems.add(format!("{path}.within_days"), format!("must be between 1 and {MAX_DAYS}"));
            }
        }
        let conditions = read_conditions(segment, &mut problems);
        problems.check(Code::InvalidParams)?;
        // Labels and operators are checked where the conditions are spelled.
        self.control.visitors_where(&access.scope, &conditions).await.map(drop)
    }

    /// Members with their visitors.
    async fn members(&self, access: &WorkspaceAccess, segment: &SegmentDefinition) -> Result<BTreeMap<ContactId, Vec<String>>> {
        let conditions = read_conditions(segment, &mut Problems::new());
        let mut members: BTreeMap<ContactId, Vec<String>> = BTreeMap::new();
        for (contact, visitor) in self.control.visitors_where(&access.scope, &conditions).await? {
            members.entry(contact).or_default().push(visitor);
        }
        for behaviour in &segment.behaviours {
            let counts = self.count_by_visitor(access, behaviour).await?;
            members.retain(|_, visitors| {
                let times: u64 = visitors.iter().filter_map(|visitor| counts.get(visitor)).sum();
                (times >= behaviour.at_least) != behaviour.negated
            });
        }
        Ok(members)
    }

    /// How often each visitor did something.
    async fn count_by_visitor(&self, access: &WorkspaceAccess, behaviour: &Behaviour) -> Result<BTreeMap<String, u64>> {
        let conversions = self.control.conversions(&access.scope).await?;
        let now_us = self.clock.now_us();
        let start_us = behaviour.within_days.map_or(i64::MIN, |days| now_us.saturating_sub(i64::from(days) * DAY_US));
        let mut slice = Slice::of(TimeRange { start_us, end_us: i64::MAX });
        let names: BTreeSet<String> = match conversions.resolve(&behaviour.event) {
            Some(of_type) => {
                if conversions.settings(of_type).counts_from == CountsFrom::Server {
                    slice.filters.push(Filter::is(Field::Origin, Origin::Server.as_str()));
                }
                conversions.names_of(of_type).into_iter().collect()
            }
            None => BTreeSet::from([behaviour.event.clone()]),
        };
        slice.filters.push(Filter { field: Field::EventName, test: Test::Is(names.into_iter().collect()) });
        let question = Aggregate {
            slice,
            metrics: vec![Metric::Events],
            group_by: vec![Field::AnonymousId],
            buckets: None,
            limit: MAX_ROWS,
        };
        let answered = self.events.ask(&access.scope, Question::Aggregate(question), Budget::BACKGROUND).await?;
        let Answer::Aggregate(answer) = answered.answer else {
            return Err(other_question());
        };
        if answer.total_rows > answer.rows.len() {
            let message = format!(
                "more than {MAX_ROWS} visitors did `{}`; a shorter within_days makes the segment smaller",
                behaviour.event
            );
            return Err(Error::new(Code::QuestionTooLarge, message));
        }
        let count = |values: &[i128]| values.first().map_or(0, |count| u64::try_from(*count).unwrap_or(u64::MAX));
        let counts = answer.rows.into_iter().filter_map(|row| Some((row.keys.into_iter().next()??, count(&row.values))));
        Ok(counts.collect())
    }
}

fn read_conditions(segment: &SegmentDefinition, problems: &mut Problems) -> Vec<Condition> {
    match segment.custom_field_filters.as_slice() {
        [] => Vec::new(),
        given => conditions(&Value::from(given.to_vec()), problems),
    }
}
