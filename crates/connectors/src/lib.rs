//! Tables of advertising platforms, read into checked rows.
//!
//! [`read_file`] recognises a platform's export by its file name and header, or our own spend table by its header alone,
//! and hands on batches of `tributary_core::ads` rows, one row per entity and day. [`rows::read`] does the same for JSON.
//!
//! What each platform's tables mean is declared in `platforms`, one file per platform; `read` carries it out. Nothing here
//! stores anything, and no cell makes it fail: what cannot be read is a [`problem::Problem`], and the other rows are kept.

pub mod export;
pub mod problem;
pub mod rows;
pub mod table;

mod cell;
mod columns;
mod entities;
mod platforms;
mod report;

pub use export::{Export, Imported, read_file};
