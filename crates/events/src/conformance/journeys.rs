//! Which visits are touches, which touches count, and how models share among them.

use tributary_core::event::{Event, Origin};
use tributary_core::time::{DAY_US, TimeRange};

use super::attribution::{MARKOV, attribution, buy, conversions, credited, question, visit};
use super::sample::{NOON_US, at, event, worth};
use super::{Ground, Play};
use crate::attribution::model::{Allocation, HalfLife, Model, Order, Position};
use crate::attribution::window::{Window, WindowType};
use crate::bucket::{Buckets, Interval};
use crate::field::Field;
use crate::filter::{Filter, Test};
use crate::question::{Attribution, DatedBy, Slice, TouchRule, TouchWindow};

const HALF_HOUR_US: i64 = 1_800_000_000;
/// Days before [`NOON_US`] and after, in seconds.
const DAY: i64 = 86_400;

pub(super) async fn run(ground: &dyn Ground) {
    sessions_and_changes_of_channel_are_touches(ground).await;
    what_a_server_sends_is_no_visit(ground).await;
    windows_count_utc_dates(ground).await;
    an_absolute_window_wants_touches_in_the_report(ground).await;
    reports_go_by_conversion_or_by_touch(ground).await;
    models_share_one_journey(ground).await;
    money_adds_up_whatever_the_model(ground).await;
    a_markov_chain_looks_at_all_paths(ground).await;
    addresses_name_ads(ground).await;
}

/// A visit whose channel is told apart.
fn paid(visitor: &str, source: &str, second: i64) -> Event {
    Event { medium: String::from("paid"), ..visit(visitor, source, second) }
}

fn by_channel(model: Model) -> Attribution {
    Attribution { group_by: vec![Field::Channel], ..question(model) }
}

async fn sessions_and_changes_of_channel_are_touches(ground: &dyn Ground) {
    let events = vec![
        paid("v", "google", 0),
        // Inner pages and the same again: no arrival.
        visit("v", "direct", 60),
        paid("v", "google", 120),
        // Another channel in the same session.
        visit("v", "newsletter", 180),
        // Half an hour after the visit before is still the session, a second more is not.
        visit("v", "direct", 180 + 1_800),
        visit("v", "direct", 180 + 1_800 + 1_801),
        buy("v", 10_000),
    ];
    let play = Play::with(ground, events).await;
    let by = |touches| Attribution { touches, ..by_channel(Model::Linear) };
    for (touches, expected) in [
        (TouchRule::Every, "direct 0.500, google_ads 0.333, email 0.167, none 0, all 1"),
        (TouchRule::Sessions(HALF_HOUR_US), "direct 0.500, google_ads 0.500, none 0, all 1"),
        (TouchRule::Arrivals(HALF_HOUR_US), "google_ads 0.333, direct 0.333, email 0.333, none 0, all 1"),
        (TouchRule::Arrivals(HALF_HOUR_US - 1), "direct 0.500, email 0.250, google_ads 0.250, none 0, all 1"),
    ] {
        assert_eq!(credited(&play, by(touches)).await, expected, "{touches:?}");
    }
}

async fn what_a_server_sends_is_no_visit(ground: &dyn Ground) {
    let events = vec![
        paid("v", "google", 0),
        buy("v", 10_000),
        // A browser's direct visit is one, and so is any that names a page.
        Event { origin: Origin::Browser, ..event("buy", "w", at(0)) },
        Event { path: Some(String::from("/thanks")), ..event("buy", "x", at(0)) },
        buy("y", 0),
    ];
    let play = Play::with(ground, events).await;
    let visits = vec![Filter { field: Field::Visit, test: Test::Present }];
    let asked = Attribution { touch: visits, touches: TouchRule::Arrivals(HALF_HOUR_US), ..by_channel(Model::LastTouch) };
    assert_eq!(credited(&play, asked).await, "direct 2, google_ads 1, none 1, all 4");
}

async fn windows_count_utc_dates(ground: &dyn Ground) {
    // Seven dates back, at the first and at the last instant of a date, whatever the time of the conversion.
    let midnight_us = NOON_US - NOON_US.rem_euclid(DAY_US);
    let touch = |visitor: &str, time_us| Event { time_us, ..visit(visitor, "google", 0) };
    let events = vec![
        touch("v", midnight_us - 7 * DAY_US),
        buy("v", DAY / 2 - 1),
        touch("w", midnight_us - 7 * DAY_US - 1),
        buy("w", -DAY / 2),
    ];
    let play = Play::with(ground, events).await;
    for (window, expected) in [
        (Window::Days1, "none 2, all 2"),
        (Window::Days7, "google 1, none 1, all 2"),
        (Window::Days14, "google 2, none 0, all 2"),
        (Window::Lifetime, "google 2, none 0, all 2"),
    ] {
        let asked = Attribution { window: TouchWindow::Dates(window), ..question(Model::FirstTouch) };
        assert_eq!(credited(&play, asked).await, expected, "{window:?}");
    }
}

