//! Progress on standard error, results on standard output.

use std::io::Write;

/// One line of progress.
pub fn say(text: &str) {
    let _unseen = writeln!(std::io::stderr().lock(), "bench: {text}");
}

/// A result, as it is.
pub fn print(text: &str) {
    let _unseen = writeln!(std::io::stdout().lock(), "{text}");
}
