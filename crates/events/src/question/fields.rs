//! Every field a question reads.

use super::{Metric, Question};
use crate::field::Field;
use crate::filter::Filter;

impl Question {
    /// Every field the question filters on, groups by, breaks down by or lists; some may come twice.
    pub fn fields<'q>(&'q self) -> Vec<&'q Field> {
        let mut fields: Vec<&Field> = Vec::new();
        let mut filtered = |filters: &'q [Filter]| fields.extend(fields_of(filters));
        filtered(&self.slice().filters);
        match self {
            Question::Aggregate(question) => {
                question.metrics.iter().for_each(|metric| match metric {
                    Metric::EventsWhere(filters) => filtered(filters),
                    Metric::Events | Metric::Visitors | Metric::Sessions | Metric::Amount(_) => {}
                });
                fields.extend(&question.group_by);
            }
            Question::Rows(_) | Question::Journey(_) => {}
            Question::Funnel(question) => {
                question.steps.iter().for_each(|filters| filtered(filters));
                question.exclusions.iter().for_each(|exclusion| filtered(&exclusion.filters));
                fields.extend(question.breakdown.iter().map(|breakdown| &breakdown.field));
            }
            Question::Retention(question) => {
                filtered(&question.start);
                filtered(&question.returning);
                fields.extend(&question.breakdown);
            }
            Question::Sessions(question) => {
                question.containing.iter().for_each(|filters| filtered(filters));
                fields.extend(&question.group_by);
            }
            Question::Values(question) => fields.push(&question.field),
            Question::Attribution(question) => {
                filtered(&question.conversion);
                filtered(&question.touch);
                fields.extend(&question.group_by);
                fields.extend(&question.conversion_by);
            }
        }
        fields
    }
}

fn fields_of(filters: &[Filter]) -> impl Iterator<Item = &Field> {
    filters.iter().map(|filter| &filter.field)
}
