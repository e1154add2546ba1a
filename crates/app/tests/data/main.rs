//! Demo, import and export, at their boundaries and on outside data. One binary, so that it links once.

mod command_line;
mod demo_ads;
mod demo_events;
mod export_round_trip;
mod import_remote;
mod import_rows;
mod import_weblog;
mod outside_ecom;
mod outside_snowplow;
mod support;
