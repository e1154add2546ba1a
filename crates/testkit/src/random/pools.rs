//! The values random events and random questions both draw from.

use proptest::prelude::*;
use proptest::sample::select;

use tributary_core::event::derived_session_id;
use tributary_core::time::{DAY_US, SECOND_US};

/// Names of events: few, so that funnels happen.
pub const NAMES: &[&str] = &["view", "view", "view", "cart", "cart", "pay", "Ünïcode ✓"];
/// Visitors.
pub const VISITORS: &[&str] = &["v0", "v0", "v0", "v1", "v1", "v0-1", "日本"];
/// Signed-in persons.
pub const USERS: &[&str] = &["u1", "u2", "v0", "ann@example.org"];
/// Event ids.
pub const EVENT_IDS: &[&str] = &["e0", "e1", "e2", "e3", "e4", "e5", "é"];
/// Text of any other column.
pub const TEXTS: &[&str] =
    &["google", "Google", "paid", "straße", "İstanbul", "a b", "\"quoted\"", "12", "12.5", "-3", "1e3", "0"];
/// Keys of properties: literal dots, nested, absent.
pub const KEYS: &[&str] = &["plan", "amount", "cart.currency", "cart", "deep.er.still", "flag", "nope", "ключ"];
/// Names of what is known of visitors.
pub const TRAITS: &[&str] = &["tier", "регион"];
/// Currencies.
pub const CURRENCIES: &[&str] = &["EUR", "USD", "JPY"];
/// Zones with whole-hour, half-hour and no clock changes, and one that changes at midnight.
pub const ZONES: &[&str] =
    &["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/Santiago", "Pacific/Apia"];

/// Instants around which events crowd: clock changes, ends of days, months and years.
const MOMENTS_S: &[i64] = &[
    1_774_746_000, // 2026-03-29T01:00:00Z, Berlin moves forward
    1_792_890_000, // 2026-10-25T01:00:00Z, Berlin moves back
    1_775_314_800, // 2026-04-04T15:00:00Z, Lord Howe moves back half an hour
    1_772_953_200, // 2026-03-08T07:00:00Z, New York moves forward
    1_767_225_600, // 2026-01-01T00:00:00Z
    1_775_001_600, // 2026-04-01T00:00:00Z
];

/// Distances on which windows, gaps and sessions turn.
const STRIDES_US: &[i64] = &[0, 1_000, SECOND_US, 900 * SECOND_US, 1_800 * SECOND_US, 3_600 * SECOND_US, DAY_US, 7 * DAY_US];

/// An instant: often equal to another one, or a microsecond beside it.
pub fn instant() -> impl Strategy<Value = i64> {
    let few_moments = prop_oneof![4 => Just(0_usize), 1 => 0..MOMENTS_S.len()];
    (few_moments, -4_i64..=4, select(STRIDES_US), prop_oneof![6 => Just(0_i64), 1 => -1_i64..=1])
        .prop_map(|(moment, times, stride_us, jitter_us)| MOMENTS_S[moment] * SECOND_US + times * stride_us + jitter_us)
}

/// One of a pool, as owned text.
pub fn one_of(pool: &'static [&'static str]) -> impl Strategy<Value = String> {
    select(pool).prop_map(str::to_owned)
}

/// A session name: free text, or one that looks like the session derived for a visitor.
pub fn session() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => one_of(&["s1", "s2", "сессия"]),
        1 => (select(VISITORS), instant()).prop_map(|(visitor, time_us)| derived_session_id(visitor, time_us)),
    ]
}

/// Text that some column might hold.
pub fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => one_of(TEXTS),
        2 => one_of(NAMES),
        1 => one_of(VISITORS),
        1 => one_of(USERS),
        1 => one_of(EVENT_IDS),
        1 => one_of(CURRENCIES),
        1 => one_of(&["browser", "server", "high", "low", "true", "null", "[1,{\"k\":\"ü\"}]"]),
        1 => session(),
    ]
}
