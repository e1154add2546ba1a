//! Web origins: scheme, host and port, compared exactly.

use tributary_core::error::{Code, Error, Result};
use url::Url;

/// Brings an origin to the one form in which origins are stored and compared: lower-case scheme and host (internationalised
/// hosts in their ASCII form), the port only where it is not the scheme's own, no path.
///
/// `https://Example.com:443/` becomes `https://example.com`. Refused with `invalid_params`: a path, query, fragment or user
/// name, a wildcard, `null`, and schemes without a host such as `file:`.
pub fn normalise_origin(text: &str) -> Result<String> {
    let refuse = || {
        Error::new(
            Code::InvalidParams,
            format!(
                "`{}` is not a web origin; accepted: scheme, host and optional port, such as https://www.example.com or http://localhost:3000 (no path, no wildcard; list every host)",
                text.chars().take(80).collect::<String>()
            ),
        )
    };
    let url = Url::parse(text).map_err(|error| refuse().caused_by(error))?;
    let bare = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
    let anonymous = url.username().is_empty() && url.password().is_none();
    let host = url.host_str().filter(|host| !host.is_empty() && !host.contains('*'));
    match host {
        Some(host) if bare && anonymous => {
            let host = host.to_ascii_lowercase();
            Ok(match url.port() {
                Some(port) => format!("{}://{host}:{port}", url.scheme()),
                None => format!("{}://{host}", url.scheme()),
            })
        }
        _ => Err(refuse()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_have_one_form() {
        for (text, origin) in [
            ("https://example.com", "https://example.com"),
            ("HTTPS://Example.COM/", "https://example.com"),
            ("https://example.com:443", "https://example.com"),
            ("http://example.com:443", "http://example.com:443"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("capacitor://localhost", "capacitor://localhost"),
            ("chrome-extension://AbCdef", "chrome-extension://abcdef"),
        ] {
            assert_eq!(normalise_origin(text).expect(text), origin, "{text}");
        }
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for text in [
            "",
            "null",
            "*",
            "example.com",
            "https://*.example.com",
            "https://example.com/path",
            "https://example.com?x=1",
            "https://example.com#top",
            "https://user@example.com",
            "https://",
            "file:///tmp",
            "data:text/html,x",
            "https://example.com:99999",
            "https://exa mple.com",
        ] {
            let error = normalise_origin(text).expect_err(text);
            assert_eq!(error.code(), Code::InvalidParams, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_refused_or_becomes_stable(text in "(https?|app)?(://)?\\PC{0,40}") {
            if let Ok(origin) = normalise_origin(&text) {
                proptest::prop_assert_eq!(normalise_origin(&origin).expect("its own form"), origin);
            }
        }
    }
}
