//! Properties as columns: the frequent top-level keys of the JSON texts, each text parsed once.

use arrow_array::{Array, DictionaryArray, Int32Array, StringArray, types::Int32Type};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use crate::coded::{self, Coded, Coder, NO_TEXT};

/// Begins the name of a property's column.
pub(crate) const PROPERTY: &str = "properties.";
/// Most property columns of a file.
const MOST_COLUMNS: usize = 16;
/// A key is worth a column when one row in this many has it.
const ROWS_PER_VALUE: u64 = 20;
/// A key of more different values than this is left to the JSON text: as a column it would take nearly as much again.
/// Few rows allow for fewer: their values would only grow with the segment.
const MOST_VALUES: usize = 1_024;
const FEWEST_VALUES: usize = 16;
const ROWS_PER_DIFFERENT_VALUE: u64 = 16;
/// Longest key that becomes a column, characters.
const LONGEST_KEY: usize = 64;

/// The values of one text's top-level keys, as [`tributary_events::field::property`] reads them; nothing of a text that is
/// no JSON object.
pub(crate) fn values_of(json: &str) -> Vec<(Cow<'_, str>, Cow<'_, str>)> {
    let values = serde_json::from_str::<TopLevel<'_>>(json).map(|top| top.0).unwrap_or_default();
    let mut kept: Vec<(Cow<'_, str>, Cow<'_, str>)> = Vec::with_capacity(values.len());
    // Of a key that comes twice, the last value counts, be it null.
    for (at, (key, value)) in values.iter().enumerate() {
        let is_last = values[at + 1..].iter().all(|(other, _)| other != key);
        if let (true, Some(value)) = (is_last && is_column_key(key), value) {
            kept.push((key.clone(), value.clone()));
        }
    }
    kept
}

/// Whether a key may become a column. One with a dot may mean a nested value, which is read another way.
fn is_column_key(key: &str) -> bool {
    !key.is_empty() && !key.contains('.') && key.chars().take(LONGEST_KEY + 1).count() <= LONGEST_KEY
}

/// How often a key comes, and how many values it has, as far as that matters.
#[derive(Default)]
pub(crate) struct Tally {
    rows: u64,
    values: HashSet<u64>,
}

impl Tally {
    /// Counts rows of a key that is a column already.
    pub fn grow(&mut self, rows: u64) {
        self.rows += rows;
    }

    fn add(&mut self, rows: u64, value: &str, hasher: &RandomState) {
        self.rows += rows;
        if self.values.len() <= MOST_VALUES {
            self.values.insert(hasher.hash_one(value));
        }
    }
}

/// Most values of a key that becomes a column of a file of this many rows.
fn most_values(rows: u64) -> usize {
    MOST_VALUES.min(FEWEST_VALUES + (rows / ROWS_PER_DIFFERENT_VALUE) as usize)
}

/// The keys that become columns of a file, most frequent first.
pub(crate) fn chosen_keys(tallies: impl IntoIterator<Item = (String, Tally)>, rows: u64) -> Vec<String> {
    let most_values = most_values(rows);
    let is_frequent = |tally: &Tally| tally.rows > 0 && tally.rows.saturating_mul(ROWS_PER_VALUE) >= rows;
    let mut frequent: Vec<(String, u64)> = tallies
        .into_iter()
        .filter(|(_, tally)| is_frequent(tally) && tally.values.len() <= most_values)
        .map(|(key, tally)| (key, tally.rows))
        .collect();
    frequent.sort_unstable_by(|(key, count), (other, others)| others.cmp(count).then_with(|| key.cmp(other)));
    frequent.truncate(MOST_COLUMNS);
    frequent.into_iter().map(|(key, _)| key).collect()
}

/// The properties of rows that are about to be written.
pub(crate) struct Extracted<'t> {
    pub keys: Vec<String>,
    /// By key.
    pub columns: Vec<Coded<'t>>,
}

/// What was found under a key.
struct Found<'t> {
    tally: Tally,
    values: Coder<'t>,
    /// By text that has the key, the code of the value.
    codes: Vec<(i32, i32)>,
}

