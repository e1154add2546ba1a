//! Payloads as platforms send them, cut to what matters, and what rules make of them.

use serde_json::json;

use super::*;

fn rule(given: Value) -> WebhookRule {
    let mut problems = Problems::new();
    let rule = WebhookRule::read(given.as_object().unwrap(), "rule", &mut problems);
    problems.check(Code::InvalidPayload).unwrap();
    rule.unwrap()
}

fn body(rule: &WebhookRule, payload: &Value) -> Value {
    Value::Object(apply(ConversionType::PURCHASE, rule, payload).unwrap().expect("the conditions hold").body)
}

/// What is wrong, by field.
fn problems(rule: &WebhookRule, payload: &Value) -> Value {
    apply(ConversionType::PURCHASE, rule, payload).unwrap_err().details().unwrap()["fieldErrors"].clone()
}

/// The parts of a Shopify `orders/paid` that rules commonly read.
fn shopify_order() -> Value {
    json!({
        "id": 5_678_901_234_567_i64,
        "name": "#1001",
        "email": "ann@acme.com",
        "created_at": "2026-05-03T10:15:00-04:00",
        "currency": "USD",
        "total_price": "1234.10",
        "source_name": "web",
        "test": false,
        "phone": null,
        "browser_ip": "203.0.113.7",
        "customer": { "first_name": "Ann", "last_name": "Example", "phone": "" },
        "note_attributes": [{ "name": "gift", "value": "no" }, { "name": "comet_token", "value": "v-17" }],
        "line_items": [{ "sku": "TEA-1", "quantity": 2 }, { "sku": "CUP-9", "quantity": 1 }],
        "discount_codes": ["MAY", "VIP"]
    })
}

#[test]
fn a_shopify_order_becomes_a_purchase() {
    let rule = rule(json!({
        "endpoint": 1,
        "conditions": [
            { "path": "source_name", "operator": "equal_to", "value": "Web" },
            { "path": "test", "operator": "not_equal_to", "value": true }
        ],
        "fields": {
            "email": { "path": "email" },
            "first_name": { "path": "customer.first_name" },
            "phone": { "path": "customer.phone" },
            "comet_token": { "path": "note_attributes.name=comet_token.value" },
            "ip": { "path": "browser_ip" },
            "amount": { "path": "total_price", "required": true },
            "currency": { "path": "currency" },
            "order_id": { "path": "id", "required": true },
            "order_name": { "path": "name" },
            "event_time": { "path": "created_at" },
            "idempotency_key": { "path": "id" },
            "profile_field_1": { "path": "line_items.0.sku" },
            "comet_source": { "value": "shopify" },
            "is_upsell": { "value": false }
        }
    }));
    let expected = json!({
        "event_name": "purchase",
        "amount": "1234.10",
        "comet_source": "shopify",
        "comet_token": "v-17",
        "currency": "USD",
        "email": "ann@acme.com",
        "event_time": "2026-05-03T10:15:00-04:00",
        "first_name": "Ann",
        "idempotency_key": "5678901234567",
        "ip": "203.0.113.7",
        "is_upsell": false,
        "order_id": "5678901234567",
        "order_name": "#1001",
        "profile_field_1": "TEA-1"
    });
    assert_eq!(body(&rule, &shopify_order()), expected);
    let mut draft = shopify_order();
    draft["source_name"] = json!("pos");
    assert_eq!(apply(ConversionType::PURCHASE, &rule, &draft).unwrap(), None);
    let mut broken = shopify_order();
    broken["total_price"] = json!("free");
    broken["id"] = json!(null);
    broken["currency"] = json!(840);
    let told = problems(&rule, &broken);
    let names: Vec<&String> = told.as_object().unwrap().keys().collect();
    assert_eq!(names, ["amount", "currency", "order_id"], "every field at once: {told}");
}

#[test]
fn a_stripe_charge_in_cents() {
    let rule = rule(json!({
        "fields": {
            "email": { "path": "data.object.billing_details.email" },
            "amount": { "path": "data.object.amount", "divide_by": 100, "required": true },
            "currency": { "path": "data.object.currency" },
            "event_time": { "path": "created" },
            "idempotency_key": { "path": "id", "required": true }
        }
    }));
    let payload = json!({
        "id": "evt_1", "created": 1_777_803_300,
        "data": { "object": { "amount": 9_007_199_254_741_i64, "currency": "eur", "billing_details": { "email": "a@b.example" } } }
    });
    let expected = json!({
        "event_name": "purchase",
        "amount": "90071992547.41",
        "currency": "EUR",
        "email": "a@b.example",
        "event_time": 1_777_803_300,
        "idempotency_key": "evt_1"
    });
    assert_eq!(body(&rule, &payload), expected);
}

