//! Asks the engine and the control plane for everything a plan needs, and adds it up.

mod ads;
mod credit;
mod visits;

use tributary_core::error::Result;

use super::facts::Facts;
use super::plan::Plan;
use crate::service::Service;

impl Service {
    /// Everything a plan needs, and the watermark of the events it was told from.
    pub(super) async fn gather(&self, plan: &Plan<'_>) -> Result<(Facts, u64)> {
        let mut facts = Facts::default();
        let mut watermark = self.gather_credit(plan, &mut facts).await?;
        watermark = watermark.max(self.gather_visits(plan, &mut facts).await?);
        self.gather_ads(plan, &mut facts).await?;
        facts.sums.retain(|key, _| plan.passes(key));
        Ok((facts, watermark))
    }
}
