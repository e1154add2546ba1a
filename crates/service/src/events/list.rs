//! Conversions one by one, newest first.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use futures::{StreamExt, TryStreamExt, stream};
use tributary_boxed::boxed;
use tributary_control::{AdDirectory, Condition, Conversions, PeopleOf, WorkspaceAccess};
use tributary_core::error::{Code, Error, Result};
use tributary_core::event::Event;
use tributary_core::time::TimeRange;
use tributary_events::answer::{Answer, RowsAnswer};
use tributary_events::attribution::model::Pass;
use tributary_events::attribution::touches::channel_of;
use tributary_events::field::Field;
use tributary_events::filter::{Filter, Test};
use tributary_events::question::{Question, RowOrder, RowPosition, Rows, Slice};

use super::row::{EventField, EventRow, Shown};
use super::told::Kind;
use super::touchpoints::{Rule, Touchpoint, touches_of};
use crate::answer::other_question;
use crate::attribution::{read_model, read_window};
use crate::contacts::{FIRST_PAGE, Paged, created_range};
use crate::problem::Problems;
use crate::service::Service;

/// Events of one page at most.
pub const MAX_PER_PAGE: u32 = 4_000;
/// Events of one page when nothing else is asked for.
pub const DEFAULT_PER_PAGE: u32 = 200;
/// Most event names a list may be restricted to.
pub const MAX_EVENT_NAMES: usize = 10;
/// Most sources a list may be restricted to.
pub const MAX_SOURCES: usize = 15;
/// Most conversions looked at for one page: with sources the journey behind each must be found.
const MAX_EXAMINED: usize = 2 * MAX_PER_PAGE as usize;
const MAX_EXAMINED_WITH_SOURCES: usize = 1_000;
/// Longest source, characters.
const MAX_SOURCE_CHARS: usize = 64;
/// How many journeys of one page are asked for at the same time.
const ASKED_AT_ONCE: usize = 2;

/// Which conversions to list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EventsInput {
    /// First second, `YYYY-MM-DD HH:MM:SS` in the workspace's zone.
    pub start_date: String,
    /// Last second, likewise; after `start_date`.
    pub end_date: String,
    /// `profile` (contacts, the default) or `company`: whose visits a conversion is credited to.
    pub query_mode: Option<String>,
    /// Slugs or labels, at most [`MAX_EVENT_NAMES`]; all conversions when empty.
    pub event_names: Vec<String>,
    /// Only conversions credited to one of these sources, at most [`MAX_SOURCES`].
    pub sources: Vec<String>,
    /// How conversions are credited; needed with `sources`.
    pub attribution_model: Option<String>,
    /// Days of the window, 0 for the lifetime; needed with `sources`.
    pub attribution_window: Option<u32>,
    /// Columns; `id` and `event_time_utc` when empty.
    pub fields: Vec<String>,
    /// Rows of one page.
    pub per_page: Option<u32>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
    /// Conditions on the contacts' custom fields; all must hold.
    pub custom_field_filters: Vec<Condition>,
}

/// A list, checked.
pub(crate) struct EventsPlan {
    pub range: TimeRange,
    pub conversions: Arc<Conversions>,
    /// Those asked for; without any, every conversion.
    pub kinds: Vec<Kind>,
    pub sources: Vec<String>,
    /// Where there are sources.
    pub rule: Option<Rule>,
    pub fields: Vec<EventField>,
    pub per_page: u32,
    pub after: Option<RowPosition>,
    /// People, and what restricts them.
    pub slice: Slice,
}

/// A conversion of a list, with the touch that earned it.
struct Found {
    sequence: u64,
    event: Event,
    kind: Kind,
    touch: Option<Touchpoint>,
}

/// Some conversions and where the next ones begin.
pub(crate) struct Stretch {
    pub rows: Vec<EventRow>,
    pub next: Option<RowPosition>,
}

