//! Click ids: URL parameters that ad platforms add to the links they sell.

/// One click id.
#[derive(Debug, PartialEq, Eq)]
pub struct ClickId {
    /// The parameter's name as the platform writes it; compared without case, since mailers and servers change it.
    pub parameter: &'static str,
    /// The source it names.
    pub source: &'static str,
    /// The rule id stored with the event.
    pub rule_id: &'static str,
}

macro_rules! click_ids {
    ($($parameter:literal $source:literal $rule_id:literal;)*) => {
        /// Parameters that only ads carry, in the order they are asked. The first four are the documented rules 1 to 4; the
        /// rest follow the table in `tests/data/channels/click_ids.csv`, column `means_paid`.
        pub const CLICK_IDS: &[ClickId] =
            &[$(ClickId { parameter: $parameter, source: $source, rule_id: $rule_id }),*];
    };
}

click_ids! {
    "gclid" "google" "gclid";
    "msclkid" "bing" "msclkid";
    "ttclid" "tiktok" "ttclid";
    "li_fat_id" "linkedin" "li_fat_id";
    "gbraid" "google" "gbraid";
    "wbraid" "google" "wbraid";
    "dclid" "google" "dclid";
    "twclid" "twitter" "twclid";
    "rdt_cid" "reddit" "rdt_cid";
    "ScCid" "snapchat" "sccid";
    "yclid" "yandex" "yclid";
    "qclid" "quora" "qclid";
    "tblci" "taboola" "tblci";
    "dicbo" "outbrain" "dicbo";
    "ndclid" "nextdoor" "ndclid";
    "irclickid" "impact" "irclickid";
    "cjevent" "cj" "cjevent";
    "awc" "awin" "awc";
    "ranSiteID" "rakuten" "ransiteid";
    "gad_source" "google" "gad_source";
    "gad_campaignid" "google" "gad_campaignid";
}

/// Parameters kept with a URL though they prove nothing paid.
const UNPAID: &[&str] = &["fbclid", "gclsrc", "srsltid", "epik", "igshid", "mc_cid", "_hsmi"];

/// Whether a parameter is a click id, paid or not: such parameters stay in stored URLs.
pub fn is_click_id(parameter: &str) -> bool {
    UNPAID.iter().any(|known| known.eq_ignore_ascii_case(parameter)) || find_click_id(parameter).is_some()
}

/// The click id with this parameter name.
pub fn find_click_id(parameter: &str) -> Option<&'static ClickId> {
    CLICK_IDS.iter().find(|known| known.parameter.eq_ignore_ascii_case(parameter))
}
