//! Numeric ids of the control plane, one type per kind so that they cannot be mixed up.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(
    /// An account: owns workspaces, has a plan.
    AccountId
);
id!(
    /// A workspace: the tenant.
    WorkspaceId
);
id!(
    /// A stored credential.
    KeyId
);
id!(
    /// A person as a workspace knows them.
    ContactId
);
id!(
    /// A company, known by its domain.
    CompanyId
);
id!(
    /// A row of the journal of merged contacts.
    MergeId
);
id!(
    /// A rule that turns events or webhooks into conversions.
    MappingId
);
id!(
    /// An address webhooks come in at.
    EndpointId
);
id!(
    /// Something users saved: a metric, a segment, a report, a dashboard.
    SavedId
);
id!(
    /// An export.
    ExportId
);
