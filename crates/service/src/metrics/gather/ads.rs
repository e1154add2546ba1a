//! What ads cost, how often they were seen, and what the platforms claim.

use std::collections::BTreeMap;

use tributary_control::{AdDimension, AdQuestion, AdSelection, ClaimSum, SpendSum};
use tributary_core::ads::ClaimRule;
use tributary_core::error::Result;
use tributary_core::money::Currency;

use super::super::catalogue::Measure;
use super::super::dimension::{Attribute, Level};
use super::super::facts::Facts;
use super::super::plan::Plan;
use super::super::value::Missing;
use crate::service::Service;

const DELIVERY: [Measure; 4] = [Measure::Spend, Measure::Impressions, Measure::Clicks, Measure::LinkClicks];
const CLAIMED: [Measure; 2] = [Measure::ReportedPurchases, Measure::ReportedRevenue];

/// What platforms call purchases, the best name first: where one claims under several, those overlap and only the first counts.
const PURCHASES: [&str; 8] = [
    "purchase",
    "omni_purchase",
    "offsite_conversion.fb_pixel_purchase",
    "complete_payment",
    "conversions",
    "conversion",
    "all_conversions",
    "website_conversions",
];

/// A platform's own setting, which its exports do not state.
const DEFAULT_RULE: &str = "default";

impl Service {
    /// Adds spend, delivery and claims, where what is grouped and filtered by is something of a day of spend.
    pub(super) async fn gather_ads(&self, plan: &Plan<'_>, facts: &mut Facts) -> Result<()> {
        let wants = |measures: &[Measure]| measures.iter().any(|measure| plan.measures.contains(measure));
        let (wants_delivery, wants_claims) = (wants(&DELIVERY), wants(&CLAIMED));
        if !wants_delivery && !wants_claims {
            return Ok(());
        }
        let why = plan
            .attributes
            .iter()
            .find(|attribute| !attribute.is_of_spend())
            .map(|other| format!("ad platforms do not report by {other}"));
        let why = why.or_else(|| {
            let is_of_people = !plan.slice.filters.is_empty();
            is_of_people.then(|| String::from("ad platforms do not report by what is known of contacts"))
        });
        if let Some(reason) = why {
            for measure in DELIVERY.into_iter().chain(CLAIMED).filter(|measure| plan.measures.contains(measure)) {
                facts.missing.insert(measure, Missing::Unknown(reason.clone().into()));
            }
            return Ok(());
        }
        let question = AdQuestion {
            from: plan.days.period.start,
            to: plan.days.period.past()?,
            by: grouped(&plan.attributes),
            only: AdSelection::default(),
            default_currency: plan.access.workspace.currency,
        };
        let target = plan.access.workspace.currency;
        if wants_delivery {
            let converted = self.control.sum_ad_spend_in(&plan.access.scope, &question, target).await?;
            for sum in converted.sums {
                add_delivery(plan, facts, &sum, target)?;
            }
        }
        if wants_claims {
            // A platform's best name is chosen for all of its rows alike: by the source, whatever is grouped by.
            let mut question = question;
            question.by.push(AdDimension::Source);
            let converted = self.control.sum_ad_claims_in(&plan.access.scope, &question, target).await?;
            add_claims(plan, facts, converted.sums, target)?;
        }
        Ok(())
    }
}

/// What days of spend are told apart by.
fn grouped(attributes: &[Attribute]) -> Vec<AdDimension> {
    let of = |attribute: &Attribute| match attribute {
        Attribute::Time(_) => Some(AdDimension::Date),
        Attribute::Source => Some(AdDimension::Source),
        Attribute::AdId(level) | Attribute::AdName(level) => Some(match level {
            Level::Account => AdDimension::Account,
            Level::Campaign => AdDimension::Campaign,
            Level::AdSet => AdDimension::AdSet,
            Level::Ad => AdDimension::Ad,
        }),
        Attribute::Visit(_) | Attribute::Profile(_) => None,
    };
    attributes.iter().filter_map(of).collect()
}

fn add_delivery(plan: &Plan<'_>, facts: &mut Facts, sum: &SpendSum, target: Currency) -> Result<()> {
    let key = plan.key_of_spend(&sum.group);
    let counts = [(Measure::Impressions, sum.impressions), (Measure::Clicks, sum.clicks), (Measure::LinkClicks, sum.link_clicks)];
    for (measure, count) in counts.into_iter().filter(|(measure, _)| plan.measures.contains(measure)) {
        match count {
            Some(count) => facts.add(&key, measure, i128::from(count))?,
            None => facts.note_unreported(&key, measure),
        }
    }
    if plan.measures.contains(&Measure::Spend) {
        add_money(plan, facts, &key, (Measure::Spend, sum.currency, sum.spend_micros), target)?;
    }
    Ok(())
}

fn add_claims(plan: &Plan<'_>, facts: &mut Facts, sums: Vec<ClaimSum>, target: Currency) -> Result<()> {
    let mut best: BTreeMap<String, (usize, ClaimRule)> = BTreeMap::new();
    for sum in &sums {
        let Some(rank) = rank(&sum.rule) else { continue };
        let source = sum.group.source.clone().unwrap_or_default();
        let held = best.entry(source).or_insert_with(|| (rank, sum.rule.clone()));
        if rank < held.0 {
            *held = (rank, sum.rule.clone());
        }
    }
    for sum in sums {
        let source = sum.group.source.clone().unwrap_or_default();
        if best.get(&source).is_none_or(|(_, rule)| *rule != sum.rule) {
            continue;
        }
        let key = plan.key_of_spend(&sum.group);
        if plan.measures.contains(&Measure::ReportedPurchases) {
            match sum.conversions_micros {
                Some(micros) => facts.add(&key, Measure::ReportedPurchases, micros)?,
                None => facts.note_unreported(&key, Measure::ReportedPurchases),
            }
        }
        if plan.measures.contains(&Measure::ReportedRevenue) {
            match sum.value_micros {
                Some(micros) => add_money(plan, facts, &key, (Measure::ReportedRevenue, sum.currency, micros), target)?,
                None => facts.note_unreported(&key, Measure::ReportedRevenue),
            }
        }
    }
    for (source, (_, ClaimRule { event, window, model })) in best {
        facts.notes.insert(format!("reported figures of {source} are its `{event}`, window {window}, model {model}"));
    }
    Ok(())
}

/// The lower, the better a rule tells purchases.
fn rank(rule: &ClaimRule) -> Option<usize> {
    let name = PURCHASES.iter().position(|name| rule.event.eq_ignore_ascii_case(name))?;
    let is_own = |setting: &str| usize::from(setting != DEFAULT_RULE);
    Some(name * 4 + is_own(&rule.window) * 2 + is_own(&rule.model))
}

fn add_money(
    plan: &Plan<'_>,
    facts: &mut Facts,
    key: &[Option<String>],
    (measure, currency, micros): (Measure, Currency, i128),
    target: Currency,
) -> Result<()> {
    if currency == target {
        return facts.add(key, measure, micros);
    }
    if plan.passes(key) {
        let apart = facts.left_apart.entry((currency.to_string(), measure)).or_default();
        *apart = apart.plus(micros).unwrap_or(*apart);
    }
    facts.note_apart(key, measure);
    Ok(())
}
