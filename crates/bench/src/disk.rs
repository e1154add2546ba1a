//! Bytes per event on disk, by column, out of the segments' own footers.

use parquet::file::reader::{FileReader, SerializedFileReader};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use crate::failure::{Failure, Result};
use crate::measure::rounded;
use crate::work::files_below;

/// Columns that tell when and under which id an event came in: no question of the benchmark reads them.
const IDENTITY: &[&str] = &["received_at", "sequence", "event_id", "event_id_number", "origin"];
/// What a segment keeps of the properties, as one text or as columns of their own.
const PROPERTIES: &str = "propert";

/// Bytes per event.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Disk {
    /// Events in the segments of the largest workspace.
    pub events: u64,
    /// The benchmark's columns without `properties`.
    pub columns: f64,
    /// With them.
    pub with_properties: f64,
    /// All in: with event keys, sequence, time of arrival, footers.
    pub all_in: f64,
    /// By column; `(footers)` is what no column holds, `(keys)` the files beside the segments.
    pub by_column: BTreeMap<String, f64>,
}

/// Measures the segments of one workspace of a data folder: those of the one that has the most bytes.
pub fn measure(data: &Path) -> Result<Disk> {
    let root = data.join("segments");
    let mut workspaces: BTreeMap<String, Sums> = BTreeMap::new();
    for (path, bytes) in files_below(&root)? {
        let below = path.strip_prefix(&root).unwrap_or(&path);
        let workspace = below.components().next().map(|part| part.as_os_str().to_string_lossy().into_owned());
        let sums = workspaces.entry(workspace.unwrap_or_default()).or_default();
        if path.extension().is_some_and(|extension| extension == "parquet") {
            sums.add_segment(&path, bytes)?;
        } else {
            sums.add("(keys)", bytes);
        }
    }
    Ok(workspaces.into_values().max_by_key(|sums| sums.events).unwrap_or_default().per_event())
}

#[derive(Default)]
struct Sums {
    events: u64,
    bytes: BTreeMap<String, u64>,
}

impl Sums {
    fn add(&mut self, column: &str, bytes: u64) {
        *self.bytes.entry(column.to_owned()).or_default() += bytes;
    }

    fn add_segment(&mut self, path: &Path, bytes: u64) -> Result<()> {
        let file = File::open(path).map_err(|error| Failure::at("opening", path, error))?;
        let reader = SerializedFileReader::new(file).map_err(|error| Failure::at("reading", path, error))?;
        let mut in_columns = 0;
        for group in reader.metadata().row_groups() {
            self.events += u64::try_from(group.num_rows()).unwrap_or(0);
            for column in group.columns() {
                let size = u64::try_from(column.compressed_size()).unwrap_or(0);
                self.add(&column.column_path().string(), size);
                in_columns += size;
            }
        }
        self.add("(footers)", bytes.saturating_sub(in_columns));
        Ok(())
    }

    fn per_event(self) -> Disk {
        let events = self.events.max(1) as f64;
        let mut disk = Disk { events: self.events, ..Disk::default() };
        for (column, bytes) in self.bytes {
            let size = bytes as f64 / events;
            disk.all_in += size;
            if !IDENTITY.contains(&column.as_str()) && !column.starts_with('(') {
                disk.with_properties += size;
                if !column.contains(PROPERTIES) {
                    disk.columns += size;
                }
            }
            disk.by_column.insert(column, rounded(size));
        }
        for sum in [&mut disk.columns, &mut disk.with_properties, &mut disk.all_in] {
            *sum = rounded(*sum);
        }
        disk
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_fall_into_their_groups() {
        let mut sums = Sums { events: 10, ..Sums::default() };
        for (column, bytes) in [
            ("time", 50),
            ("properties", 20),
            ("properties.plan", 8),
            ("sequence", 30),
            ("event_id_number", 10),
            ("(keys)", 80),
            ("(footers)", 2),
        ] {
            sums.add(column, bytes);
        }
        let disk = sums.per_event();
        assert_eq!((disk.columns, disk.with_properties, disk.all_in), (5.0, 7.8, 20.0));
        assert_eq!(disk.by_column["time"], 5.0);
    }
}
