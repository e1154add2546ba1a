//! What tests of several crates share: scopes, random data, the comparison of an engine with the reference, and outside
//! figures. Only ever a dev-dependency.

pub mod equality;
pub mod ground;
pub mod outside;
pub mod race;
pub mod random;
pub mod scope;
