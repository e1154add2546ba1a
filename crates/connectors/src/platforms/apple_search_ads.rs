//! Apple Search Ads. Organizations own campaigns of ad groups of ads. Clicks are taps; conversions are installs.

use tributary_core::ads::{AdLevel, CutBy};

use super::{DEFAULT, entities, report};
use crate::table::{Claim, ENTITIES, Entities, IDS, Ids, REPORT, Report, Table, claim, daily, lifetime, whole};

const SOURCE: &str = "apple_search_ads";

const BASE: Report = Report {
    currency: Some("local_spend_currency"),
    spend: Some(whole("local_spend_amount")),
    impressions: &["impressions"],
    clicks: &["taps"],
    claims: CLAIMS,
    ..REPORT
};

const CAMPAIGN: Ids = Ids { campaign: Some("campaign_id"), ..IDS };
const AD_GROUP: Ids = Ids { campaign: Some("campaign_id"), ad_set: Some("ad_group_id"), ..IDS };

const CLAIMS: &[Claim] = &[
    claim("install", whole("conversions"), DEFAULT, DEFAULT),
    claim("install", whole("tap_installs"), "30d_click", "click"),
    claim("new_download", whole("new_downloads"), DEFAULT, DEFAULT),
    claim("redownload", whole("redownloads"), DEFAULT, DEFAULT),
];

pub(crate) const TABLES: &[Table] = &[
    entities(
        "apple_search_organization",
        SOURCE,
        Entities {
            level: AdLevel::Account,
            ids: Ids { account: Some("id"), ..IDS },
            status: &[],
            currency: Some("currency"),
            ..ENTITIES
        },
    ),
    entities(
        "apple_search_campaign_history",
        SOURCE,
        Entities {
            level: AdLevel::Campaign,
            ids: Ids { account: Some("organization_id"), campaign: Some("id"), ..IDS },
            status: &["status", "serving_status"],
            budgets: &[daily(whole("daily_budget_amount")), lifetime(whole("budget_amount"))],
            version: Some("modification_time"),
            ..ENTITIES
        },
    ),
    entities(
        "apple_search_ad_group_history",
        SOURCE,
        Entities {
            level: AdLevel::AdSet,
            ids: Ids { account: Some("organization_id"), campaign: Some("campaign_id"), ad_set: Some("id"), ..IDS },
            status: &["status", "serving_status"],
            version: Some("modification_time"),
            ..ENTITIES
        },
    ),
    entities(
        "apple_search_ad_history",
        SOURCE,
        Entities {
            level: AdLevel::Ad,
            ids: Ids {
                account: Some("org_id"),
                campaign: Some("campaign_id"),
                ad_set: Some("ad_group_id"),
                ad: Some("id"),
                ..IDS
            },
            version: Some("modification_time"),
            ..ENTITIES
        },
    ),
    entities(
        "apple_search_keyword_history",
        SOURCE,
        Entities {
            level: AdLevel::Keyword,
            ids: Ids { keyword: &["id"], ..AD_GROUP },
            name: &["text"],
            status: &["status"],
            version: Some("modification_time"),
            ..ENTITIES
        },
    ),
    report(
        "apple_search_campaign_report",
        SOURCE,
        Report { level: AdLevel::Campaign, ids: Ids { campaign: Some("id"), ..IDS }, ..BASE },
    ),
    report("apple_search_ad_group_report", SOURCE, Report { level: AdLevel::AdSet, ids: AD_GROUP, ..BASE }),
    report("apple_search_ad_report", SOURCE, Report { level: AdLevel::Ad, ids: Ids { ad: Some("ad_id"), ..AD_GROUP }, ..BASE }),
    report(
        "apple_search_keyword_report",
        SOURCE,
        Report { level: AdLevel::Keyword, ids: Ids { ad_set: Some("ad_group_id"), keyword: &["id"], ..CAMPAIGN }, ..BASE },
    ),
    report(
        "apple_search_search_term_report",
        SOURCE,
        Report {
            level: AdLevel::AdSet,
            ids: AD_GROUP,
            cut: Some((CutBy::SearchTerm, "search_term_text")),
            name: Some("ad_group_name"),
            ..BASE
        },
    ),
];
