//! The classifier against the documented vectors (spec/millimetric.md section 4.5) and the table of click ids.

use tributary_ingest::classify::{CLICK_IDS, Classified, RULES, classify};
use url::Url;

use crate::data;

pub fn run(url: &str, referrer: &str, own_host: &str) -> Classified {
    let url = Url::parse(url).ok();
    let referrer = Url::parse(referrer).ok();
    classify(url.as_ref(), referrer.as_ref(), Some(own_host))
}

fn check(query: &str, referrer: &str, expected: &str) {
    let found = run(&format!("https://a.com/landing?{query}"), referrer, "a.com");
    let got = format!("{}/{}/{} {}", found.source, found.medium, found.confidence.as_str(), found.rule_id);
    assert_eq!(got, expected, "?{query} from {referrer:?}");
}

#[test]
fn the_28_documented_vectors() {
    check("gclid=1", "", "google/paid/high gclid");
    check("msclkid=1", "", "bing/paid/high msclkid");
    check("ttclid=1", "", "tiktok/paid/high ttclid");
    check("li_fat_id=1", "", "linkedin/paid/high li_fat_id");
    check("fbclid=1", "https://l.facebook.com/", "facebook/paid/high fb_ad_redirect");
    check("fbclid=1", "https://lm.facebook.com/x", "facebook/paid/high fb_ad_redirect");
    check("fbclid=1&utm_source=instagram", "", "instagram/paid/high fbclid_utm");
    check("fbclid=1&utm_source=meta", "", "facebook/paid/high fbclid_utm");
    check("utm_source=facebook&utm_medium=cpc", "", "facebook/paid/high utm_paid_facebook");
    check("utm_source=instagram&utm_medium=paid_social", "", "instagram/paid/high utm_paid_instagram");
    check("utm_source=acme&utm_medium=display", "", "acme/paid/high utm_paid_source");
    check("utm_medium=cpm", "", "unknown/paid/medium utm_paid_unknown");
    check("fbclid=1", "", "facebook/paid/medium fbclid_only");
    check("fbclid=1", "https://www.facebook.com/", "facebook/paid/medium fbclid_only");
    check("utm_source=newsletter&utm_medium=email", "", "newsletter/email/high utm_explicit");
    check("utm_source=partner", "https://www.google.com/", "partner/unknown/high utm_explicit");
    check("", "https://m.facebook.com/", "facebook/social/medium ref_facebook");
    check("", "https://l.facebook.com/", "facebook/social/medium ref_facebook");
    check("", "https://l.instagram.com/", "instagram/social/medium ref_instagram");
    check("", "https://www.reddit.com/r/x", "reddit/social/medium ref_social");
    check("", "https://t.co/abc", "twitter/social/medium ref_social");
    check("", "https://www.google.com/", "google/organic/medium ref_search");
    check("", "https://mail.google.com/", "email/email/medium ref_email");
    check("", "https://a.com/pricing", "internal/direct/high ref_internal");
    check("", "", "direct/direct/high direct");
    check("", "https://blog.example.org/p", "example.org/referral/low ref_other");
    check("gclid=1&utm_source=facebook&utm_medium=cpc", "https://l.facebook.com/", "google/paid/high gclid");
    check("fbclid=1&utm_source=newsletter", "https://l.facebook.com/", "facebook/paid/high fb_ad_redirect");
}

#[test]
fn tags_are_read_as_people_write_them() {
    check("utm_source=%20FaceBook%20&utm_medium=CPC", "", "facebook/paid/high utm_paid_facebook");
    check("utm_source=fb-ads&utm_medium=paid-social", "", "facebook/paid/high utm_paid_facebook");
    check("utm_source=ig&utm_medium=ppc", "", "instagram/paid/high utm_paid_instagram");
    check("utm_source=metacritic&utm_medium=cpc", "", "metacritic/paid/high utm_paid_source");
    check("UTM_Source=News&utm_medium=Email", "", "news/email/high utm_explicit");
    check("utm_source=&utm_medium=&gclid=", "https://www.bing.com/search?q=x", "bing/organic/medium ref_search");
    check("utm_source=first&utm_source=second", "", "first/unknown/high utm_explicit");
    check("utm_source=a%00b%0a", "", "ab/unknown/high utm_explicit");
    check("fbclid=1&utm_source=newsletter", "", "newsletter/unknown/high utm_explicit");
    check("utm_medium=email", "", "direct/direct/high direct");
    check("GCLID=1", "", "google/paid/high gclid");
}

