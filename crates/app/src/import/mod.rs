//! `tributary import events`: files of events into a workspace.

pub mod command;

pub mod job;
pub mod run;

pub mod mapping;
pub mod plan;

pub mod read;

pub mod cell;

pub mod chunk;
pub mod destination;
pub mod remote;
pub mod served;
pub mod spend;

pub mod progress;
pub mod rejected;