impl Service {
    /// Conversions of a range, newest first. With `sources` a page may hold fewer rows than asked for while more follow.
    #[boxed]
    pub async fn list_events(&self, access: &WorkspaceAccess, input: EventsInput) -> Result<Paged<EventRow>> {
        let is_first = input.cursor.as_deref().is_none_or(|cursor| cursor == FIRST_PAGE);
        let plan = self.plan_events(access, input).await?;
        let stretch = self.read_events(access, &plan, plan.after, plan.per_page as usize).await?;
        Ok(Paged {
            rows: stretch.rows,
            per_page: plan.per_page,
            next_cursor: stretch.next.map(|at| format!("{}-{}", at.time_us, at.sequence)),
            prev_cursor: (!is_first).then(|| FIRST_PAGE.to_owned()),
        })
    }

    /// Checks a list. Every problem is named by field.
    pub(crate) async fn plan_events(&self, access: &WorkspaceAccess, input: EventsInput) -> Result<EventsPlan> {
        let mut problems = Problems::new();
        let conversions = self.control.conversions(&access.scope).await?;
        let given = (Some(input.start_date.as_str()), Some(input.end_date.as_str()));
        let range = created_range(given, &access.workspace.zone, &mut problems);
        let of = query_mode(input.query_mode.as_deref(), &mut problems);
        let kinds = kinds(&conversions, &input.event_names, &mut problems);
        let sources = sources(input.sources, &mut problems);
        let rule = rule(!sources.is_empty(), input.attribution_model.as_deref(), input.attribution_window, &mut problems);
        let fields = EventField::read(&input.fields, !sources.is_empty(), &mut problems);
        let per_page = input.per_page.unwrap_or(DEFAULT_PER_PAGE);
        if !(1..=MAX_PER_PAGE).contains(&per_page) {
            problems.add("per_page", format!("must be a whole number between 1 and {MAX_PER_PAGE}"));
        }
        let after = position(input.cursor.as_deref(), &mut problems);
        problems.check(Code::InvalidParams)?;
        let mut slice = self.slice_of(access, range, of).await?;
        self.restrict(access, None, &input.custom_field_filters, &mut slice).await?;
        Ok(EventsPlan { range, conversions, kinds, sources, rule, fields, per_page, after, slice })
    }

    /// Up to `wanted` conversions after a position, as far as the bound on what is looked at reaches.
    pub(crate) async fn read_events(
        &self,
        access: &WorkspaceAccess,
        plan: &EventsPlan,
        mut after: Option<RowPosition>,
        wanted: usize,
    ) -> Result<Stretch> {
        let most = if plan.rule.is_some() { MAX_EXAMINED_WITH_SOURCES } else { MAX_EXAMINED };
        let directory = match plan.rule {
            Some(_) => self.control.ad_directory(&access.scope).await?,
            None => AdDirectory::default(),
        };
        let mut found: Vec<Found> = Vec::new();
        let mut examined = 0;
        let next = loop {
            let limit = (wanted - found.len()).min(most - examined);
            let answer = self.ask_events(access, plan, after, limit).await?;
            let has_more = answer.total > answer.rows.len() as u64;
            examined += answer.rows.len();
            let last = answer.rows.len().checked_sub(1).and_then(|last| answer.position(last));
            self.sift(access, plan, &directory, answer, &mut found).await?;
            after = last.or(after);
            if !has_more {
                break None;
            }
            if found.len() >= wanted || examined >= most {
                break after;
            }
        };
        Ok(Stretch { rows: self.show(access, plan, found).await?, next })
    }

