//! The shop's visits: looking, carting, paying, and the week in which phones could not pay.

use serde_json::Value;

use tributary_ingest::arrival::Arrival;

use crate::demo::dice::Dice;
use crate::demo::generate::Counters;
use crate::demo::ledger::{Cause, Note, Order};
use crate::demo::people::Person;
use crate::demo::setup::{COUNT_SLOT, PLAN_SLOT, SINCE_SLOT};
use crate::demo::visit::{Bought, Sent, Stage, Visit, Visitor, from_server};
use crate::demo::ways::Way;
use crate::demo::world::{Device, PRODUCTS, SHOP_COUNTRIES};

/// Days on which the payment page fails on phones: the demo's question with a known answer.
pub const BROKEN_PAYMENT_DAYS: std::ops::Range<usize> = 58..65;

/// Plays a visit of a person.
pub fn play(visit: &mut Visit<'_>, visitor: &mut Visitor, way: &Way, day: usize, counters: &mut Counters) {
    let quality = way.quality * visitor.ease() / 100 * if visitor.stage == Stage::Customer { 170 } else { 100 } / 100;
    visit.open_one_of(&["/", "/", "/sale", "/jackets", "/boots", "/guides/packing"]);
    if visit.dice.chance(340) {
        // Left after one page.
        return;
    }
    if visit.dice.chance(220) {
        visit.wait(5, 40);
        let results = visit.dice.between(0, 60);
        visit.send("search_performed", &[("results_count", Value::from(results))]);
    }
    let mut cart: Vec<(usize, u64)> = Vec::new();
    for _ in 0..visit.dice.between(1, 4) {
        visit.wait(6, 90);
        let product = visit.dice.below(PRODUCTS.len() as u64) as usize;
        let (id, category, cents) = PRODUCTS[product];
        visit.open(&format!("/p/{id}"));
        let facts = [("product_id", Value::from(id)), ("category", Value::from(category)), ("price_cents", Value::from(cents))];
        visit.send("product_viewed", &facts);
        if visit.dice.chance(35) {
            visit.send("wishlist_saved", &facts[..1]);
        }
        if visit.dice.below(100_000) < 170 * quality {
            visit.wait(8, 60);
            let quantity = if cents < 7_000 { visit.dice.between(1, 3) } else { 1 };
            visit.send("cart_filled", &[facts[0].clone(), ("quantity", Value::from(quantity)), facts[2].clone()]);
            cart.push((product, quantity));
        }
    }
    if visit.dice.chance(12) {
        visit.wait(5, 30);
        visit.send("newsletter_joined", &[("form", Value::from("footer"))]);
    }
    if cart.is_empty() {
        return;
    }
    // What they would do without any ad; the ads they have come by raise it.
    let will = (230 * quality / 100).clamp(80, 330);
    if let Some(cause) = visitor.seen.decide(will, visit.dice) {
        check_out(visit, visitor, &cart, day, cause, counters);
    }
}

