//! Every tool there is. A line here, and a line in a door's catalogue, add one.

pub mod compare_projects;
pub mod funnel;
pub mod get_stats;
pub mod list_projects;
pub mod query_events;
pub mod top_sources;
pub mod track_event;

use crate::tool::ToolDef;

macro_rules! tools {
    ($($constant:ident: $tool:path;)*) => {
        $(pub static $constant: ToolDef = ToolDef::of::<$tool>();)*

        /// The one list.
        pub static TOOLS: &[&ToolDef] = &[$(&$constant),*];
    };
}

tools! {
    TRACK_EVENT: track_event::TrackEvent;
    QUERY_EVENTS: query_events::QueryEvents;
    GET_STATS: get_stats::GetStats;
    TOP_SOURCES: top_sources::TopSources;
    FUNNEL: funnel::Funnel;
    LIST_PROJECTS: list_projects::ListProjects;
    COMPARE_PROJECTS: compare_projects::CompareProjects;
}

/// Texts of arguments that several tools share.
mod shared {
    pub const FROM: &str = "First instant inside the range (inclusive), ISO 8601: `2026-05-01T00:00:00Z`, with an offset \
        `2026-05-01T00:00:00+02:00`, or a date `2026-05-01`. Without an offset it means the project's time zone (UTC when several \
        projects are spanned).";
    pub const TO: &str = "First instant past the range (exclusive), same formats as `from`; must lie after it. For all of May \
        2026: from `2026-05-01`, to `2026-06-01`.";
    pub const BOTS: &str = "What happens to events labelled as a bot's: `exclude` leaves them out, `include` counts them like \
        people, `only` counts nothing else.";
    pub const EVENT: &str = "Only events with exactly this name, such as `signup` or `$pageview`, 1 to 128 characters. Omit for \
        all events. Names in use: resource schema://events.";
}
