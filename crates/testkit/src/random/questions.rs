//! Random questions of every kind, all within the named bounds.

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::BTreeSet;
use std::sync::Arc;

use tributary_core::time::{DAY_US, SECOND_US, TimeRange, zone};
use tributary_events::attribution::bootstrap::Resampling;
use tributary_events::attribution::model::{Allocation, HalfLife, Model, Order, Pass, Position};
use tributary_events::attribution::window::{Window, WindowType};
use tributary_events::bucket::{Buckets, Interval};
use tributary_events::field::{DIMENSIONS, Field};
use tributary_events::filter::{Comparison, Filter, Test};
use tributary_events::people::People;
use tributary_events::question::{
    Aggregate, Attribution, Bots, BreakdownEvent, DatedBy, Exclusion, Funnel, FunnelBreakdown, FunnelMode, Journey, Metric,
    Question, Retention, RetentionPeriod, RowOrder, RowPosition, Rows, SessionRule, Sessions, Slice, TouchRule, TouchWindow,
    Unit, Values,
};
use tributary_events::traits::Trait;

use super::pools::{CURRENCIES, KEYS, NAMES, TEXTS, TRAITS, VISITORS, ZONES, any_text, instant, one_of};

/// Buckets; from the third on also periods of retention.
const INTERVALS: &[Interval] =
    &[Interval::Hour, Interval::WallHour, Interval::Day, Interval::Week, Interval::Month, Interval::Quarter, Interval::Year];

/// Any question.
pub fn question() -> impl Strategy<Value = Question> {
    prop_oneof![
        3 => aggregate().prop_map(Question::Aggregate),
        1 => rows().prop_map(Question::Rows),
        3 => funnel().prop_map(Question::Funnel),
        2 => retention().prop_map(Question::Retention),
        2 => sessions().prop_map(Question::Sessions),
        1 => values().prop_map(Question::Values),
        1 => journey().prop_map(Question::Journey),
        2 => attribution().prop_map(Question::Attribution),
    ]
}

/// A field.
pub fn field() -> impl Strategy<Value = Field> {
    prop_oneof![
        3 => (0..DIMENSIONS.len()).prop_map(|index| DIMENSIONS[index].field.clone()),
        1 => one_of(KEYS).prop_map(Field::Property),
        1 => one_of(TRAITS).prop_map(Field::Trait),
    ]
}

/// A filter, often one that something passes.
pub fn filter() -> impl Strategy<Value = Filter> {
    prop_oneof![
        2 => one_of(NAMES).prop_map(|name| Filter::is(Field::EventName, name)),
        3 => (field(), test()).prop_map(|(field, test)| Filter { field, test }),
        1 => (one_of(&["amount", "cart.currency", "plan"]), test())
            .prop_map(|(key, test)| Filter { field: Field::Property(key), test }),
    ]
}

fn test() -> impl Strategy<Value = Test> {
    let comparison = select(
        &[
            Comparison::Less,
            Comparison::AtMost,
            Comparison::Greater,
            Comparison::AtLeast,
            Comparison::Equal,
            Comparison::NotEqual,
        ][..],
    );
    let bound = prop_oneof![select(&[-3.0, 0.0, 12.0, 12.5, 1000.0][..]), Just(f64::NAN), Just(f64::INFINITY)];
    prop_oneof![
        vec(any_text(), 1..4).prop_map(Test::Is),
        vec(any_text(), 1..4).prop_map(Test::IsNot),
        one_of(&["o", "STRASSE", "ß", "i̇", "", "pro"]).prop_map(Test::Contains),
        one_of(&["o", "STRASSE", "ß", "i̇", "", "pro"]).prop_map(Test::NotContains),
        one_of(&["g", "G", "", "v0", "1"]).prop_map(Test::StartsWith),
        one_of(&["e", "E", "", "0", "1"]).prop_map(Test::EndsWith),
        one_of(&["a", "QUOTED", "12", "İSTANBUL", "", "v0 1"]).prop_map(Test::ContainsWord),
        Just(Test::Present),
        Just(Test::Absent),
        (comparison, bound).prop_map(|(comparison, bound)| Test::Number(comparison, bound)),
    ]
}

fn range() -> impl Strategy<Value = TimeRange> {
    let around = (instant(), prop_oneof![Just(1_i64), Just(3_600 * SECOND_US), 0..=90 * DAY_US])
        .prop_map(|(start_us, length_us)| TimeRange { start_us, end_us: start_us + length_us.max(1) });
    let year = Just(TimeRange { start_us: 1_767_000_000 * SECOND_US, end_us: 1_794_000_000 * SECOND_US });
    prop_oneof![2 => around, 3 => year]
}

