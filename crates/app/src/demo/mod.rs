//! `tributary demo`: a server with two workspaces full of realistic, repeatable events.

mod calendar;
mod dice;
pub mod generate;
mod saas;
mod shop;
pub mod visit;
mod world;
