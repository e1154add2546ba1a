//! A question, checked and made ready: metrics resolved to what must be counted, dimensions to what must be read.

use std::collections::BTreeSet;
use std::sync::Arc;

use tributary_control::{AdDirectory, Conversions, PeopleOf, WorkspaceAccess};
use tributary_core::error::{Code, Error, Result};
use tributary_core::time::TimeRange;
use tributary_events::attribution::model::{Model, Pass};
use tributary_events::attribution::window::{Window, WindowType};
use tributary_events::field::Field;
use tributary_events::filter::Test;
use tributary_events::question::{DatedBy, Slice};
use tributary_events::traits::Trait;

use super::catalogue::{Catalogue, Measure, Metric};
use super::dimension::{Asked, Attribute, Unit};
use super::filter::Filter;
use super::question::{DEFAULT_LIMIT, MAX_DIMENSIONS, MAX_LIMIT, MAX_METRICS, MAX_SOURCES, MetricsQuestion};
use crate::attribution::{read_dated_by, read_model, read_window, read_window_type};
use crate::contact_body::conditions;
use crate::dates::resolve::Days;
use crate::problem::Problems;
use crate::service::Service;

/// A question ready to be asked.
#[derive(Clone)]
pub(super) struct Plan<'a> {
    pub access: &'a WorkspaceAccess,
    pub catalogue: Catalogue,
    pub conversions: Arc<Conversions>,
    /// As asked, without repeats.
    pub metrics: Vec<Metric>,
    pub measures: BTreeSet<Measure>,
    pub dimensions: Vec<Asked>,
    /// What the dimensions and then the filters read, without repeats.
    pub attributes: Vec<Attribute>,
    pub filters: Vec<Filter>,
    pub days: Days,
    pub range: TimeRange,
    pub model: Model,
    pub window: Window,
    pub window_type: WindowType,
    pub dated_by: DatedBy,
    /// Whose events, over all time: people and what is known of them.
    pub slice: Slice,
    /// Needed only where ids of ads are read or named.
    pub directory: Arc<AdDirectory>,
    pub sort: Sort,
    pub limit: usize,
    pub model_as_asked: String,
}

/// What rows are ordered by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    /// Time ascending, then the first metric descending.
    Natural,
    /// A column.
    By { column: String, descending: bool },
}

impl Plan<'_> {
    /// The unit of time rows are told apart by.
    pub fn time(&self) -> Option<Unit> {
        self.attributes.iter().find_map(|attribute| match attribute {
            Attribute::Time(unit) => Some(*unit),
            _ => None,
        })
    }

    /// Whether rows hold everything there is of their time: then conversions nobody is credited with belong to them, too.
    pub fn is_by_time_alone(&self) -> bool {
        self.filters.is_empty() && self.attributes.iter().all(|attribute| matches!(attribute, Attribute::Time(_)))
    }

    /// The same question about everything at once, every conversion credited once.
    pub fn of_totals(&self) -> Self {
        Self { model: Model::LastTouch, dimensions: Vec::new(), attributes: Vec::new(), ..self.clone() }
    }

    /// Whether ids of ads must be named or placed.
    pub fn reads_ads(&self) -> bool {
        self.attributes.iter().any(Attribute::is_of_ads)
    }

    /// The fields of a touch or a visit that the attributes are told from.
    pub fn fields(&self) -> Vec<Field> {
        let mut fields: Vec<Field> = Vec::new();
        let mut add = |field: Field| {
            if !fields.contains(&field) {
                fields.push(field);
            }
        };
        for attribute in &self.attributes {
            match attribute {
                Attribute::Time(_) => {}
                Attribute::Source => add(Field::Channel),
                Attribute::Visit(field) => add(field.clone()),
                Attribute::Profile(slot) => add(Field::Trait(slot.to_string())),
                // A visit may name nothing but its ad: the campaign is then the ad's.
                Attribute::AdId(_) | Attribute::AdName(_) => {
                    [Field::Channel, Field::CampaignId, Field::AdSetId, Field::AdId].into_iter().for_each(&mut add);
                    if *attribute == Attribute::AdName(super::dimension::Level::Campaign) {
                        add(Field::Campaign);
                    }
                }
            }
        }
        fields
    }
}

