//! Random events, questions and histories: small pools of values, so that ties, repeats and collisions happen all the time.

pub mod events;
pub mod history;
mod pools;
pub mod questions;
