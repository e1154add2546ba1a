//! HTTP: routes, extractors, served pages.

pub mod pages;
