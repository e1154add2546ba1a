//! Exit codes: few, documented, stable.

use std::process::ExitCode;

use tributary_core::error::{Code, Error};

/// How a command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// Something failed.
    Failed = 1,
    /// The command line, the configuration or a value in it is not accepted.
    Usage = 2,
    /// What was named does not exist.
    NotFound = 3,
    /// The folder is held by another process, or the state forbids it.
    Conflict = 4,
    /// A check ran and found problems (`doctor`, `audit verify`, rows of `import spend`).
    Problems = 5,
}

/// The table shown by `--help`.
pub const HELP: &str = "\
Exit codes:
  0  done
  1  something failed
  2  command line, configuration or a value is not accepted
  3  what was named does not exist
  4  the data folder is held by another process, or the state forbids it
  5  a check ran and found problems (doctor, audit verify, rows of import spend)";

impl From<&Error> for Exit {
    fn from(error: &Error) -> Self {
        match error.code() {
            Code::InvalidPayload | Code::InvalidParams | Code::InvalidGroupBy | Code::QuestionTooLarge => Exit::Usage,
            Code::PayloadTooLarge | Code::UnsupportedMediaType => Exit::Usage,
            Code::NotFound | Code::UnknownProjectId | Code::UnknownProjectSlug | Code::NoProjectsVisible => Exit::NotFound,
            Code::Conflict | Code::PlanLimit => Exit::Conflict,
            Code::MissingBearerToken
            | Code::MalformedApiKey
            | Code::InvalidApiKey
            | Code::KeyKindMismatch
            | Code::KeyKindNotAllowed
            | Code::AccountKeyRequired
            | Code::ForgetRequiresSecretKey
            | Code::OriginNotAllowed
            | Code::InsufficientScope
            | Code::RateLimited
            | Code::Overloaded
            | Code::Cancelled
            | Code::ForgetFailed
            | Code::UpstreamFailed
            | Code::Internal => Exit::Failed,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}
