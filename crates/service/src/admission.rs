//! What an accepted credential may do right now: quota, then rate. Checked before a body is looked at.

use serde_json::json;
use tributary_boxed::boxed;
use tributary_control::{Caller, WorkspaceAccess};
use tributary_core::error::{Code, Error, Result};
use tributary_core::ids::WorkspaceId;

use crate::rate::{Allowance, Route};
use crate::service::Service;

/// The one workspace behind a publishable, secret or read key.
pub fn only_workspace(caller: &Caller) -> Result<&WorkspaceAccess> {
    match caller.workspaces.as_slice() {
        [only] => Ok(only),
        _ => Err(Error::new(Code::KeyKindNotAllowed, "this key does not belong to one project; accepted: a key of a project")),
    }
}

impl Service {
    /// Admits events of a caller: `plan_limit` past the account's monthly quota, then `rate_limited`. Takes a token of the
    /// route's bucket; routes without one are not limited. A refusal counts among the workspace's rejected events.
    #[boxed]
    pub async fn admit_events(&self, caller: &Caller, route: Option<Route>) -> Result<()> {
        let workspace = only_workspace(caller)?.workspace.id;
        self.check_quota_and_rate(caller, workspace, route).await.inspect_err(|error| self.note_refused(workspace, error))
    }

    /// Admits a request to a route that takes no events. Says what is left of the route's bucket, if limits hold.
    pub fn admit_request(&self, workspace: WorkspaceId, route: Route) -> Result<Option<Allowance>> {
        self.limiter.take(workspace, route)
    }

    /// Counts a refusal among the workspace's rejected events.
    pub fn note_refused(&self, workspace: WorkspaceId, error: &Error) {
        self.control.note_rejected(workspace, error.code().as_str(), 1);
    }

    async fn check_quota_and_rate(&self, caller: &Caller, workspace: WorkspaceId, route: Option<Route>) -> Result<()> {
        if let Some(quota) = caller.account.limits.monthly_events {
            self.check_quota(caller, quota).await?;
        }
        match route {
            Some(route) => self.limiter.take(workspace, route).map(drop),
            None => Ok(()),
        }
    }

    /// Refuses once the account's workspaces have taken in `quota` events this calendar month (UTC). A request that starts
    /// below the quota is taken whole.
    async fn check_quota(&self, caller: &Caller, quota: u64) -> Result<()> {
        let used = self.control.account_month_events(caller.account.id).await?;
        if used < quota {
            return Ok(());
        }
        Err(Error::new(Code::PlanLimit, format!("the account's quota of {quota} events this month is used up"))
            .with_details(json!({ "quota": quota, "used": used, "period": "month" })))
    }
}
