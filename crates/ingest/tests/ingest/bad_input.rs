//! Bodies nobody should send: the documented error, never a panic.

use proptest::prelude::*;
use serde_json::{Value, json};
use tributary_core::error::{Code, Error};
use tributary_ingest::body::decode_body;

use crate::pipeline::{browser, pipeline, server};

fn refused(error: &Error) -> Value {
    json!({ "code": error.code().as_str(), "message": error.message(), "details": error.details() })
}

fn track(body: &str) -> Value {
    refused(&pipeline().track(body.as_bytes(), &server()).expect_err(body))
}

/// The messages of one field.
fn fault(body: &str, field: &str) -> String {
    let answer = track(body);
    let messages = answer["details"]["fieldErrors"][field].as_array().unwrap_or_else(|| panic!("{body}: {answer}"));
    assert_eq!(messages.len(), 1, "{answer}");
    messages[0].as_str().unwrap().to_owned()
}

#[test]
fn a_missing_event_is_required() {
    insta::assert_json_snapshot!(track("{}"));
}

#[test]
fn all_faults_come_at_once() {
    let body = json!({
        "event": 5, "event_id": "", "timestamp": "yesterday", "anonymous_id": "a\u{0}b", "user_id": [], "session_id": {},
        "url": "/pricing", "path": true, "referrer": 1.5, "properties": "{}", "context": { "ip": "1.2.3", "user_agent": 7 },
    });
    insta::assert_json_snapshot!(track(&body.to_string()));
}

