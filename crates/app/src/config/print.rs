//! The effective configuration as a commented TOML file, ready to be saved and changed.

use serde_json::Value;

use tributary_core::error::{Error, Result};

use super::Config;
use super::load::ENV_PREFIX;

/// Width of a comment line.
const COMMENT_WIDTH: usize = 100;

/// The schema of `tributary.toml`, JSON Schema 2020-12.
pub fn schema() -> Value {
    schemars::schema_for!(Config).to_value()
}

/// TOML with each key's documentation above it. Keys without a value are shown commented out.
pub fn toml(config: &Config) -> Result<String> {
    let schema = schema();
    let values =
        serde_json::to_value(config).map_err(|error| Error::internal("the configuration does not serialize").caused_by(error))?;
    let sections = values.as_object().into_iter().flatten();
    let mut text = format!("# Every key can also be set as {ENV_PREFIX}SECTION__KEY; flags win over both.\n");
    for (section, keys) in sections {
        text.push_str(&format!("\n[{section}]\n"));
        for (key, value) in keys.as_object().into_iter().flatten() {
            let property = resolve(&schema, &schema["properties"][section])["properties"].get(key);
            let documentation = property.and_then(|property| property["description"].as_str()).unwrap_or_default();
            comment(&mut text, documentation);
            match value {
                Value::Null => text.push_str(&format!("# {key} =\n")),
                given => {
                    let value = toml::Value::try_from(given)
                        .map_err(|error| Error::internal("a configuration value is not TOML").caused_by(error))?;
                    text.push_str(&format!("{key} = {value}\n"));
                }
            }
        }
    }
    Ok(text)
}

fn comment(text: &mut String, documentation: &str) {
    let mut line = String::from("#");
    for word in documentation.split_whitespace() {
        if line.len() + word.len() > COMMENT_WIDTH {
            text.push_str(&line);
            text.push('\n');
            line = String::from("#");
        }
        line.push(' ');
        line.push_str(word);
    }
    text.push_str(&line);
    text.push('\n');
}

fn resolve<'a>(schema: &'a Value, node: &'a Value) -> &'a Value {
    let name = node["$ref"].as_str().and_then(|reference| reference.strip_prefix("#/$defs/"));
    name.map_or(node, |name| &schema["$defs"][name])
}
