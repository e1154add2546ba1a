//! A JSON value where one kind is wanted: another kind is remembered, not an error, so that all fields are reported.

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

use crate::fields::FieldErrors;

/// What stood at a field.
#[derive(Debug, Default)]
pub enum Given<T> {
    /// Nothing, or `null`.
    #[default]
    Absent,
    /// A value of another kind, named with its article.
    Wrong(&'static str),
    /// What was wanted.
    Value(T),
}

impl<T> Given<T> {
    /// The value of an optional field; a wrong kind becomes a fault.
    pub fn optional<'de>(self, field: &str, errors: &mut FieldErrors) -> Option<T>
    where
        T: Accept<'de>,
    {
        match self {
            Given::Value(value) => Some(value),
            Given::Absent => None,
            Given::Wrong(kind) => {
                errors.add(field, format!("must be {}, got {kind}", T::NAME));
                None
            }
        }
    }

    /// The value of a required field; its absence becomes the documented fault.
    pub fn required<'de>(self, field: &str, errors: &mut FieldErrors) -> Option<T>
    where
        T: Accept<'de>,
    {
        if matches!(self, Given::Absent) {
            errors.add(field, REQUIRED);
        }
        self.optional(field, errors)
    }
}

/// The documented message of a missing field.
pub const REQUIRED: &str = "Required";

/// A type that reads one kind of JSON value. Values of other kinds are skipped and reported by name.
pub trait Accept<'de>: Sized {
    /// What is wanted, with its article.
    const NAME: &'static str;

    /// Reads a string.
    fn text(_text: String) -> Option<Self> {
        None
    }

    /// Reads an object. Whoever returns `None` has read it to its end.
    fn object<A: MapAccess<'de>>(mut map: A) -> Result<Option<Self>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    /// Reads an array. Whoever returns `None` has read it to its end.
    fn array<A: SeqAccess<'de>>(mut seq: A) -> Result<Option<Self>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

impl<'de> Accept<'de> for String {
    const NAME: &'static str = "a string";
    fn text(text: String) -> Option<Self> {
        Some(text)
    }
}

impl<'de, T: Accept<'de>> Deserialize<'de> for Given<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(GivenVisitor(PhantomData))
    }
}

struct GivenVisitor<T>(PhantomData<T>);

impl<'de, T: Accept<'de>> Visitor<'de> for GivenVisitor<T> {
    type Value = Given<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::NAME)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Given::Absent)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Given::Wrong("a boolean"))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Given::Wrong("a number"))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Given::Wrong("a number"))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Given::Wrong("a number"))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(T::text(text.to_owned()).map_or(Given::Wrong("a string"), Given::Value))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        Ok(T::object(map)?.map_or(Given::Wrong("an object"), Given::Value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        Ok(T::array(seq)?.map_or(Given::Wrong("an array"), Given::Value))
    }
}
