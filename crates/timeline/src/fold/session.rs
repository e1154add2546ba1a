//! Which session a row belongs to, without building ids.

use std::sync::Arc;

use tributary_core::error::Result;
use tributary_core::event::SESSION_BUCKET_S;
use tributary_core::time::SECOND_US;

use super::scan::{Row, Scan};
use crate::column::TextColumn;
use crate::schema::Text;

/// A visitor's session. Comparable among sessions of one visitor.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum SessionKey<'s> {
    /// The clock bucket of a derived id.
    Derived(i64),
    /// The sender's id.
    Named(&'s str),
}

/// The session column of every run.
pub(crate) struct SessionKeys(Vec<Arc<TextColumn>>);

impl SessionKeys {
    pub fn over(scan: &Scan<'_>) -> Result<Self> {
        scan.texts(Text::Session).map(Self)
    }

    pub fn of(&self, row: &Row, anonymous_id: &str) -> SessionKey<'_> {
        match self.0[row.run as usize].at(row.row as usize) {
            None => SessionKey::Derived(row.time_us.div_euclid(SESSION_BUCKET_S * SECOND_US)),
            // A sender may name a session exactly as one would have been derived: it is the same session then.
            Some(named) => match derived_bucket(named, anonymous_id) {
                Some(bucket) => SessionKey::Derived(bucket),
                None => SessionKey::Named(named),
            },
        }
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
