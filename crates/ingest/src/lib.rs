//! Bytes in, checked, enriched and classified [`Event`](tributary_core::event::Event)s out.
//!
//! The way of one event: [`body::decode_body`] undoes the content encoding, [`parse`] turns JSON into a [`draft::Draft`],
//! and the ordered list [`steps::STEPS`] turns the draft into an event. No I/O happens here besides reading the data files
//! at [`pipeline::Pipeline::open`].

pub mod access_log;
mod address;
pub mod agents;
pub mod arrival;
pub mod body;
pub mod classify;
pub mod draft;
pub mod fields;
pub mod geo;
pub mod imported;
mod memo;
pub mod parse;
pub mod pipeline;
pub mod properties;
pub mod steps;
