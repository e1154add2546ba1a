//! `tributary export`: a workspace's events as NDJSON, CSV or Parquet, all columns but the hash of the address.
//!
//! The columns carry the names `tributary import events` reads, so an export is imported again without a mapping.

pub mod command;

pub mod stream;

pub mod columns;
pub mod write;
