//! The reference evaluator passes the cases every engine must pass.

use tributary_events::conformance;
use tributary_testkit::ground::ReferenceGround;

#[tokio::test]
async fn the_reference_conforms() {
    conformance::run(&ReferenceGround::default()).await;
}