impl<'t> Extracted<'t> {
    /// Parses the texts of some events and chooses the keys that become columns.
    pub fn of(texts: &'t Coded<'_>, places: &[u32]) -> Self {
        let mut uses = vec![0u64; texts.values().len()];
        for place in places {
            if let Ok(code) = usize::try_from(texts.codes()[*place as usize]) {
                uses[code] += 1;
            }
        }
        let (hasher, tally_hasher) = (coded::hasher(), RandomState::new());
        let most_values = most_values(places.len() as u64);
        let mut found: HashMap<String, Found<'t>> = HashMap::new();
        for ((text, rows), code) in texts.values().iter().zip(uses).zip(0..).filter(|((_, rows), _)| *rows > 0) {
            for (key, value) in values_of(text) {
                let key = match found.get_mut(key.as_ref()) {
                    Some(key) => key,
                    None => found.entry(key.into_owned()).or_insert_with(|| Found {
                        tally: Tally::default(),
                        values: Coder::new(&hasher, 0),
                        codes: Vec::new(),
                    }),
                };
                key.tally.add(rows, &value, &tally_hasher);
                if key.tally.values.len() > most_values {
                    // It will not be chosen: what was found of it need not be held.
                    (key.values, key.codes) = (Coder::new(&hasher, 0), Vec::new());
                } else {
                    key.codes.push((code, key.values.code(value)));
                }
            }
        }
        let tallies = found.iter_mut().map(|(key, found)| (key.clone(), std::mem::take(&mut found.tally)));
        let keys = chosen_keys(tallies, places.len() as u64);
        let columns = keys.iter().filter_map(|key| {
            let Found { values, codes, .. } = found.remove(key)?;
            let mut code_of = vec![NO_TEXT; texts.values().len()];
            codes.into_iter().for_each(|(text, code)| code_of[text as usize] = code);
            let codes = texts.codes().iter().map(|text| usize::try_from(*text).map_or(NO_TEXT, |text| code_of[text]));
            Some(values.finish_with(codes.collect()))
        });
        Self { columns: columns.collect(), keys }
    }
}

/// Counts the rows with each top-level key in a column of JSON texts.
pub(crate) fn count_keys(
    texts: &DictionaryArray<Int32Type>,
    values: &StringArray,
    tallies: &mut HashMap<String, Tally>,
    hasher: &RandomState,
) {
    let mut uses = vec![0u64; values.len()];
    for key in texts.keys().iter().flatten() {
        uses[key as usize] += 1;
    }
    for (at, rows) in uses.into_iter().enumerate().filter(|(_, rows)| *rows > 0) {
        for (key, value) in values_of(values.value(at)) {
            if !tallies.contains_key(key.as_ref()) {
                tallies.insert(key.clone().into_owned(), Tally::default());
            }
            if let Some(tally) = tallies.get_mut(key.as_ref()) {
                tally.add(rows, &value, hasher);
            }
        }
    }
}

/// Columns for keys, worked out of a column of JSON texts.
pub(crate) fn columns_of(
    texts: &DictionaryArray<Int32Type>,
    values: &StringArray,
    keys: &[&str],
) -> Vec<DictionaryArray<Int32Type>> {
    let mut is_used = vec![false; values.len()];
    for key in texts.keys().iter().flatten() {
        is_used[key as usize] = true;
    }
    let mut found: Vec<(Vec<String>, Vec<Option<i32>>)> = vec![(Vec::new(), vec![None; values.len()]); keys.len()];
    for (text, _) in is_used.iter().enumerate().filter(|(_, is_used)| **is_used) {
        for (key, value) in values_of(values.value(text)) {
            if let Some(column) = keys.iter().position(|wanted| *wanted == key) {
                let (values, codes) = &mut found[column];
                codes[text] = Some(values.len() as i32);
                values.push(value.into_owned());
            }
        }
    }
    let column = |(values, codes): (Vec<String>, Vec<Option<i32>>)| {
        let rows: Int32Array = texts.keys().iter().map(|text| text.and_then(|text| codes[text as usize])).collect();
        DictionaryArray::new(rows, Arc::new(StringArray::from_iter_values(values)))
    };
    found.into_iter().map(column).collect()
}

/// The top-level keys of an object; `None` for null.
struct TopLevel<'a>(Vec<(Cow<'a, str>, Option<Cow<'a, str>>)>);

impl<'de> Deserialize<'de> for TopLevel<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = TopLevel<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut found = Vec::new();
                while let Some(Text(key)) = map.next_key()? {
                    let Value(value) = map.next_value()?;
                    found.push((key, value));
                }
                Ok(TopLevel(found))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// A string, borrowed where it holds no escapes.
struct Text<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)?.0 {
            Some(text) => Ok(Text(text)),
            None => Err(D::Error::custom("a key is text")),
        }
    }
}

/// A value as text; `None` for null.
struct Value<'a>(Option<Cow<'a, str>>);

