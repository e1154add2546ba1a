//! Groups: the combination of bucket and field values of a row, as a small number.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use tributary_core::error::Result;
use tributary_events::bucket::Buckets;
use tributary_events::field::Field;

use super::reads::{Read, Reads};
use super::scan::{BYTE_CODES, Piece, Scan};
use crate::column::{ColumnId, Interner, QUARTER_US, Texts, Times};

/// Up to this many possible groups an array finds them; beyond it maps do.
const DENSE_GROUPS: u128 = 1 << 18;
/// The longest table of quarters of an hour: more than seven years.
const MAX_QUARTERS: i64 = 1 << 18;
/// A quarter of an hour in which a bucket ends.
const DIVIDED: u32 = u32::MAX;

/// What a question groups by, declared.
pub(crate) struct GroupPlan<'q> {
    fields: Vec<Read>,
    buckets: Option<(&'q Buckets, Read)>,
}

/// The same over all sources: each value has one code whatever run it stands in.
pub(crate) struct Grouping<'q> {
    fields: Vec<Codebook>,
    buckets: Option<BucketTable<'q>>,
    /// What one step of each field's code, and of the bucket's, adds to a group's number; `None` when an array could not hold
    /// them.
    strides: Option<Strides>,
}

struct Strides {
    fields: Vec<u32>,
    /// For each field and source, code to code times stride.
    steps: Vec<Vec<Vec<u32>>>,
    groups: usize,
}

/// One field's values over all sources.
pub(crate) struct Codebook {
    pub read: Read,
    /// For each source, its codes' codes here.
    translations: Vec<Vec<u32>>,
    values: Texts,
}

/// The bucket of an instant: a table of quarters of an hour, in which nearly no bucket of any zone ends.
struct BucketTable<'q> {
    buckets: &'q Buckets,
    time: Read,
    first_quarter: i64,
    /// Bucket code of everything before the first quarter, then of each quarter, or [`DIVIDED`].
    quarters: Vec<u32>,
}

impl Codebook {
    pub fn over(scan: &Scan<'_>, read: Read) -> Result<Self> {
        let mut interner = Interner::default();
        let translations = scan.per_source(|source| {
            source
                .dictionary(read)
                .read(|values| std::iter::once(0).chain(values.iter().map(|value| interner.code(value))).collect::<Vec<u32>>())
        })?;
        Ok(Self { read, translations, values: interner.values })
    }

    /// The code of a row of the chunk; 0 for absent.
    pub fn code(&self, piece: &Piece, row: usize) -> u32 {
        self.translations[piece.source][piece.column(self.read).text().codes.at(row) as usize]
    }

