//! `GET /`: what runs here, where its doors are, and client configurations to copy.

use axum::http::StatusCode;
use axum::response::Response;
use std::fmt::Write;

use super::layout::{self, escape};
use super::origin::RequestOrigin;

/// One way in, as the page shows it.
struct Door {
    path: &'static str,
    keys: &'static str,
    what: &'static str,
}

const DOORS: &[Door] = &[
    Door {
        path: "/mcp", keys: "rk_ · sk_", what: "MCP for an agent of one workspace: statistics, sources, funnels, raw events"
    },
    Door { path: "/mcp/account", keys: "ak_", what: "MCP across every workspace of an account, with comparison" },
    Door { path: "/v1/track", keys: "pk_ · sk_", what: "Send one event" },
    Door { path: "/v1/batch", keys: "pk_ · sk_", what: "Send up to 1,000 events, all or nothing" },
    Door { path: "/v1/import", keys: "sk_", what: "Import up to 1,000 rows, each by itself" },
    Door { path: "/v1/identify", keys: "pk_ · sk_", what: "Tie a visitor to a signed-in person" },
    Door { path: "/v1/forget", keys: "sk_", what: "Erase a person" },
    Door { path: "/v1/spend", keys: "sk_ · rk_", what: "Record what ads cost, and ask for it" },
    Door { path: "/v1/stats", keys: "rk_", what: "Counts and exact uniques, by group and interval" },
    Door { path: "/v1/sources", keys: "rk_", what: "Where visitors come from, paid and unpaid apart" },
    Door { path: "/v1/query", keys: "rk_", what: "Raw events, newest first" },
    Door { path: "/public-api/v1/contacts", keys: "rk_ · sk_", what: "Contacts: list them, create one with sk_" },
    Door { path: "/public-api/v1/contacts/{id}", keys: "rk_ · sk_", what: "One contact: read it, change it with sk_" },
    Door { path: "/public-api/v1/companies", keys: "rk_ · sk_", what: "Companies" },
    Door { path: "/public-api/v1/companies/{id}", keys: "rk_ · sk_", what: "One company: read it, change it with sk_" },
    Door { path: "/public-api/v1/contact-fields", keys: "rk_ · sk_", what: "The custom fields of contacts" },
    Door { path: "/public-api/v1/contact-fields/{slot}", keys: "sk_", what: "Label a custom field" },
    Door { path: "/public-api/v1/custom-events", keys: "rk_ · sk_", what: "The types of conversions" },
    Door { path: "/public-api/v1/custom-events/{slug}", keys: "sk_", what: "Set what a type is called and what counts" },
    Door { path: "/public-api/v1/event-mappings", keys: "rk_ · sk_", what: "Rules that make conversions: list, add with sk_" },
    Door { path: "/public-api/v1/event-mappings/{id}", keys: "rk_ · sk_", what: "One rule: read it, change it with sk_" },
    Door { path: "/public-api/v1/event-mappings/{id}/preview", keys: "rk_ · sk_", what: "Try a rule on a payload" },
    Door { path: "/public-api/v1/webhook-endpoints", keys: "rk_ · sk_", what: "Webhook endpoints: list, add with sk_" },
    Door { path: "/public-api/v1/webhook-endpoints/{id}", keys: "rk_ · sk_", what: "One endpoint: read it, change it with sk_" },
    Door { path: "/public-api/v1/webhook-endpoints/{id}/rotate", keys: "sk_", what: "Replace its signing secret" },
    Door { path: "/public-api/v1/metrics", keys: "rk_ · sk_", what: "The metrics there are" },
    Door { path: "/public-api/v1/metrics/query", keys: "rk_ · sk_", what: "Ask metrics by dimensions" },
    Door { path: "/public-api/v1/metrics/compare", keys: "rk_ · sk_", what: "Compare two periods" },
    Door { path: "/public-api/v1/metrics/models", keys: "rk_ · sk_", what: "Compare attribution models" },
    Door { path: "/public-api/v1/metrics/breakdown", keys: "rk_ · sk_", what: "Split one metric by one dimension" },
    Door { path: "/public-api/v1/contacts/aggregate", keys: "rk_ · sk_", what: "Contacts counted" },
    Door { path: "/public-api/v1/companies/aggregate", keys: "rk_ · sk_", what: "Companies counted" },
    Door { path: "/public-api/v1/ads/{level}", keys: "rk_ · sk_", what: "Ad accounts, campaigns, ad sets, ads" },
    Door { path: "/public-api/v1/ads/{level}/{source}/{id}", keys: "rk_ · sk_", what: "One of them, with its parents" },
    Door { path: "/public-api/v1/dimensions", keys: "rk_ · sk_", what: "The dimensions there are" },
    Door { path: "/public-api/v1/attribution-models", keys: "rk_ · sk_", what: "The attribution models" },
    Door { path: "/public-api/v1/custom-metrics", keys: "rk_ · sk_", what: "Metrics of your own: list, add with sk_" },
    Door { path: "/public-api/v1/custom-metrics/{id}", keys: "rk_ · sk_", what: "One of them: read it, change it with sk_" },
    Door { path: "/public-api/v1/segments", keys: "rk_ · sk_", what: "Segments: list, add with sk_" },
    Door { path: "/public-api/v1/segments/{id}", keys: "rk_ · sk_", what: "One segment: read it, change it with sk_" },
    Door { path: "/public-api/v1/segments/{id}/members", keys: "rk_ · sk_", what: "Its members" },
    Door { path: "/public-api/v1/reports", keys: "rk_ · sk_", what: "Reports: list, add with sk_" },
    Door { path: "/public-api/v1/reports/{id}", keys: "rk_ · sk_", what: "One report: read it, change it with sk_" },
    Door { path: "/public-api/v1/reports/{id}/run", keys: "rk_ · sk_", what: "Its answer" },
    Door { path: "/public-api/v1/dashboards", keys: "rk_ · sk_", what: "Dashboards: list, add with sk_" },
    Door { path: "/public-api/v1/dashboards/{id}", keys: "rk_ · sk_", what: "One dashboard: read it, change it with sk_" },
    Door { path: "/public-api/v1/dashboards/{id}/run", keys: "rk_ · sk_", what: "Its answers" },
    Door { path: "/public-api/v1/date-range", keys: "rk_ · sk_", what: "Days out of a phrase" },
    Door { path: "/public-api/v1/search", keys: "rk_ · sk_", what: "Search everything that has a name" },
    Door { path: "/public-api/v1/events/track", keys: "sk_", what: "Take in a conversion that a server reports" },
    Door { path: "/public-api/v1/events", keys: "rk_ · sk_", what: "Conversions, newest first" },
    Door { path: "/public-api/v1/events/{id}", keys: "rk_ · sk_", what: "One conversion with its touchpoints" },
    Door { path: "/public-api/v1/events/aggregate", keys: "rk_ · sk_", what: "Conversions counted and summed by group" },
    Door { path: "/public-api/v1/event-types", keys: "rk_ · sk_", what: "The workspace's conversions and their use" },
    Door { path: "/public-api/v1/events/exports", keys: "rk_ · sk_", what: "Conversions of a day as a file" },
    Door { path: "/public-api/v1/events/exports/{id}", keys: "rk_ · sk_", what: "How far that file has come" },
    Door { path: "/public-api/v1/contacts/exports", keys: "rk_ · sk_", what: "Contacts as a file" },
    Door { path: "/public-api/v1/contacts/exports/{id}", keys: "rk_ · sk_", what: "How far that file has come" },
    Door { path: "/public-api/v1/companies/exports", keys: "rk_ · sk_", what: "Companies as a file" },
    Door { path: "/public-api/v1/companies/exports/{id}", keys: "rk_ · sk_", what: "How far that file has come" },
    Door { path: "/public-api/v1/exports/{id}/file", keys: "none", what: "The file behind an export's link" },
    Door { path: "/v1/a.js", keys: "none", what: "The browser script" },
];

