//! What a person (or a crawler, or an agent without a tool) sees in a browser: the front page, the documentation, the
//! OpenAPI document and the browser script. Nothing here reads data or needs a key, and nothing comes from another host.

mod docs;
mod home;
mod layout;
mod markdown;
mod openapi;
mod origin;

use axum::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};

use origin::PublicUrl;
pub(crate) use origin::RequestOrigin;

/// The browser script, as served.
pub const BROWSER_SCRIPT: &str = include_str!("../../assets/a.js");

const STYLE: &str = include_str!("../../assets/site.css");
const SITE_SCRIPT: &str = include_str!("../../assets/site.js");
const ICON: &str = include_str!("../../assets/icon.svg");

/// `GET /`, `/docs`, `/docs/{page}`, `/llms.txt`, `/openapi.json`, `/v1/a.js` and the files they use. Examples name
/// `public_url`, or the host of the request where it is `None`.
pub fn routes<S: Clone + Send + Sync + 'static>(public_url: Option<String>) -> Router<S> {
    Router::new()
        .route("/", get(home::page))
        .route("/docs", get(docs::index))
        .route("/docs/{page}", get(docs::page))
        .route("/llms.txt", get(docs::llms_txt))
        .route("/openapi.json", get(openapi::document))
        .route("/v1/a.js", get(browser_script))
        .route("/assets/site.css", get(|| asset("text/css; charset=utf-8", STYLE)))
        .route("/assets/site.js", get(|| asset("application/javascript; charset=utf-8", SITE_SCRIPT)))
        .route("/assets/icon.svg", get(|| asset("image/svg+xml", ICON)))
        .layer(Extension(PublicUrl(public_url)))
}

/// Any site may load the script; it is public text.
async fn browser_script() -> Response {
    let headers = [
        (CONTENT_TYPE, "application/javascript; charset=utf-8"),
        (CACHE_CONTROL, "public, max-age=3600"),
        (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
        (HeaderName::from_static("x-content-type-options"), "nosniff"),
    ];
    (headers, BROWSER_SCRIPT).into_response()
}

async fn asset(content_type: &'static str, text: &'static str) -> Response {
    // Short: the file changes with the binary, and its name does not.
    let headers = [
        (CONTENT_TYPE, content_type),
        (CACHE_CONTROL, "public, max-age=300"),
        (HeaderName::from_static("x-content-type-options"), "nosniff"),
    ];
    (headers, text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::http::{Request, StatusCode};
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    async fn get(path: &str, host: &str) -> (StatusCode, axum::http::HeaderMap, String) {
        let request = Request::get(path).header("host", host).body(Body::empty()).unwrap();
        let response = routes::<()>(None).with_state(()).oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        (parts.status, parts.headers, String::from_utf8(bytes.to_vec()).unwrap())
    }

    /// The promise in the documentation: under 3 KB on the wire.
    #[test]
    fn the_browser_script_is_small() {
        use std::io::Write;
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(BROWSER_SCRIPT.as_bytes()).unwrap();
        let size_bytes = gzip.finish().unwrap().len();
        assert!(size_bytes < 3_000, "a.js is {size_bytes} bytes gzipped");
    }

    #[tokio::test]
    async fn pages_use_the_request_host_and_load_nothing_from_elsewhere() {
        for path in ["/", "/docs", "/docs/quickstart", "/docs/errors"] {
            let (status, headers, body) = get(path, "stats.example.org").await;
            assert_eq!(status, StatusCode::OK, "{path}");
            let policy = headers["content-security-policy"].to_str().unwrap();
            assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
            assert!(!body.contains("<script>") && !body.contains("style=\""), "{path} has inline script or style");
            let tags = body.split('<').skip(1).filter_map(|rest| rest.split_once('>')).map(|pair| pair.0);
            for tag in tags.filter(|tag| !tag.starts_with("a ")) {
                assert!(!tag.contains("//"), "{path} loads something from outside: <{tag}>");
            }
        }
        let (_, _, home) = get("/", "stats.example.org").await;
        assert!(home.contains("http://stats.example.org/mcp"));
        assert!(home.contains(env!("CARGO_PKG_VERSION")));
    }

    #[tokio::test]
    async fn a_hostile_host_header_never_reaches_the_page() {
        for host in ["\"><script>alert(1)</script>", "a b", "x'y", "ex%00ample", ""] {
            let (status, _, body) = get("/", host).await;
            assert_eq!(status, StatusCode::OK);
            assert!(!body.contains("alert(1)") && !body.contains("x'y"), "{host}");
            assert!(body.contains("http://127.0.0.1:8787/mcp"), "{host}");
        }
    }

    #[tokio::test]
    async fn a_configured_address_wins_over_the_request() {
        let request = Request::get("/").header("host", "10.0.0.7:8787").body(Body::empty()).unwrap();
        let site = routes::<()>(Some(String::from("https://stats.example.org/"))).with_state(());
        let body = site.oneshot(request).await.unwrap().into_body().collect().await.unwrap().to_bytes();
        let body = String::from_utf8(body.to_vec()).unwrap();
        assert!(body.contains("https://stats.example.org/mcp") && !body.contains("10.0.0.7"));
    }

    #[tokio::test]
    async fn unknown_pages_are_not_found_and_say_where_to_look() {
        let (status, _, body) = get("/docs/nothing-here", "localhost").await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert!(body.contains("/docs"));
    }

    #[tokio::test]
    async fn agents_find_every_page_as_markdown() {
        let (status, headers, listing) = get("/llms.txt", "stats.example.org").await;
        assert_eq!(status, StatusCode::OK);
        assert!(headers["content-type"].to_str().unwrap().starts_with("text/plain"));
        let links: Vec<&str> =
            listing.lines().filter_map(|line| line.split_once("](")?.1.split_once(')').map(|pair| pair.0)).collect();
        assert!(links.len() >= 6, "{listing}");
        for link in links {
            let path = link.strip_prefix("http://stats.example.org").expect(link);
            assert_eq!(get(path, "stats.example.org").await.0, StatusCode::OK, "{link}");
        }
    }
}
