//! What the configured bounds come to.

use std::time::Duration;

use tributary_events::question::Budget;
use tributary_service::bounded::QuestionBounds;
use tributary_service::rate::{BucketSettings, RateSettings};

use super::{Engine, Limits};
use crate::system;

/// Bytes of a megabyte, as configured.
const MEGABYTE: u64 = 1 << 20;
/// The memory budget where the machine does not tell its memory, megabytes.
const FALLBACK_MEMORY_MB: u64 = 1_024;
/// The part of the machine's memory that decoded columns take unless configured otherwise: one of so many.
const MEMORY_SHARE: u64 = 4;

impl Engine {
    /// Megabytes of decoded columns kept: as configured, or a quarter of the machine's memory.
    pub fn memory_budget(&self) -> u64 {
        let share = || system::memory_bytes().map(|bytes| bytes / MEMORY_SHARE / MEGABYTE);
        self.memory_budget_mb.or_else(share).unwrap_or(FALLBACK_MEMORY_MB).max(super::check::MIN_MEMORY_MB)
    }

    /// The same in bytes.
    pub fn memory_budget_bytes(&self) -> usize {
        whole(self.memory_budget().saturating_mul(MEGABYTE))
    }

    /// What one question of somebody who waits may take.
    pub fn budget(&self) -> Budget {
        Budget {
            max_groups: whole(self.question_max_groups),
            max_time: Duration::from_secs(self.question_max_seconds),
            max_bytes: whole(self.question_max_memory_mb.saturating_mul(MEGABYTE)),
        }
    }

    /// How many questions there may be.
    pub fn question_bounds(&self) -> QuestionBounds {
        QuestionBounds {
            at_once: self.questions_at_once as usize,
            per_workspace: self.questions_per_workspace as usize,
            waiting: self.questions_waiting as usize,
            patience: Duration::from_secs(self.question_max_seconds),
        }
    }
}

impl Limits {
    /// The rates of every limited route.
    pub fn rates(&self) -> RateSettings {
        RateSettings {
            enforce: self.enforce,
            track: BucketSettings::per_second(self.track_per_second, self.track_burst),
            batch: BucketSettings::per_second(self.batch_per_second, self.batch_burst),
            list_contacts: BucketSettings::per_minute(self.list_contacts_per_minute),
            get_contact: BucketSettings::per_minute(self.get_contact_per_minute),
            write_contact: BucketSettings::per_minute(self.write_contact_per_minute),
            list_companies: BucketSettings::per_minute(self.list_companies_per_minute),
            get_company: BucketSettings::per_minute(self.get_company_per_minute),
            write_company: BucketSettings::per_minute(self.write_company_per_minute),
            query_metrics: BucketSettings::per_minute(self.query_metrics_per_minute),
            definitions: BucketSettings::per_minute(self.definitions_per_minute),
            list_events: BucketSettings::per_minute(self.list_events_per_minute),
            get_event: BucketSettings::per_minute(self.get_event_per_minute),
            create_export: BucketSettings::per_minute(self.create_export_per_minute),
            get_export: BucketSettings::per_minute(self.get_export_per_minute),
        }
    }
}

/// A configured number as the engine takes it.
pub fn whole(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tributary_service::service::Settings;

    #[test]
    fn the_defaults_are_the_documented_ones() {
        let documented = Settings::default();
        assert_eq!(Limits::default().rates(), documented.rates);
        assert_eq!(Engine::default().budget(), documented.budget);
        assert_eq!(Engine::default().question_bounds(), QuestionBounds::default());
    }

    #[test]
    fn a_configured_budget_wins_over_the_machine() {
        let configured = Engine { memory_budget_mb: Some(100), ..Engine::default() };
        assert_eq!(configured.memory_budget_bytes(), 100 << 20);
        let own = Engine::default().memory_budget();
        assert_eq!(own, system::memory_bytes().map_or(FALLBACK_MEMORY_MB, |bytes| bytes / 4 / MEGABYTE));
    }
}
