//! The public router as clients meet it: in-process, whole answers, a world of two accounts on a fixed clock.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test they serve")]

mod world;

mod documented;

mod doors;
mod framing;

mod admission;
mod bad_input;
mod contacts;
mod cors;
mod definitions;
mod events;
mod exports;
mod limits;
mod metrics;
mod questions;
mod retention;
mod saved;
mod spend;

mod isolation;
mod listing;

mod health;
