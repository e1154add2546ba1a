//! Sessions.

use serde_json::Value;

use tributary_core::error::Result;
use tributary_events::answer::{Answer, SessionCounts};
use tributary_events::question::{Question, SessionRule, Sessions};

use super::{Context, Row, Shown, buckets, fields, filter, mismatched, put_bucket, put_keys, share};
use tributary_core::time::duration_us;

/// Asks for sessions by group and bucket of their start.
pub async fn ask(
    cx: Context<'_>,
    gap: Option<&str>,
    containing: &[String],
    group_by: &[String],
    interval: Option<&str>,
    limit: usize,
) -> Result<(Shown, u64)> {
    let fields = fields(group_by)?;
    let buckets = buckets(cx.slice.range, interval, cx.zone)?;
    let rule = match gap {
        Some(gap) => SessionRule::GapOver(duration_us(gap)?),
        None => SessionRule::Recorded,
    };
    let question = Question::Sessions(Sessions {
        slice: cx.slice.clone(),
        rule,
        buckets: buckets.clone(),
        group_by: fields.clone(),
        containing: containing.iter().map(|step| filter::parse_step(step)).collect::<Result<_>>()?,
        limit,
    });
    let (Answer::Sessions(answer), watermark) = cx.ask(question).await? else {
        return Err(mismatched());
    };
    let rows = answer.rows.into_iter().map(|one| {
        let mut row = Row::new();
        put_bucket(&mut row, buckets.as_ref(), one.bucket);
        put_keys(&mut row, &fields, one.keys);
        put_counts(&mut row, containing, &one.counts);
        row
    });
    let rows = rows.collect();
    let mut totals = Row::new();
    put_counts(&mut totals, containing, &answer.totals);
    Ok((Shown::of(rows, answer.total_rows as u64, totals), watermark))
}

fn put_counts(row: &mut Row, containing: &[String], counts: &SessionCounts) {
    row.insert(String::from("sessions"), Value::from(counts.sessions));
    row.insert(String::from("events"), Value::from(counts.events));
    row.insert(String::from("single_event_share"), share(counts.single_event, counts.sessions));
    let seconds = counts.duration_us as f64 / 1e6;
    let mean =
        if counts.sessions == 0 { Value::Null } else { Value::from((seconds / counts.sessions as f64 * 10.0).round() / 10.0) };
    row.insert(String::from("mean_duration_s"), mean);
    for (step, sessions) in containing.iter().zip(&counts.containing) {
        row.insert(format!("with {step}"), Value::from(*sessions));
    }
}
