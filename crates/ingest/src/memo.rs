//! What was worked out for a text, kept for the next time, in bounded memory.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Two generations of answers: when the young one is full it becomes the old one, and the old one is dropped. What is still
/// in use moves back to the young one, so the least recently used half goes, at one look-up per use.
pub(crate) struct Memo<V> {
    bounds: Bounds,
    generations: Mutex<Generations<V>>,
}

/// How much a memo remembers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Texts per generation; two generations are kept.
    pub(crate) per_generation: usize,
    /// Longest text remembered, bytes. Longer ones are rare, and are worked out anew.
    pub(crate) text_bytes: usize,
}

struct Generations<V> {
    young: HashMap<Box<str>, V>,
    old: HashMap<Box<str>, V>,
}

impl<V: Clone> Memo<V> {
    /// Remembers nothing yet.
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self { bounds, generations: Mutex::new(Generations { young: HashMap::new(), old: HashMap::new() }) }
    }

    /// What is remembered of a text.
    pub(crate) fn find(&self, text: &str) -> Option<V> {
        if text.len() > self.bounds.text_bytes {
            return None;
        }
        let mut generations = self.lock();
        if let Some(value) = generations.young.get(text) {
            return Some(value.clone());
        }
        let (key, value) = generations.old.remove_entry(text)?;
        self.insert(&mut generations, key, value.clone());
        Some(value)
    }

    /// Remembers.
    pub(crate) fn keep(&self, text: &str, value: V) {
        if text.len() <= self.bounds.text_bytes {
            self.insert(&mut self.lock(), text.into(), value);
        }
    }

    fn insert(&self, generations: &mut Generations<V>, key: Box<str>, value: V) {
        if generations.young.len() >= self.bounds.per_generation {
            generations.old = std::mem::take(&mut generations.young);
        }
        generations.young.insert(key, value);
    }

    fn lock(&self) -> MutexGuard<'_, Generations<V>> {
        // The generations are whole between any two statements: a panic elsewhere leaves nothing half done in them.
        self.generations.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        let generations = self.lock();
        generations.young.len() + generations.old.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_memo_is_bounded_and_keeps_what_is_in_use() {
        let memo = Memo::new(Bounds { per_generation: 100, text_bytes: 100 });
        memo.keep("regular", 0);
        for number in 1..2_000 {
            memo.keep(&format!("passing {number}"), number);
            assert_eq!(memo.find("regular"), Some(0), "{number}");
            assert!(memo.len() <= 200, "{number}");
        }
        assert_eq!(memo.find("passing 1"), None);
        assert_eq!(memo.find("passing 1999"), Some(1_999));
    }

    #[test]
    fn long_texts_are_not_remembered() {
        let memo = Memo::new(Bounds { per_generation: 10, text_bytes: 40 });
        let (longest, longer) = ("x".repeat(40), "x".repeat(41));
        memo.keep(&longest, 1);
        memo.keep(&longer, 2);
        assert_eq!((memo.find(&longest), memo.find(&longer), memo.len()), (Some(1), None, 1));
    }
}
