//! Reddit. Accounts own campaigns of ad groups of ads. `spend` is in millionths. A day has a row per region; they are summed.
//! Conversions stand in tables of their own, a row per event, with a column per window.

use tributary_core::ads::{AdLevel, CutBy};

use super::{DEFAULT, entities, report};
use crate::table::{BudgetColumn, Claim, ENTITIES, Entities, Event, IDS, Ids, Period, REPORT, Report, Table, micros, whole};

const SOURCE: &str = "reddit_ads";

const BASE: Report = Report { spend: Some(micros("spend")), impressions: &["impressions"], clicks: &["clicks"], ..REPORT };

const CONVERSIONS: Report = Report {
    claims: &[
        per_event("click_through_conversion_attribution_window_day", "1d_click", "click"),
        per_event("click_through_conversion_attribution_window_week", "7d_click", "click"),
        per_event("click_through_conversion_attribution_window_month", "28d_click", "click"),
        per_event("view_through_conversion_attribution_window_day", "1d_view", "view"),
        per_event("view_through_conversion_attribution_window_week", "7d_view", "view"),
        per_event("view_through_conversion_attribution_window_month", "28d_view", "view"),
        Claim {
            event: Event::Column("event_name"),
            conversions: None,
            value: Some(whole("total_value")),
            window: DEFAULT,
            model: DEFAULT,
        },
    ],
    ..REPORT
};

const fn per_event(column: &'static str, window: &'static str, model: &'static str) -> Claim {
    Claim { event: Event::Column("event_name"), conversions: Some(whole(column)), value: None, window, model }
}

const ACCOUNT: Ids = Ids { account: Some("account_id"), ..IDS };
const CAMPAIGN: Ids = Ids { campaign: Some("campaign_id"), ..ACCOUNT };
const AD_GROUP: Ids = Ids { ad_set: Some("ad_group_id"), ..CAMPAIGN };
const AD: Ids = Ids { ad: Some("ad_id"), ..AD_GROUP };

const ACCOUNTS: Entities =
    Entities { level: AdLevel::Account, ids: Ids { account: Some("id"), ..IDS }, currency: Some("currency"), ..ENTITIES };

const STATUS: &[&str] = &["effective_status", "configured_status"];

pub(crate) const TABLES: &[Table] = &[
    entities("reddit_ads_account", SOURCE, ACCOUNTS),
    entities("reddit_ads_business_account", SOURCE, ACCOUNTS),
    entities(
        "reddit_ads_campaign",
        SOURCE,
        Entities { level: AdLevel::Campaign, ids: Ids { campaign: Some("id"), ..ACCOUNT }, status: STATUS, ..ENTITIES },
    ),
    entities(
        "reddit_ads_ad_group",
        SOURCE,
        Entities {
            level: AdLevel::AdSet,
            ids: Ids { ad_set: Some("id"), ..CAMPAIGN },
            status: STATUS,
            budgets: &[BudgetColumn {
                amount: micros("goal_value"),
                period: Period::Told { column: "goal_type", daily: "daily_spend", lifetime: "lifetime_spend" },
            }],
            ..ENTITIES
        },
    ),
    entities(
        "reddit_ads_ad",
        SOURCE,
        Entities { level: AdLevel::Ad, ids: Ids { ad: Some("id"), ..AD_GROUP }, status: STATUS, ..ENTITIES },
    ),
    report("reddit_ads_account_report", SOURCE, Report { level: AdLevel::Account, ids: ACCOUNT, ..BASE }),
    report("reddit_ads_campaign_report", SOURCE, Report { level: AdLevel::Campaign, ids: CAMPAIGN, ..BASE }),
    report("reddit_ads_ad_group_report", SOURCE, Report { level: AdLevel::AdSet, ids: AD_GROUP, ..BASE }),
    report("reddit_ads_ad_report", SOURCE, Report { level: AdLevel::Ad, ids: AD, ..BASE }),
    report(
        "reddit_ads_campaign_country_report",
        SOURCE,
        Report { level: AdLevel::Campaign, ids: CAMPAIGN, cut: Some((CutBy::Country, "country")), ..BASE },
    ),
    report("reddit_ads_account_conversions", SOURCE, Report { level: AdLevel::Account, ids: ACCOUNT, ..CONVERSIONS }),
    report("reddit_ads_campaign_conversions", SOURCE, Report { level: AdLevel::Campaign, ids: CAMPAIGN, ..CONVERSIONS }),
    report("reddit_ads_ad_group_conversions", SOURCE, Report { level: AdLevel::AdSet, ids: AD_GROUP, ..CONVERSIONS }),
    report("reddit_ads_ad_conversions", SOURCE, Report { level: AdLevel::Ad, ids: AD, ..CONVERSIONS }),
    report(
        "reddit_ads_campaign_country_conversions_report",
        SOURCE,
        Report { level: AdLevel::Campaign, ids: CAMPAIGN, cut: Some((CutBy::Country, "country")), ..CONVERSIONS },
    ),
];