    async fn ask_events(
        &self,
        access: &WorkspaceAccess,
        plan: &EventsPlan,
        after: Option<RowPosition>,
        limit: usize,
    ) -> Result<RowsAnswer> {
        let mut names: Vec<String> = match plan.kinds.as_slice() {
            [] => plan.conversions.all().flat_map(|set| plan.conversions.names_of(set.conversion)).collect(),
            kinds => kinds.iter().flat_map(|kind| kind.names(&plan.conversions)).collect(),
        };
        names.sort_unstable();
        names.dedup();
        let slice = plan.slice.clone().with(Filter { field: Field::EventName, test: Test::Is(names) });
        let question = Rows { slice, order: RowOrder::NewestFirst, limit, count_up_to: limit as u64 + 1, after, only: None };
        match self.events.ask(&access.scope, Question::Rows(question), self.budget).await?.answer {
            Answer::Rows(answer) => Ok(answer),
            _ => Err(other_question()),
        }
    }

    /// Keeps those that count and are credited as asked.
    async fn sift(
        &self,
        access: &WorkspaceAccess,
        plan: &EventsPlan,
        directory: &AdDirectory,
        answer: RowsAnswer,
        found: &mut Vec<Found>,
    ) -> Result<()> {
        let counted = answer.sequences.into_iter().zip(answer.rows).filter_map(|(sequence, event)| {
            let kind = Kind::of(&plan.conversions, &event)?;
            Some(Found { sequence, event, kind, touch: None })
        });
        let Some(rule) = plan.rule else {
            found.extend(counted);
            return Ok(());
        };
        let counted: Vec<Found> = counted.collect();
        let visits = self.visits_of(access, plan, rule, &counted).await?;
        let mut touches: HashMap<&str, Vec<&Event>> = HashMap::new();
        for (person, visits) in &visits {
            touches.insert(person, touches_of(visits));
        }
        for one in counted {
            let of_person = touches.get(person_of(&plan.slice, &one.event)).map_or(&[][..], Vec::as_slice);
            // As reports by source tell them apart: by the visit, not by whose ad it was.
            let credited = rule.credited(of_person, &one.event);
            let asked = credited.into_iter().filter(|(touch, _)| plan.sources.iter().any(|source| source == channel_of(touch)));
            // Of those with the largest part the latest.
            if let Some((touch, _)) = asked.max_by_key(|(touch, part)| (*part, touch.time_us)) {
                found.push(Found { touch: Some(Touchpoint::of(directory, touch)), ..one });
            }
        }
        Ok(())
    }

    /// The visits of every person behind some conversions, as far back as they may be credited.
    async fn visits_of(
        &self,
        access: &WorkspaceAccess,
        plan: &EventsPlan,
        rule: Rule,
        conversions: &[Found],
    ) -> Result<BTreeMap<String, Vec<Event>>> {
        let people = plan.slice.people.clone();
        let persons: HashSet<&str> = conversions.iter().map(|one| person_of(&plan.slice, &one.event)).collect();
        let mut persons: Vec<String> = persons.into_iter().map(str::to_owned).collect();
        persons.sort_unstable();
        let asked = persons.into_iter().map(|person| {
            let slice = Slice { people: people.clone(), ..Slice::of(rule.reach(plan.range)) }
                .with(Filter { field: Field::Visit, test: Test::Present });
            async move {
                let visits = self.person_events(access, slice, &person).await?;
                let visits: Vec<Event> = visits.into_iter().map(|(_, visit)| visit).collect();
                Ok::<_, Error>((person, visits))
            }
        });
        let asked: Vec<_> = asked.collect();
        stream::iter(asked).buffered(ASKED_AT_ONCE).try_collect().await
    }

    async fn show(&self, access: &WorkspaceAccess, plan: &EventsPlan, found: Vec<Found>) -> Result<Vec<EventRow>> {
        let wants = |field| plan.fields.contains(&field);
        let mut owners = super::row::Owners::default();
        if wants(EventField::ProfileId) || wants(EventField::CompanyId) {
            let visitors: HashSet<&str> = found.iter().map(|one| one.event.anonymous_id.as_str()).collect();
            owners = self.owners(access, &visitors, wants(EventField::CompanyId)).await?;
        }
        let shown = found.into_iter().map(|one| {
            let shown = Shown {
                sequence: one.sequence,
                event: &one.event,
                kind: one.kind,
                conversions: &plan.conversions,
                space: access.workspace.id,
                owners: &owners,
                touch: one.touch.as_ref(),
            };
            shown.row(&plan.fields)
        });
        Ok(shown.collect())
    }
}

