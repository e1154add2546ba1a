//! Advertising as platforms report it: accounts, campaigns, ad sets and ads, what was spent on them a day, and the
//! conversions a platform claims for itself. Amounts are exact micros; ids are the platform's own, as text.

use jiff::civil::Date;

use crate::money::Currency;

/// Longest id, name or other text of advertising, bytes.
pub const MAX_TEXT_BYTES: usize = 1_024;
/// Most an amount of one row may be, micros either way: sums over millions of rows stay exact.
pub const MAX_MICROS: i64 = 1_000_000_000_000_000_000;
/// Most a count of one row may be, for the same reason.
pub const MAX_COUNT: i64 = 1_000_000_000_000;
/// Years a row's date may lie in.
pub const YEARS: std::ops::RangeInclusive<i16> = 1990..=2199;

/// Where in a platform's hierarchy something stands, outermost first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AdLevel {
    /// The advertiser's account: advertiser, profile, organization, customer.
    Account,
    /// A campaign; LinkedIn's campaign group.
    Campaign,
    /// Ad group, ad squad, line item; LinkedIn's campaign.
    AdSet,
    /// An ad: creative, promoted tweet, pin promotion, product ad.
    Ad,
    /// A search keyword. It cuts the same spend another way, so it never counts in a total.
    Keyword,
}

impl AdLevel {
    /// Every level, outermost first.
    pub const ALL: [AdLevel; 5] = [AdLevel::Account, AdLevel::Campaign, AdLevel::AdSet, AdLevel::Ad, AdLevel::Keyword];

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            AdLevel::Account => "account",
            AdLevel::Campaign => "campaign",
            AdLevel::AdSet => "adset",
            AdLevel::Ad => "ad",
            AdLevel::Keyword => "keyword",
        }
    }

    /// The level with this stable name.
    pub fn parse(name: &str) -> Option<AdLevel> {
        AdLevel::ALL.into_iter().find(|level| level.as_str() == name)
    }
}

/// An entity and the parents it was named with. `None` means that nobody said, not that there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AdPath {
    /// The account's id.
    pub account: Option<String>,
    /// The campaign's id.
    pub campaign: Option<String>,
    /// The ad set's id.
    pub ad_set: Option<String>,
    /// The ad's id.
    pub ad: Option<String>,
    /// The keyword's id.
    pub keyword: Option<String>,
}

impl AdPath {
    /// The id at a level.
    pub fn at(&self, level: AdLevel) -> Option<&str> {
        match level {
            AdLevel::Account => self.account.as_deref(),
            AdLevel::Campaign => self.campaign.as_deref(),
            AdLevel::AdSet => self.ad_set.as_deref(),
            AdLevel::Ad => self.ad.as_deref(),
            AdLevel::Keyword => self.keyword.as_deref(),
        }
    }

    /// The same path, ending at `level`.
    #[must_use]
    pub fn up_to(&self, level: AdLevel) -> AdPath {
        let kept = |at: AdLevel, id: &Option<String>| id.clone().filter(|_| at <= level);
        AdPath {
            account: kept(AdLevel::Account, &self.account),
            campaign: kept(AdLevel::Campaign, &self.campaign),
            ad_set: kept(AdLevel::AdSet, &self.ad_set),
            ad: kept(AdLevel::Ad, &self.ad),
            keyword: kept(AdLevel::Keyword, &self.keyword),
        }
    }
}

/// How a platform cuts an entity's day into parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CutBy {
    /// The country of the people reached.
    Country,
    /// Their region.
    Region,
    /// What they searched for.
    SearchTerm,
}

impl CutBy {
    /// Every cut.
    pub const ALL: [CutBy; 3] = [CutBy::Country, CutBy::Region, CutBy::SearchTerm];

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            CutBy::Country => "country",
            CutBy::Region => "region",
            CutBy::SearchTerm => "search_term",
        }
    }

    /// The cut with this stable name.
    pub fn parse(name: &str) -> Option<CutBy> {
        CutBy::ALL.into_iter().find(|cut| cut.as_str() == name)
    }
}

/// One part of an entity's day. Parts repeat what the whole day's row says, so they never count in a total.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cut {
    /// The dimension.
    pub by: CutBy,
    /// Its value, as the platform words it.
    pub value: String,
}

