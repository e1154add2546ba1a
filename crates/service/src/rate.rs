//! Rate limits: a token bucket per workspace and route, in memory.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use serde_json::json;
use tributary_core::clock::SharedClock;
use tributary_core::error::{Code, Error, Result};
use tributary_core::ids::WorkspaceId;
use tributary_core::time::SECOND_US;

/// The routes that have a bucket of their own. Everything else is unlimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Route {
    /// `POST /v1/track` and the tool `track_event`.
    Track,
    /// `POST /v1/batch`: one token per request, whatever it holds.
    Batch,
    /// `GET /public-api/v1/contacts`.
    ListContacts,
    /// `GET /public-api/v1/contacts/{id}`.
    GetContact,
    /// `POST /public-api/v1/contacts`.
    CreateContact,
    /// `PUT /public-api/v1/contacts/{id}`.
    UpdateContact,
    /// `GET /public-api/v1/companies`.
    ListCompanies,
    /// `GET /public-api/v1/companies/{id}`.
    GetCompany,
    /// `PUT /public-api/v1/companies/{id}`.
    UpdateCompany,
    /// Metric questions under `/public-api/v1/metrics`, saved reports and dashboards.
    QueryMetrics,
    /// Reading types of conversions, mapping rules, webhook endpoints and custom fields, trying rules out.
    ReadDefinitions,
    /// Changing them.
    WriteDefinitions,
    /// `GET /public-api/v1/events`.
    ListEvents,
    /// `GET /public-api/v1/events/{id}`.
    GetEvent,
    /// `POST /public-api/v1/events/aggregate`.
    AggregateEvents,
    /// `GET /public-api/v1/event-types`.
    ListEventTypes,
    /// `POST /public-api/v1/{events,contacts,companies}/exports`: one bucket for all.
    CreateExport,
    /// `GET /public-api/v1/{events,contacts,companies}/exports/{id}`: likewise.
    GetExport,
}

/// Size and refill of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BucketSettings {
    /// Tokens that come back per minute; 0 means none ever do.
    pub refill_per_minute: u32,
    /// Tokens a full bucket holds.
    pub burst: u32,
}

impl BucketSettings {
    /// A bucket that refills by `refill_per_s` every second.
    pub fn per_second(refill_per_s: u32, burst: u32) -> Self {
        Self { refill_per_minute: refill_per_s.saturating_mul(60), burst }
    }

    /// A bucket of `tokens` that refills once a minute.
    pub fn per_minute(tokens: u32) -> Self {
        Self { refill_per_minute: tokens, burst: tokens }
    }
}

/// What is left of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Tokens of a full bucket.
    pub limit: u32,
    /// Tokens it holds now.
    pub remaining: u32,
}

/// Limits of all routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateSettings {
    /// Whether limits are enforced at all.
    pub enforce: bool,
    /// Single events.
    pub track: BucketSettings,
    /// Batches.
    pub batch: BucketSettings,
    /// Lists of contacts.
    pub list_contacts: BucketSettings,
    /// Single contacts.
    pub get_contact: BucketSettings,
    /// Contacts created, and contacts changed: a bucket for each.
    pub write_contact: BucketSettings,
    /// Lists of companies.
    pub list_companies: BucketSettings,
    /// Single companies.
    pub get_company: BucketSettings,
    /// Companies changed.
    pub write_company: BucketSettings,
    /// Metric questions.
    pub query_metrics: BucketSettings,
    /// Definitions read, and definitions changed: a bucket for each.
    pub definitions: BucketSettings,
    /// Lists of conversions.
    pub list_events: BucketSettings,
    /// Single conversions; conversions counted and their types listed: a bucket for each.
    pub get_event: BucketSettings,
    /// Exports begun.
    pub create_export: BucketSettings,
    /// Exports asked after.
    pub get_export: BucketSettings,
}

impl Default for RateSettings {
    /// The documented limits: 50/s with a burst of 200 for single events, 5/s with a burst of 20 for batches; per minute,
    /// 15 lists of contacts and of companies, 30 single contacts, 15 single companies, 60 writes of each sort,
    /// 30 metric questions, 60 definitions read and 60 changed.
    /// 7 lists of conversions and 30 single ones, 5 exports begun and 30 asked after.
    fn default() -> Self {
        Self {
            enforce: true,
            track: BucketSettings::per_second(50, 200),
            batch: BucketSettings::per_second(5, 20),
            list_contacts: BucketSettings::per_minute(15),
            get_contact: BucketSettings::per_minute(30),
            write_contact: BucketSettings::per_minute(60),
            list_companies: BucketSettings::per_minute(15),
            get_company: BucketSettings::per_minute(15),
            write_company: BucketSettings::per_minute(60),
            query_metrics: BucketSettings::per_minute(30),
            definitions: BucketSettings::per_minute(60),
            list_events: BucketSettings::per_minute(7),
            get_event: BucketSettings::per_minute(30),
            create_export: BucketSettings::per_minute(5),
            get_export: BucketSettings::per_minute(30),
        }
    }
}

impl RateSettings {
    fn bucket(&self, route: Route) -> BucketSettings {
        match route {
            Route::Track => self.track,
            Route::Batch => self.batch,
            Route::ListContacts => self.list_contacts,
            Route::GetContact => self.get_contact,
            Route::CreateContact | Route::UpdateContact => self.write_contact,
            Route::ListCompanies => self.list_companies,
            Route::GetCompany => self.get_company,
            Route::UpdateCompany => self.write_company,
            Route::QueryMetrics => self.query_metrics,
            Route::ReadDefinitions | Route::WriteDefinitions => self.definitions,
            Route::ListEvents => self.list_events,
            Route::GetEvent | Route::AggregateEvents | Route::ListEventTypes => self.get_event,
            Route::CreateExport => self.create_export,
            Route::GetExport => self.get_export,
        }
    }
}

