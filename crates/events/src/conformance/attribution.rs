//! Which touch conversions are credited to.

use tributary_core::error::Code;
use tributary_core::event::Event;
use tributary_core::time::{SECOND_US, TimeRange};

use super::sample::{at, by_bot, event, with_id, worth};
use super::{Ground, Play};
use crate::answer::{Answer, AttributionAnswer, BucketCredit};
use crate::attribution::credit::Credit;
use crate::attribution::journey::CREDIT_UNITS;
use crate::attribution::model::{Allocation, Model, Order};
use crate::attribution::window::{Window, WindowType};
use crate::field::Field;
use crate::filter::{Filter, Test};
use crate::people::People;
use crate::question::{Attribution, Bots, Budget, DatedBy, MAX_CURRENCIES, Question, Slice, TouchRule, TouchWindow};

pub(super) async fn run(ground: &dyn Ground) {
    first_and_last_touches_differ(ground).await;
    the_lookback_includes_its_end(ground).await;
    touches_of_the_same_instant_count(ground).await;
    a_conversion_may_be_its_own_touch(ground).await;
    conversions_bring_their_amounts(ground).await;
    rows_are_ordered_and_cut(ground).await;
    conversions_of_several_kinds_are_told_apart(ground).await;
    a_persons_touches_count_for_all_its_visitors(ground).await;
    touches_lie_in_the_slice(ground).await;
    questions_outside_the_bounds_are_refused(ground).await;
}

use Model::{FirstTouch as First, LastTouch as Last};

pub(super) const MARKOV: Model = Model::Markov { order: Order::First, allocation: Allocation::RemovalShare };

pub(super) fn visit(visitor: &str, source: &str, second: i64) -> Event {
    Event { source: source.to_owned(), ..event("visit", visitor, at(second)) }
}

pub(super) fn buy(visitor: &str, second: i64) -> Event {
    event("buy", visitor, at(second))
}

/// Purchases to visits by source.
pub(super) fn question(model: Model) -> Attribution {
    let is = |name: &str| vec![Filter::is(Field::EventName, name)];
    Attribution {
        slice: Slice::of(TimeRange::ALL),
        report: TimeRange::ALL,
        dated_by: DatedBy::Conversion,
        conversion: is("buy"),
        touch: is("visit"),
        touches: TouchRule::Every,
        model,
        window: TouchWindow::Dates(Window::Lifetime),
        window_type: WindowType::Relative,
        buckets: None,
        resampling: None,
        conversion_by: None,
        group_by: vec![Field::Source],
        amounts: vec![],
        limit: 100,
    }
}

pub(super) async fn attribution(play: &Play<'_>, question: Attribution) -> AttributionAnswer {
    match play.ask(Question::Attribution(question)).await {
        Answer::Attribution(answer) => answer,
        other => panic!("attribution answers attribution, not {other:?}"),
    }
}

/// Credit units as conversions, whole where they are.
pub(super) fn conversions(units: i128) -> String {
    let unit = i128::from(CREDIT_UNITS);
    match units % unit {
        0 => (units / unit).to_string(),
        _ => format!("{:.3}", units as f64 / CREDIT_UNITS as f64),
    }
}

/// Conversions by key, with those without a touch and all: `google 2, none 1, all 3`.
fn credits(answer: &AttributionAnswer) -> String {
    let rows = answer.rows.iter().map(|row| {
        let keys: Vec<&str> = row.keys.iter().map(|key| key.as_deref().unwrap_or("-")).collect();
        format!("{} {}, ", keys.join("/"), conversions(row.credit.units))
    });
    let unattributed: i128 = answer.unattributed.iter().map(|bucket| bucket.credit.units).sum();
    format!("{}none {}, all {}", rows.collect::<String>(), conversions(unattributed), conversions(answer.totals.units))
}

pub(super) async fn credited(play: &Play<'_>, question: Attribution) -> String {
    credits(&attribution(play, question).await)
}

