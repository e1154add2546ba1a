//! Who the referrer is: the Matomo lists of search engines, social sites and AI assistants, and our own short list of web
//! mailers and apps.

use std::collections::HashMap;
use std::sync::LazyLock;

/// What a known site is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An AI assistant.
    Assistant,
    /// A social network, forum or video site.
    Social,
    /// A search engine.
    Search,
    /// A web mailer or mail app.
    Mail,
}

/// A known site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Site {
    /// What it is.
    pub kind: Kind,
    /// Its name in `source`.
    pub slug: &'static str,
}

/// The site at a host (as [`plain_host`] writes it) and path. Assistants are asked before social sites, those before
/// search engines and mailers, as the rules do; a social or assistant host stands for its subdomains, a search or mail
/// host only for itself, so that `support.google.com` is no search engine.
pub fn find_site(host: &str, path: &str) -> Option<Site> {
    let bare = host.strip_prefix("www.").unwrap_or(host);
    let table = |kind| SITES.get(&kind);
    table(Kind::Assistant)?
        .find_below(bare, path)
        .or_else(|| table(Kind::Social)?.find_below(bare, path))
        .or_else(|| table(Kind::Search)?.find_search(bare, path))
        .or_else(|| table(Kind::Mail)?.find_search(bare, path).or_else(|| find_webmail(bare)))
}

/// A host for comparison: lower-case, without trailing dot.
pub fn plain_host(host: &str) -> String {
    host.trim_end_matches('.').to_ascii_lowercase()
}

/// The name under which an unknown host appears in `source`: its registrable domain, or the host itself where it has none
/// (addresses, single labels).
pub fn registrable_domain(host: &str) -> String {
    if host.starts_with('[') || host.parse::<std::net::Ipv4Addr>().is_ok() {
        return host.to_owned();
    }
    psl::domain_str(host).unwrap_or_else(|| host.strip_prefix("www.").unwrap_or(host)).to_owned()
}

/// Rows of `kind`, slug and pattern: a host, a host with `{}` for a country, or either with a path prefix.
const MATOMO: &str = include_str!("../../data/referrers.tsv");

