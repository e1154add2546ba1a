//! Metrics by dimensions: spend, credited conversions, people, and what is made of them.
//!
//! A metric is declared once in [`catalogue`], a dimension once in [`dimension`]. A question is checked into a plan, the
//! plan's measures are gathered from the engine and the control plane as exact sums by the values of its attributes, these are
//! filtered and brought together by its dimensions, and formulas are evaluated on each row and on the totals.

pub mod answer;
pub mod catalogue;
pub mod dimension;
pub mod filter;
pub mod formula;
pub mod question;
pub mod unit;
pub mod user_defined;
pub mod value;

pub mod ask;
pub mod body;
pub mod breakdown;
pub mod compare;
pub mod list;
pub mod models;

mod facts;
mod gather;
mod plan;
pub(crate) mod time;
