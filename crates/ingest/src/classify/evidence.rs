//! What the rules look at, gathered once per event.

use url::Url;

use super::click_ids::{CLICK_IDS, ClickId, find_click_id};
use super::referrers::{Kind, Site, find_site, plain_host};
use crate::steps::MAX_KNOWN_CHARS;

/// Traffic that was paid for, as `utm_medium` says it. The first five are documented; `ads` and the others are what the
/// same people write instead. Any word beginning with `paid` counts too.
const PAID_MEDIA: &[&str] = &["cpc", "paid", "cpm", "display", "ppc", "cpv", "cpa", "ads", "retargeting", "remarketing"];

/// What the page's address says.
#[derive(Default)]
pub(crate) struct Tags {
    /// The earliest of [`CLICK_IDS`] that the URL carries with a value.
    click_id: Option<&'static ClickId>,
    has_fbclid: bool,
    /// `utm_source`, trimmed and lower-cased.
    source: Option<String>,
    /// `utm_medium`, trimmed and lower-cased.
    medium: Option<String>,
    /// `utm_campaign`, trimmed.
    pub(crate) campaign: Option<String>,
}

/// What the address of the linking page says.
#[derive(Default)]
pub(crate) struct Linking {
    /// Its host, lower-case, without trailing dot; `www.` kept.
    host: Option<String>,
    site: Option<Site>,
}

/// The signals of one event.
pub(super) struct Evidence<'a> {
    pub(super) click_id: Option<&'static ClickId>,
    pub(super) has_fbclid: bool,
    pub(super) source: Option<&'a str>,
    pub(super) medium: Option<&'a str>,
    pub(super) referrer_host: Option<&'a str>,
    site: Option<Site>,
    own_host: Option<&'a str>,
}

/// Meta's two networks, as `utm_source` names them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Network {
    Facebook,
    Instagram,
}

impl Network {
    pub(super) fn slug(self) -> &'static str {
        match self {
            Network::Facebook => "facebook",
            Network::Instagram => "instagram",
        }
    }
}

impl Tags {
    /// Reads the parameters of a URL.
    pub(crate) fn of(url: &Url) -> Self {
        let mut tags = Self::default();
        for (name, value) in url.query_pairs() {
            tags.note(&name, &value);
        }
        tags
    }

    /// Takes one parameter of the URL. The first that carries a value counts; an empty one says nothing.
    fn note(&mut self, name: &str, value: &str) {
        let Some(text) = label(value) else { return };
        if name.eq_ignore_ascii_case("utm_source") {
            self.source.get_or_insert_with(|| text.to_lowercase());
        } else if name.eq_ignore_ascii_case("utm_medium") {
            self.medium.get_or_insert_with(|| text.to_lowercase());
        } else if name.eq_ignore_ascii_case("utm_campaign") {
            self.campaign.get_or_insert(text);
        } else if name.eq_ignore_ascii_case("fbclid") {
            self.has_fbclid = true;
        } else if let Some(found) = find_click_id(name)
            && self.click_id.is_none_or(|earlier| place(found) < place(earlier))
        {
            self.click_id = Some(found);
        }
    }
}

impl Linking {
    /// Reads a referrer.
    pub(crate) fn of(referrer: &Url) -> Self {
        let host = referrer.host_str().map(plain_host).filter(|host| !host.is_empty());
        let site = host.as_deref().and_then(|host| find_site(host, referrer.path()));
        Self { host, site }
    }
}

impl<'a> Evidence<'a> {
    pub(super) fn gather(tags: Option<&'a Tags>, linking: Option<&'a Linking>, own_host: Option<&'a str>) -> Self {
        Self {
            click_id: tags.and_then(|tags| tags.click_id),
            has_fbclid: tags.is_some_and(|tags| tags.has_fbclid),
            source: tags.and_then(|tags| tags.source.as_deref()),
            medium: tags.and_then(|tags| tags.medium.as_deref()),
            referrer_host: linking.and_then(|linking| linking.host.as_deref()),
            site: linking.and_then(|linking| linking.site),
            own_host,
        }
    }

    pub(super) fn has_click_id(&self, parameter: &str) -> bool {
        self.click_id.is_some_and(|click_id| click_id.parameter == parameter)
    }

    pub(super) fn is_paid(&self) -> bool {
        self.medium.is_some_and(|medium| PAID_MEDIA.contains(&medium) || medium.starts_with("paid"))
    }

    /// The network `utm_source` names: `facebook` or `instagram` anywhere in it, or one of the short names as a word.
    pub(super) fn utm_network(&self) -> Option<Network> {
        let source = self.source?;
        let has_word = |short: &[&str]| source.split(|letter: char| !letter.is_alphanumeric()).any(|word| short.contains(&word));
        if source.contains("facebook") || has_word(&["fb", "meta"]) {
            Some(Network::Facebook)
        } else if source.contains("instagram") || has_word(&["ig"]) {
            Some(Network::Instagram)
        } else {
            None
        }
    }

    pub(super) fn paid_network(&self) -> Option<Network> {
        self.utm_network().filter(|_| self.is_paid())
    }

    /// The slug of the referring site, if it is of this kind.
    pub(super) fn site_of(&self, kind: Kind) -> Option<&'static str> {
        self.site.filter(|site| site.kind == kind).map(|site| site.slug)
    }

    pub(super) fn is_internal(&self) -> bool {
        let bare = |host: &str| host.strip_prefix("www.").unwrap_or(host).to_owned();
        match (self.referrer_host, self.own_host) {
            (Some(referrer), Some(own)) => bare(referrer) == bare(&plain_host(own)),
            _ => false,
        }
    }
}

fn place(click_id: &ClickId) -> usize {
    CLICK_IDS.iter().position(|known| known == click_id).unwrap_or(usize::MAX)
}

/// A tag's value: trimmed, without control characters, cut at [`MAX_KNOWN_CHARS`]. `None` when nothing is left.
fn label(value: &str) -> Option<String> {
    let text: String = value.chars().filter(|letter| !letter.is_control()).collect();
    let text: String = text.trim().chars().take(MAX_KNOWN_CHARS).collect();
    (!text.is_empty()).then_some(text)
}