fn slice() -> impl Strategy<Value = Slice> {
    let bots = prop_oneof![3 => Just(Bots::Exclude), 1 => Just(Bots::Include), 1 => Just(Bots::Only)];
    let filters = prop_oneof![3 => Just(Vec::new()), 2 => vec(filter(), 1..3)];
    (range(), filters, bots, people(), traits()).prop_map(|(range, filters, bots, people, traits)| Slice {
        range,
        filters,
        bots,
        as_of: None,
        people,
        traits,
    })
}

/// Which visitors are one person: in most questions nobody says, else up to two persons of some visitors, who may include
/// one nobody ever saw.
fn people() -> impl Strategy<Value = Option<Arc<People>>> {
    let visitors: BTreeSet<&str> = VISITORS.iter().copied().chain(["never seen"]).collect();
    let persons = vec(0_usize..3, visitors.len());
    let people = persons.prop_map(move |persons| {
        let group = |person: usize| {
            let own = visitors.iter().zip(&persons).filter(|(_, one)| **one == person);
            own.map(|(visitor, _)| (*visitor).to_owned()).collect::<Vec<String>>()
        };
        // Whoever drew the third number is alone.
        People::new((0..2).map(group)).expect("every visitor is in one group at most")
    });
    weighted(0.4, people)
}

/// What is known of visitors, of some more than of others: always under the names that [`field`] draws.
fn traits() -> impl Strategy<Value = Vec<Arc<Trait>>> {
    let visitors: BTreeSet<&str> = VISITORS.iter().copied().chain(["never seen"]).collect();
    let values = vec(vec(weighted(0.7, one_of(&TEXTS[..4])), visitors.len()), TRAITS.len());
    values.prop_map(move |values| {
        let known = |(name, values): (&&str, Vec<Option<String>>)| {
            let values = visitors.iter().zip(values).filter_map(|(visitor, value)| Some(((*visitor).to_owned(), value?)));
            Trait::new(*name, values).expect("each visitor is named once")
        };
        TRAITS.iter().zip(values).map(known).collect()
    })
}

/// Mostly everything: for questions that need several events of a visitor to tell anything.
fn wide_slice() -> impl Strategy<Value = Slice> {
    let year = TimeRange { start_us: 1_767_000_000 * SECOND_US, end_us: 1_794_000_000 * SECOND_US };
    let everything =
        (people(), traits()).prop_map(move |(people, traits)| Slice { bots: Bots::Include, people, traits, ..Slice::of(year) });
    prop_oneof![2 => everything, 1 => slice()]
}

/// A slice with buckets over its range.
fn sliced() -> impl Strategy<Value = (Slice, Option<Buckets>)> {
    let interval = select(INTERVALS);
    (slice(), weighted(0.6, interval), select(ZONES)).prop_map(|(slice, interval, zone_name)| {
        let zone = zone(zone_name).expect("the pool holds known zones");
        let buckets =
            interval.map(|interval| Buckets::cover(slice.range, interval, &zone).expect("a year has fewer hours than the bound"));
        (slice, buckets)
    })
}

fn limit() -> impl Strategy<Value = usize> {
    prop_oneof![1 => 1_usize..5, 3 => Just(1_000)]
}

fn metric() -> impl Strategy<Value = Metric> {
    prop_oneof![
        Just(Metric::Events),
        Just(Metric::Visitors),
        Just(Metric::Sessions),
        vec(filter(), 0..3).prop_map(Metric::EventsWhere),
        select(CURRENCIES).prop_map(|code| Metric::Amount(code.parse().expect("the pool holds valid codes"))),
    ]
}

/// An aggregate.
pub fn aggregate() -> impl Strategy<Value = Aggregate> {
    (sliced(), vec(metric(), 1..4), vec(field(), 0..3), limit())
        .prop_map(|((slice, buckets), metrics, group_by, limit)| Aggregate { slice, metrics, group_by, buckets, limit })
}

/// The events themselves.
pub fn rows() -> impl Strategy<Value = Rows> {
    // A bound on the count tells only where more rows match.
    let bounded = (1_usize..4, 0_u64..8).prop_map(|(limit, further)| (limit, limit as u64 + further));
    let lengths = prop_oneof![1 => limit().prop_map(|limit| (limit, u64::MAX)), 1 => bounded];
    // Sequence numbers are each engine's own: what follows a row that is there is held to it by `crate::equality`.
    let after = weighted(0.2, instant().prop_map(|time_us| RowPosition { time_us, sequence: u64::MAX }));
    (slice(), select(&[RowOrder::NewestFirst, RowOrder::OldestFirst][..]), lengths, after)
        .prop_map(|(slice, order, (limit, count_up_to), after)| Rows { slice, order, limit, count_up_to, after, only: None })
}

