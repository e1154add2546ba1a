//! Phrases and presets as bounds a caller can hand on, so that nobody counts days by hand.

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tributary_boxed::boxed;
use tributary_control::WorkspaceAccess;
use tributary_core::error::Result;
use tributary_core::time::{DAY_US, SECOND_US, TimeRange, format_utc};

use super::preset::{PRESETS, Preset};
use super::{Period, phrase, read_date};
use crate::problem::{Problems, invalid};
use crate::service::Service;

/// Values of `date_range` beside the presets, each of which needs dates.
pub const DATE_OPERATORS: [&str; 4] = ["custom", "equal_to", "after", "before"];

/// Which days a report is about, in the caller's words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct DateRange {
    /// A preset (`last_30_days`, `this_month`, `q1_2026`, ...), or `custom`, `equal_to`, `after`, `before`, which need dates.
    pub date_range: String,
    /// First day, `YYYY-MM-DD`; needed by `custom` and `equal_to`. With `after`, the day before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date_start: Option<String>,
    /// Last day, `YYYY-MM-DD`; needed by `custom`. With `before`, the day after the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date_end: Option<String>,
}

/// Days a report is about, with the preset they come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days {
    /// The preset, unless dates were given.
    pub preset: Option<Preset>,
    /// The days.
    pub period: Period,
}

/// What to resolve: `preset` wins over `relative`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResolveInput {
    /// An exact preset.
    pub preset: Option<String>,
    /// Free text.
    pub relative: Option<String>,
}

/// Concrete bounds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ResolvedRange {
    /// The preset that was understood.
    pub preset: String,
    /// First instant inside, UTC.
    pub start: String,
    /// Last second inside, UTC.
    pub end: String,
    /// The workspace's IANA zone, whose days these are.
    pub timezone: String,
    /// Days, the first and the last included.
    pub days_inclusive: i32,
    /// First day, as `date_start` of metric questions takes it.
    pub date_start: String,
    /// Last day, as `date_end` of metric questions takes it.
    pub date_end: String,
    /// First second in the workspace's zone, as `start_date` of lists takes it.
    pub start_date: String,
    /// Last second in the workspace's zone, as `end_date` of lists takes it.
    pub end_date: String,
    /// Only where clocks change inside: by how much the stretch is longer or shorter than its days of 24 hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dst_caveat: Option<String>,
}

impl Service {
    /// Turns a preset or a phrase into bounds.
    ///
    /// Errors: `invalid_params` when neither is given or it names no stretch of days, with the presets.
    #[boxed]
    pub async fn resolve_date_range(&self, access: &WorkspaceAccess, input: &ResolveInput) -> Result<ResolvedRange> {
        let preset = match (&input.preset, &input.relative) {
            (Some(name), _) => Preset::parse(name).ok_or_else(|| invalid("preset", unknown_preset(name, &[])))?,
            (None, Some(text)) => phrase::read(text).map_err(|error| invalid("relative", error.message().to_owned()))?,
            (None, None) => return Err(invalid("preset", "is required, or `relative`: such as last_7_days, or \"last week\"")),
        };
        let period = self.period_of(access, preset).await?;
        let zone = &access.workspace.zone;
        let range = period.range(zone)?;
        let end_us = range.end_us - SECOND_US;
        Ok(ResolvedRange {
            preset: preset.name(),
            start: format_utc(range.start_us),
            end: format_utc(end_us),
            timezone: access.workspace.zone_name.clone(),
            days_inclusive: period.days(),
            date_start: period.start.to_string(),
            date_end: period.end.to_string(),
            start_date: local(range.start_us, zone),
            end_date: local(end_us, zone),
            dst_caveat: dst_caveat(period, range, zone),
        })
    }

