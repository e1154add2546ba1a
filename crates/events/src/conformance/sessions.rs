//! Sessions: where they end, what they hold, where they are counted.

use jiff::tz::TimeZone;

use tributary_core::event::Event;
use tributary_core::time::{SECOND_US, TimeRange};

use super::sample::{at, by_bot, event};
use super::{Ground, Play};
use crate::answer::{Answer, SessionCounts, SessionsAnswer, SessionsRow};
use crate::bucket::{Buckets, Interval};
use crate::field::Field;
use crate::filter::Filter;
use crate::question::{Question, SessionRule, Sessions, Slice};

pub(super) async fn run(ground: &dyn Ground) {
    a_gap_ends_a_session_above_or_from_its_limit(ground).await;
    recorded_sessions_go_by_name(ground).await;
    rows_read_the_first_event(ground).await;
    the_slice_is_cut_first(ground).await;
}

const HALF_HOUR_US: i64 = 1_800 * SECOND_US;

fn question(rule: SessionRule) -> Sessions {
    Sessions { slice: Slice::of(TimeRange::ALL), rule, buckets: None, group_by: vec![], containing: vec![], limit: 100 }
}

async fn sessions(play: &Play<'_>, question: Sessions) -> SessionsAnswer {
    match play.ask(Question::Sessions(question)).await {
        Answer::Sessions(answer) => answer,
        other => panic!("sessions answer sessions, not {other:?}"),
    }
}

async fn a_gap_ends_a_session_above_or_from_its_limit(ground: &dyn Ground) {
    let visits = |visitor: &str, times: &[i64]| {
        times.iter().map(|time_us| event("view", visitor, at(0) + time_us)).collect::<Vec<Event>>()
    };
    // Gaps of exactly the limit, and a microsecond to either side.
    let mut events = visits("v", &[0, HALF_HOUR_US, 2 * HALF_HOUR_US + 1, 3 * HALF_HOUR_US]);
    events.extend(visits("w", &[5, 5]));
    events.push(by_bot(event("view", "v", at(1))));
    let play = Play::with(ground, events).await;

    let over = sessions(&play, question(SessionRule::GapOver(HALF_HOUR_US))).await;
    let counts = SessionCounts {
        sessions: 3,
        events: 6,
        single_event: 0,
        duration_us: i128::from(2 * HALF_HOUR_US - 1),
        containing: vec![],
    };
    let row = |counts: &SessionCounts| vec![SessionsRow { bucket: None, keys: vec![], counts: counts.clone() }];
    assert_eq!(over, SessionsAnswer { rows: row(&counts), total_rows: 1, totals: counts, sizes: vec![(2, 3)] });

    let from = sessions(&play, question(SessionRule::GapFrom(HALF_HOUR_US))).await;
    let counts =
        SessionCounts { sessions: 4, events: 6, single_event: 2, duration_us: i128::from(HALF_HOUR_US - 1), containing: vec![] };
    assert_eq!(from, SessionsAnswer { rows: row(&counts), total_rows: 1, totals: counts, sizes: vec![(1, 2), (2, 2)] });
}

async fn recorded_sessions_go_by_name(ground: &dyn Ground) {
    let named = |visitor: &str, session: &str, second: i64| {
        let mut event = event("view", visitor, at(second));
        event.session = Some(session.to_owned());
        event
    };
    // Two names interleaved, a name shared by two visitors, and derived half hours of the clock.
    let events = vec![
        named("v", "s1", 0),
        named("v", "s2", 10),
        named("v", "s1", 90_000),
        named("w", "s1", 0),
        event("view", "x", at(0)),
        event("view", "x", at(1_799)),
        event("view", "x", at(1_800)),
    ];
    let play = Play::with(ground, events).await;
    let answer = sessions(&play, question(SessionRule::Recorded)).await;
    assert_eq!(answer.sizes, [(1, 3), (2, 2)]);
    assert_eq!(answer.totals.duration_us, i128::from(91_799 * SECOND_US));
}

async fn rows_read_the_first_event(ground: &dyn Ground) {
    let view =
        |visitor: &str, source: &str, second: i64| Event { source: source.to_owned(), ..event("view", visitor, at(second)) };
    let play = Play::with(
        ground,
        vec![
            // Noon to one; a session that crosses the hour belongs to its start.
            view("v", "bing", 3_500),
            view("v", "google", 3_700),
            view("w", "google", 100),
            Event { source: String::from("google"), ..event("pay", "w", at(120)) },
            view("x", "google", 200),
            view("y", "google", 3_600),
            view("z", "bing", 7_199),
        ],
    )
    .await;
    let range = TimeRange { start_us: at(0), end_us: at(7_200) };
    let mut asked = Sessions {
        slice: Slice::of(range),
        buckets: Some(Buckets::cover(range, Interval::Hour, &TimeZone::UTC).expect("two hours")),
        group_by: vec![Field::Source],
        containing: vec![vec![Filter::is(Field::EventName, "pay")], vec![Filter::is(Field::Source, "google")], vec![]],
        ..question(SessionRule::GapOver(HALF_HOUR_US))
    };
    let row = |bucket, source: &str, sessions, events, single_event, seconds: i64, containing: [u64; 3]| SessionsRow {
        bucket: Some(bucket),
        keys: vec![Some(source.to_owned())],
        counts: SessionCounts {
            sessions,
            events,
            single_event,
            duration_us: i128::from(seconds * SECOND_US),
            containing: containing.to_vec(),
        },
    };
    let answer = sessions(&play, asked.clone()).await;
    let rows = [
        row(0, "google", 2, 3, 1, 20, [1, 2, 2]),
        row(0, "bing", 1, 2, 0, 200, [0, 1, 1]),
        row(1, "bing", 1, 1, 1, 0, [0, 0, 1]),
        row(1, "google", 1, 1, 1, 0, [0, 1, 1]),
    ];
    assert_eq!(answer.rows, rows);
    asked.limit = 1;
    let cut = sessions(&play, asked).await;
    assert_eq!((cut.rows.as_slice(), cut.total_rows), (&rows[..1], 4));
    assert_eq!(cut.totals, SessionCounts { containing: vec![1, 4, 5], ..answer.totals });
    assert_eq!((cut.totals.sessions, cut.totals.events, cut.totals.single_event), (5, 7, 3));
}

async fn the_slice_is_cut_first(ground: &dyn Ground) {
    // Without the view in the middle the gap is too long: sessions are made of what the slice holds, nothing else.
    let events = vec![event("a", "v", at(0)), event("view", "v", at(1_500)), event("a", "v", at(3_000))];
    let play = Play::with(ground, events).await;
    let all = question(SessionRule::GapOver(HALF_HOUR_US));
    assert_eq!(sessions(&play, all.clone()).await.totals.sessions, 1);
    let filtered = Sessions { slice: all.slice.clone().with(Filter::is(Field::EventName, "a")), ..all };
    assert_eq!(sessions(&play, filtered).await.totals.sessions, 2);
}
