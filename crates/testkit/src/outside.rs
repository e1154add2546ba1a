//! Outside data and the figures others computed from it: loaders, and checks that any engine can be put through.
//!
//! The checks assert: a wrong figure panics with the name of the table and the row.

pub mod ecom;
pub mod random_questions;
pub mod synthetic;
pub mod table;
pub mod zones;

mod asking;