    /// The code here of a source's code.
    pub fn translations(&self, source: usize) -> &[u32] {
        &self.translations[source]
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

impl<'q> GroupPlan<'q> {
    pub fn plan(fields: &[Field], buckets: Option<&'q Buckets>, reads: &mut Reads) -> Self {
        Self {
            fields: fields.iter().map(|field| reads.field(field)).collect(),
            buckets: buckets.map(|buckets| (buckets, reads.column(ColumnId::Time))),
        }
    }

    pub fn over(&self, scan: &Scan<'_>) -> Result<Grouping<'q>> {
        let fields: Vec<Codebook> = self.fields.iter().map(|read| Codebook::over(scan, *read)).collect::<Result<_>>()?;
        let buckets = self.buckets.map(|(buckets, time)| BucketTable::over(scan, buckets, time));
        let bucket_codes = buckets.as_ref().map_or(1, |table| table.buckets.labels.len() as u128 + 1);
        let possible = fields.iter().fold(bucket_codes, |possible, field| possible.saturating_mul(field.len() as u128));
        let strides = (possible <= DENSE_GROUPS).then(|| {
            let mut stride = bucket_codes as u32;
            let mut strides = Strides { fields: Vec::new(), steps: Vec::new(), groups: possible as usize };
            for field in &fields {
                let steps = field.translations.iter().map(|codes| {
                    let mut steps: Vec<u32> = codes.iter().map(|code| code * stride).collect();
                    steps.resize(steps.len().max(BYTE_CODES), 0);
                    steps
                });
                strides.steps.push(steps.collect());
                strides.fields.push(stride);
                stride *= field.len() as u32;
            }
            strides
        });
        Ok(Grouping { fields, buckets, strides })
    }
}

impl Grouping<'_> {
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

impl<'q> BucketTable<'q> {
    fn over(scan: &Scan<'_>, buckets: &'q Buckets, time: Read) -> Self {
        let first_us = scan.sources.iter().map(|source| source.bounds_us.0).min().unwrap_or_default();
        let last_us = scan.sources.iter().map(|source| source.bounds_us.1).max().unwrap_or_default();
        let first_edge = buckets.edges.first().copied().unwrap_or_default();
        let first_quarter = first_us.max(first_edge).div_euclid(QUARTER_US);
        let count = (last_us.div_euclid(QUARTER_US) - first_quarter + 1).clamp(0, MAX_QUARTERS);
        let mut quarters = Vec::with_capacity(count as usize + 1);
        // Before it lies no row, or no bucket.
        quarters.push(0);
        let code = |time_us: i64| buckets.find(time_us).map_or(0, |bucket| bucket + 1);
        for quarter in first_quarter..first_quarter + count {
            let (start, last) = (quarter * QUARTER_US, quarter * QUARTER_US + (QUARTER_US - 1));
            // Edges may repeat a bucket, but no stretch inside a quarter of an hour returns to where it began.
            let inside =
                buckets.edges.partition_point(|edge| *edge <= last) - buckets.edges.partition_point(|edge| *edge <= start);
            quarters.push(if inside == 0 { code(start) } else { DIVIDED });
        }
        Self { buckets, time, first_quarter, quarters }
    }

    /// The place of a quarter in the table; beyond the table's end there may be some too. There are far fewer quarters than an
    /// integer counts, so nothing wraps; the adding is not checked for speed.
    fn place(&self, quarter: i64) -> usize {
        quarter.wrapping_sub(self.first_quarter).wrapping_add(1).max(0) as usize
    }

    fn code(&self, time_us: i64) -> u32 {
        match self.quarters.get(self.place(time_us.div_euclid(QUARTER_US))) {
            Some(code) if *code != DIVIDED => *code,
            Some(_) | None => self.buckets.find(time_us).map_or(0, |bucket| bucket + 1),
        }
    }

    /// Hands the bucket code of each row of the piece over.
    fn codes(&self, piece: &Piece, skip: usize, codes: &mut [u32]) {
        let times = piece.column(self.time).times();
        if piece.picked.is_some() {
            codes.iter_mut().zip((piece.base + skip) as u32..).for_each(|(code, at)| *code = self.code(times.at(piece.row(at))));
            return;
        }
        match &**times {
            Times::Millis { base_us, offsets } => {
                const QUARTER_MS: u32 = (QUARTER_US / 1_000) as u32;
                let base = base_us.div_euclid(QUARTER_US);
                for (code, offset) in codes.iter_mut().zip(&offsets[piece.rows.start + skip..]) {
                    let quarter = base.wrapping_add(i64::from(*offset / QUARTER_MS));
                    *code = match self.quarters.get(self.place(quarter)) {
                        Some(known) if *known != DIVIDED => *known,
                        Some(_) | None => self.code(base_us + i64::from(*offset) * 1_000),
                    };
                }
            }
            Times::Micros(values) => {
                for (code, value) in codes.iter_mut().zip(&values[piece.rows.start + skip..]) {
                    *code = self.code(*value);
                }
            }
        }
    }
}

/// The groups one thread has met: a number for each, and the codes behind it.
pub(crate) struct Groups<'g> {
    grouping: &'g Grouping<'g>,
    /// For fields beyond an array, level by level: the pair of the level before and a code, to a number.
    levels: Vec<Level>,
}

#[derive(Default)]
struct Level {
    numbers: HashMap<u64, u32, BuildHasherDefault<CodeHasher>>,
    /// The pair behind each number.
    pairs: Vec<(u32, u32)>,
}

impl Level {
    fn number(&mut self, before: u32, code: u32) -> u32 {
        let Self { numbers, pairs } = self;
        *numbers.entry((u64::from(before) << 32) | u64::from(code)).or_insert_with(|| {
            pairs.push((before, code));
            pairs.len() as u32 - 1
        })
    }
}

impl<'g> Groups<'g> {
    pub fn new(grouping: &'g Grouping<'g>) -> Self {
        let levels = if grouping.strides.is_some() { 0 } else { grouping.width() };
        Self { grouping, levels: (0..levels).map(|_| Level::default()).collect() }
    }

    /// How many numbers there are so far; all of them from the start where an array holds them.
    pub fn len(&self) -> usize {
        match &self.grouping.strides {
            Some(strides) => strides.groups,
            None => self.levels.last().map_or(0, |level| level.pairs.len()),
        }
    }

    /// How many groups were met, as far as that is known here.
    pub fn met(&self) -> usize {
        if self.grouping.strides.is_some() { 0 } else { self.len() }
    }

    /// Memory held, bytes, roughly.
    pub fn bytes(&self) -> usize {
        self.levels.iter().map(|level| level.pairs.capacity() * 8 + level.numbers.capacity() * 17).sum()
    }

    /// The numbers of the piece's rows after the first `skip`, in order; those of rows masked out mean nothing.
    pub fn numbers(&mut self, piece: &Piece, skip: usize, mask: &[u8], numbers: &mut [u32]) {
        match &self.grouping.buckets {
            Some(table) => table.codes(piece, skip, numbers),
            None => numbers.fill(0),
        }
        match &self.grouping.strides {
            Some(strides) => {
                for (field, steps) in self.grouping.fields.iter().zip(&strides.steps) {
                    // Sums stay below the number of possible groups; the adding wraps only so that it need not be checked.
                    let codes = &piece.column(field.read).text().codes;
                    piece.look_up(codes, &steps[piece.source], skip, numbers, |number, step| *number = number.wrapping_add(step));
                }
            }
            None => {
                let (buckets, fields) = self.levels.split_first_mut().expect("there is a level for the bucket");
                // Only rows of the slice make groups.
                for (number, _) in numbers.iter_mut().zip(mask).filter(|(_, kept)| **kept != 0) {
                    *number = buckets.number(0, *number);
                }
                for (field, level) in self.grouping.fields.iter().zip(fields) {
                    let translations = &field.translations[piece.source];
                    let codes = &piece.column(field.read).text().codes;
                    let rows = numbers.iter_mut().zip(mask).zip((piece.base + skip) as u32..);
                    for ((number, _), at) in rows.filter(|((_, kept), _)| **kept != 0) {
                        *number = level.number(*number, translations[codes.at(piece.row(at)) as usize]);
                    }
                }
            }
        }
    }

    /// The number of one row of the chunk.
    pub fn number(&mut self, piece: &Piece, row: usize) -> usize {
        let bucket = self.grouping.buckets.as_ref().map_or(0, |table| table.code(piece.column(table.time).times().at(row)));
        self.of_codes(bucket, |at| self.grouping.fields[at].code(piece, row))
    }

    fn of_codes(&mut self, bucket: u32, code: impl Fn(usize) -> u32) -> usize {
        match &self.grouping.strides {
            Some(strides) => {
                strides.fields.iter().enumerate().fold(bucket, |number, (at, stride)| number + code(at) * stride) as usize
            }
            None => {
                let mut number = self.levels[0].number(0, bucket);
                for (at, level) in self.levels[1..].iter_mut().enumerate() {
                    number = level.number(number, code(at));
                }
                number as usize
            }
        }
    }

    /// Bucket code and field codes of a group.
    pub fn codes(&self, number: usize) -> Vec<u32> {
        match &self.grouping.strides {
            Some(strides) => {
                let mut codes = vec![0; self.grouping.width()];
                let mut rest = number as u32;
                for (at, stride) in strides.fields.iter().enumerate().rev() {
                    codes[at + 1] = rest / stride;
                    rest %= stride;
                }
                codes[0] = rest;
                codes
            }
            None => {
                let mut codes = Vec::with_capacity(self.levels.len());
                let mut number = number as u32;
                for level in self.levels.iter().rev() {
                    let (before, code) = level.pairs[number as usize];
                    codes.push(code);
                    number = before;
                }
                codes.reverse();
                codes
            }
        }
    }

    /// The number of a group another thread met.
    pub fn number_of(&mut self, codes: &[u32]) -> usize {
        self.of_codes(codes[0], |at| codes[at + 1])
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
}