/// Hands out tokens.
#[derive(Debug)]
pub(crate) struct Limiter {
    settings: RateSettings,
    clock: SharedClock,
    // Bounded: one entry per live workspace and route.
    buckets: Mutex<HashMap<(WorkspaceId, Route), Bucket>>,
}

/// The longest a refused caller is told to wait, seconds.
const MAX_WAIT_S: i64 = 3_600;

/// Parts of a token in which levels are counted, so that microseconds refill exactly: `refill_per_minute` per microsecond.
const TOKEN: i64 = 60 * SECOND_US;

#[derive(Debug)]
struct Bucket {
    level: i64,
    at_us: i64,
}

impl Limiter {
    pub(crate) fn new(settings: RateSettings, clock: SharedClock) -> Self {
        Self { settings, clock, buckets: Mutex::new(HashMap::new()) }
    }

    /// Takes one token, or says after how many whole seconds one will be there. `None` when limits do not hold.
    pub(crate) fn take(&self, workspace: WorkspaceId, route: Route) -> Result<Option<Allowance>> {
        if !self.settings.enforce {
            return Ok(None);
        }
        let settings = self.settings.bucket(route);
        let (refill, full) = (i64::from(settings.refill_per_minute), i64::from(settings.burst) * TOKEN);
        let now_us = self.clock.now_us();
        // A panic elsewhere cannot leave a level half-written: it is two integers.
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.entry((workspace, route)).or_insert(Bucket { level: full, at_us: now_us });
        let elapsed_us = now_us.saturating_sub(bucket.at_us).max(0);
        bucket.level = bucket.level.saturating_add(elapsed_us.saturating_mul(refill)).min(full);
        bucket.at_us = now_us;
        if bucket.level >= TOKEN {
            bucket.level -= TOKEN;
            let remaining = u32::try_from(bucket.level / TOKEN).unwrap_or(u32::MAX);
            return Ok(Some(Allowance { limit: settings.burst, remaining }));
        }
        let missing = TOKEN - bucket.level;
        let wait_us = if refill == 0 { i64::MAX } else { missing / refill };
        let retry_after_s = (wait_us / SECOND_US).saturating_add(1).min(MAX_WAIT_S);
        Err(Error::new(Code::RateLimited, format!("too many requests for this workspace; retry after {retry_after_s} s"))
            .with_details(json!({ "retry_after_s": retry_after_s, "limit": settings.burst })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tributary_core::clock::FixedClock;

    fn accepted(limiter: &Limiter, workspace: i64, route: Route) -> usize {
        (0..1_000).take_while(|_| limiter.take(WorkspaceId(workspace), route).is_ok()).count()
    }

    #[test]
    fn the_documented_buckets() {
        let clock = FixedClock::at(0);
        let limiter = Limiter::new(RateSettings::default(), clock.clone());
        assert_eq!(accepted(&limiter, 1, Route::Track), 200);
        assert_eq!(accepted(&limiter, 1, Route::Batch), 20, "buckets are independent by route");
        assert_eq!(accepted(&limiter, 2, Route::Track), 200, "and by workspace");
        clock.advance_us(100_000);
        assert_eq!(accepted(&limiter, 1, Route::Track), 5);
        assert_eq!(accepted(&limiter, 1, Route::Batch), 0);
        clock.advance_us(SECOND_US * 86_400);
        assert_eq!(accepted(&limiter, 1, Route::Track), 200, "a bucket never holds more than its burst");
        let refusal = limiter.take(WorkspaceId(1), Route::Track).expect_err("empty");
        assert_eq!(refusal.code(), Code::RateLimited);
        assert_eq!(refusal.details(), Some(&json!({ "retry_after_s": 1, "limit": 200 })));
    }

    #[test]
    fn a_clock_that_steps_back_neither_fills_nor_breaks() {
        let clock = FixedClock::at(SECOND_US * 1_000);
        let limiter = Limiter::new(RateSettings::default(), clock.clone());
        assert_eq!(accepted(&limiter, 1, Route::Batch), 20);
        clock.set_us(0);
        assert_eq!(accepted(&limiter, 1, Route::Batch), 0);
    }

    #[test]
    fn minutes_refill_a_part_at_a_time() {
        let clock = FixedClock::at(0);
        let limiter = Limiter::new(RateSettings::default(), clock.clone());
        let first = limiter.take(WorkspaceId(1), Route::ListContacts).expect("full");
        assert_eq!(first, Some(Allowance { limit: 15, remaining: 14 }));
        assert_eq!(accepted(&limiter, 1, Route::ListContacts), 14);
        let refusal = limiter.take(WorkspaceId(1), Route::ListContacts).expect_err("empty");
        assert_eq!(refusal.details(), Some(&json!({ "retry_after_s": 5, "limit": 15 })));
        clock.advance_us(4 * SECOND_US);
        assert_eq!(accepted(&limiter, 1, Route::ListContacts), 1);
        assert_eq!(accepted(&limiter, 1, Route::CreateContact), 60, "writes have a bucket for each sort");
        assert_eq!(accepted(&limiter, 1, Route::UpdateContact), 60);
    }

    #[test]
    fn limits_can_be_switched_off() {
        let limiter = Limiter::new(RateSettings { enforce: false, ..RateSettings::default() }, FixedClock::at(0));
        assert_eq!(accepted(&limiter, 1, Route::Batch), 1_000);
    }
}
