//! `tributary import events`: files of events into a workspace.

pub mod cell;
pub mod destination;
pub mod mapping;
pub mod plan;
pub mod progress;
pub mod read;
pub mod rejected;
pub mod remote;
pub mod run;