async fn first_and_last_touches_differ(ground: &dyn Ground) {
    let play = Play::with(
        ground,
        vec![
            visit("v", "google", 0),
            visit("v", "bing", 10),
            buy("v", 20),
            // The same touch may bring several conversions, and a later touch only later ones.
            buy("v", 25),
            visit("v", "direct", 30),
            buy("v", 40),
            // Too late, and somebody else's.
            buy("w", 5),
            visit("w", "google", 6),
            buy("x", 50),
            by_bot(visit("x", "bing", 45)),
            by_bot(buy("v", 60)),
        ],
    )
    .await;
    assert_eq!(credited(&play, question(First)).await, "google 3, none 2, all 5");
    assert_eq!(credited(&play, question(Last)).await, "bing 2, direct 1, none 2, all 5");
    let ungrouped = Attribution { group_by: vec![], ..question(Last) };
    assert_eq!(credited(&play, ungrouped).await, " 3, none 2, all 5");
    let bots = Attribution { slice: Slice { bots: Bots::Include, ..Slice::of(TimeRange::ALL) }, ..question(Last) };
    assert_eq!(credited(&play, bots).await, "bing 3, direct 2, none 1, all 6");
}

async fn the_lookback_includes_its_end(ground: &dyn Ground) {
    let barely_late = Event { time_us: at(10) - 1, ..visit("w", "bing", 0) };
    let events = vec![visit("v", "bing", 0), visit("v", "google", 10), buy("v", 20), barely_late, buy("w", 20)];
    let play = Play::with(ground, events).await;
    let within = |model, length_us| Attribution { window: TouchWindow::Elapsed(length_us), ..question(model) };
    for (lookback_us, first, last) in [
        (10 * SECOND_US - 1, "none 2, all 2", "none 2, all 2"),
        (10 * SECOND_US, "google 1, none 1, all 2", "google 1, none 1, all 2"),
        (10 * SECOND_US + 1, "bing 1, google 1, none 0, all 2", "bing 1, google 1, none 0, all 2"),
        (20 * SECOND_US, "bing 2, none 0, all 2", "bing 1, google 1, none 0, all 2"),
        (i64::MAX, "bing 2, none 0, all 2", "bing 1, google 1, none 0, all 2"),
        (0, "none 2, all 2", "none 2, all 2"),
    ] {
        assert_eq!(credited(&play, within(First, lookback_us)).await, first, "first within {lookback_us}");
        assert_eq!(credited(&play, within(Last, lookback_us)).await, last, "last within {lookback_us}");
    }
}

async fn touches_of_the_same_instant_count(ground: &dyn Ground) {
    // In the order of events: b, the purchase, c, whatever arrived first.
    let events = vec![
        with_id(visit("v", "c", 10), "3"),
        with_id(buy("v", 10), "2"),
        with_id(visit("v", "b", 10), "1"),
        visit("v", "a", 0),
        Event { time_us: at(10) + 1, ..visit("v", "d", 0) },
    ];
    let play = Play::with(ground, events).await;
    assert_eq!(credited(&play, question(Last)).await, "c 1, none 0, all 1");
    assert_eq!(credited(&play, question(First)).await, "a 1, none 0, all 1");
    let at_once = |model| Attribution { window: TouchWindow::Elapsed(0), ..question(model) };
    assert_eq!(credited(&play, at_once(First)).await, "b 1, none 0, all 1");
    assert_eq!(credited(&play, at_once(Last)).await, "c 1, none 0, all 1");
}

async fn a_conversion_may_be_its_own_touch(ground: &dyn Ground) {
    let from = |source: &str, event: Event| Event { source: source.to_owned(), ..event };
    let events = vec![visit("v", "google", 0), from("mail", buy("v", 10)), from("app", buy("v", 20)), from("shop", buy("w", 5))];
    let play = Play::with(ground, events).await;
    let anything = |model| Attribution { touch: vec![], ..question(model) };
    assert_eq!(credited(&play, anything(Last)).await, "app 1, mail 1, shop 1, none 0, all 3");
    assert_eq!(credited(&play, anything(First)).await, "google 2, shop 1, none 0, all 3");
    // Every event converts and touches.
    let all = Attribution { conversion: vec![], ..anything(First) };
    assert_eq!(credited(&play, all).await, "google 3, shop 1, none 0, all 4");
}

