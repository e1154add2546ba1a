//! What the two workspaces have saved: a metric of their own, segments, reports, a dashboard, so that nobody begins with an empty page.

use serde::Serialize;

use tributary_control::{Control, NewSaved, SavedKind};
use tributary_core::error::{Error, Result};
use tributary_core::scope::WorkspaceScope;
use tributary_service::metrics::question::MetricsQuestion;
use tributary_service::metrics::unit::Unit;
use tributary_service::metrics::user_defined::MetricDefinition;
use tributary_service::saved::dashboard::{COLUMNS, Card, DashboardDefinition};
use tributary_service::saved::report::{ReportDefinition, ReportType};
use tributary_service::saved::segment::{Behaviour, SegmentDefinition};

use crate::demo::generate::Site;

/// A report: name, chart, metrics, dimensions, days.
type Saved = (&'static str, ReportType, &'static [&'static str], &'static [&'static str], &'static str);

const SHOP: &[Saved] = &[
    ("ROAS by source", ReportType::Bar, &["roas", "gross_revenue", "amount_spent"], &["source"], "last_90_days"),
    ("Revenue and spend by week", ReportType::Line, &["gross_revenue", "amount_spent"], &["week"], "last_90_days"),
    (
        "Campaigns, real and reported",
        ReportType::Table,
        &["amount_spent", "purchase", "cpa", "reported_purchases", "real_purchases_vs_reported", "profit_margin"],
        &["source", "campaign_name"],
        "last_90_days",
    ),
    ("Net profit", ReportType::Kpi, &["net_profit"], &[], "last_30_days"),
];
const SAAS: &[Saved] = &[
    ("Trials by source", ReportType::Bar, &["start_trial", "purchase", "visitors"], &["source"], "last_90_days"),
    ("Revenue by month", ReportType::Column, &["gross_revenue"], &["month"], "last_90_days"),
];
const MARGIN: &str = "Profit Margin";
const DASHBOARD: &str = "Overview";

/// Saves it all. Doing it again changes nothing.
pub async fn save(control: &Control, scope: &WorkspaceScope, site: Site) -> Result<()> {
    let (reports, segment, event) = match site {
        Site::Shop => (SHOP, "Buyers of the last 30 days", "purchase"),
        Site::Saas => (SAAS, "Trials of the last 30 days", "start_trial"),
    };
    if site == Site::Shop {
        let margin = MetricDefinition {
            unit: Unit::Percent,
            expression: String::from("( gross_revenue - amount_spent ) / gross_revenue"),
        };
        put(control, scope, SavedKind::Metric, MARGIN, Some("profit_margin"), &margin).await?;
    }
    let behaviour = Behaviour { event: event.to_owned(), at_least: 1, within_days: Some(30), negated: false };
    let definition = SegmentDefinition { behaviours: vec![behaviour], ..SegmentDefinition::default() };
    put(control, scope, SavedKind::Segment, segment, None, &definition).await?;
    let mut cards = Vec::with_capacity(reports.len());
    for (name, chart, metrics, group_by, date_range) in reports {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let question = MetricsQuestion {
            date_range: (*date_range).to_owned(),
            attribution_model: String::from("last_touch"),
            attribution_window: 30,
            metrics: names(metrics),
            group_by: names(group_by),
            ..MetricsQuestion::default()
        };
        let definition = ReportDefinition { chart: *chart, question };
        let report_id = put(control, scope, SavedKind::Report, name, None, &definition).await?;
        cards.push(Card { report_id, width: COLUMNS / 2 });
    }
    put(control, scope, SavedKind::Dashboard, DASHBOARD, None, &DashboardDefinition { cards }).await.map(drop)
}

/// Saves one thing unless its name is there, and gives its id.
async fn put(
    control: &Control,
    scope: &WorkspaceScope,
    kind: SavedKind,
    name: &str,
    slug: Option<&str>,
    definition: &impl Serialize,
) -> Result<i64> {
    if let Some(there) = control.list_saved(scope, kind).await?.into_iter().find(|saved| saved.name == name) {
        return Ok(there.id.0);
    }
    let definition = serde_json::to_string(definition)
        .map_err(|error| Error::internal("a definition of the demo does not serialize").caused_by(error))?;
    let new = NewSaved { kind, name: name.to_owned(), slug: slug.map(str::to_owned), definition };
    Ok(control.create_saved(scope, new).await?.id.0)
}
