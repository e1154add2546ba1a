//! Who is who: visitors known to be one person.

use std::collections::HashMap;
use std::sync::Arc;

use tributary_core::error::{Code, Error, Result};

/// Visitors known to be the same person, as of one moment. It travels with a question ([`crate::question::Slice::people`]), so
/// a merge re-reads nothing and can be undone by asking with another one. A visitor that is not listed is a person of its own.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct People {
    groups: Vec<Vec<String>>,
    group_of: HashMap<String, usize>,
}

impl People {
    /// Groups of visitors (`anonymous_id`), each one person. A visitor may stand in one group only.
    pub fn new(groups: impl IntoIterator<Item = Vec<String>>) -> Result<Arc<Self>> {
        let mut people = People::default();
        for mut group in groups {
            group.sort_unstable();
            group.dedup();
            // A person of one visitor needs no entry.
            if group.len() < 2 {
                continue;
            }
            for visitor in &group {
                if people.group_of.insert(visitor.clone(), people.groups.len()).is_some() {
                    return Err(Error::new(Code::InvalidParams, "a visitor belongs to one person only"));
                }
            }
            people.groups.push(group);
        }
        Ok(Arc::new(people))
    }

    /// The people of more than one visitor, each with its visitors ascending.
    pub fn groups(&self) -> &[Vec<String>] {
        &self.groups
    }

    /// The visitor that stands for the person of this one: the smallest id of its group, or itself.
    pub fn person_of<'a>(&'a self, visitor: &'a str) -> &'a str {
        self.visitors_of(visitor).and_then(|group| group.first()).map_or(visitor, String::as_str)
    }

    /// All visitors of the person this one belongs to; `None` when it is alone.
    pub fn visitors_of(&self, visitor: &str) -> Option<&[String]> {
        self.group_of.get(visitor).map(|group| self.groups[*group].as_slice())
    }
}