async fn conversions_bring_their_amounts(ground: &dyn Ground) {
    let events = vec![
        // What a touch is worth does not count.
        worth(visit("v", "google", 0), 7_000_000, "EUR"),
        worth(buy("v", 1), i64::MAX, "EUR"),
        worth(buy("v", 2), i64::MAX, "EUR"),
        worth(buy("v", 3), -5, "JPY"),
        buy("v", 4),
        worth(buy("v", 5), 1, "USD"),
        visit("w", "bing", 0),
        worth(buy("w", 1), 20, "JPY"),
        worth(buy("x", 1), 300, "EUR"),
    ];
    let play = Play::with(ground, events).await;
    let currencies = ["EUR", "JPY"].map(|code| code.parse().expect("cases use valid currencies")).to_vec();
    let answer = attribution(&play, Attribution { amounts: currencies, ..question(Last) }).await;
    let credit = |conversions: i64, euros, yen| Credit {
        units: i128::from(conversions) * i128::from(CREDIT_UNITS),
        amounts_micros: vec![euros, yen],
    };
    let euros = 2 * i128::from(i64::MAX);
    let rows: Vec<(&str, &Credit)> =
        answer.rows.iter().map(|row| (row.keys[0].as_deref().expect("events have sources"), &row.credit)).collect();
    assert_eq!(rows, [("google", &credit(5, euros, -5)), ("bing", &credit(1, 0, 20))]);
    assert_eq!(answer.unattributed, [BucketCredit { bucket: None, keys: vec![], credit: credit(1, 300, 0) }]);
    assert_eq!(answer.totals, credit(7, euros + 300, 15));
}

async fn rows_are_ordered_and_cut(ground: &dyn Ground) {
    let mut events = Vec::new();
    for (visitor, campaign, purchases) in [("v", Some("b"), 1), ("w", None, 1), ("x", Some("a"), 1), ("y", Some("c"), 2)] {
        events.push(Event { campaign: campaign.map(str::to_owned), ..visit(visitor, "google", 0) });
        events.extend((1..=purchases).map(|second| buy(visitor, second)));
    }
    events.push(buy("z", 1));
    let play = Play::with(ground, events).await;
    let asked = Attribution { group_by: vec![Field::Campaign, Field::Source], ..question(First) };
    let expected = "c/google 2, -/google 1, a/google 1, b/google 1, none 1, all 6";
    assert_eq!(credited(&play, asked.clone()).await, expected);
    let cut = attribution(&play, Attribution { limit: 2, ..asked.clone() }).await;
    assert_eq!((credits(&cut), cut.total_rows), (String::from("c/google 2, -/google 1, none 1, all 6"), 4));
    let budget = |max_groups| Budget { max_groups, ..Budget::INTERACTIVE };
    assert_eq!(play.refusal(Question::Attribution(asked.clone()), budget(3)).await, Code::QuestionTooLarge);
    assert!(ground.store().ask(&play.scope, Question::Attribution(asked), budget(4)).await.is_ok());
}

async fn conversions_of_several_kinds_are_told_apart(ground: &dyn Ground) {
    let paid = |kind: &str, visitor, second| worth(event(kind, visitor, at(second)), 10, "EUR");
    let events = vec![
        visit("v", "google", 0),
        paid("buy", "v", 1),
        paid("rent", "v", 2),
        visit("v", "mail", 3),
        paid("buy", "v", 4),
        paid("rent", "w", 5),
        paid("buy", "x", 6),
        paid("buy", "x", 7),
    ];
    let play = Play::with(ground, events).await;
    let conversion = vec![Filter { field: Field::EventName, test: Test::IsNot(vec![String::from("visit")]) }];
    let euro = vec!["EUR".parse().expect("valid")];
    let asked = |model| Attribution {
        conversion: conversion.clone(),
        conversion_by: Some(Field::EventName),
        amounts: euro.clone(),
        ..question(model)
    };
    let keys = |keys: &[Option<String>]| keys.iter().map(|key| key.clone().unwrap_or_default()).collect::<Vec<_>>().join(" ");
    let shown = |credit: &Credit| format!("{} {}", conversions(credit.units), credit.amounts_micros[0]);
    for (model, expected) in
        [(Last, ["google buy 1 10", "google rent 1 10", "mail buy 1 10"]), (First, ["google buy 2 20", "google rent 1 10", ""])]
    {
        let answer = attribution(&play, asked(model)).await;
        let rows: Vec<String> = answer.rows.iter().map(|row| format!("{} {}", keys(&row.keys), shown(&row.credit))).collect();
        assert_eq!(rows, expected.into_iter().filter(|row| !row.is_empty()).collect::<Vec<_>>());
        let unattributed: Vec<String> =
            answer.unattributed.iter().map(|one| format!("{} {}", keys(&one.keys), shown(&one.credit))).collect();
        assert_eq!(unattributed, ["buy 2 20", "rent 1 10"]);
        // Totals are those of all kinds.
        assert_eq!(shown(&answer.totals), "6 60");
    }
    let shared = attribution(&play, Attribution { group_by: vec![], ..asked(Model::Linear) }).await;
    let rows: Vec<String> = shared.rows.iter().map(|row| format!("{} {}", keys(&row.keys), shown(&row.credit))).collect();
    assert_eq!(rows, ["buy 2 20", "rent 1 10"]);
    let absent = attribution(&play, Attribution { conversion_by: Some(Field::Country), ..asked(Last) }).await;
    assert_eq!(absent.unattributed.iter().map(|one| one.keys.clone()).collect::<Vec<_>>(), [vec![None]]);
}

