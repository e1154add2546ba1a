//! A run's figures for a terminal.

use comfy_table::{CellAlignment, Table, presets};

use crate::figures;
use crate::report::Report;

/// Every table of a run.
pub fn all(report: &Report) -> String {
    let mut text = String::new();
    for figures in figures::of(report) {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        let columns = figures.columns.len();
        table.set_header(figures.columns);
        for row in figures.rows {
            table.add_row(row.iter().map(|cell| cell.replace('`', "")));
        }
        for index in 1..columns {
            if let Some(column) = table.column_mut(index) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        text.push_str(&format!("\n{}\n{}\n", figures.title.replace('`', ""), table.trim_fmt()));
    }
    text
}
