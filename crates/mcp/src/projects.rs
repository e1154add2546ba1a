//! Narrowing a call to single projects: the selector arguments and what they resolve to.

use serde_json::{Map, Value, json};
use tributary_control::{Caller, WorkspaceAccess};
use tributary_core::error::{Code, Error, Result};
use tributary_service::problem::invalid;
use uuid::Uuid;

/// The most projects one call may name.
const MAX_PROJECT_IDS: usize = 100;
/// The selector arguments.
const SELECTORS: [&str; 3] = ["project_id", "project_slug", "project_ids"];

/// Adds the selector arguments to a tool's schema.
pub(crate) fn add_selectors(schema: &mut Value) {
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    properties.insert(
        String::from("project_id"),
        json!({
            "type": "string", "minLength": 1, "maxLength": 64,
            "description": "Only this project, by its UUID from list_projects. Give at most one of project_id, project_slug, \
                project_ids; without any, the question spans every project of the key."
        }),
    );
    properties.insert(
        String::from("project_slug"),
        json!({
            "type": "string", "minLength": 1, "maxLength": 64, "examples": ["acme-storefront"],
            "description": "Only this project, by its slug from list_projects."
        }),
    );
    properties.insert(
        String::from("project_ids"),
        json!({
            "type": "array", "items": { "type": "string", "minLength": 1, "maxLength": 64 },
            "minItems": 1, "maxItems": MAX_PROJECT_IDS, "uniqueItems": true,
            "description": "Only these projects, 1 to 100 UUIDs from list_projects."
        }),
    );
}

/// Takes the selectors out of the (validated) arguments and finds the projects they name among those the caller may read.
/// Without selectors: all of them.
pub(crate) fn select(caller: &Caller, arguments: &mut Map<String, Value>) -> Result<Vec<WorkspaceAccess>> {
    let given: Vec<(&str, Value)> =
        SELECTORS.iter().filter_map(|name| arguments.remove(*name).map(|value| (*name, value))).collect();
    match given.as_slice() {
        [] => Ok(caller.workspaces.clone()),
        [("project_slug", Value::String(slug))] => {
            let found = caller.workspaces.iter().find(|access| access.workspace.slug == *slug);
            found.cloned().map(|access| vec![access]).ok_or_else(|| unknown_slug(caller, slug))
        }
        [(_, Value::String(id))] => Ok(vec![find_by_id(caller, id)?]),
        [(_, Value::Array(ids))] => {
            let mut found: Vec<WorkspaceAccess> = Vec::new();
            for id in ids.iter().filter_map(Value::as_str) {
                let access = find_by_id(caller, id)?;
                if !found.iter().any(|seen| seen.workspace.id == access.workspace.id) {
                    found.push(access);
                }
            }
            // One order of projects, whatever the order they were named in.
            found.sort_by_key(|access| access.workspace.id);
            Ok(found)
        }
        [(name, _)] => Err(invalid(name, "must name projects as text")),
        [(first, _), (second, _), ..] => {
            Err(invalid(second, format!("cannot stand beside `{first}`; give one of project_id, project_slug, project_ids")))
        }
    }
}

fn find_by_id(caller: &Caller, id: &str) -> Result<WorkspaceAccess> {
    let uuid = Uuid::parse_str(id).ok();
    let found = caller.workspaces.iter().find(|access| Some(access.workspace.uuid) == uuid);
    found.cloned().ok_or_else(|| {
        Error::new(Code::UnknownProjectId, "no project with this id is visible to the key; list_projects shows those that are")
            .with_details(json!({ "project_id": id }))
    })
}

fn unknown_slug(caller: &Caller, slug: &str) -> Error {
    let mut near: Vec<(f64, &str)> = caller
        .workspaces
        .iter()
        .map(|access| (strsim::jaro_winkler(slug, &access.workspace.slug), access.workspace.slug.as_str()))
        .filter(|(score, _)| *score >= 0.7)
        .collect();
    near.sort_by(|left, right| right.0.total_cmp(&left.0).then_with(|| left.1.cmp(right.1)));
    let nearest: Vec<&str> = near.into_iter().take(3).map(|(_, slug)| slug).collect();
    Error::new(Code::UnknownProjectSlug, "no project with this slug is visible to the key; list_projects shows those that are")
        .with_details(json!({ "project_slug": slug, "nearest": nearest }))
}
