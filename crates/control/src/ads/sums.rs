//! Sums over the deepest level of each campaign's day.
//!
//! Platforms report the same money several times over: for the account, its campaigns, their ad sets, their ads. A total takes
//! each once. For each campaign and day the deepest level that has rows counts; an account's own row counts where nothing deeper
//! is known of that account and day. Keywords and parts of a day never count.

use std::collections::BTreeSet;

use jiff::civil::Date;
use tributary_boxed::boxed;
use tributary_core::ads::ClaimRule;
use tributary_core::error::Result;
use tributary_core::money::Currency;
use tributary_core::scope::WorkspaceScope;

use super::fold::{self, Total};
use super::question::AdQuestion;
use super::rates;
use crate::control::Control;

/// What a sum is of. A dimension is `None` when it was not asked for, or when the rows do not say it: a campaign's own row has
/// no ad set.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AdGroup {
    /// The day.
    pub date: Option<Date>,
    /// The source.
    pub source: Option<String>,
    /// The account's id.
    pub account: Option<String>,
    /// The campaign's id.
    pub campaign: Option<String>,
    /// The ad set's id.
    pub ad_set: Option<String>,
    /// The ad's id.
    pub ad: Option<String>,
}

/// Delivery of one group, in one currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpendSum {
    /// What it is of.
    pub group: AdGroup,
    /// The currency of `spend_micros`.
    pub currency: Currency,
    /// Spend.
    pub spend_micros: i128,
    /// Impressions; `None` when no row says them.
    pub impressions: Option<i64>,
    /// Clicks; `None` when no row says them.
    pub clicks: Option<i64>,
    /// Link clicks; `None` when no row says them.
    pub link_clicks: Option<i64>,
}

/// Sums in one currency, as far as rates go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Converted<T> {
    /// By group and currency.
    pub sums: Vec<T>,
    /// Currencies of sums that no rate reaches: they stand apart, in their own currency.
    pub left_apart: Vec<Currency>,
}

/// Platforms' claims of one group under one rule, in one currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimSum {
    /// What it is of.
    pub group: AdGroup,
    /// Event, window and model.
    pub rule: ClaimRule,
    /// The currency of `value_micros`.
    pub currency: Currency,
    /// Conversions, in millionths; `None` when no row says them.
    pub conversions_micros: Option<i128>,
    /// Their value; `None` when no row says it.
    pub value_micros: Option<i128>,
}

impl Control {
    /// Spend by group and currency, each in the order of its fields. No sum crosses currencies.
    ///
    /// Errors: `invalid_params` for an empty range, `question_too_large` (details `limit`) for more than 100,000 sums.
    #[boxed]
    pub async fn sum_ad_spend(&self, scope: &WorkspaceScope, question: &AdQuestion) -> Result<Vec<SpendSum>> {
        let totals = self.totals(scope, question, &fold::SPEND, None).await?;
        Ok(totals.into_iter().map(SpendSum::of).collect())
    }

    /// The same in `target`: each day at the latest rate at or before it. Days that no rate reaches stay in their own currency,
    /// which is then among `left_apart`. Amounts are added up exactly and each answer is rounded once.
    #[boxed]
    pub async fn sum_ad_spend_in(
        &self,
        scope: &WorkspaceScope,
        question: &AdQuestion,
        target: Currency,
    ) -> Result<Converted<SpendSum>> {
        let totals = self.totals(scope, question, &fold::SPEND, Some(target)).await?;
        let left_apart = left_apart(&totals, target);
        Ok(Converted { sums: totals.into_iter().map(SpendSum::of).collect(), left_apart })
    }

    /// Claims by group, rule and currency. The deepest level is found for each rule by itself: platforms do not report every
    /// claim at every level. Errors as in [`Control::sum_ad_spend`].
    #[boxed]
    pub async fn sum_ad_claims(&self, scope: &WorkspaceScope, question: &AdQuestion) -> Result<Vec<ClaimSum>> {
        let totals = self.totals(scope, question, &fold::CLAIMS, None).await?;
        Ok(totals.into_iter().filter_map(ClaimSum::of).collect())
    }

    /// The same with values in `target`, as in [`Control::sum_ad_spend_in`].
    #[boxed]
    pub async fn sum_ad_claims_in(
        &self,
        scope: &WorkspaceScope,
        question: &AdQuestion,
        target: Currency,
    ) -> Result<Converted<ClaimSum>> {
        let totals = self.totals(scope, question, &fold::CLAIMS, Some(target)).await?;
        let left_apart = left_apart(&totals, target);
        Ok(Converted { sums: totals.into_iter().filter_map(ClaimSum::of).collect(), left_apart })
    }

    async fn totals(
        &self,
        scope: &WorkspaceScope,
        question: &AdQuestion,
        rows: &fold::Rows,
        target: Option<Currency>,
    ) -> Result<Vec<Total>> {
        question.check()?;
        let mut transaction = self.inner.store.begin_read().await?;
        let rates = match target {
            Some(target) => Some(rates::into_currency(&mut transaction, scope, target, question.to).await?),
            None => None,
        };
        fold::fold(&mut transaction, scope, question, rows, rates.as_ref()).await
    }
}

impl SpendSum {
    fn of(total: Total) -> Self {
        let Total { group, currency, amounts: [spend, impressions, clicks, link_clicks], .. } = total;
        SpendSum {
            group,
            currency,
            spend_micros: spend.unwrap_or(0),
            impressions: impressions.map(count),
            clicks: clicks.map(count),
            link_clicks: link_clicks.map(count),
        }
    }
}

impl ClaimSum {
    fn of(total: Total) -> Option<Self> {
        let Total { group, rule, currency, amounts: [conversions_micros, value_micros, ..] } = total;
        Some(ClaimSum { group, rule: rule?, currency, conversions_micros, value_micros })
    }
}

fn left_apart(totals: &[Total], target: Currency) -> Vec<Currency> {
    let others: BTreeSet<Currency> = totals.iter().map(|total| total.currency).filter(|currency| *currency != target).collect();
    others.into_iter().collect()
}

fn count(sum: i128) -> i64 {
    i64::try_from(sum).unwrap_or(i64::MAX)
}
