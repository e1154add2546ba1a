//! `tributary query`: the questions agents ask, for people.

mod show;

use clap::{Args, Subcommand, ValueEnum};

use tributary_core::error::Result;
use tributary_http::admin::{AttributionBody, BotsBody, PeopleBody, QueryAnswer, QueryBody, QuestionBody, RangeBody};

use crate::exit::Exit;
use crate::folder::Missing;
use crate::globals::Globals;
use crate::output;

/// Ask about the events of a workspace.
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  tributary query stats --workspace acme-shop --metric visitors --interval day --last 30d
  tributary query sources --workspace acme-shop --from 2026-05-01 --to 2026-06-01 --where country=DE
  tributary query funnel --workspace acme-shop --step '$pageview' --step signup --window 7d
  tributary query attribution --workspace acme-shop --conversion purchase --touch 'medium!=direct' --by source --currency EUR
  tributary query retention --workspace acme-shop --start signup --period week --periods 8
  tributary query events --workspace acme-shop --where 'properties.total>=100' --limit 20")]
pub enum Query {
    /// Count events, visitors, sessions or amounts by group and time
    Stats(Stats),
    /// Where visitors come from: events, visitors and paid share by source and medium
    Sources(Sources),
    /// The newest events themselves
    Events(Events),
    /// How many visitors come how far through steps
    Funnel(Funnel),
    /// Which touches conversions are credited to: conversions and amounts by the touch's source
    Attribution(Attribution),
    /// How many visitors come back
    Retention(Retention),
    /// Sessions: how many, how long, how many with one event
    Sessions(Sessions),
    /// Distinct values of a field with counts; event names unless told otherwise
    Names(Names),
    /// Everything one visitor did, oldest first
    Journey(Journey),
}

