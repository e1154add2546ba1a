//! `GET /openapi.json`: the REST routes as an OpenAPI 3.1 document. Paths, parameters and request bodies are written by
//! hand; the schemas of answers come from the types that serve them. The server address is relative, so it is true on any
//! host.

use axum::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};
use std::sync::LazyLock;
use tributary_service::companies::{CompanyOutput, CompanyRow};
use tributary_service::contacts::{ContactOutput, ContactRow};
use tributary_service::events::aggregate::EventsCounted;
use tributary_service::events::get::EventOutput;
use tributary_service::events::row::EventRow;
use tributary_service::events::track::ConversionTracked;
use tributary_service::events::types::EventTypes;
use tributary_service::exports::{ExportQueued, ExportState};
use tributary_service::forget::ForgetOutput;
use tributary_service::import::ImportOutput;
use tributary_service::query::QueryOutput;
use tributary_service::send::{BatchOutput, IdentifyOutput, TrackOutput};
use tributary_service::sources::SourcesOutput;
use tributary_service::spend::SpendOutput;
use tributary_service::spend::sums::SpendAnswer;
use tributary_service::stats::StatsOutput;

use crate::public_api::Page;

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
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true).for_serialize();
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
    use tributary_control::ContactsQuery;
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
            .flat_map(|source| source.split(".route(\"").skip(1))
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
        let per_page = parameter("/public-api/v1/events", "per_page");
        let (most, default) = (events::list::MAX_PER_PAGE, events::list::DEFAULT_PER_PAGE);
        assert_eq!((&per_page["maximum"], &per_page["default"]), (&most.into(), &default.into()));
        let columns = COLUMNS.join("|");
        assert_eq!(parameter("/v1/stats", "group_by")["pattern"], format!("^({columns})(,({columns}))*$"));
    }
}
