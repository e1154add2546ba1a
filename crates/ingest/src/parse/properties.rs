//! A JSON object of bounded size and depth: what exceeds a bound is skipped while reading, never built.

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::fmt;

use super::given::Accept;
use crate::steps::{MAX_PROPERTIES_BYTES, MAX_PROPERTIES_DEPTH};

/// Free-form facts as read.
#[derive(Debug)]
pub enum Properties {
    /// Within what reading can bound; its exact size is checked by the `limits` step.
    Read(Map<String, Value>),
    /// Surely larger than [`MAX_PROPERTIES_BYTES`].
    TooLarge,
    /// Nested deeper than [`MAX_PROPERTIES_DEPTH`].
    TooDeep,
}

impl<'de> Accept<'de> for Properties {
    const NAME: &'static str = "an object";
    fn object<A: MapAccess<'de>>(map: A) -> Result<Option<Self>, A::Error> {
        let mut budget = Budget { bytes_left: MAX_PROPERTIES_BYTES, is_too_large: false, is_too_deep: false };
        let read = Bounded { budget: &mut budget, depth_left: MAX_PROPERTIES_DEPTH }.visit_map(map)?;
        Ok(Some(match read {
            _ if budget.is_too_deep => Properties::TooDeep,
            _ if budget.is_too_large => Properties::TooLarge,
            Value::Object(map) => Properties::Read(map),
            _ => Properties::TooLarge,
        }))
    }
}

/// What may still be read. `bytes_left` falls by a lower bound of the compact text's length.
struct Budget {
    bytes_left: usize,
    is_too_large: bool,
    is_too_deep: bool,
}

impl Budget {
    /// Whether `bytes` more fit. Once they did not, nothing does.
    fn spend(&mut self, bytes: usize) -> bool {
        match self.bytes_left.checked_sub(bytes) {
            Some(left) if !self.is_too_large => self.bytes_left = left,
            _ => self.is_too_large = true,
        }
        !self.is_too_large
    }
}

struct Bounded<'b> {
    budget: &'b mut Budget,
    depth_left: usize,
}

impl<'b> Bounded<'b> {
    fn text<E>(self, text: String) -> Result<Value, E> {
        Ok(if self.budget.spend(text.len() + 2) { Value::String(text) } else { Value::Null })
    }

    fn scalar<E>(self, value: Value) -> Result<Value, E> {
        self.budget.spend(1);
        Ok(value)
    }

    /// The budget for what lies inside, `None` when that is too deep.
    fn inside(self) -> Option<(&'b mut Budget, usize)> {
        match self.depth_left.checked_sub(1) {
            Some(depth_left) => {
                self.budget.spend(2);
                Some((self.budget, depth_left))
            }
            None => {
                self.budget.is_too_deep = true;
                None
            }
        }
    }
}

impl<'de> DeserializeSeed<'de> for Bounded<'_> {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        if self.budget.is_too_large || self.budget.is_too_deep {
            return deserializer.deserialize_ignored_any(IgnoredAny).map(|_| Value::Null);
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Bounded<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        self.scalar(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        self.scalar(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        self.scalar(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        self.scalar(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        self.scalar(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        self.text(text.to_owned())
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        self.text(text)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let Some((budget, depth_left)) = self.inside() else {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(Value::Null);
        };
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(Bounded { budget: &mut *budget, depth_left })? {
            if !budget.is_too_large && !budget.is_too_deep {
                items.push(item);
            }
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let Some((budget, depth_left)) = self.inside() else {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(Value::Null);
        };
        let mut object = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            // A repeated key replaces the earlier value, as in a browser; its bytes count all the same.
            budget.spend(key.len() + 3);
            let value = map.next_value_seed(Bounded { budget: &mut *budget, depth_left })?;
            if !budget.is_too_large && !budget.is_too_deep {
                object.insert(key, value);
            }
        }
        Ok(Value::Object(object))
    }
}
