//! 10,000 real access-log lines: GoAccess's visitors come out exactly, whatever the order of the lines.

use crate::support::{World, all, data, unzip, world};
use tributary_app::import::mapping::Mapping;
use tributary_core::time::TimeRange;
use tributary_events::bucket::Interval;
use tributary_events::field::Field;
use tributary_events::filter::{Filter, Test};
use tributary_events::question::{Bots, Metric, Slice};

/// The documented question: visitors of `request` events, bots included.
async fn goaccess_visitors(world: &World) -> (i128, Vec<i128>) {
    let range = TimeRange { start_us: 1_431_820_800_000_000, end_us: 1_432_166_400_000_000 };
    let slice = Slice { bots: Bots::Include, ..Slice::of(range) }.with(Filter::is(Field::EventName, "request"));
    let answer = world.aggregate(slice, &[Metric::Visitors], &[], Some(Interval::Day)).await;
    (answer.totals[0], answer.rows.iter().map(|row| row.values[0]).collect())
}

async fn count(world: &World, bots: Bots, metric: Metric) -> i128 {
    world.aggregate(all(bots), &[metric], &[], None).await.totals[0]
}

#[tokio::test]
async fn goaccess_visitors_come_out_in_any_order_of_lines() {
    let text = unzip(&data("weblog/access.log.gz"));
    let lines: Vec<&str> = text.lines().collect();
    let mut reversed = lines.clone();
    reversed.reverse();
    // A fixed shuffle: 7919 is coprime to 10,000.
    let shuffled: Vec<&str> = (0..lines.len()).map(|place| lines[place * 7_919 % lines.len()]).collect();
    let mut answers = Vec::new();
    for order in [lines, reversed, shuffled] {
        let world = world();
        let counts = world.import(&world.write("access.log", order.join("\n")), Mapping::default()).await;
        assert_eq!((counts.accepted, counts.duplicates, counts.rejected), (10_000, 0, 0));
        assert_eq!(goaccess_visitors(&world).await, (2_095, vec![359, 643, 570, 523]));
        let people = count(&world, Bots::Exclude, Metric::Events).await;
        let bots = count(&world, Bots::Only, Metric::Events).await;
        assert_eq!(count(&world, Bots::Include, Metric::Events).await, 10_000);
        assert_eq!(people + bots, 10_000);
        answers.push((people, bots, count(&world, Bots::Only, Metric::Visitors).await));
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
    // isbot calls 3,010 of the requests a bot's (tests/data/ua/access_log_ua_consensus.csv); 190 of them name no agent at
    // all, of which we say nothing.
    assert_eq!((answers[0].0, answers[0].1), (7_180, 3_010 - 190));
}

#[tokio::test]
async fn the_same_log_again_adds_nothing() {
    let world = world();
    let log = data("weblog/access.log.gz");
    world.import(&log, Mapping::default()).await;
    let again = world.import(&log, Mapping::default()).await;
    assert_eq!((again.accepted, again.duplicates, again.rejected), (0, 10_000, 0));
    assert_eq!(goaccess_visitors(&world).await.0, 2_095);
}

#[tokio::test]
async fn a_log_that_has_grown_adds_its_new_lines() {
    let world = world();
    let text = unzip(&data("weblog/access.log.gz"));
    let lines: Vec<&str> = text.lines().collect();
    world.import(&world.write("access.log", lines[..6_000].join("\n")), Mapping::default()).await;
    let grown = world.import(&world.write("access.log.1", lines.join("\n")), Mapping::default()).await;
    assert_eq!((grown.accepted, grown.duplicates), (4_000, 6_000));
    assert_eq!(goaccess_visitors(&world).await.0, 2_095);
}

#[tokio::test]
async fn statuses_and_kinds_are_properties() {
    let world = world();
    world.import(&data("weblog/access.log.gz"), Mapping::default()).await;
    let by =
        world.aggregate(all(Bots::Include), &[Metric::Events], &[Field::EventName, Field::Property("status".into())], None).await;
    let rows: Vec<(Option<&str>, Option<&str>, i128)> =
        by.rows.iter().map(|row| (row.keys[0].as_deref(), row.keys[1].as_deref(), row.values[0])).collect();
    assert_eq!(
        rows,
        [
            (Some("request"), Some("200"), 9_126),
            (Some("request"), Some("304"), 445),
            (Some("request_failed"), Some("404"), 213),
            (Some("request"), Some("301"), 164),
            (Some("request"), Some("206"), 45),
            (Some("request"), Some("500"), 3),
            (Some("request_failed"), Some("403"), 2),
            (Some("request_failed"), Some("416"), 2),
        ]
    );
    let no_address = all(Bots::Include).with(Filter { field: Field::AnonymousId, test: Test::Contains("198.18".into()) });
    assert_eq!(world.aggregate(no_address, &[Metric::Events], &[], None).await.totals[0], 0, "no address is stored");
}
