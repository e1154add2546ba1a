//! Conversion events: taken in from servers, listed, read one by one, counted.
//!
//! A conversion is an event whose name is a conversion type's slug or is mapped to one. What callers see of it is worked out
//! of the stored event ([`told`]); which touches it is credited to, by the same functions the engines call ([`touchpoints`]).

pub mod amount;
pub mod told;
pub mod touchpoints;

pub mod track;
mod track_body;

pub mod aggregate;
pub mod get;
pub mod journey;
pub mod list;
pub mod row;
pub mod types;
