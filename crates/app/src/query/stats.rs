//! Numbers by group and bucket.

use serde_json::Value;

use tributary_core::error::{Code, Error, Result};
use tributary_core::money::{Currency, format_micros};
use tributary_events::answer::Answer;
use tributary_events::question::{Aggregate, Metric, Question};

use super::{Context, Row, Shown, buckets, count, fields, mismatched, put_bucket, put_keys};

/// Asks for `metrics` by `group_by` and `interval`.
pub async fn ask(
    cx: Context<'_>,
    metrics: &[String],
    group_by: &[String],
    interval: Option<&str>,
    limit: usize,
) -> Result<(Shown, u64)> {
    let fields = fields(group_by)?;
    let buckets = buckets(cx.slice.range, interval, cx.zone)?;
    let asked = metrics.iter().map(|name| metric(name)).collect::<Result<Vec<Metric>>>()?;
    let question = Question::Aggregate(Aggregate {
        slice: cx.slice.clone(),
        metrics: asked.clone(),
        group_by: fields.clone(),
        buckets: buckets.clone(),
        limit,
    });
    let (Answer::Aggregate(answer), watermark) = cx.ask(question).await? else {
        return Err(mismatched());
    };
    let numbers = |row: &mut Row, values: &[i128]| {
        for ((name, metric), value) in metrics.iter().zip(&asked).zip(values) {
            row.insert(name.clone(), number(metric, *value));
        }
    };
    let rows = answer.rows.into_iter().map(|one| {
        let mut row = Row::new();
        put_bucket(&mut row, buckets.as_ref(), one.bucket);
        put_keys(&mut row, &fields, one.keys);
        numbers(&mut row, &one.values);
        row
    });
    let rows = rows.collect();
    let mut totals = Row::new();
    numbers(&mut totals, &answer.totals);
    Ok((Shown::of(rows, answer.total_rows as u64, totals), watermark))
}

fn metric(name: &str) -> Result<Metric> {
    match name {
        // The doors' documented words are understood too.
        "events" | "count" => Ok(Metric::Events),
        "visitors" | "uniques" => Ok(Metric::Visitors),
        "sessions" => Ok(Metric::Sessions),
        other => match other.strip_prefix("amount:") {
            Some(currency) => Ok(Metric::Amount(currency.parse::<Currency>()?)),
            None => Err(Error::new(
                Code::InvalidParams,
                format!(
                    "unknown metric `{other}`; accepted: events (or count), visitors (or uniques), sessions, amount:EUR (any ISO 4217 currency)"
                ),
            )),
        },
    }
}

fn number(metric: &Metric, value: i128) -> Value {
    match metric {
        // Text, since a JSON number would lose cents of large sums.
        Metric::Amount(_) => Value::from(format_micros(value)),
        Metric::Events | Metric::EventsWhere(_) | Metric::Visitors | Metric::Sessions => count(value),
    }
}