#[test]
fn amounts_are_exact() {
    let from = |divide_by: Option<u32>| {
        rule(
            json!({ "fields": { "email": { "value": "a@b.example" }, "amount": { "path": "a", "divide_by": divide_by.unwrap_or(1) } } }),
        )
    };
    for (value, divide_by, amount) in [
        (json!("0.10"), None, Some("0.10")),
        (json!("1234.567891"), None, Some("1234.567891")),
        (json!("9223372036854.775807"), None, Some("9223372036854.775807")),
        (json!(" -5 "), None, Some("-5.00")),
        (json!(19.99), None, Some("19.99")),
        (json!(0.1), None, Some("0.10")),
        (json!(1099), Some(100), Some("10.99")),
        (json!("1099"), Some(1_000_000), Some("0.001099")),
        (json!(9_007_199_254_740_i64), Some(100), Some("90071992547.40")),
        (json!(9_223_372_036_855_i64), Some(100), None),
        (json!("0.000001"), Some(10), None),
        (json!("1.0000001"), None, None),
        (json!(0.123_456_789_012_345_67), None, None),
        (json!(1e30), None, None),
        (json!("$12"), None, None),
        (json!("1,200.00"), None, None),
        (json!({ "amount": 1 }), None, None),
        (json!([1]), None, None),
        (json!(true), None, None),
    ] {
        let made = apply(ConversionType::PURCHASE, &from(divide_by), &json!({ "a": value }));
        let made = made.ok().flatten().map(|event| event.body["amount"].clone());
        assert_eq!(made, amount.map(Value::from), "{value} / {divide_by:?}");
    }
}

#[test]
fn conditions() {
    let payload = shopify_order();
    for (path, operator, value, holds) in [
        ("name", "any", json!(null), true),
        ("customer.phone", "any", json!(null), false),
        ("phone", "unknown", json!(null), true),
        ("nowhere.at.all", "unknown", json!(null), true),
        ("total_price", "greater_than", json!(1234), true),
        ("total_price", "less_than", json!("1234.1"), false),
        ("total_price", "equal_to", json!(1234.1), true),
        ("line_items.1.quantity", "equal_to", json!("1.0"), true),
        ("line_items.2.quantity", "equal_to", json!(1), false),
        ("line_items.2.quantity", "not_equal_to", json!(1), true),
        ("line_items.sku=CUP-9.quantity", "equal_to", json!(1), true),
        ("name", "greater_than", json!(1), false),
        ("customer.first_name", "starts_with", json!("an"), true),
        ("email", "contains", json!("@ACME."), true),
        ("discount_codes", "contains", json!("vip"), true),
        ("discount_codes", "contains", json!("vi"), false),
        ("customer", "equal_to", json!("Ann"), false),
        ("test", "equal_to", json!(false), true),
    ] {
        let mut condition = json!({ "path": path, "operator": operator });
        if !value.is_null() {
            condition["value"] = value;
        }
        let rule = rule(json!({ "conditions": [condition], "fields": { "email": { "path": "email" } } }));
        assert_eq!(unmet(&rule, &payload).next().is_none(), holds, "{condition}");
    }
}