/// The visitor that stands for the person of an event.
fn person_of<'a>(slice: &'a Slice, event: &'a Event) -> &'a str {
    slice.people.as_deref().map_or(event.anonymous_id.as_str(), |people| people.person_of(&event.anonymous_id))
}

pub(super) fn query_mode(name: Option<&str>, problems: &mut Problems) -> PeopleOf {
    match name {
        None | Some("profile") => {}
        Some("company") => return PeopleOf::Companies,
        Some(other) => {
            let shown: String = other.chars().take(40).collect();
            problems.add("query_mode", format!("`{shown}` is no query mode. Allowed: profile, company."));
        }
    }
    PeopleOf::Contacts
}

pub(super) fn kinds(conversions: &Conversions, names: &[String], problems: &mut Problems) -> Vec<Kind> {
    if names.len() > MAX_EVENT_NAMES {
        problems.add("event_names", format!("must name at most {MAX_EVENT_NAMES} events, got {}", names.len()));
        return Vec::new();
    }
    let mut kinds = Vec::with_capacity(names.len());
    for (index, name) in names.iter().enumerate() {
        let path = format!("event_names.{index}");
        match Kind::resolve(conversions, name) {
            Some(kind) if kinds.contains(&kind) => problems.add(path, format!("names {} a second time", kind.slug())),
            Some(kind) => kinds.push(kind),
            None => {
                let shown: String = name.chars().take(64).collect();
                let told = format!("`{shown}` is no conversion. Allowed: slugs or labels of GET /public-api/v1/event-types.");
                problems.add(path, told);
            }
        }
    }
    kinds
}

fn sources(names: Vec<String>, problems: &mut Problems) -> Vec<String> {
    if names.len() > MAX_SOURCES {
        problems.add("sources", format!("must name at most {MAX_SOURCES} sources, got {}", names.len()));
        return Vec::new();
    }
    for (index, name) in names.iter().enumerate() {
        let path = format!("sources.{index}");
        if name.is_empty() || name.chars().count() > MAX_SOURCE_CHARS {
            problems
                .add(path, format!("must be the slug of a source of 1 to {MAX_SOURCE_CHARS} characters, such as facebook_ads"));
        } else if names[..index].contains(name) {
            problems.add(path, format!("names {name} a second time"));
        }
    }
    names
}

fn rule(is_needed: bool, model: Option<&str>, window: Option<u32>, problems: &mut Problems) -> Option<Rule> {
    if is_needed && model.is_none() {
        problems.add("attribution_model", "is required with sources, such as last_touch");
    }
    if is_needed && window.is_none() {
        problems.add("attribution_window", "is required with sources: 1, 7, 14, 30, 60, 90, or 0 for the lifetime");
    }
    let model = model.and_then(|model| problems.take("attribution_model", read_model(model)));
    let window = window.and_then(|days| problems.take("attribution_window", read_window(days)));
    if let Some(model) = model.filter(|model| model.pass() == Pass::AllPaths) {
        let told = format!("{} looks at all paths at once and cannot credit events one by one", model.slug());
        problems.add("attribution_model", told);
    }
    is_needed.then(|| model.zip(window).map(|(model, window)| Rule { model, window })).flatten()
}

fn position(cursor: Option<&str>, problems: &mut Problems) -> Option<RowPosition> {
    let cursor = cursor.filter(|cursor| *cursor != FIRST_PAGE)?;
    let position = cursor
        .split_once('-')
        .and_then(|(time_us, sequence)| Some(RowPosition { time_us: time_us.parse().ok()?, sequence: sequence.parse().ok()? }));
    if position.is_none() {
        problems.add("cursor", "must be a `next_cursor` or `prev_cursor` of this list");
    }
    position
}
