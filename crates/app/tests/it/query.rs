//! Every question of the command line over events whose answers are known by hand.

use crate::support::{Scratch, post, text};
use serde_json::{Value, json};

/// Two visitors from Berlin's view: one comes on Monday, signs up, returns after a week and buys; one only looks.
fn events() -> Value {
    let event = |name: &str, visitor: &str, time: &str, url: &str, properties: Value| json!({ "event": name, "anonymous_id": visitor, "timestamp": time, "url": url, "properties": properties });
    let paid = "https://shop.example/?utm_source=google&utm_medium=cpc&utm_campaign=spring";
    let page = "https://shop.example/pricing";
    json!({ "events": [
        event("$pageview", "a", "2026-05-04T22:30:00Z", paid, json!({})),
        event("signup", "a", "2026-05-04T22:40:00Z", page, json!({ "plan": "pro" })),
        event("$pageview", "a", "2026-05-11T10:00:00Z", page, json!({})),
        event("purchase", "a", "2026-05-11T10:50:00Z", page, json!({ "plan": "pro", "total": 120, "amount_cents": 12_050, "currency": "EUR" })),
        event("$pageview", "b", "2026-05-05T08:00:00Z", page, json!({ "plan": "free" })),
    ] })
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_have_the_answers_counted_by_hand() {
    let scratch = Scratch::new();
    let shop = scratch.workspace("shop", "Europe/Berlin");
    let server = scratch.serve();
    let sent = post(&format!("{}/v1/batch", server.url), text(&shop, "/keys/sk"), events()).await;
    assert_eq!((sent.0, &sent.1["count"]), (202, &json!(5)));

    let may = ["--workspace", "shop", "--from", "2026-05-01", "--to", "2026-06-01"];
    let ask = |question: &[&str]| {
        let mut arguments = vec!["query"];
        arguments.extend(question);
        arguments.extend(may);
        let answer = scratch.json(&arguments);
        assert_eq!((text(&answer, "/from"), text(&answer, "/timezone")), ("2026-05-01T00:00:00+02:00", "Europe/Berlin"));
        assert_eq!(answer["watermark"], 5);
        answer
    };
    // 22:30 UTC on Monday is Tuesday in Berlin.
    let daily = ask(&[
        "stats",
        "--metric",
        "events",
        "--metric",
        "visitors",
        "--metric",
        "amount:EUR",
        "--interval",
        "day",
        "--where",
        "event_name!=signup",
    ]);
    let busy: Vec<&Value> = daily["rows"].as_array().expect("rows").iter().filter(|row| row["events"] != 0).collect();
    insta::assert_json_snapshot!("daily", busy);
    assert_eq!(daily["totals"], json!({ "events": 4, "visitors": 2, "amount:EUR": "120.50" }));

    for (condition, events) in [
        ("source=google", 1),
        ("source!=google", 4),
        ("path~PRIC", 4),
        ("campaign=spring|summer", 1),
        ("campaign=", 4),
        ("properties.plan!=", 3),
        ("properties.total>=120", 1),
        ("properties.total>120", 0),
        ("properties.total<=120", 1),
        ("anonymous_id=b", 1),
    ] {
        assert_eq!(ask(&["stats", "--where", condition])["totals"]["events"], events, "{condition}");
    }

    let sources = ask(&["sources"]);
    let paid = sources["rows"].as_array().expect("rows").iter().find(|row| row["source"] == "google").expect("google");
    assert_eq!(*paid, json!({ "source": "google", "medium": "paid", "events": 1, "visitors": 1, "paid_share": 1.0 }));

    let funnel = ask(&["funnel", "--step", "$pageview", "--step", "signup", "--step", "purchase,properties.plan=pro"]);
    let reached: Vec<&Value> = funnel["rows"].as_array().expect("rows").iter().map(|row| &row["reached"]).collect();
    assert_eq!(reached, [&json!(2), &json!(1), &json!(1)]);
    assert_eq!(funnel["rows"][1]["of_previous"], 0.5);
    let hasty = ask(&["funnel", "--step", "$pageview", "--step", "purchase", "--window", "1h", "--mode", "ordered"]);
    assert_eq!(hasty["rows"][1]["reached"], 1, "the second page view starts a chain of its own");

    // a views a page at 22:30, signs up ten minutes later, views one on the 11th and buys fifty minutes after that.
    let steps = ["funnel", "--step", "$pageview", "--step", "signup", "--step", "purchase", "--mode", "ordered"];
    let through = |flags: &[&str]| {
        let answer = ask(&[&steps[..], flags].concat());
        answer["rows"].as_array().expect("rows").clone()
    };
    let column = |rows: &[Value], name: &str| rows.iter().map(|row| row[name].clone()).collect::<Vec<Value>>();
    assert_eq!(column(&through(&["--times"]), "median_s"), [json!(null), json!(600.0), json!(562_200.0)]);
    for (exclude, reached) in [
        ("$pageview:2-3", [2, 1, 0]),
        ("$pageview,path~pricing:2-3", [2, 1, 0]),
        ("$pageview,path~nowhere:2-3", [2, 1, 1]),
        ("purchase:1-2", [2, 1, 1]),
        ("refund", [2, 1, 1]),
    ] {
        assert_eq!(column(&through(&["--exclude", exclude]), "reached"), reached, "{exclude}");
    }
    let last_step = |rows: Vec<Value>| rows.into_iter().find(|row| row["step"] == 3 && row["reached"] == 1).expect("one buys");
    assert_eq!(last_step(through(&["--breakdown", "source"]))["source"], "google", "the first touch");
    assert_eq!(last_step(through(&["--breakdown", "source", "--breakdown-step", "3"]))["source"], "direct", "the purchase's own");

    let credited = |flags: &[&str]| ask(&[&["attribution", "--conversion", "purchase", "--currency", "EUR"][..], flags].concat());
    let campaign = credited(&["--touch", "campaign!="]);
    assert_eq!(campaign["rows"], json!([{ "source": "google", "medium": "paid", "conversions": 1, "amount:EUR": "120.50" }]));
    assert_eq!((&campaign["totals"]["conversions"], &campaign["totals"]["unattributed conversions"]), (&json!(1), &json!(0)));
    let hasty = credited(&["--touch", "campaign!=", "--lookback", "1d"]);
    assert_eq!((&hasty["rows"], &hasty["totals"]["unattributed amount:EUR"]), (&json!([]), &json!("120.50")));
    assert_eq!(credited(&["--model", "first", "--by", "path"])["rows"][0]["path"], "/");
    assert_eq!(credited(&["--model", "last", "--by", "event_name"])["rows"][0]["event_name"], "purchase", "its own touch");

    let earlier = scratch.json(&[&["query", "stats", "--as-of", "2"][..], &may].concat());
    assert_eq!((&earlier["totals"]["events"], &earlier["watermark"]), (&json!(2), &json!(2)), "before the other three");

    let retention = ask(&["retention", "--period", "week", "--periods", "2"]);
    insta::assert_json_snapshot!("retention", retention["rows"]);

    let sessions = ask(&["sessions", "--gap", "30m", "--with", "purchase"]);
    assert_eq!(
        sessions["totals"],
        json!({ "sessions": 4, "events": 5, "single_event_share": 0.75, "mean_duration_s": 150.0, "with purchase": 1 }),
        "a pause of fifty minutes parts the last visit"
    );

    let journey = ask(&["journey", "--visitor", "a"]);
    let names: Vec<&str> = journey["rows"].as_array().expect("rows").iter().map(|row| text(row, "/event_name")).collect();
    assert_eq!(names, ["$pageview", "signup", "$pageview", "purchase"]);
    assert_eq!(journey["rows"][3]["amount"], json!({ "amount": "120.50", "currency": "EUR" }));
    assert!(journey["rows"][0].get("ip_hash").is_none());

    let newest = ask(&["events", "--limit", "1"]);
    assert_eq!(
        (text(&newest, "/rows/0/event_name"), newest["total_rows"].as_u64(), &newest["truncated"]),
        ("purchase", Some(5), &json!(true))
    );
    let plans = ask(&["names", "--field", "properties.plan"]);
    assert_eq!((text(&plans, "/rows/0/properties.plan"), plans["rows"][0]["events"].as_u64()), ("pro", Some(2)));
    assert_eq!(ask(&["stats", "--bots", "only"])["totals"]["events"], 0);

    // The same for people.
    let table = scratch.text(&[&["query", "funnel", "--step", "$pageview", "--step", "signup"][..], &may].concat());
    insta::assert_snapshot!("funnel_table", table);
    let touches =
        [&["query", "attribution", "--conversion", "purchase", "--currency", "EUR", "--touch", "medium!=direct"][..], &may];
    insta::assert_snapshot!("attribution_table", scratch.text(&touches.concat()));
    let cohorts = scratch.text(&[&["query", "retention", "--periods", "2"][..], &may].concat());
    insta::assert_snapshot!("cohort_table", cohorts);
    let list = scratch.text(&[&["query", "events", "--where", "event_name=purchase|signup"][..], &may].concat());
    insta::assert_snapshot!("event_table", list);
    assert_eq!(server.stop(), 0);
}

#[test]
fn questions_that_cannot_be_read_are_refused() {
    let scratch = Scratch::new();
    scratch.workspace("shop", "Europe/Berlin");
    let mut said = String::new();
    for question in [
        &["stats", "--metric", "clicks"][..],
        &["stats", "--group-by", "sources"],
        &["stats", "--where", "source"],
        &["stats", "--where", "source>3"],
        &["stats", "--last", "a month"],
        &["stats", "--from", "yesterday"],
        &["stats", "--from", "2026-05-02", "--to", "2026-05-01"],
        &["stats", "--limit", "0"],
        &["stats", "--interval", "hour", "--last", "10000d"],
        &["funnel", "--step", "a", "--mode", "loose"],
        &["funnel", "--step", "a", "--unit", "person"],
        &["funnel", "--step", "a", "--window", "soon"],
        &["funnel", "--step", ""],
        &["funnel", "--step", "a", "--step", "b", "--mode", "ordered", "--exclude", "c:2-1"],
        &["funnel", "--step", "a", "--step", "b", "--mode", "ordered", "--exclude", "c,nope=1"],
        &["funnel", "--step", "a", "--step", "b", "--mode", "any_order", "--exclude", "c"],
        &["funnel", "--step", "a", "--step", "b", "--breakdown", "source", "--breakdown-step", "3"],
        &["attribution", "--conversion", ""],
        &["attribution", "--conversion", "a", "--currency", "EURO"],
        &["attribution", "--conversion", "a", "--by", "sources"],
        &["attribution", "--conversion", "a", "--lookback", "soon"],
        &["attribution", "--conversion", "a", "--touch", "paid"],
        &["retention", "--period", "decade"],
        &["retention", "--periods", "0"],
        &["sessions", "--gap", "0m"],
    ] {
        let arguments = [&["query"][..], question, &["--workspace", "shop"]].concat();
        let (code, message) = scratch.refusal(&arguments);
        assert_eq!(code, 2, "{question:?}: {message}");
        said.push_str(&format!("{}\n  {message}\n", question.join(" ")));
    }
    insta::assert_snapshot!(said);
}
