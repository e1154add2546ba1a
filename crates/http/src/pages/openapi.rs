//! `GET /openapi.json`: the REST routes as an OpenAPI 3.1 document. Paths, parameters and request bodies are written by
//! hand; the schemas of answers come from the types that serve them. The server address is relative, so it is true on any
//! host.

use axum::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};
use std::sync::LazyLock;
use tributary_service::ads::{AdOutput, AdRow};
use tributary_service::companies::{CompanyOutput, CompanyRow};
use tributary_service::contact_counts::{CountInput, CountOutput};
use tributary_service::contact_fields::FieldRow;
use tributary_service::contacts::{ContactOutput, ContactRow};
use tributary_service::conversions::ConversionRow;
use tributary_service::dates::resolve::ResolvedRange;
use tributary_service::events::aggregate::EventsCounted;
use tributary_service::events::get::EventOutput;
use tributary_service::events::row::EventRow;
use tributary_service::events::track::ConversionTracked;
use tributary_service::events::types::EventTypes;
use tributary_service::exports::{ExportQueued, ExportState};
use tributary_service::forget::ForgetOutput;
use tributary_service::import::ImportOutput;
use tributary_service::mappings::MappingRow;
use tributary_service::mappings::apply::MappedEvent;
use tributary_service::metrics::answer::MetricsAnswer;
use tributary_service::metrics::body::{ComparedQuestion, QuestionUnderModels};
use tributary_service::metrics::breakdown::Breakdown;
use tributary_service::metrics::compare::Comparison;
use tributary_service::metrics::list::{DimensionRow, MetricRow, ModelRow};
use tributary_service::metrics::models::ModelComparison;
use tributary_service::metrics::question::MetricsQuestion;
use tributary_service::metrics::user_defined::MetricDefinition;
use tributary_service::query::QueryOutput;
use tributary_service::saved::dashboard::{DashboardDefinition, DashboardOutput};
use tributary_service::saved::report::{ReportDefinition, ReportOutput};
use tributary_service::saved::segment::SegmentDefinition;
use tributary_service::saved::{SavedBody, SavedOutput};
use tributary_service::search::SearchOutput;
use tributary_service::send::{BatchOutput, IdentifyOutput, TrackOutput};
use tributary_service::sources::SourcesOutput;
use tributary_service::spend::SpendOutput;
use tributary_service::spend::sums::SpendAnswer;
use tributary_service::stats::StatsOutput;
use tributary_service::webhook_endpoints::{EndpointRow, IssuedEndpoint};

use crate::public_api::{Deleted, Listed, Page};

/// The document as served. `tests/documented` holds real answers of a running server against it.
pub static DOCUMENT: LazyLock<String> = LazyLock::new(|| {
    let mut document: Value =
        serde_json::from_str(include_str!("../../assets/openapi.json")).expect("the compiled-in document is JSON");
    let schemas = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut).expect("it has schemas");
    schemas.extend(answer_schemas());
    document.to_string()
});

/// Serves the document.
pub async fn document() -> Response {
    let headers =
        [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "public, max-age=300"), (ACCESS_CONTROL_ALLOW_ORIGIN, "*")];
    (headers, DOCUMENT.as_str()).into_response()
}

