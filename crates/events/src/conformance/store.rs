//! Appending, watermarks, isolation, erasing, describing, refusing.

use tributary_core::error::Code;
use tributary_core::time::TimeRange;

use super::sample::{NOON_US, at, by_bot, event, full};
use super::{Ground, Play};
use crate::answer::{Answer, FunnelCounts};
use crate::attribution::credit::Credit;
use crate::attribution::model::Model;
use crate::attribution::window::{Window, WindowType};
use crate::bucket::{Buckets, Interval};
use crate::field::Field;
use crate::question::{
    Aggregate, Attribution, Bots, BreakdownEvent, Budget, DatedBy, Funnel, FunnelBreakdown, FunnelMode, Journey, Metric,
    Question, Retention, RetentionPeriod, RowOrder, Rows, SessionRule, Sessions, Slice, TouchRule, TouchWindow, Unit, Values,
};
use crate::store::{Erased, Erasure, Holdings, Outcome};

pub(super) async fn run(ground: &dyn Ground) {
    an_append_is_visible_and_numbered(ground).await;
    as_of_gives_the_same_answer_again(ground).await;
    workspaces_do_not_see_each_other(ground).await;
    erased_events_are_gone_and_later_ones_count(ground).await;
    a_person_is_forgotten_by_user_id_alone(ground).await;
    an_empty_workspace_answers_everything(ground).await;
    holdings_describe_what_is_kept(ground).await;
    questions_outside_the_bounds_are_refused(ground).await;
    too_many_groups_are_refused(ground).await;
}

/// All rows of a workspace, bots included, oldest first.
fn everything() -> Slice {
    Slice { bots: Bots::Include, ..Slice::of(TimeRange::ALL) }
}

fn rows(slice: Slice) -> Question {
    Question::Rows(Rows { slice, order: RowOrder::OldestFirst, limit: 1_000, count_up_to: u64::MAX, after: None, only: None })
}

async fn names(play: &Play<'_>, slice: Slice) -> Vec<String> {
    match play.ask(rows(slice)).await {
        Answer::Rows(answer) => answer.rows.into_iter().map(|event| event.name).collect(),
        other => panic!("rows answer rows, not {other:?}"),
    }
}

async fn an_append_is_visible_and_numbered(ground: &dyn Ground) {
    let play = Play::fresh(ground);
    let nothing = play.append(vec![]).await;
    assert_eq!(nothing.outcomes, []);
    assert_eq!(play.asked(rows(everything())).await.watermark, 0);

    let first = play.append(vec![event("b", "v", at(2)), event("a", "v", at(1))]).await;
    assert_eq!(first.outcomes, [Outcome::Accepted, Outcome::Accepted]);
    assert_eq!(names(&play, everything()).await, ["a", "b"]);
    assert_eq!(play.asked(rows(everything())).await.watermark, first.watermark);

    // Late, and by years.
    let second = play.append(vec![event("c", "v", at(-200_000_000))]).await;
    assert!(second.watermark > first.watermark);
    assert_eq!(names(&play, everything()).await, ["c", "a", "b"]);
}

async fn as_of_gives_the_same_answer_again(ground: &dyn Ground) {
    let play = Play::fresh(ground);
    let first = play.append(vec![event("a", "v", at(1))]).await.watermark;
    let second = play.append(vec![event("b", "v", at(0)), event("c", "w", at(2))]).await.watermark;
    let as_of = |watermark| Slice { as_of: Some(watermark), ..everything() };
    for (watermark, reached, expected) in [
        (0, 0, vec![]),
        (first, first, vec!["a"]),
        (second, second, vec!["b", "a", "c"]),
        (u64::MAX, second, vec!["b", "a", "c"]),
    ] {
        assert_eq!(names(&play, as_of(watermark)).await, expected, "as of {watermark}");
        assert_eq!(play.asked(rows(as_of(watermark))).await.watermark, reached, "as of {watermark}");
    }
}

async fn workspaces_do_not_see_each_other(ground: &dyn Ground) {
    let mine = Play::with(ground, vec![full("v", at(0)), event("canary", "v", at(1))]).await;
    let other = Play::with(ground, vec![full("v", at(0))]).await;
    let empty = Play::fresh(ground);
    assert_eq!(names(&mine, everything()).await, ["purchase ✓", "canary"]);
    assert_eq!(names(&other, everything()).await, ["purchase ✓"]);
    assert_eq!(names(&empty, everything()).await, Vec::<String>::new());

    let erased = ground.store().erase(&other.scope, Erasure::Visitor(String::from("v"))).await.expect("erasing succeeds");
    assert_eq!(erased, Erased { events: 1 });
    assert_eq!(names(&mine, everything()).await, ["purchase ✓", "canary"]);
    assert_eq!(names(&other, everything()).await, Vec::<String>::new());
}

