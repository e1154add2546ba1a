//! How a platform's table is described: which column is what, in which unit.

use tributary_core::ads::{AdLevel, BudgetPeriod, CutBy};

/// One table a platform's export may hold.
#[derive(Debug)]
pub struct Table {
    /// Its name, which the file's name ends with: `facebook_ads_basic_ad`.
    pub name: &'static str,
    /// The source's slug.
    pub source: &'static str,
    /// What is in it.
    pub content: Content,
}

/// What is in a table.
#[derive(Debug)]
pub enum Content {
    /// Figures per day.
    Report(Report),
    /// Accounts, campaigns, ad sets or ads.
    Entities(Entities),
    /// Nothing to import, because of this.
    Nothing(&'static str),
}

/// Columns that hold ids. A column the file lacks says nothing.
#[derive(Clone, Copy, Debug)]
pub struct Ids {
    /// The account.
    pub account: Option<&'static str>,
    /// The campaign.
    pub campaign: Option<&'static str>,
    /// The ad set.
    pub ad_set: Option<&'static str>,
    /// The ad.
    pub ad: Option<&'static str>,
    /// The keyword; several columns are joined by `~`, as Google names a criterion of an ad group.
    pub keyword: &'static [&'static str],
}

/// No ids.
pub const IDS: Ids = Ids { account: None, campaign: None, ad_set: None, ad: None, keyword: &[] };

/// A column of amounts.
#[derive(Clone, Copy, Debug)]
pub struct Amount {
    /// The column.
    pub column: &'static str,
    /// What its numbers count.
    pub unit: Unit,
}

/// What an amount counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Decimal numbers of the currency's unit, or of conversions.
    Whole,
    /// Whole millionths of it.
    Micros,
}

/// A column of decimal amounts.
pub const fn whole(column: &'static str) -> Amount {
    Amount { column, unit: Unit::Whole }
}

/// A column of millionths.
pub const fn micros(column: &'static str) -> Amount {
    Amount { column, unit: Unit::Micros }
}

/// Figures per day. Rows of the same entity and day (by hour, device, placement, region) are summed.
#[derive(Clone, Copy, Debug)]
pub struct Report {
    /// The level of its rows; the id column of this level is required.
    pub level: AdLevel,
    /// Entity and parents.
    pub ids: Ids,
    /// The day: a date, or a time that begins with one.
    pub date: &'static str,
    /// The column that cuts the day into parts.
    pub cut: Option<(CutBy, &'static str)>,
    /// The currency, where the table says it.
    pub currency: Option<&'static str>,
    /// The entity's name, where the table says it.
    pub name: Option<&'static str>,
    /// Spend; without it the table holds claims alone.
    pub spend: Option<Amount>,
    /// Impressions: these columns together.
    pub impressions: &'static [&'static str],
    /// Clicks: these columns together.
    pub clicks: &'static [&'static str],
    /// Clicks that lead to the advertiser's page: these columns together.
    pub link_clicks: &'static [&'static str],
    /// Conversions the platform claims.
    pub claims: &'static [Claim],
}

/// A report that says nothing yet, to be completed.
pub const REPORT: Report = Report {
    level: AdLevel::Account,
    ids: IDS,
    date: "date",
    cut: None,
    currency: None,
    name: None,
    spend: None,
    impressions: &[],
    clicks: &[],
    link_clicks: &[],
    claims: &[],
};

/// Conversions claimed in a report's columns. Columns the file lacks claim nothing.
#[derive(Clone, Copy, Debug)]
pub struct Claim {
    /// What happened.
    pub event: Event,
    /// How many.
    pub conversions: Option<Amount>,
    /// What they were worth.
    pub value: Option<Amount>,
    /// See `tributary_core::ads::ClaimRule`.
    pub window: &'static str,
    /// See `tributary_core::ads::ClaimRule`.
    pub model: &'static str,
}

