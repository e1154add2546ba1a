//! No stored text and no caller's text makes fields and filters panic, and what they say is consistent.

use proptest::prelude::*;

use tributary_events::field::{Field, property};
use tributary_events::filter::{Comparison, Test};
use tributary_testkit::random::events::{event, properties};
use tributary_testkit::random::questions::{field, filter};

proptest! {
    #[test]
    fn any_text_can_be_read_as_properties(json in any::<String>(), key in any::<String>()) {
        let _ = property(&json, &key);
    }

    #[test]
    fn any_key_can_be_looked_up(json in properties(), key in "[a-z.\u{0}é\"\\\\]{0,12}") {
        let value = property(&json, &key);
        prop_assert!(value.as_deref() != Some("null"), "null reads as absent");
    }

    #[test]
    fn a_literal_key_wins_over_a_nested_one(parts in prop::collection::vec("[a-z]{1,4}", 2..4)) {
        let key = parts.join(".");
        let nested = parts.iter().rev().fold(serde_json::json!("nested"), |value, part| serde_json::json!({ part: value }));
        prop_assert_eq!(property(&nested.to_string(), &key), Some(String::from("nested")));
        let mut both = nested;
        both[&key] = serde_json::json!("literal");
        prop_assert_eq!(property(&both.to_string(), &key), Some(String::from("literal")));
    }

    #[test]
    fn names_read_back_as_their_field(field in field()) {
        // Callers cannot name a trait.
        let read = (!matches!(field, Field::Trait(_))).then(|| field.clone());
        prop_assert_eq!(Field::parse(&field.name()), read);
    }

    #[test]
    fn no_name_makes_parsing_panic(name in any::<String>()) {
        if let Some(field) = Field::parse(&name) {
            prop_assert_eq!(field.name(), name);
        }
    }

    #[test]
    fn filters_decide_on_the_value_they_name(filter in filter(), event in event()) {
        let value = filter.field.of(&event);
        prop_assert_eq!(filter.holds(&event), filter.test.holds(value.as_deref()));
    }

    #[test]
    fn opposite_tests_never_agree(value in prop::option::of(any::<String>()), other in any::<String>(), bound in any::<f64>()) {
        let value = value.as_deref();
        prop_assert_ne!(Test::Is(vec![other.clone()]).holds(value), Test::IsNot(vec![other.clone()]).holds(value));
        prop_assert_ne!(Test::Present.holds(value), Test::Absent.holds(value));
        let less = Test::Number(Comparison::Less, bound).holds(value);
        prop_assert!(!(less && Test::Number(Comparison::AtLeast, bound).holds(value)));
        prop_assert_eq!(Test::Contains(String::new()).holds(value), value.is_some());
        let number = |comparison| Test::Number(comparison, bound).holds(value);
        prop_assert!(!(number(Comparison::Equal) && number(Comparison::NotEqual)));
        prop_assert_ne!(Test::Contains(other.clone()).holds(value), Test::NotContains(other.clone()).holds(value));
        let _ = (Test::StartsWith(other.clone()).holds(value), Test::EndsWith(other.clone()).holds(value));
        if Test::ContainsWord(other.clone()).holds(value) {
            prop_assert!(other.split(|one: char| !one.is_alphanumeric()).all(|word| Test::Contains(word.to_owned()).holds(value)));
        }
    }
}
