//! How many come back.

use serde_json::Value;

use tributary_core::error::Result;
use tributary_core::time::{TimeRange, format_in};
use tributary_events::answer::Answer;
use tributary_events::bucket::{Buckets, Interval};
use tributary_events::field::Field;
use tributary_events::filter::Filter;
use tributary_events::question::{Question, Retention, RetentionPeriod};

use super::{Context, Row, Shown, field, mismatched, share};
use tributary_core::time::duration_us;

/// The question in the caller's words.
pub struct Words {
    /// Event that starts a cohort; absent for any.
    pub start: Option<String>,
    /// Event that counts as coming back; absent for any.
    pub returning: Option<String>,
    /// `day`, `week`, `month`, or a duration.
    pub period: String,
    /// Periods looked ahead, period 0 included.
    pub periods: u32,
    /// Whether cohorts are split by calendar period.
    pub cohorts: bool,
    /// Break down by this field on the cohort event.
    pub breakdown: Option<String>,
}

/// Asks how many of each cohort come back, one row per cohort and period.
pub async fn ask(cx: Context<'_>, words: Words) -> Result<(Shown, u64)> {
    let named = |event: &Option<String>| event.iter().map(|name| Filter::is(Field::EventName, name.as_str())).collect();
    let period = period(&words.period)?;
    let question = Question::Retention(Retention {
        slice: cx.slice.clone(),
        start: named(&words.start),
        returning: named(&words.returning),
        period,
        zone: cx.zone.clone(),
        by_period: words.cohorts,
        breakdown: words.breakdown.as_deref().map(field).transpose()?,
        periods: words.periods,
    });
    let (Answer::Retention(answer), watermark) = cx.ask(question).await? else {
        return Err(mismatched());
    };
    let mut rows = Vec::new();
    for cohort in &answer.cohorts {
        let begun = begun(period, cohort.start_us, &cx)?;
        for (period, active) in cohort.active.iter().enumerate().take(begun) {
            let mut row = Row::new();
            if words.cohorts {
                row.insert(
                    String::from("cohort"),
                    cohort.start_us.map_or(Value::Null, |start| Value::from(format_in(start, cx.zone))),
                );
            }
            if let Some(name) = &words.breakdown {
                row.insert(name.clone(), cohort.value.as_deref().map_or(Value::Null, Value::from));
            }
            row.insert(String::from("size"), Value::from(cohort.size));
            row.insert(String::from("period"), Value::from(period));
            row.insert(String::from("active"), Value::from(*active));
            row.insert(String::from("share"), share(*active, cohort.size));
            row.insert(
                String::from("active_from"),
                cohort.active_from.get(period).map_or(Value::Null, |from| Value::from(*from)),
            );
            rows.push(row);
        }
    }
    let total_rows = rows.len() as u64;
    Ok((Shown::of(rows, total_rows, Row::new()), watermark))
}

/// How many of a cohort's calendar periods begin inside the range: nobody can have come back in a week that is still to come,
/// and a zero there would read as if nobody had.
fn begun(period: RetentionPeriod, cohort_start_us: Option<i64>, cx: &Context<'_>) -> Result<usize> {
    let (RetentionPeriod::Calendar(interval), Some(start_us)) = (period, cohort_start_us) else {
        return Ok(usize::MAX);
    };
    let range = TimeRange::new(start_us, cx.slice.range.end_us)?;
    Ok(Buckets::cover(range, interval, cx.zone)?.labels.len())
}

fn period(name: &str) -> Result<RetentionPeriod> {
    Ok(match name {
        "day" => RetentionPeriod::Calendar(Interval::Day),
        "week" => RetentionPeriod::Calendar(Interval::Week),
        "month" => RetentionPeriod::Calendar(Interval::Month),
        "quarter" => RetentionPeriod::Calendar(Interval::Quarter),
        "year" => RetentionPeriod::Calendar(Interval::Year),
        duration => RetentionPeriod::Elapsed(duration_us(duration)?),
    })
}
