//! The free-form facts of an event, shared: an import's rows often say the same.

use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

/// Free-form facts. A copy is the same facts, not others like them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(from = "Map<String, Value>")]
pub struct Properties(Arc<Facts>);

#[derive(Debug, Default)]
struct Facts {
    values: Map<String, Value>,
    text: OnceLock<String>,
}

impl Properties {
    /// The facts as compact JSON, written once for all copies.
    pub fn text(&self) -> &str {
        self.0.text.get_or_init(|| serde_json::to_string(&self.0.values).expect("a JSON object with text keys is always written"))
    }
}

impl From<Map<String, Value>> for Properties {
    fn from(values: Map<String, Value>) -> Self {
        Self(Arc::new(Facts { values, text: OnceLock::new() }))
    }
}

impl Deref for Properties {
    type Target = Map<String, Value>;

    fn deref(&self) -> &Self::Target {
        &self.0.values
    }
}

impl Serialize for Properties {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.values.serialize(serializer)
    }
}

impl PartialEq for Properties {
    fn eq(&self, other: &Self) -> bool {
        self.0.values == other.0.values
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn copies_are_the_same_facts_and_travel_as_a_plain_object() {
        let facts = json!({"plan": "pro", "n": 1.50});
        let properties: Properties = serde_json::from_value(facts.clone()).unwrap();
        let copy = properties.clone();
        assert!(std::ptr::eq(properties.text(), copy.text()));
        assert_eq!((copy.text(), copy["plan"].as_str()), (r#"{"plan":"pro","n":1.5}"#, Some("pro")));
        assert_eq!(serde_json::to_value(&copy).unwrap(), facts);
    }
}
