//! The software's visits: reading prices, trying, working with it week after week, paying.

use serde_json::Value;

use tributary_ingest::arrival::Arrival;

use crate::demo::generate::Counters;
use crate::demo::people::Person;
use crate::demo::setup::{COUNT_SLOT, PLAN_SLOT, SINCE_SLOT};
use crate::demo::visit::{Sent, Stage, Visit, Visitor, from_server};
use crate::demo::ways::Way;
use crate::demo::world::{Device, PLANS, SAAS_COUNTRIES};

/// Plays a visit of somebody without an account.
pub fn play_stranger(visit: &mut Visit<'_>, visitor: &mut Visitor, way: &Way, counters: &mut Counters) {
    visit.open_one_of(&["/", "/", "/features", "/blog/late-payments", "/integrations"]);
    if visit.dice.chance(420) {
        return;
    }
    for _ in 0..visit.dice.between(0, 3) {
        visit.wait(10, 120);
        visit.open_one_of(&["/features", "/customers", "/docs", "/integrations", "/blog/cash-flow"]);
    }
    if visit.dice.chance(120) {
        visit.wait(5, 30);
        let share = visit.dice.between(5, 100) as f64 / 100.0;
        visit.send("tour_played", &[("watched_share", Value::from(share))]);
    }
    if !visit.dice.chance((360 * way.quality / 100).min(800)) {
        return;
    }
    visit.wait(10, 90);
    visit.open("/pricing");
    visit.send("pricing_viewed", &[]);
    let ease = if visitor.agent().device == Device::Mobile { 55 } else { 115 };
    if !visit.dice.chance((210 * way.quality * ease / 10_000).min(700)) {
        return;
    }
    visit.wait(20, 200);
    visit.open("/start");
    counters.users += 1;
    visitor.user = Some(counters.users);
    visitor.stage = Stage::Member;
    visitor.plan = visit.dice.weighted(PLANS.iter().map(|plan| plan.2)) as u8;
    let (plan, cents, _) = PLANS[usize::from(visitor.plan)];
    let mut traits = Person::colleague(counters.users, SAAS_COUNTRIES[usize::from(visitor.country)].0).traits();
    traits.extend([
        ("plan", Value::from(plan)),
        (PLAN_SLOT, Value::from(plan)),
        (COUNT_SLOT, Value::from(cents / 100)),
        (SINCE_SLOT, Value::from(visit.today().to_string())),
    ]);
    visit.sign_in(user_id(counters.users), &traits);
    visit.send("trial_begun", &[("plan", Value::from(plan))]);
    work(visit, 1);
}

/// Plays a visit of somebody with an account. Answers whether they have just become a customer.
pub fn play_member(visit: &mut Visit<'_>, visitor: &mut Visitor) -> Paid {
    visit.open("/app");
    let tasks = visit.dice.between(1, 5);
    work(visit, tasks);
    if visitor.stage == Stage::Member && visit.dice.chance(130) {
        let (plan, cents, _) = PLANS[usize::from(visitor.plan)];
        visit.wait(15, 120);
        visit.open("/app/billing");
        visit.send(
            "plan_paid",
            &[
                ("amount_cents", Value::from(cents)),
                ("currency", Value::from("USD")),
                ("plan", Value::from(plan)),
                ("period", Value::from("month")),
            ],
        );
        visitor.stage = Stage::Customer;
        return Paid::Now;
    }
    Paid::No
}

/// Whether a visit ended in a first payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paid {
    /// It did.
    Now,
    /// It did not.
    No,
}

fn work(visit: &mut Visit<'_>, tasks: u64) {
    for _ in 0..tasks {
        visit.wait(15, 180);
        match visit.dice.below(10) {
            0 => {
                visit.open("/app/integrations");
                let kind = *visit.dice.pick(&["bank", "payroll", "shop", "tax"]);
                visit.send("integration_connected", &[("kind", Value::from(kind))]);
            }
            1..=4 => {
                visit.open("/app/invoices");
                let cents = visit.dice.between(40, 4_000) * 100;
                visit.send("invoice_issued", &[("invoice_total_cents", Value::from(cents))]);
            }
            5 => visit.send("colleague_invited", &[]),
            _ => {
                visit.open("/app/reports");
                let rows = visit.dice.between(10, 900);
                visit.send("report_opened", &[("row_count", Value::from(rows))]);
            }
        }
    }
}

/// A month later: the server charges again, or the customer has left.
pub fn renewal(template: &Arrival, visitor: &Visitor, at_us: i64) -> Sent {
    let (plan, cents, _) = PLANS[usize::from(visitor.plan)];
    from_server(
        template,
        "plan_renewed",
        visitor.id(),
        visitor.user.map(user_id),
        at_us,
        &[
            ("amount_cents", Value::from(cents)),
            ("currency", Value::from("USD")),
            ("plan", Value::from(plan)),
            ("period", Value::from("month")),
        ],
    )
}

/// The account's number as the software writes it.
pub fn user_id(number: u32) -> String {
    format!("user_{number:06}")
}