/// Apps, as `android-app://` referrers name them, and hosts the lists above do not have.
const OWN: &[(Kind, &str, &str)] = &[
    (Kind::Social, "facebook", "fb.com"),
    (Kind::Social, "facebook", "messenger.com"),
    (Kind::Social, "facebook", "com.facebook.katana"),
    (Kind::Social, "facebook", "com.facebook.orca"),
    (Kind::Social, "facebook", "com.facebook.lite"),
    (Kind::Social, "instagram", "com.instagram.android"),
    (Kind::Social, "twitter", "com.twitter.android"),
    (Kind::Social, "linkedin", "com.linkedin.android"),
    (Kind::Social, "pinterest", "com.pinterest"),
    (Kind::Social, "pinterest", "pinterest.at"),
    (Kind::Social, "pinterest", "pinterest.cl"),
    (Kind::Social, "pinterest", "pinterest.co.kr"),
    (Kind::Social, "pinterest", "pinterest.com.mx"),
    (Kind::Social, "pinterest", "pinterest.it"),
    (Kind::Social, "pinterest", "pinterest.ph"),
    (Kind::Social, "pinterest", "pinterest.ru"),
    (Kind::Social, "tiktok", "com.zhiliaoapp.musically"),
    (Kind::Social, "youtube", "com.google.android.youtube"),
    (Kind::Social, "whatsapp", "com.whatsapp"),
    (Kind::Social, "whatsapp", "whatsapp.com"),
    (Kind::Social, "whatsapp", "wa.me"),
    (Kind::Social, "telegram", "t.me"),
    (Kind::Social, "line", "line.me"),
    (Kind::Social, "quora", "quora.com"),
    (Kind::Social, "medium", "medium.com"),
    (Kind::Social, "twitch", "twitch.tv"),
    (Kind::Social, "dailymotion", "dailymotion.com"),
    (Kind::Search, "google", "com.google.android.googlequicksearchbox"),
    (Kind::Search, "duckduckgo", "com.duckduckgo.mobile.android"),
    (Kind::Search, "brave", "search.brave.com"),
    (Kind::Mail, "gmail", "mail.google.com"),
    (Kind::Mail, "gmail", "inbox.google.com"),
    (Kind::Mail, "gmail", "com.google.android.gm"),
    (Kind::Mail, "outlook", "outlook.live.com"),
    (Kind::Mail, "outlook", "outlook.office.com"),
    (Kind::Mail, "outlook", "outlook.office365.com"),
    (Kind::Mail, "outlook", "mail.live.com"),
    (Kind::Mail, "outlook", "com.microsoft.office.outlook"),
    (Kind::Mail, "yahoo", "mail.yahoo.com"),
    (Kind::Mail, "yahoo", "mail.yahoo.{}"),
    (Kind::Mail, "yahoo", "{}.mail.yahoo.com"),
    (Kind::Mail, "yahoo", "com.yahoo.mobile.client.android.mail"),
    (Kind::Mail, "aol", "mail.aol.com"),
    (Kind::Mail, "icloud", "icloud.com/mail"),
    (Kind::Mail, "proton", "mail.proton.me"),
    (Kind::Mail, "proton", "mail.protonmail.com"),
    (Kind::Mail, "fastmail", "fastmail.com"),
    (Kind::Mail, "fastmail", "app.fastmail.com"),
    (Kind::Mail, "hey", "app.hey.com"),
    (Kind::Mail, "superhuman", "mail.superhuman.com"),
    (Kind::Mail, "zoho", "mail.zoho.com"),
    (Kind::Mail, "zoho", "mail.zoho.{}"),
    (Kind::Mail, "tuta", "app.tuta.com"),
    (Kind::Mail, "tuta", "mail.tutanota.com"),
    (Kind::Mail, "gmx", "navigator.gmx.net"),
    (Kind::Mail, "gmx", "deref-gmx.net"),
    (Kind::Mail, "gmx", "deref-gmx.com"),
    (Kind::Mail, "mail.com", "deref-mail.com"),
    (Kind::Mail, "web.de", "navigator.web.de"),
    (Kind::Mail, "web.de", "deref-web.de"),
    (Kind::Mail, "t-online", "email.t-online.de"),
    (Kind::Mail, "yandex", "mail.yandex.com"),
    (Kind::Mail, "yandex", "mail.yandex.{}"),
    (Kind::Mail, "mail.ru", "e.mail.ru"),
    (Kind::Mail, "seznam", "email.seznam.cz"),
    (Kind::Mail, "naver", "mail.naver.com"),
    (Kind::Mail, "daum", "mail.daum.net"),
    (Kind::Mail, "qq", "mail.qq.com"),
    (Kind::Mail, "163", "mail.163.com"),
    (Kind::Mail, "126", "mail.126.com"),
    (Kind::Mail, "orange", "messagerie.orange.fr"),
    (Kind::Mail, "orange", "mail.orange.fr"),
    (Kind::Mail, "mailchimp", "mailchi.mp"),
    (Kind::Mail, "earthlink", "mail.earthlink.net"),
    (Kind::Mail, "earthlink", "webmail.earthlink.net"),
    (Kind::Mail, "telstra", "mail.telstra.com"),
    (Kind::Mail, "telstra", "webmail.telstra.com"),
    (Kind::Mail, "telstra", "webmail.bigpond.com"),
    (Kind::Mail, "spectrum", "mail.spectrum.net"),
    (Kind::Mail, "spectrum", "webmail.spectrum.net"),
];