/// A funnel.
pub fn funnel() -> impl Strategy<Value = Funnel> {
    let mode = select(
        &[
            FunnelMode::Ordered,
            FunnelMode::Ordered,
            FunnelMode::StrictIncrease,
            FunnelMode::StrictOrder,
            FunnelMode::StrictDeduplication,
            FunnelMode::AnyOrder,
            FunnelMode::FirstTimes,
        ][..],
    );
    let window = prop_oneof![1 => Just(None), 2 => length().prop_map(Some), 1 => Just(Some(90 * DAY_US))];
    (wide_slice(), vec(step(), 1..5), window, mode, unit(), any::<bool>()).prop_flat_map(
        |(slice, steps, window_us, mode, unit, with_times)| {
            let (exclusions, breakdown) = (exclusions(mode, steps.len()), weighted(0.4, funnel_breakdown(steps.len())));
            (exclusions, breakdown).prop_map(move |(exclusions, breakdown)| {
                let (slice, steps) = (slice.clone(), steps.clone());
                Funnel { slice, steps, window_us, mode, unit, exclusions, breakdown, with_times }
            })
        },
    )
}

/// The filters of a step, an exclusion, a touch: mostly the events of one name.
fn step() -> impl Strategy<Value = Vec<Filter>> {
    prop_oneof![4 => one_of(NAMES).prop_map(|name| vec![Filter::is(Field::EventName, name)]), 1 => vec(filter(), 0..3)]
}

/// Mostly one or two exclusions, where the mode and the number of steps allow any.
fn exclusions(mode: FunnelMode, steps: usize) -> BoxedStrategy<Vec<Exclusion>> {
    if steps < 2 || !matches!(mode, FunnelMode::Ordered | FunnelMode::StrictIncrease) {
        return Just(Vec::new()).boxed();
    }
    let between = (1..steps).prop_flat_map(move |after| (Just(after), after + 1..=steps));
    // Half of all events, steps among them; names alone seldom come in between.
    let located = Filter { field: Field::Country, test: Test::Present };
    let filters = prop_oneof![1 => step(), 1 => Just(vec![located])];
    let exclusion = (filters, between).prop_map(|(filters, (after, before))| Exclusion { filters, after, before });
    prop_oneof![1 => Just(Vec::new()), 3 => vec(exclusion, 1..3)].boxed()
}

fn funnel_breakdown(steps: usize) -> impl Strategy<Value = FunnelBreakdown> {
    let on = prop_oneof![1 => Just(BreakdownEvent::First), 2 => (1..=steps).prop_map(BreakdownEvent::Step)];
    (field(), on).prop_map(|(field, on)| FunnelBreakdown { field, on })
}

fn unit() -> impl Strategy<Value = Unit> {
    prop_oneof![2 => Just(Unit::Visitor), 1 => Just(Unit::Session)]
}

/// A window or gap: one on which random events turn.
fn length() -> impl Strategy<Value = i64> {
    select(&[1_i64, 1_000, SECOND_US, 900 * SECOND_US, 1_800 * SECOND_US, 3_600 * SECOND_US, DAY_US, 30 * DAY_US][..])
}

/// A retention question.
pub fn retention() -> impl Strategy<Value = Retention> {
    let period = prop_oneof![
        3 => select(&INTERVALS[2..]).prop_map(RetentionPeriod::Calendar),
        1 => length().prop_map(RetentionPeriod::Elapsed),
        1 => (1_u32..9).prop_map(RetentionPeriod::Days),
    ];
    let filters = || vec(filter(), 0..2);
    (wide_slice(), filters(), filters(), period, select(ZONES), any::<bool>(), weighted(0.3, field()), 1_u32..12).prop_map(
        |(slice, start, returning, period, zone_name, by_period, breakdown, periods)| Retention {
            slice,
            start,
            returning,
            period,
            zone: zone(zone_name).expect("the pool holds known zones"),
            by_period: by_period && matches!(period, RetentionPeriod::Calendar(_)),
            breakdown,
            periods,
        },
    )
}

