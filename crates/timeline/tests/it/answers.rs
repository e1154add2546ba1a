//! Answers equal the reference's and the outside tables', whatever the housekeeping did in between.

use proptest::test_runner::{Config, TestCaseError, TestRunner};
use std::sync::Arc;

use tributary_events::conformance;
use tributary_testkit::equality::check_history;
use tributary_testkit::outside::{ecom, random_questions, synthetic};
use tributary_testkit::race;
use tributary_testkit::random::history::history;
use tributary_timeline::options::Options;

use crate::ground::{Housekeeping, TimelineGround, small};

#[tokio::test]
async fn the_tail_conforms() {
    conformance::run(&TimelineGround::new(small(), Housekeeping::None)).await;
}

#[tokio::test]
async fn segments_conform() {
    conformance::run(&TimelineGround::new(small(), Housekeeping::Rotating)).await;
}

#[tokio::test]
async fn synthetic_events_give_the_expected_tables() {
    synthetic::check(&TimelineGround::new(usual(), Housekeeping::Rotating)).await;
}

#[tokio::test]
async fn the_shop_gives_the_expected_tables() {
    ecom::check(&TimelineGround::new(usual(), Housekeeping::Rotating)).await;
}

#[test]
fn random_histories_equal_the_reference() {
    equal_the_reference(small(), 40, 150);
}

#[test]
fn longer_random_histories_equal_the_reference() {
    equal_the_reference(Options { segment_rows: 100, row_group_rows: 40, ..small() }, 600, 25);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_questions_over_many_events_equal_the_reference() {
    let options = Options { segment_rows: 4_000, row_group_rows: 1_000, memory_budget_bytes: 1 << 20, ..small() };
    let ground = TimelineGround::new(options, Housekeeping::Rotating);
    let equal = random_questions::check(&ground, 60).await;
    assert!(equal.is_ok(), "{}", equal.unwrap_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn racing_writers_meet_flushes_and_compactions() {
    let options = Options { flush_events: 100, ..small() };
    race::check(Arc::new(TimelineGround::new(options, Housekeeping::None))).await;
}

fn usual() -> Options {
    Options { flush_events: usize::MAX, ..Options::new([7; 16], small().clock) }
}

/// One ground serves all cases: each plays in a fresh workspace, and neighbours must not matter.
fn equal_the_reference(options: Options, most: usize, cases: u32) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let ground = TimelineGround::new(options, Housekeeping::Rotating);
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, max_shrink_iters: 300, ..Config::default() });
    let played =
        runner.run(&history(most), |history| runtime.block_on(check_history(&ground, &history)).map_err(TestCaseError::fail));
    if let Err(failure) = played {
        panic!("{failure}");
    }
}
