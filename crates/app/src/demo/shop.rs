//! The shop's visits: looking, carting, paying, and the week in which phones could not pay.

use serde_json::Value;

use crate::demo::dice::Dice;
use crate::demo::visit::{Sent, Stage, Visit, Visitor, from_server};
use crate::demo::world::{Device, PRODUCTS, SHOP_COUNTRIES, Way};

/// Days on which the payment page fails on phones: the demo's question with a known answer.
pub const BROKEN_PAYMENT_DAYS: std::ops::Range<usize> = 58..65;

/// Plays a visit of a person.
pub fn play(visit: &mut Visit<'_>, visitor: &mut Visitor, way: &Way, day: usize, next_user: &mut u32) {
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
        if visit.dice.below(100_000) < 110 * quality {
            visit.wait(8, 60);
            let quantity = if cents < 7_000 { visit.dice.between(1, 3) } else { 1 };
            visit.send("cart_filled", &[facts[0].clone(), ("quantity", Value::from(quantity)), facts[2].clone()]);
            cart.push((product, quantity));
        }
    }
    if !cart.is_empty() && visit.dice.chance((430 * quality / 100).clamp(150, 850)) {
        check_out(visit, visitor, &cart, day, next_user);
    }
}

fn check_out(visit: &mut Visit<'_>, visitor: &mut Visitor, cart: &[(usize, u64)], day: usize, next_user: &mut u32) {
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
    if !visit.dice.chance((690 * visitor.ease() / 100).min(880)) {
        return;
    }
    if visitor.user.is_none() && visit.dice.chance(650) {
        *next_user += 1;
        visitor.user = Some(*next_user);
        visit.sign_in(user_id(*next_user), &[("customer_group", Value::from("web"))]);
    }
    visit.open("/order/thanks");
    let currency = SHOP_COUNTRIES[usize::from(visitor.country)].1;
    let method = *visit.dice.pick(&["card", "paypal", "invoice", "card"]);
    let shipping = if cents < 8_000 { 495 } else { 0 };
    visit.send(
        "order_completed",
        &[
            ("amount_cents", Value::from(cents + shipping)),
            ("currency", Value::from(currency)),
            ("item_count", Value::from(items)),
            ("payment_method", Value::from(method)),
            ("is_first_order", Value::from(visitor.stage != Stage::Customer)),
        ],
    );
    visitor.stage = Stage::Customer;
}

/// The parcel that comes back, some days after an order.
pub fn parcel_returned(dice: &mut Dice, template: &tributary_ingest::arrival::Arrival, visitor: &Visitor, at_us: i64) -> Sent {
    let reason = *dice.pick(&["size", "not_as_expected", "late"]);
    from_server(template, "parcel_returned", visitor.id(), visitor.user.map(user_id), at_us, &[("reason", Value::from(reason))])
}

/// The customer's number as the shop writes it.
pub fn user_id(number: u32) -> String {
    format!("cust_{number:06}")
}