/// A sessions question.
pub fn sessions() -> impl Strategy<Value = Sessions> {
    let rule = prop_oneof![
        Just(SessionRule::Recorded),
        length().prop_map(SessionRule::GapOver),
        length().prop_map(SessionRule::GapFrom)
    ];
    (sliced(), rule, vec(field(), 0..3), vec(vec(filter(), 0..3), 0..3), limit()).prop_map(
        |((slice, buckets), rule, group_by, containing, limit)| Sessions { slice, rule, buckets, group_by, containing, limit },
    )
}

/// Distinct values.
pub fn values() -> impl Strategy<Value = Values> {
    (slice(), field(), limit()).prop_map(|(slice, field, limit)| Values { slice, field, limit })
}

/// One visitor's journey.
pub fn journey() -> impl Strategy<Value = Journey> {
    let visitor = prop_oneof![4 => one_of(VISITORS), 1 => one_of(TEXTS)];
    (slice(), visitor, limit()).prop_map(|(slice, anonymous_id, limit)| Journey { slice, anonymous_id, limit })
}

/// Which touches conversions are credited to.
pub fn attribution() -> impl Strategy<Value = Attribution> {
    let currency = select(CURRENCIES).prop_map(|code| code.parse().expect("the pool holds valid codes"));
    let touches = prop_oneof![
        2 => Just(TouchRule::Every),
        1 => length().prop_map(|gap_us| TouchRule::Sessions(gap_us.max(1))),
        2 => length().prop_map(|gap_us| TouchRule::Arrivals(gap_us.max(1))),
    ];
    let window = prop_oneof![
        2 => select(&Window::ALL[..]).prop_map(TouchWindow::Dates),
        2 => prop_oneof![4 => length(), 1 => Just(0)].prop_map(TouchWindow::Elapsed),
    ];
    let types = select(&[WindowType::Relative, WindowType::Absolute][..]);
    let dates = select(&[DatedBy::Conversion, DatedBy::Touch][..]);
    let rules = (model(), touches, window, types, dates);
    let report = prop_oneof![1 => Just((0, 1_000)), 2 => (0_i64..500, 501_i64..1_000)];
    let resampling = weighted(0.2, (19_u32..60, any::<u64>()));
    let resampling = resampling
        .prop_map(|drawn| drawn.map(|(rounds, seed)| Resampling::new(rounds, seed, 90).expect("enough rounds for nine tenths")));
    let columns = (vec(field(), 0..3), vec(currency, 0..3), limit(), resampling, weighted(0.25, field()));
    (prop_oneof![1 => wide_slice().prop_map(|slice| (slice, None)), 1 => sliced()], report, step(), step(), rules, columns)
        .prop_map(
            |(
                (slice, buckets),
                (first, last),
                conversion,
                touch,
                rules,
                (group_by, amounts, limit, resampling, conversion_by),
            )| {
                let (model, touches, window, window_type, dated_by) = rules;
                let at = |part: i64| {
                    let length = i128::from(slice.range.end_us) - i128::from(slice.range.start_us);
                    (i128::from(slice.range.start_us) + length * i128::from(part) / 1_000) as i64
                };
                let report = TimeRange { start_us: at(first), end_us: at(last).max(at(first) + 1) };
                let is_whole = model.pass() == Pass::AllPaths;
                let conversion_by = if is_whole { None } else { conversion_by };
                let is_split = !is_whole && (dated_by == DatedBy::Touch || buckets.is_some());
                Attribution {
                    report,
                    dated_by: if is_whole { DatedBy::Conversion } else { dated_by },
                    conversion,
                    touch,
                    touches,
                    model,
                    window,
                    window_type,
                    resampling: if is_split || conversion_by.is_some() { None } else { resampling },
                    conversion_by,
                    buckets: if is_whole { None } else { buckets },
                    group_by,
                    amounts,
                    limit,
                    slice,
                }
            },
        )
}

fn model() -> impl Strategy<Value = Model> {
    let orders = select(&[Order::First, Order::Second, Order::Third][..]);
    let allocations = select(&[Allocation::RemovalShare, Allocation::PerPath][..]);
    prop_oneof![
        4 => select(&Model::ALL[..]),
        1 => (orders, allocations).prop_map(|(order, allocation)| Model::Markov { order, allocation }),
        1 => (1_i64..100_000_000_000).prop_map(|half_life_us| Model::TimeDecay(HalfLife::new(half_life_us).expect("longer than no time"))),
        1 => (0_u8..=50, 0_u8..=50).prop_map(|(first, last)| Model::PositionBased(Position::new(first, last).expect("at most 100"))),
    ]
}
