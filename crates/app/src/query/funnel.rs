//! How many come how far.

use serde_json::Value;

use tributary_core::error::{Code, Error, Result};
use tributary_events::answer::{Answer, FunnelCounts};
use tributary_events::question::{BreakdownEvent, Funnel, FunnelBreakdown, FunnelMode, Question, Unit};

use super::range::duration_us;
use super::{Context, Row, Shown, field, filter, mismatched, share};

/// Asks how far units come through `steps`.
pub async fn ask(
    cx: Context<'_>,
    steps: &[String],
    window: Option<&str>,
    mode_name: &str,
    unit_name: &str,
    breakdown: Option<&str>,
) -> Result<(Shown, u64)> {
    let question = Question::Funnel(Funnel {
        slice: cx.slice.clone(),
        steps: steps.iter().map(|step| filter::parse_step(step)).collect::<Result<_>>()?,
        window_us: window.map(duration_us).transpose()?,
        mode: mode(mode_name)?,
        unit: unit(unit_name)?,
        exclusions: Vec::new(),
        breakdown: breakdown.map(field).transpose()?.map(|field| FunnelBreakdown { field, on: BreakdownEvent::First }),
        with_times: false,
    });
    let (Answer::Funnel(answer), watermark) = cx.ask(question).await? else {
        return Err(mismatched());
    };
    let mut rows = Vec::new();
    match breakdown {
        None => put(&mut rows, steps, None, &answer.overall),
        Some(name) => {
            for (value, counts) in &answer.by_value {
                put(&mut rows, steps, Some((name, value.as_deref())), counts);
            }
        }
    }
    let mut totals = Row::new();
    for (step, reached) in steps.iter().zip(&answer.overall.reached) {
        totals.insert(step.clone(), Value::from(*reached));
    }
    let total_rows = rows.len() as u64;
    Ok((Shown { rows, total_rows, totals }, watermark))
}

fn put(rows: &mut Vec<Row>, steps: &[String], value: Option<(&str, Option<&str>)>, counts: &FunnelCounts) {
    let first = counts.reached.first().copied().unwrap_or_default();
    let mut before = first;
    for (index, (step, reached)) in steps.iter().zip(&counts.reached).enumerate() {
        let mut row = Row::new();
        if let Some((name, value)) = value {
            row.insert(name.to_owned(), value.map_or(Value::Null, Value::from));
        }
        row.insert(String::from("step"), Value::from(index + 1));
        row.insert(String::from("event"), Value::from(step.as_str()));
        row.insert(String::from("reached"), Value::from(*reached));
        row.insert(String::from("of_previous"), share(*reached, before));
        row.insert(String::from("of_first"), share(*reached, first));
        before = *reached;
        rows.push(row);
    }
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