/// Which events: flags of every question.
#[derive(Args, Debug)]
struct Slice {
    /// Workspace by slug, UUID or id
    #[arg(long)]
    workspace: String,
    /// Start, inclusive: a date in the workspace's zone (2026-05-01) or an instant with offset
    #[arg(long, value_name = "TIME", conflicts_with = "last")]
    from: Option<String>,
    /// End, exclusive; without it, the end of today
    #[arg(long, value_name = "TIME", conflicts_with = "last", requires = "from")]
    to: Option<String>,
    /// Instead: 24h (hours up to now), or 30d, 8w, 6m (whole days, today included) [default: 30d]
    #[arg(long, value_name = "SPAN")]
    last: Option<String>,
    /// Condition: field=value (a|b for either, nothing for absent), != ~ (contains), on properties.<key> also > >= < <=;
    /// repeat for more, all must hold
    #[arg(long = "where", value_name = "CONDITION")]
    filters: Vec<String>,
    /// What happens to events taken for a bot's
    #[arg(long, value_enum, default_value_t = Bots::Exclude)]
    bots: Bots,
    /// Who counts as one: each visitor, each contact with all its visitors, or each company with all its contacts
    #[arg(long, value_enum, default_value_t = People::Visitors)]
    people: People,
    /// Only events up to this one, as an earlier answer's "as of event" numbers them: the same question has the same answer
    #[arg(long, value_name = "N")]
    as_of: Option<u64>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Bots {
    Exclude,
    Include,
    Only,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Interval {
    Hour,
    #[value(name = "wall_hour")]
    WallHour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum People {
    Visitors,
    Contacts,
    Companies,
}

/// Arguments of `query stats`.
#[derive(Args, Debug)]
pub struct Stats {
    #[command(flatten)]
    slice: Slice,
    /// events (or count), visitors (or uniques), sessions, amount:EUR (any currency); repeat for more columns
    #[arg(long = "metric", value_name = "METRIC", default_value = "events")]
    metrics: Vec<String>,
    /// Group by fields such as source, country, properties.plan
    #[arg(long, value_delimiter = ',', value_name = "FIELD")]
    group_by: Vec<String>,
    /// Split by time
    #[arg(long, value_enum)]
    interval: Option<Interval>,
    /// Rows shown at most
    #[arg(long, default_value_t = 100)]
    limit: usize,
}

/// Arguments of `query sources`.
#[derive(Args, Debug)]
pub struct Sources {
    #[command(flatten)]
    slice: Slice,
    /// Group by source and medium, or by source alone
    #[arg(long, value_enum, default_value_t = Breakdown::SourceMedium)]
    breakdown: Breakdown,
    /// Rows shown at most
    #[arg(long, default_value_t = 50)]
    limit: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum Breakdown {
    #[value(name = "source_medium")]
    SourceMedium,
    Source,
}

/// Arguments of `query events`.
#[derive(Args, Debug)]
pub struct Events {
    #[command(flatten)]
    slice: Slice,
    /// Rows shown at most
    #[arg(long, default_value_t = 100)]
    limit: usize,
}

/// Arguments of `query funnel`.
#[derive(Args, Debug)]
pub struct Funnel {
    #[command(flatten)]
    slice: Slice,
    /// Event name, with conditions after commas if wished: purchase,properties.plan=pro; repeat in order
    #[arg(long = "step", value_name = "EVENT", required = true)]
    steps: Vec<String>,
    /// Longest time from first to last step: 30m, 12h, 7d
    #[arg(long, value_name = "DURATION")]
    window: Option<String>,
    /// first_times (the funnel of the MCP tool), ordered, strict_increase, strict_order, strict_deduplication, any_order
    #[arg(long, default_value = "first_times")]
    mode: String,
    /// Count visitors or sessions
    #[arg(long, value_name = "visitor|session", default_value = "visitor")]
    unit: String,
    /// Break down by this field on the first event
    #[arg(long, value_name = "FIELD")]
    breakdown: Option<String>,
    /// Read the breakdown's field on the event that took this step instead, from 1
    #[arg(long, value_name = "N", requires = "breakdown")]
    breakdown_step: Option<usize>,
    /// Event that must not happen between two steps, with conditions as in --step; without :AFTER-BEFORE, from the first step
    /// to the last: refund, refund:1-2; repeat for more. With --mode ordered or strict_increase
    #[arg(long, value_name = "EVENT[:AFTER-BEFORE]")]
    exclude: Vec<String>,
    /// Show the median time from the step before, in seconds
    #[arg(long)]
    times: bool,
}

/// Arguments of `query attribution`.
#[derive(Args, Debug)]
pub struct Attribution {
    #[command(flatten)]
    slice: Slice,
    /// The event that is a conversion, with conditions after commas if wished
    #[arg(long, value_name = "EVENT")]
    conversion: String,
    /// Condition a visit must pass to be a touch, as in --where; repeat for more, all must hold
    #[arg(long, value_name = "CONDITION")]
    touch: Vec<String>,
    /// Which visits are touches: the first one of each session and changes of channel, the first of each session, or every event
    #[arg(long, value_enum, default_value_t = Touches::Arrivals)]
    touches: Touches,
    /// How credit is shared: first_touch, last_touch, last_non_direct_touch, linear, linear_paid_ads, u_shaped,
    /// first_touch_source_specific, last_touch_source_specific, position_based[:FIRST-LAST], time_decay[:HALF_LIFE],
    /// markov[:ORDER[-per_path]], shapley
    #[arg(long, default_value = "last_touch")]
    model: String,
    /// Days from touch to conversion, as UTC dates: 1, 7, 14, 30, 60, 90, or 0 for the lifetime [default: 30]
    #[arg(long, value_name = "DAYS", conflicts_with = "lookback")]
    window: Option<u32>,
    /// Longest time from touch to conversion instead: 12h, 30d
    #[arg(long, value_name = "DURATION")]
    lookback: Option<String>,
    /// Whether touches must lie in the range, too
    #[arg(long, value_enum, default_value_t = WindowType::Relative)]
    window_type: WindowType,
    /// Which of them must lie in the range, and dates the buckets
    #[arg(long, value_enum, default_value_t = DatedBy::Conversion)]
    dated_by: DatedBy,
    /// Rows for each stretch of time
    #[arg(long, value_enum)]
    interval: Option<Interval>,
    /// Group by fields of the touch
    #[arg(long = "by", value_delimiter = ',', value_name = "FIELD", default_value = "source,medium")]
    group_by: Vec<String>,
    /// Sum the conversions' amounts in this currency; repeat for more columns
    #[arg(long = "currency", value_name = "CODE")]
    currencies: Vec<String>,
    /// Show how much conversions would vary: intervals that hold 95 % of this many rounds of a bootstrap
    #[arg(long, value_name = "ROUNDS")]
    bootstrap: Option<u32>,
    /// Seed of the bootstrap: the same seed gives the same intervals
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Rows shown at most
    #[arg(long, default_value_t = 100)]
    limit: usize,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Touches {
    Arrivals,
    Sessions,
    Every,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum WindowType {
    Relative,
    Absolute,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum DatedBy {
    Conversion,
    Touch,
}

/// Arguments of `query retention`.
#[derive(Args, Debug)]
pub struct Retention {
    #[command(flatten)]
    slice: Slice,
    /// Event that puts a visitor into a cohort; any event without it
    #[arg(long, value_name = "EVENT")]
    start: Option<String>,
    /// Event that counts as coming back; any event without it
    #[arg(long = "return", value_name = "EVENT")]
    returning: Option<String>,
    /// day, week, month, quarter, year (calendar), or a duration such as 7d counted from each visitor's first event
    #[arg(long, default_value = "week")]
    period: String,
    /// Periods looked ahead, the first included
    #[arg(long, default_value_t = 8)]
    periods: u32,
    /// One cohort of everybody instead of one per period
    #[arg(long)]
    together: bool,
    /// Break down by this field on the first event
    #[arg(long, value_name = "FIELD")]
    breakdown: Option<String>,
}

/// Arguments of `query sessions`.
#[derive(Args, Debug)]
pub struct Sessions {
    #[command(flatten)]
    slice: Slice,
    /// A pause longer than this ends a session; without it the recorded session ids count
    #[arg(long, value_name = "DURATION")]
    gap: Option<String>,
    /// Count sessions with this event (conditions after commas); repeat for more
    #[arg(long = "with", value_name = "EVENT")]
    containing: Vec<String>,
    /// Group by fields of the session's first event
    #[arg(long, value_delimiter = ',', value_name = "FIELD")]
    group_by: Vec<String>,
    /// Split by the session's start
    #[arg(long, value_enum)]
    interval: Option<Interval>,
    /// Rows shown at most
    #[arg(long, default_value_t = 100)]
    limit: usize,
}

/// Arguments of `query names`.
#[derive(Args, Debug)]
pub struct Names {
    #[command(flatten)]
    slice: Slice,
    /// The field whose values are listed
    #[arg(long, default_value = "event_name")]
    field: String,
    /// Rows shown at most
    #[arg(long, default_value_t = 100)]
    limit: usize,
}

/// Arguments of `query journey`.
#[derive(Args, Debug)]
pub struct Journey {
    #[command(flatten)]
    slice: Slice,
    /// The visitor's anonymous_id
    #[arg(long, value_name = "ID")]
    visitor: String,
    /// Rows shown at most
    #[arg(long, default_value_t = 200)]
    limit: usize,
}

/// Asks and shows.
pub async fn run(query: Query, globals: &Globals) -> Result<Exit> {
    let view = show::View::of(&query);
    let (slice, question) = worded(query);
    let body = QueryBody {
        workspace: slice.workspace,
        range: RangeBody { from: slice.from, to: slice.to, last: slice.last },
        filters: slice.filters,
        bots: match slice.bots {
            Bots::Exclude => BotsBody::Exclude,
            Bots::Include => BotsBody::Include,
            Bots::Only => BotsBody::Only,
        },
        people: match slice.people {
            People::Visitors => PeopleBody::Visitors,
            People::Contacts => PeopleBody::Contacts,
            People::Companies => PeopleBody::Companies,
        },
        as_of: slice.as_of,
        question,
    };
    let answer: QueryAnswer = globals.operate(Missing::Refuse, async |operator| operator.post("/query", &body).await).await?;
    if globals.json {
        output::json(&answer)?;
    } else {
        show::answer(&answer, view)?;
    }
    Ok(Exit::Done)
}

fn worded(query: Query) -> (Slice, QuestionBody) {
    match query {
        Query::Stats(Stats { slice, metrics, group_by, interval, limit }) => {
            (slice, QuestionBody::Stats { metrics, group_by, interval: interval.map(named), limit })
        }
        Query::Sources(Sources { slice, breakdown, limit }) => {
            (slice, QuestionBody::Sources { by_medium: breakdown == Breakdown::SourceMedium, limit })
        }
        Query::Events(Events { slice, limit }) => (slice, QuestionBody::Events { limit }),
        Query::Funnel(Funnel { slice, steps, window, mode, unit, breakdown, breakdown_step, exclude, times }) => {
            (slice, QuestionBody::Funnel { steps, window, mode, unit, breakdown, breakdown_step, exclude, times })
        }
        Query::Attribution(asked) => {
            let body = AttributionBody {
                conversion: asked.conversion,
                touch: asked.touch,
                model: asked.model,
                touches: Some(named(asked.touches)),
                window: asked.window,
                lookback: asked.lookback,
                window_type: Some(named(asked.window_type)),
                dated_by: Some(named(asked.dated_by)),
                interval: asked.interval.map(named),
                group_by: asked.group_by,
                currencies: asked.currencies,
                bootstrap: asked.bootstrap,
                seed: asked.seed,
                limit: asked.limit,
            };
            (asked.slice, QuestionBody::Attribution(body))
        }
        Query::Retention(Retention { slice, start, returning, period, periods, together, breakdown }) => {
            // Cohorts by calendar period need one; elapsed blocks start with each visitor.
            let cohorts = !together && matches!(period.as_str(), "day" | "week" | "month" | "quarter" | "year");
            (slice, QuestionBody::Retention { start, returning, period, periods, cohorts, breakdown })
        }
        Query::Sessions(Sessions { slice, gap, containing, group_by, interval, limit }) => {
            (slice, QuestionBody::Sessions { gap, containing, group_by, interval: interval.map(named), limit })
        }
        Query::Names(Names { slice, field, limit }) => (slice, QuestionBody::Names { field, limit }),
        Query::Journey(Journey { slice, visitor, limit }) => (slice, QuestionBody::Journey { visitor, limit }),
    }
}

fn named(value: impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}
