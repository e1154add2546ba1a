//! The platforms' reports on the shop's ads: entities, and per ad and day what was delivered, spent and claimed.

use jiff::ToSpan;
use jiff::civil::Date;
use tributary_core::ads::{AdBatch, AdDay, AdEntity, AdLevel, AdPath, Budget, BudgetPeriod, ClaimRow, ClaimRule, SpendRow};
use tributary_core::error::Result;
use tributary_core::money::Currency;

use crate::demo::ads::{CAMPAIGNS, Placement, Platform};
use crate::demo::dice::Dice;
use crate::demo::generate::Recipe;
use crate::demo::ledger::{Ledger, Sold};
use crate::demo::rates;

/// Micros of a hundredth.
const CENT: i64 = 10_000;

/// First and last day of the reports.
pub fn days(ledger: &Ledger, recipe: &Recipe) -> (Date, Date) {
    (ledger.day(recipe.from_us()), ledger.day(recipe.until_us - 1))
}

/// What the platforms report. Nobody advertises a demo without events.
///
/// Errors: none but those of currencies, which are constants.
pub fn reports(ledger: &Ledger, recipe: &Recipe) -> Result<AdBatch> {
    let mut batch = AdBatch { entities: entities()?, spend: Vec::new(), claims: Vec::new() };
    if recipe.events == 0 {
        return Ok(batch);
    }
    let mut dice = Dice::new(recipe.seed, "spend");
    let (first, last) = days(ledger, recipe);
    let running: Vec<Placement> = Placement::all().filter(|placement| placement.campaign().runs()).collect();
    for date in first.series(1.day()).take_while(|date| *date <= last) {
        for placement in &running {
            batch.spend.push(delivery(*placement, date, ledger.visits(*placement, date), &mut dice)?);
            let claimed = ledger.claims(*placement, date);
            if claimed.orders > 0 {
                batch.claims.push(claim(*placement, date, claimed)?);
            }
        }
    }
    Ok(batch)
}

/// A platform counts more clicks than visits arrive: some leave before the page is there.
fn delivery(placement: Placement, date: Date, visits: u64, dice: &mut Dice) -> Result<SpendRow> {
    let campaign = placement.campaign();
    let link_clicks = visits + dice.below(visits / 6 + 2);
    let clicks = link_clicks + dice.below(link_clicks / 3 + 2);
    let impressions = link_clicks * 10_000 / campaign.click_rate * dice.between(85, 115) / 100 + dice.between(40, 160);
    let cents = link_clicks * campaign.click_cents * dice.between(88, 112) / 100;
    Ok(SpendRow {
        day: day(placement, date),
        currency: Some(currency(campaign.platform)?),
        spend_micros: signed(cents) * CENT,
        impressions: Some(signed(impressions)),
        clicks: Some(signed(clicks)),
        link_clicks: Some(signed(link_clicks)),
    })
}

fn claim(placement: Placement, date: Date, claimed: Sold) -> Result<ClaimRow> {
    let account = placement.campaign().platform.account();
    let rate = i128::from(rates::into_euros(account.currency, date).parts());
    let one = i128::from(tributary_core::rate::Rate::ONE.parts());
    let micros = claimed.micros * one / rate / i128::from(CENT) * i128::from(CENT);
    Ok(ClaimRow {
        day: day(placement, date),
        rule: ClaimRule { event: "purchase".to_owned(), window: account.window.to_owned(), model: "click_and_view".to_owned() },
        currency: Some(currency(placement.campaign().platform)?),
        conversions_micros: Some(signed(claimed.orders) * 1_000_000),
        value_micros: Some(i64::try_from(micros).unwrap_or(i64::MAX)),
    })
}

fn day(placement: Placement, date: Date) -> AdDay {
    let source = placement.campaign().platform.account().source.to_owned();
    AdDay { source, level: AdLevel::Ad, path: path(placement), date, cut: None }
}

fn path(placement: Placement) -> AdPath {
    let campaign = placement.campaign();
    AdPath {
        account: Some(campaign.platform.account().id.to_owned()),
        campaign: Some(campaign.id.to_owned()),
        ad_set: Some(placement.ad_set().id.to_owned()),
        ad: Some(placement.ad().0.to_owned()),
        keyword: None,
    }
}

fn entities() -> Result<Vec<AdEntity>> {
    let mut entities = Vec::new();
    for platform in Platform::ALL {
        let account = platform.account();
        let path = AdPath { account: Some(account.id.to_owned()), ..AdPath::default() };
        let of_account = AdEntity {
            name: Some(account.name.to_owned()),
            currency: Some(currency(platform)?),
            ..AdEntity::at(account.source, AdLevel::Account, path)
        };
        entities.push(of_account);
    }
    for placement in Placement::all() {
        let (campaign, ad_set) = (placement.campaign(), placement.ad_set());
        let status = Some(campaign.status.to_owned());
        let at = |level: AdLevel, name: &str| AdEntity {
            name: Some(name.to_owned()),
            status: status.clone(),
            ..AdEntity::at(campaign.platform.account().source, level, path(placement).up_to(level))
        };
        if placement.ad == 0 && placement.ad_set == 0 {
            let budget = Budget { micros: campaign.budget_cents * CENT, period: BudgetPeriod::Daily };
            entities.push(AdEntity { budget: Some(budget), ..at(AdLevel::Campaign, campaign.name) });
        }
        if placement.ad == 0 {
            entities.push(at(AdLevel::AdSet, ad_set.name));
        }
        entities.push(at(AdLevel::Ad, placement.ad().1));
    }
    Ok(entities)
}

fn currency(platform: Platform) -> Result<Currency> {
    platform.account().currency.parse()
}

/// Counts and cents of a demo are far below the bound.
fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// What was spent on a campaign, in euros, micros.
pub fn spent_on(reports: &AdBatch, campaign: u8) -> i128 {
    let id = CAMPAIGNS[usize::from(campaign)].id;
    let of_campaign = reports.spend.iter().filter(|row| row.day.path.campaign.as_deref() == Some(id));
    let sum = of_campaign.fold(tributary_core::rate::ExactSum::default(), |sum, row| {
        let code = row.currency.map_or_else(String::new, |currency| currency.to_string());
        sum.plus_at(i128::from(row.spend_micros), rates::into_euros(&code, row.day.date)).unwrap_or(sum)
    });
    sum.micros()
}
