//! What was spent, by day, source and place in the ad hierarchy.

use std::str::FromStr;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tributary_boxed::boxed;
use tributary_control::{AdDimension, AdQuestion, AdSelection, Control, SpendSum, WorkspaceAccess};
use tributary_core::error::{Code, Error, Result};
use tributary_core::money::{Currency, format_micros};

use crate::service::Service;

/// The most rows an answer may have.
pub const MAX_LIMIT: usize = 10_000;
/// Rows of an answer when nothing else is asked for.
pub const DEFAULT_LIMIT: usize = 1_000;

/// What may be grouped by, as callers name it.
const DIMENSIONS: [(&str, AdDimension); 6] = [
    ("date", AdDimension::Date),
    ("source", AdDimension::Source),
    ("account", AdDimension::Account),
    ("campaign", AdDimension::Campaign),
    ("adset", AdDimension::AdSet),
    ("ad", AdDimension::Ad),
];

/// What is asked, in the caller's words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpendQuestion {
    /// The first day, `2026-05-01`.
    pub from: String,
    /// The day after the last.
    pub to: String,
    /// `date`, `source`, `account`, `campaign`, `adset`, `ad`; accounts and what is in them come with their source.
    pub by: Vec<String>,
    /// Only this source.
    #[serde(default)]
    pub source: Option<String>,
    /// Convert into this currency, as far as the workspace's rates go.
    #[serde(default)]
    pub currency: Option<String>,
    /// Rows at most.
    pub limit: usize,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SpendAnswer {
    /// In the order of their fields. No sum crosses currencies.
    pub rows: Vec<SpendAnswerRow>,
    /// Rows without the limit.
    pub total_rows: u64,
    /// Whether rows were cut off by the limit.
    pub truncated: bool,
    /// The first day.
    pub from: String,
    /// The day after the last.
    pub to: String,
    /// Currencies that no rate reaches: their amounts stand apart, in their own currency.
    pub left_apart: Vec<String>,
}

/// Delivery of one group in one currency.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct SpendAnswerRow {
    /// The day, in the ad account's own zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// The source's slug.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The account's id at the platform.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    /// The campaign's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub campaign_id: Option<String>,
    /// The ad set's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adset_id: Option<String>,
    /// The ad's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ad_id: Option<String>,
    /// ISO 4217 currency of `spend`.
    pub currency: String,
    /// Spend, a decimal number as text: exact.
    pub spend: String,
    /// Impressions; null when no row says them.
    pub impressions: Option<i64>,
    /// Clicks as the platform counts them; null when no row says them.
    pub clicks: Option<i64>,
    /// Clicks that lead to the advertiser's page; null when no row says them.
    pub link_clicks: Option<i64>,
}

impl Service {
    /// Answers what was spent in a workspace.
    ///
    /// Errors: `invalid_params` for dates, dimensions or a currency that cannot be read, `question_too_large` for too many sums.
    #[boxed]
    pub async fn spend_sums(&self, access: &WorkspaceAccess, question: &SpendQuestion) -> Result<SpendAnswer> {
        sums(&self.control, access, question).await
    }
}

/// The same for an operator.
#[boxed]
pub async fn sums(control: &Control, access: &WorkspaceAccess, question: &SpendQuestion) -> Result<SpendAnswer> {
    let asked = AdQuestion {
        from: date("from", &question.from)?,
        to: date("to", &question.to)?,
        by: question.by.iter().map(|name| dimension(name)).collect::<Result<_>>()?,
        only: AdSelection { source: question.source.clone(), ..AdSelection::default() },
        default_currency: access.workspace.currency,
    };
    let (sums, left_apart) = match &question.currency {
        Some(code) => {
            let converted = control.sum_ad_spend_in(&access.scope, &asked, Currency::from_str(code)?).await?;
            (converted.sums, converted.left_apart)
        }
        None => (control.sum_ad_spend(&access.scope, &asked).await?, Vec::new()),
    };
    let total_rows = sums.len();
    let rows: Vec<SpendAnswerRow> = sums.into_iter().take(question.limit.clamp(1, MAX_LIMIT)).map(row).collect();
    Ok(SpendAnswer {
        truncated: rows.len() < total_rows,
        total_rows: total_rows as u64,
        rows,
        from: asked.from.to_string(),
        to: asked.to.to_string(),
        left_apart: left_apart.iter().map(Currency::to_string).collect(),
    })
}

fn row(sum: SpendSum) -> SpendAnswerRow {
    let group = sum.group;
    SpendAnswerRow {
        date: group.date.map(|date| date.to_string()),
        source: group.source,
        account_id: group.account,
        campaign_id: group.campaign,
        adset_id: group.ad_set,
        ad_id: group.ad,
        currency: sum.currency.to_string(),
        spend: format_micros(sum.spend_micros),
        impressions: sum.impressions,
        clicks: sum.clicks,
        link_clicks: sum.link_clicks,
    }
}

fn date(name: &str, text: &str) -> Result<Date> {
    text.parse().map_err(|error: jiff::Error| {
        Error::new(Code::InvalidParams, format!("{name}: `{text}` is no date; accepted: a day such as 2026-05-01"))
            .caused_by(error)
    })
}

fn dimension(name: &str) -> Result<AdDimension> {
    DIMENSIONS.iter().find(|(known, _)| *known == name).map(|(_, dimension)| *dimension).ok_or_else(|| {
        let accepted: Vec<&str> = DIMENSIONS.iter().map(|(known, _)| *known).collect();
        Error::new(Code::InvalidParams, format!("by: `{name}` is no dimension of spend; accepted: {}", accepted.join(", ")))
    })
}
