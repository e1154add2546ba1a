//! The event port: the questions of this product, their answers, and the store that answers them.
//!
//! Two engines implement [`store::EventStore`]; the [`reference`] evaluator answers the same questions slowly and
//! obviously, and [`conformance`] holds every engine to it.

pub mod ad_parameters;
pub mod answer;
pub mod attribution;
pub mod bucket;
pub mod channel;
pub mod conformance;
pub mod field;
pub mod filter;
pub mod people;
pub mod question;
pub mod reference;
pub mod row_id;
pub mod store;
pub mod traits;
