//! Groups: the combination of bucket and field values of a row, as a small number.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use tributary_core::error::Result;
use tributary_events::bucket::Buckets;
use tributary_events::field::Field;

use super::scan::{Row, Scan};
use crate::column::{Interner, TextColumn, Texts};

/// Up to this many possible groups an array finds them; beyond it a map does.
const DENSE_GROUPS: u128 = 1 << 20;
const NOBODY: u32 = u32::MAX;

/// What a question groups by, over all runs: each value has one code whatever run it stands in.
pub(crate) struct Grouping<'q> {
    fields: Vec<Codebook>,
    buckets: Option<&'q Buckets>,
    /// Number of possible groups when an array may hold them.
    dense: Option<usize>,
}

/// One field's values over all runs.
pub(crate) struct Codebook {
    columns: Vec<Arc<TextColumn>>,
    /// For each run, its codes' codes here.
    translations: Vec<Vec<u32>>,
    values: Texts,
}

impl Codebook {
    pub fn over(scan: &Scan<'_>, field: &Field) -> Result<Self> {
        let columns = scan.columns(field)?;
        let mut interner = Interner::default();
        let translations = columns
            .iter()
            .map(|column| std::iter::once(0).chain(column.values.iter().map(|value| interner.code(value))).collect())
            .collect();
        Ok(Self { columns, translations, values: interner.values })
    }

    /// The code of a row's value; 0 for absent.
    #[inline]
    pub fn code(&self, row: &Row) -> u32 {
        let run = row.run as usize;
        self.translations[run][self.columns[run].codes.at(row.row as usize) as usize]
    }

    /// The value behind a code.
    pub fn value(&self, code: u32) -> Option<&str> {
        (code as usize).checked_sub(1).map(|at| self.values.get(at))
    }

    /// How many codes there are, "absent" included.
    pub fn len(&self) -> usize {
        self.values.len() + 1
    }
}

impl<'q> Grouping<'q> {
    pub fn over(scan: &Scan<'_>, fields: &[Field], buckets: Option<&'q Buckets>) -> Result<Self> {
        let fields: Vec<Codebook> = fields.iter().map(|field| Codebook::over(scan, field)).collect::<Result<_>>()?;
        let mut possible = buckets.map_or(1, |buckets| buckets.labels.len() as u128 + 1);
        for field in &fields {
            possible = possible.saturating_mul(field.len() as u128);
        }
        Ok(Self { fields, buckets, dense: (possible <= DENSE_GROUPS).then_some(possible as usize) })
    }

    /// The bucket of a group's code; `None` for none.
    pub fn bucket(code: u32) -> Option<u32> {
        code.checked_sub(1)
    }

    /// The values of a group's codes.
    pub fn keys(&self, codes: &[u32]) -> Vec<Option<String>> {
        self.fields.iter().zip(&codes[1..]).map(|(field, code)| field.value(*code).map(str::to_owned)).collect()
    }

    fn width(&self) -> usize {
        self.fields.len() + 1
    }
}

/// The groups one thread has met, numbered from 0.
pub(crate) struct Groups<'g> {
    grouping: &'g Grouping<'g>,
    dense: Vec<u32>,
    met: HashMap<Box<[u32]>, u32, BuildHasherDefault<CodeHasher>>,
    /// Bucket code and field codes of each group, one after the other.
    codes: Vec<u32>,
    key: Vec<u32>,
    stretch: usize,
}

impl<'g> Groups<'g> {
    pub fn new(grouping: &'g Grouping<'g>) -> Self {
        Self {
            grouping,
            dense: vec![NOBODY; grouping.dense.unwrap_or_default()],
            met: HashMap::default(),
            codes: Vec::new(),
            key: vec![0; grouping.width()],
            stretch: 0,
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.codes.len() / self.grouping.width()
    }

    /// The group of a row.
    pub fn of(&mut self, row: &Row) -> usize {
        self.key[0] = self.bucket_code(row.time_us);
        for (at, field) in self.grouping.fields.iter().enumerate() {
            self.key[at + 1] = field.code(row);
        }
        self.number()
    }

    /// The group of some codes, as [`Groups::codes`] gives them.
    pub fn of_codes(&mut self, codes: &[u32]) -> usize {
        self.key.copy_from_slice(codes);
        self.number()
    }

    /// Bucket code and field codes of a group.
    pub fn codes(&self, group: usize) -> &[u32] {
        let width = self.grouping.width();
        &self.codes[group * width..(group + 1) * width]
    }

    fn number(&mut self) -> usize {
        let next = self.len() as u32;
        let group = if self.grouping.dense.is_some() {
            let mut at = self.key[0] as usize;
            for (field, code) in self.grouping.fields.iter().zip(&self.key[1..]) {
                at = at * field.len() + *code as usize;
            }
            let slot = &mut self.dense[at];
            if *slot == NOBODY {
                *slot = next;
            }
            *slot
        } else if let Some(group) = self.met.get(self.key.as_slice()) {
            *group
        } else {
            self.met.insert(self.key.clone().into_boxed_slice(), next);
            next
        };
        if group == next {
            self.codes.extend_from_slice(&self.key);
        }
        group as usize
    }

    fn bucket_code(&mut self, time_us: i64) -> u32 {
        let Some(buckets) = self.grouping.buckets else { return 0 };
        // A visitor's rows come close together: the stretch of the row before is often this row's.
        let holds = |at: usize| {
            buckets.edges.get(at).is_some_and(|edge| *edge <= time_us)
                && buckets.edges.get(at + 1).is_none_or(|edge| time_us < *edge)
        };
        if !holds(self.stretch) {
            match buckets.edges.partition_point(|edge| *edge <= time_us).checked_sub(1) {
                Some(stretch) => self.stretch = stretch,
                None => return 0,
            }
        }
        buckets.bucket_of[self.stretch] + 1
    }
}

/// A quick hash for codes we made ourselves; nobody outside can choose them to collide.
#[derive(Default)]
pub(crate) struct CodeHasher(u64);

impl Hasher for CodeHasher {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(26) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }

    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }
}
