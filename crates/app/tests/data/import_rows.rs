//! Rows of every format: mapped, derived, refused with a reason, imported once however often the file comes.

use arrow_array::builder::StringBuilder;
use arrow_array::{ArrayRef, Float64Array, RecordBatch, TimestampMicrosecondArray, UInt32Array, UInt64Array};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::support::{World, all, mapping, world};
use tributary_app::import::mapping::Mapping;
use tributary_app::import::plan::EventIds;
use tributary_core::event::Event;
use tributary_events::field::Field;
use tributary_events::filter::Filter;
use tributary_events::question::{Bots, Metric};

fn rejected(world: &World, name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(world.folder.path().join(format!("{name}.rejected.ndjson"))).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).expect("one object per line")).collect()
}

async fn only(world: &World) -> Event {
    let mut events = world.events().await;
    assert_eq!(events.len(), 1, "{events:?}");
    events.remove(0)
}

#[tokio::test]
async fn unmapped_fields_are_derived_as_for_any_event() {
    let world = world();
    let line = json!({
        "event": "$pageview", "timestamp": "2026-05-01T10:00:00Z", "anonymous_id": "v1",
        "url": "https://shop.example/a?gclid=1&utm_campaign=may", "referrer": "https://www.google.com/",
        "context": {"user_agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"},
        "properties": {"a": 1}, "b": "x"
    });
    world.import(&world.write("one.ndjson", line.to_string()), Mapping::default()).await;
    let event = only(&world).await;
    assert_eq!((event.source.as_str(), event.medium.as_str(), event.campaign.as_deref()), ("google", "paid", Some("may")));
    assert_eq!(
        (event.device_type.as_deref(), event.browser.as_deref(), event.os.as_deref()),
        (Some("mobile"), Some("safari"), Some("ios"))
    );
    assert_eq!(event.properties.as_deref(), Some(r#"{"a":1,"b":"x"}"#));
    assert_eq!(event.session_id(), "v1-987572");
}

#[tokio::test]
async fn mapped_fields_win_and_amounts_are_exact() {
    let world = world();
    let mut mapping = Mapping::parse(
        r#"
        event = { value = "order_completed" }
        timestamp = { column = "t", unit = "ms" }
        anonymous_id = "who"
        amount = "total"
        source = "src"
        medium = "med"
        properties = { columns = ["note"], rename = { note = "remark" } }
        "#,
    )
    .expect("valid");
    mapping.map("country=land").expect("valid");
    let csv = "t;who;total;src;med;land;note;noise\n1777629600123;v1;19.99;Partner;CPA;de;hello;zzz\n";
    world.import(&world.write("orders.csv", csv), mapping).await;
    let event = only(&world).await;
    assert_eq!(event.name, "order_completed");
    assert_eq!(event.time_us, 1_777_629_600_123_000);
    assert_eq!(event.amount.map(|amount| (amount.micros, amount.currency.to_string())), Some((19_990_000, "EUR".to_owned())));
    assert_eq!((event.source.as_str(), event.medium.as_str(), event.country.as_deref()), ("partner", "cpa", Some("DE")));
    assert_eq!(event.properties.as_deref(), Some(r#"{"remark":"hello"}"#));
}

#[tokio::test]
async fn bad_rows_are_written_out_with_their_reasons_and_good_ones_stay() {
    let world = world();
    let good = r#"{"event":"a","timestamp":"2026-05-01T10:00:00Z","anonymous_id":"v"}"#;
    let lines = [
        good,
        "{not json",
        "[1]",
        r#"{"event":"a","anonymous_id":"v"}"#,
        r#"{"event":"","timestamp":"2026-05-01T10:00:00Z","anonymous_id":"v"}"#,
        r#"{"timestamp":"2026-05-01T10:00:00Z","anonymous_id":"v"}"#,
        r#"{"event":"a","timestamp":"1999-12-31T23:59:59Z","anonymous_id":"v"}"#,
        r#"{"event":"a","timestamp":"2126-05-01T10:00:00Z","anonymous_id":"v"}"#,
        r#"{"event":"a","timestamp":"soon","anonymous_id":"v"}"#,
        r#"{"event":"a","timestamp":1777629600,"anonymous_id":"v"}"#,
        r#"{"event":"a","timestamp":"2026-05-01T10:00:00Z","anonymous_id":"v","url":"not a url"}"#,
        r#"{"event":"a","timestamp":"2026-05-01T10:00:00Z","anonymous_id":"v","amount":"1.2345678"}"#,
        r#"{"event":"a","timestamp":"2026-05-01T10:00:00Z","anonymous_id":"v","country":"Germany"}"#,
        r#"{"event":"a","timestamp":"2026-05-01T10:00:00Z","anonymous_id":"v","properties":[1]}"#,
        "",
        good,
    ];
    let file = world.write("mixed.ndjson", lines.join("\n"));
    let counts = world.import(&file, Mapping::default()).await;
    assert_eq!((counts.accepted, counts.duplicates, counts.rejected), (2, 0, 13));
    let reasons: Vec<String> = rejected(&world, "mixed.ndjson")
        .iter()
        .map(|row| format!("{}: {}", row["line"], row["reason"].as_str().expect("text")))
        .collect();
    insta::assert_snapshot!(reasons.join("\n"), @r#"
    2: the line is not a JSON object: key must be a string at line 1 column 2
    3: the line is not a JSON object: invalid type: sequence, expected a map at line 1 column 0
    4: timestamp is missing
    5: event: Required
    6: event: Required
    7: timestamp: must not be before 2000-01-01T00:00:00Z
    8: timestamp: must not be more than 24 hours ahead of the server's time, 2026-09-21T14:13:20Z
    9: timestamp `soon` is not an ISO 8601 date or date-time; accepted: 2026-05-01T00:00:00Z, 2026-05-01T00:00:00+02:00, 2026-05-01
    10: timestamp is a number and the mapping names no unit; accepted: timestamp = { column = "…", unit = "s" } with s, ms, us or ns, or --time-unit
    11: url: must be an absolute URL such as https://shop.example/pricing (relative URL without a base)
    12: amount: amount must be a decimal number with at most six decimals, between -9223372036854 and 9223372036854
    13: country: must be an ISO 3166-1 code of two letters, such as DE
    14: properties is not a JSON object
    "#);
    let first = &rejected(&world, "mixed.ndjson")[0];
    assert_eq!(first["row"], json!("{not json"));
    let again = world.import(&file, Mapping::default()).await;
    assert_eq!((again.accepted, again.duplicates, again.rejected), (0, 2, 13));
}

#[tokio::test]
async fn csv_rows_of_the_wrong_length_or_encoding_are_refused() {
    let world = world();
    let mut csv = b"event,timestamp,anonymous_id\na,2026-05-01,v\na,2026-05-01\na,2026-05-01,v,x\n".to_vec();
    csv.extend_from_slice(b"a,2026-05-01,v\xff\n\"quoted\nname\",2026-05-01,w\n");
    let counts = world.import(&world.write("short.csv", csv), Mapping::default()).await;
    assert_eq!((counts.accepted, counts.rejected), (1, 4));
    let rows = rejected(&world, "short.csv");
    assert_eq!(rows[0]["line"], 3);
    assert_eq!(rows[0]["reason"], "the record has 2 fields and the header 3");
    assert_eq!(rows[0]["row"], json!({"event": "a", "timestamp": "2026-05-01"}));
    assert_eq!(rows[2]["reason"], "the record is not UTF-8");
    assert!(rows[3]["reason"].as_str().expect("text").contains("control characters"), "{}", rows[3]);
}

#[tokio::test]
async fn a_mapping_that_does_not_fit_the_file_says_what_the_file_has() {
    let world = world();
    let file = world.write("plain.csv", "event,when,who\na,2026-05-01,v\n");
    let refuse = async |mapping: &str| {
        let job = world.job(&file, Mapping::parse(mapping).expect("valid"));
        world.run(&job).await.expect_err(mapping).message().to_owned()
    };
    assert!(refuse("").await.ends_with(
        "no column is mapped to `timestamp`; accepted: a column named timestamp, --map timestamp=COLUMN or --set timestamp=VALUE"
    ));
    assert!(
        refuse("timestamp = \"ts\"")
            .await
            .ends_with("the file has no column `ts` for `timestamp`; its columns: event, when, who")
    );
    let job = world.job(Path::new("/nowhere/at/all.csv"), Mapping::default());
    assert!(world.run(&job).await.expect_err("no file").message().contains("cannot read /nowhere/at/all.csv"));
    let job = world.job(&world.write("noise", "hello"), Mapping::default());
    assert!(world.run(&job).await.expect_err("no format").message().contains("name it with --format"));
    let job = world.job(&world.write("fake.parquet", "hello, I am text"), Mapping::default());
    assert!(world.run(&job).await.expect_err("no Parquet").message().contains("not a readable Parquet file"));
    let job = world.job(&world.write("open.csv", format!("event,timestamp\n\"{}", "x".repeat(3 << 20))), Mapping::default());
    assert!(world.run(&job).await.expect_err("no end").message().contains("opening quote may lack its end"));
    assert!(world.events().await.is_empty());
}

#[tokio::test]
async fn rows_without_ids_double_only_when_told_to() {
    let world = world();
    let file = world.write("twice.ndjson", r#"{"event":"a","timestamp":"2026-05-01T10:00:00Z","anonymous_id":"v"}"#);
    let mut job = world.job(&file, Mapping::default());
    job.around.event_ids = EventIds::None;
    world.run(&job).await.expect("imports");
    world.run(&job).await.expect("imports");
    assert_eq!(world.events().await.len(), 2);
}

#[tokio::test]
async fn compressed_files_and_a_person_without_visitor_id_are_read() {
    let world = world();
    let line = r#"{"event":"a","timestamp":"2026-05-01T10:00:00Z","user_id":"u7"}"#;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, line.as_bytes()).expect("memory");
    world.import(&world.write("a.ndjson.gz", gzip.finish().expect("memory")), Mapping::default()).await;
    let zstd = zstd::stream::encode_all(line.as_bytes(), 3).expect("memory");
    let again = world.import(&world.write("a.jsonl.zst", zstd), Mapping::default()).await;
    assert_eq!((again.accepted, again.duplicates), (0, 1), "the same row, whatever the file is called and packed with");
    assert_eq!(only(&world).await.anonymous_id, "u7");
}

/// A file as `bench/generate.py` writes it, small.
fn bench_file(folder: &Path, rows: usize) -> PathBuf {
    let text = |of: &dyn Fn(usize) -> Option<String>| -> ArrayRef {
        let mut builder = StringBuilder::new();
        (0..rows).for_each(|row| builder.append_option(of(row)));
        Arc::new(builder.finish())
    };
    let names = ["page_view", "add_to_cart", "checkout", "purchase"];
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("project_id", Arc::new(UInt32Array::from(vec![1; rows]))),
        (
            "ts",
            Arc::new(TimestampMicrosecondArray::from_iter_values(
                (0..rows).map(|row| 1_750_000_000_000_000 + row as i64 * 1_000_000),
            )),
        ),
        ("visitor_id", Arc::new(UInt64Array::from_iter_values((0..rows).map(|row| u64::MAX - (row % 100) as u64)))),
        ("event", text(&|row| Some(names[row % 4].to_owned()))),
        ("source", text(&|row| Some(format!("site{}.com", row % 7)))),
        ("medium", text(&|row| Some(["organic", "paid"][row % 2].to_owned()))),
        ("campaign", text(&|row| Some(format!("campaign_{}", row % 5)))),
        ("country", text(&|row| Some(format!("C{:02}", row % 100)))),
        ("browser", text(&|_| Some("Chrome".to_owned()))),
        ("device", text(&|row| Some(["desktop", "mobile", "tablet"][row % 3].to_owned()))),
        ("path", text(&|row| Some(format!("/p/{row}")))),
        ("revenue", Arc::new(Float64Array::from_iter((0..rows).map(|row| (row % 4 == 3).then(|| row as f64 / 100.0))))),
        ("properties", text(&|row| Some(format!(r#"{{"plan":"desktop","v":{row}}}"#)))),
    ];
    let batch = RecordBatch::try_from_iter(columns).expect("columns of one length");
    let path = folder.join("events.parquet");
    let file = std::fs::File::create(&path).expect("writable");
    let mut writer = parquet::arrow::ArrowWriter::try_new(file, batch.schema(), None).expect("a schema Parquet knows");
    writer.write(&batch).expect("written");
    writer.close().expect("closed");
    path
}

#[tokio::test]
async fn the_benchmark_file_imports_with_its_mapping() {
    let world = world();
    let file = bench_file(world.folder.path(), 20_000);
    let counts = world.import(&file, mapping("bench.toml")).await;
    assert_eq!(
        (counts.accepted, counts.duplicates, counts.rejected),
        (20_000, 0, 0),
        "{:?}",
        rejected(&world, "events.parquet").first()
    );
    let again = world.import(&file, mapping("bench.toml")).await;
    assert_eq!((again.accepted, again.duplicates), (0, 20_000));
    let metrics = [Metric::Events, Metric::Visitors, Metric::Amount("USD".parse().expect("valid"))];
    let purchases = all(Bots::Exclude).with(Filter::is(Field::EventName, "purchase"));
    let answer = world.aggregate(purchases, &metrics, &[], None).await;
    // 3, 7, 11, … 19,999 hundredths, exactly.
    let micros: i128 = (0..20_000_i128).filter(|row| row % 4 == 3).map(|row| row * 10_000).sum();
    assert_eq!(answer.totals, [5_000, 25, micros]);
    let by =
        world.aggregate(all(Bots::Exclude), &[Metric::Events], &[Field::Source, Field::Medium, Field::DeviceType], None).await;
    assert_eq!(by.total_rows, 7 * 2 * 3);
    let first = world.events().await.remove(0);
    assert_eq!(first.anonymous_id, u64::MAX.to_string());
    assert_eq!(first.properties.as_deref(), Some(r#"{"plan":"desktop","v":0}"#));
    assert_eq!(first.os.as_deref(), Some("c00"));
}