    /// Reads which days a report is about. Problems are named by field.
    pub(crate) async fn days_of(&self, access: &WorkspaceAccess, input: &DateRange, problems: &mut Problems) -> Option<Days> {
        let mut date = |name: &str, text: &Option<String>| match text {
            Some(text) => problems.take(name, read_date(text)),
            None => None,
        };
        let (start, end) = (date("date_start", &input.date_start), date("date_end", &input.date_end));
        let mut needed = |name: &str, given: &Option<String>| {
            if given.is_none() {
                problems.add(name, format!("is required with date_range {}", input.date_range));
            }
        };
        match input.date_range.as_str() {
            "custom" => {
                needed("date_start", &input.date_start);
                needed("date_end", &input.date_end);
            }
            "equal_to" | "after" => needed("date_start", &input.date_start),
            "before" => needed("date_end", &input.date_end),
            name => {
                let Some(preset) = Preset::parse(name) else {
                    problems.add("date_range", unknown_preset(name, &DATE_OPERATORS));
                    return None;
                };
                let period = self.period_of(access, preset).await;
                return problems.take("date_range", period).map(|period| Days { preset: Some(preset), period });
            }
        }
        let today = self.today(access);
        let period = match input.date_range.as_str() {
            "custom" => Period::new(start?, end?),
            "equal_to" => Period::new(start?, end.or(start)?),
            "after" => super::moved(start?, 1).and_then(|first| Period::new(first, today)),
            _ => {
                let last = problems.take("date_end", super::moved(end?, -1))?;
                let first = problems.take("date_end", self.first_day(access).await)?;
                Period::new(first.unwrap_or(last).min(last), last)
            }
        };
        let field = if input.date_range == "after" { "date_start" } else { "date_end" };
        problems.take(field, period).map(|period| Days { preset: None, period })
    }

    async fn period_of(&self, access: &WorkspaceAccess, preset: Preset) -> Result<Period> {
        let first = if preset == Preset::AllTime { self.first_day(access).await? } else { None };
        preset.period(self.today(access), first)
    }

    fn today(&self, access: &WorkspaceAccess) -> jiff::civil::Date {
        let now = Timestamp::from_microsecond(self.clock.now_us()).unwrap_or(Timestamp::MAX);
        now.to_zoned(access.workspace.zone.clone()).date()
    }

    /// The first day there is an event or ad spend of.
    async fn first_day(&self, access: &WorkspaceAccess) -> Result<Option<jiff::civil::Date>> {
        let holdings = self.events.describe(&access.scope).await?;
        let event = holdings.first_us.and_then(|first_us| Timestamp::from_microsecond(first_us).ok());
        let event = event.map(|first| first.to_zoned(access.workspace.zone.clone()).date());
        let spend = self.control.first_ad_day(&access.scope).await?;
        Ok(event.into_iter().chain(spend).min())
    }
}

/// What is wrong with a name that is no preset; `more` is accepted beside the presets.
fn unknown_preset(name: &str, more: &[&str]) -> String {
    let shown: String = name.chars().take(40).collect();
    let accepted: Vec<&str> = PRESETS.iter().map(|(name, _)| *name).chain(more.iter().copied()).collect();
    format!("`{shown}` is no preset; accepted: {}, quarters such as q1_2026, and months such as 2026_03", accepted.join(", "))
}

fn local(time_us: i64, zone: &TimeZone) -> String {
    let instant = Timestamp::from_microsecond(time_us).unwrap_or(Timestamp::MAX);
    instant.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// Where the zone's offset at the first and the last instant, or somewhere between, is not the same.
pub(crate) fn dst_caveat(period: Period, range: TimeRange, zone: &TimeZone) -> Option<String> {
    let offset = |time_us: i64| -> Option<Offset> { Some(zone.to_offset(Timestamp::from_microsecond(time_us).ok()?)) };
    let changes = zone
        .following(Timestamp::from_microsecond(range.start_us).ok()?)
        .take_while(|change| change.timestamp().as_microsecond() < range.end_us)
        .filter(|change| {
            let at = change.timestamp().as_microsecond();
            offset(at - SECOND_US) != offset(at)
        });
    let days: Vec<String> = changes.map(|change| change.timestamp().to_zoned(zone.clone()).date().to_string()).collect();
    if days.is_empty() {
        return None;
    }
    let difference_us = range.end_us - range.start_us - i64::from(period.days()) * DAY_US;
    let hours = difference_us as f64 / 3_600e6;
    let length = match difference_us {
        0 => String::from("in all as long as that many days of 24 hours"),
        longer if longer > 0 => format!("{hours} h longer than that many days of 24 hours"),
        _ => format!("{} h shorter than that many days of 24 hours", -hours),
    };
    Some(format!(
        "clocks change on {}: the stretch is {length}; attribution windows are UTC calendar days. Mind it when periods are compared.",
        days.join(" and ")
    ))
}