impl Service {
    /// Checks a question. Every problem is named by field.
    pub(super) async fn plan<'a>(&self, access: &'a WorkspaceAccess, question: &MetricsQuestion) -> Result<Plan<'a>> {
        let mut problems = Problems::new();
        let conversions = self.control.conversions(&access.scope).await?;
        let catalogue = Catalogue::of(&conversions, &self.user_defined_metrics(access).await?);
        let labels = self.control.list_labels(&access.scope).await?;
        let days = self.days_of(access, &question.dates(), &mut problems).await;
        let model = problems.take("attribution_model", read_model(&question.attribution_model));
        let window = problems.take("attribution_window", read_window(question.attribution_window));
        let window_type = problems.take("attribution_window_type", read_window_type(question.attribution_window_type.as_deref()));
        let dated_by = problems.take("dated_by", read_dated_by(question.dated_by.as_deref()));
        let metrics = metrics(&catalogue, &question.metrics, &mut problems);
        let dimensions = dimensions(&question.group_by, |name| Asked::resolve(name, &labels), &mut problems);
        let mut filters = Filter::check(&question.filters, &labels, &mut problems);
        filters.extend(sources(&question.sources, &mut problems));
        let mut slice = Slice::of(TimeRange::ALL);
        slice.people = match question.query_mode.as_deref() {
            None | Some("profile") => Some(self.people(&access.scope, PeopleOf::Contacts).await?),
            Some("company") => Some(self.people(&access.scope, PeopleOf::Companies).await?),
            Some("visitor") => None,
            Some(other) => {
                let shown: String = other.chars().take(40).collect();
                problems.add("query_mode", format!("`{shown}` is no query mode; accepted: profile, company, visitor"));
                None
            }
        };
        let limit = question.limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            problems.add("limit", format!("must be between 1 and {MAX_LIMIT}"));
        }
        let sort = sort(question.sort.as_deref(), &metrics, &dimensions, &mut problems);
        let conditions = match question.custom_field_filters.as_slice() {
            [] => Vec::new(),
            given => conditions(&given.to_vec().into(), &mut problems),
        };
        let (Some(days), Some(model), Some(window), Some(window_type), Some(dated_by), true) =
            (days, model, window, window_type, dated_by, problems.is_empty())
        else {
            return Err(problems.into_error(Code::InvalidParams));
        };
        let mut attributes: Vec<Attribute> = Vec::new();
        for attribute in dimensions.iter().map(|asked| &asked.attribute).chain(filters.iter().map(|filter| &filter.attribute)) {
            if !attributes.contains(attribute) {
                attributes.push(attribute.clone());
            }
        }
        check_model(model, dated_by, &attributes)?;
        self.restrict(access, question.segment_id, &conditions, &mut slice).await?;
        for attribute in &attributes {
            if let Attribute::Profile(slot) = attribute {
                let values = self.control.visitors_by_field(&access.scope, *slot).await?;
                slice.traits.push(Trait::new(slot.to_string(), values)?);
            }
        }
        let measures = metrics.iter().flat_map(|metric| catalogue.measures(metric)).collect();
        let mut plan = Plan {
            range: days.period.range(&access.workspace.zone)?,
            access,
            conversions,
            measures,
            metrics,
            catalogue,
            dimensions,
            attributes,
            filters,
            days,
            model,
            window,
            window_type,
            dated_by,
            slice,
            directory: Arc::default(),
            sort,
            limit,
            model_as_asked: question.attribution_model.clone(),
        };
        if plan.reads_ads() {
            plan.directory = Arc::new(self.control.ad_directory(&access.scope).await?);
        }
        Ok(plan)
    }
}

