//! Microsoft Advertising, whose source slug is `bing_ads`. A day has a row per device, network and match type; they are
//! summed. `spend` is in the currency's unit. `conversions_qualified` are Microsoft's fractional successor of `conversions`.

use tributary_core::ads::{AdLevel, CutBy};

use super::{DEFAULT, entities, report};
use crate::table::{Claim, ENTITIES, Entities, IDS, Ids, REPORT, Report, Table, claim, valued, whole};

const SOURCE: &str = "bing_ads";

const BASE: Report = Report {
    currency: Some("currency_code"),
    spend: Some(whole("spend")),
    impressions: &["impressions"],
    clicks: &["clicks"],
    claims: &[
        valued("conversion", whole("conversions"), whole("revenue"), DEFAULT, DEFAULT),
        claim("conversion_qualified", whole("conversions_qualified"), DEFAULT, DEFAULT),
        valued("all_conversions", whole("all_conversions"), whole("all_revenue"), DEFAULT, DEFAULT),
        claim("all_conversions_qualified", whole("all_conversions_qualified"), DEFAULT, DEFAULT),
    ] as &[Claim],
    ..REPORT
};

const ACCOUNT: Ids = Ids { account: Some("account_id"), ..IDS };
const CAMPAIGN: Ids = Ids { campaign: Some("campaign_id"), ..ACCOUNT };
const AD_GROUP: Ids = Ids { ad_set: Some("ad_group_id"), ..CAMPAIGN };
const AD: Ids = Ids { ad: Some("ad_id"), ..AD_GROUP };

pub(crate) const TABLES: &[Table] = &[
    entities(
        "microsoft_ads_account_history",
        SOURCE,
        Entities {
            level: AdLevel::Account,
            ids: Ids { account: Some("id"), ..IDS },
            currency: Some("currency_code"),
            version: Some("last_modified_time"),
            ..ENTITIES
        },
    ),
    entities(
        "microsoft_ads_campaign_history",
        SOURCE,
        Entities {
            level: AdLevel::Campaign,
            ids: Ids { campaign: Some("id"), ..ACCOUNT },
            version: Some("modified_time"),
            ..ENTITIES
        },
    ),
    entities(
        "microsoft_ads_ad_group_history",
        SOURCE,
        Entities {
            level: AdLevel::AdSet,
            ids: Ids { campaign: Some("campaign_id"), ad_set: Some("id"), ..IDS },
            version: Some("modified_time"),
            ..ENTITIES
        },
    ),
    entities(
        "microsoft_ads_ad_history",
        SOURCE,
        Entities {
            level: AdLevel::Ad,
            ids: Ids { ad_set: Some("ad_group_id"), ad: Some("id"), ..IDS },
            name: &["title", "title_part_1"],
            version: Some("modified_time"),
            ..ENTITIES
        },
    ),
    entities(
        "microsoft_ads_keyword_history",
        SOURCE,
        Entities {
            level: AdLevel::Keyword,
            ids: Ids { ad_set: Some("ad_group_id"), keyword: &["id"], ..IDS },
            name: &["name"],
            status: &["status"],
            version: Some("modified_time"),
            ..ENTITIES
        },
    ),
    report("microsoft_ads_account_performance_daily_report", SOURCE, Report { level: AdLevel::Account, ids: ACCOUNT, ..BASE }),
    report("microsoft_ads_campaign_performance_daily_report", SOURCE, Report { level: AdLevel::Campaign, ids: CAMPAIGN, ..BASE }),
    report("microsoft_ads_ad_group_performance_daily_report", SOURCE, Report { level: AdLevel::AdSet, ids: AD_GROUP, ..BASE }),
    report("microsoft_ads_ad_performance_daily_report", SOURCE, Report { level: AdLevel::Ad, ids: AD, ..BASE }),
    report(
        "microsoft_ads_keyword_performance_daily_report",
        SOURCE,
        Report { level: AdLevel::Keyword, ids: Ids { keyword: &["keyword_id"], ..AD }, ..BASE },
    ),
    report(
        "microsoft_ads_search_performance_daily_report",
        SOURCE,
        Report { level: AdLevel::Ad, ids: AD, cut: Some((CutBy::SearchTerm, "search_query")), currency: None, ..BASE },
    ),
    report(
        "microsoft_ads_geographic_performance_daily_report",
        SOURCE,
        Report { level: AdLevel::AdSet, ids: AD_GROUP, cut: Some((CutBy::Country, "country")), ..BASE },
    ),
];
