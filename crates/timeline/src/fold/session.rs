//! Which recorded session a row belongs to, without building ids.

use tributary_core::error::Result;
use tributary_core::event::SESSION_BUCKET_S;
use tributary_core::time::SECOND_US;

use super::reads::{Read, Reads};
use super::scan::{Piece, Scan};
use crate::column::{ColumnId, Interner};
use crate::schema::Text;

/// A recorded session: its visitor, and which of the visitor's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct SessionKey {
    visitor: u64,
    which: Which,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Which {
    /// The clock bucket of a derived id.
    Derived(i64),
    /// The sender's id, by number.
    Named(u32),
}

/// The columns sessions need, declared.
pub(crate) struct SessionPlan {
    session: Read,
    time: Read,
}

/// The session names of every source.
pub(crate) struct Sessions {
    session: Read,
    time: Read,
    /// For each source, what each code of its session column means.
    names: Vec<Vec<Name>>,
}

#[derive(Clone, Debug)]
enum Name {
    /// No name: the session is derived.
    Absent,
    Named(u32),
    /// Ends like a derived id: whether it is one depends on the visitor.
    Ambiguous {
        number: u32,
        name: Box<str>,
    },
}

impl SessionPlan {
    pub fn plan(reads: &mut Reads) -> Self {
        Self { session: reads.column(ColumnId::Text(Text::Session)), time: reads.column(ColumnId::Time) }
    }

    pub fn over(&self, scan: &Scan<'_>) -> Result<Sessions> {
        let mut interner = Interner::default();
        let names = scan.per_source(|source| {
            source.dictionary(self.session).read(|values| {
                let named = values.iter().map(|name| {
                    let number = interner.code(name);
                    match name.rsplit_once('-').and_then(|(_, bucket)| bucket.parse::<i64>().ok()) {
                        Some(_) => Name::Ambiguous { number, name: name.into() },
                        None => Name::Named(number),
                    }
                });
                std::iter::once(Name::Absent).chain(named).collect::<Vec<Name>>()
            })
        })?;
        Ok(Sessions { session: self.session, time: self.time, names })
    }
}

impl Sessions {
    /// The session of a row of the chunk.
    pub fn of(&self, scan: &Scan<'_>, piece: &Piece, visitor: u64, row: usize) -> Result<SessionKey> {
        let code = piece.column(self.session).text().codes.at(row);
        let which = match &self.names[piece.source][code as usize] {
            Name::Absent => Which::Derived(piece.column(self.time).times().at(row).div_euclid(SESSION_BUCKET_S * SECOND_US)),
            Name::Named(number) => Which::Named(*number),
            // A sender may name a session exactly as one would have been derived: it is the same session then.
            Name::Ambiguous { number, name } => match derived_bucket(name, &scan.visitor_id(piece, visitor)?) {
                Some(bucket) => Which::Derived(bucket),
                None => Which::Named(*number),
            },
        };
        Ok(SessionKey { visitor, which })
    }
}

fn derived_bucket(named: &str, anonymous_id: &str) -> Option<i64> {
    let number = named.strip_prefix(anonymous_id)?.strip_prefix('-')?;
    let bucket: i64 = number.parse().ok()?;
    (bucket.to_string() == number).then_some(bucket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_form_is_a_derived_id() {
        for (named, bucket) in [
            ("v-12", Some(12)),
            ("v--3", Some(-3)),
            ("v-012", None),
            ("v-+12", None),
            ("v-", None),
            ("w-12", None),
            ("v-99999999999999999999", None),
        ] {
            assert_eq!(derived_bucket(named, "v"), bucket, "{named}");
        }
    }
}