/// What a row is about: source, entity, day and, where the platform cuts further, the part.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AdDay {
    /// The source's slug: `facebook_ads`, `google_ads`, or one of your own.
    pub source: String,
    /// The level the row speaks of.
    pub level: AdLevel,
    /// The entity and its parents; the id at `level` is required.
    pub path: AdPath,
    /// The civil date, in the account's own zone, as platforms report it.
    pub date: Date,
    /// `None` for the whole day.
    pub cut: Option<Cut>,
}

/// One day's delivery of one entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpendRow {
    /// Entity and day.
    pub day: AdDay,
    /// `None` when the row does not say: then the entity's currency, that of its parents, the workspace's.
    pub currency: Option<Currency>,
    /// Spend.
    pub spend_micros: i64,
    /// Times shown; `None` when the platform did not say.
    pub impressions: Option<i64>,
    /// Clicks as the platform counts them.
    pub clicks: Option<i64>,
    /// Clicks that lead to the advertiser's page.
    pub link_clicks: Option<i64>,
}

/// Conversions a platform claims for itself on one day, under its own window and model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimRow {
    /// Entity and day.
    pub day: AdDay,
    /// What is claimed, and by which rule.
    pub rule: ClaimRule,
    /// The currency of `value_micros`; see [`SpendRow::currency`].
    pub currency: Option<Currency>,
    /// How many, in millionths: platforms claim fractions. `None` when this row does not say.
    pub conversions_micros: Option<i64>,
    /// Their value. `None` when this row does not say.
    pub value_micros: Option<i64>,
}

/// The event a claim counts and the rule the platform counted by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClaimRule {
    /// The platform's name of the event: `purchase`, `offsite_conversion.fb_pixel_lead`.
    pub event: String,
    /// `7d_click`, `1d_view`, `30d`; `default` is the account's own setting, which exports do not state.
    pub window: String,
    /// `click`, `view`, `click_and_view`; `default` is the platform's own.
    pub model: String,
}

/// What is known about an account, campaign, ad set or ad. `None` leaves what was known before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdEntity {
    /// The source's slug.
    pub source: String,
    /// Which kind it is.
    pub level: AdLevel,
    /// The entity and its parents; the id at `level` is required.
    pub path: AdPath,
    /// Its name.
    pub name: Option<String>,
    /// Its state in the platform's words.
    pub status: Option<String>,
    /// The currency it is billed in: an account's, and where a platform says it there, a campaign's or an ad set's.
    pub currency: Option<Currency>,
    /// What it may spend.
    pub budget: Option<Budget>,
}

impl AdEntity {
    /// An entity of which nothing is known but its place.
    pub fn at(source: &str, level: AdLevel, path: AdPath) -> Self {
        AdEntity { source: source.to_owned(), level, path, name: None, status: None, currency: None, budget: None }
    }
}

/// What an entity may spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// The amount, in the account's currency.
    pub micros: i64,
    /// What the amount is for.
    pub period: BudgetPeriod,
}

/// What a budget's amount is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BudgetPeriod {
    /// One day.
    Daily,
    /// The entity's whole life.
    Lifetime,
}

impl BudgetPeriod {
    /// Every period.
    pub const ALL: [BudgetPeriod; 2] = [BudgetPeriod::Daily, BudgetPeriod::Lifetime];

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            BudgetPeriod::Daily => "daily",
            BudgetPeriod::Lifetime => "lifetime",
        }
    }

    /// The period with this stable name.
    pub fn parse(name: &str) -> Option<BudgetPeriod> {
        BudgetPeriod::ALL.into_iter().find(|period| period.as_str() == name)
    }
}

/// What is stored together, all or nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AdBatch {
    /// Entities described by their own tables.
    pub entities: Vec<AdEntity>,
    /// Spend.
    pub spend: Vec<SpendRow>,
    /// Claims.
    pub claims: Vec<ClaimRow>,
}

impl AdBatch {
    /// Rows of all kinds.
    pub fn len(&self) -> usize {
        self.entities.len() + self.spend.len() + self.claims.len()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