async fn erased_events_are_gone_and_later_ones_count(ground: &dyn Ground) {
    let play = Play::with(ground, vec![event("a", "v", at(0)), by_bot(event("b", "v", at(1))), event("c", "w", at(2))]).await;
    let visitor = || Erasure::Visitor(String::from("v"));
    let erase = async |what: Erasure| ground.store().erase(&play.scope, what).await.expect("erasing succeeds").events;

    assert_eq!(erase(visitor()).await, 2);
    assert_eq!(names(&play, everything()).await, ["c"]);
    assert_eq!(erase(visitor()).await, 0);
    ground.settle().await;
    assert_eq!(names(&play, everything()).await, ["c"]);

    // The visitor returns, even with an event from before the erasure.
    let watermark = play.append(vec![event("d", "v", at(-1))]).await.watermark;
    assert_eq!(names(&play, everything()).await, ["d", "c"]);

    assert_eq!(erase(Erasure::Workspace).await, 2);
    ground.settle().await;
    assert_eq!(names(&play, everything()).await, Vec::<String>::new());
    assert!(play.append(vec![event("e", "v", at(3))]).await.watermark > watermark, "sequence numbers are not used twice");
    assert_eq!(names(&play, everything()).await, ["e"]);
}

async fn a_person_is_forgotten_by_user_id_alone(ground: &dyn Ground) {
    let named = |name: &str, visitor: &str, user_id: &str| {
        let mut event = event(name, visitor, at(0));
        event.user_id = Some(user_id.to_owned());
        event
    };
    let events = vec![named("a", "v", "u1"), named("b", "w", "u1"), named("c", "v", "u2"), event("d", "u1", at(0))];
    let play = Play::with(ground, events).await;
    let erase = async |user_id: &str| {
        ground.store().erase(&play.scope, Erasure::User(user_id.to_owned())).await.expect("erasing succeeds").events
    };
    assert_eq!(erase("u").await, 0);
    assert_eq!(erase("u1").await, 2);
    let mut left = names(&play, everything()).await;
    left.sort();
    assert_eq!(left, ["c", "d"]);
}

async fn an_empty_workspace_answers_everything(ground: &dyn Ground) {
    let play = Play::fresh(ground);
    for question in one_of_each() {
        let answered = play.asked(question.clone()).await;
        assert_eq!(answered.watermark, 0);
        let empty = match answered.answer {
            Answer::Aggregate(answer) => answer.rows.is_empty() && answer.total_rows == 0 && answer.totals == [0],
            Answer::Rows(answer) => answer.rows.is_empty() && answer.total == 0,
            Answer::Funnel(answer) => {
                answer.overall == FunnelCounts { reached: vec![0, 0], median_us: vec![None] } && answer.by_value.is_empty()
            }
            Answer::Retention(answer) => answer.cohorts.is_empty(),
            Answer::Sessions(answer) => {
                answer.rows.is_empty()
                    && answer.totals.sessions == 0
                    && answer.totals.containing == [0]
                    && answer.sizes.is_empty()
            }
            Answer::Values(answer) => answer.values.is_empty() && answer.total == 0,
            Answer::Attribution(answer) => {
                let nothing = Credit { units: 0, amounts_micros: vec![0] };
                answer.rows.is_empty() && answer.total_rows == 0 && answer.unattributed.is_empty() && answer.totals == nothing
            }
        };
        assert!(empty, "{question:?}");
    }
}

async fn holdings_describe_what_is_kept(ground: &dyn Ground) {
    let play = Play::fresh(ground);
    let describe = async || {
        let holdings = ground.store().describe(&play.scope).await.expect("describing succeeds");
        Holdings { disk_bytes: 0, ..holdings }
    };
    assert_eq!(describe().await, Holdings::default());

    let mut late = event("late", "v", at(-5));
    late.received_us = at(900);
    play.append(vec![late]).await;
    let watermark = play.append(vec![event("a", "v", at(10)), by_bot(event("b", "w", at(20)))]).await.watermark;
    let holdings = Holdings {
        events: 3,
        first_us: Some(at(-5)),
        last_us: Some(at(20)),
        last_received_us: Some(at(900)),
        watermark,
        disk_bytes: 0,
    };
    assert_eq!(describe().await, holdings);

    ground.store().erase(&play.scope, Erasure::Visitor(String::from("v"))).await.expect("erasing succeeds");
    let holdings =
        Holdings { events: 1, first_us: Some(at(20)), last_us: Some(at(20)), last_received_us: Some(at(21)), ..holdings };
    assert_eq!(describe().await, holdings);
}

