//! Which ad brought a visit, out of the parameters of its address.
//!
//! Names are those of Cometly's tracking templates (`comet_*`), of Google's and Meta's own templates and of HubSpot's (`hsa_*`).
//! Untyped `utm_*` parameters count only where their value looks like a platform's id.

use tributary_core::ads::AdLevel;

/// Parameters that hold an id and nothing else, the first one with a value wins; then one that may.
struct Parameters {
    ids: &'static [&'static str],
    maybe: &'static str,
}

/// A number of fewer digits is hardly a platform's id.
const FEWEST_DIGITS: usize = 6;
/// Longer values are no ids.
const MOST_CHARS: usize = 128;

/// `None` for levels that no template writes into an address.
fn parameters(level: AdLevel) -> Option<Parameters> {
    Some(match level {
        AdLevel::Campaign => Parameters {
            ids: &["comet_campaign", "campaign_id", "campaignid", "gad_campaignid", "hsa_cam", "utm_id"],
            maybe: "utm_campaign",
        },
        AdLevel::AdSet => {
            Parameters { ids: &["comet_ad_group", "adset_id", "adgroup_id", "adgroupid", "hsa_grp"], maybe: "utm_term" }
        }
        AdLevel::Ad => Parameters { ids: &["comet_ad_id", "ad_id", "creative_id", "hsa_ad"], maybe: "utm_content" },
        AdLevel::Account | AdLevel::Keyword => return None,
    })
}

/// The id of the campaign, ad set or ad that the address of a page names.
pub fn ad_parameter(url: &str, level: AdLevel) -> Option<String> {
    let query = url.split_once('?')?.1;
    let query = query.split_once('#').map_or(query, |(query, _)| query);
    let Parameters { ids, maybe } = parameters(level)?;
    // Most addresses name no ad: decoding is for those that do.
    if !query.contains(maybe) && !ids.iter().any(|name| query.contains(name)) {
        return None;
    }
    let mut found: Option<(usize, String)> = None;
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let rank = match ids.iter().position(|id| *id == name) {
            Some(rank) => rank,
            None if name == maybe && value.len() >= FEWEST_DIGITS && value.bytes().all(|byte| byte.is_ascii_digit()) => ids.len(),
            None => continue,
        };
        // A template whose macro was not filled in says nothing.
        let is_value = !value.is_empty() && value.len() <= MOST_CHARS && !value.contains(['{', '}']);
        if is_value && found.as_ref().is_none_or(|(best, _)| rank < *best) {
            found = Some((rank, value.into_owned()));
        }
    }
    found.map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_of_the_platforms_are_read() {
        use AdLevel::{Ad, AdSet, Campaign};
        for (url, level, expected) in [
            ("https://a.example/?comet_source=fb&comet_ad_id=238&comet_placement=feed", Ad, Some("238")),
            ("https://a.example/?comet_source=google&comet_campaign=11&comet_ad_group=22&comet_ad_id=33", Campaign, Some("11")),
            ("https://a.example/?comet_source=google&comet_campaign=11&comet_ad_group=22&comet_ad_id=33", AdSet, Some("22")),
            ("/p?hsa_cam=7&hsa_grp=8&hsa_ad=9#top", AdSet, Some("8")),
            ("/p?utm_campaign=120210000000000001", Campaign, Some("120210000000000001")),
            ("/p?utm_campaign=spring&utm_id=77", Campaign, Some("77")),
            ("/p?utm_campaign=spring", Campaign, None),
            ("/p?utm_campaign=2026", Campaign, None),
            ("/p?ad_id=1&comet_ad_id=2", Ad, Some("2")),
            ("/p?comet_ad_id=&ad_id=1", Ad, Some("1")),
            ("/p?comet_ad_id={{ad.id}}", Ad, None),
            ("/p?comet_ad_id=a%20b", Ad, Some("a b")),
            ("/p#?comet_ad_id=1", Ad, Some("1")),
            ("/p?x=1#comet_ad_id=1", Ad, None),
            ("/p", Ad, None),
            ("", Ad, None),
        ] {
            assert_eq!(ad_parameter(url, level).as_deref(), expected, "{url} {level:?}");
        }
    }
}
