//! Tables under `tests/data`: CSV with a header, plain or gzipped.

use flate2::read::GzDecoder;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The folder `tests/data` of this repository.
pub fn data_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data")
}

/// One row, by column name.
#[derive(Clone, Debug)]
pub struct Row(BTreeMap<String, String>);

impl Row {
    /// The text of a column, possibly empty.
    pub fn text(&self, column: &str) -> &str {
        self.0.get(column).unwrap_or_else(|| panic!("the table has no column `{column}`"))
    }

    /// The text of a column, `None` when empty.
    pub fn optional(&self, column: &str) -> Option<String> {
        Some(self.text(column)).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// The number in a column.
    pub fn number<T: FromStr>(&self, column: &str) -> T {
        let text = self.text(column);
        text.parse().unwrap_or_else(|_| panic!("`{text}` in column `{column}` is no such number"))
    }
}

/// Reads a table by its path under `tests/data`.
pub fn read(path: &str) -> Vec<Row> {
    let full = data_folder().join(path);
    let file = File::open(&full).unwrap_or_else(|error| panic!("tests/data/{path}: {error}"));
    let plain: Box<dyn Read> = if path.ends_with(".gz") { Box::new(GzDecoder::new(file)) } else { Box::new(file) };
    let mut reader = csv::Reader::from_reader(plain);
    let rows: Result<Vec<BTreeMap<String, String>>, csv::Error> = reader.deserialize().collect();
    let rows: Vec<Row> = rows.unwrap_or_else(|error| panic!("tests/data/{path}: {error}")).into_iter().map(Row).collect();
    assert!(!rows.is_empty(), "tests/data/{path} is empty");
    rows
}
