//! Questions count visitors, contacts or companies.

use crate::support::{Scratch, post, text};
use serde_json::{Value, json};

/// Ann comes with two browsers, Bob of the same company with one, and somebody nobody knows.
fn events() -> Value {
    let event = |name: &str, visitor: &str, time: &str| json!({ "event": name, "anonymous_id": visitor, "timestamp": time, "url": "https://shop.example/?utm_source=google&utm_medium=cpc" });
    json!({ "events": [
        event("$pageview", "ann-phone", "2026-05-04T10:00:00Z"),
        event("$pageview", "bob", "2026-05-04T10:00:00Z"),
        event("$pageview", "nobody", "2026-05-04T10:00:00Z"),
        { "event": "purchase", "anonymous_id": "ann-laptop", "timestamp": "2026-05-05T10:00:00Z", "amount_cents": 5_000, "currency": "EUR" },
    ] })
}

#[tokio::test(flavor = "multi_thread")]
async fn visitors_contacts_and_companies_are_counted() {
    let scratch = Scratch::new();
    let shop = scratch.workspace("shop", "Europe/Berlin");
    let server = scratch.serve();
    let sk = text(&shop, "/keys/sk").to_owned();
    for (visitor, user, email) in
        [("ann-phone", "u-1", "ann@acme.co.uk"), ("ann-laptop", "u-1", "ann@acme.co.uk"), ("bob", "u-2", "bob@mail.acme.co.uk")]
    {
        let body = json!({ "anonymous_id": visitor, "user_id": user, "traits": { "email": email } });
        assert_eq!(post(&format!("{}/v1/identify", server.url), &sk, body).await.0, 200);
    }
    assert_eq!(post(&format!("{}/v1/batch", server.url), &sk, events()).await.0, 202);
    let may = ["--workspace", "shop", "--from", "2026-05-01", "--to", "2026-06-01"];
    let counted = |people: &str| {
        let question = ["query", "stats", "--metric", "visitors", "--where", "event_name!=$identify", "--people", people];
        scratch.json(&[&question[..], &may].concat())["totals"]["visitors"].clone()
    };
    assert_eq!((counted("visitors"), counted("contacts"), counted("companies")), (json!(4), json!(3), json!(2)));

    // Her laptop's purchase is credited to the ad her phone came by, once the two are known to be hers.
    let credited = |people: &str| {
        let question = ["query", "attribution", "--conversion", "purchase", "--by", "channel", "--people", people];
        scratch.json(&[&question[..], &may].concat())["rows"].clone()
    };
    assert_eq!(credited("visitors"), json!([]), "a payment from a server is no visit");
    assert_eq!(credited("contacts"), json!([{ "channel": "google_ads", "conversions": 1 }]));
    assert_eq!(server.stop(), 0);
}
