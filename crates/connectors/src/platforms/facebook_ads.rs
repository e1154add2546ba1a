//! Meta. Accounts own campaigns of ad sets of ads. `spend` is a decimal number in the account's currency, which these tables
//! do not name. Clicks are inline link clicks: the basic reports carry no other.

use tributary_core::ads::{AdLevel, CutBy};

use super::{DEFAULT, entities, nothing, report};
use crate::table::{Claim, ENTITIES, Entities, Event, IDS, Ids, REPORT, Report, Table, whole};

const SOURCE: &str = "facebook_ads";

const BASE: Report = Report {
    spend: Some(whole("spend")),
    impressions: &["impressions"],
    clicks: &["inline_link_clicks"],
    link_clicks: &["inline_link_clicks"],
    ..REPORT
};

const ACCOUNT: Ids = Ids { account: Some("account_id"), ..IDS };
const AD: Ids = Ids { ad: Some("ad_id"), ..ACCOUNT };

/// A row per action; `value` counts by the ad set's own window, the other columns by the window they name.
const ACTIONS: &[Claim] = &[
    action("value", DEFAULT, DEFAULT),
    action("_1_d_click", "1d_click", "click"),
    action("_7_d_click", "7d_click", "click"),
    action("_28_d_click", "28d_click", "click"),
    action("_1_d_view", "1d_view", "view"),
    action("_7_d_view", "7d_view", "view"),
    action("_28_d_view", "28d_view", "view"),
];

/// The same columns where they hold money.
const VALUES: &[Claim] = &[
    value("value", DEFAULT, DEFAULT),
    value("_1_d_click", "1d_click", "click"),
    value("_7_d_click", "7d_click", "click"),
    value("_28_d_click", "28d_click", "click"),
    value("_1_d_view", "1d_view", "view"),
    value("_7_d_view", "7d_view", "view"),
    value("_28_d_view", "28d_view", "view"),
];

const fn action(column: &'static str, window: &'static str, model: &'static str) -> Claim {
    Claim { event: Event::Column("action_type"), conversions: Some(whole(column)), value: None, window, model }
}

const fn value(column: &'static str, window: &'static str, model: &'static str) -> Claim {
    Claim { event: Event::Column("action_type"), conversions: None, value: Some(whole(column)), window, model }
}

const PART_UNKNOWN: &str = "conversions of parts of a day whose country or region stands in another table; those of the whole day are in basic_ad_actions";

pub(crate) const TABLES: &[Table] = &[
    entities(
        "facebook_ads_account_history",
        SOURCE,
        Entities {
            level: AdLevel::Account,
            ids: Ids { account: Some("id"), ..IDS },
            status: &["account_status"],
            currency: Some("currency"),
            version: Some("_fivetran_synced"),
            ..ENTITIES
        },
    ),
    entities(
        "facebook_ads_campaign_history",
        SOURCE,
        Entities {
            level: AdLevel::Campaign,
            ids: Ids { campaign: Some("id"), ..ACCOUNT },
            version: Some("updated_time"),
            ..ENTITIES
        },
    ),
    entities(
        "facebook_ads_ad_set_history",
        SOURCE,
        Entities {
            level: AdLevel::AdSet,
            ids: Ids { campaign: Some("campaign_id"), ad_set: Some("id"), ..ACCOUNT },
            version: Some("updated_time"),
            ..ENTITIES
        },
    ),
    entities(
        "facebook_ads_ad_history",
        SOURCE,
        Entities {
            level: AdLevel::Ad,
            ids: Ids { campaign: Some("campaign_id"), ad_set: Some("ad_set_id"), ad: Some("id"), ..ACCOUNT },
            version: Some("updated_time"),
            ..ENTITIES
        },
    ),
    nothing("facebook_ads_creative_history", SOURCE, "texts and pictures of ads; the ads themselves are in ad_history"),
    report("facebook_ads_basic_ad", SOURCE, Report { level: AdLevel::Ad, ids: AD, ..BASE }),
    report("facebook_ads_basic_ad_actions", SOURCE, Report { level: AdLevel::Ad, ids: AD, claims: ACTIONS, ..REPORT }),
    report("facebook_ads_basic_ad_action_values", SOURCE, Report { level: AdLevel::Ad, ids: AD, claims: VALUES, ..REPORT }),
    report(
        "facebook_ads_demographics_country",
        SOURCE,
        Report { level: AdLevel::Account, ids: ACCOUNT, cut: Some((CutBy::Country, "country")), ..BASE },
    ),
    report(
        "facebook_ads_demographics_region",
        SOURCE,
        Report { level: AdLevel::Account, ids: ACCOUNT, cut: Some((CutBy::Region, "region")), ..BASE },
    ),
    nothing("facebook_ads_demographics_country_actions", SOURCE, PART_UNKNOWN),
    nothing("facebook_ads_demographics_region_actions", SOURCE, PART_UNKNOWN),
];
