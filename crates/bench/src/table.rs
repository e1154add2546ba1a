//! A run's figures for a terminal.

use comfy_table::{ContentArrangement, Table, presets};

use crate::figures;
use crate::report::Report;

/// Every table of a run.
pub fn all(report: &Report) -> String {
    let mut text = String::new();
    for figures in figures::of(report) {
        let mut table = Table::new();
        table.load_preset(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(figures.columns);
        table.add_rows(figures.rows);
        text.push_str(&format!("\n{}\n{table}\n", figures.title.replace('`', "")));
    }
    text
}
