//! The known truth: what each campaign really brought about, beside what its platform claims.

use serde::Serialize;
use tributary_core::error::Result;
use tributary_core::money::format_micros;

use crate::demo::ads::CAMPAIGNS;
use crate::demo::generate::{Recipe, Site, generate};
use crate::demo::ledger::{Ledger, Sold};
use crate::demo::spend::{reports, spent_on};
use crate::output;

/// The shop's truth. Amounts are euros.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Truth {
    /// Workspace.
    pub workspace: &'static str,
    /// One row per campaign that runs.
    pub campaigns: Vec<CampaignTruth>,
    /// Orders that would have been without any ad.
    pub orders_anyway: u64,
    /// Their amounts.
    pub revenue_anyway: String,
    /// All orders.
    pub orders: u64,
    /// Their amounts.
    pub revenue: String,
}

/// What a campaign really brought about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CampaignTruth {
    /// The source's slug.
    pub source: &'static str,
    /// The platform's id of it.
    pub campaign_id: &'static str,
    /// Its name.
    pub campaign: &'static str,
    /// Visits it brought.
    pub visits: u64,
    /// Orders that would not have been without it.
    pub orders: u64,
    /// Their amounts.
    pub revenue: String,
    /// What it cost.
    pub spend: String,
    /// Orders its platform claims.
    pub reported_orders: u64,
    /// Their amounts.
    pub reported_revenue: String,
}

/// Lives the recipe's days through once more: the truth is nowhere stored, the recipe says it.
pub fn truth(recipe: &Recipe) -> Result<Truth> {
    let ledger = generate(Site::Shop, recipe, &mut |_| Ok(()))?;
    told_by(&ledger, recipe)
}

/// The truth a ledger tells.
pub fn told_by(ledger: &Ledger, recipe: &Recipe) -> Result<Truth> {
    let reports = reports(ledger, recipe)?;
    let (anyway, mut all) = (ledger.anyway(), ledger.anyway());
    let mut campaigns = Vec::new();
    for (campaign, place) in CAMPAIGNS.iter().zip(0_u8..).filter(|(campaign, _)| campaign.runs()) {
        let (caused, claimed) = (ledger.caused_by(place), ledger.claims_of(place));
        all = Sold { orders: all.orders + caused.orders, micros: all.micros + caused.micros };
        campaigns.push(CampaignTruth {
            source: campaign.platform.account().source,
            campaign_id: campaign.id,
            campaign: campaign.name,
            visits: ledger.visits_of(place),
            orders: caused.orders,
            revenue: euros(caused.micros),
            spend: euros(spent_on(&reports, place)),
            reported_orders: claimed.orders,
            reported_revenue: euros(claimed.micros),
        });
    }
    Ok(Truth {
        workspace: Site::Shop.profile().slug,
        campaigns,
        orders_anyway: anyway.orders,
        revenue_anyway: euros(anyway.micros),
        orders: all.orders,
        revenue: euros(all.micros),
    })
}

/// Rounded to the cent.
fn euros(micros: i128) -> String {
    format_micros((micros + 5_000).div_euclid(10_000) * 10_000)
}

/// Shows it as a table.
pub fn show(truth: &Truth) -> Result<()> {
    let header = ["source", "campaign", "visits", "orders", "revenue", "spend", "reported orders", "reported revenue"];
    let text = |cells: [&str; 3]| cells.map(str::to_owned);
    let mut rows: Vec<Vec<String>> = Vec::new();
    for row in &truth.campaigns {
        let numbers = [row.visits.to_string(), row.orders.to_string(), row.revenue.clone(), row.spend.clone()];
        let reported = [row.reported_orders.to_string(), row.reported_revenue.clone()];
        rows.push([row.source.to_owned(), row.campaign.to_owned()].into_iter().chain(numbers).chain(reported).collect());
    }
    rows.push(
        text(["", "without any ad", ""])
            .into_iter()
            .chain([truth.orders_anyway.to_string(), truth.revenue_anyway.clone()])
            .collect(),
    );
    rows.push(text(["", "all", ""]).into_iter().chain([truth.orders.to_string(), truth.revenue.clone()]).collect());
    for row in &mut rows {
        row.resize(header.len(), String::new());
    }
    output::table(&header, &rows)?;
    output::remark("orders and revenue (EUR) that would not have been without the campaign; reported: what its platform claims");
    Ok(())
}