fn answer_schemas() -> Map<String, Value> {
    [
        ("Tracked", schema_of::<TrackOutput>()),
        ("BatchTracked", schema_of::<BatchOutput>()),
        ("Imported", schema_of::<ImportOutput>()),
        ("Identified", schema_of::<IdentifyOutput>()),
        ("Forgotten", schema_of::<ForgetOutput>()),
        ("SpendRecorded", schema_of::<SpendOutput>()),
        ("SpendAnswer", schema_of::<SpendAnswer>()),
        ("QueryAnswer", schema_of::<QueryOutput>()),
        ("StatsAnswer", schema_of::<StatsOutput>()),
        ("SourcesAnswer", schema_of::<SourcesOutput>()),
        ("ContactPage", schema_of::<Page<ContactRow>>()),
        ("Contact", schema_of::<ContactOutput>()),
        ("CompanyPage", schema_of::<Page<CompanyRow>>()),
        ("Company", schema_of::<CompanyOutput>()),
        ("CustomEvents", schema_of::<Listed<ConversionRow>>()),
        ("CustomEvent", schema_of::<ConversionRow>()),
        ("EventMappings", schema_of::<Listed<MappingRow>>()),
        ("EventMapping", schema_of::<MappingRow>()),
        ("MappedEvent", schema_of::<MappedEvent>()),
        ("WebhookEndpoints", schema_of::<Listed<EndpointRow>>()),
        ("WebhookEndpoint", schema_of::<EndpointRow>()),
        ("IssuedWebhookEndpoint", schema_of::<IssuedEndpoint>()),
        ("ContactFields", schema_of::<Listed<FieldRow>>()),
        ("ContactField", schema_of::<FieldRow>()),
        ("Deleted", schema_of::<Deleted>()),
        ("Metrics", schema_of::<Listed<MetricRow>>()),
        ("Dimensions", schema_of::<Listed<DimensionRow>>()),
        ("AttributionModels", schema_of::<Listed<ModelRow>>()),
        ("MetricsAnswer", schema_of::<MetricsAnswer>()),
        ("MetricsComparison", schema_of::<Comparison>()),
        ("ModelComparison", schema_of::<ModelComparison>()),
        ("MetricBreakdown", schema_of::<Breakdown>()),
        ("SavedItem", schema_of::<SavedOutput>()),
        ("SavedItems", schema_of::<Listed<SavedOutput>>()),
        ("ReportAnswer", schema_of::<ReportOutput>()),
        ("DashboardAnswer", schema_of::<DashboardOutput>()),
        ("AdPage", schema_of::<Page<AdRow>>()),
        ("Ad", schema_of::<AdOutput>()),
        ("Counts", schema_of::<CountOutput>()),
        ("CountBody", body_of::<CountInput>()),
        ("DateRange", schema_of::<ResolvedRange>()),
        ("SearchAnswer", schema_of::<SearchOutput>()),
        // Bodies whose types read them.
        ("MetricsQuestion", body_of::<MetricsQuestion>()),
        ("MetricsCompare", body_of::<ComparedQuestion>()),
        ("MetricsUnderModels", body_of::<QuestionUnderModels>()),
        ("CustomMetricBody", body_of::<SavedBody<MetricDefinition>>()),
        ("SegmentBody", body_of::<SavedBody<SegmentDefinition>>()),
        ("ReportBody", body_of::<SavedBody<ReportDefinition>>()),
        ("DashboardBody", body_of::<SavedBody<DashboardDefinition>>()),
        ("ConversionTracked", schema_of::<ConversionTracked>()),
        ("EventPage", schema_of::<Page<EventRow>>()),
        ("Event", schema_of::<EventOutput>()),
        ("EventsCounted", schema_of::<EventsCounted>()),
        ("EventTypes", schema_of::<EventTypes>()),
        ("ExportQueued", schema_of::<ExportQueued>()),
        ("ExportState", schema_of::<ExportState>()),
    ]
    .map(|(name, schema)| (String::from(name), schema))
    .into_iter()
    .collect()
}

fn schema_of<T: JsonSchema>() -> Value {
    schema::<T>(SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true).for_serialize())
}

/// Of what is read, where a default may be left out.
fn body_of<T: JsonSchema>() -> Value {
    schema::<T>(SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true).for_deserialize())
}

