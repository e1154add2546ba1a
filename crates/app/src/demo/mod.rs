//! `tributary demo`: a server with two workspaces full of realistic, repeatable events.

pub mod command;

pub mod prepare;

pub mod generate;

pub mod ads;
pub mod ledger;
pub mod spend;
pub mod truth;

mod calendar;
mod dice;
mod people;
mod rates;
mod saas;
mod saved;
mod setup;
mod shop;
pub mod visit;
mod ways;
mod world;
