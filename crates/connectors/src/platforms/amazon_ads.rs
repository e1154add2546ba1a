//! Amazon Ads. Profiles own campaigns of ad groups of product ads. `cost` is in the currency's unit; no report names the
//! profile, the campaign's history does.

use tributary_core::ads::{AdLevel, CutBy};

use super::{entities, nothing, report};
use crate::table::{BudgetColumn, Claim, ENTITIES, Entities, IDS, Ids, Period, REPORT, Report, Table, daily, valued, whole};

const SOURCE: &str = "amazon_ads";

const BASE: Report = Report { spend: Some(whole("cost")), impressions: &["impressions"], clicks: &["clicks"], ..REPORT };

const CAMPAIGN: Ids = Ids { campaign: Some("campaign_id"), ..IDS };
const AD_GROUP: Ids = Ids { campaign: Some("campaign_id"), ad_set: Some("ad_group_id"), ..IDS };

/// Attributed sales: the last ad clicked within the days the column names.
const CLAIMS: &[Claim] = &[
    valued("purchase", whole("purchases_30_d"), whole("sales_30_d"), "30d_click", "click"),
    valued("purchase", whole("purchases_7_d"), whole("sales_7_d"), "7d_click", "click"),
];

const BUDGET: BudgetColumn = BudgetColumn {
    amount: whole("budget"),
    period: Period::Told { column: "budget_type", daily: "daily", lifetime: "lifetime" },
};

pub(crate) const TABLES: &[Table] = &[
    entities(
        "amazon_ads_profile",
        SOURCE,
        Entities {
            level: AdLevel::Account,
            ids: Ids { account: Some("id"), ..IDS },
            name: &["account_name"],
            status: &[],
            currency: Some("currency_code"),
            budgets: &[daily(whole("daily_budget"))],
            ..ENTITIES
        },
    ),
    nothing("amazon_ads_portfolio_history", SOURCE, "portfolios group campaigns beside the hierarchy and carry no figures"),
    entities(
        "amazon_ads_campaign_history",
        SOURCE,
        Entities {
            level: AdLevel::Campaign,
            ids: Ids { account: Some("profile_id"), campaign: Some("id"), ..IDS },
            status: &["state", "serving_status"],
            budgets: &[BUDGET],
            version: Some("last_updated_date"),
            ..ENTITIES
        },
    ),
    entities(
        "amazon_ads_ad_group_history",
        SOURCE,
        Entities {
            level: AdLevel::AdSet,
            ids: Ids { campaign: Some("campaign_id"), ad_set: Some("id"), ..IDS },
            status: &["state", "serving_status"],
            version: Some("last_updated_date"),
            ..ENTITIES
        },
    ),
    entities(
        "amazon_ads_product_ad_history",
        SOURCE,
        Entities {
            level: AdLevel::Ad,
            ids: Ids { campaign: Some("campaign_id"), ad_set: Some("ad_group_id"), ad: Some("id"), ..IDS },
            name: &["asin", "sku"],
            status: &["state", "serving_status"],
            version: Some("last_updated_date"),
            ..ENTITIES
        },
    ),
    entities(
        "amazon_ads_keyword_history",
        SOURCE,
        Entities {
            level: AdLevel::Keyword,
            ids: Ids { keyword: &["id"], ..AD_GROUP },
            name: &["keyword_text"],
            status: &["state"],
            version: Some("last_updated_date"),
            ..ENTITIES
        },
    ),
    report(
        "amazon_ads_campaign_level_report",
        SOURCE,
        Report {
            level: AdLevel::Campaign,
            ids: CAMPAIGN,
            currency: Some("campaign_budget_currency_code"),
            claims: CLAIMS,
            ..BASE
        },
    ),
    report("amazon_ads_ad_group_level_report", SOURCE, Report { level: AdLevel::AdSet, ids: AD_GROUP, claims: CLAIMS, ..BASE }),
    report(
        "amazon_ads_advertised_product_report",
        SOURCE,
        Report {
            level: AdLevel::Ad,
            ids: Ids { ad: Some("ad_id"), ..AD_GROUP },
            currency: Some("campaign_budget_currency_code"),
            claims: CLAIMS,
            ..BASE
        },
    ),
    report(
        "amazon_ads_targeting_keyword_report",
        SOURCE,
        Report {
            level: AdLevel::Keyword,
            ids: Ids { keyword: &["keyword_id"], ..AD_GROUP },
            currency: Some("campaign_budget_currency_code"),
            claims: CLAIMS,
            ..BASE
        },
    ),
    report(
        "amazon_ads_search_term_ad_keyword_report",
        SOURCE,
        Report {
            level: AdLevel::AdSet,
            ids: AD_GROUP,
            cut: Some((CutBy::SearchTerm, "search_term")),
            currency: Some("campaign_budget_currency_code"),
            claims: CLAIMS,
            ..BASE
        },
    ),
];