fn schema<T: JsonSchema>(settings: SchemaSettings) -> Value {
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    if let Some(object) = schema.as_object_mut() {
        // OpenAPI 3.1 schemas are 2020-12 without saying so, and the title would be the name of a Rust type.
        object.retain(|key, _| key != "$schema" && key != "title");
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use tributary_control::{ContactsQuery, WebhookProvider};
    use tributary_service::mappings::rule::{MAX_CONDITIONS, PayloadOperator};
    use tributary_service::stats::{COLUMNS, StatsInterval, StatsMetric};
    use tributary_service::{events, input::BotRule, query, sources, stats};

    fn parsed() -> Value {
        serde_json::from_str(&DOCUMENT).unwrap()
    }

    /// Every `/v1` and `/public-api` route of the two routers is described, and nothing else is.
    #[test]
    fn every_route_is_described() {
        let sources = [include_str!("../router.rs"), include_str!("mod.rs").split("mod tests").next().unwrap()];
        let served: BTreeSet<String> = sources
            .iter()
            .flat_map(|source| source.split(".route(").skip(1))
            .filter_map(|rest| rest.trim_start().strip_prefix('"'))
            .map(|rest| rest.split('"').next().unwrap().to_owned())
            .filter(|path| path.starts_with("/v1") || path.starts_with("/public-api"))
            .collect();
        let described: BTreeSet<String> = parsed()["paths"].as_object().unwrap().keys().cloned().collect();
        assert!(served.len() >= 8, "{served:?}");
        assert_eq!(described, served);
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = parsed();
        let text = document.to_string();
        let targets: Vec<&str> = text.split("\"$ref\":\"#").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        assert!(targets.len() > 30);
        for target in targets {
            assert!(document.pointer(target).is_some(), "{target}");
        }
    }

    /// What is written by hand says what the server checks.
    #[test]
    fn bounds_and_names_are_those_of_the_server() {
        let document = parsed();
        let parameter = |path: &str, name: &str| {
            let list = document["paths"][path]["get"]["parameters"].as_array().unwrap();
            let resolve = |entry: &Value| match entry["$ref"].as_str() {
                Some(target) => document.pointer(&target[1..]).unwrap().clone(),
                None => entry.clone(),
            };
            list.iter().map(resolve).find(|entry| entry["name"] == name).unwrap()["schema"].clone()
        };
        for (path, most, default) in [
            ("/v1/query", query::MAX_LIMIT, query::DEFAULT_LIMIT),
            ("/v1/stats", stats::MAX_LIMIT, stats::DEFAULT_LIMIT),
            ("/v1/sources", sources::MAX_LIMIT, sources::DEFAULT_LIMIT),
        ] {
            let limit = parameter(path, "limit");
            assert_eq!((&limit["maximum"], &limit["default"]), (&most.into(), &default.into()), "{path}");
            assert_eq!(parameter(path, "bots")["enum"], serde_json::json!(BotRule::NAMES), "{path}");
        }
        assert_eq!(parameter("/v1/stats", "metric")["enum"], serde_json::json!(StatsMetric::NAMES));
        assert_eq!(parameter("/v1/stats", "interval")["enum"], serde_json::json!(StatsInterval::NAMES));
        assert_eq!(parameter("/v1/sources", "breakdown")["enum"], serde_json::json!(sources::Breakdown::NAMES));
        for path in ["/public-api/v1/contacts", "/public-api/v1/companies"] {
            let per_page = parameter(path, "per_page");
            let (most, default) = (ContactsQuery::MAX_PER_PAGE, ContactsQuery::DEFAULT_PER_PAGE);
            assert_eq!((&per_page["maximum"], &per_page["default"]), (&most.into(), &default.into()), "{path}");
        }
        let body = |name: &str| document["components"]["schemas"][name]["properties"].clone();
        let providers: Vec<&str> = WebhookProvider::ALL.iter().map(|provider| provider.as_str()).collect();
        assert_eq!(body("WebhookEndpointBody")["provider"]["enum"], serde_json::json!(providers));
        let conditions = body("EventMappingBody")["source"]["properties"]["webhook"]["properties"]["conditions"].clone();
        let operators: Vec<&str> = PayloadOperator::ALL.iter().map(|operator| operator.as_str()).collect();
        assert_eq!(conditions["maxItems"], serde_json::json!(MAX_CONDITIONS));
        assert_eq!(conditions["items"]["properties"]["operator"]["enum"], serde_json::json!(operators));
        let per_page = parameter("/public-api/v1/events", "per_page");
        let (most, default) = (events::list::MAX_PER_PAGE, events::list::DEFAULT_PER_PAGE);
        assert_eq!((&per_page["maximum"], &per_page["default"]), (&most.into(), &default.into()));
        let columns = COLUMNS.join("|");
        assert_eq!(parameter("/v1/stats", "group_by")["pattern"], format!("^({columns})(,({columns}))*$"));
    }
}
