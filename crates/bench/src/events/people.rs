//! Visitors of an event file, and the fifth of them that belongs to people of two or three.

use arrow_array::cast::AsArray;
use arrow_array::types::UInt64Type;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use tributary_events::people::People;

use super::read_columns;
use crate::failure::{Failure, Result};

/// Of this many visitors, in the order of their ids, the first five are merged: into a pair and a triple.
const STRETCH: usize = 25;

/// The distinct visitors of a file.
pub struct Visitors {
    ids: Vec<u64>,
}

impl Visitors {
    /// Reads them, ascending.
    pub fn read(file: &Path) -> Result<Visitors> {
        let mut ids: Vec<u64> = Vec::new();
        let mut sorted = 0;
        for batch in read_columns(file, &["visitor_id"])? {
            let batch = batch?;
            let column = batch.column(0).as_primitive_opt::<UInt64Type>();
            let column = column.ok_or_else(|| Failure::new("`visitor_id` is no column of unsigned 64-bit integers"))?;
            ids.extend_from_slice(column.values());
            // Sorting whenever the list has doubled keeps it near the number of distinct visitors.
            if ids.len() > 2 * sorted + 1_000_000 {
                ids.sort_unstable();
                ids.dedup();
                sorted = ids.len();
            }
        }
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            return Err(Failure::new(format!("{} holds no events", file.display())));
        }
        Ok(Visitors { ids })
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.ids.len()
    }

    /// The one with the greatest id, whose journey is asked for.
    pub fn greatest(&self) -> u64 {
        self.ids.last().copied().unwrap_or_default()
    }

    fn groups(&self) -> impl Iterator<Item = &[u64]> {
        self.ids.chunks(STRETCH).flat_map(|stretch| {
            let pair = stretch.get(0..2);
            let triple = stretch.get(2..5);
            pair.into_iter().chain(triple)
        })
    }

    /// The merged ones as a question takes them. With several shards each has its own.
    pub fn people(&self, suffixes: &[String]) -> Result<Arc<People>> {
        let groups = suffixes.iter().flat_map(|suffix| {
            self.groups().map(move |group| group.iter().map(|visitor| format!("{visitor}{suffix}")).collect::<Vec<_>>())
        });
        Ok(People::new(groups)?)
    }

    /// The same as a table for the peers: visitor and the least visitor of its person.
    pub fn write_people(&self, into: &Path) -> Result<()> {
        let mut out = BufWriter::new(File::create(into).map_err(|error| Failure::at("writing", into, error))?);
        writeln!(out, "visitor_id,person")?;
        for group in self.groups() {
            for visitor in group {
                writeln!(out, "{visitor},{}", group[0])?;
            }
        }
        out.flush()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fifth_of_the_visitors_is_merged_into_pairs_and_triples() {
        let visitors = Visitors { ids: (1..=1_000).collect() };
        let sizes: Vec<usize> = visitors.groups().map(<[u64]>::len).collect();
        assert_eq!((sizes.len(), sizes.iter().sum::<usize>()), (80, 200));
        let people = visitors.people(&[String::new()]).unwrap();
        assert_eq!(people.person_of("2"), "1");
        assert_eq!(people.visitors_of("5").map(<[String]>::len), Some(3));
        assert_eq!(people.visitors_of("6"), None);
        let sharded = visitors.people(&["-0".into(), "-1".into()]).unwrap();
        assert_eq!(sharded.person_of("2-1"), "1-1");
    }
}
