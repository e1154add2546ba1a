//! X, formerly Twitter. Accounts own campaigns of line items of promoted tweets. Spend is `billed_charge_local_micro`, in
//! millionths. A day has a row per placement; they are summed. Values of conversions are not read: the export does not state
//! their unit.

use tributary_core::ads::{AdLevel, CutBy};

use super::{DEFAULT, entities, nothing, report};
use crate::table::{Claim, ENTITIES, Entities, IDS, Ids, REPORT, Report, Table, claim, daily, lifetime, micros, whole};

const SOURCE: &str = "x_ads";

const BASE: Report = Report {
    spend: Some(micros("billed_charge_local_micro")),
    impressions: &["impressions"],
    clicks: &["clicks"],
    link_clicks: &["url_clicks"],
    claims: &[
        claim("purchase", whole("conversion_purchases_metric"), DEFAULT, DEFAULT),
        claim("purchase", whole("conversion_purchases_post_engagement"), DEFAULT, "click"),
        claim("purchase", whole("conversion_purchases_post_view"), DEFAULT, "view"),
        claim("sign_up", whole("conversion_sign_ups_metric"), DEFAULT, DEFAULT),
        claim("sign_up", whole("conversion_sign_ups_post_engagement"), DEFAULT, "click"),
        claim("sign_up", whole("conversion_sign_ups_post_view"), DEFAULT, "view"),
        claim("site_visit", whole("conversion_site_visits_metric"), DEFAULT, DEFAULT),
        claim("download", whole("conversion_downloads_metric"), DEFAULT, DEFAULT),
        claim("custom", whole("conversion_custom_metric"), DEFAULT, DEFAULT),
    ] as &[Claim],
    ..REPORT
};

const ACCOUNT: Ids = Ids { account: Some("account_id"), ..IDS };
const CAMPAIGN: Ids = Ids { campaign: Some("campaign_id"), ..ACCOUNT };
const LINE_ITEM: Ids = Ids { ad_set: Some("line_item_id"), ..CAMPAIGN };

pub(crate) const TABLES: &[Table] = &[
    entities(
        "twitter_account_history",
        SOURCE,
        Entities {
            level: AdLevel::Account,
            ids: Ids { account: Some("id"), ..IDS },
            status: &["approval_status"],
            version: Some("updated_at"),
            ..ENTITIES
        },
    ),
    entities(
        "twitter_campaign_history",
        SOURCE,
        Entities {
            level: AdLevel::Campaign,
            ids: Ids { campaign: Some("id"), ..ACCOUNT },
            currency: Some("currency"),
            status: &["entity_status"],
            budgets: &[daily(micros("daily_budget_amount_local_micro")), lifetime(micros("total_budget_amount_local_micro"))],
            version: Some("updated_at"),
            ..ENTITIES
        },
    ),
    entities(
        "twitter_line_item_history",
        SOURCE,
        Entities {
            level: AdLevel::AdSet,
            ids: Ids { campaign: Some("campaign_id"), ad_set: Some("id"), ..IDS },
            currency: Some("currency"),
            status: &["entity_status"],
            budgets: &[lifetime(micros("total_budget_amount_local_micro"))],
            version: Some("updated_at"),
            ..ENTITIES
        },
    ),
    entities(
        "twitter_promoted_tweet_history",
        SOURCE,
        Entities {
            level: AdLevel::Ad,
            ids: Ids { ad_set: Some("line_item_id"), ad: Some("id"), ..IDS },
            name: &[],
            status: &["entity_status", "approval_status"],
            version: Some("updated_at"),
            ..ENTITIES
        },
    ),
    nothing("twitter_tweet", SOURCE, "texts of tweets; what was promoted is in promoted_tweet_history"),
    nothing("twitter_tweet_url", SOURCE, "addresses in tweets, without figures"),
    nothing("twitter_account_report", SOURCE, "impressions and engagements of accounts without spend; campaign_report has both"),
    report("twitter_campaign_report", SOURCE, Report { level: AdLevel::Campaign, ids: CAMPAIGN, ..BASE }),
    report("twitter_line_item_report", SOURCE, Report { level: AdLevel::AdSet, ids: LINE_ITEM, ..BASE }),
    report(
        "twitter_promoted_tweet_report",
        SOURCE,
        Report { level: AdLevel::Ad, ids: Ids { ad: Some("promoted_tweet_id"), ..LINE_ITEM }, ..BASE },
    ),
    report(
        "twitter_line_item_keywords_report",
        SOURCE,
        Report { level: AdLevel::Keyword, ids: Ids { keyword: &["line_item_id", "segment"], ..LINE_ITEM }, ..BASE },
    ),
    report(
        "twitter_campaign_locations_report",
        SOURCE,
        Report { level: AdLevel::Campaign, ids: CAMPAIGN, cut: Some((CutBy::Country, "segment")), ..BASE },
    ),
    report(
        "twitter_campaign_regions_report",
        SOURCE,
        Report { level: AdLevel::Campaign, ids: CAMPAIGN, cut: Some((CutBy::Region, "segment")), ..BASE },
    ),
];