/// How a claim's event is named.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// By the table.
    Named(&'static str),
    /// By each row, in this column.
    Column(&'static str),
}

/// Conversions of one named event, with no value.
pub const fn claim(event: &'static str, conversions: Amount, window: &'static str, model: &'static str) -> Claim {
    Claim { event: Event::Named(event), conversions: Some(conversions), value: None, window, model }
}

/// Conversions of one named event and their value.
pub const fn valued(event: &'static str, conversions: Amount, value: Amount, window: &'static str, model: &'static str) -> Claim {
    Claim { event: Event::Named(event), conversions: Some(conversions), value: Some(value), window, model }
}

/// Accounts, campaigns, ad sets or ads. Of several versions of one, the newest counts.
#[derive(Clone, Copy, Debug)]
pub struct Entities {
    /// What its rows are; the id column of this level is required.
    pub level: AdLevel,
    /// Entity and parents.
    pub ids: Ids,
    /// The name: the first of these that is filled.
    pub name: &'static [&'static str],
    /// The state: the first of these that is filled.
    pub status: &'static [&'static str],
    /// The currency it is billed in.
    pub currency: Option<&'static str>,
    /// The budget: the first of these that is filled and not zero.
    pub budgets: &'static [BudgetColumn],
    /// The time of a version; without it a later row is the newer one.
    pub version: Option<&'static str>,
}

/// Entities of which nothing is said yet, to be completed.
pub const ENTITIES: Entities = Entities {
    level: AdLevel::Account,
    ids: IDS,
    name: &["name"],
    status: &["status"],
    currency: None,
    budgets: &[],
    version: None,
};

/// A column of budgets.
#[derive(Clone, Copy, Debug)]
pub struct BudgetColumn {
    /// The amount.
    pub amount: Amount,
    /// What it is for.
    pub period: Period,
}

/// What a budget is for.
#[derive(Clone, Copy, Debug)]
pub enum Period {
    /// Always this.
    Always(BudgetPeriod),
    /// What a column says; other words mean no budget.
    Told {
        /// The column.
        column: &'static str,
        /// The word for a day's budget, in lower case.
        daily: &'static str,
        /// The word for a whole life's budget, in lower case.
        lifetime: &'static str,
    },
}

/// A day's budget.
pub const fn daily(amount: Amount) -> BudgetColumn {
    BudgetColumn { amount, period: Period::Always(BudgetPeriod::Daily) }
}

/// A whole life's budget.
pub const fn lifetime(amount: Amount) -> BudgetColumn {
    BudgetColumn { amount, period: Period::Always(BudgetPeriod::Lifetime) }
}

impl Table {
    /// Columns without which a file is not this table.
    pub(crate) fn required(&self) -> Vec<&'static str> {
        match &self.content {
            Content::Report(report) => report.required(),
            Content::Entities(entities) => entities.ids.of(entities.level),
            Content::Nothing(_) => Vec::new(),
        }
    }
}

impl Report {
    fn required(&self) -> Vec<&'static str> {
        let mut columns = self.ids.of(self.level);
        columns.push(self.date);
        columns.extend(self.cut.map(|(_, column)| column));
        columns.extend(self.currency);
        columns.extend(self.spend.map(|spend| spend.column));
        columns.extend(self.impressions.iter().chain(self.clicks).chain(self.link_clicks));
        columns.extend(self.claims.iter().filter_map(|claim| match claim.event {
            Event::Column(column) => Some(column),
            Event::Named(_) => None,
        }));
        columns
    }
}

impl Ids {
    /// The columns of the id at a level.
    pub(crate) fn of(&self, level: AdLevel) -> Vec<&'static str> {
        match level {
            AdLevel::Account => self.account.into_iter().collect(),
            AdLevel::Campaign => self.campaign.into_iter().collect(),
            AdLevel::AdSet => self.ad_set.into_iter().collect(),
            AdLevel::Ad => self.ad.into_iter().collect(),
            AdLevel::Keyword => self.keyword.to_vec(),
        }
    }
}
