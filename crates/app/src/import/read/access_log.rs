//! Web access logs in the combined format: every request becomes an event of a visitor who is known for one day.

use serde_json::{Map, Value};
use siphasher::sip128::{Hasher128, SipHasher13};
use std::hash::Hasher;

use tributary_core::error::Result;
use tributary_core::time::DAY_US;
use tributary_ingest::access_log::{Line, parse};
use tributary_ingest::draft::{Context, Draft};
use tributary_ingest::imported::{ImportedRow, Restored};

use crate::import::plan::EventIds;
use crate::import::read::ndjson::{content_hash, read_lines};
use crate::import::read::{Batch, Reading, row_id};

/// Event of a request that was not refused.
pub const REQUEST: &str = "request";
/// Event of a request answered with a status from 400 to 499.
pub const REQUEST_FAILED: &str = "request_failed";
/// Event of a page when pages are told apart.
pub const PAGEVIEW: &str = "$pageview";

/// The longest path, referrer and agent the pipeline takes, characters. Longer ones are cut (a referrer is dropped): a log
/// holds whatever scanners send.
const MAX_TEXT_CHARS: usize = 2_048;

/// How access logs are read.
#[derive(Clone, Debug)]
pub struct LogOptions {
    /// Address of the site, such as `https://www.example.com`: makes whole URLs of paths and tells the site's own pages from
    /// others' among the referrers.
    pub site: Option<reqwest::Url>,
    /// What requests are called.
    pub events: LogEvents,
    /// Key of the visitor hash, so that addresses cannot be found by trying them all.
    pub visitor_key: [u8; 16],
}

/// What the requests of an access log are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LogEvents {
    /// `request`, or `request_failed` for statuses from 400 to 499.
    Requests,
    /// The same, but pages that were served are `$pageview`, as the browser script calls them.
    Pages,
}

/// Reads the file.
pub fn read(reading: &Reading, emit: &mut dyn FnMut(Batch) -> Result<()>) -> Result<()> {
    read_lines(reading, emit, &mut |number, line| {
        let request = parse(line).map_err(|error| error.message().to_owned())?;
        let mut draft = draft(&request, &reading.log);
        if reading.around.event_ids == EventIds::FromRow {
            draft.event_id = Some(row_id(number, content_hash(line.as_bytes())));
        }
        Ok(ImportedRow { draft, restored: Restored::default() })
    })
}

fn draft(line: &Line<'_>, options: &LogOptions) -> Draft {
    let target = line.path.as_deref().unwrap_or_default();
    let path = target.split(['?', '#']).next().unwrap_or_default();
    let is_page = line.method.as_deref() == Some("GET") && is_page(path);
    let is_served = (200..300).contains(&line.status) || line.status == 304;
    let event = match options.events {
        _ if (400..500).contains(&line.status) => REQUEST_FAILED,
        LogEvents::Pages if is_page && is_served => PAGEVIEW,
        LogEvents::Pages | LogEvents::Requests => REQUEST,
    };
    let mut properties = Map::new();
    if let Some(method) = &line.method {
        properties.insert(String::from("method"), Value::from(method.as_ref()));
    }
    properties.insert(String::from("status"), Value::from(line.status));
    if let Some(bytes) = line.bytes {
        properties.insert(String::from("bytes"), Value::from(bytes));
    }
    properties.insert(String::from("kind"), Value::from(if is_page { "page" } else { "file" }));
    Draft {
        event: Some(event.to_owned()),
        time_us: Some(line.time_us),
        anonymous_id: Some(visitor(line, &options.visitor_key)),
        user_id: line.user.map(|user| cut(user, 256)),
        url: options.site.as_ref().and_then(|site| address(site, target)),
        path: (!path.is_empty()).then(|| cut(path, MAX_TEXT_CHARS)),
        referrer: line.referrer.as_deref().filter(|text| text.chars().count() <= MAX_TEXT_CHARS).map(str::to_owned),
        properties: Some(properties.into()),
        context: Some(Context {
            ip: line.address.map(|address| address.to_string()),
            user_agent: line.user_agent.as_deref().map(|agent| cut(agent, MAX_TEXT_CHARS)),
        }),
        ..Draft::default()
    }
}

