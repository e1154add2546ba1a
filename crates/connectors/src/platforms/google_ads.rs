//! Google Ads. Customers own campaigns of ad groups of ads; a keyword is a criterion of an ad group. `cost_micros` are
//! millionths of the customer's currency. Conversions count by each conversion action's own window and model.

use tributary_core::ads::{AdLevel, CutBy};

use super::{DEFAULT, entities, report};
use crate::table::{Claim, ENTITIES, Entities, IDS, Ids, REPORT, Report, Table, claim, micros, valued, whole};

const SOURCE: &str = "google_ads";

const BASE: Report = Report {
    spend: Some(micros("cost_micros")),
    impressions: &["impressions"],
    clicks: &["clicks"],
    claims: &[
        valued("conversion", whole("conversions"), whole("conversions_value"), DEFAULT, DEFAULT),
        claim("view_through_conversion", whole("view_through_conversions"), DEFAULT, "view"),
    ] as &[Claim],
    ..REPORT
};

const ACCOUNT: Ids = Ids { account: Some("customer_id"), ..IDS };
const CAMPAIGN: Ids = Ids { campaign: Some("campaign_id"), ..ACCOUNT };
const AD_GROUP: Ids = Ids { ad_set: Some("ad_group_id"), ..CAMPAIGN };

pub(crate) const TABLES: &[Table] = &[
    entities(
        "google_ads_account_history",
        SOURCE,
        Entities {
            level: AdLevel::Account,
            ids: Ids { account: Some("id"), ..IDS },
            name: &["descriptive_name"],
            status: &[],
            currency: Some("currency_code"),
            version: Some("updated_at"),
            ..ENTITIES
        },
    ),
    entities(
        "google_ads_campaign_history",
        SOURCE,
        Entities {
            level: AdLevel::Campaign,
            ids: Ids { campaign: Some("id"), ..ACCOUNT },
            status: &["status", "serving_status"],
            version: Some("updated_at"),
            ..ENTITIES
        },
    ),
    entities(
        "google_ads_ad_group_history",
        SOURCE,
        Entities {
            level: AdLevel::AdSet,
            ids: Ids { campaign: Some("campaign_id"), ad_set: Some("id"), ..IDS },
            version: Some("updated_at"),
            ..ENTITIES
        },
    ),
    entities(
        "google_ads_ad_history",
        SOURCE,
        Entities {
            level: AdLevel::Ad,
            ids: Ids { ad_set: Some("ad_group_id"), ad: Some("id"), ..IDS },
            version: Some("updated_at"),
            ..ENTITIES
        },
    ),
    entities(
        "google_ads_ad_group_criterion_history",
        SOURCE,
        Entities {
            level: AdLevel::Keyword,
            ids: Ids { campaign: Some("base_campaign_id"), ad_set: Some("ad_group_id"), keyword: &["ad_group_id", "id"], ..IDS },
            name: &["keyword_text"],
            status: &["status"],
            version: Some("updated_at"),
            ..ENTITIES
        },
    ),
    report("google_ads_account_stats", SOURCE, Report { level: AdLevel::Account, ids: ACCOUNT, ..BASE }),
    report(
        "google_ads_campaign_stats",
        SOURCE,
        Report { level: AdLevel::Campaign, ids: Ids { campaign: Some("id"), ..ACCOUNT }, ..BASE },
    ),
    report(
        "google_ads_ad_group_stats",
        SOURCE,
        Report { level: AdLevel::AdSet, ids: Ids { ad_set: Some("id"), ..CAMPAIGN }, ..BASE },
    ),
    report("google_ads_ad_stats", SOURCE, Report { level: AdLevel::Ad, ids: Ids { ad: Some("ad_id"), ..AD_GROUP }, ..BASE }),
    report(
        "google_ads_keyword_stats",
        SOURCE,
        Report {
            level: AdLevel::Keyword,
            ids: Ids { keyword: &["ad_group_id", "ad_group_criterion_criterion_id"], ..AD_GROUP },
            ..BASE
        },
    ),
    report(
        "google_ads_search_term_keyword_stats",
        SOURCE,
        Report { level: AdLevel::AdSet, ids: AD_GROUP, cut: Some((CutBy::SearchTerm, "search_term")), ..BASE },
    ),
];
