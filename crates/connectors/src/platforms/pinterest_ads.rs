//! Pinterest. Advertisers own campaigns of ad groups of pin promotions. `_1` columns are paid, `_2` columns earned; both count,
//! as in Pinterest's own totals. Micro-dollars are millionths of the account's currency, whatever it is. Clicks are outbound.

use tributary_core::ads::AdLevel;

use super::{DEFAULT, entities, nothing, report};
use crate::table::{Claim, ENTITIES, Entities, IDS, Ids, REPORT, Report, Table, daily, lifetime, micros, valued, whole};

const SOURCE: &str = "pinterest_ads";

const BASE: Report = Report {
    spend: Some(micros("spend_in_micro_dollar")),
    impressions: &["impression_1", "impression_2"],
    clicks: &["clickthrough_1", "clickthrough_2"],
    claims: &[valued(
        "conversion",
        whole("total_conversions"),
        micros("total_conversions_value_in_micro_dollar"),
        DEFAULT,
        DEFAULT,
    )] as &[Claim],
    ..REPORT
};

const ACCOUNT: Ids = Ids { account: Some("advertiser_id"), ..IDS };
const CAMPAIGN: Ids = Ids { campaign: Some("campaign_id"), ..ACCOUNT };
const AD_GROUP: Ids = Ids { ad_set: Some("ad_group_id"), ..CAMPAIGN };
const AD: Ids = Ids { ad: Some("pin_promotion_id"), ..AD_GROUP };

pub(crate) const TABLES: &[Table] = &[
    entities(
        "pinterest_advertiser_history",
        SOURCE,
        Entities {
            level: AdLevel::Account,
            ids: Ids { account: Some("id"), ..IDS },
            currency: Some("currency"),
            version: Some("updated_time"),
            ..ENTITIES
        },
    ),
    entities(
        "pinterest_campaign_history",
        SOURCE,
        Entities {
            level: AdLevel::Campaign,
            ids: Ids { campaign: Some("id"), ..ACCOUNT },
            budgets: &[daily(micros("daily_spend_cap")), lifetime(micros("lifetime_spend_cap"))],
            version: Some("_fivetran_synced"),
            ..ENTITIES
        },
    ),
    entities(
        "pinterest_ad_group_history",
        SOURCE,
        Entities {
            level: AdLevel::AdSet,
            ids: Ids { account: Some("ad_account_id"), campaign: Some("campaign_id"), ad_set: Some("id"), ..IDS },
            version: Some("_fivetran_synced"),
            ..ENTITIES
        },
    ),
    entities(
        "pinterest_pin_promotion_history",
        SOURCE,
        Entities {
            level: AdLevel::Ad,
            ids: Ids { account: Some("ad_account_id"), ad_set: Some("ad_group_id"), ad: Some("id"), ..IDS },
            version: Some("_fivetran_synced"),
            ..ENTITIES
        },
    ),
    entities(
        "pinterest_keyword_history",
        SOURCE,
        Entities {
            level: AdLevel::Keyword,
            ids: Ids { keyword: &["ad_group_id", "id"], ..AD_GROUP },
            name: &["value"],
            status: &[],
            version: None,
            ..ENTITIES
        },
    ),
    nothing("pinterest_targeting_geo", SOURCE, "a dictionary of countries without figures"),
    nothing("pinterest_targeting_geo_region", SOURCE, "a dictionary of regions without figures"),
    report("pinterest_advertiser_report", SOURCE, Report { level: AdLevel::Account, ids: ACCOUNT, ..BASE }),
    report(
        "pinterest_campaign_report",
        SOURCE,
        Report { level: AdLevel::Campaign, ids: CAMPAIGN, name: Some("campaign_name"), ..BASE },
    ),
    report(
        "pinterest_ad_group_report",
        SOURCE,
        Report { level: AdLevel::AdSet, ids: AD_GROUP, name: Some("ad_group_name"), ..BASE },
    ),
    report("pinterest_pin_promotion_report", SOURCE, Report { level: AdLevel::Ad, ids: AD, ..BASE }),
    report(
        "pinterest_keyword_report",
        SOURCE,
        Report { level: AdLevel::Keyword, ids: Ids { keyword: &["ad_group_id", "keyword_id"], ..AD }, ..BASE },
    ),
    nothing(
        "pinterest_pin_promotion_targeting_report",
        SOURCE,
        "one spend under every targeting that matched it, so its rows add up to no day; days are in pin_promotion_report",
    ),
];