#[test]
fn bodies_that_are_no_object() {
    for (body, message) in [
        ("", "the body must be a JSON object, got nothing"),
        ("null", "the body must be a JSON object, got null"),
        ("[]", "the body must be a JSON object, got an array"),
        ("7", "the body must be a JSON object, got a number"),
        ("\"x\"", "the body must be a JSON object, got a string"),
        ("{", "the body is not valid JSON: EOF while parsing an object at line 1 column 1"),
        ("{} {}", "the body is not valid JSON: trailing characters at line 1 column 4"),
        ("{\"event\":\"a\",}", "the body is not valid JSON: trailing comma at line 1 column 14"),
        ("{\"event\":\"a\",\"event\":\"b\"}", "the body is not valid JSON: duplicate field `event` at line 1 column 20"),
        ("{\"event\":\"\\ud800\"}", "the body is not valid JSON: unexpected end of hex escape at line 1 column 17"),
        ("{\"properties\":{\"n\":1e999}}", "the body is not valid JSON: number out of range at line 1 column 24"),
        ("{\"n\":NaN}", "the body is not valid JSON: expected value at line 1 column 6"),
    ] {
        let answer = track(body);
        assert_eq!(answer["details"], json!({ "formErrors": [message], "fieldErrors": {} }), "{body}");
        assert_eq!(answer["code"], "invalid_payload", "{body}");
    }
    let invalid_utf8 = pipeline().track(b"{\"event\":\"\xff\"}", &server()).unwrap_err();
    assert_eq!(invalid_utf8.code(), Code::InvalidPayload);
    let deep = format!("{{\"x\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    assert_eq!(track(&deep)["code"], "invalid_payload");
}

#[test]
fn bounds_are_exact() {
    let of = |field: &str, value: String| json!({ "event": "e", field: value }).to_string();
    let accepted = |body: &str| pipeline().track(body.as_bytes(), &server()).unwrap_or_else(|error| panic!("{error}: {body}"));
    for (field, max) in [("event", 128), ("event_id", 128), ("anonymous_id", 128), ("session_id", 128), ("user_id", 256)] {
        accepted(&of(field, "é".repeat(max)));
        let got = max + 1;
        assert_eq!(fault(&of(field, "é".repeat(got)), field), format!("must have at most {max} characters, got {got}"));
        assert_eq!(
            fault(&of(field, String::new()), field),
            "must have at least 1 character; leave the field out instead of sending it empty"
        );
        assert_eq!(fault(&of(field, "a\nb".into()), field), "must not hold control characters, found U+000A");
    }
    for field in ["url", "path", "referrer"] {
        let longest = format!("https://a.com/{}", "x".repeat(2_048 - 14));
        accepted(&of(field, longest.clone()));
        assert_eq!(fault(&of(field, format!("{longest}x")), field), "must have at most 2048 characters, got 2049");
    }
    let sized = |bytes: usize| json!({ "event": "e", "properties": { "k": "x".repeat(bytes - 8) } }).to_string();
    assert_eq!(accepted(&sized(8_192)).properties.unwrap().len(), 8_192);
    assert_eq!(fault(&sized(8_193), "properties"), "must be at most 8192 bytes as compact JSON");
    assert_eq!(fault(&sized(100_000), "properties"), "must be at most 8192 bytes as compact JSON");
    let nested =
        |levels: usize| format!("{{\"event\":\"e\",\"properties\":{}1{}}}", "{\"k\":".repeat(levels), "}".repeat(levels));
    accepted(&nested(32));
    assert_eq!(fault(&nested(33), "properties"), "must be nested at most 32 levels deep");
    let wide = format!("{{\"event\":\"e\",\"properties\":{{\"k\":[{}1]}}}}", "1,".repeat(50_000));
    assert_eq!(fault(&wide, "properties"), "must be at most 8192 bytes as compact JSON");
    let huge = format!("{{\"event\":\"e\",\"x\":\"{}\"}}", "x".repeat(128 * 1024));
    assert_eq!(track(&huge)["code"], "payload_too_large");
}

#[test]
fn times_have_bounds() {
    let at = |text: &str| json!({ "event": "e", "timestamp": text }).to_string();
    // The server's clock stands at 2026-05-01T12:00:00Z.
    for text in
        ["2000-01-01T00:00:00Z", "2026-05-02T12:00:00Z", "2026-05-01", "2026-05-01T14:00:00+02:00", "2026-05-01T12:00:00.123456"]
    {
        assert!(pipeline().track(at(text).as_bytes(), &server()).is_ok(), "{text}");
    }
    assert_eq!(fault(&at("1999-12-31T23:59:59Z"), "timestamp"), "must not be before 2000-01-01T00:00:00Z");
    let ahead = "must not be more than 24 hours ahead of the server's time, 2026-05-01T12:00:00Z";
    assert_eq!(fault(&at("2026-05-02T12:00:00.000001Z"), "timestamp"), ahead);
    for text in ["", "now", "1746057600", "2026-02-30", "2026-05-01T25:00:00Z", "2026-05-01T00:00:00+99:00"] {
        assert!(fault(&at(text), "timestamp").contains("is not an ISO 8601 date or date-time"), "{text}");
    }
}

#[test]
fn batches_are_all_or_nothing() {
    let batch = |body: Value| refused(&pipeline().batch(body.to_string().as_bytes(), &server()).unwrap_err());
    insta::assert_json_snapshot!(batch(
        json!({ "events": [{ "event": "a" }, { "event": "" }, 7, {}, null, { "event": "b", "url": 1, "path": "\u{1}" }] })
    ));
    insta::assert_json_snapshot!(batch(
        json!({ "events": [{ "event": "" }, { "event": "x".repeat(129), "url": "x" }, { "event": "a" }] })
    ));
    for (body, message) in [
        (json!({}), "Required"),
        (json!({ "events": {} }), "must be an array, got an object"),
        (json!({ "events": [] }), "must hold 1 to 1000 events, got 0"),
        (json!({ "events": vec![json!({ "event": "a" }); 1_001] }), "must hold 1 to 1000 events, got 1001"),
    ] {
        assert_eq!(batch(body)["details"], json!({ "fieldErrors": { "events": [message] } }));
    }
    let full = json!({ "events": vec![json!({ "event": "a" }); 1_000] }).to_string();
    assert_eq!(pipeline().batch(full.as_bytes(), &server()).unwrap().len(), 1_000);
    let none_right = json!({ "events": vec![json!({}); 1_000] }).to_string();
    let error = pipeline().batch(none_right.as_bytes(), &server()).unwrap_err();
    let details = error.details().unwrap();
    assert_eq!(details["fieldErrors"].as_object().unwrap().len(), 200);
    assert_eq!(details["formErrors"], json!(["800 more fields are invalid"]));
}

#[test]
fn identify_and_forget_name_their_fields() {
    let identify = |body: Value| refused(&pipeline().identify(body.to_string().as_bytes(), &browser()).unwrap_err());
    assert_eq!(
        identify(json!({ "traits": [] }))["details"],
        json!({ "fieldErrors": { "anonymous_id": ["Required"], "user_id": ["Required"], "traits": ["must be an object, got an array"] } })
    );
    let large = json!({ "anonymous_id": "a", "user_id": "u", "traits": { "k": "x".repeat(8_185) } });
    assert_eq!(
        identify(large)["details"],
        json!({ "fieldErrors": { "traits": ["must be at most 8192 bytes as compact JSON"] } })
    );
    for (body, message) in [
        (json!({}), "Required"),
        (json!({ "user_id": null }), "Required"),
        (json!({ "user_id": 7 }), "must be a string, got a number"),
        (json!({ "user_id": "" }), "must have at least 1 character; leave the field out instead of sending it empty"),
        (json!({ "user_id": "u".repeat(257) }), "must have at most 256 characters, got 257"),
    ] {
        let error = pipeline().forget(body.to_string().as_bytes()).unwrap_err();
        assert_eq!(error.details().unwrap(), &json!({ "fieldErrors": { "user_id": [message] } }));
    }
    assert_eq!(pipeline().forget(br#"{"user_id":"u_1","more":true}"#).unwrap(), "u_1");
}

/// Text from which JSON bodies with the right names but arbitrary values are made.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        "(https?|android-app)://[a-z.@:/?&=#%éß0-9\\[\\]-]{0,40}".prop_map(Value::from),
        "[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:.]{0,12}(Z|[+-][0-9:]{2,5})?)?".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        let field = prop_oneof![
            Just("event"),
            Just("event_id"),
            Just("timestamp"),
            Just("anonymous_id"),
            Just("user_id"),
            Just("session_id"),
            Just("url"),
            Just("path"),
            Just("referrer"),
            Just("properties"),
            Just("context"),
            Just("ip"),
            Just("user_agent"),
            Just("amount_cents"),
            Just("amount"),
            Just("currency"),
            Just("events"),
            Just("traits"),
            Just("x"),
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((field, inner), 0..8).prop_map(|fields| fields
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect::<serde_json::Map<_, _>>()
                .into()),
        ]
    })
}

