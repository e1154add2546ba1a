//! Every test on every kind of value, absent ones too.

use tributary_core::event::Event;
use tributary_core::time::TimeRange;

use super::sample::{at, event, full};
use super::{Ground, Play};
use crate::answer::Answer;
use crate::field::{DIMENSIONS, Field};
use crate::filter::{Comparison, Filter, Test};
use crate::question::{Question, RowOrder, Rows, Slice};

pub(super) async fn run(ground: &dyn Ground) {
    text_is_tested(ground).await;
    properties_are_tested(ground).await;
    every_dimension_can_be_filtered(ground).await;
}

async fn passing(play: &Play<'_>, filters: Vec<Filter>) -> String {
    let slice = Slice { filters, ..Slice::of(TimeRange::ALL) };
    match play
        .ask(Question::Rows(Rows {
            slice,
            order: RowOrder::OldestFirst,
            limit: 100,
            count_up_to: u64::MAX,
            after: None,
            only: None,
        }))
        .await
    {
        Answer::Rows(answer) => answer.rows.into_iter().map(|event| event.name).collect::<Vec<_>>().join(" "),
        other => panic!("rows answer rows, not {other:?}"),
    }
}

fn is(values: &[&str]) -> Test {
    Test::Is(values.iter().map(|value| (*value).to_owned()).collect())
}

fn is_not(values: &[&str]) -> Test {
    Test::IsNot(values.iter().map(|value| (*value).to_owned()).collect())
}

async fn text_is_tested(ground: &dyn Ground) {
    let campaigns = [Some("Spring"), Some("spring sale"), Some("12"), Some("12.5"), Some("Straße"), Some("NaN"), None];
    let events: Vec<Event> = campaigns
        .into_iter()
        .zip(["a", "b", "c", "d", "e", "f", "g"])
        .enumerate()
        .map(|(second, (campaign, name))| {
            let mut event = event(name, "v", at(second as i64));
            event.campaign = campaign.map(str::to_owned);
            event
        })
        .collect();
    let play = Play::with(ground, events).await;
    for (test, expected) in [
        (is(&["Spring"]), "a"),
        (is(&["spring"]), ""),
        (is(&["12", "Straße", "nope"]), "c e"),
        (is(&[]), ""),
        (is_not(&["Spring", "12"]), "b d e f g"),
        (is_not(&[]), "a b c d e f g"),
        (Test::Contains(String::from("SPRING")), "a b"),
        (Test::Contains(String::from("RASS")), ""),
        (Test::Contains(String::new()), "a b c d e f"),
        (Test::NotContains(String::from("SPRING")), "c d e f g"),
        (Test::NotContains(String::new()), "g"),
        (Test::EndsWith(String::from("g")), "a"),
        (Test::EndsWith(String::from("5")), "d"),
        (Test::EndsWith(String::from("ALE")), ""),
        (Test::ContainsWord(String::from("SPRING")), "a b"),
        (Test::ContainsWord(String::from("sprin")), ""),
        (Test::ContainsWord(String::from("-Spring, sale!")), "b"),
        (Test::ContainsWord(String::from("sale spring")), ""),
        (Test::ContainsWord(String::from("12")), "c d"),
        (Test::ContainsWord(String::from("straße")), "e"),
        (Test::ContainsWord(String::from(" .")), "a b c d e f"),
        (Test::StartsWith(String::from("Sp")), "a"),
        (Test::StartsWith(String::from("1")), "c d"),
        (Test::Present, "a b c d e f"),
        (Test::Absent, "g"),
        (Test::Number(Comparison::AtLeast, 12.0), "c d"),
        (Test::Number(Comparison::Greater, 12.0), "d"),
        (Test::Number(Comparison::AtMost, 12.5), "c d"),
        (Test::Number(Comparison::Less, 12.5), "c"),
        (Test::Number(Comparison::Less, f64::NAN), ""),
        (Test::Number(Comparison::Equal, 12.0), "c"),
        (Test::Number(Comparison::NotEqual, 12.0), "d"),
        (Test::Number(Comparison::Equal, f64::NAN), ""),
        (Test::Number(Comparison::NotEqual, f64::NAN), ""),
    ] {
        let filter = Filter { field: Field::Campaign, test: test.clone() };
        assert_eq!(passing(&play, vec![filter]).await, expected, "{test:?}");
    }
    // All must hold.
    let both =
        vec![Filter { field: Field::Campaign, test: Test::Present }, Filter { field: Field::EventName, test: is(&["a", "g"]) }];
    assert_eq!(passing(&play, both).await, "a");
}

async fn properties_are_tested(ground: &dyn Ground) {
    let objects = [
        Some(r#"{"plan":"pro","n":2,"cart":{"currency":"EUR"}}"#),
        Some(r#"{"plan":"Pro","n":10,"cart.currency":"literal","cart":{"currency":"USD"}}"#),
        Some(r#"{"plan":null,"n":"10","flag":true}"#),
        Some(r#"{"plan":"","n":1.0,"cart":{"currency":["EUR"]}}"#),
        Some("{}"),
        None,
    ];
    let events: Vec<Event> = objects
        .into_iter()
        .zip(["a", "b", "c", "d", "e", "f"])
        .enumerate()
        .map(|(second, (properties, name))| {
            let mut event = event(name, "v", at(second as i64));
            event.properties = properties.map(str::to_owned);
            event
        })
        .collect();
    let play = Play::with(ground, events).await;
    for (key, test, expected) in [
        ("plan", is(&["pro"]), "a"),
        ("plan", is(&["null"]), ""),
        ("plan", Test::Absent, "c e f"),
        ("plan", Test::Present, "a b d"),
        ("plan", is_not(&["pro"]), "b c d e f"),
        ("n", is(&["10"]), "b c"),
        ("n", is(&["1.0"]), "d"),
        ("n", Test::Number(Comparison::AtLeast, 2.0), "a b c"),
        ("cart.currency", is(&["EUR"]), "a"),
        ("cart.currency", is(&["literal"]), "b"),
        ("cart.currency", is(&["USD"]), ""),
        ("cart.currency", is(&[r#"["EUR"]"#]), "d"),
        ("cart", is(&[r#"{"currency":"EUR"}"#]), "a"),
        ("flag", is(&["true"]), "c"),
        ("missing.deeper", Test::Present, ""),
    ] {
        let filter = Filter { field: Field::Property(key.to_owned()), test: test.clone() };
        assert_eq!(passing(&play, vec![filter]).await, expected, "{key} {test:?}");
    }
}

async fn every_dimension_can_be_filtered(ground: &dyn Ground) {
    let whole = full("visitor", at(0));
    let play = Play::with(ground, vec![whole.clone(), event("plain", "other", at(40_000))]).await;
    for dimension in DIMENSIONS.iter().filter(|dimension| dimension.field != Field::Bot) {
        let value = dimension.field.of(&whole).expect("the full event has every column but the bot's").into_owned();
        let filter = Filter::is(dimension.field.clone(), value);
        assert_eq!(passing(&play, vec![filter]).await, "purchase ✓", "{}", dimension.name);
    }
    let derived = Filter::is(Field::SessionId, "other-987838");
    assert_eq!(passing(&play, vec![derived]).await, "plain");
}
