//! The metrics, each declared once: slug, label, category, unit, definition in words, and what it is computed from.

use std::borrow::Cow;
use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::Serialize;
use tributary_control::Conversions;
use tributary_core::conversion::ConversionType;

use super::formula::{Fault, Formula};
use super::unit::Unit;
use super::user_defined::UserDefined;
use crate::nearest::nearest;

/// A metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// The name callers use.
    pub slug: Cow<'static, str>,
    /// The name people read; accepted wherever the slug is.
    pub label: Cow<'static, str>,
    /// Where it stands in lists.
    pub category: Category,
    /// What its number is a number of.
    pub unit: Unit,
    /// What it means.
    pub definition: Cow<'static, str>,
    /// What it is computed from.
    pub computed: Computed,
}

/// What a metric is computed from.
#[derive(Clone, Debug, PartialEq)]
pub enum Computed {
    /// Something counted or summed.
    Measure(Measure),
    /// Other metrics, by slug.
    Formula(Formula),
}

/// Where a metric stands in lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Category {
    /// What ads cost and how often they were seen.
    SpendAndDelivery,
    /// Rates and unit costs.
    RatesAndCosts,
    /// Revenue and return.
    RevenueAndReturn,
    /// What ad platforms claim for themselves, and how that compares.
    RealVersusReported,
    /// People and their visits.
    Traffic,
    /// Counts, amounts and costs of each conversion.
    Conversions,
    /// Formulas of the workspace.
    UserDefined,
}

/// Something counted or summed, once per answer row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Measure {
    /// Ad spend.
    Spend,
    /// Times ads were shown.
    Impressions,
    /// Clicks as platforms count them.
    Clicks,
    /// Clicks that lead to the advertiser's page.
    LinkClicks,
    /// Purchases the platforms claim.
    ReportedPurchases,
    /// Their value.
    ReportedRevenue,
    /// Credited conversions of a type.
    Count(ConversionType),
    /// Credited amounts of a type.
    Amount(ConversionType),
    /// Credited amounts of every type that counts as gross revenue.
    GrossRevenue,
    /// Refunds.
    Refunds,
    /// What was refunded.
    RefundAmount,
    /// Gross revenue, up to now, of what the period's touches led to.
    LifetimeRevenue,
    /// Distinct people who visited.
    Visitors,
    /// Their sessions.
    Sessions,
}

impl Measure {
    /// The slug of the metric that is this measure.
    pub fn slug(self) -> String {
        match self {
            Measure::Count(of_type) => of_type.to_string(),
            Measure::Amount(of_type) => format!("{of_type}_amount"),
            fixed => {
                let is_it = |entry: &&Entry| matches!(&entry.of, Of::Measure(measure) if *measure == fixed);
                ENTRIES.iter().find(is_it).map_or_else(String::new, |entry| entry.slug.to_owned())
            }
        }
    }
}

/// The name of the event that takes an order's money back; see `docs/conversions.md`.
pub const REFUND_EVENT: &str = "refund";

struct Entry {
    slug: &'static str,
    label: &'static str,
    category: Category,
    unit: Unit,
    of: Of,
    definition: &'static str,
}

