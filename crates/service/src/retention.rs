//! Retention: events older than an account's plan keeps them expire.

use tributary_boxed::boxed;
use tributary_control::Account;
use tributary_core::error::Result;
use tributary_core::time::DAY_US;

use crate::service::Service;

/// What a round covered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retained {
    /// Workspaces whose old events are gone from answers.
    pub applied: usize,
    /// Workspaces where that failed; the log says why. The next round tries again.
    pub failed: usize,
}

impl Service {
    /// Lets the events of every account with a retention expire that are older than it. Whole days in UTC: with 30 days, the
    /// events of today and of the 30 days before stay.
    ///
    /// Errors: what the control plane answers when it cannot be read.
    #[boxed]
    pub async fn apply_retention(&self) -> Result<Retained> {
        let mut round = Retained::default();
        for account in self.control.list_accounts().await? {
            if let Some(days) = account.limits.retention_days {
                self.expire_account(&account, days, &mut round).await?;
            }
        }
        Ok(round)
    }

    async fn expire_account(&self, account: &Account, days: u32, round: &mut Retained) -> Result<()> {
        let today_us = self.clock.now_us().div_euclid(DAY_US).saturating_mul(DAY_US);
        let before_us = today_us.saturating_sub(i64::from(days).saturating_mul(DAY_US));
        for workspace in self.control.list_workspaces(Some(account.id)).await? {
            let access = self.control.operator_access(workspace.id).await?;
            match self.events.expire(&access.scope, before_us).await {
                Ok(()) => round.applied += 1,
                Err(error) => {
                    round.failed += 1;
                    tracing::error!(workspace.id = %workspace.id, days, error = %error.chain(), "old events could not expire");
                }
            }
        }
        Ok(())
    }
}
