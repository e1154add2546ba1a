//! `privacy`: what must not be kept ends here. The address becomes a hash whose key changes every UTC day, the agent is
//! dropped, URLs lose credentials and parameters that look like personal data.

use std::net::IpAddr;

use hmac::{Hmac, Mac};
use sha2::Sha256;
use tributary_core::time::format_utc;
use url::Url;

use super::Flight;
use super::personal::looks_personal;
use crate::pipeline::Tools;

/// Hex digits kept of the address hash: enough to tell a day's visitors apart, no more.
const IP_HASH_DIGITS: usize = 16;

pub fn run(tools: &Tools, flight: &mut Flight<'_>) {
    flight.user_agent = None;
    let event = &mut flight.event;
    event.ip_hash = flight.address.take().map(|address| ip_hash(address, &tools.ip_salt, event.time_us));
    if let Some(cleaned) = flight.page.as_ref().and_then(|page| page.cleaned.clone()) {
        event.url = Some(cleaned);
    }
    if let Some(cleaned) = flight.referrer.as_ref().and_then(|referrer| referrer.cleaned.clone()) {
        event.referrer = Some(cleaned);
    }
    if let Some(path) = event.path.as_deref().and_then(|path| without_personal(path, Fragment::Keep)) {
        event.path = Some(path).filter(|path| !path.is_empty());
    }
}

/// First 16 hex digits of HMAC-SHA256 over the address, the key made of salt and UTC date of the event. The event's own
/// date, so that an import of old logs hashes as the days themselves would have.
fn ip_hash(address: IpAddr, salt: &[u8; 32], time_us: i64) -> String {
    let day = format_utc(time_us);
    let date = day.split('T').next().unwrap_or(&day);
    let key = [&salt[..], date.as_bytes()].concat();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("HMAC takes keys of any length");
    mac.update(address.to_string().as_bytes());
    let mut digits = hex::encode(mac.finalize().into_bytes());
    digits.truncate(IP_HASH_DIGITS);
    digits
}

/// What becomes of `#…`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fragment {
    /// Part of the page's address: single-page applications route by it.
    Keep,
    /// Browsers send none; whoever adds one adds nothing we use.
    Drop,
}

/// The address without credentials and personal parameters, or `None` when nothing has to go. `url` is `text`, parsed.
pub(crate) fn clean(text: &str, url: &mut Url, fragment: Fragment) -> Option<String> {
    let has_credentials = !url.username().is_empty() || url.password().is_some();
    if !has_credentials {
        return without_personal(text, fragment);
    }
    // Both fail only for URLs without a host, which cannot carry credentials.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    Some(without_personal(url.as_str(), fragment).unwrap_or_else(|| url.as_str().to_owned()))
}

/// The text without the parameters that look personal, or `None` when nothing has to go.
fn without_personal(text: &str, fragment_rule: Fragment) -> Option<String> {
    if !text.contains(['?', '#']) {
        return None;
    }
    let (rest, fragment) = match text.split_once('#') {
        Some((rest, fragment)) => (rest, Some(fragment)),
        None => (text, None),
    };
    let (base, query) = match rest.split_once('?') {
        Some((base, query)) => (base, Some(query)),
        None => (rest, None),
    };
    let kept_query = query.map(keep_harmless);
    // A fragment may hold a route with parameters (`#/cart?email=…`) or parameters alone (`#access_token=…`).
    let kept_fragment = fragment.filter(|_| fragment_rule == Fragment::Keep).map(|fragment| match fragment.split_once('?') {
        Some((route, query)) => joined(route, '?', &keep_harmless(query)),
        None => keep_harmless(fragment),
    });
    let is_same = kept_query.as_deref() == query && kept_fragment.as_deref() == fragment;
    if is_same {
        return None;
    }
    let mut cleaned = joined(base, '?', kept_query.as_deref().unwrap_or(""));
    if let Some(fragment) = kept_fragment {
        cleaned = joined(&cleaned, '#', &fragment);
    }
    Some(cleaned)
}

fn joined(base: &str, mark: char, rest: &str) -> String {
    if rest.is_empty() { base.to_owned() } else { format!("{base}{mark}{rest}") }
}

/// The `a=b&c=d` text without the pairs that look personal; what is kept is kept byte for byte.
fn keep_harmless(query: &str) -> String {
    let mut kept = String::with_capacity(query.len());
    for pair in query.split('&') {
        let is_personal = url::form_urlencoded::parse(pair.as_bytes()).any(|(name, value)| looks_personal(&name, &value));
        if is_personal {
            continue;
        }
        if !kept.is_empty() {
            kept.push('&');
        }
        kept.push_str(pair);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use tributary_core::time::DAY_US;

    fn check(text: &str, expected: &str) {
        assert_eq!(without_personal(text, Fragment::Keep).unwrap_or_else(|| text.to_owned()), expected);
    }

    #[test]
    fn personal_parameters_go_and_the_rest_stays_as_written() {
        check("https://a.com/p?utm_source=x&email=jo%40b.com&gclid=Ab_c", "https://a.com/p?utm_source=x&gclid=Ab_c");
        check("https://a.com/p?email=jo@b.com", "https://a.com/p");
        check("https://a.com/p?ref=jo%40b.com#top", "https://a.com/p#top");
        check("https://a.com/p?q=a%20b&&x", "https://a.com/p?q=a%20b&&x");
        check("https://a.com/#/cart?phone=1&size=4", "https://a.com/#/cart?size=4");
        check("https://a.com/#access_token=abc&state=1", "https://a.com/");
        check("/p?password=x", "/p");
        check("https://a.com/?", "https://a.com/?");
    }

    #[test]
    fn addresses_hash_by_utc_day() {
        let address: IpAddr = "203.0.113.7".parse().unwrap();
        let noon = 1_777_636_800_000_000;
        let hash = ip_hash(address, &[7; 32], noon);
        assert_eq!(hash.len(), 16);
        assert_eq!(hash, ip_hash(address, &[7; 32], noon + DAY_US / 2 - 1), "same day");
        assert_ne!(hash, ip_hash(address, &[7; 32], noon + DAY_US / 2), "next day");
        assert_ne!(hash, ip_hash(address, &[8; 32], noon), "other salt");
    }
}
