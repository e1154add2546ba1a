//! MCP: the tools (one file each, one list), the doors (data), the framing in front of them.
//!
//! Nothing here knows HTTP beyond a status and a few headers, and no tool knows through which door it was called.

pub mod door;
pub mod server;

pub mod tool;
pub mod tools;

pub mod resource;

mod arguments;
mod call;
mod dialect;
mod frame;
mod initialize;
mod projects;
mod record;
mod schema;
