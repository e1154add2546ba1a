//! `/docs`, `/docs/{page}`, `/docs/{page}.md` and `/llms.txt`: the files of `docs/`, compiled in.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use std::fmt::Write;

use super::layout::{self, escape};
use super::markdown;
use super::origin::RequestOrigin;

/// The address in the sources' examples, replaced by the one the reader used.
const EXAMPLE_ORIGIN: &str = "http://127.0.0.1:8787";

/// One page of documentation.
struct Page {
    /// Last part of its address.
    name: &'static str,
    /// One line for listings.
    summary: &'static str,
    source: &'static str,
}

/// Every page, in reading order.
const PAGES: &[Page] = &[
    Page {
        name: "quickstart",
        summary: "From nothing to a first answer: start the demo, ask over REST and MCP, then send your own events.",
        source: include_str!("../../../../docs/quickstart.md"),
    },
    Page {
        name: "demo",
        summary: "What the demo holds: two workspaces, their events, and a question with a known answer.",
        source: include_str!("../../../../docs/demo.md"),
    },
    Page {
        name: "sending-events",
        summary: "POST /v1/track, /v1/batch, /v1/identify and /v1/forget: fields, limits, enrichment, exact counting.",
        source: include_str!("../../../../docs/sending-events.md"),
    },
    Page {
        name: "contacts",
        summary: "Contacts and companies: who becomes one, custom fields, merging and splitting, the REST routes.",
        source: include_str!("../../../../docs/contacts.md"),
    },
    Page {
        name: "metrics",
        summary: "Metrics by dimensions: every definition, formulas of your own, comparison, segments, reports, dashboards, dates, search.",
        source: include_str!("../../../../docs/metrics.md"),
    },
    Page {
        name: "conversions",
        summary: "What counts as a conversion: standard types, custom slots, mapping rules for events and webhooks, endpoints.",
        source: include_str!("../../../../docs/conversions.md"),
    },
    Page {
        name: "classification",
        summary: "How source, device, country and bots are decided: the rules in order, the lists behind them, what differs.",
        source: include_str!("../../../../docs/classification.md"),
    },
    Page {
        name: "browser-script",
        summary: "GET /v1/a.js: the snippet, what it sends, options, identify, privacy signals.",
        source: include_str!("../../../../docs/browser-script.md"),
    },
    Page {
        name: "importing",
        summary: "NDJSON, CSV, Parquet and access logs into a workspace, with column mappings; exports out of it.",
        source: include_str!("../../../../docs/importing.md"),
    },
    Page {
        name: "asking-questions",
        summary: "GET /v1/query, /v1/stats and /v1/sources; time, zones, groups, intervals; the command line.",
        source: include_str!("../../../../docs/asking-questions.md"),
    },
    Page {
        name: "events-api",
        summary: "Conversions: sent by servers, refunded, listed with what earned them, counted, exported.",
        source: include_str!("../../../../docs/events-api.md"),
    },
    Page {
        name: "attribution",
        summary: "Visits, touches, windows and the twelve models, each with its source.",
        source: include_str!("../../../../docs/attribution.md"),
    },
    Page {
        name: "ads",
        summary: "Ad spend: platform exports, POST /v1/spend, what figures mean, levels, restatements, currencies.",
        source: include_str!("../../../../docs/ads.md"),
    },
    Page {
        name: "agents",
        summary: "MCP: the key door and the account door, their tools and resources, client configuration.",
        source: include_str!("../../../../docs/agents.md"),
    },
    Page {
        name: "keys-and-plans",
        summary: "What each kind of key may do, rotation, plans, the audit log and how to verify it by hand.",
        source: include_str!("../../../../docs/keys-and-plans.md"),
    },
    Page {
        name: "errors",
        summary: "Every error code, over HTTP and JSON-RPC, what causes it and what to do.",
        source: include_str!("../../../../docs/errors.md"),
    },
    Page {
        name: "privacy",
        summary: "What is stored about a visitor, what is not, and how a person is forgotten.",
        source: include_str!("../../../../docs/privacy.md"),
    },
    Page {
        name: "operations",
        summary: "Configuration, the data folder, health and metrics, backup, restore, proxies.",
        source: include_str!("../../../../docs/operations.md"),
    },
    Page {
        name: "performance",
        summary: "How fast, how small, beside DuckDB and ClickHouse: the questions, the method, the figures.",
        source: include_str!("../../../../docs/performance.md"),
    },
];