#[test]
fn parameters_of_cometly_are_read() {
    check("comet_source=email", "", "email/email/high comet_email");
    check("comet_source=Email&utm_source=newsletter&utm_medium=cpc", "", "email/email/high comet_email");
    // Templates of Meta and Google as their users paste them.
    check("comet_source=fb&comet_ad_id=238&comet_placement=Facebook_Feed", "", "facebook/paid/high comet_paid");
    check("comet_source=ig&comet_ad_id=238&comet_placement=reels", "", "instagram/paid/high comet_paid");
    check("comet_source=an&comet_ad_id=238", "", "facebook/paid/high comet_paid");
    check("comet_source=msg&comet_ad_id=238", "", "facebook/paid/high comet_paid");
    check(
        "comet_source=google&comet_network=g&comet_campaign=1&comet_ad_group=2&comet_ad_id=3&comet_keyword=shoes",
        "",
        "google/paid/high comet_paid",
    );
    for sign in ["campaign", "ad_group", "ad_id", "network", "placement", "keyword"] {
        check(&format!("comet_source=tiktok&comet_{sign}=7"), "", "tiktok/paid/high comet_paid");
    }
    for kind in ["paid", "Paid_Social", "cpc", "ad", "ads", "retargeting"] {
        check(&format!("comet_source=linkedin&comet_type={kind}"), "", "linkedin/paid/high comet_paid");
    }
    check("comet_source=x&utm_medium=cpc", "", "twitter/paid/high comet_paid");
    check("comet_source=podcast&comet_type=paid", "", "podcast/paid/high comet_paid");
    // Nothing paid for.
    check("comet_source=fb", "https://l.facebook.com/", "facebook/social/high comet_platform");
    check("fbclid=1&comet_source=ig", "https://l.instagram.com/", "instagram/social/high comet_platform");
    check("comet_source=google&comet_type=organic", "", "google/organic/high comet_platform");
    check("comet_source=duckduckgo", "", "duckduckgo/organic/high comet_platform");
    check("comet_source=msg", "", "messenger/social/high comet_platform");
    check("comet_source=yt&comet_custom=pinned", "", "youtube/social/high comet_platform");
    check("comet_source=podcast&comet_type=Sponsorship", "", "podcast/sponsorship/high comet_explicit");
    check("comet_source=partner&utm_source=x&utm_medium=referral", "", "partner/referral/high comet_explicit");
    check("comet_source=partner", "https://www.google.com/", "partner/unknown/high comet_explicit");
}

#[test]
fn parameters_of_cometly_decide_nothing_without_a_source() {
    check("gclid=1&comet_source=fb&comet_ad_id=1", "", "google/paid/high gclid");
    check("comet_source=&comet_ad_id=1", "https://www.bing.com/", "bing/organic/medium ref_search");
    check("comet_source={{site_source_name}}&comet_ad_id={{ad.id}}", "", "direct/direct/high direct");
    check("comet_source=fb&comet_ad_id={{ad.id}}", "", "facebook/social/high comet_platform");
    check("comet_ad_id=1&utm_source=news&utm_medium=email", "", "news/email/high utm_explicit");
    check("comet_type=paid", "", "direct/direct/high direct");
    check("COMET_Source=Fb&Comet_Ad_ID=1", "", "facebook/paid/high comet_paid");
}

#[test]
fn mailings_are_known_by_their_hosts() {
    for (referrer, expected) in [
        ("https://mailchi.mp/acme/news", "email/email/medium ref_email"),
        ("https://webmail.earthlink.net/", "email/email/medium ref_email"),
        ("https://mail.yahoo.com/d/folders/1", "email/email/medium ref_email"),
        ("https://webmail.telstra.com/", "email/email/medium ref_email"),
        ("https://webmail.spectrum.net/", "email/email/medium ref_email"),
        ("https://mail.orange.fr/", "email/email/medium ref_email"),
        ("https://email.acme.example/c/1", "email/email/medium ref_mailing"),
        ("https://click.email.acme.example/", "email/email/medium ref_mailing"),
        ("https://emails.acme.example/", "acme.example/referral/low ref_other"),
        ("https://acme.example/email.html", "acme.example/referral/low ref_other"),
    ] {
        check("", referrer, expected);
    }
    assert_eq!(run("https://email.shop.example/", "https://email.shop.example/", "email.shop.example").rule_id, "ref_internal");
}

