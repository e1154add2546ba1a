//! Access-log lines: shapes servers write, a real log, and anything else.

use std::collections::HashSet;

use proptest::prelude::*;
use tributary_core::time::{DAY_US, format_utc};
use tributary_ingest::access_log::parse;

use crate::data;

#[test]
fn a_combined_line() {
    let line = parse(
        r#"198.18.0.1 - frank [18/May/2015:10:05:03 -0730] "GET /a?b=c HTTP/1.1" 200 203023 "http://a.example/?q=1" "Mozilla/5.0 \"x\" \\ \xc3\xa9""#,
    )
    .unwrap();
    assert_eq!(line.client, "198.18.0.1");
    assert_eq!(line.address, Some("198.18.0.1".parse().unwrap()));
    assert_eq!(line.user, Some("frank"));
    assert_eq!(format_utc(line.time_us), "2015-05-18T17:35:03Z");
    assert_eq!((line.method.as_deref(), line.path.as_deref()), (Some("GET"), Some("/a?b=c")));
    assert_eq!((line.status, line.bytes), (200, Some(203_023)));
    assert_eq!(line.referrer.as_deref(), Some("http://a.example/?q=1"));
    assert_eq!(line.user_agent.as_deref(), Some(r#"Mozilla/5.0 "x" \ é"#));
}

#[test]
fn odd_lines_that_servers_do_write() {
    for (text, shown) in [
        (r#"h.example - - [18/May/2015:10:05:03 +0000] "-" 408 -"#, "None None None 408 None None None"),
        (
            r#"::1 - - [18/May/2015:10:05:03 +0000] "GET / HTTP/2.0" 304 0 "-" "-""#,
            r#"Some(::1) Some("GET") Some("/") 304 Some(0) None None"#,
        ),
        (r#"::1 - - [18/May/2015:10:05:03 +0000] "\x16\x03\x01" 400 226 "-" "-""#, "Some(::1) None None 400 Some(226) None None"),
        (
            r#"::1 - a b [18/May/2015:10:05:60 +0000] "GET /a b HTTP/1.0" 200 1 "" "x""#,
            r#"Some(::1) Some("GET") Some("/a b") 200 Some(1) None Some("x")"#,
        ),
        (
            "::1 - - [18/May/2015:10:05:03 +0000] \"GET /old\" 200 1\r",
            r#"Some(::1) Some("GET") Some("/old") 200 Some(1) None None"#,
        ),
    ] {
        let line = parse(text).unwrap();
        let got = format!(
            "{:?} {:?} {:?} {} {:?} {:?} {:?}",
            line.address, line.method, line.path, line.status, line.bytes, line.referrer, line.user_agent
        );
        assert_eq!(got, shown, "{text}");
    }
}

#[test]
fn a_bad_line_says_where_and_what_is_accepted() {
    for (text, expected) in [
        ("", "no client address at column 1 of the log line; accepted: a word"),
        ("::1 -", "no time at column 6 of the log line; accepted: [18/May/2015:10:05:03 +0000]"),
        (
            r#"::1 - - [32/May/2015:10:05:03 +0000] "-" 200 1"#,
            "no time at column 9 of the log line; accepted: [18/May/2015:10:05:03 +0000]",
        ),
        (
            r#"::1 - - [18/Mai/2015:10:05:03 +0000] "-" 200 1"#,
            "no time at column 9 of the log line; accepted: [18/May/2015:10:05:03 +0000]",
        ),
        (
            r#"::1 - - [18/May/2015:10:05:03 +0000] GET / 200 1"#,
            "no request at column 38 of the log line; accepted: text in double quotes",
        ),
        (
            r#"::1 - - [18/May/2015:10:05:03 +0000] "GET / 200 1"#,
            "no request at column 38 of the log line; accepted: a closing double quote",
        ),
        (r#"::1 - - [18/May/2015:10:05:03 +0000] "-" 2000 1"#, "no status at column 42 of the log line; accepted: three digits"),
        (
            r#"::1 - - [18/May/2015:10:05:03 +0000] "-" 200 many"#,
            "no size at column 46 of the log line; accepted: a number of bytes or `-`",
        ),
        (
            r#"::1 - - [18/May/2015:10:05:03 +0000] "-" 200 1 "a""#,
            "no user agent at column 51 of the log line; accepted: text in double quotes",
        ),
    ] {
        assert_eq!(parse(text).unwrap_err().message(), expected, "{text}");
    }
    assert!(parse(&"x".repeat(100_000)).is_err());
}

/// 10,000 lines of a real log; totals as other tools count them.
#[test]
fn a_real_log() {
    let text = data::text("weblog/access.log.gz");
    let lines: Vec<_> = text.lines().map(|line| parse(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect();
    let expected = data::json("weblog/expected.json");
    assert_eq!(lines.len(), 10_000);
    let distinct = |values: Vec<&str>| values.into_iter().collect::<HashSet<_>>().len();
    assert_eq!(distinct(lines.iter().map(|line| line.client).collect()), expected["distinct_ip"]);
    assert_eq!(
        distinct(lines.iter().map(|line| line.user_agent.as_deref().unwrap_or("-")).collect()),
        expected["distinct_user_agent"]
    );
    for (status, count) in expected["status_counts"].as_object().unwrap() {
        assert_eq!(lines.iter().filter(|line| line.status.to_string() == *status).count(), *count, "{status}");
    }
    assert!(lines.iter().all(|line| line.address.is_some() && line.method.is_some() && line.path.is_some()));
    // GoAccess's visitors: distinct address, agent and day, without 4xx answers.
    let seen = lines.iter().filter(|line| line.status / 100 != 4);
    let visitors: HashSet<_> =
        seen.map(|line| (line.client, line.user_agent.as_deref(), line.time_us.div_euclid(DAY_US))).collect();
    assert_eq!(visitors.len(), expected["visitors_total"]);
}

#[test]
fn a_line_cut_in_its_last_field_is_read() {
    let line = parse(r#"::1 - - [18/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 1 "-" "Mozilla/5.0 (comp"#).unwrap();
    assert_eq!(line.user_agent.as_deref(), Some("Mozilla/5.0 (comp"));
}

proptest! {
    #[test]
    fn no_line_panics(text in ".*") {
        let _ = parse(&text);
    }

    #[test]
    fn no_nearly_right_line_panics(
        client in "[ \\-a-z0-9.:]{0,12}",
        time in "[\\[\\]0-9A-Za-z/: +\\-]{0,30}",
        rest in "[\"\\\\ xé0-9A-Z/\\-]{0,40}",
    ) {
        let _ = parse(&format!("{client} - - [{time}] \"{rest}"));
        let _ = parse(&format!("{client} - - [18/May/2015:10:05:03 +0000] \"{rest}\" 200 {rest}"));
    }

    #[test]
    fn what_is_written_reads_back(path in "/[!-~é]{0,20}", agent in "[ -~]{1,40}", status in 100u16..600, bytes: u32) {
        let escaped = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
        let line = format!(
            "192.0.2.1 - - [18/May/2015:10:05:03 +0000] \"GET {} HTTP/1.1\" {status} {bytes} \"-\" \"{}\"",
            escaped(&path),
            escaped(&agent)
        );
        let read = parse(&line).unwrap();
        prop_assert_eq!(read.path.as_deref(), Some(path.as_str()));
        prop_assert_eq!(read.user_agent.as_deref(), Some(agent.as_str()).filter(|agent| *agent != "-"));
        prop_assert_eq!((read.status, read.bytes), (status, Some(u64::from(bytes))));
    }
}
