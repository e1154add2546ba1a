//! Files of ad spend, and currency rates.

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};

use tributary_control::{CurrencyRate, RateFilter};
use tributary_core::error::{Code, Error, Result};
use tributary_service::spend::sums::{self, SpendAnswer, SpendQuestion};
use tributary_service::spend::{Recorded, SpendFile, import_file};

use super::Operator;
use super::body::{Body, Refused};

/// The largest body with a file in it, bytes.
pub const MAX_FILE_BYTES: usize = 256 << 20;

/// A file of an ad platform.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpendFileBody {
    /// Its name, by which tables are recognised.
    pub file: String,
    /// Its content.
    pub content: String,
}

/// A currency rate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateBody {
    /// The currency that is converted, ISO 4217.
    pub from: String,
    /// The currency it is converted to.
    pub to: String,
    /// The first day it is good for, `2026-05-31`.
    pub date: String,
    /// What one unit of `from` is worth in `to`, a decimal number of at most twelve decimals.
    pub rate: String,
}

impl RateBody {
    fn of(rate: &CurrencyRate) -> Self {
        Self { from: rate.from.to_string(), to: rate.to.to_string(), date: rate.date.to_string(), rate: rate.rate.to_string() }
    }

    fn read(&self) -> Result<CurrencyRate> {
        let date = self.date.parse().map_err(|error| {
            Error::new(Code::InvalidParams, format!("`{}` is no date; accepted: 2026-05-31", self.date)).caused_by(error)
        })?;
        Ok(CurrencyRate { from: self.from.parse()?, to: self.to.parse()?, date, rate: self.rate.parse()? })
    }
}

pub(super) async fn import(
    State(operator): State<Operator>,
    Path(selector): Path<String>,
    Body(body): Body<SpendFileBody>,
) -> Result<Json<SpendFile>, Refused> {
    let access = operator.workspace(&selector).await?;
    Ok(Json(import_file(&operator.control, &access.scope, &body.file, body.content.into_bytes()).await?))
}

pub(super) async fn sums(
    State(operator): State<Operator>,
    Path(selector): Path<String>,
    Body(question): Body<SpendQuestion>,
) -> Result<Json<SpendAnswer>, Refused> {
    let access = operator.workspace(&selector).await?;
    Ok(Json(sums::sums(&operator.control, &access, &question).await?))
}

pub(super) async fn rates(
    State(operator): State<Operator>,
    Path(selector): Path<String>,
) -> Result<Json<Vec<RateBody>>, Refused> {
    let access = operator.workspace(&selector).await?;
    let mut filter = RateFilter::default();
    let mut listed: Vec<RateBody> = Vec::new();
    loop {
        let page = operator.control.list_currency_rates(&access.scope, &filter, RATES_AT_ONCE).await?;
        filter.after = page.last().map(|rate| (rate.from, rate.to, rate.date));
        listed.extend(page.iter().map(RateBody::of));
        if page.len() < RATES_AT_ONCE as usize {
            return Ok(Json(listed));
        }
    }
}

/// Rates read at once.
const RATES_AT_ONCE: u32 = 1_000;

pub(super) async fn set_rates(
    State(operator): State<Operator>,
    Path(selector): Path<String>,
    Body(body): Body<Vec<RateBody>>,
) -> Result<Json<Recorded>, Refused> {
    let access = operator.workspace(&selector).await?;
    let rates = body.iter().map(RateBody::read).collect::<Result<Vec<CurrencyRate>>>()?;
    Ok(Json(operator.control.set_currency_rates(&access.scope, rates).await?.into()))
}