/// GoAccess's visitor: the same client, agent and day. The day is UTC's, the hash is keyed.
fn visitor(line: &Line<'_>, key: &[u8; 16]) -> String {
    let mut hasher = SipHasher13::new_with_key(key);
    hasher.write(line.client.as_bytes());
    hasher.write_u8(0);
    hasher.write(line.user_agent.as_deref().unwrap_or_default().as_bytes());
    hasher.write_u8(0);
    hasher.write_i64(line.time_us.div_euclid(DAY_US));
    format!("log_{:032x}", hasher.finish128().as_u128())
}

/// Whether a path names a page rather than a picture, a script or a download.
fn is_page(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    match name.rsplit_once('.') {
        None => true,
        Some((_, extension)) => {
            let extension = extension.to_ascii_lowercase();
            ["html", "htm", "xhtml", "php", "cgi", "asp", "aspx", "jsp", "shtml"].contains(&extension.as_str())
        }
    }
}

fn address(site: &reqwest::Url, target: &str) -> Option<String> {
    // Proxy requests name a whole address; only paths are the site's own.
    let url = target.starts_with('/').then(|| site.join(target).ok())??;
    let is_own = url.host_str() == site.host_str();
    let text = url.to_string();
    (is_own && text.chars().count() <= MAX_TEXT_CHARS).then_some(text)
}

/// A text without the control characters scanners put into requests, of at most `chars` characters.
fn cut(text: &str, chars: usize) -> String {
    text.chars().take(chars).map(|letter| if letter.is_control() { char::REPLACEMENT_CHARACTER } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str, events: LogEvents) -> Draft {
        let site = Some("https://www.example.com".parse().expect("valid"));
        draft(&parse(line).expect(line), &LogOptions { site, events, visitor_key: [7; 16] })
    }

    #[test]
    fn requests_are_named_by_what_became_of_them() {
        for (request, status, requests, pages) in [
            ("GET /a?x=1 HTTP/1.1", 200, REQUEST, PAGEVIEW),
            ("GET /a.html HTTP/1.1", 304, REQUEST, PAGEVIEW),
            ("GET /a.png HTTP/1.1", 200, REQUEST, REQUEST),
            ("POST /a HTTP/1.1", 200, REQUEST, REQUEST),
            ("GET /a HTTP/1.1", 301, REQUEST, REQUEST),
            ("GET /a HTTP/1.1", 404, REQUEST_FAILED, REQUEST_FAILED),
            ("GET /a HTTP/1.1", 500, REQUEST, REQUEST),
            ("\\x16\\x03", 400, REQUEST_FAILED, REQUEST_FAILED),
        ] {
            let line = format!("192.0.2.1 - - [17/May/2015:10:05:03 +0000] \"{request}\" {status} 5 \"-\" \"Opera\"");
            assert_eq!(of(&line, LogEvents::Requests).event.as_deref(), Some(requests), "{line}");
            assert_eq!(of(&line, LogEvents::Pages).event.as_deref(), Some(pages), "{line}");
        }
    }

    #[test]
    fn a_visitor_is_client_agent_and_utc_day() {
        let visitor = |client: &str, day: &str, agent: &str| {
            let line = format!("{client} - - [{day} +0200] \"GET / HTTP/1.1\" 200 5 \"-\" \"{agent}\"");
            of(&line, LogEvents::Requests).anonymous_id.expect("always set")
        };
        let first = visitor("192.0.2.1", "18/May/2015:02:00:00", "Opera");
        assert_eq!(first, visitor("192.0.2.1", "18/May/2015:23:59:59", "Opera"));
        for other in [
            visitor("192.0.2.2", "18/May/2015:02:00:00", "Opera"),
            visitor("192.0.2.1", "18/May/2015:01:59:59", "Opera"),
            visitor("192.0.2.1", "18/May/2015:02:00:00", "Firefox"),
        ] {
            assert_ne!(first, other);
        }
    }

    #[test]
    fn addresses_are_the_sites_own() {
        let line =
            |target: &str| format!("192.0.2.1 - - [17/May/2015:10:05:03 +0000] \"GET {target} HTTP/1.1\" 200 5 \"-\" \"Opera\"");
        let draft = of(&line("/a b?x=1"), LogEvents::Requests);
        assert_eq!(draft.url.as_deref(), Some("https://www.example.com/a%20b?x=1"));
        assert_eq!(draft.path.as_deref(), Some("/a b"));
        assert_eq!(of(&line("http://elsewhere.example/"), LogEvents::Requests).url, None);
        assert_eq!(of(&line("//elsewhere.example/"), LogEvents::Requests).url, None);
    }
}
