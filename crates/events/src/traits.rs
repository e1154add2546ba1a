//! What is known about visitors beyond their events.

use std::collections::HashMap;
use std::sync::Arc;

use tributary_core::error::{Code, Error, Result};

/// The most visitors one trait may name.
pub const MAX_TRAIT_VISITORS: usize = 10_000_000;

/// One thing known about visitors, such as the plan of the contact behind each. It travels with a question
/// ([`crate::question::Slice::traits`]) and is read by [`crate::field::Field::Trait`]: every event of a visitor has the
/// visitor's value, whenever it happened.
#[derive(Debug, Default)]
pub struct Trait {
    name: String,
    /// Distinct values, in no promised order.
    values: Vec<String>,
    /// The place in `values` of each visitor's.
    place_of: HashMap<String, u32>,
}

impl Trait {
    /// A trait of some visitors, as (`anonymous_id`, value). A visitor has one value; visitors that are not named have none.
    pub fn new(name: impl Into<String>, values: impl IntoIterator<Item = (String, String)>) -> Result<Arc<Self>> {
        let name = name.into();
        let refuse = |message: String| Err(Error::new(Code::InvalidParams, message));
        let mut places: HashMap<String, u32> = HashMap::new();
        let mut place_of: HashMap<String, u32> = HashMap::new();
        for (visitor, value) in values {
            let next = places.len() as u32;
            let place = *places.entry(value).or_insert(next);
            if place_of.insert(visitor, place).is_some_and(|other| other != place) {
                return refuse(format!("a visitor has one value of the trait `{name}` only"));
            }
            if place_of.len() > MAX_TRAIT_VISITORS {
                return refuse(format!("the trait `{name}` names more than {MAX_TRAIT_VISITORS} visitors"));
            }
        }
        let mut values = vec![String::new(); places.len()];
        for (value, place) in places {
            values[place as usize] = value;
        }
        Ok(Arc::new(Self { name, values, place_of }))
    }

    /// What questions call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The visitor's value.
    pub fn value_of(&self, anonymous_id: &str) -> Option<&str> {
        self.place_of.get(anonymous_id).map(|place| self.values[*place as usize].as_str())
    }

    /// The distinct values.
    pub fn values(&self) -> &[String] {
        &self.values
    }

    /// The visitors it names, each with the place of its value among [`Trait::values`].
    pub fn visitors(&self) -> impl Iterator<Item = (&str, u32)> {
        self.place_of.iter().map(|(visitor, place)| (visitor.as_str(), *place))
    }
}

/// Equal when they say the same of the same visitors.
impl PartialEq for Trait {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
            && self.place_of.len() == other.place_of.len()
            && self.visitors().all(|(visitor, place)| other.value_of(visitor) == Some(&self.values[place as usize]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tier(values: &[(&str, &str)]) -> Result<Arc<Trait>> {
        Trait::new("tier", values.iter().map(|(visitor, value)| ((*visitor).to_owned(), (*value).to_owned())))
    }

    #[test]
    fn a_visitor_has_one_value() {
        let known = tier(&[("v", "gold"), ("w", "gold"), ("v", "gold"), ("x", "")]).expect("one value each");
        assert_eq!(["v", "w", "x", "y"].map(|visitor| known.value_of(visitor)), [Some("gold"), Some("gold"), Some(""), None]);
        assert_eq!(known, tier(&[("x", ""), ("w", "gold"), ("v", "gold")]).expect("one value each"));
        assert_ne!(known, tier(&[("x", ""), ("w", "gold"), ("u", "gold")]).expect("one value each"));
        assert!(tier(&[("v", "gold"), ("v", "free")]).is_err());
    }
}