enum Of {
    Measure(Measure),
    Formula(&'static str),
}

macro_rules! metrics {
    ($($slug:literal $label:literal $category:ident $unit:ident $kind:ident($of:expr) $definition:literal;)*) => {
        const ENTRIES: &[Entry] = &[$(Entry {
            slug: $slug, label: $label, category: Category::$category, unit: Unit::$unit, of: Of::$kind($of), definition: $definition,
        }),*];
    };
}

metrics! {
    "amount_spent" "Amount Spent" SpendAndDelivery Currency Measure(Measure::Spend)
        "Ad spend, as the platforms report it for the days in each ad account's own zone.";
    "impressions" "Impressions" SpendAndDelivery Number Measure(Measure::Impressions)
        "Times ads were shown.";
    "clicks" "Clicks (All)" SpendAndDelivery Number Measure(Measure::Clicks)
        "All clicks on ads, as the platform counts them.";
    "link_clicks" "Link Clicks" SpendAndDelivery Number Measure(Measure::LinkClicks)
        "Clicks on ads that lead to the advertiser's page.";
    "cpm" "CPM" RatesAndCosts Currency Formula("amount_spent * 1000 / impressions")
        "Cost per 1,000 impressions.";
    "cpc" "CPC" RatesAndCosts Currency Formula("amount_spent / clicks")
        "Average cost per click.";
    "cpc_link" "CPC (Link Click)" RatesAndCosts Currency Formula("amount_spent / link_clicks")
        "Average cost per link click.";
    "ctr" "CTR (All)" RatesAndCosts Percent Formula("clicks / impressions")
        "Click-through rate: clicks per impression.";
    "ctr_link" "CTR (Link Click)" RatesAndCosts Percent Formula("link_clicks / impressions")
        "Link clicks per impression.";
    "cvr" "CVR (All Clicks)" RatesAndCosts Percent Formula("purchase / clicks")
        "Conversion rate: credited purchases per click.";
    "cvr_link" "CVR (Link Clicks)" RatesAndCosts Percent Formula("purchase / link_clicks")
        "Credited purchases per link click.";
    "spread" "Spread" RatesAndCosts Currency Formula("cost_per_purchase - average_order_value")
        "Cost per purchase minus average order value: above zero, a purchase costs more than it brings.";
    "gross_revenue" "Gross Revenue" RevenueAndReturn Currency Measure(Measure::GrossRevenue)
        "Credited order revenue after discounts: purchases, upsells, and custom events that are set to count. Refunds are not taken off.";
    "net_revenue" "Net Revenue" RevenueAndReturn Currency Formula("gross_revenue - refund_amount")
        "Gross revenue minus refunds.";
    "net_profit" "Net Profit" RevenueAndReturn Currency Formula("gross_revenue - amount_spent")
        "Gross revenue minus ad spend. Cost of goods is not known and never included.";
    "roas" "ROAS" RevenueAndReturn Number Formula("gross_revenue / amount_spent")
        "Return on ad spend: gross revenue per unit of spend.";
    "roi" "ROI" RevenueAndReturn Percent Formula("( gross_revenue - amount_spent ) / amount_spent")
        "Return on investment: net profit per unit of spend.";
    "average_order_value" "Average Order Value" RevenueAndReturn Currency Formula("purchase_amount / purchase")
        "Revenue of purchases per purchase.";
    "ltv" "LTV" RevenueAndReturn Currency Measure(Measure::LifetimeRevenue)
        "Lifetime value: gross revenue up to now, without a window, of the people whose touches lie in the period, dated by the touch.";
    "refunds" "Refunds" RevenueAndReturn Number Measure(Measure::Refunds)
        "Credited refunds. A refund of a known order is dated like the order and credited to the same touches.";
    "refund_amount" "Refund Amount" RevenueAndReturn Currency Measure(Measure::RefundAmount)
        "What was refunded, credited like the order.";
    "reported_purchases" "Reported Purchases" RealVersusReported Number Measure(Measure::ReportedPurchases)
        "Purchases the ad platforms claim, under their own window and model.";
    "reported_revenue" "Reported Revenue" RealVersusReported Currency Measure(Measure::ReportedRevenue)
        "Value of the purchases the ad platforms claim.";
    "reported_roas" "Reported ROAS" RealVersusReported Number Formula("reported_revenue / amount_spent")
        "Reported revenue per unit of spend.";
    "real_revenue_vs_reported" "Real Revenue vs Reported" RealVersusReported Currency Formula("gross_revenue - reported_revenue")
        "Gross revenue minus what the platforms report: below zero, they claim more than was earned.";
    "real_purchases_vs_reported" "Real Purchases vs Reported" RealVersusReported Number Formula("purchase - reported_purchases")
        "Credited purchases minus those the platforms report.";
    "visitors" "Visitors" Traffic Number Measure(Measure::Visitors)
        "Distinct people with a visit in the period: visitors, contacts or companies, as the question counts.";
    "sessions" "Sessions" Traffic Number Measure(Measure::Sessions)
        "Distinct sessions with a visit in the period.";
    "visitor_conversion_rate" "Visitor Conversion Rate" Traffic Percent Formula("purchase / visitors")
        "Credited purchases per visitor.";
    "revenue_per_visitor" "Revenue per Visitor" Traffic Currency Formula("gross_revenue / visitors")
        "Gross revenue per visitor.";
}

/// Other names of metrics.
const ALIASES: [(&str, &str); 4] =
    [("cpa", "cost_per_purchase"), ("aov", "average_order_value"), ("spend", "amount_spent"), ("revenue", "gross_revenue")];

static FIXED: LazyLock<Vec<Metric>> = LazyLock::new(|| {
    let computed = |of: &Of| match of {
        Of::Measure(measure) => Computed::Measure(*measure),
        Of::Formula(text) => Computed::Formula(Formula::parse(text).expect("the catalogue's formulas read; a test holds it")),
    };
    let metric = |entry: &Entry| Metric {
        slug: Cow::Borrowed(entry.slug),
        label: Cow::Borrowed(entry.label),
        category: entry.category,
        unit: entry.unit,
        definition: Cow::Borrowed(entry.definition),
        computed: computed(&entry.of),
    };
    ENTRIES.iter().map(metric).collect()
});

/// The metrics of a workspace.
#[derive(Clone, Debug)]
pub struct Catalogue {
    metrics: Vec<Metric>,
}

impl Catalogue {
    /// The fixed metrics, three for each configured conversion, and the workspace's own.
    pub fn of(conversions: &Conversions, user_defined: &[UserDefined]) -> Catalogue {
        let mut metrics = FIXED.clone();
        for set in conversions.configured() {
            metrics.extend(metrics_of(set.conversion, conversions.label_of(set.conversion)));
        }
        metrics.extend(user_defined.iter().filter_map(UserDefined::metric));
        Catalogue { metrics }
    }

    /// All of them, the fixed ones first.
    pub fn metrics(&self) -> &[Metric] {
        &self.metrics
    }