#[test]
fn fields_are_read_as_what_they_hold() {
    let made = |fields: Value, payload: Value| {
        let mut fields = fields;
        fields["comet_token"] = json!({ "value": "v1" });
        apply(ConversionType::PURCHASE, &rule(json!({ "fields": fields })), &payload)
            .map(|event| event.map(|event| event.body).unwrap_or_default())
            .map_err(|error| error.message().to_owned())
    };
    let at = |name: &str| {
        let mut fields = json!({});
        fields[name] = json!({ "path": "a" });
        fields
    };
    for (name, value, read) in [
        ("is_upsell", json!("TRUE"), Ok(json!(true))),
        ("is_upsell", json!(0), Ok(json!(false))),
        ("is_upsell", json!("maybe"), Err("is_upsell: `a` must be true or false")),
        ("currency", json!("usd"), Ok(json!("USD"))),
        ("currency", json!("dollars"), Err("currency: `a` must be an ISO 4217 code of three letters, such as EUR")),
        ("order_id", json!(18_446_744_073_709_551_615_u64), Ok(json!("18446744073709551615"))),
        ("order_id", json!(["1"]), Err("order_id: `a` is a list; accepted: text or a number")),
        ("event_time", json!("1777803300"), Ok(json!(1_777_803_300))),
        ("event_time", json!(1.5), Err("event_time: `a` must be ISO 8601 text or whole Unix seconds")),
        ("full_name", json!("x".repeat(2_049)), Err("full_name: `a` is longer than 2048 characters")),
    ] {
        let made = made(at(name), json!({ "a": value })).map(|body| body[name].clone());
        assert_eq!(made, read.map_err(String::from), "{name} {value}");
    }
    let milliseconds = json!({ "event_time": { "path": "a", "divide_by": 1000 } });
    assert_eq!(made(milliseconds, json!({ "a": 1_777_803_300_999_i64 })).unwrap()["event_time"], json!(1_777_803_300));
}

#[test]
fn somebody_must_be_named_and_upsells_say_so() {
    let rule = rule(json!({ "fields": { "email": { "path": "email" }, "fingerprint": { "path": "f" } } }));
    assert_eq!(problems(&rule, &json!({ "f": "x" })), json!({ "email": [NOBODY] }));
    let upsell = apply(ConversionType::UPSELL_PURCHASE, &rule, &json!({ "email": "a@b.example" })).unwrap().unwrap();
    assert_eq!(Value::Object(upsell.body), json!({ "event_name": "purchase", "email": "a@b.example", "is_upsell": true }));
}

#[test]
fn rules_are_checked_whole() {
    for (given, at) in [
        (json!({}), "rule.fields"),
        (json!({ "fields": {} }), "rule.fields"),
        (json!({ "fields": { "ip": { "path": "a" } } }), "rule.fields"),
        (json!({ "fields": { "event_name": { "path": "a" } } }), "rule.fields.event_name"),
        (json!({ "fields": { "profile_field_31": { "path": "a" } } }), "rule.fields.profile_field_31"),
        (json!({ "fields": { "email": "email" } }), "rule.fields.email"),
        (json!({ "fields": { "email": { "path": "a", "value": "b" } } }), "rule.fields.email"),
        (json!({ "fields": { "email": { "path": "a..b" } } }), "rule.fields.email.path"),
        (json!({ "fields": { "email": { "path": 5 } } }), "rule.fields.email.path"),
        (json!({ "fields": { "email": { "path": "a", "divide_by": 100 } } }), "rule.fields.email.divide_by"),
        (json!({ "fields": { "amount": { "path": "a", "divide_by": 0 } } }), "rule.fields.amount.divide_by"),
        (json!({ "fields": { "amount": { "value": "free" } } }), "rule.fields.amount.value"),
        (json!({ "fields": { "email": { "path": "a", "required": "yes" } } }), "rule.fields.email.required"),
        (json!({ "fields": { "email": { "path": "a" } }, "if": [] }), "rule.if"),
        (json!({ "fields": { "email": { "path": "a" } }, "conditions": {} }), "rule.conditions"),
        (json!({ "conditions": vec![json!({ "path": "a", "operator": "any" }); 11] }), "rule.conditions"),
        (json!({ "conditions": [{ "path": "a", "operator": "is" }] }), "rule.conditions.0.operator"),
        (json!({ "conditions": [{ "path": "a", "operator": "equal_to" }] }), "rule.conditions.0.value"),
        (json!({ "conditions": [{ "path": "a", "operator": "any", "value": 1 }] }), "rule.conditions.0.value"),
        (json!({ "conditions": [{ "path": "a", "operator": "less_than", "value": "x" }] }), "rule.conditions.0.value"),
        (json!({ "conditions": [{ "path": "a", "operator": "equal_to", "value": [1] }] }), "rule.conditions.0.value"),
    ] {
        let mut problems = Problems::new();
        WebhookRule::read(given.as_object().unwrap(), "rule", &mut problems);
        let error = problems.into_error(Code::InvalidPayload);
        let told = error.details().unwrap()["fieldErrors"].clone();
        assert!(told.get(at).is_some(), "{given}: {told}");
    }
}