#[test]
fn campaigns_are_kept_whichever_rule_fires() {
    for (query, campaign) in
        [("gclid=1&utm_campaign=Spring%20Sale", Some("Spring Sale")), ("utm_campaign=x", Some("x")), ("utm_campaign=%20", None)]
    {
        assert_eq!(run(&format!("https://a.com/?{query}"), "", "a.com").campaign.as_deref(), campaign, "{query}");
    }
    let long = "x".repeat(1_000);
    let cut = run(&format!("https://a.com/?utm_campaign={long}"), "", "a.com").campaign.unwrap();
    assert_eq!(cut.len(), 256);
}

#[test]
fn own_hosts_are_compared_without_www() {
    for (referrer, own, rule) in [
        ("https://www.shop.example/", "shop.example", "ref_internal"),
        ("https://shop.example/", "WWW.shop.example", "ref_internal"),
        ("https://shop.example./", "shop.example", "ref_internal"),
        ("https://shop.example:8443/", "shop.example", "ref_internal"),
        ("https://blog.shop.example/", "shop.example", "ref_other"),
    ] {
        assert_eq!(run("", referrer, own).rule_id, rule, "{referrer} at {own}");
    }
}

/// Every row of the table that means paid fires before rule 5, and nothing else does.
#[test]
fn click_ids_follow_the_table() {
    let mut paid = Vec::new();
    for row in data::csv("channels/click_ids.csv") {
        let parameter = &row["param"];
        let found = run(&format!("https://a.com/?{parameter}=1&utm_source=x"), "https://l.facebook.com/", "a.com");
        let is_paid = row["means_paid"] == "yes";
        if parameter != "fbclid" {
            assert_eq!(found.medium == "paid", is_paid, "{parameter}");
        }
        if is_paid {
            assert_eq!(found.rule_id, parameter.to_lowercase(), "{parameter}");
            paid.push(parameter.clone());
        }
    }
    assert_eq!(paid.len(), CLICK_IDS.len(), "every click id of ours stands in the table");
}

#[test]
fn the_earliest_click_id_of_the_list_wins() {
    check("wbraid=1&gclid=1", "", "google/paid/high gclid");
    check("yclid=1&twclid=1", "", "twitter/paid/high twclid");
    check("sccid=1&fbclid=1", "https://l.facebook.com/", "snapchat/paid/high sccid");
}

#[test]
fn rules_are_numbered_in_order() {
    let numbers: Vec<&str> = RULES.iter().map(|rule| rule.number).collect();
    let documented: Vec<String> = (1..=20).map(|number| number.to_string()).collect();
    let is_ours = |number: &&str| number.ends_with(|last: char| last.is_ascii_lowercase());
    let (ours, theirs): (Vec<&str>, Vec<&str>) = numbers.into_iter().partition(is_ours);
    assert_eq!(theirs, documented);
    assert_eq!(ours, ["4a", "4b", "4c", "4d", "4e", "14a", "18a"]);
}

#[test]
fn the_docs_name_every_rule_and_click_id() {
    let docs = include_str!("../../../../docs/classification.md");
    for rule in RULES.iter().filter(|rule| rule.id != "click_id") {
        assert!(docs.contains(&format!("| {} | `{}` | {}", rule.number, rule.id, first_words(rule.fires_when))), "{}", rule.id);
    }
    for click_id in CLICK_IDS {
        assert!(docs.contains(&format!("`{}`", click_id.parameter)), "{}", click_id.parameter);
    }
}

fn first_words(text: &str) -> &str {
    text.split_inclusive(' ').take(3).map(str::len).sum::<usize>().checked_sub(1).map_or(text, |end| &text[..end])
}