static SITES: LazyLock<HashMap<Kind, Table>> = LazyLock::new(|| {
    let mut sites: HashMap<Kind, Table> = HashMap::new();
    let mut add = |kind: Kind, slug: &'static str, pattern: &'static str| {
        sites.entry(kind).or_default().add(Site { kind, slug }, pattern);
    };
    // Our own rows first: the first row of a host wins.
    for (kind, slug, pattern) in OWN {
        add(*kind, slug, pattern);
    }
    for row in MATOMO.lines() {
        let mut cells = row.split('\t');
        let (Some(kind), Some(slug), Some(pattern)) = (cells.next(), cells.next(), cells.next()) else { continue };
        let kind = match kind {
            "ai" => Kind::Assistant,
            "social" => Kind::Social,
            _ => Kind::Search,
        };
        add(kind, slug, pattern);
    }
    sites
});

/// The hosts of one kind. `{}` stands for a country and is kept as a label of its own.
#[derive(Default)]
struct Table {
    hosts: HashMap<&'static str, Vec<(&'static str, Site)>>,
}

impl Table {
    fn add(&mut self, site: Site, pattern: &'static str) {
        let pattern = pattern.strip_prefix("www.").unwrap_or(pattern);
        let (host, path) = pattern.find('/').map_or((pattern, ""), |slash| pattern.split_at(slash));
        let paths = self.hosts.entry(host).or_default();
        paths.push((path, site));
        // Longest path first: `bing.com/images/search` before `bing.com`.
        paths.sort_by_key(|(path, _)| std::cmp::Reverse(path.len()));
    }

    /// The site at exactly this host.
    fn find_at(&self, host: &str, path: &str) -> Option<Site> {
        let paths = self.hosts.get(host)?;
        paths.iter().find(|(prefix, _)| path.starts_with(prefix)).map(|(_, site)| *site)
    }

    /// The site at this host or a parent domain of it.
    fn find_below(&self, host: &str, path: &str) -> Option<Site> {
        let mut rest = host;
        loop {
            if let Some(site) = self.find_at(rest, path) {
                return Some(site);
            }
            rest = rest.split_once('.')?.1;
        }
    }

    /// The site at this host, where its country may stand at either end, behind `m.` or numbered `www`.
    fn find_search(&self, host: &str, path: &str) -> Option<Site> {
        let found = self.find_with_country(host, path);
        found.or_else(|| self.find_with_country(without_variant(host)?, path))
    }

    fn find_with_country(&self, host: &str, path: &str) -> Option<Site> {
        let trailing = || self.find_at(&format!("{}.{{}}", before_country(host)?), path);
        let leading = || {
            let (first, rest) = host.split_once('.')?;
            is_country(first).then(|| self.find_at(&format!("{{}}.{rest}"), path))?
        };
        self.find_at(host, path).or_else(trailing).or_else(leading)
    }
}

/// `m.bing.com`, `www2.bing.com` without their first label.
fn without_variant(host: &str) -> Option<&str> {
    let (first, rest) = host.split_once('.')?;
    let is_numbered_www = first.strip_prefix("www").is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    (first == "m" || is_numbered_www).then_some(rest)
}

/// `google` of `google.de`, `google.co.uk`, `google.com.br`; nothing of `google.com.evil.example`.
fn before_country(host: &str) -> Option<&str> {
    let (rest, country) = host.rsplit_once('.')?;
    if !is_country(country) {
        return None;
    }
    match rest.rsplit_once('.') {
        Some((name, "com" | "co" | "net" | "org" | "edu" | "it")) => Some(name),
        _ => Some(rest),
    }
}

/// Two letters: every such top-level domain is a country's.
fn is_country(label: &str) -> bool {
    label.len() == 2 && label.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// `webmail.example.org`, whoever runs it.
fn find_webmail(host: &str) -> Option<Site> {
    let is_webmail = host.starts_with("webmail.") || host.starts_with("roundcube.");
    is_webmail.then_some(Site { kind: Kind::Mail, slug: "webmail" })
}
