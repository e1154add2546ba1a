//! The events themselves.

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use tributary_core::error::Result;
use tributary_core::event::Event;
use tributary_core::money::format_micros;
use tributary_core::time::format_in;
use tributary_events::answer::{Answer, RowsAnswer};
use tributary_events::question::{Journey, Question, RowOrder, Rows};

use super::{Context, Row, Shown, mismatched};

/// How far matching events are counted; to count them all would read them all.
const COUNT_UP_TO: u64 = 1_000;

/// The newest events of the slice.
pub async fn recent(cx: Context<'_>, limit: usize) -> Result<(Shown, u64)> {
    // One past the page at least, so that it is known whether the limit cut rows off.
    let count_up_to = COUNT_UP_TO.max(limit as u64 + 1);
    let question = Question::Rows(Rows {
        slice: cx.slice.clone(),
        order: RowOrder::NewestFirst,
        limit,
        count_up_to,
        after: None,
        only: None,
    });
    shown(&cx, question, count_up_to).await
}

/// Everything one visitor did, oldest first.
pub async fn journey(cx: Context<'_>, visitor: String, limit: usize) -> Result<(Shown, u64)> {
    let question = Question::Journey(Journey { slice: cx.slice.clone(), anonymous_id: visitor, limit });
    shown(&cx, question, u64::MAX).await
}

async fn shown(cx: &Context<'_>, question: Question, count_up_to: u64) -> Result<(Shown, u64)> {
    let (Answer::Rows(RowsAnswer { rows, total, .. }), watermark) = cx.ask(question).await? else {
        return Err(mismatched());
    };
    let rows = rows.into_iter().map(|event| row(event, cx.zone)).collect();
    Ok((Shown { rows, total_rows: total, is_exact: total < count_up_to, totals: Row::new() }, watermark))
}

// Everything but the address hash, which never leaves the store.
fn row(event: Event, zone: &TimeZone) -> Row {
    let session_id = event.session_id();
    let properties = event.properties.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_else(|| json!({}));
    let amount = event.amount.map(|money| json!({ "amount": format_micros(money.micros.into()), "currency": money.currency }));
    let text = |value: Option<String>| value.map_or(Value::Null, Value::from);
    [
        ("timestamp", Value::from(format_in(event.time_us, zone))),
        ("event_name", Value::from(event.name)),
        ("anonymous_id", Value::from(event.anonymous_id)),
        ("user_id", text(event.user_id)),
        ("session_id", Value::from(session_id)),
        ("source", Value::from(event.source)),
        ("medium", Value::from(event.medium)),
        ("campaign", text(event.campaign)),
        ("path", text(event.path)),
        ("url", text(event.url)),
        ("referrer", text(event.referrer)),
        ("country", text(event.country)),
        ("device_type", text(event.device_type)),
        ("browser", text(event.browser)),
        ("os", text(event.os)),
        ("bot", text(event.bot)),
        ("amount", amount.unwrap_or(Value::Null)),
        ("event_id", text(event.event_id)),
        ("origin", Value::from(event.origin.as_str())),
        ("source_rule_id", Value::from(event.source_rule_id)),
        ("source_confidence", Value::from(event.source_confidence.as_str())),
        ("properties", properties),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}