/// Every way in, with the promise each event makes: optional text is never empty, and every bound holds.
fn feed(body: &[u8]) {
    for cx in [browser(), server()] {
        let tracked = pipeline().track(body, &cx).into_iter();
        let batched = pipeline().batch(body, &cx).into_iter().flatten();
        let identified = pipeline().identify(body, &cx).into_iter();
        for event in tracked.chain(batched).chain(identified) {
            let stored = serde_json::to_value(&event).unwrap();
            for (field, value) in stored.as_object().unwrap() {
                assert!(value.as_str() != Some(""), "{field} is empty");
            }
            assert!(event.properties.is_none_or(|text| text.len() <= 8_192 && serde_json::from_str::<Value>(&text).is_ok()));
        }
    }
    let _ = pipeline().forget(body);
}

proptest! {
    #[test]
    fn no_bytes_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        feed(&body);
        for encoding in ["gzip", "zstd", "identity", "br"] {
            let _ = decode_body(Some(encoding), &body, 100);
        }
    }

    #[test]
    fn no_text_panics(body in "[{}\\[\\]\",:a-z0-9\\\\ e.+-]{0,100}") {
        feed(body.as_bytes());
    }

    #[test]
    fn no_json_panics(body in any_json()) {
        feed(body.to_string().as_bytes());
    }

    #[test]
    fn no_event_panics(
        url in "(https?://|[a-z]{1,4}:/{0,2})?[a-z0-9.:@/?&=#%+éß -]{0,60}",
        referrer in "(https?://|android-app://)?[a-z0-9.:@/?&=#%+é\\[\\]-]{0,60}",
        path in "/?(\\?email=[a-z@]{0,9})?[a-z?&=#%+é@.]{0,40}",
        agent in ".{0,60}",
        properties in any_json(),
    ) {
        let body = json!({
            "event": "e", "url": url, "referrer": referrer, "path": path, "properties": properties,
            "context": { "ip": "203.0.113.7", "user_agent": agent },
        });
        feed(body.to_string().as_bytes());
    }
}
