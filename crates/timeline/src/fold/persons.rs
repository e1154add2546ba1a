//! People over visitors: which visitor hashes belong to a person of several.

use std::ops::Range;
use std::sync::{Arc, Mutex};

use tributary_events::people::People;

use crate::stored::Hashes;

/// The visitors of persons of several visitors, by hash.
pub(crate) struct Persons {
    /// Hash and number of the person, ascending.
    members: Vec<(u64, u32)>,
}

/// Rows of a visitor that wait for the other visitors of its person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Member {
    pub person: u32,
    pub source: u32,
    pub chunk: u32,
    /// Rows, counted in the chunk.
    pub first_row: u32,
    pub end_row: u32,
    pub hash: u64,
}

impl Persons {
    fn new(people: &People, hashes: &Hashes) -> Self {
        let mut members: Vec<(u64, u32)> = people
            .groups()
            .iter()
            .zip(0..)
            .flat_map(|(group, person)| group.iter().map(move |visitor| (hashes.visitor(visitor), person)))
            .collect();
        members.sort_unstable();
        Self { members }
    }

    /// The members whose hashes lie inside.
    pub fn inside(&self, hashes: &Range<u128>) -> &[(u64, u32)] {
        let at = |edge: u128| self.members.partition_point(|(hash, _)| u128::from(*hash) < edge);
        &self.members[at(hashes.start)..at(hashes.end)]
    }
}

/// The hashed form of the people asked about last: they change seldom and are asked about often.
#[derive(Default)]
pub(crate) struct PersonsMemo(Mutex<Option<(Arc<People>, Arc<Persons>)>>);

impl PersonsMemo {
    pub fn of(&self, people: &Arc<People>, hashes: &Hashes) -> Arc<Persons> {
        let mut memo = self.0.lock().expect("no holder of this lock panics");
        if let Some((known, persons)) = &*memo
            && Arc::ptr_eq(known, people)
        {
            return persons.clone();
        }
        let persons = Arc::new(Persons::new(people, hashes));
        *memo = Some((people.clone(), persons.clone()));
        persons
    }
}
