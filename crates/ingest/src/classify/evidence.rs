//! What the rules look at, gathered once per event.

use tributary_events::channel::{is_paid_medium, platform};
use url::Url;

use super::click_ids::{CLICK_IDS, ClickId, find_click_id};
use super::referrers::{Kind, Site, find_site, plain_host};
use crate::steps::MAX_KNOWN_CHARS;

/// Cometly's parameters that only the templates of ads fill in.
const COMET_AD: &[&str] =
    &["comet_campaign", "comet_ad_group", "comet_ad_id", "comet_network", "comet_placement", "comet_keyword"];

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
    /// `comet_source`, trimmed and lower-cased.
    comet_source: Option<String>,
    /// `comet_type`, trimmed and lower-cased.
    comet_type: Option<String>,
    /// Whether one of [`COMET_AD`] has a value.
    has_comet_ad: bool,
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
    pub(super) comet_source: Option<&'a str>,
    pub(super) comet_type: Option<&'a str>,
    has_comet_ad: bool,
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
        } else if is_comet(name) {
            self.note_comet(&name.to_ascii_lowercase(), &text);
        } else if let Some(found) = find_click_id(name)
            && self.click_id.is_none_or(|earlier| place(found) < place(earlier))
        {
            self.click_id = Some(found);
        }
    }

    /// Takes one of Cometly's parameters. A template whose macro was not filled in says nothing.
    fn note_comet(&mut self, name: &str, text: &str) {
        if text.contains(['{', '}']) {
            return;
        }
        match name {
            "comet_source" => {
                self.comet_source.get_or_insert_with(|| text.to_lowercase());
            }
            "comet_type" => {
                self.comet_type.get_or_insert_with(|| text.to_lowercase());
            }
            other => self.has_comet_ad |= COMET_AD.contains(&other),
        }
    }
}

/// Whether a parameter is one of Cometly's; most addresses carry none.
fn is_comet(name: &str) -> bool {
    name.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("comet_"))
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
            comet_source: tags.and_then(|tags| tags.comet_source.as_deref()),
            comet_type: tags.and_then(|tags| tags.comet_type.as_deref()),
            has_comet_ad: tags.is_some_and(|tags| tags.has_comet_ad),
            referrer_host: linking.and_then(|linking| linking.host.as_deref()),
            site: linking.and_then(|linking| linking.site),
            own_host,
        }
    }

    pub(super) fn has_click_id(&self, parameter: &str) -> bool {
        self.click_id.is_some_and(|click_id| click_id.parameter == parameter)
    }

    pub(super) fn is_paid(&self) -> bool {
        self.medium.is_some_and(is_paid_medium)
    }

    /// Whether the address carries what only ads do: Cometly's parameters of ads, or a paid `comet_type` or `utm_medium`.
    pub(super) fn is_comet_ad(&self) -> bool {
        self.has_comet_ad || self.comet_type.is_some_and(|kind| kind == "ad" || is_paid_medium(kind)) || self.is_paid()
    }

    /// The platform `comet_source` names, in the words of its macros too. Meta sells its messenger and the pages of its audience
    /// network as places of one ad, so ads there are Facebook's.
    pub(super) fn comet_platform(&self) -> Option<&'static str> {
        match self.comet_source? {
            "an" | "audience_network" => Some("facebook"),
            "msg" if self.is_comet_ad() => Some("facebook"),
            "msg" => Some("messenger"),
            word => platform(word),
        }
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

    /// Whether the referrer is a host that senders of mailings use.
    pub(super) fn is_mailing_host(&self) -> bool {
        self.referrer_host.is_some_and(|host| host.contains("email."))
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