    /// The metric with this slug.
    pub fn get(&self, slug: &str) -> Option<&Metric> {
        self.metrics.iter().find(|metric| metric.slug == slug)
    }

    /// The metric a caller names by slug, other name, or label in any case.
    ///
    /// Errors: what is known that looks like it.
    pub fn resolve(&self, name: &str) -> Result<&Metric, Fault> {
        let name = name.trim();
        let slug = ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, slug)| *slug);
        let by_slug = self.get(slug);
        let folded = name.to_lowercase();
        by_slug.or_else(|| self.metrics.iter().find(|metric| metric.label.to_lowercase() == folded)).ok_or_else(|| {
            let shown: String = name.chars().take(64).collect();
            let known: Vec<String> =
                self.metrics.iter().flat_map(|metric| [metric.slug.to_string(), metric.label.to_string()]).collect();
            let mut near: Vec<&str> = Vec::new();
            for like in nearest(name, &known) {
                let of = self.metrics.iter().find(|metric| metric.slug == like || metric.label == like);
                near.extend(of.map(|metric| metric.slug.as_ref()).filter(|slug| !near.contains(slug)));
            }
            let hint = if near.is_empty() {
                String::from("accepted: the slugs and labels of the metric catalogue")
            } else {
                format!("nearest: {}", near.join(", "))
            };
            Fault(format!("`{shown}` is no metric of this workspace; {hint}"))
        })
    }

    /// Every measure a metric needs.
    pub fn measures(&self, metric: &Metric) -> Vec<Measure> {
        match &metric.computed {
            Computed::Measure(measure) => vec![*measure],
            Computed::Formula(formula) => {
                formula.metrics().into_iter().filter_map(|slug| self.get(slug)).flat_map(|inner| self.measures(inner)).collect()
            }
        }
    }
}

/// Count, amount and unit cost of a conversion: `purchase`, `purchase_amount`, `cost_per_purchase`.
fn metrics_of(of_type: ConversionType, label: &str) -> [Metric; 3] {
    let slug = of_type.to_string();
    let metric = |slug: String, label: String, unit: Unit, definition: String, computed: Computed| Metric {
        slug: Cow::Owned(slug),
        label: Cow::Owned(label),
        category: Category::Conversions,
        unit,
        definition: Cow::Owned(definition),
        computed,
    };
    let cost = Formula::parse(&format!("amount_spent / {slug}")).expect("a slug is a metric's name");
    [
        metric(
            slug.clone(),
            label.to_owned(),
            Unit::Number,
            format!("Credited conversions of {label}."),
            Computed::Measure(Measure::Count(of_type)),
        ),
        metric(
            format!("{slug}_amount"),
            format!("{label} Amount"),
            Unit::Currency,
            format!("Credited amounts of {label}."),
            Computed::Measure(Measure::Amount(of_type)),
        ),
        metric(
            format!("cost_per_{slug}"),
            format!("Cost per {label}"),
            Unit::Currency,
            format!("Ad spend per credited {label}."),
            Computed::Formula(cost),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_formula_reads_fits_its_unit_and_names_metrics() {
        let catalogue = Catalogue::of(&Conversions::default(), &[]);
        let mut names = BTreeSet::new();
        for metric in catalogue.metrics() {
            assert!(names.insert(metric.slug.to_string()), "{} twice", metric.slug);
            assert!(names.insert(metric.label.to_string()), "{} twice", metric.label);
            if let Computed::Formula(formula) = &metric.computed {
                let unit_of = |slug: &str| catalogue.get(slug).map(|metric| metric.unit);
                assert_eq!(formula.check(metric.unit, &unit_of), Ok(()), "{}", metric.slug);
            }
            assert!(!catalogue.measures(metric).is_empty(), "{}", metric.slug);
        }
        for (alias, slug) in ALIASES {
            assert!(catalogue.get(alias).is_none() && catalogue.get(slug).is_some(), "{alias}");
        }
    }

    #[test]
    fn the_docs_define_every_metric() {
        let docs = include_str!("../../../../docs/metrics.md");
        for Entry { slug, label, unit, of, definition, .. } in ENTRIES {
            let made_of = match of {
                Of::Measure(_) => String::from("counted"),
                Of::Formula(formula) => format!("`{formula}`"),
            };
            let row = format!("| `{slug}` | {label} | {} | {definition} | {made_of} |", unit.as_str());
            assert!(docs.contains(&row), "docs/metrics.md lacks: {row}");
        }
    }

    #[test]
    fn metrics_are_found_by_slug_alias_and_label() {
        let catalogue = Catalogue::of(&Conversions::default(), &[]);
        let slug = |name: &str| catalogue.resolve(name).map(|metric| metric.slug.to_string()).map_err(|fault| fault.0);
        assert_eq!(slug("roas"), Ok("roas".into()));
        assert_eq!(slug("cpa"), Ok("cost_per_purchase".into()));
        assert_eq!(slug("amount spent"), Ok("amount_spent".into()));
        assert_eq!(slug("Lead Generated Amount"), Ok("lead_generated_amount".into()));
        assert!(slug("roass").is_err_and(|fault| fault.contains("nearest: roas")));
    }
}
