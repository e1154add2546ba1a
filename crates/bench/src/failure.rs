//! What went wrong, in one sentence that says what to do about it.

use std::fmt;
use std::path::Path;

/// A failure of the benchmark itself: something is missing, or something that must not fail did.
#[derive(Debug)]
pub struct Failure(String);

/// A result of anything here.
pub type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    /// A failure told in one sentence.
    pub fn new(what: impl Into<String>) -> Self {
        Failure(what.into())
    }

    /// A file or folder that could not be used.
    pub fn at(doing: &str, path: &Path, why: impl fmt::Display) -> Self {
        Failure(format!("{doing} {} failed: {why}", path.display()))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

impl From<tributary_core::error::Error> for Failure {
    fn from(error: tributary_core::error::Error) -> Self {
        let mut text = error.message().to_owned();
        let mut cause = std::error::Error::source(&error);
        while let Some(one) = cause {
            text.push_str(&format!(": {one}"));
            cause = one.source();
        }
        Failure(text)
    }
}

macro_rules! from {
    ($($error:ty: $what:literal;)*) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Failure(format!(concat!($what, ": {}"), error))
            }
        }
    )*};
}

from! {
    std::io::Error: "input or output failed";
    serde_json::Error: "JSON could not be read or written";
    parquet::errors::ParquetError: "a Parquet file could not be read or written";
    arrow_schema::ArrowError: "columns could not be built";
    tokio::task::JoinError: "a task did not finish";
}
