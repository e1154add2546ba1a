//! LinkedIn. Its campaign group stands where others have the campaign, its campaign where others have the ad set, its
//! creative is the ad. `cost_in_local_currency` is in the account's currency; the dollars beside it are not read.

use tributary_core::ads::AdLevel;

use super::{DEFAULT, entities, nothing, report};
use crate::table::{Claim, ENTITIES, Entities, IDS, Ids, REPORT, Report, Table, claim, daily, lifetime, valued, whole};

const SOURCE: &str = "linkedin_ads";

const BASE: Report = Report {
    date: "day",
    spend: Some(whole("cost_in_local_currency")),
    impressions: &["impressions"],
    clicks: &["clicks"],
    link_clicks: &["landing_page_clicks"],
    claims: &[
        valued(
            "conversion",
            whole("external_website_conversions"),
            whole("conversion_value_in_local_currency"),
            DEFAULT,
            DEFAULT,
        ),
        claim("conversion", whole("external_website_post_click_conversions"), DEFAULT, "click"),
        claim("conversion", whole("external_website_post_view_conversions"), DEFAULT, "view"),
        claim("lead", whole("one_click_leads"), DEFAULT, DEFAULT),
    ] as &[Claim],
    ..REPORT
};

const BY_MONTH: &str = "figures of whole months, which no day can be given; those of days are in ad_analytics_by_campaign";

pub(crate) const TABLES: &[Table] = &[
    entities(
        "linkedin_ad_account_history",
        SOURCE,
        Entities {
            level: AdLevel::Account,
            ids: Ids { account: Some("id"), ..IDS },
            currency: Some("currency"),
            version: Some("last_modified_time"),
            ..ENTITIES
        },
    ),
    entities(
        "linkedin_ad_campaign_group_history",
        SOURCE,
        Entities {
            level: AdLevel::Campaign,
            ids: Ids { account: Some("account_id"), campaign: Some("id"), ..IDS },
            version: Some("last_modified_time"),
            ..ENTITIES
        },
    ),
    entities(
        "linkedin_ad_campaign_history",
        SOURCE,
        Entities {
            level: AdLevel::AdSet,
            ids: Ids { account: Some("account_id"), campaign: Some("campaign_group_id"), ad_set: Some("id"), ..IDS },
            budgets: &[daily(whole("daily_budget_amount")), lifetime(whole("total_budget_amount"))],
            version: Some("last_modified_time"),
            ..ENTITIES
        },
    ),
    entities(
        "linkedin_ad_creative_history",
        SOURCE,
        Entities {
            level: AdLevel::Ad,
            ids: Ids { ad_set: Some("campaign_id"), ad: Some("id"), ..IDS },
            status: &["intended_status"],
            version: Some("last_modified_at"),
            ..ENTITIES
        },
    ),
    report(
        "linkedin_ad_analytics_by_campaign",
        SOURCE,
        Report { level: AdLevel::AdSet, ids: Ids { ad_set: Some("campaign_id"), ..IDS }, ..BASE },
    ),
    report(
        "linkedin_ad_analytics_by_creative",
        SOURCE,
        Report { level: AdLevel::Ad, ids: Ids { ad: Some("creative_id"), ..IDS }, ..BASE },
    ),
    nothing("linkedin_geo", SOURCE, "a dictionary of places without figures"),
    nothing("linkedin_monthly_ad_analytics_by_member_country", SOURCE, BY_MONTH),
    nothing("linkedin_monthly_ad_analytics_by_member_region", SOURCE, BY_MONTH),
];
