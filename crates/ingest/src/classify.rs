//! The attribution classifier: an ordered list of rules, the first that fires wins. Pure and deterministic.
//!
//! Rules 1 to 20 and their order are Millimetric's documented ones (spec section 4.2); those with a letter are additions of
//! ours, placed where they cannot change what a documented rule decides except as `docs/classification.md` says. Rules 4b to
//! 4e fire only where a parameter of Cometly's does.

mod click_ids;
mod evidence;
mod referrers;

use tributary_core::event::Confidence::{self, High, Low, Medium};
use url::Url;

pub use click_ids::{CLICK_IDS, ClickId, is_click_id};
use evidence::{Evidence, Network};
pub(crate) use evidence::{Linking, Tags};
pub use referrers::{Kind, Site, find_site, registrable_domain};

/// What the classifier decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Classified {
    /// Network or site: `google`, `newsletter`, `direct`.
    pub source: String,
    /// `paid`, `organic`, `social`, `email`, `referral`, `direct`, `unknown`, or a free `utm_medium`.
    pub medium: String,
    /// `utm_campaign`, whichever rule fired.
    pub campaign: Option<String>,
    /// How sure the rule is.
    pub confidence: Confidence,
    /// The rule that fired; see [`RULES`] and [`CLICK_IDS`].
    pub rule_id: &'static str,
}

/// Decides where a visit came from. `own_host` is the host of the visitor's own site, for telling internal links.
pub fn classify(url: Option<&Url>, referrer: Option<&Url>, own_host: Option<&str>) -> Classified {
    let (tags, linking) = (url.map(Tags::of), referrer.map(Linking::of));
    decide(tags.as_ref(), linking.as_ref(), own_host)
}

/// The same from addresses read before.
pub(crate) fn decide(tags: Option<&Tags>, linking: Option<&Linking>, own_host: Option<&str>) -> Classified {
    let evidence = Evidence::gather(tags, linking, own_host);
    let found = RULES.iter().find_map(|rule| (rule.decide)(&evidence).map(|found| (rule, found)));
    let (rule, found) = found.expect("the last rule always fires");
    Classified {
        source: found.source,
        medium: found.medium,
        campaign: tags.and_then(|tags| tags.campaign.clone()),
        confidence: found.confidence,
        rule_id: found.rule_id.unwrap_or(rule.id),
    }
}

