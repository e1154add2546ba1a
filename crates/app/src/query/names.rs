//! Distinct values of a field with their counts: event names, first of all.

use serde_json::Value;

use tributary_core::error::Result;
use tributary_core::time::format_in;
use tributary_events::answer::Answer;
use tributary_events::question::{Question, Values};

use super::{Context, Row, Shown, field, mismatched};

/// Asks for the values of `name`.
pub async fn ask(cx: Context<'_>, name: &str, limit: usize) -> Result<(Shown, u64)> {
    let question = Question::Values(Values { slice: cx.slice.clone(), field: field(name)?, limit });
    let (Answer::Values(answer), watermark) = cx.ask(question).await? else {
        return Err(mismatched());
    };
    let rows = answer.values.into_iter().map(|one| {
        let mut row = Row::new();
        row.insert(name.to_owned(), Value::from(one.value));
        row.insert(String::from("events"), Value::from(one.events));
        row.insert(String::from("first_seen"), Value::from(format_in(one.first_us, cx.zone)));
        row.insert(String::from("last_seen"), Value::from(format_in(one.last_us, cx.zone)));
        row
    });
    let rows = rows.collect();
    Ok((Shown::of(rows, answer.total as u64, Row::new()), watermark))
}