async fn an_absolute_window_wants_touches_in_the_report(ground: &dyn Ground) {
    let play = Play::with(ground, vec![visit("v", "google", -10), visit("v", "bing", 10), buy("v", 20)]).await;
    let report = TimeRange { start_us: at(0), end_us: at(30) };
    let asked = |window_type, model| Attribution { report, window_type, ..question(model) };
    assert_eq!(credited(&play, asked(WindowType::Relative, Model::FirstTouch)).await, "google 1, none 0, all 1");
    assert_eq!(credited(&play, asked(WindowType::Absolute, Model::FirstTouch)).await, "bing 1, none 0, all 1");
    let late = TimeRange { start_us: at(15), end_us: at(30) };
    let asked = Attribution { report: late, ..asked(WindowType::Absolute, Model::FirstTouch) };
    assert_eq!(credited(&play, asked).await, "none 1, all 1");
}

async fn reports_go_by_conversion_or_by_touch(ground: &dyn Ground) {
    let events =
        vec![visit("v", "google", 0), visit("v", "bing", DAY), worth(buy("v", 2 * DAY), 3_000_001, "EUR"), buy("w", DAY)];
    let play = Play::with(ground, events).await;
    let days = TimeRange { start_us: at(0), end_us: at(2 * DAY) };
    let zone = jiff::tz::TimeZone::UTC;
    let asked = |report: TimeRange, dated_by| Attribution {
        report,
        dated_by,
        buckets: Buckets::cover(report, Interval::Day, &zone).ok(),
        amounts: vec!["EUR".parse().expect("cases use valid currencies")],
        ..question(Model::Linear)
    };
    let told = async |asked: Attribution| {
        let answer = attribution(&play, asked).await;
        let row = |bucket: Option<u32>, source: &str, units: i128, euros: i128| {
            format!("{} {source} {} {euros}", bucket.map_or(-1, i64::from), conversions(units))
        };
        let rows = answer
            .rows
            .iter()
            .map(|one| row(one.bucket, one.keys[0].as_deref().unwrap_or("-"), one.credit.units, one.credit.amounts_micros[0]));
        let none = answer.unattributed.iter().map(|one| row(one.bucket, "none", one.credit.units, one.credit.amounts_micros[0]));
        let all = row(None, "all", answer.totals.units, answer.totals.amounts_micros[0]);
        rows.chain(none).chain([all]).collect::<Vec<String>>().join("; ")
    };
    // The purchase of day two is outside; by touch date its credit lies on the days of its touches, day two's purchase or not.
    assert_eq!(told(asked(days, DatedBy::Conversion)).await, "1 none 1 0; -1 all 1 0");
    assert_eq!(
        told(asked(days, DatedBy::Touch)).await,
        "0 google 0.500 1500001; 1 bing 0.500 1500000; -1 all 1 3000001",
        "nothing is unattributed"
    );
    let whole = TimeRange { end_us: at(3 * DAY), ..days };
    assert_eq!(
        told(asked(whole, DatedBy::Conversion)).await,
        "2 bing 0.500 1500000; 2 google 0.500 1500001; 1 none 1 0; -1 all 2 3000001"
    );
    let second = TimeRange { start_us: at(DAY), end_us: at(2 * DAY) };
    assert_eq!(told(asked(second, DatedBy::Touch)).await, "0 bing 0.500 1500000; -1 all 0.500 1500000");
    let single = Attribution { model: Model::FirstTouch, ..asked(second, DatedBy::Touch) };
    assert_eq!(told(single).await, "-1 all 0 0", "the first touch lies before");
}

async fn models_share_one_journey(ground: &dyn Ground) {
    // Google ad, mail, Facebook ad, Google organic, then direct; the purchase a day after the last but one.
    let organic = Event { medium: String::from("organic"), ..visit("v", "google", 3 * DAY) };
    let events = vec![
        paid("v", "google", 0),
        visit("v", "newsletter", DAY),
        paid("v", "facebook", 2 * DAY),
        organic,
        visit("v", "direct", 4 * DAY),
        buy("v", 4 * DAY + 1),
        visit("w", "direct", 0),
        visit("w", "direct", 1),
        buy("w", 2),
    ];
    let play = Play::with(ground, events).await;
    for (model, expected) in [
        (Model::FirstTouch, "direct 1, google_ads 1, none 0, all 2"),
        (Model::LastTouch, "direct 2, none 0, all 2"),
        (Model::LastNonDirectTouch, "direct 1, google_organic 1, none 0, all 2"),
        (Model::Linear, "direct 1.200, email 0.200, facebook_ads 0.200, google_ads 0.200, google_organic 0.200, none 0, all 2"),
        (Model::LinearPaidAds, "facebook_ads 0.500, google_ads 0.500, none 1, all 2"),
        (Model::UShaped, "direct 1.400, google_ads 0.400, email 0.067, facebook_ads 0.067, google_organic 0.067, none 0, all 2"),
        (
            Model::PositionBased(Position::new(10, 60).expect("at most 100")),
            "direct 1.600, email 0.100, facebook_ads 0.100, google_ads 0.100, google_organic 0.100, none 0, all 2",
        ),
        (
            Model::TimeDecay(HalfLife::new(DAY_US).expect("longer than no time")),
            "direct 1.516, google_organic 0.258, facebook_ads 0.129, email 0.065, google_ads 0.032, none 0, all 2",
        ),
        // Each channel in full.
        (Model::LastTouchSourceSpecific, "direct 2, email 1, facebook_ads 1, google_ads 1, google_organic 1, none 0, all 2"),
        (Model::Shapley, "direct 1.200, email 0.200, facebook_ads 0.200, google_ads 0.200, google_organic 0.200, none 0, all 2"),
    ] {
        assert_eq!(credited(&play, by_channel(model)).await, expected, "{model:?}");
    }
    let late = Slice::of(TimeRange { start_us: at(2 * DAY), ..TimeRange::ALL });
    let cut = Attribution { report: late.range, slice: late, ..by_channel(Model::FirstTouch) };
    assert_eq!(credited(&play, cut).await, "facebook_ads 1, none 0, all 1");
}