/// `GET /docs`: the list of pages.
pub async fn index() -> Response {
    let mut main = String::from("<main class=\"doc\"><h1>Documentation</h1>\n<ul class=\"cards\">");
    for page in PAGES {
        let title = escape(&markdown::render(page.source).title);
        let _infallible =
            write!(main, "<li><a href=\"/docs/{}\"><b>{title}</b><span>{}</span></a></li>", page.name, escape(page.summary));
    }
    main.push_str("</ul>\n<p>For agents: <a href=\"/llms.txt\">llms.txt</a> lists these pages as Markdown; ");
    main.push_str("<a href=\"/openapi.json\">openapi.json</a> describes the REST routes.</p></main>");
    layout::page(StatusCode::OK, "Documentation · Tributary", "/docs", &main)
}

/// `GET /docs/{page}` as HTML, `GET /docs/{page}.md` as its source.
pub async fn page(Path(name): Path<String>, origin: RequestOrigin) -> Response {
    let find = |name: &str| PAGES.iter().find(|page| page.name == name);
    if let Some(page) = name.strip_suffix(".md").and_then(find) {
        return plain("text/markdown; charset=utf-8", page.source.replace(EXAMPLE_ORIGIN, origin.as_str()));
    }
    let Some(page) = find(&name) else {
        let main = "<main class=\"doc\"><h1>No such page</h1><p>The pages that exist are listed under <a href=\"/docs\">/docs</a>.</p></main>";
        return layout::page(StatusCode::NOT_FOUND, "No such page · Tributary", "/docs", main);
    };
    let rendered = markdown::render(&page.source.replace(EXAMPLE_ORIGIN, origin.as_str()));
    let mut main = String::from("<div class=\"columns\"><nav class=\"side\" aria-label=\"Documentation\">");
    for other in PAGES {
        let title = escape(&markdown::render(other.source).title);
        if other.name != page.name {
            let _infallible = write!(main, "<a href=\"/docs/{}\">{title}</a>", other.name);
            continue;
        }
        let _infallible = write!(main, "<a href=\"/docs/{}\" aria-current=\"page\">{title}</a>", other.name);
        for (anchor, text) in &rendered.sections {
            let _infallible = write!(main, "<a class=\"sub\" href=\"#{anchor}\">{}</a>", escape(text));
        }
    }
    let _infallible = write!(main, "</nav><main class=\"doc\">{}</main></div>", rendered.html);
    layout::page(StatusCode::OK, &format!("{} · Tributary", escape(&rendered.title)), "/docs", &main)
}

/// `GET /llms.txt`: the index for language models, as proposed at llmstxt.org.
pub async fn llms_txt(origin: RequestOrigin) -> Response {
    let mut text = format!(
        "# Tributary {version}\n\n> Analytics server: events come in over REST or a browser script, answers go out over REST and MCP. \
         One workspace per `rk_` or `sk_` key at {origin}/mcp; every workspace of an account with an `ak_` key at \
         {origin}/mcp/account.\n\nBegin with the tool `query_events` or the resource `schema://events` to see which event names \
         exist, then ask `get_stats`, `top_sources` or `funnel`. Ranges are half-open: `from` is included, `to` is not.\n\n## Docs\n\n",
        version = env!("CARGO_PKG_VERSION"),
    );
    for page in PAGES {
        let title = markdown::render(page.source).title;
        let _infallible = writeln!(text, "- [{title}]({origin}/docs/{}.md): {}", page.name, page.summary);
    }
    let _infallible = write!(text, "\n## Reference\n\n- [OpenAPI]({origin}/openapi.json): the REST routes\n");
    plain("text/plain; charset=utf-8", text)
}

fn plain(content_type: &'static str, text: String) -> Response {
    ([(CONTENT_TYPE, content_type), (CACHE_CONTROL, "private, max-age=60")], text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every link from page to page leads to a page and a heading that exist.
    #[test]
    fn links_between_pages_lead_somewhere() {
        for page in PAGES {
            let html = markdown::render(page.source).html;
            for target in html.split("href=\"").skip(1).filter_map(|rest| rest.split_once('"')).map(|pair| pair.0) {
                let (path, anchor) = target.split_once('#').map_or((target, None), |(path, anchor)| (path, Some(anchor)));
                let other = match path.strip_prefix("/docs/") {
                    Some(name) => {
                        PAGES.iter().find(|other| other.name == name).unwrap_or_else(|| panic!("{}: {target}", page.name))
                    }
                    None if path.is_empty() => page,
                    None => continue,
                };
                let Some(anchor) = anchor else { continue };
                let html = markdown::render(other.source).html;
                assert!(html.contains(&format!("id=\"{anchor}\"")), "{}: {target} names no heading", page.name);
            }
        }
    }
}