/// Serves the front page. It knows no secret: keys in examples are placeholders.
pub async fn page(origin: RequestOrigin) -> Response {
    let mut main = format!(
        "<main class=\"home\"><section class=\"hero\"><p class=\"status\"><i></i>running · version {version}</p>\
         <h1>Analytics your agents can&nbsp;ask.</h1>\
         <p class=\"lead\">Events flow in over REST and a small browser script. Exact answers flow out over MCP and REST. \
         This server speaks at <code>{origin}</code>.</p>\
         <p class=\"actions\"><a class=\"button\" href=\"/docs/quickstart\">Quickstart</a>\
         <a class=\"button quiet\" href=\"/docs\">Documentation</a></p></section>\n",
        version = env!("CARGO_PKG_VERSION"),
    );
    main.push_str("<section><h2>Connect an agent</h2><p>Replace <code>rk_live_…</code> by a read key. <code>tributary key create</code> makes one; the demo prints its own.</p>");
    main.push_str("<div class=\"tabs\" role=\"tablist\" aria-label=\"Client\"></div><div class=\"panels\">");
    for (name, hint, code) in clients(&origin) {
        let _infallible = write!(
            main,
            "<article class=\"panel\" data-tab=\"{name}\"><h3>{name}</h3><p>{hint}</p><pre><code>{}</code></pre></article>",
            escape(&code)
        );
    }
    main.push_str("</div></section>\n<section><h2>Doors</h2><div class=\"scroll\"><table class=\"doors\"><thead><tr><th>Address</th><th>Key</th><th>What it is for</th></tr></thead><tbody>");
    for door in DOORS {
        let _infallible = write!(
            main,
            "<tr><td><code>{origin}{}</code></td><td><code>{}</code></td><td>{}</td></tr>",
            door.path, door.keys, door.what
        );
    }
    main.push_str("</tbody></table></div></section>\n<section><h2>Measure a site</h2><p>One line in the page, with a publishable key whose workspace lists the site's origin. No cookies, under 3&nbsp;KB.</p>");
    let snippet = format!("<script async src=\"{origin}/v1/a.js\" data-key=\"pk_live_…\"></script>");
    let _infallible = write!(main, "<pre><code>{}</code></pre></section></main>", escape(&snippet));
    layout::page(StatusCode::OK, "Tributary", "/", &main)
}

