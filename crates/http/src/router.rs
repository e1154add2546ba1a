//! Every public route.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post, put};
use tower_http::compression::predicate::{And, DefaultPredicate, Predicate, SizeAbove};
use tower_http::compression::{CompressionLayer, CompressionLevel};
use tributary_control::SavedKind;
use tributary_core::error::Result;
use tributary_mcp::door::DOORS;
use tributary_mcp::server::McpServer;
use tributary_service::service::Service;

use crate::metrics::Metrics;
use crate::settings::Settings;
use crate::{cors, health, mcp, metrics, pages, public_api, refusal, v1};

/// Shorter answers are sent as they are: they fit into one packet.
const LEAST_COMPRESSED_BYTES: u16 = 1_024;

/// What every route works on. Cloning shares it.
#[derive(Clone)]
pub struct AppState {
    /// The use cases.
    pub service: Arc<Service>,
    /// The MCP doors.
    pub mcp: Arc<McpServer>,
    /// What the operator has set.
    pub settings: Arc<Settings>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Set at shutdown: `/readyz` then sends new traffic elsewhere.
    pub draining: Arc<AtomicBool>,
}

impl AppState {
    /// Opens the doors on a service.
    pub fn open(service: Arc<Service>, settings: Settings) -> Result<Self> {
        Ok(Self {
            mcp: Arc::new(McpServer::open(service.clone())?),
            service,
            settings: Arc::new(settings),
            metrics: Arc::new(Metrics::new()),
            draining: Arc::new(AtomicBool::new(false)),
        })
    }
}

/// Compresses answers that are worth it, for clients that ask, at the level that costs less time than it saves nearby.
fn compression() -> CompressionLayer<And<DefaultPredicate, SizeAbove>> {
    CompressionLayer::new()
        .quality(CompressionLevel::Fastest)
        .compress_when(DefaultPredicate::new().and(SizeAbove::new(LEAST_COMPRESSED_BYTES)))
}

/// The public routes. The operator API is a router of its own ([`crate::admin::router`]) and never mounted here.
///
/// Serve it with `into_make_service_with_connect_info::<SocketAddr>()`, so that clients' addresses are known.
pub fn router(state: AppState) -> Router {
    let ingest = Router::new()
        .route("/v1/track", post(v1::track::post))
        .route("/v1/batch", post(v1::batch::post))
        .route("/v1/identify", post(v1::identify::post))
        .route("/v1/import", post(v1::import::post))
        .route("/v1/forget", post(v1::forget::post))
        .method_not_allowed_fallback(refusal::method_not_allowed)
        .layer(from_fn(cors::ingest));
    let reads = Router::new()
        .route("/v1/query", get(v1::query::get))
        .route("/v1/stats", get(v1::stats::get))
        .route("/v1/sources", get(v1::sources::get))
        .route("/v1/spend", get(v1::spend::get).post(v1::spend::post));
    let public_api = Router::new()
        .route("/public-api/v1/contacts", get(public_api::contacts::list).post(public_api::contacts::post))
        .route("/public-api/v1/contacts/{id}", get(public_api::contacts::get).put(public_api::contacts::put))
        .route("/public-api/v1/companies", get(public_api::companies::list))
        .route("/public-api/v1/companies/{id}", get(public_api::companies::get).put(public_api::companies::put))
        .merge(conversions())
        .merge(definitions())
        .merge(reports());
    let mut doors = Router::new();
    for door in DOORS {
        doors = doors.route(door.path, post(move |state, request| mcp::post(door, state, request)));
    }
    let doors =
        doors.method_not_allowed_fallback(refusal::method_not_allowed).layer(from_fn_with_state(state.clone(), cors::doors));
    let health = Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::exposition));
    let files = Router::new()
        .route("/public-api/v1/exports/{id}/file", get(public_api::exports::file))
        .layer(from_fn_with_state(state.clone(), metrics::count));
    Router::new()
        .merge(ingest)
        .merge(reads)
        .merge(public_api)
        .merge(doors)
        .merge(health)
        .merge(pages::routes(state.settings.public_url.clone()))
        .fallback(refusal::unknown_route)
        .method_not_allowed_fallback(refusal::method_not_allowed)
        .layer(from_fn_with_state(state.clone(), metrics::count))
        .layer(compression())
        // What is compressed already is sent as it is.
        .merge(files)
        .with_state(state)
}

