//! What is counted, for Prometheus. Labels are bounded: route templates, tool names, codes; never ids or names of tenants.

use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use tributary_core::error::Code;
use tributary_core::time::SECOND_US;
use tributary_mcp::server::Called;

use crate::router::AppState;

type Labels<const N: usize> = [(&'static str, String); N];

/// Upper edges of the duration histograms, seconds.
const SECONDS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

/// The counters of one process.
pub struct Metrics {
    registry: Registry,
    requests: Family<Labels<3>, Counter>,
    request_seconds: Family<Labels<1>, Histogram>,
    calls: Family<Labels<3>, Counter>,
    call_seconds: Family<Labels<1>, Histogram>,
    events: Family<Labels<1>, Counter>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// All at zero.
    pub fn new() -> Self {
        let histogram: fn() -> Histogram = || Histogram::new(SECONDS);
        let requests = Family::<Labels<3>, Counter>::default();
        let request_seconds = Family::<Labels<1>, Histogram>::new_with_constructor(histogram);
        let calls = Family::<Labels<3>, Counter>::default();
        let call_seconds = Family::<Labels<1>, Histogram>::new_with_constructor(histogram);
        let events = Family::<Labels<1>, Counter>::default();
        let mut registry = Registry::with_prefix("tributary");
        registry.register("http_requests", "HTTP requests by route, method and status", requests.clone());
        registry.register("http_request_duration_seconds", "Time to answer HTTP requests", request_seconds.clone());
        registry.register("tool_calls", "MCP tool calls by door, tool and outcome", calls.clone());
        registry.register("tool_call_duration_seconds", "Time to answer MCP tool calls", call_seconds.clone());
        registry.register(
            "events",
            "Events received by outcome: accepted, duplicate, or the code of the refusal",
            events.clone(),
        );
        Self { registry, requests, request_seconds, calls, call_seconds, events }
    }

    /// The registry, for what other parts of the process count.
    pub fn registry_mut(&mut self) -> &mut Registry {
        &mut self.registry
    }

    /// Counts a tool call.
    pub(crate) fn note_call(&self, called: &Called) {
        let tool = called.tool.unwrap_or("unknown").to_owned();
        let outcome = called.outcome.map_or_else(Code::as_str, |()| "ok").to_owned();
        let labels = [("door", called.door.to_owned()), ("tool", tool.clone()), ("outcome", outcome)];
        self.calls.get_or_create(&labels).inc();
        self.call_seconds.get_or_create(&[("tool", tool)]).observe(seconds(called.latency_us));
    }

    /// Counts events by what became of them.
    pub(crate) fn note_events(&self, accepted: u64, duplicates: u64) {
        for (outcome, count) in [("accepted", accepted), ("duplicate", duplicates)] {
            if count > 0 {
                self.events.get_or_create(&[("outcome", outcome.to_owned())]).inc_by(count);
            }
        }
    }

    /// Counts a request to an ingest route that was refused.
    pub(crate) fn note_refused(&self, code: Code) {
        self.events.get_or_create(&[("outcome", code.as_str().to_owned())]).inc();
    }
}

/// Counts and times every request.
pub(crate) async fn count(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let started_us = state.service.clock.now_us();
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str).to_owned();
    let method = name_of(request.method());
    let response = next.run(request).await;
    let latency_us = state.service.clock.now_us().saturating_sub(started_us).max(0);
    let status = response.status().as_u16();
    tracing::debug!(route, method, status, latency_us, "answered");
    let labels = [("route", route.clone()), ("method", method.to_owned()), ("status", status.to_string())];
    state.metrics.requests.get_or_create(&labels).inc();
    state.metrics.request_seconds.get_or_create(&[("route", route)]).observe(seconds(latency_us));
    response
}

/// `GET /metrics`.
pub(crate) async fn exposition(State(state): State<AppState>) -> Response {
    let mut text = String::new();
    if let Err(error) = prometheus_client::encoding::text::encode(&mut text, &state.metrics.registry) {
        let error = tributary_core::error::Error::internal("the metrics could not be written").caused_by(error);
        return crate::refusal::Refusal(error).into_response();
    }
    ([(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text).into_response()
}

fn seconds(us: i64) -> f64 {
    us as f64 / SECOND_US as f64
}

/// Callers may invent methods; labels may not.
fn name_of(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
