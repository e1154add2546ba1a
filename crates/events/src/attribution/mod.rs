//! The mathematics of attribution: which touches of a journey are credited with a conversion, and with how much of it.
//!
//! Pure functions over plain data; no store, no clock, no randomness but a seed. Every engine calls them, so engines can
//! differ in the journeys they find and in nothing else.
//!
//! | step | where |
//! | --- | --- |
//! | which visits are touches | [`touches::touches`] |
//! | which touches of a conversion count | [`window::eligible`] |
//! | one journey, one model | [`journey::Crediting`] |
//! | money and credit in whole parts that add up | [`apportion::Apportioner`] |
//! | many journeys as paths with counts | [`paths::PathsBuilder`], [`paths::Paths`] |
//! | models that need all paths | [`markov`], [`shapley`] |
//! | how much a figure would vary from sample to sample | [`bootstrap`] |
//!
//! Two promises hold throughout. *Exact*: credit and money are integers, and the parts of every model except the source
//! specific ones add up to the whole, with what nobody earned in an unattributed part. *Repeatable*: the same journeys give
//! the same figures bit for bit, in whatever order they arrive and on whatever machine; floating point is confined to the
//! weights of [`model::Model::TimeDecay`], the removal effects of [`markov`] and the intervals of [`bootstrap`], computed in
//! sorted order from `+ - * /` alone.

pub mod model;

pub mod touches;
pub mod window;

pub mod apportion;
pub mod journey;

pub mod bootstrap;
pub mod credit;
pub mod markov;
pub mod paths;
pub mod shapley;

#[cfg(test)]
mod tests;
