//! What events say about people over and over: written once, then passed over from memory.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tributary_boxed::boxed;
use tributary_core::error::Result;
use tributary_core::ids::WorkspaceId;
use tributary_core::scope::WorkspaceScope;
use tributary_core::time::SECOND_US;

use super::identify::Identification;
use crate::control::Control;

/// Most ties remembered; beyond it the memory starts over.
const MAX_REMEMBERED: usize = 262_144;
/// How much later than last noted somebody must be seen for it to be noted again, microseconds.
const SEEN_STEP_US: i64 = 3_600 * SECOND_US;

/// Ties known to be written. A tie is remembered by a hash with a key of this process: nobody outside can make two meet.
#[derive(Default)]
pub(crate) struct SeenTies {
    hasher: RandomState,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    /// Counts erasures: a tie written before one is not remembered after it.
    generation: u64,
    by_tie: HashMap<u64, (i64, i64)>,
}

impl SeenTies {
    /// Forgets everything: what was erased must be written again if it comes back.
    pub fn forget(&self) {
        let mut seen = self.seen();
        seen.generation += 1;
        seen.by_tie.clear();
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn key(&self, workspace: WorkspaceId, one: &Identification) -> u64 {
        let Identification { user_id, email, tracking_id, visitors, names, phones, locations, fields, seen_us: _, via: _ } = one;
        // Fields hold floats, which do not hash; their debug text does, and tells every two values apart.
        let fields = if fields.is_empty() { String::new() } else { format!("{fields:?}") };
        self.hasher.hash_one((workspace, user_id, email, tracking_id, visitors, names, phones, locations, fields))
    }
}

impl Control {
    /// [`Control::identify_all`] for what events tell: what is known to be written costs no statement. Somebody's last
    /// appearance is noted to the hour.
    #[boxed]
    pub async fn identify_seen(&self, scope: &WorkspaceScope, all: Vec<Identification>) -> Result<()> {
        let ties = &self.inner.seen_ties;
        let keys: Vec<u64> = all.iter().map(|one| ties.key(scope.workspace(), one)).collect();
        let (generation, mut fresh, mut remembered) = {
            let seen = ties.seen();
            let mut fresh: Vec<Identification> = Vec::new();
            let mut remembered: HashMap<u64, (i64, i64)> = HashMap::new();
            for (one, key) in all.into_iter().zip(keys) {
                let known = remembered.get(&key).or_else(|| seen.by_tie.get(&key)).copied();
                let (first_us, last_us) = known.unwrap_or((one.seen_us, one.seen_us));
                let is_news = known.is_none() || one.seen_us < first_us || one.seen_us >= last_us.saturating_add(SEEN_STEP_US);
                if is_news {
                    remembered.insert(key, (first_us.min(one.seen_us), last_us.max(one.seen_us)));
                    fresh.push(one);
                }
            }
            (seen.generation, fresh, remembered)
        };
        if fresh.is_empty() {
            return Ok(());
        }
        while fresh.len() > CHUNK {
            let rest = fresh.split_off(CHUNK);
            self.identify_all(scope, std::mem::replace(&mut fresh, rest)).await?;
        }
        self.identify_all(scope, fresh).await?;
        let mut seen = ties.seen();
        if seen.generation == generation {
            if seen.by_tie.len() + remembered.len() > MAX_REMEMBERED {
                seen.by_tie.clear();
            }
            seen.by_tie.extend(remembered.drain());
        }
        Ok(())
    }
}

/// Identifications in one transaction: others may write in between.
const CHUNK: usize = 1_000;
