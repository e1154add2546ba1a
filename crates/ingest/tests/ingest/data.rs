//! Reads the outside data under `tests/data`.

use std::collections::HashMap;
use std::io::Read;
use std::path::PathBuf;

/// A row of a CSV file by column name.
pub type Row = HashMap<String, String>;

pub fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/data").join(name)
}

/// A file's text, unpacked when its name ends in `.gz`.
pub fn text(name: &str) -> String {
    let bytes = std::fs::read(path(name)).unwrap_or_else(|error| panic!("tests/data/{name}: {error}"));
    if !name.ends_with(".gz") {
        return String::from_utf8(bytes).unwrap();
    }
    let mut unpacked = String::new();
    flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut unpacked).unwrap();
    unpacked
}

pub fn csv(name: &str) -> Vec<Row> {
    let text = text(name);
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().map(|row| row.unwrap()).collect()
}

pub fn json(name: &str) -> serde_json::Value {
    serde_json::from_str(&text(name)).unwrap()
}

/// The agents of isbot's lists: names at the margin, agents as `  - ` items below, plain or in double quotes.
pub fn isbot_list(name: &str) -> Vec<String> {
    let text = text(name);
    let items = text.lines().filter_map(|line| line.strip_prefix("  - "));
    items.map(|item| scalar(item.trim())).collect()
}

/// The cases of a uap-core test file: a list of flat mappings, one field per line.
pub fn uap_cases(name: &str) -> Vec<HashMap<String, Option<String>>> {
    let mut cases: Vec<HashMap<String, Option<String>>> = Vec::new();
    for line in text(name).lines() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') || trimmed == "test_cases:" {
            continue;
        }
        let field = match trimmed.strip_prefix("- ") {
            Some(first) => {
                cases.push(HashMap::new());
                first.trim_start()
            }
            None => trimmed,
        };
        let (key, value) = field.split_once(':').unwrap_or_else(|| panic!("{name}: {line}"));
        let value = Some(value.trim()).filter(|value| !value.is_empty()).map(scalar);
        cases.last_mut().unwrap().insert(key.to_owned(), value);
    }
    cases
}

/// A YAML scalar on one line.
pub fn scalar(text: &str) -> String {
    if let Some(rest) = text.strip_prefix('\'') {
        let inside = &rest[..rest.rfind('\'').unwrap()];
        return inside.replace("''", "'");
    }
    if text.starts_with('"') {
        let end = text.rfind('"').unwrap();
        return serde_json::from_str(&text[..=end]).unwrap();
    }
    text.split(" #").next().unwrap().trim_end().to_owned()
}