async fn a_persons_touches_count_for_all_its_visitors(ground: &dyn Ground) {
    // The person's visits interleave: w, v, w; the purchases are both visitors'.
    let events = vec![
        visit("w", "google", 0),
        visit("v", "bing", 10),
        buy("w", 15),
        visit("w", "mail", 20),
        buy("v", 25),
        // Nobody's but its own.
        buy("x", 30),
    ];
    let play = Play::with(ground, events).await;
    let people = People::new([vec![String::from("w"), String::from("v")]]).expect("one person");
    let asked =
        |model| Attribution { slice: Slice { people: Some(people.clone()), ..Slice::of(TimeRange::ALL) }, ..question(model) };
    assert_eq!(credited(&play, question(First)).await, "bing 1, google 1, none 1, all 3");
    assert_eq!(credited(&play, question(Last)).await, "bing 1, google 1, none 1, all 3");
    assert_eq!(credited(&play, asked(First)).await, "google 2, none 1, all 3");
    assert_eq!(credited(&play, asked(Last)).await, "bing 1, mail 1, none 1, all 3");
    // The touch's own visitor is what its column says.
    let by_visitor = Attribution { group_by: vec![Field::AnonymousId], ..asked(First) };
    assert_eq!(credited(&play, by_visitor).await, "w 2, none 1, all 3");
}

async fn touches_lie_in_the_slice(ground: &dyn Ground) {
    let play = Play::with(ground, vec![visit("v", "google", 0), visit("v", "bing", 10), buy("v", 20)]).await;
    let from = |second| {
        let report = TimeRange { start_us: at(second), end_us: at(30) };
        Attribution { slice: Slice::of(report), report, ..question(First) }
    };
    assert_eq!(credited(&play, from(0)).await, "google 1, none 0, all 1");
    assert_eq!(credited(&play, from(1)).await, "bing 1, none 0, all 1");
    assert_eq!(credited(&play, from(20)).await, "none 1, all 1");
    let filtered = Attribution { slice: from(0).slice.with(Filter::is(Field::Source, "google")), ..from(0) };
    assert_eq!(credited(&play, filtered).await, "none 0, all 0");
}

async fn questions_outside_the_bounds_are_refused(ground: &dyn Ground) {
    let play = Play::fresh(ground);
    let euro = "EUR".parse().expect("cases use valid currencies");
    for asked in [
        Attribution { window: TouchWindow::Elapsed(-1), ..question(First) },
        Attribution { touches: TouchRule::Arrivals(0), ..question(First) },
        Attribution { slice: Slice::of(TimeRange { start_us: at(0), end_us: at(9) }), ..question(First) },
        Attribution { dated_by: DatedBy::Touch, ..question(MARKOV) },
        Attribution { amounts: vec![euro; MAX_CURRENCIES + 1], ..question(First) },
        Attribution { group_by: vec![Field::Source; 9], ..question(First) },
        Attribution { limit: 0, ..question(First) },
        Attribution { conversion_by: Some(Field::EventName), ..question(MARKOV) },
    ] {
        let asked = Question::Attribution(asked);
        assert_eq!(play.refusal(asked.clone(), Budget::INTERACTIVE).await, Code::InvalidParams, "{asked:?}");
    }
}
