//! What is asked of spend and claims: a range, what to group by, what to look at.

use jiff::civil::Date;
use tributary_core::error::Result;
use tributary_core::money::Currency;

use super::checks::check_date;
use super::invalid;

/// What sums are grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AdDimension {
    /// The day.
    Date,
    /// The source.
    Source,
    /// The account.
    Account,
    /// The campaign.
    Campaign,
    /// The ad set.
    AdSet,
    /// The ad.
    Ad,
}

/// A question about the days from `from` up to and without `to`.
#[derive(Clone, Debug)]
pub struct AdQuestion {
    /// The first day.
    pub from: Date,
    /// The day after the last.
    pub to: Date,
    /// What to group by, in any order. Accounts and what is in them are grouped by source too: ids are a source's own.
    pub by: Vec<AdDimension>,
    /// What to look at.
    pub only: AdSelection,
    /// The currency of amounts of which neither their row nor their entity and its parents say one: the workspace's.
    pub default_currency: Currency,
}

/// What to look at; every given condition must hold.
#[derive(Clone, Debug, Default)]
pub struct AdSelection {
    /// This source.
    pub source: Option<String>,
    /// This account.
    pub account: Option<String>,
    /// This campaign.
    pub campaign: Option<String>,
    /// This ad set.
    pub ad_set: Option<String>,
    /// This ad.
    pub ad: Option<String>,
}

impl AdQuestion {
    pub(super) fn check(&self) -> Result<()> {
        check_date("from", self.from)?;
        check_date("to", self.to)?;
        if self.from < self.to {
            return Ok(());
        }
        Err(invalid("from must be a day before to; to is the day after the last"))
    }

    /// Whether answers are told apart by a dimension.
    pub(super) fn groups(&self, dimension: AdDimension) -> bool {
        let is_inside_a_source = |asked: &AdDimension| *asked > AdDimension::Source;
        self.by.contains(&dimension) || (dimension == AdDimension::Source && self.by.iter().any(is_inside_a_source))
    }
}
