//! All events of a slice in order of time, a bounded number at a time, whatever engine keeps them.

use std::sync::Arc;

use tributary_core::error::{Code, Error, Result};
use tributary_core::event::Event;
use tributary_core::scope::WorkspaceScope;
use tributary_core::time::TimeRange;
use tributary_events::answer::{Answer, Answered};
use tributary_events::question::{Budget, Question, RowOrder, Rows, Slice};
use tributary_events::store::EventStore;

/// Events held at once.
const ROWS_AT_ONCE: usize = 50_000;
/// The widest stretch of time asked for at once, microseconds: 30 days.
const WIDEST_US: i64 = 30 * tributary_core::time::DAY_US;

/// Hands every event of the slice to `emit`, oldest first (ties in the total order of events), as of one moment: events
/// that arrive meanwhile are not part of it. Memory holds at most [`MAX_ROWS`] events.
///
/// Errors: `QuestionTooLarge` when more than [`MAX_ROWS`] events share one microsecond.
pub async fn stream(
    events: &Arc<dyn EventStore>,
    scope: &WorkspaceScope,
    mut slice: Slice,
    emit: &mut dyn FnMut(&[Event]) -> Result<()>,
) -> Result<u64> {
    let holdings = events.describe(scope).await?;
    let (Some(first_us), Some(last_us)) = (holdings.first_us, holdings.last_us) else { return Ok(0) };
    slice.as_of = slice.as_of.or(Some(holdings.watermark));
    let end_us = slice.range.end_us.min(last_us.saturating_add(1));
    let mut start_us = slice.range.start_us.max(first_us);
    let mut width_us = WIDEST_US;
    let mut count = 0;
    while start_us < end_us {
        let range = TimeRange { start_us, end_us: end_us.min(start_us.saturating_add(width_us)) };
        let question = Rows { slice: Slice { range, ..slice.clone() }, order: RowOrder::OldestFirst, limit: ROWS_AT_ONCE };
        let Answered { answer, .. } = events.ask(scope, Question::Rows(question), Budget::BACKGROUND).await?;
        let Answer::Rows(answer) = answer else {
            return Err(Error::internal("a question for rows was answered with something else"));
        };
        if answer.total > answer.rows.len() as u64 {
            if range.end_us - range.start_us <= 1 {
                return Err(Error::new(
                    Code::QuestionTooLarge,
                    format!("more than {ROWS_AT_ONCE} events share one microsecond; export them by event name"),
                ));
            }
            // Aim at half of what one answer may hold, so that a busier stretch behind this one still fits.
            let fitting = (range.end_us - range.start_us) as i128 * (ROWS_AT_ONCE / 2) as i128 / i128::from(answer.total);
            width_us = i64::try_from(fitting).unwrap_or(i64::MAX).clamp(1, (range.end_us - range.start_us) / 2);
            continue;
        }
        emit(&answer.rows)?;
        count += answer.rows.len() as u64;
        start_us = range.end_us;
        if answer.rows.len() < ROWS_AT_ONCE / 4 {
            width_us = width_us.saturating_mul(2).min(WIDEST_US);
        }
    }
    Ok(count)
}
