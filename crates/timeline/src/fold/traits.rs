//! Traits as columns: worked out of the visitors of a chunk, for one question alone.
//!
//! Traits differ from question to question under the same name, so nothing here outlives its question, and what it takes counts
//! as the question's own memory.

use std::ops::Range;
use std::sync::{Arc, Mutex};

use tributary_core::error::Result;
use tributary_events::filter::Test;
use tributary_events::traits::Trait;

use super::limits::Limits;
use crate::cache::{ColumnCache, ColumnSet};
use crate::column::{Codes, Column, ColumnId, TextColumn, Visitors};
use crate::run::Run;
use crate::stored::Hashes;

/// The traits of one question.
pub(crate) struct TraitColumns {
    traits: Vec<HashedTrait>,
    hashes: Hashes,
    /// Bounded by the question's memory.
    cache: ColumnCache,
}

/// Visitor hash and place of the value, ascending.
type Visiting = Vec<(u64, u32)>;

struct HashedTrait {
    known: Arc<Trait>,
    /// Made when the trait is first read.
    visitors: Mutex<Option<Arc<Visiting>>>,
}

impl TraitColumns {
    pub fn new(traits: &[Arc<Trait>], hashes: &Hashes) -> Self {
        let hashed = |known: &Arc<Trait>| HashedTrait { known: known.clone(), visitors: Mutex::default() };
        Self { traits: traits.iter().map(hashed).collect(), hashes: hashes.clone(), cache: ColumnCache::new(usize::MAX) }
    }

    /// A column of a run: a trait's belongs to this question, any other is the run's.
    pub fn set(&self, run: &Run, id: &ColumnId) -> Result<Arc<ColumnSet>> {
        match id {
            ColumnId::Trait(_) => Ok(ColumnSet::new(0, id.clone(), run.chunks()?.len())),
            _ => run.set(id),
        }
    }

    /// One chunk of a trait's column.
    pub fn load(&self, name: &str, run: &Run, set: &Arc<ColumnSet>, chunk: usize, limits: &Limits) -> Result<Column> {
        let known = self.named(name);
        self.cache.load(set, chunk, || self.build(known, run, set, chunk, limits))
    }

    /// Clears the mask of some rows of a chunk where their visitor's value does not pass.
    pub fn narrow(
        &self,
        name: &str,
        test: &Test,
        visitors: &Visitors,
        rows: &Range<usize>,
        mask: &mut [u8],
        limits: &Limits,
    ) -> Result<()> {
        let known = self.named(name);
        let named = known.visitors(&self.hashes, limits)?;
        let first = visitors.starts.partition_point(|start| *start as usize <= rows.start).saturating_sub(1);
        for at in (first..visitors.len()).take_while(|at| (visitors.starts[*at] as usize) < rows.end) {
            let found = named.binary_search_by_key(&visitors.hashes[at], |(hash, _)| *hash).ok();
            let value = found.map(|found| known.known.values()[named[found].1 as usize].as_str());
            if !test.holds(value) {
                let own = visitors.rows(at);
                mask[own.start.max(rows.start) - rows.start..own.end.min(rows.end) - rows.start].fill(0);
            }
        }
        Ok(())
    }

    fn named(&self, name: &str) -> &HashedTrait {
        self.traits.iter().find(|one| one.known.name() == name).expect("`Question::check` refuses unknown traits")
    }

    /// All rows of a visitor have the same value: visitors are looked up, not rows.
    fn build(&self, known: &HashedTrait, run: &Run, set: &ColumnSet, chunk: usize, limits: &Limits) -> Result<Column> {
        let named = known.visitors(&self.hashes, limits)?;
        limits.check_time()?;
        let here = run.column(&ColumnId::Visitors, chunk)?;
        let here = here.visitors();
        let values = known.known.values();
        // Code of each value in this run's dictionary, 0 until it is met here.
        let mut codes_of: Vec<u32> = vec![0; values.len()];
        let first = here.hashes.first().map_or(0, |first| named.partition_point(|(hash, _)| hash < first));
        let mut named = named[first..].iter().peekable();
        let (codes, grown) = set.dictionary.grow(|interner| {
            let before = interner.bytes();
            let mut codes: Vec<u32> = Vec::with_capacity(here.starts.last().map_or(0, |rows| *rows as usize));
            for (at, hash) in here.hashes.iter().enumerate() {
                while named.next_if(|(other, _)| other < hash).is_some() {}
                let code = match named.peek() {
                    Some((other, place)) if other == hash => {
                        let code = &mut codes_of[*place as usize];
                        if *code == 0 {
                            *code = interner.code(&values[*place as usize]);
                        }
                        *code
                    }
                    Some(_) | None => 0,
                };
                codes.resize(here.starts[at + 1] as usize, code);
            }
            (codes, interner.bytes() - before)
        });
        let column = TextColumn { codes: Codes::narrow(codes), dictionary: set.dictionary.clone() };
        limits.check_memory(0, column.codes.bytes() + grown)?;
        Ok(Column::Text(Arc::new(column)))
    }
}

impl HashedTrait {
    fn visitors(&self, hashes: &Hashes, limits: &Limits) -> Result<Arc<Visiting>> {
        let mut visitors = self.visitors.lock().expect("no holder of this lock panics");
        if let Some(visitors) = &*visitors {
            return Ok(visitors.clone());
        }
        let mut hashed: Visiting = self.known.visitors().map(|(visitor, place)| (hashes.visitor(visitor), place)).collect();
        hashed.sort_unstable();
        limits.check_memory(0, hashed.capacity() * size_of::<(u64, u32)>())?;
        Ok(visitors.insert(Arc::new(hashed)).clone())
    }
}
