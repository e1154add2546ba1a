//! `tributary demo`: a server with two workspaces full of realistic, repeatable events.

pub mod command;

pub mod prepare;

pub mod generate;

mod calendar;
mod dice;
mod saas;
mod shop;
pub mod visit;
mod world;