impl<'de> Deserialize<'de> for Value<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Value(Some(Cow::Borrowed(text))))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Value(Some(Cow::Owned(text.to_owned()))))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Value(Some(Cow::Borrowed(if value { "true" } else { "false" }))))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Value(Some(Cow::Owned(value.to_string()))))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Value(Some(Cow::Owned(value.to_string()))))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Value(serde_json::Number::from_f64(value).map(|number| Cow::Owned(number.to_string()))))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Value(None))
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        let value = serde_json::Value::deserialize(serde::de::value::SeqAccessDeserializer::new(seq))?;
        Ok(Value(Some(Cow::Owned(value.to_string()))))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        let value = serde_json::Value::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
        Ok(Value(Some(Cow::Owned(value.to_string()))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tributary_events::field::property;

    const TEXTS: &[&str] = &[
        r#"{"plan":"pro","n":1.50,"big":123456789012345678901234567890,"neg":-4,"e":1e3,"yes":true,"no":false,"nil":null}"#,
        r#"{"deep":{"z":1,"a":[1,2,{"b":"ü\n"}]},"list":[],"plan":"a\"b\u00e9","":"empty","a.b":"dot"}"#,
        r#"{"plan":"first","plan":"last","gone":"x","gone":null}"#,
        r#" { } "#,
        r#"[{"plan":1}]"#,
        r#""plan""#,
        r#"{"plan":"x"} trailing"#,
        r#"{"plan":"#,
        "",
    ];

    #[test]
    fn values_are_as_questions_read_them() {
        for text in TEXTS {
            let found = values_of(text);
            for (key, value) in &found {
                assert_eq!(property(text, key).as_deref(), Some(value.as_ref()), "{key} of {text}");
            }
            for key in ["plan", "n", "big", "neg", "e", "yes", "no", "nil", "deep", "list", "gone"] {
                let value = found.iter().find(|(found, _)| found == key).map(|(_, value)| value.as_ref().to_owned());
                assert_eq!(value, property(text, key), "{key} of {text}");
            }
            assert!(found.iter().all(|(key, _)| !key.is_empty() && !key.contains('.')));
        }
    }

    #[test]
    fn frequent_keys_become_columns() {
        let rows: Vec<Option<String>> = (0..100)
            .map(|n| match n {
                0..40 => Some(format!(r#"{{"often":{},"each":{n},"a":"x"}}"#, n % 7)),
                40..44 => Some(String::from(r#"{"rare":1}"#)),
                44..50 => Some(format!(r#"{{"a":"y","{}":1}}"#, "k".repeat(65))),
                _ => None,
            })
            .collect();
        let mut texts = Coder::new(&coded::hasher(), rows.len());
        rows.iter().for_each(|row| texts.push(row.as_deref()));
        let texts = texts.finish();
        let extracted = Extracted::of(&texts, &(0..100).collect::<Vec<u32>>());
        assert_eq!(extracted.keys, ["a", "often"]);
        for (row, text) in rows.iter().enumerate() {
            for (at, key) in extracted.keys.iter().enumerate() {
                let expected = text.as_deref().and_then(|text| property(text, key));
                assert_eq!(extracted.columns[at].text(row).map(str::to_owned), expected, "{key} of row {row}");
            }
        }
        let many = (0..40).map(|n| (format!("k{n:02}"), Tally { rows: 100 - n, ..Tally::default() }));
        let keys = chosen_keys(many, 100);
        assert_eq!((keys.len(), keys[0].as_str(), keys[15].as_str()), (16, "k00", "k15"));
    }

    #[test]
    fn columns_are_worked_out_of_a_dictionary_of_texts() {
        let rows: Vec<Option<&str>> = TEXTS.iter().copied().map(Some).chain([None]).collect();
        let texts: DictionaryArray<Int32Type> = rows.iter().copied().collect();
        let values = texts.values().as_any().downcast_ref::<StringArray>().unwrap();
        let columns = columns_of(&texts, values, &["plan", "deep"]);
        for (column, key) in columns.iter().zip(["plan", "deep"]) {
            let found: Vec<Option<&str>> = column.downcast_dict::<StringArray>().unwrap().into_iter().collect();
            let expected: Vec<Option<String>> = rows.iter().map(|text| text.and_then(|text| property(text, key))).collect();
            assert_eq!(found, expected.iter().map(Option::as_deref).collect::<Vec<_>>());
        }
        let mut tallies = HashMap::new();
        count_keys(&texts, values, &mut tallies, &RandomState::new());
        assert_eq!((tallies["plan"].rows, tallies["deep"].rows), (3, 1));
    }
}
