//! Rows in requests a server takes: bounded in number and size.

use tributary_ingest::imported::{ImportedRow, Restored};

/// Text of one request's rows at most, bytes, judged by their longest fields; a server takes twice as much.
const BYTES_AT_ONCE: usize = 8 << 20;

/// Splits rows into requests of at most `most_rows`, in order, and readies them for JSON.
pub fn chunks(rows: Vec<ImportedRow>, most_rows: usize) -> Vec<Vec<ImportedRow>> {
    let mut chunks = vec![Vec::new()];
    let mut bytes = 0;
    for mut row in rows {
        // The draft's instant has no place in JSON; the row's has.
        row.restored = Restored { time_us: row.draft.time_us, ..row.restored };
        let weight = weight(&row);
        let current = chunks.last().map_or(0, Vec::len);
        if current == most_rows || (current > 0 && bytes + weight > BYTES_AT_ONCE) {
            chunks.push(Vec::new());
            bytes = 0;
        }
        bytes += weight;
        chunks.last_mut().expect("there is always one").push(row);
    }
    chunks.retain(|chunk| !chunk.is_empty());
    chunks
}

fn weight(row: &ImportedRow) -> usize {
    let text = |value: &Option<String>| value.as_ref().map_or(0, String::len);
    let properties =
        row.draft.properties.as_ref().map_or(0, |map| map.values().map(|value| value.as_str().map_or(64, str::len)).sum());
    text(&row.draft.url) + text(&row.draft.referrer) + text(&row.draft.path) + properties
}

#[cfg(test)]
mod tests {
    use super::*;
    use tributary_ingest::draft::Draft;

    #[test]
    fn requests_are_bounded_by_number_and_by_size() {
        let row = |path: usize| ImportedRow {
            draft: Draft { path: Some("x".repeat(path)), time_us: Some(5), ..Draft::default() },
            ..ImportedRow::default()
        };
        let sizes = |rows: Vec<ImportedRow>| chunks(rows, 1_000).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(Vec::new()), [0_usize; 0]);
        assert_eq!(sizes(vec![row(1); 2_001]), [1_000, 1_000, 1]);
        assert_eq!(sizes(vec![row(3 << 20); 5]), [2, 2, 1]);
        assert_eq!(sizes(vec![row(9 << 20); 2]), [1, 1]);
        assert_eq!(chunks(vec![row(1)], 1_000)[0][0].restored.time_us, Some(5));
    }
}
