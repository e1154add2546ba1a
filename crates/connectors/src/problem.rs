//! What is wrong with one cell or row, precisely enough to mend it.

use std::fmt;

/// One thing that could not be read. The row it stands in is left out, the others are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file, or `rows` for a request's rows.
    pub file: String,
    /// The line the row begins in, counted from 1; for JSON the row's place in the list, counted from 0.
    pub line: u64,
    /// The column, or none when the row as a whole is meant.
    pub column: Option<String>,
    /// What is wrong, and what would be accepted.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Problem { file, line, column, message } = self;
        match column {
            Some(column) => write!(f, "{file}:{line}: {column}: {message}"),
            None => write!(f, "{file}:{line}: {message}"),
        }
    }
}

/// What is wrong, before it is known in which file and line: the column, if one is to blame, and the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub column: Option<String>,
    pub message: String,
}

impl Fault {
    /// A cell is to blame.
    pub fn in_column(column: &str, message: impl Into<String>) -> Self {
        Fault { column: Some(column.to_owned()), message: message.into() }
    }

    /// The row as a whole is to blame.
    pub fn in_row(message: impl Into<String>) -> Self {
        Fault { column: None, message: message.into() }
    }

    /// The same, with its place.
    pub fn at(self, file: &str, line: u64) -> Problem {
        Problem { file: file.to_owned(), line, column: self.column, message: self.message }
    }
}