/// Name, where the configuration goes, and the configuration itself.
fn clients(origin: &RequestOrigin) -> [(&'static str, &'static str, String); 5] {
    let bearer = "Authorization: Bearer rk_live_…";
    [
        (
            "Claude Code",
            "In a terminal, once per project:",
            format!("claude mcp add --transport http tributary {origin}/mcp \\\n  --header \"{bearer}\""),
        ),
        (
            "Claude Desktop",
            "In <code>claude_desktop_config.json</code> (needs Node; the bridge carries the header):",
            config(&format!(
                "      \"command\": \"npx\",\n      \"args\": [\"-y\", \"mcp-remote\", \"{origin}/mcp\", \"--header\", \"{bearer}\"]"
            )),
        ),
        (
            "Cursor",
            "In <code>~/.cursor/mcp.json</code>; the same shape serves any client that takes a URL and headers:",
            config(&format!(
                "      \"url\": \"{origin}/mcp\",\n      \"transport\": \"http\",\n      \"headers\": {{ \"Authorization\": \"Bearer rk_live_…\" }}"
            )),
        ),
        (
            "Inspector",
            "The MCP Inspector, without a window:",
            format!(
                "npx @modelcontextprotocol/inspector --cli {origin}/mcp \\\n  --transport http --header \"{bearer}\" --method tools/list"
            ),
        ),
        (
            "curl",
            "Any HTTP client will do:",
            format!(
                "curl -s {origin}/mcp \\\n  -H \"{bearer}\" -H \"Content-Type: application/json\" \\\n  \
                 -d '{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}}'"
            ),
        ),
    ]
}

fn config(server: &str) -> String {
    format!("{{\n  \"mcpServers\": {{\n    \"tributary\": {{\n{server}\n    }}\n  }}\n}}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// The page lists the MCP doors and the described REST routes, all of them, with the keys that enter.
    #[test]
    fn every_door_is_shown() {
        let document: serde_json::Value = serde_json::from_str(&super::super::openapi::DOCUMENT).unwrap();
        let routes = document["paths"].as_object().unwrap().keys().map(String::as_str);
        let doors = tributary_mcp::door::DOORS;
        let expected: BTreeSet<&str> = routes.chain(doors.iter().map(|door| door.path)).collect();
        assert_eq!(DOORS.iter().map(|door| door.path).collect::<BTreeSet<_>>(), expected);
        for door in doors {
            let shown = DOORS.iter().find(|shown| shown.path == door.path).unwrap().keys;
            let keys: Vec<String> = door.kinds.iter().map(|kind| format!("{}_", kind.as_str())).collect();
            assert_eq!(shown, keys.join(" · "), "{}", door.path);
        }
    }

    /// What the page offers for copying into a JSON file is JSON.
    #[tokio::test]
    async fn configurations_are_valid_json() {
        use axum::extract::FromRequestParts;
        let (mut parts, ()) = axum::http::Request::get("/").header("host", "[::1]:8787").body(()).unwrap().into_parts();
        let origin = RequestOrigin::from_request_parts(&mut parts, &()).await.unwrap();
        for (name, _, code) in clients(&origin).into_iter().filter(|client| client.2.starts_with('{')) {
            let parsed: serde_json::Value = serde_json::from_str(&code).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(parsed["mcpServers"]["tributary"].is_object(), "{name}");
            assert!(code.contains("http://[::1]:8787/mcp"), "{name}");
        }
    }
}
