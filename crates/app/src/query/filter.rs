//! Conditions as people type them: `source=google`, `path~pricing`, `properties.total>=100`.

use tributary_core::error::{Code, Error, Result};
use tributary_events::field::Field;
use tributary_events::filter::{Comparison, Filter, Test};

use super::field;

/// The operators, longer ones first so that `>=` is not read as `>`.
const OPERATORS: [&str; 7] = ["!=", ">=", "<=", "=", "~", ">", "<"];

/// Reads one condition. `field=` means absent, `field!=` present; `a|b` after `=` or `!=` means any of them.
pub fn parse(text: &str) -> Result<Filter> {
    let refuse = |reason: String| {
        Error::new(
            Code::InvalidParams,
            format!(
                "condition `{text}` {reason}; accepted: field=value, field!=value, field~part, and on properties.<key> also > >= < <="
            ),
        )
    };
    // A property's key may hold any character but those of an operator; the first operator ends the name.
    let at = text.find(['=', '!', '~', '<', '>']).ok_or_else(|| refuse(String::from("has no operator")))?;
    let (name, rest) = text.split_at(at);
    let operator = OPERATORS
        .into_iter()
        .find(|operator| rest.starts_with(operator))
        .ok_or_else(|| refuse(String::from("has no operator")))?;
    let value = &rest[operator.len()..];
    let field = field(name.trim())?;
    let comparison = match operator {
        "=" if value.is_empty() => return Ok(Filter { field, test: Test::Absent }),
        "=" => return Ok(Filter { field, test: Test::Is(alternatives(value)) }),
        "!=" if value.is_empty() => return Ok(Filter { field, test: Test::Present }),
        "!=" => return Ok(Filter { field, test: Test::IsNot(alternatives(value)) }),
        "~" => return Ok(Filter { field, test: Test::Contains(value.to_owned()) }),
        ">=" => Comparison::AtLeast,
        "<=" => Comparison::AtMost,
        ">" => Comparison::Greater,
        _ => Comparison::Less,
    };
    if !matches!(field, Field::Property(_)) {
        return Err(refuse(format!("compares `{name}` as a number, which only properties.<key> allows")));
    }
    let bound: f64 = value.trim().parse().map_err(|_| refuse(format!("compares with `{value}`, which is not a number")))?;
    Ok(Filter { field, test: Test::Number(comparison, bound) })
}

/// Reads a step: an event name and, after commas, further conditions.
pub fn parse_step(text: &str) -> Result<Vec<Filter>> {
    let mut parts = text.split(',');
    let name = parts.next().unwrap_or_default().trim();
    if name.is_empty() {
        return Err(Error::new(
            Code::InvalidParams,
            format!("step `{text}` must begin with an event name, such as purchase,source=google"),
        ));
    }
    let mut filters = vec![Filter::is(Field::EventName, name)];
    for condition in parts {
        filters.push(parse(condition.trim())?);
    }
    Ok(filters)
}

fn alternatives(value: &str) -> Vec<String> {
    value.split('|').map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn conditions_read_as_written() {
        let plan = || Field::Property(String::from("plan"));
        for (text, field, test) in [
            ("source=google", Field::Source, Test::Is(vec!["google".into()])),
            ("source=google|bing", Field::Source, Test::Is(vec!["google".into(), "bing".into()])),
            ("source!=google", Field::Source, Test::IsNot(vec!["google".into()])),
            ("campaign=", Field::Campaign, Test::Absent),
            ("campaign!=", Field::Campaign, Test::Present),
            ("path~pricing", Field::Path, Test::Contains("pricing".into())),
            ("url=https://shop.example/?a=b", Field::Url, Test::Is(vec!["https://shop.example/?a=b".into()])),
            ("properties.plan=pro", plan(), Test::Is(vec!["pro".into()])),
            ("properties.plan>=1.5", plan(), Test::Number(Comparison::AtLeast, 1.5)),
            ("properties.plan<2", plan(), Test::Number(Comparison::Less, 2.0)),
        ] {
            assert_eq!(parse(text).expect(text), Filter { field, test }, "{text}");
        }
        for text in ["", "source", "=google", "nope=1", "source>3", "properties.plan>many", "ip_hash=1", "source!google"] {
            let error = parse(text).expect_err(text);
            assert!(error.message().contains("accepted"), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "\\PC*") {
            let _ = parse(&text);
            let _ = parse_step(&text);
        }
    }
}
