//! The words every other crate speaks: ids, scopes, errors, events, money, time. No I/O happens here.

pub mod ads;
pub mod clock;
pub mod conversion;
pub mod credential;
pub mod entropy;
pub mod error;
pub mod event;
pub mod ids;
pub mod money;
pub mod plan;
pub mod rate;
pub mod scope;
pub mod time;