fn metrics(catalogue: &Catalogue, names: &[String], problems: &mut Problems) -> Vec<Metric> {
    if names.is_empty() || names.len() > MAX_METRICS {
        problems.add("metrics", format!("must name 1 to {MAX_METRICS} metrics, got {}", names.len()));
        return Vec::new();
    }
    let mut metrics: Vec<Metric> = Vec::with_capacity(names.len());
    for (index, name) in names.iter().enumerate() {
        match catalogue.resolve(name) {
            Ok(metric) if metrics.contains(metric) => {}
            Ok(metric) => metrics.push(metric.clone()),
            Err(fault) => problems.add(format!("metrics.{index}"), fault.to_string()),
        }
    }
    metrics
}

fn dimensions(names: &[String], resolve: impl Fn(&str) -> Result<Asked, String>, problems: &mut Problems) -> Vec<Asked> {
    if names.len() > MAX_DIMENSIONS {
        problems.add("group_by", format!("must name at most {MAX_DIMENSIONS} dimensions, got {}", names.len()));
        return Vec::new();
    }
    let mut dimensions: Vec<Asked> = Vec::with_capacity(names.len());
    for (index, name) in names.iter().enumerate() {
        match resolve(name) {
            Ok(asked) if dimensions.contains(&asked) => {}
            Ok(asked) => dimensions.push(asked),
            Err(told) => problems.add(format!("group_by.{index}"), told),
        }
    }
    if dimensions.iter().filter(|asked| matches!(asked.attribute, Attribute::Time(_))).count() > 1 {
        problems.add("group_by", "must name at most one unit of time");
    }
    dimensions
}

fn sources(names: &[String], problems: &mut Problems) -> Option<Filter> {
    if names.len() > MAX_SOURCES {
        problems.add("sources", format!("must name at most {MAX_SOURCES} sources, got {}", names.len()));
    }
    for (index, name) in names.iter().enumerate().filter(|(_, name)| name.is_empty() || name.len() > 64) {
        problems.add(
            format!("sources.{index}"),
            format!("must be the slug of a source, such as facebook_ads, got {} bytes", name.len()),
        );
    }
    (!names.is_empty()).then(|| Filter { attribute: Attribute::Source, test: Test::Is(names.to_vec()) })
}

fn sort(given: Option<&str>, metrics: &[Metric], dimensions: &[Asked], problems: &mut Problems) -> Sort {
    let Some(given) = given else { return Sort::Natural };
    let (column, descending) = given.strip_prefix('-').map_or((given, false), |column| (column, true));
    let columns: Vec<&str> =
        dimensions.iter().map(|asked| asked.column.as_str()).chain(metrics.iter().map(|metric| metric.slug.as_ref())).collect();
    if !columns.contains(&column) {
        let shown: String = column.chars().take(64).collect();
        problems.add("sort", format!("`{shown}` is no column of the answer; accepted: {}", columns.join(", ")));
    }
    Sort::By { column: column.to_owned(), descending }
}

/// What models that look at all paths at once cannot be asked: their channels must be what is grouped by.
fn check_model(model: Model, dated_by: DatedBy, attributes: &[Attribute]) -> Result<()> {
    let refused = |field: &str, told: String| {
        let mut problems = Problems::new();
        problems.add(field, told);
        Err::<(), Error>(problems.into_error(Code::InvalidParams))
    };
    let merges = attributes.iter().find(|attribute| attribute.field().is_none() && !matches!(attribute, Attribute::Time(_)));
    match (model.pass(), model) {
        (Pass::AllPaths, _) if dated_by == DatedBy::Touch => refused(
            "dated_by",
            format!("{} looks at all paths at once and knows no touch date; accepted: conversion", model.slug()),
        ),
        (Pass::AllPaths, _) if attributes.iter().any(|attribute| matches!(attribute, Attribute::Time(_))) => {
            refused("group_by", format!("{} looks at all paths at once and cannot be split by time", model.slug()))
        }
        (Pass::AllPaths, _) | (_, Model::Shapley) if merges.is_some() => {
            let merged = merges.map_or_else(String::new, ToString::to_string);
            refused(
                "group_by",
                format!("{} shares credit among channels, which {merged} is none of; accepted: its id, or source", model.slug()),
            )
        }
        _ => Ok(()),
    }
}
