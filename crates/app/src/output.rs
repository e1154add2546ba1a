//! Everything the command line writes: answers to standard output, errors to standard error.

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;
use std::io::{ErrorKind, Write};

use tributary_core::error::{Error, Result};

/// Writes one line (or block) of an answer.
pub fn line(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        // A reader that has seen enough, such as `head`, is no failure.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Error::internal("standard output cannot be written").caused_by(error)),
    }
}

/// Writes an answer as indented JSON.
pub fn json(answer: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(answer)
        .map_err(|error| Error::internal("the answer does not serialize").caused_by(error))?;
    line(&text)
}

/// Writes a remark for people to standard error.
pub fn remark(text: &str) {
    // Nothing is left to be done when standard error is gone.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Writes an error and its causes to standard error.
pub fn error(error: &Error) {
    let mut text = format!("error: {}", error.message());
    if let Some(details) = error.details() {
        text.push_str(&format!("\n  details: {details}"));
    }
    let mut cause = std::error::Error::source(error);
    while let Some(step) = cause {
        text.push_str(&format!("\n  caused by: {step}"));
        cause = step.source();
    }
    remark(&text);
}

/// Writes a table; columns whose every value is a number are aligned to the right.
pub fn table(header: &[&str], rows: &[Vec<String>]) -> Result<()> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(header.iter().map(|name| name.to_uppercase()));
    for row in rows {
        table.add_row(row.iter().map(|cell| plain(cell)));
    }
    for index in 0..header.len() {
        let numbers = !rows.is_empty() && rows.iter().all(|row| row.get(index).is_some_and(|cell| is_number(cell)));
        if numbers && let Some(column) = table.column_mut(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    line(&table.trim_fmt())
}

// Events carry whatever strangers sent: nothing of it may steer the terminal.
fn plain(cell: &str) -> String {
    cell.chars().map(|character| if character.is_control() { '\u{fffd}' } else { character }).collect()
}

fn is_number(cell: &str) -> bool {
    cell == "-" || (!cell.is_empty() && cell.trim_end_matches('%').replace([',', ' '], "").parse::<f64>().is_ok())
}