/// One rule.
pub struct Rule {
    /// Its place in the documented table; letters mark additions.
    pub number: &'static str,
    /// The id stored with every event it decides.
    pub id: &'static str,
    /// When it fires.
    pub fires_when: &'static str,
    decide: fn(&Evidence<'_>) -> Option<Found>,
}

struct Found {
    source: String,
    medium: String,
    confidence: Confidence,
    /// Set by rules that stand for several ids.
    rule_id: Option<&'static str>,
}

const PAID: &str = "paid";
const SOCIAL: &str = "social";
const EMAIL: &str = "email";
const ORGANIC: &str = "organic";
const UNKNOWN: &str = "unknown";

fn found(source: impl Into<String>, medium: impl Into<String>, confidence: Confidence) -> Option<Found> {
    Some(Found { source: source.into(), medium: medium.into(), confidence, rule_id: None })
}

macro_rules! rules {
    ($($number:literal $id:ident $fires_when:literal $decide:expr;)*) => {
        /// Every rule, in order.
        pub const RULES: &[Rule] =
            &[$(Rule { number: $number, id: stringify!($id), fires_when: $fires_when, decide: $decide }),*];
    };
}

rules! {
    "1" gclid "`gclid` in the URL" |e| e.has_click_id("gclid").then(|| found("google", PAID, High))?;
    "2" msclkid "`msclkid` in the URL" |e| e.has_click_id("msclkid").then(|| found("bing", PAID, High))?;
    "3" ttclid "`ttclid` in the URL" |e| e.has_click_id("ttclid").then(|| found("tiktok", PAID, High))?;
    "4" li_fat_id "`li_fat_id` in the URL" |e| e.has_click_id("li_fat_id").then(|| found("linkedin", PAID, High))?;
    "4a" click_id "another click id that only ads carry; the id stored is the parameter's name" other_click_id;
    "4b" comet_email "`comet_source` is `email`" |e| {
        e.comet_source.filter(|source| *source == EMAIL).and_then(|_| found(EMAIL, EMAIL, High))
    };
    "4c" comet_paid "`comet_source`, and another parameter that only ads carry" |e| {
        e.comet_source.filter(|_| e.is_comet_ad()).and_then(|source| found(e.comet_platform().unwrap_or(source), PAID, High))
    };
    "4d" comet_platform "`comet_source` names a platform, without a sign of paid traffic" |e| {
        e.comet_platform().and_then(|platform| found(platform, unpaid_medium(platform), High))
    };
    "4e" comet_explicit "any other `comet_source`" |e| {
        e.comet_source.and_then(|source| found(source, e.comet_type.or(e.medium).unwrap_or(UNKNOWN), High))
    };
    "5" fb_ad_redirect "`fbclid`, and the referrer is Facebook's link shim" |e| {
        let is_shim = matches!(e.referrer_host, Some("l.facebook.com" | "lm.facebook.com"));
        (e.has_fbclid && is_shim).then(|| found("facebook", PAID, High))?
    };
    "6" fbclid_utm "`fbclid`, and `utm_source` names Facebook, Instagram or Meta" |e| {
        e.utm_network().filter(|_| e.has_fbclid).and_then(|network| found(network.slug(), PAID, High))
    };
    "7" utm_paid_facebook "paid `utm_medium`, and `utm_source` names Facebook" |e| {
        e.paid_network().filter(|network| *network == Network::Facebook).and_then(|_| found("facebook", PAID, High))
    };
    "8" utm_paid_instagram "paid `utm_medium`, and `utm_source` names Instagram" |e| {
        e.paid_network().filter(|network| *network == Network::Instagram).and_then(|_| found("instagram", PAID, High))
    };
    "9" utm_paid_source "paid `utm_medium`, and any `utm_source`" |e| {
        e.source.filter(|_| e.is_paid()).and_then(|source| found(source, PAID, High))
    };
    "10" utm_paid_unknown "paid `utm_medium` without `utm_source`" |e| e.is_paid().then(|| found(UNKNOWN, PAID, Medium))?;
    "11" fbclid_only "`fbclid` without `utm_source`" |e| {
        (e.has_fbclid && e.source.is_none()).then(|| found("facebook", PAID, Medium))?
    };
    "12" utm_explicit "`utm_source` without a sign of paid traffic" |e| {
        e.source.and_then(|source| found(source, e.medium.unwrap_or(UNKNOWN), High))
    };
    "13" ref_facebook "the referrer is a Facebook host" |e| {
        e.site_of(Kind::Social).filter(|slug| *slug == "facebook").and_then(|slug| found(slug, SOCIAL, Medium))
    };
    "14" ref_instagram "the referrer is an Instagram host" |e| {
        e.site_of(Kind::Social).filter(|slug| *slug == "instagram").and_then(|slug| found(slug, SOCIAL, Medium))
    };
    "14a" ref_ai "the referrer is an AI assistant" |e| {
        e.site_of(Kind::Assistant).and_then(|slug| found(slug, "referral", Medium))
    };
    "15" ref_social "the referrer is another social site" |e| e.site_of(Kind::Social).and_then(|slug| found(slug, SOCIAL, Medium));
    "16" ref_search "the referrer is a search engine" |e| e.site_of(Kind::Search).and_then(|slug| found(slug, ORGANIC, Medium));
    "17" ref_email "the referrer is a web mailer or mail app" |e| e.site_of(Kind::Mail).and_then(|_| found(EMAIL, EMAIL, Medium));
    "18" ref_internal "the referrer's host is the site's own" |e| e.is_internal().then(|| found("internal", "direct", High))?;
    "18a" ref_mailing "the referrer's host contains `email.`" |e| e.is_mailing_host().then(|| found(EMAIL, EMAIL, Medium))?;
    "19" direct "no signal at all" |e| e.referrer_host.is_none().then(|| found("direct", "direct", High))?;
    "20" ref_other "any other referrer" |e| {
        let host = e.referrer_host?;
        found(registrable_domain(host), "referral", Low)
    };
}

/// What an unpaid visit from a platform is, by what the platform is: a search engine or a place where people talk.
fn unpaid_medium(platform: &str) -> &'static str {
    match platform {
        "google" | "bing" | "yahoo" | "duckduckgo" | "brave" => ORGANIC,
        _ => SOCIAL,
    }
}

fn other_click_id(evidence: &Evidence<'_>) -> Option<Found> {
    let click_id = evidence.click_id?;
    Some(Found { source: click_id.source.to_owned(), medium: PAID.to_owned(), confidence: High, rule_id: Some(click_id.rule_id) })
}
