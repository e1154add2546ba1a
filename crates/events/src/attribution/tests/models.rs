//! Names, parameters and windows.

use std::collections::BTreeSet;

use tributary_core::error::Code;
use tributary_core::time::{DAY_US, TimeRange, parse_instant, zone};

use crate::attribution::bootstrap::{MAX_ROUNDS, Resampling};
use crate::attribution::model::{HalfLife, Model, Order, Pass, Position};
use crate::attribution::window::{Window, WindowType, eligible};

#[test]
fn every_model_is_named_and_defined() {
    let slugs: BTreeSet<&str> = Model::ALL.iter().map(|model| model.slug()).collect();
    assert_eq!(slugs.len(), Model::ALL.len());
    for model in Model::ALL {
        let slug = model.slug();
        assert_eq!(Model::from_slug(slug), Some(model));
        assert!(model.definition().ends_with('.') && model.definition().len() > 40, "{slug}");
        assert!(!model.label().is_empty() && model.source().len() > 10, "{slug}");
        assert_eq!(model.may_exceed_total(), slug.ends_with("_source_specific"), "{slug}");
        assert_eq!(model.pass() == Pass::AllPaths, slug == "markov", "{slug}");
    }
    assert_eq!(Model::from_slug("guess"), None);
}

#[test]
fn parameters_out_of_range_are_refused() {
    let refused = [
        Position::new(60, 41).map(|_| ()),
        Position::new(255, 255).map(|_| ()),
        HalfLife::new(0).map(|_| ()),
        HalfLife::new(i64::MIN).map(|_| ()),
        Order::new(0).map(|_| ()),
        Order::new(4).map(|_| ()),
        Resampling::new(38, 1, 95).map(|_| ()),
        Resampling::new(MAX_ROUNDS + 1, 1, 95).map(|_| ()),
        Resampling::new(200, 1, 0).map(|_| ()),
        Resampling::new(200, 1, 100).map(|_| ()),
    ];
    for (index, refused) in refused.into_iter().enumerate() {
        assert_eq!(refused.expect_err("out of range").code(), Code::InvalidParams, "{index}");
    }
    assert_eq!(Position::new(100, 0).expect("all of it").middle_percent(), 0);
    assert_eq!(Order::new(3).expect("offered").channels(), 3);
    Resampling::new(39, 1, 95).expect("one round beyond each bound");
}

#[test]
fn windows_are_calendar_days_in_utc() {
    let at = |text| parse_instant(text, &zone("UTC").expect("known")).expect("ISO 8601");
    let report = TimeRange { start_us: at("2026-03-01"), end_us: at("2026-04-01") };
    let (relative, absolute) = (WindowType::Relative, WindowType::Absolute);
    for (touch, conversion, window, window_type, counts) in [
        ("2026-03-09T00:00:00Z", "2026-03-10T23:59:59.999999Z", Window::Days1, relative, true),
        ("2026-03-08T23:59:59.999999Z", "2026-03-10T00:00:00Z", Window::Days1, relative, false),
        ("2026-03-03T00:00:00Z", "2026-03-10T12:00:00Z", Window::Days7, relative, true),
        ("2026-03-02T23:59:59Z", "2026-03-10T00:00:00Z", Window::Days7, relative, false),
        ("2026-03-10T12:00:00Z", "2026-03-10T12:00:00Z", Window::Days30, relative, true),
        ("2026-03-10T12:00:00.000001Z", "2026-03-10T12:00:00Z", Window::Days30, relative, false),
        ("2026-03-10T12:00:00.000001Z", "2026-03-10T12:00:00Z", Window::Lifetime, relative, false),
        ("1969-12-31T00:00:00Z", "2026-03-10T12:00:00Z", Window::Lifetime, relative, true),
        ("1969-12-31T00:00:00Z", "1970-01-01T23:00:00Z", Window::Days1, relative, true),
        ("1969-12-30T23:59:59Z", "1970-01-01T00:00:00Z", Window::Days1, relative, false),
        ("2026-02-28T23:59:59Z", "2026-03-10T12:00:00Z", Window::Days30, relative, true),
        ("2026-02-28T23:59:59Z", "2026-03-10T12:00:00Z", Window::Days30, absolute, false),
        ("2026-03-01T00:00:00Z", "2026-03-10T12:00:00Z", Window::Days30, absolute, true),
        ("2026-03-01T00:00:00Z", "2026-03-10T12:00:00Z", Window::Days7, absolute, false),
    ] {
        let found = eligible(at(touch), at(conversion), window, window_type, report);
        assert_eq!(found, counts, "{touch} for {conversion}, {window:?}, {window_type:?}");
    }
}

#[test]
fn windows_reach_no_further_than_time_itself() {
    for window in Window::ALL {
        assert_eq!(Window::from_days(window.days()), Some(window));
        assert!(eligible(i64::MIN, i64::MIN, window, WindowType::Relative, TimeRange::ALL));
        assert!(eligible(i64::MAX, i64::MAX, window, WindowType::Relative, TimeRange::ALL));
        let long_ago = eligible(i64::MIN, i64::MAX, window, WindowType::Relative, TimeRange::ALL);
        assert_eq!(long_ago, window == Window::Lifetime);
    }
    assert_eq!(Window::from_days(2), None);
    assert_eq!(Window::Days30.opens_us(45 * DAY_US + 1), 15 * DAY_US);
}
