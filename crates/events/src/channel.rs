//! Channels: the traffic source a visit is credited to, one slug out of source and medium.
//!
//! The slugs of platforms are Cometly's (its documentation of sources); what it does not name (`other_ads`, `other`) is ours.

/// Nothing tells where the visit came from, or it came from the site's own pages.
pub const DIRECT: &str = "direct";
/// A mailing or a web mailer.
pub const EMAIL: &str = "email";
/// A link on another site.
pub const REFERRAL: &str = "referral";
/// Paid for, on a platform without a slug.
pub const OTHER_ADS: &str = "other_ads";
/// Tagged by the sender with words that say nothing of the above.
pub const OTHER: &str = "other";

/// Traffic that was paid for, as `utm_medium` says it. The first five are documented by Millimetric; `ads` and the others are
/// what the same people write instead. Any word beginning with `paid` counts too.
pub const PAID_MEDIA: &[&str] = &["cpc", "paid", "cpm", "display", "ppc", "cpv", "cpa", "ads", "retargeting", "remarketing"];

/// Whether a medium says that the visit was paid for.
pub fn is_paid_medium(medium: &str) -> bool {
    PAID_MEDIA.contains(&medium) || medium.starts_with("paid")
}

/// A platform with slugs of its own.
struct Platform {
    /// What `source` may call it; first what the classifier calls it.
    names: &'static [&'static str],
    ads: &'static str,
    organic: &'static str,
}

macro_rules! platforms {
    ($($ads:literal $organic:literal $($name:literal)+;)*) => {
        const PLATFORMS: &[Platform] = &[$(Platform { names: &[$($name),+], ads: $ads, organic: $organic }),*];
    };
}

platforms! {
    "facebook_ads" "facebook_organic" "facebook" "fb" "meta" "facebook.com";
    "google_ads" "google_organic" "google" "adwords" "googleads" "google_ads" "google.com";
    "linkedin_ads" "linkedin_organic" "linkedin" "linkedin.com";
    "tiktok_ads" "tiktok_organic" "tiktok" "tiktok.com";
    "youtube_ads" "youtube_organic" "youtube" "yt" "youtube.com";
    "instagram_ads" "instagram_organic" "instagram" "ig" "instagram.com";
    "bing_ads" "bing_organic" "bing" "microsoft" "bing.com";
    "yahoo_ads" "yahoo_organic" "yahoo" "yahoo.com";
    "pinterest_ads" "pinterest_organic" "pinterest" "pinterest.com";
    "reddit_ads" "reddit_organic" "reddit" "reddit.com";
    "snapchat_ads" "snapchat_organic" "snapchat" "snap" "snapchat.com";
    "telegram_ads" "telegram_organic" "telegram" "t.me";
    "twitch_ads" "twitch_organic" "twitch" "twitch.tv";
    "x_ads" "x_organic" "twitter" "x" "x.com" "twitter.com" "t.co";
    "quora_ads" "quora_organic" "quora" "quora.com";
    "duckduckgo_ads" "duckduckgo_organic" "duckduckgo" "duckduckgo.com";
    // Nothing is known of ads on these.
    "other_ads" "messenger_organic" "messenger" "messenger.com";
    "other_ads" "brave_organic" "brave" "search.brave.com";
    "other_ads" "threads_organic" "threads" "threads.net" "threads.com";
}

/// The platform a lower-case word names, as classified sources call it: `facebook` for `fb`.
pub fn platform(word: &str) -> Option<&'static str> {
    let named = PLATFORMS.iter().find(|platform| platform.names.contains(&word))?;
    named.names.first().copied()
}

/// Every slug [`channel`] can give.
pub fn slugs() -> impl Iterator<Item = &'static str> {
    let ads = PLATFORMS.iter().map(|platform| platform.ads).filter(|slug| *slug != OTHER_ADS);
    ads.chain(PLATFORMS.iter().map(|platform| platform.organic)).chain([EMAIL, REFERRAL, DIRECT, OTHER_ADS, OTHER])
}

/// The channel of a visit with this classified source and medium, both in lower case. The first that fits: direct (the site's
/// own pages count as direct), paid, email, a platform, a referral.
pub fn channel(source: &str, medium: &str) -> &'static str {
    if matches!(source, "direct" | "(direct)" | "internal") {
        return DIRECT;
    }
    let platform = PLATFORMS.iter().find(|platform| platform.names.contains(&source));
    if is_paid_medium(medium) {
        return platform.map_or(OTHER_ADS, |platform| platform.ads);
    }
    let is_mail = |word: &str| word.contains("email") || matches!(word, "e-mail" | "mail" | "newsletter");
    if is_mail(source) || is_mail(medium) {
        return EMAIL;
    }
    match platform {
        Some(platform) => platform.organic,
        None if medium == REFERRAL => REFERRAL,
        None => OTHER,
    }
}

/// Whether visits of this channel are direct: "last non-direct" passes over them.
pub fn is_direct(channel: &str) -> bool {
    channel == DIRECT
}

/// Whether visits of this channel were paid for.
pub fn is_paid(channel: &str) -> bool {
    channel.ends_with("_ads")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_has_one_channel() {
        for (source, medium, expected) in [
            ("direct", "direct", "direct"),
            ("(direct)", "(none)", "direct"),
            ("internal", "direct", "direct"),
            ("google", "paid", "google_ads"),
            ("google", "cpc", "google_ads"),
            ("google", "organic", "google_organic"),
            ("facebook", "paid_social", "facebook_ads"),
            ("facebook", "social", "facebook_organic"),
            ("fb", "unknown", "facebook_organic"),
            ("twitter", "paid", "x_ads"),
            ("newsletter", "email", "email"),
            ("newsletter", "unknown", "email"),
            ("mailchimp", "email", "email"),
            ("brave", "organic", "brave_organic"),
            ("brave", "cpc", "other_ads"),
            ("unknown", "paid", "other_ads"),
            ("partner.example", "referral", "referral"),
            ("chatgpt", "referral", "referral"),
            ("podcast", "unknown", "other"),
        ] {
            assert_eq!(channel(source, medium), expected, "{source} / {medium}");
            assert!(slugs().any(|slug| slug == expected), "{expected} is listed");
        }
    }

    #[test]
    fn words_name_platforms_as_sources_do() {
        for (word, expected) in [
            ("fb", Some("facebook")),
            ("meta", Some("facebook")),
            ("ig", Some("instagram")),
            ("google", Some("google")),
            ("x", Some("twitter")),
            ("t.co", Some("twitter")),
            ("podcast", None),
            ("", None),
        ] {
            assert_eq!(platform(word), expected, "{word}");
        }
    }

    #[test]
    fn slugs_are_listed_once_and_say_what_was_paid_for() {
        let mut all: Vec<_> = slugs().collect();
        assert_eq!(all.len(), 16 + 19 + 5);
        assert_eq!(all.iter().filter(|slug| is_paid(slug)).count(), 17);
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 16 + 19 + 5);
    }
}
