//! The last events, whatever their age.

use tributary_boxed::boxed;
use tributary_core::error::Result;
use tributary_core::time::TimeRange;
use tributary_events::question::{RowOrder, Rows as RowsQuestion, Slice};

use crate::query::{EventRow, print};
use crate::reach::Reach;
use crate::service::Service;

/// How many events are shown.
pub const RECENT_EVENTS: usize = 100;

impl Service {
    /// Answers the last [`RECENT_EVENTS`] events of people, newest first.
    #[boxed]
    pub async fn recent_events(&self, reach: Reach<'_>) -> Result<Vec<EventRow>> {
        let question = RowsQuestion {
            slice: Slice::of(TimeRange::ALL),
            order: RowOrder::NewestFirst,
            limit: RECENT_EVENTS,
            count_up_to: RECENT_EVENTS as u64,
            after: None,
            only: None,
        };
        let answers = self.rows(reach, &question).await?;
        Ok(print(reach, answers.answers, RECENT_EVENTS).0)
    }
}
