//! The mathematics of attribution: which touches of a journey are credited with a conversion, and with how much of it.

pub mod model;

pub mod window;

pub mod apportion;
pub mod journey;

pub mod credit;
pub mod markov;
pub mod paths;
pub mod shapley;
