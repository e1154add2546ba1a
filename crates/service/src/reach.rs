//! Which workspaces a question looks at, and which clock it reads.

use jiff::tz::TimeZone;
use tributary_control::WorkspaceAccess;
use tributary_core::error::{Code, Error, Result};

/// The workspaces of one question: at least one.
#[derive(Clone, Copy)]
pub struct Reach<'a>(&'a [WorkspaceAccess]);

impl<'a> Reach<'a> {
    /// Refuses an empty list with `no_projects_visible`.
    pub fn over(workspaces: &'a [WorkspaceAccess]) -> Result<Self> {
        if workspaces.is_empty() {
            return Err(Error::new(Code::NoProjectsVisible, "this account has no projects yet; create a workspace first"));
        }
        Ok(Self(workspaces))
    }

    /// The workspaces.
    pub fn workspaces(self) -> &'a [WorkspaceAccess] {
        self.0
    }

    /// Whether there is more than one: answers then name the project and use UTC.
    pub fn is_wide(self) -> bool {
        self.0.len() > 1
    }

    /// The zone of buckets, dates without time, and printed instants: the workspace's own, UTC for several.
    pub fn zone(self) -> TimeZone {
        zone_of(self.0)
    }

    /// The name of [`Reach::zone`].
    pub fn zone_name(self) -> &'a str {
        match self.0 {
            [only] => &only.workspace.zone_name,
            _ => "UTC",
        }
    }
}

/// The zone of a list of workspaces, possibly empty: the only one's, or UTC.
pub fn zone_of(workspaces: &[WorkspaceAccess]) -> TimeZone {
    match workspaces {
        [only] => only.workspace.zone.clone(),
        _ => TimeZone::UTC,
    }
}
