//! TikTok. Advertisers own campaigns of ad groups of ads. `SPEND` is in the advertiser's currency, a day has a row per hour, and
//! `-` means no value. Reports come with upper-case headers and name no parent; the histories do.

use tributary_core::ads::{AdLevel, CutBy};

use super::{DEFAULT, entities, report};
use crate::table::{BudgetColumn, Claim, ENTITIES, Entities, Event, IDS, Ids, Period, REPORT, Report, Table, claim, whole};

const SOURCE: &str = "tiktok_ads";

const BASE: Report = Report {
    date: "stat_time_hour",
    spend: Some(whole("spend")),
    impressions: &["impressions"],
    clicks: &["clicks"],
    claims: &[
        claim("conversion", whole("conversion"), DEFAULT, DEFAULT),
        // By the day of the conversion, where `conversion` goes by the day of the ad's delivery.
        claim("real_time_conversion", whole("real_time_conversion"), DEFAULT, DEFAULT),
        worth("purchase", "total_purchase_value"),
        worth("lead", "total_sales_lead_value"),
    ],
    ..REPORT
};

const fn worth(event: &'static str, column: &'static str) -> Claim {
    Claim { event: Event::Named(event), conversions: None, value: Some(whole(column)), window: DEFAULT, model: DEFAULT }
}

const ACCOUNT: Ids = Ids { account: Some("advertiser_id"), ..IDS };
const CAMPAIGN: Ids = Ids { campaign: Some("campaign_id"), ..ACCOUNT };
const AD_GROUP: Ids = Ids { ad_set: Some("adgroup_id"), ..CAMPAIGN };

const BUDGETS: &[BudgetColumn] = &[BudgetColumn {
    amount: whole("budget"),
    period: Period::Told { column: "budget_mode", daily: "budget_mode_day", lifetime: "budget_mode_total" },
}];

const STATUS: &[&str] = &["secondary_status", "operation_status"];

pub(crate) const TABLES: &[Table] = &[
    entities(
        "tiktok_advertiser",
        SOURCE,
        Entities { level: AdLevel::Account, ids: Ids { account: Some("id"), ..IDS }, currency: Some("currency"), ..ENTITIES },
    ),
    entities(
        "tiktok_campaign_history",
        SOURCE,
        Entities {
            level: AdLevel::Campaign,
            ids: CAMPAIGN,
            name: &["campaign_name"],
            status: STATUS,
            budgets: BUDGETS,
            version: Some("updated_at"),
            ..ENTITIES
        },
    ),
    entities(
        "tiktok_adgroup_history",
        SOURCE,
        Entities {
            level: AdLevel::AdSet,
            ids: AD_GROUP,
            name: &["adgroup_name"],
            status: STATUS,
            budgets: BUDGETS,
            version: Some("updated_at"),
            ..ENTITIES
        },
    ),
    entities(
        "tiktok_ad_history",
        SOURCE,
        Entities {
            level: AdLevel::Ad,
            ids: Ids { ad: Some("ad_id"), ..AD_GROUP },
            name: &["ad_name"],
            status: STATUS,
            version: Some("updated_at"),
            ..ENTITIES
        },
    ),
    report("tiktok_campaign_report_hourly", SOURCE, Report { level: AdLevel::Campaign, ids: CAMPAIGN, ..BASE }),
    report("tiktok_adgroup_report_hourly", SOURCE, Report { level: AdLevel::AdSet, ids: AD_GROUP, ..BASE }),
    report("tiktok_ad_report_hourly", SOURCE, Report { level: AdLevel::Ad, ids: Ids { ad: Some("ad_id"), ..AD_GROUP }, ..BASE }),
    report(
        "tiktok_campaign_country_report",
        SOURCE,
        Report {
            level: AdLevel::Campaign,
            ids: CAMPAIGN,
            date: "stat_time_day",
            cut: Some((CutBy::Country, "country_code")),
            ..BASE
        },
    ),
];
