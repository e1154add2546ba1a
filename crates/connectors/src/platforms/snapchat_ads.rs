//! Snapchat. Ad accounts own campaigns of ad squads of ads. `spend` is in millionths, clicks are swipes, and a day has a row
//! per hour; they are summed. No report names a parent, the histories do. Values of purchases are not read: Snapchat's interface
//! counts them in millionths, exports hold decimals, and a wrong guess would be wrong by a million.

use tributary_core::ads::{AdLevel, CutBy};

use super::{DEFAULT, entities, nothing, report};
use crate::table::{Claim, ENTITIES, Entities, IDS, Ids, REPORT, Report, Table, claim, daily, lifetime, micros, whole};

const SOURCE: &str = "snapchat_ads";

const BASE: Report = Report {
    spend: Some(micros("spend")),
    impressions: &["impressions"],
    clicks: &["swipes"],
    claims: &[
        claim("purchase", whole("conversion_purchases"), DEFAULT, DEFAULT),
        claim("sign_up", whole("conversion_sign_ups"), DEFAULT, DEFAULT),
        claim("add_to_cart", whole("conversion_add_cart"), DEFAULT, DEFAULT),
        claim("initiate_checkout", whole("conversion_start_checkout"), DEFAULT, DEFAULT),
        claim("add_payment_info", whole("conversion_add_billing"), DEFAULT, DEFAULT),
        claim("view_content", whole("conversion_view_content"), DEFAULT, DEFAULT),
        claim("page_view", whole("conversion_page_views"), DEFAULT, DEFAULT),
        claim("search", whole("conversion_searches"), DEFAULT, DEFAULT),
        claim("save", whole("conversion_save"), DEFAULT, DEFAULT),
        claim("app_open", whole("conversion_app_opens"), DEFAULT, DEFAULT),
        claim("level_complete", whole("conversion_level_completes"), DEFAULT, DEFAULT),
    ] as &[Claim],
    ..REPORT
};

const ACCOUNT: Ids = Ids { account: Some("ad_account_id"), ..IDS };
const CAMPAIGN: Ids = Ids { campaign: Some("campaign_id"), ..IDS };

pub(crate) const TABLES: &[Table] = &[
    entities(
        "snapchat_ad_account_history",
        SOURCE,
        Entities {
            level: AdLevel::Account,
            ids: Ids { account: Some("id"), ..IDS },
            currency: Some("currency"),
            version: Some("_fivetran_synced"),
            ..ENTITIES
        },
    ),
    entities(
        "snapchat_campaign_history",
        SOURCE,
        Entities {
            level: AdLevel::Campaign,
            ids: Ids { campaign: Some("id"), ..ACCOUNT },
            budgets: &[daily(micros("daily_budget_micro")), lifetime(micros("lifetime_spend_cap_micro"))],
            version: Some("_fivetran_synced"),
            ..ENTITIES
        },
    ),
    entities(
        "snapchat_ad_squad_history",
        SOURCE,
        Entities {
            level: AdLevel::AdSet,
            ids: Ids { campaign: Some("campaign_id"), ad_set: Some("id"), ..IDS },
            budgets: &[daily(micros("daily_budget_micro")), lifetime(micros("lifetime_budget_micro"))],
            version: Some("_fivetran_synced"),
            ..ENTITIES
        },
    ),
    entities(
        "snapchat_ad_history",
        SOURCE,
        Entities {
            level: AdLevel::Ad,
            ids: Ids { ad_set: Some("ad_squad_id"), ad: Some("id"), ..IDS },
            version: Some("_fivetran_synced"),
            ..ENTITIES
        },
    ),
    nothing("snapchat_creative_history", SOURCE, "texts and addresses of ads; the ads themselves are in ad_history"),
    nothing("snapchat_creative_url_tag_history", SOURCE, "tags in the addresses of ads, without figures"),
    report("snapchat_campaign_hourly_report", SOURCE, Report { level: AdLevel::Campaign, ids: CAMPAIGN, ..BASE }),
    report(
        "snapchat_ad_squad_hourly_report",
        SOURCE,
        Report { level: AdLevel::AdSet, ids: Ids { ad_set: Some("ad_squad_id"), ..IDS }, ..BASE },
    ),
    report("snapchat_ad_hourly_report", SOURCE, Report { level: AdLevel::Ad, ids: Ids { ad: Some("ad_id"), ..IDS }, ..BASE }),
    report(
        "snapchat_campaign_geo_country_daily_report",
        SOURCE,
        Report { level: AdLevel::Campaign, ids: CAMPAIGN, cut: Some((CutBy::Country, "country")), ..BASE },
    ),
    report(
        "snapchat_campaign_geo_region_daily_report",
        SOURCE,
        Report { level: AdLevel::Campaign, ids: CAMPAIGN, cut: Some((CutBy::Region, "region")), ..BASE },
    ),
];