/// Conversions and what is exported.
fn conversions() -> Router<AppState> {
    use public_api::{events, exports};
    Router::new()
        .route("/public-api/v1/events/track", post(events::track))
        .route("/public-api/v1/events", get(events::list))
        .route("/public-api/v1/events/aggregate", post(events::aggregate))
        .route("/public-api/v1/events/{id}", get(events::get))
        .route("/public-api/v1/event-types", get(events::types))
        .route("/public-api/v1/events/exports", post(exports::events))
        .route("/public-api/v1/events/exports/{id}", get(exports::state_of_events))
        .route("/public-api/v1/contacts/exports", post(exports::contacts))
        .route("/public-api/v1/contacts/exports/{id}", get(exports::state_of_contacts))
        .route("/public-api/v1/companies/exports", post(exports::companies))
        .route("/public-api/v1/companies/exports/{id}", get(exports::state_of_companies))
}

/// What conversions are made of, and what contacts hold.
fn definitions() -> Router<AppState> {
    Router::new()
        .route("/public-api/v1/custom-events", get(public_api::custom_events::list))
        .route(
            "/public-api/v1/custom-events/{slug}",
            put(public_api::custom_events::put).delete(public_api::custom_events::delete),
        )
        .route("/public-api/v1/event-mappings", get(public_api::event_mappings::list).post(public_api::event_mappings::post))
        .route(
            "/public-api/v1/event-mappings/{id}",
            get(public_api::event_mappings::get).put(public_api::event_mappings::put).delete(public_api::event_mappings::delete),
        )
        .route("/public-api/v1/event-mappings/{id}/preview", post(public_api::event_mappings::preview))
        .route(
            "/public-api/v1/webhook-endpoints",
            get(public_api::webhook_endpoints::list).post(public_api::webhook_endpoints::post),
        )
        .route(
            "/public-api/v1/webhook-endpoints/{id}",
            get(public_api::webhook_endpoints::get)
                .put(public_api::webhook_endpoints::put)
                .delete(public_api::webhook_endpoints::delete),
        )
        .route("/public-api/v1/webhook-endpoints/{id}/rotate", post(public_api::webhook_endpoints::rotate))
        .route("/public-api/v1/contact-fields", get(public_api::contact_fields::list))
        .route(
            "/public-api/v1/contact-fields/{slot}",
            put(public_api::contact_fields::put).delete(public_api::contact_fields::delete),
        )
}

/// Metrics, what is saved of them, dates and search.
fn reports() -> Router<AppState> {
    Router::new()
        .route("/public-api/v1/metrics", get(public_api::metrics::list))
        .route("/public-api/v1/metrics/query", post(public_api::metrics::query))
        .route("/public-api/v1/metrics/compare", post(public_api::metrics::compare))
        .route("/public-api/v1/metrics/models", post(public_api::metrics::compare_models))
        .route("/public-api/v1/metrics/breakdown", post(public_api::metrics::breakdown))
        .route("/public-api/v1/contacts/aggregate", post(public_api::counts::contacts))
        .route("/public-api/v1/companies/aggregate", post(public_api::counts::companies))
        .route("/public-api/v1/ads/{level}", get(public_api::ads::list))
        .route("/public-api/v1/ads/{level}/{source}/{id}", get(public_api::ads::get))
        .route("/public-api/v1/dimensions", get(public_api::metrics::dimensions))
        .route("/public-api/v1/attribution-models", get(public_api::metrics::models))
        .route("/public-api/v1/custom-metrics", public_api::saved::list(SavedKind::Metric))
        .route("/public-api/v1/custom-metrics/{id}", public_api::saved::one(SavedKind::Metric))
        .route("/public-api/v1/segments", public_api::saved::list(SavedKind::Segment))
        .route("/public-api/v1/segments/{id}", public_api::saved::one(SavedKind::Segment))
        .route("/public-api/v1/segments/{id}/members", get(public_api::saved::members))
        .route("/public-api/v1/reports", public_api::saved::list(SavedKind::Report))
        .route("/public-api/v1/reports/{id}", public_api::saved::one(SavedKind::Report))
        .route("/public-api/v1/reports/{id}/run", get(public_api::saved::run_report))
        .route("/public-api/v1/dashboards", public_api::saved::list(SavedKind::Dashboard))
        .route("/public-api/v1/dashboards/{id}", public_api::saved::one(SavedKind::Dashboard))
        .route("/public-api/v1/dashboards/{id}/run", get(public_api::saved::run_dashboard))
        .route("/public-api/v1/date-range", get(public_api::lookup::date_range))
        .route("/public-api/v1/search", get(public_api::lookup::search))
}
