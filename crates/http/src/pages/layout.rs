//! The frame around every page, and the headers that keep it closed.

use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY};
use axum::response::{IntoResponse, Response};

/// Nothing but this server's own files, no inline script or style, no framing.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

/// A whole page. `title` and `main` are HTML already; `here` is the path of the link to mark as current.
pub fn page(status: StatusCode, title: &str, here: &str, main: &str) -> Response {
    let link = |path: &str, label: &str| {
        let current = if path == here { " aria-current=\"page\"" } else { "" };
        format!("<a href=\"{path}\"{current}>{label}</a>")
    };
    let navigation = [link("/", "Overview"), link("/docs", "Docs"), link("/openapi.json", "OpenAPI")].concat();
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n\
         <link rel=\"icon\" href=\"/assets/icon.svg\" type=\"image/svg+xml\">\n\
         <link rel=\"stylesheet\" href=\"/assets/site.css\">\n<script defer src=\"/assets/site.js\"></script>\n</head>\n<body>\n\
         <header class=\"bar\"><a class=\"brand\" href=\"/\"><img src=\"/assets/icon.svg\" alt=\"\" width=\"26\" height=\"26\">\
         Tributary</a><nav aria-label=\"Main\">{navigation}</nav></header>\n{main}\n\
         <footer class=\"foot\">Tributary {version} · Apache-2.0 · <a href=\"/llms.txt\">llms.txt</a></footer>\n</body>\n</html>\n",
        version = env!("CARGO_PKG_VERSION"),
    );
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (HeaderName::from_static("x-content-type-options"), "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        // The page repeats the host it was asked for: not for a shared cache.
        (CACHE_CONTROL, "private, max-age=60"),
    ];
    (status, headers, html).into_response()
}

/// Text as HTML text.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
