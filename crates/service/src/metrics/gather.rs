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
        if plan.model.may_exceed_total() && plan.filters.is_empty() {
            // Each conversion once: what its rows add up to is more.
            let mut once = Facts::default();
            self.gather_credit(&plan.of_totals(), &mut once).await?;
            facts.totals = once.sums.remove(&Vec::new()).unwrap_or_default();
            facts.left_apart = once.left_apart;
        }
        watermark = watermark.max(self.gather_visits(plan, &mut facts).await?);
        self.gather_ads(plan, &mut facts).await?;
        facts.sums.retain(|key, _| plan.passes(key));
        Ok((facts, watermark))
    }
}
