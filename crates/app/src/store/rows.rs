//! Rows in and out of an owned folder.

use tributary_control::WorkspaceAccess;
use tributary_core::error::{Error, Result};
use tributary_core::scope::WorkspaceScope;
use tributary_core::time::TimeRange;
use tributary_events::answer::Answer;
use tributary_events::field::Field;
use tributary_events::filter::{Filter, Test};
use tributary_events::question::{Bots, Budget, Question, RowOrder, Rows, Slice};
use tributary_events::store::EventStore;
use tributary_http::admin::{BotsBody, RowsBody, RowsPage};
use tributary_service::import::{ImportInput, Importer, PATIENCE, RowFate};

use super::{FolderStore, blocking};

/// Takes rows through the pipeline and stores them.
pub(super) async fn import(store: &FolderStore, access: &WorkspaceAccess, body: ImportInput) -> Result<Vec<RowFate>> {
    let importer = Importer {
        events: store.timeline.clone(),
        contacts: Some(store.control.clone()),
        scope: access.scope.clone(),
        pipeline: store.pipeline.clone(),
        zone: access.workspace.zone.clone(),
        clock: store.clock.clone(),
        site_host: body.site_host,
    };
    let preparing = importer.clone();
    let prepared = blocking("reading the imported rows", move || Ok(preparing.prepare(body.rows))).await?;
    importer.store(prepared, PATIENCE).await
}

/// Some events of a slice, oldest first.
pub(crate) async fn page(events: &dyn EventStore, scope: &WorkspaceScope, which: RowsBody) -> Result<RowsPage> {
    let bots = match which.bots {
        BotsBody::Exclude => Bots::Exclude,
        BotsBody::Include => Bots::Include,
        BotsBody::Only => Bots::Only,
    };
    let range = TimeRange::new(which.start_us, which.end_us)?;
    let mut slice = Slice { bots, as_of: which.as_of, ..Slice::of(range) };
    if !which.events.is_empty() {
        slice.filters.push(Filter { field: Field::EventName, test: Test::Is(which.events) });
    }
    let question = Question::Rows(Rows {
        slice,
        order: RowOrder::OldestFirst,
        limit: which.limit,
        count_up_to: u64::MAX,
        after: None,
        only: None,
    });
    match events.ask(scope, question, Budget::BACKGROUND).await?.answer {
        Answer::Rows(answer) => Ok(RowsPage { rows: answer.rows, total: answer.total }),
        other => Err(Error::internal(format!("a question for rows was answered with {}", kind(&other)))),
    }
}

fn kind(answer: &Answer) -> &'static str {
    match answer {
        Answer::Aggregate(_) => "numbers",
        Answer::Rows(_) => "rows",
        Answer::Funnel(_) => "a funnel",
        Answer::Retention(_) => "retention",
        Answer::Sessions(_) => "sessions",
        Answer::Values(_) => "values",
        Answer::Attribution(_) => "attribution",
    }
}
