//! All events of a slice in order of time, a bounded number at a time, whatever engine keeps them.

use std::sync::Arc;

use tributary_core::error::{Code, Error, Result};
use tributary_core::event::Event;
use tributary_core::scope::WorkspaceScope;
use tributary_core::time::DAY_US;
use tributary_events::store::EventStore;
use tributary_http::admin::{BotsBody, Extent, RowsBody, RowsPage};

use crate::operator::{Operator, segment};
use crate::store::rows::page;

/// Events held at once.
const ROWS_AT_ONCE: usize = 50_000;
/// The widest stretch of time asked for at once, microseconds: 30 days.
const WIDEST_US: i64 = 30 * DAY_US;

/// Where events come from.
pub enum Source {
    /// A store this process holds.
    Store(Arc<dyn EventStore>, WorkspaceScope),
    /// A workspace of the server that owns the data folder.
    Owner(Operator, String),
}

/// Which events.
#[derive(Clone, Debug, PartialEq)]
pub struct Selection {
    /// First instant, microseconds.
    pub start_us: i64,
    /// First instant past the end, microseconds.
    pub end_us: i64,
    /// Names of events; empty for all.
    pub events: Vec<String>,
    /// What happens to bots.
    pub bots: BotsBody,
}

/// Hands every selected event to `emit`, oldest first (ties in the total order of events), as of one moment: events that
/// arrive meanwhile are not part of it. Memory holds at most [`ROWS_AT_ONCE`] events. Answers how many there were.
///
/// Errors: `QuestionTooLarge` when more than [`ROWS_AT_ONCE`] events share one microsecond.
pub async fn stream(source: &Source, selection: &Selection, emit: &mut dyn FnMut(&[Event]) -> Result<()>) -> Result<u64> {
    let extent = source.extent().await?;
    let (Some(first_us), Some(last_us)) = (extent.first_us, extent.last_us) else { return Ok(0) };
    let stop_us = selection.end_us.min(last_us.saturating_add(1));
    let mut start_us = selection.start_us.max(first_us);
    let mut width_us = WIDEST_US;
    let mut count = 0;
    while start_us < stop_us {
        let end_us = stop_us.min(start_us.saturating_add(width_us));
        let which = RowsBody {
            start_us,
            end_us,
            events: selection.events.clone(),
            bots: selection.bots,
            as_of: Some(extent.watermark),
            limit: ROWS_AT_ONCE,
        };
        let RowsPage { rows, total } = source.rows(which).await?;
        if total > rows.len() as u64 {
            if end_us - start_us <= 1 {
                return Err(Error::new(
                    Code::QuestionTooLarge,
                    format!("more than {ROWS_AT_ONCE} events share one microsecond; export them by event name"),
                ));
            }
            // Aim at half of what is held at once, so that a busier stretch behind this one still fits.
            let fitting = i128::from(end_us - start_us) * (ROWS_AT_ONCE / 2) as i128 / i128::from(total);
            width_us = i64::try_from(fitting).unwrap_or(i64::MAX).clamp(1, (end_us - start_us) / 2);
            continue;
        }
        emit(&rows)?;
        count += rows.len() as u64;
        start_us = end_us;
        if rows.len() < ROWS_AT_ONCE / 4 {
            width_us = width_us.saturating_mul(2).min(WIDEST_US);
        }
    }
    Ok(count)
}

impl Source {
    async fn extent(&self) -> Result<Extent> {
        match self {
            Source::Store(events, scope) => {
                let held = events.describe(scope).await?;
                Ok(Extent { events: held.events, first_us: held.first_us, last_us: held.last_us, watermark: held.watermark })
            }
            Source::Owner(operator, workspace) => operator.get(&format!("/rows/{}", segment(workspace))).await,
        }
    }

    async fn rows(&self, which: RowsBody) -> Result<RowsPage> {
        match self {
            Source::Store(events, scope) => page(&**events, scope, which).await,
            Source::Owner(operator, workspace) => operator.post(&format!("/rows/{}", segment(workspace)), &which).await,
        }
    }
}