async fn money_adds_up_whatever_the_model(ground: &dyn Ground) {
    let mut events: Vec<Event> = (0..7).map(|n| paid("v", ["google", "bing", "facebook"][n % 3], n as i64)).collect();
    events.extend([
        worth(buy("v", 10), 10_000_000, "EUR"),
        worth(buy("v", 11), -3_333_333, "EUR"),
        worth(buy("v", 12), 1, "JPY"),
    ]);
    let play = Play::with(ground, events).await;
    let amounts = ["EUR", "JPY"].map(|code| code.parse().expect("cases use valid currencies")).to_vec();
    for model in Model::ALL.into_iter().filter(|model| !model.may_exceed_total()) {
        let answer = attribution(&play, Attribution { amounts: amounts.clone(), ..by_channel(model) }).await;
        let mut sums = answer.unattributed.iter().fold((0, 0, 0), |(units, euros, yen), one| {
            (units + one.credit.units, euros + one.credit.amounts_micros[0], yen + one.credit.amounts_micros[1])
        });
        for row in &answer.rows {
            sums.0 += row.credit.units;
            sums.1 += row.credit.amounts_micros[0];
            sums.2 += row.credit.amounts_micros[1];
        }
        assert_eq!(sums, (3_000_000_000, 6_666_667, 1), "{model:?}");
        assert_eq!(answer.totals.amounts_micros, [6_666_667, 1], "{model:?}");
    }
}

async fn a_markov_chain_looks_at_all_paths(ground: &dyn Ground) {
    // google > bing converts, google converts, google and bing alone do not: removal effects by hand below.
    let events = vec![
        paid("a", "google", 0),
        paid("a", "bing", 10),
        buy("a", 20),
        paid("b", "google", 0),
        buy("b", 20),
        paid("c", "google", 0),
        paid("d", "bing", 0),
        // Without a touch: unattributed.
        buy("e", 0),
    ];
    let play = Play::with(ground, events).await;
    // From the start google 3/4, bing 1/4; google converts 1/3, ends 1/3, goes on to bing 1/3; bing converts 1/2.
    // All: 3/4 (1/3 + 1/3 · 1/2) + 1/4 · 1/2 = 1/2. Without google 1/8, without bing 1/4: effects 3/4 and 1/2.
    assert_eq!(credited(&play, by_channel(MARKOV)).await, "google_ads 1.200, bing_ads 0.800, none 1, all 3");
    let per_path = Model::Markov { order: Order::First, allocation: Allocation::PerPath };
    assert_eq!(credited(&play, by_channel(per_path)).await, "google_ads 1.600, bing_ads 0.400, none 1, all 3");
    // Journeys of people who never convert count by the touches inside the report.
    let report = TimeRange { start_us: at(5), end_us: at(30) };
    let late = Attribution { report, ..by_channel(MARKOV) };
    assert_eq!(credited(&play, late).await, "google_ads 1.333, bing_ads 0.667, none 0, all 2", "all buy");
}

async fn addresses_name_ads(ground: &dyn Ground) {
    let at_url = |url: &str, event: Event| Event { url: Some(url.to_owned()), ..event };
    let events = vec![
        at_url("https://a.example/?comet_ad_id=77&comet_ad_group=8", paid("v", "facebook", 0)),
        buy("v", 1),
        at_url("https://a.example/?utm_campaign=120210001", paid("w", "facebook", 0)),
        buy("w", 1),
    ];
    let play = Play::with(ground, events).await;
    let by = |field| Attribution { group_by: vec![field], ..question(Model::LastTouch) };
    assert_eq!(credited(&play, by(Field::AdId)).await, "- 1, 77 1, none 0, all 2");
    assert_eq!(credited(&play, by(Field::AdSetId)).await, "- 1, 8 1, none 0, all 2");
    assert_eq!(credited(&play, by(Field::CampaignId)).await, "- 1, 120210001 1, none 0, all 2");
}
