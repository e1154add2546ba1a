//! One metric by one dimension, with each group's share.

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;
use tributary_boxed::boxed;
use tributary_control::WorkspaceAccess;
use tributary_core::error::{Code, Result};

use super::answer::{AttributionShown, LeftApart, MetricsRow, PeriodShown, Table};
use super::catalogue::{Computed, Measure};
use super::question::MetricsQuestion;
use super::value::shown;
use crate::problem::Problems;
use crate::service::Service;

/// Groups of an answer when nothing else is asked for.
pub const DEFAULT_TOP: usize = 10;

/// The answer.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Breakdown {
    /// The groups, the largest first: the dimension, the metric, and `share_pct`, the group's part of the total in percent. The
    /// share is null for metrics that do not add up, such as rates and distinct people.
    pub rows: Vec<MetricsRow>,
    /// What the groups past the last one shown add up to; null where they do not add up.
    pub other: Json,
    /// What no touch is credited with; null where the metric does not count conversions.
    pub unattributed: Json,
    /// The metric over everything.
    pub total: Json,
    /// Groups there are.
    pub total_rows: u64,
    /// The days it is about.
    pub period: PeriodShown,
    /// How conversions were credited.
    pub attribution: AttributionShown,
    /// ISO 4217 currency of amounts.
    pub currency: String,
    /// Amounts in currencies that no rate of the workspace reaches.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_apart: Vec<LeftApart>,
    /// Ingest sequence number of the events it was told from.
    pub watermark: u64,
}

impl Service {
    /// Splits one metric by one dimension. The question's `limit` is the number of groups, [`DEFAULT_TOP`] unless given.
    ///
    /// Errors: as [`Service::query_metrics`], and `invalid_params` unless there are one metric and one dimension.
    #[boxed]
    pub async fn break_down(&self, access: &WorkspaceAccess, question: &MetricsQuestion) -> Result<Breakdown> {
        let mut problems = Problems::new();
        for (field, given) in [("metrics", question.metrics.len()), ("group_by", question.group_by.len())] {
            if given != 1 {
                problems.add(field, format!("must name one, got {given}"));
            }
        }
        problems.check(Code::InvalidParams)?;
        let question = MetricsQuestion { limit: question.limit.or(Some(DEFAULT_TOP)), ..question.clone() };
        let plan = self.plan(access, &question).await?;
        let (facts, watermark) = self.gather(&plan).await?;
        let table = Table::of(&plan, &facts)?;
        let adds_up = plan.metrics.first().is_some_and(|metric| match metric.computed {
            Computed::Measure(measure) => !matches!(measure, Measure::Visitors | Measure::Sessions),
            Computed::Formula(_) => false,
        });
        let number = |values: &[super::value::Value]| values.first().and_then(|value| value.as_ref().ok()).copied();
        let total = number(&table.totals);
        let share = |value: Option<Decimal>| -> Json {
            let percent = value
                .zip(total)
                .filter(|(_, total)| adds_up && !total.is_zero())
                .and_then(|(value, total)| Some(value.checked_mul(Decimal::ONE_HUNDRED)?.checked_div(total)?.round_dp(2)));
            percent.map_or(Json::Null, shown)
        };
        let sum = |values: &mut dyn Iterator<Item = Option<Decimal>>| -> Json {
            let sum = values.flatten().try_fold(Decimal::ZERO, Decimal::checked_add).filter(|_| adds_up);
            sum.map_or(Json::Null, shown)
        };
        let other = sum(&mut table.rows.iter().skip(plan.limit).map(|row| number(&row.values)));
        let has_unattributed = adds_up && table.unattributed.iter().any(|row| number(&row.values).is_some());
        let unattributed =
            if has_unattributed { sum(&mut table.unattributed.iter().map(|row| number(&row.values))) } else { Json::Null };
        let shares: Vec<Json> = table.rows.iter().take(plan.limit).map(|row| share(number(&row.values))).collect();
        let total = total.map_or(Json::Null, shown);
        let answer = table.shown(&plan, &facts, watermark);
        let rows = answer.rows.into_iter().zip(shares).map(|(mut row, share)| {
            row.insert(String::from("share_pct"), share);
            row
        });
        Ok(Breakdown {
            rows: rows.collect(),
            other,
            unattributed,
            total,
            total_rows: answer.total_rows,
            period: answer.period,
            attribution: answer.attribution,
            currency: answer.currency,
            left_apart: answer.left_apart,
            watermark: answer.watermark,
        })
    }
}