async fn questions_outside_the_bounds_are_refused(ground: &dyn Ground) {
    let play = Play::with(ground, vec![event("a", "v", at(0))]).await;
    let range = TimeRange { start_us: NOON_US, end_us: NOON_US };
    let values = |slice, limit| Question::Values(Values { slice, field: Field::Path, limit });
    for question in [
        rows(Slice::of(range)),
        values(Slice::of(TimeRange::ALL), 0),
        values(Slice::of(TimeRange::ALL), 100_001),
        Question::Journey(Journey { slice: Slice::of(range), anonymous_id: String::from("v"), limit: 10 }),
    ] {
        assert_eq!(play.refusal(question.clone(), Budget::INTERACTIVE).await, Code::InvalidParams, "{question:?}");
    }
}

async fn too_many_groups_are_refused(ground: &dyn Ground) {
    let visitors: Vec<String> = (0..11).map(|number| format!("v{number}")).collect();
    let play = Play::with(ground, visitors.iter().map(|visitor| event("a", visitor, at(0))).collect()).await;
    let budget = |max_groups| Budget { max_groups, ..Budget::INTERACTIVE };
    let by_visitor = || {
        Question::Aggregate(Aggregate {
            slice: everything(),
            metrics: vec![Metric::Events],
            group_by: vec![Field::AnonymousId],
            buckets: None,
            limit: 1,
        })
    };
    let values = || Question::Values(Values { slice: everything(), field: Field::AnonymousId, limit: 1 });
    for question in [by_visitor(), values()] {
        assert_eq!(play.refusal(question.clone(), budget(10)).await, Code::QuestionTooLarge, "{question:?}");
        let answered = ground.store().ask(&play.scope, question.clone(), budget(11)).await;
        assert!(answered.is_ok(), "{question:?}");
    }
}

fn one_of_each() -> [Question; 8] {
    let slice = || {
        let range = TimeRange { start_us: at(0), end_us: at(86_400) };
        Slice::of(range)
    };
    let buckets = || Buckets::cover(slice().range, Interval::Hour, &jiff::tz::TimeZone::UTC).ok();
    [
        Question::Aggregate(Aggregate {
            slice: slice(),
            metrics: vec![Metric::Visitors],
            group_by: vec![Field::Source],
            buckets: buckets(),
            limit: 10,
        }),
        rows(slice()),
        Question::Funnel(Funnel {
            slice: slice(),
            steps: vec![vec![], vec![]],
            window_us: None,
            mode: FunnelMode::Ordered,
            unit: Unit::Visitor,
            exclusions: vec![],
            breakdown: Some(FunnelBreakdown { field: Field::Source, on: BreakdownEvent::First }),
            with_times: true,
        }),
        Question::Retention(Retention {
            slice: slice(),
            start: vec![],
            returning: vec![],
            period: RetentionPeriod::Calendar(Interval::Day),
            zone: jiff::tz::TimeZone::UTC,
            by_period: true,
            breakdown: None,
            periods: 3,
        }),
        Question::Sessions(Sessions {
            slice: slice(),
            rule: SessionRule::Recorded,
            buckets: buckets(),
            group_by: vec![],
            containing: vec![vec![]],
            limit: 10,
        }),
        Question::Values(Values { slice: slice(), field: Field::Source, limit: 10 }),
        Question::Journey(Journey { slice: slice(), anonymous_id: String::from("v"), limit: 10 }),
        Question::Attribution(Attribution {
            slice: slice(),
            report: slice().range,
            dated_by: DatedBy::Conversion,
            conversion: vec![],
            touch: vec![],
            touches: TouchRule::Every,
            model: Model::LastTouch,
            window: TouchWindow::Dates(Window::Lifetime),
            window_type: WindowType::Relative,
            buckets: None,
            resampling: None,
            conversion_by: None,
            group_by: vec![Field::Source],
            amounts: vec!["EUR".parse().expect("cases use valid currencies")],
            limit: 10,
        }),
    ]
}