fn check_out(
    visit: &mut Visit<'_>,
    visitor: &mut Visitor,
    cart: &[(usize, u64)],
    day: usize,
    cause: Cause,
    counters: &mut Counters,
) {
    let cents: u64 = cart.iter().map(|(product, quantity)| PRODUCTS[*product].2 * quantity).sum();
    let items: u64 = cart.iter().map(|(_, quantity)| quantity).sum();
    visit.wait(5, 60);
    visit.open("/cart");
    visit.wait(5, 40);
    visit.send("checkout_begun", &[("cart_value_cents", Value::from(cents)), ("item_count", Value::from(items))]);
    visit.wait(30, 240);
    let is_phone = visitor.agent().device == Device::Mobile;
    let fails = if is_phone && BROKEN_PAYMENT_DAYS.contains(&day) { 780 } else { 45 };
    if visit.dice.chance(fails) {
        let reason = if is_phone && BROKEN_PAYMENT_DAYS.contains(&day) { "challenge_timeout" } else { "card_declined" };
        visit.send("payment_failed", &[("reason", Value::from(reason))]);
        if !visit.dice.chance(200) {
            return;
        }
        visit.wait(20, 120);
    }
    if !visit.dice.chance((790 * visitor.ease() / 100).min(930)) {
        return;
    }
    let (country, currency, _) = SHOP_COUNTRIES[usize::from(visitor.country)];
    visitor.first_order.get_or_insert(visit.today());
    visitor.orders += 1;
    let is_new = visitor.user.is_none() && visit.dice.chance(650);
    if is_new {
        counters.users += 1;
        visitor.user = Some(counters.users);
        let mut traits = Person::customer(counters.users, country).traits();
        if visitor.alias.is_some() {
            // The address comes with the receipt: see below.
            traits.clear();
        }
        traits.push(("customer_group", Value::from("web")));
        traits.extend(standing(visitor));
        visit.sign_in(user_id(counters.users), &traits);
        visit.send("account_opened", &[]);
    }
    visit.open("/order/thanks");
    let method = *visit.dice.pick(&["card", "paypal", "invoice", "card"]);
    let shipping = if cents < 8_000 { 495 } else { 0 };
    counters.orders += 1;
    let order_id = Value::from(order_id(counters.orders));
    let bought = Bought { number: counters.orders, cents: cents + shipping, currency };
    visit.note = Some(Note::Ordered(Order { cause, cents: bought.cents, currency, clicks: visitor.seen.clicks() }));
    visit.send(
        "order_completed",
        &[
            ("amount_cents", Value::from(bought.cents)),
            ("currency", Value::from(currency)),
            ("order_id", order_id.clone()),
            ("item_count", Value::from(items)),
            ("payment_method", Value::from(method)),
            ("is_first_order", Value::from(visitor.stage != Stage::Customer)),
        ],
    );
    if visit.dice.chance(110) {
        visit.wait(5, 40);
        let kit = *visit.dice.pick(&[1_290_u64, 1_890, 2_490]);
        let facts = [("amount_cents", Value::from(kit)), ("currency", Value::from(currency)), ("order_id", order_id)];
        visit.send("upsell_accepted", &facts);
    }
    match visitor.alias {
        // They have an account on another device and opened a second one: one address makes the two one person.
        Some(owner) if is_new => visit.send("$identify", &Person::customer(owner, country).traits()),
        _ if !is_new && visit.is_signed_in() => visit.send("$identify", &standing(visitor)),
        _ => {}
    }
    visitor.last_order = Some(bought);
    visitor.stage = Stage::Customer;
}

/// What the shop knows of a customer, in the slots of contacts.
fn standing(visitor: &Visitor) -> Vec<(&'static str, Value)> {
    let plan = match visitor.orders {
        0..=1 => "Trail",
        2..=3 => "Summit",
        _ => "Expedition",
    };
    let since = visitor.first_order.map(|day| (SINCE_SLOT, Value::from(day.to_string())));
    [(PLAN_SLOT, Value::from(plan)), (COUNT_SLOT, Value::from(visitor.orders))].into_iter().chain(since).collect()
}

/// The parcel that comes back some days after an order, and mostly the money that goes the other way.
pub fn parcel_returned(dice: &mut Dice, template: &Arrival, visitor: &Visitor, at_us: i64, out: &mut Vec<Sent>) {
    let reason = *dice.pick(&["size", "not_as_expected", "late"]);
    let user = visitor.user.map(user_id);
    out.push(from_server(template, "parcel_returned", visitor.id(), user.clone(), at_us, &[("reason", Value::from(reason))]));
    let Some(bought) = visitor.last_order.filter(|_| dice.chance(850)) else { return };
    let facts = [
        ("amount_cents", Value::from(bought.cents)),
        ("currency", Value::from(bought.currency)),
        ("order_id", Value::from(order_id(bought.number))),
    ];
    let refunded_us = at_us + dice.between(60_000, 3_600_000) as i64 * 1_000;
    out.push(from_server(template, "refund", visitor.id(), user, refunded_us, &facts));
}

fn order_id(number: u32) -> String {
    format!("GG-{number:07}")
}

/// The customer's number as the shop writes it.
pub fn user_id(number: u32) -> String {
    format!("cust_{number:06}")
}
