//! The address under which this server was reached, for examples that work when copied.

use axum::extract::FromRequestParts;
use axum::http::header::HOST;
use axum::http::request::Parts;
use std::convert::Infallible;
use std::fmt;

/// Used when the request does not name its host in a form fit for a page.
const FALLBACK: &str = "http://127.0.0.1:8787";

/// Longest host the DNS allows, plus a port.
const MAX_HOST_BYTES: usize = 253 + 6;

/// The address the operator has configured, if any; an extension of every request to a page.
#[derive(Clone, Debug)]
pub struct PublicUrl(pub Option<String>);

/// Where clients find this server: the configured address, or scheme and host of the request, such as `https://stats.example.org`. It is shown back to whoever sent it and decides
/// nothing; only characters of a host name, an IP address and a port survive, so it needs no escaping anywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestOrigin(String);

impl RequestOrigin {
    /// The origin as text, without a trailing slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for RequestOrigin {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let configured = parts.extensions.get::<PublicUrl>().and_then(|public| public.0.as_deref());
        // Whatever an operator wrote there, nothing of it can be markup.
        if let Some(url) = configured.filter(|url| !url.contains(['<', '>', '"', '&', '\''])) {
            return Ok(Self(url.trim_end_matches('/').to_owned()));
        }
        let text = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let host = parts.uri.authority().map(|authority| authority.as_str()).or_else(|| text(HOST.as_str()));
        let Some(host) = host.filter(|host| is_plain_host(host)) else {
            return Ok(Self(String::from(FALLBACK)));
        };
        // A proxy in front says what the visitor typed; a visitor who lies here only misleads the own page.
        let scheme = if text("x-forwarded-proto") == Some("https") { "https" } else { "http" };
        Ok(Self(format!("{scheme}://{host}")))
    }
}

fn is_plain_host(host: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte);
    !host.is_empty() && host.len() <= MAX_HOST_BYTES && host.bytes().all(allowed)
}
