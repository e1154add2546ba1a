//! Schemas of arguments and results: derived from the types that serve, then made plain enough for every client.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

/// The schema of a tool's arguments.
pub(crate) fn input<T: JsonSchema>() -> Value {
    let mut schema = of::<T>(settings());
    schema.values_mut().for_each(without_null);
    // A tool without arguments still declares that it takes an object.
    schema.entry("properties").or_insert_with(|| json!({}));
    schema.insert(String::from("additionalProperties"), json!(false));
    Value::Object(schema)
}

/// The schema of a tool's `structuredContent`.
pub(crate) fn output<T: JsonSchema>() -> Value {
    // What is written, not what would be read: a member that is left out when empty is not required.
    Value::Object(of::<T>(settings().for_serialize()))
}

fn settings() -> SchemaSettings {
    SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true)
}

fn of<T: JsonSchema>(settings: SchemaSettings) -> Map<String, Value> {
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    plain(&mut schema);
    match schema {
        Value::Object(mut object) => {
            // 2020-12 is what MCP assumes; type names and doc comments of the root are ours, not the reader's.
            for key in ["$schema", "title", "description"] {
                object.remove(key);
            }
            object
        }
        _ => unreachable!("a struct's schema is an object"),
    }
}

/// Takes away `format`s that JSON Schema does not know (`uint`, `int64`, `double`), bounds say the same, and the line breaks
/// of doc comments.
fn plain(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if let Some(Value::String(description)) = object.get_mut("description") {
                *description = description.replace('\n', " ");
            }
            let is_numeric = |format: &str| format.starts_with("uint") || format.starts_with("int") || format == "double";
            if object.get("format").and_then(Value::as_str).is_some_and(is_numeric) {
                object.remove("format");
            }
            object.values_mut().for_each(plain);
        }
        Value::Array(items) => items.iter_mut().for_each(plain),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// An optional argument is left out, not sent as `null` (which is read as left out all the same): one plain type per
/// argument is what every client understands.
fn without_null(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if object.get("default").is_some_and(Value::is_null) {
                object.remove("default");
            }
            if let Some(Value::Array(types)) = object.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    object.insert(String::from("type"), only);
                }
            }
            object.values_mut().for_each(without_null);
        }
        Value::Array(items) => items.iter_mut().for_each(without_null),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
