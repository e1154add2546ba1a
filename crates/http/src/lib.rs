//! HTTP: routes, extractors, served pages.

pub mod admin;
pub mod pages;
