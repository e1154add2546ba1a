//! How many come how far.

use serde_json::Value;

use tributary_core::error::{Code, Error, Result};
use tributary_core::time::SECOND_US;
use tributary_events::answer::{Answer, FunnelCounts};
use tributary_events::question::{BreakdownEvent, Exclusion, Funnel, FunnelBreakdown, FunnelMode, Question, Unit};

use super::{Context, Row, Shown, field, filter, mismatched, share};
use tributary_core::time::duration_us;

/// The question in the caller's words.
pub struct Words {
    /// Event names, each with conditions after commas.
    pub steps: Vec<String>,
    /// Longest time from the first step to the last.
    pub window: Option<String>,
    /// What "in order" means.
    pub mode: String,
    /// What is counted.
    pub unit: String,
    /// Break down by this field.
    pub breakdown: Option<String>,
    /// The step whose event the breakdown is read on; absent for the unit's first event.
    pub breakdown_step: Option<usize>,
    /// What must not happen in between.
    pub exclude: Vec<String>,
    /// Whether median times are wanted.
    pub times: bool,
}

/// Asks how far units come through the steps.
pub async fn ask(cx: Context<'_>, words: &Words) -> Result<(Shown, u64)> {
    let steps = &words.steps;
    let on = match (&words.breakdown, words.breakdown_step) {
        (None, Some(_)) => return Err(Error::new(Code::InvalidParams, "breakdown_step needs breakdown, the field to read")),
        (_, Some(step)) => BreakdownEvent::Step(step),
        (_, None) => BreakdownEvent::First,
    };
    let breakdown = words.breakdown.as_deref().map(field).transpose()?;
    let question = Question::Funnel(Funnel {
        slice: cx.slice.clone(),
        steps: steps.iter().map(|step| filter::parse_step(step)).collect::<Result<_>>()?,
        window_us: words.window.as_deref().map(duration_us).transpose()?,
        mode: mode(&words.mode)?,
        unit: unit(&words.unit)?,
        exclusions: words.exclude.iter().map(|text| exclusion(text, steps.len())).collect::<Result<_>>()?,
        breakdown: breakdown.map(|field| FunnelBreakdown { field, on }),
        with_times: words.times,
    });
    let (Answer::Funnel(answer), watermark) = cx.ask(question).await? else {
        return Err(mismatched());
    };
    let mut rows = Vec::new();
    match &words.breakdown {
        None => put(&mut rows, words, None, &answer.overall),
        Some(name) => {
            for (value, counts) in &answer.by_value {
                put(&mut rows, words, Some((name, value.as_deref())), counts);
            }
        }
    }
    let mut totals = Row::new();
    for (step, reached) in steps.iter().zip(&answer.overall.reached) {
        totals.insert(step.clone(), Value::from(*reached));
    }
    let total_rows = rows.len() as u64;
    Ok((Shown::of(rows, total_rows, totals), watermark))
}

fn put(rows: &mut Vec<Row>, words: &Words, value: Option<(&str, Option<&str>)>, counts: &FunnelCounts) {
    let first = counts.reached.first().copied().unwrap_or_default();
    let mut before = first;
    for (index, (step, reached)) in words.steps.iter().zip(&counts.reached).enumerate() {
        let mut row = Row::new();
        if let Some((name, value)) = value {
            row.insert(name.to_owned(), value.map_or(Value::Null, Value::from));
        }
        row.insert(String::from("step"), Value::from(index + 1));
        row.insert(String::from("event"), Value::from(step.as_str()));
        row.insert(String::from("reached"), Value::from(*reached));
        row.insert(String::from("of_previous"), share(*reached, before));
        row.insert(String::from("of_first"), share(*reached, first));
        if words.times {
            // The time from the step before, so the first step has none.
            let median_us = index.checked_sub(1).and_then(|step| counts.median_us.get(step).copied().flatten());
            let seconds = median_us.map(|median_us| median_us as f64 / SECOND_US as f64);
            row.insert(String::from("median_s"), seconds.map_or(Value::Null, Value::from));
        }
        before = *reached;
        rows.push(row);
    }
}

/// Reads `refund` (ruled out from the first step to the last) or `refund,source=google:1-2`.
fn exclusion(text: &str, steps: usize) -> Result<Exclusion> {
    let (event, after, before) = match text.rsplit_once(':').and_then(|(event, range)| Some((event, steps_of(range)?))) {
        Some((event, (after, before))) => (event, after, before),
        None => (text, 1, steps),
    };
    if !(1 <= after && after < before && before <= steps) {
        return Err(Error::new(
            Code::InvalidParams,
            format!("exclusion `{text}` must name two of the steps 1 to {steps} in order, such as refund:1-2"),
        ));
    }
    Ok(Exclusion { filters: filter::parse_step(event)?, after, before })
}

/// The numbers of `1-2`; anything else belongs to the event's name.
fn steps_of(range: &str) -> Option<(usize, usize)> {
    let (after, before) = range.split_once('-')?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // A number past any step is still a number, and refused as one.
    let number = |text: &str| is_number(text).then(|| text.parse().unwrap_or(usize::MAX));
    Some((number(after)?, number(before)?))
}

fn mode(name: &str) -> Result<FunnelMode> {
    Ok(match name {
        "first_times" => FunnelMode::FirstTimes,
        "ordered" => FunnelMode::Ordered,
        "strict_increase" => FunnelMode::StrictIncrease,
        "strict_order" => FunnelMode::StrictOrder,
        "strict_deduplication" => FunnelMode::StrictDeduplication,
        "any_order" => FunnelMode::AnyOrder,
        other => {
            return Err(Error::new(
                Code::InvalidParams,
                format!(
                    "unknown funnel mode `{other}`; accepted: first_times, ordered, strict_increase, strict_order, strict_deduplication, any_order"
                ),
            ));
        }
    })
}

fn unit(name: &str) -> Result<Unit> {
    match name {
        "visitor" => Ok(Unit::Visitor),
        "session" => Ok(Unit::Session),
        other => Err(Error::new(Code::InvalidParams, format!("unknown unit `{other}`; accepted: visitor, session"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exclusions_read_as_written() {
        for (text, event, after, before) in [
            ("refund", "refund", 1, 3),
            ("refund:1-2", "refund", 1, 2),
            ("app:refund", "app:refund", 1, 3),
            ("app:refund:2-3", "app:refund", 2, 3),
            ("app:+1-2", "app:+1-2", 1, 3),
        ] {
            let read = exclusion(text, 3).expect(text);
            assert_eq!(
                (read.filters, read.after, read.before),
                (filter::parse_step(event).expect(event), after, before),
                "{text}"
            );
        }
        assert_eq!(exclusion("refund,source=google:1-2", 3).expect("valid").filters.len(), 2);
        for text in ["refund:0-1", "refund:2-2", "refund:3-2", "refund:1-4", ":1-2", "refund:1-99999999999999999999"] {
            assert!(exclusion(text, 3).is_err(), "{text}");
        }
    }
}
