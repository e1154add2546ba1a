//! Distinct people and sessions with a visit.

use tributary_core::error::Result;
use tributary_core::rate::Rate;
use tributary_events::answer::Answer;
use tributary_events::bucket::Buckets;
use tributary_events::field::Field;
use tributary_events::filter::{Filter, Test};
use tributary_events::question::{Aggregate, MAX_ROWS, Metric, Question, Slice};

use super::super::catalogue::Measure;
use super::super::dimension::Attribute;
use super::super::facts::{Facts, add_to};
use super::super::plan::Plan;
use super::super::value::Missing;
use crate::answer::other_question;
use crate::service::Service;

impl Service {
    /// Adds visitors and sessions, where what is grouped and filtered by is something of a visit: distinct people of merged
    /// groups cannot be added up.
    pub(super) async fn gather_visits(&self, plan: &Plan<'_>, facts: &mut Facts) -> Result<u64> {
        let wanted: Vec<(Measure, Metric)> = [(Measure::Visitors, Metric::Visitors), (Measure::Sessions, Metric::Sessions)]
            .into_iter()
            .filter(|(measure, _)| plan.measures.contains(measure))
            .collect();
        if wanted.is_empty() {
            return Ok(0);
        }
        let is_merged = |attribute: &&Attribute| {
            let is_source_of_ads = **attribute == Attribute::Source && plan.reads_ads();
            !matches!(attribute, Attribute::Time(_)) && (attribute.field().is_none() || attribute.is_of_ads() || is_source_of_ads)
        };
        if let Some(merged) = plan.attributes.iter().find(is_merged) {
            let reason = format!("people cannot be counted by {merged}: one may have come by several");
            for (measure, _) in wanted {
                facts.missing.insert(measure, Missing::Unknown(reason.clone().into()));
            }
            return Ok(0);
        }
        let mut slice = Slice { range: plan.range, ..plan.slice.clone() };
        slice.filters.push(Filter { field: Field::Visit, test: Test::Present });
        for filter in &plan.filters {
            if let Some(field) = filter.attribute.field() {
                slice.filters.push(Filter { field, test: filter.test.clone() });
            }
        }
        let grouped: Vec<&Attribute> =
            plan.dimensions.iter().map(|asked| &asked.attribute).filter(|attribute| attribute.field().is_some()).collect();
        let interval = plan.time().map(|unit| unit.interval());
        let buckets = interval.map(|interval| Buckets::cover(plan.range, interval, &plan.access.workspace.zone)).transpose()?;
        let question = Aggregate {
            slice,
            metrics: wanted.iter().map(|(_, metric)| metric.clone()).collect(),
            group_by: grouped.iter().filter_map(|attribute| attribute.field()).collect(),
            buckets: buckets.clone(),
            limit: MAX_ROWS,
        };
        let answered = self.events.ask(&plan.access.scope, Question::Aggregate(question), self.budget).await?;
        let Answer::Aggregate(answer) = answered.answer else {
            return Err(other_question());
        };
        for row in answer.rows {
            let label = row.bucket.and_then(|bucket| buckets.as_ref()?.labels.get(bucket as usize)?.get(..10).map(str::to_owned));
            // Filters hold for every visit counted here: their values are those they ask for, whatever they are.
            let key: Vec<Option<String>> = plan
                .dimensions
                .iter()
                .map(|asked| match &asked.attribute {
                    Attribute::Time(_) => label.clone(),
                    attribute => grouped.iter().position(|of| *of == attribute).and_then(|place| row.keys[place].clone()),
                })
                .collect();
            for ((measure, _), count) in wanted.iter().zip(&row.values) {
                let cells = facts.visits.entry(key.clone()).or_default();
                add_to(cells, *measure, *count, Rate::ONE)?;
            }
        }
        for ((measure, _), count) in wanted.iter().zip(&answer.totals) {
            add_to(&mut facts.totals, *measure, *count, Rate::ONE)?;
        }
        Ok(answered.watermark)
    }
}
