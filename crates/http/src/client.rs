//! Who is at the other end: address, agent, host and country, with forwarded headers counting only from trusted proxies.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::header::{HOST, ORIGIN, USER_AGENT};
use axum::http::request::Parts;
use tributary_control::Caller;
use tributary_core::credential::KeyKind;
use tributary_core::error::Result;
use tributary_ingest::arrival::{Arrival, Channel};
use tributary_service::admission::only_workspace;

use crate::router::AppState;
use crate::settings::Settings;

/// Headers in which well-known proxies name the visitor's country.
const COUNTRY_HEADERS: [&str; 5] =
    ["cf-ipcountry", "cloudfront-viewer-country", "x-vercel-ip-country", "x-appengine-country", "x-country-code"];
/// Longest forwarded chain looked at, addresses.
const MAX_FORWARDED: usize = 32;

/// The other end of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Client {
    /// Its address.
    pub address: Option<IpAddr>,
    /// Its User-Agent.
    pub user_agent: Option<String>,
    /// The host it asked for, without port.
    pub request_host: Option<String>,
    /// The country a trusted proxy names.
    pub country: Option<String>,
}

impl Client {
    /// Reads a request's head.
    pub(crate) fn of(parts: &Parts, settings: &Settings) -> Self {
        let text = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip().to_canonical());
        let is_trusted = |address: IpAddr| settings.trusted_proxies.iter().any(|network| network.contains(address));
        let is_proxied = peer.is_some_and(is_trusted);
        let forwarded = |name: &str| if is_proxied { text(name) } else { None };
        let address = match peer {
            Some(_) if is_proxied => forwarded_for(parts, is_trusted).or(peer),
            _ => peer,
        };
        let host = forwarded("x-forwarded-host")
            .and_then(|hosts| hosts.split(',').next())
            .or_else(|| parts.uri.authority().map(|authority| authority.as_str()))
            .or_else(|| text(HOST.as_str()));
        Self {
            address,
            user_agent: text(USER_AGENT.as_str()).filter(|agent| !agent.is_empty()).map(str::to_owned),
            request_host: host.map(str::trim).and_then(host_of_authority),
            country: COUNTRY_HEADERS.into_iter().find_map(forwarded).map(str::to_ascii_uppercase),
        }
    }

    /// How events of this request arrived.
    pub(crate) fn arrival(self, state: &AppState, parts: &Parts, caller: &Caller) -> Result<Arrival> {
        let channel = match caller.kind {
            KeyKind::Publishable => Channel::Publishable,
            KeyKind::Secret | KeyKind::Read | KeyKind::Account => Channel::Secret,
        };
        let zone = only_workspace(caller)?.workspace.zone.clone();
        let origin = parts.headers.get(ORIGIN).and_then(|value| value.to_str().ok());
        Ok(Arrival {
            origin_host: origin.and_then(|origin| origin.split_once("://")).and_then(|(_, rest)| host_of_authority(rest)),
            request_host: self.request_host,
            address: self.address,
            user_agent: self.user_agent,
            country_hint: self.country,
            ..Arrival::new(channel, state.service.clock.now_us(), zone)
        })
    }
}

/// The last address of the chain that no trusted proxy owns: what stands before it, anyone may have written.
fn forwarded_for(parts: &Parts, is_trusted: impl Fn(IpAddr) -> bool) -> Option<IpAddr> {
    let mut chain: Vec<&str> = Vec::new();
    for value in parts.headers.get_all("x-forwarded-for") {
        chain.extend(value.to_str().ok()?.split(','));
    }
    let mut last = None;
    for entry in chain.into_iter().rev().take(MAX_FORWARDED) {
        // Something that is no address hides who came before it.
        let Some(address) = address_of(entry.trim()) else { return last };
        if !is_trusted(address) {
            return Some(address);
        }
        last = Some(address);
    }
    last
}

fn address_of(entry: &str) -> Option<IpAddr> {
    let address = entry.parse::<IpAddr>().ok();
    let address = address.or_else(|| entry.parse::<SocketAddr>().ok().map(|socket| socket.ip()));
    let address = address.or_else(|| entry.strip_prefix('[')?.strip_suffix(']')?.parse().ok());
    address.map(|address| address.to_canonical())
}

/// The host of `host:port`, lower-case, IPv6 with its brackets.
fn host_of_authority(authority: &str) -> Option<String> {
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map(|(host, _)| format!("[{host}]"))?,
        None => authority.split(':').next().unwrap_or_default().to_owned(),
    };
    (!host.is_empty()).then(|| host.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    fn client(peer: &str, headers: &[(&str, &str)]) -> Client {
        let settings = Settings { trusted_proxies: vec!["10.0.0.0/8".parse().expect("valid")], ..Settings::default() };
        let mut request = Request::get("/v1/track");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let peer: SocketAddr = format!("{peer}:4711").parse().expect("valid");
        let request = request.extension(ConnectInfo(peer)).body(()).expect("valid");
        Client::of(&request.into_parts().0, &settings)
    }

    #[test]
    fn forwarded_headers_count_from_trusted_proxies_only() {
        let headers = [
            ("host", "stats.example.org:8443"),
            ("x-forwarded-for", "1.1.1.1, 198.51.100.7, 10.0.0.2"),
            ("x-forwarded-host", "Shop.example.com:443"),
            ("cf-ipcountry", "de"),
        ];
        let trusted = client("10.0.0.1", &headers);
        assert_eq!(trusted.address, "198.51.100.7".parse().ok(), "the last hop no proxy owns");
        assert_eq!(trusted.request_host.as_deref(), Some("shop.example.com"));
        assert_eq!(trusted.country.as_deref(), Some("DE"));
        let stranger = client("203.0.113.1", &headers);
        assert_eq!(stranger.address, "203.0.113.1".parse().ok());
        assert_eq!(stranger.request_host.as_deref(), Some("stats.example.org"));
        assert_eq!(stranger.country, None);
    }

    #[test]
    fn chains_of_any_shape() {
        for (chain, address) in [
            ("198.51.100.7:1234", "198.51.100.7"),
            ("[2001:db8::1]:99, 10.1.1.1", "2001:db8::1"),
            ("198.51.100.7, unknown", "10.0.0.1"),
            ("", "10.0.0.1"),
            ("10.2.2.2", "10.2.2.2"),
            ("::ffff:198.51.100.7", "198.51.100.7"),
        ] {
            assert_eq!(client("10.0.0.1", &[("x-forwarded-for", chain)]).address, address.parse().ok(), "{chain}");
        }
    }
}
