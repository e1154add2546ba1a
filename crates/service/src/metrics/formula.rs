//! Formulas over metrics: `( gross_revenue - amount_spent ) / gross_revenue`. Read, checked by unit, evaluated in exact decimals.
//!
//! Catalogue metrics that are made of others and the metrics users define are the same thing: a formula and a unit.

use std::fmt;

use rust_decimal::Decimal;

use super::unit::Unit;
use super::value::{Missing, Value};

/// Longest formula, characters.
pub const MAX_CHARS: usize = 1_000;
/// Most tokens of a formula.
pub const MAX_TOKENS: usize = 200;
/// Deepest nesting of parentheses and signs.
const MAX_DEPTH: usize = 32;

/// A formula.
#[derive(Clone, Debug, PartialEq)]
pub enum Formula {
    /// A number written out.
    Number(Decimal),
    /// A metric, as the caller wrote it until names are resolved, a slug after.
    Metric(String),
    /// The negative of a formula.
    Negative(Box<Formula>),
    /// Two formulas put together.
    Binary(Operator, Box<Formula>, Box<Formula>),
}

/// How two formulas are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `+`
    Plus,
    /// `-`
    Minus,
    /// `*`
    Times,
    /// `/`
    Over,
}

impl Operator {
    fn sign(self) -> char {
        match self {
            Operator::Plus => '+',
            Operator::Minus => '-',
            Operator::Times => '*',
            Operator::Over => '/',
        }
    }

    fn binds_tightly(self) -> bool {
        matches!(self, Operator::Times | Operator::Over)
    }
}

/// What is wrong with a formula, in words that say what would be accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault(pub String);

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Number(Decimal),
    Metric(String),
    Operator(Operator),
    Open,
    Close,
}

impl Formula {
    /// Reads a formula: metrics by slug, or by label between double quotes, decimal numbers, `+ - * /` (also `×`, `÷` and `−`)
    /// and parentheses. `*` and `/` go before `+` and `-`, all from left to right.
    pub fn parse(text: &str) -> Result<Formula, Fault> {
        if text.chars().count() > MAX_CHARS {
            return Err(Fault(format!("a formula has at most {MAX_CHARS} characters")));
        }
        let tokens = tokens(text)?;
        if tokens.len() > MAX_TOKENS {
            return Err(Fault(format!("a formula has at most {MAX_TOKENS} metrics, numbers and signs")));
        }
        let mut reader = Reader { tokens: tokens.into_iter().peekable(), depth: 0 };
        let formula = reader.sum()?;
        match reader.tokens.next() {
            None => Ok(formula),
            Some(token) => Err(Fault(format!("{} does not belong after the end of a formula", described(&token)))),
        }
    }

    /// Every metric in it, in the order written, repeats included.
    pub fn metrics(&self) -> Vec<&str> {
        let mut found = Vec::new();
        self.walk(&mut |metric| found.push(metric));
        found
    }

    fn walk<'f>(&'f self, visit: &mut impl FnMut(&'f str)) {
        match self {
            Formula::Number(_) => {}
            Formula::Metric(metric) => visit(metric),
            Formula::Negative(inner) => inner.walk(visit),
            Formula::Binary(_, left, right) => {
                left.walk(visit);
                right.walk(visit);
            }
        }
    }

    /// The same with every metric's name replaced.
    pub fn renamed(&self, rename: &mut impl FnMut(&str) -> Result<String, Fault>) -> Result<Formula, Fault> {
        Ok(match self {
            Formula::Number(number) => Formula::Number(*number),
            Formula::Metric(metric) => Formula::Metric(rename(metric)?),
            Formula::Negative(inner) => Formula::Negative(Box::new(inner.renamed(rename)?)),
            Formula::Binary(operator, left, right) => {
                Formula::Binary(*operator, Box::new(left.renamed(rename)?), Box::new(right.renamed(rename)?))
            }
        })
    }

    /// Checks that amounts are only added to amounts, and that the result is of the unit it is said to be of.
    pub fn check(&self, unit: Unit, unit_of: &impl Fn(&str) -> Option<Unit>) -> Result<(), Fault> {
        let power = self.money_power(unit_of)?;
        let wanted = unit.money_power();
        match power {
            // A bare number may stand for anything.
            None => Ok(()),
            Some(power) if power == wanted => Ok(()),
            Some(1) => {
                Err(Fault(format!("the formula gives an amount, not a {}; accepted as its type: currency", unit.as_str())))
            }
            Some(0) => {
                Err(Fault(String::from("the formula gives a number, not an amount; accepted as its type: number, percent")))
            }
            Some(-1) => {
                Err(Fault(String::from("the formula divides a number by an amount; accepted: amount / number, amount / amount")))
            }
            Some(_) => {
                Err(Fault(String::from("the formula multiplies or divides by amounts twice; accepted: a number or an amount")))
            }
        }
    }

    /// To which power money stands in the result; `None` for a bare number, which takes the unit of what it is added to.
    fn money_power(&self, unit_of: &impl Fn(&str) -> Option<Unit>) -> Result<Option<i8>, Fault> {
        match self {
            Formula::Number(_) => Ok(None),
            Formula::Metric(metric) => {
                let unit = unit_of(metric).ok_or_else(|| Fault(format!("`{metric}` is no metric")))?;
                Ok(Some(unit.money_power()))
            }
            Formula::Negative(inner) => inner.money_power(unit_of),
            Formula::Binary(operator, left, right) => {
                let (of_left, of_right) = (left.money_power(unit_of)?, right.money_power(unit_of)?);
                Ok(match operator {
                    Operator::Plus | Operator::Minus => match (of_left, of_right) {
                        (Some(one), Some(other)) if one != other => {
                            return Err(Fault(format!(
                                "`{self}` puts an amount and a number together; accepted: two of one kind"
                            )));
                        }
                        (one, other) => one.or(other),
                    },
                    Operator::Times => combined(of_left, of_right, i8::saturating_add),
                    Operator::Over => combined(of_left, of_right, i8::saturating_sub),
                })
            }
        }
    }

    /// The result, or why there is none. Percents enter as fractions; the caller scales the result to its unit.
    pub fn evaluate(&self, value_of: &impl Fn(&str) -> Value) -> Value {
        match self {
            Formula::Number(number) => Ok(*number),
            Formula::Metric(metric) => value_of(metric),
            Formula::Negative(inner) => inner.evaluate(value_of).map(|value| -value),
            Formula::Binary(operator, left, right) => {
                let (one, other) = (left.evaluate(value_of)?, right.evaluate(value_of)?);
                let result = match operator {
                    Operator::Plus => one.checked_add(other),
                    Operator::Minus => one.checked_sub(other),
                    Operator::Times => one.checked_mul(other),
                    Operator::Over if other.is_zero() => return Err(Missing::ZeroDivisor(right.to_string())),
                    Operator::Over => one.checked_div(other),
                };
                result.ok_or(Missing::TooLarge)
            }
        }
    }

    fn is_sum(&self) -> bool {
        matches!(self, Formula::Binary(Operator::Plus | Operator::Minus, ..))
    }
}

/// The power of a product or quotient; a bare number counts as a number there.
fn combined(left: Option<i8>, right: Option<i8>, put: fn(i8, i8) -> i8) -> Option<i8> {
    match (left, right) {
        (None, None) => None,
        (left, right) => Some(put(left.unwrap_or(0), right.unwrap_or(0))),
    }
}

impl fmt::Display for Formula {
    /// With no more parentheses than are needed, and a space around every sign.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nested = |inner: &Formula, is_wrapped: bool, f: &mut fmt::Formatter<'_>| {
            if is_wrapped { write!(f, "( {inner} )") } else { write!(f, "{inner}") }
        };
        match self {
            Formula::Number(number) => write!(f, "{number}"),
            Formula::Metric(metric) => f.write_str(metric),
            Formula::Negative(inner) => {
                f.write_str("-")?;
                nested(inner, !matches!(**inner, Formula::Number(_) | Formula::Metric(_)), f)
            }
            Formula::Binary(operator, left, right) => {
                nested(left, operator.binds_tightly() && left.is_sum(), f)?;
                write!(f, " {} ", operator.sign())?;
                // What stands right of a sign keeps its parentheses, unless it binds more tightly: `a - ( b - c )`, `a / ( b * c )`.
                let is_tighter =
                    !operator.binds_tightly() && matches!(**right, Formula::Binary(inner, ..) if inner.binds_tightly());
                nested(right, !is_tighter && !matches!(**right, Formula::Number(_) | Formula::Metric(_)), f)
            }
        }
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, Fault> {
    let mut found = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(next) = rest.next() {
        let token = match next {
            space if space.is_whitespace() => continue,
            '+' => Token::Operator(Operator::Plus),
            '-' | '\u{2212}' | '\u{2013}' => Token::Operator(Operator::Minus),
            '*' | '\u{d7}' => Token::Operator(Operator::Times),
            '/' | '\u{f7}' => Token::Operator(Operator::Over),
            '(' => Token::Open,
            ')' => Token::Close,
            '"' => {
                let label: String = rest.by_ref().take_while(|next| *next != '"').collect();
                Token::Metric(label.trim().to_owned())
            }
            digit if digit.is_ascii_digit() || digit == '.' => {
                let mut number = String::from(digit);
                while let Some(next) = rest.next_if(|next| next.is_ascii_digit() || *next == '.') {
                    number.push(next);
                }
                let read = number.parse().map_err(|_| Fault(format!("`{number}` is no decimal number; accepted: 12, 0.5")));
                Token::Number(read?)
            }
            letter if letter.is_alphabetic() || letter == '_' => {
                let mut name = String::from(letter);
                while let Some(next) = rest.next_if(|next| next.is_alphanumeric() || *next == '_') {
                    name.push(next);
                }
                Token::Metric(name)
            }
            other => {
                let accepted = "metrics, numbers, + - * / and parentheses";
                return Err(Fault(format!("`{other}` does not belong into a formula; accepted: {accepted}")));
            }
        };
        found.push(token);
    }
    Ok(found)
}

struct Reader {
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
    depth: usize,
}

impl Reader {
    fn sum(&mut self) -> Result<Formula, Fault> {
        let mut left = self.product()?;
        while let Some(operator) = self.operator(false) {
            left = Formula::Binary(operator, Box::new(left), Box::new(self.product()?));
        }
        Ok(left)
    }

    fn product(&mut self) -> Result<Formula, Fault> {
        let mut left = self.single()?;
        while let Some(operator) = self.operator(true) {
            left = Formula::Binary(operator, Box::new(left), Box::new(self.single()?));
        }
        Ok(left)
    }

    fn operator(&mut self, binds_tightly: bool) -> Option<Operator> {
        let fits = |token: &Token| matches!(token, Token::Operator(operator) if operator.binds_tightly() == binds_tightly);
        match self.tokens.next_if(fits) {
            Some(Token::Operator(operator)) => Some(operator),
            _ => None,
        }
    }

    fn single(&mut self) -> Result<Formula, Fault> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Fault(format!("parentheses and signs nest at most {MAX_DEPTH} deep")));
        }
        let read = match self.tokens.next() {
            Some(Token::Number(number)) => Formula::Number(number),
            Some(Token::Metric(metric)) if metric.is_empty() => return Err(Fault(String::from("a quoted metric has no name"))),
            Some(Token::Metric(metric)) => Formula::Metric(metric),
            Some(Token::Operator(Operator::Minus)) => Formula::Negative(Box::new(self.single()?)),
            Some(Token::Open) => {
                let inner = self.sum()?;
                match self.tokens.next() {
                    Some(Token::Close) => inner,
                    _ => return Err(Fault(String::from("a parenthesis is not closed"))),
                }
            }
            Some(token) => {
                return Err(Fault(format!("{} stands where a metric, a number or ( belongs", described(&token))));
            }
            None => return Err(Fault(String::from("the formula ends where a metric, a number or ( belongs"))),
        };
        self.depth -= 1;
        Ok(read)
    }
}

fn described(token: &Token) -> String {
    match token {
        Token::Number(number) => format!("`{number}`"),
        Token::Metric(metric) => format!("`{metric}`"),
        Token::Operator(operator) => format!("`{}`", operator.sign()),
        Token::Open => String::from("`(`"),
        Token::Close => String::from("`)`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn unit_of(metric: &str) -> Option<Unit> {
        Some(match metric {
            "gross_revenue" | "amount_spent" => Unit::Currency,
            "purchase" | "clicks" => Unit::Number,
            "ctr" => Unit::Percent,
            _ => return None,
        })
    }

    fn value_of(metric: &str) -> Value {
        match metric {
            "gross_revenue" => Ok(Decimal::from(300)),
            "amount_spent" => Ok(Decimal::from(120)),
            "purchase" => Ok(Decimal::from(3)),
            "clicks" => Ok(Decimal::ZERO),
            _ => Err(Missing::Unknown("not asked for".into())),
        }
    }

    #[test]
    fn formulas_read_back_and_evaluate_exactly() {
        for (text, written, value) in [
            ("( gross_revenue - amount_spent ) / gross_revenue", "( gross_revenue - amount_spent ) / gross_revenue", "0.6"),
            ("gross_revenue-amount_spent*2", "gross_revenue - amount_spent * 2", "60"),
            ("gross_revenue \u{2212} (amount_spent \u{2212} 20)", "gross_revenue - ( amount_spent - 20 )", "200"),
            ("gross_revenue / purchase / 2", "gross_revenue / purchase / 2", "50"),
            ("gross_revenue \u{f7} (purchase \u{d7} 2)", "gross_revenue / ( purchase * 2 )", "50"),
            ("-(amount_spent + 1) * -.5", "-( amount_spent + 1 ) * ( -0.5 )", "60.5"),
            ("\"gross_revenue\" / \"amount_spent\"", "gross_revenue / amount_spent", "2.5"),
            ("0.1 + 0.2", "0.1 + 0.2", "0.3"),
        ] {
            let formula = Formula::parse(text).expect(text);
            assert_eq!(formula.to_string(), written);
            assert_eq!(Formula::parse(written).expect(written), formula, "{written}");
            assert_eq!(formula.evaluate(&value_of).expect(text), value.parse().expect("a decimal"), "{text}");
        }
    }

    #[test]
    fn what_is_no_formula_is_told_with_what_would_be() {
        for (text, fault) in [
            ("", "the formula ends where a metric, a number or ( belongs"),
            ("purchase +", "the formula ends where a metric, a number or ( belongs"),
            ("(purchase", "a parenthesis is not closed"),
            ("purchase)", "`)` does not belong after the end of a formula"),
            ("purchase clicks", "`clicks` does not belong after the end of a formula"),
            ("purchase % 2", "`%` does not belong into a formula; accepted: metrics, numbers, + - * / and parentheses"),
            ("1.2.3", "`1.2.3` is no decimal number; accepted: 12, 0.5"),
            ("* 2", "`*` stands where a metric, a number or ( belongs"),
        ] {
            assert_eq!(Formula::parse(text), Err(Fault(fault.into())), "{text}");
        }
        assert!(Formula::parse(&"(".repeat(200)).is_err());
        assert!(Formula::parse(&"-".repeat(100)).is_err());
        assert!(Formula::parse(&"1+".repeat(600)).is_err());
    }

    #[test]
    fn amounts_are_only_added_to_amounts() {
        let check = |text: &str, unit| Formula::parse(text).expect(text).check(unit, &unit_of).map_err(|fault| fault.0);
        assert_eq!(check("gross_revenue / amount_spent", Unit::Number), Ok(()));
        assert_eq!(check("(gross_revenue - amount_spent) / gross_revenue", Unit::Percent), Ok(()));
        assert_eq!(check("gross_revenue / purchase", Unit::Currency), Ok(()));
        assert_eq!(check("gross_revenue - 100", Unit::Currency), Ok(()), "a written number may be an amount");
        assert_eq!(check("gross_revenue * ctr", Unit::Currency), Ok(()));
        let mixed = "`gross_revenue + purchase` puts an amount and a number together; accepted: two of one kind";
        assert_eq!(check("gross_revenue + purchase", Unit::Currency), Err(mixed.into()));
        assert!(check("gross_revenue", Unit::Number).is_err_and(|fault| fault.contains("accepted as its type: currency")));
        assert!(check("purchase", Unit::Currency).is_err_and(|fault| fault.contains("number, percent")));
        assert!(check("purchase / amount_spent", Unit::Number).is_err());
        assert!(check("gross_revenue * amount_spent", Unit::Currency).is_err());
        assert_eq!(check("gross_revenue / nothing", Unit::Number), Err("`nothing` is no metric".into()));
    }

    #[test]
    fn a_zero_divisor_gives_no_number_and_says_which() {
        let formula = Formula::parse("amount_spent / ( clicks * 2 )").expect("a formula");
        assert_eq!(formula.evaluate(&value_of), Err(Missing::ZeroDivisor("clicks * 2".into())));
    }

    fn formulas() -> impl Strategy<Value = Formula> {
        let leaf = prop_oneof![
            (0..1_000_u32).prop_map(|number| Formula::Number(Decimal::new(i64::from(number), 1).normalize())),
            prop_oneof![Just("gross_revenue"), Just("purchase")].prop_map(|name| Formula::Metric(name.into())),
        ];
        leaf.prop_recursive(4, 32, 2, |inner| {
            let operator = prop_oneof![Just(Operator::Plus), Just(Operator::Minus), Just(Operator::Times), Just(Operator::Over)];
            prop_oneof![
                inner.clone().prop_map(|inner| Formula::Negative(Box::new(inner))),
                (operator, inner.clone(), inner).prop_map(|(operator, left, right)| Formula::Binary(
                    operator,
                    Box::new(left),
                    Box::new(right)
                )),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(formula in formulas()) {
            prop_assert_eq!(Formula::parse(&formula.to_string()), Ok(formula));
        }

        #[test]
        fn nothing_panics(text in "[a-z0-9_()+*/. \"-]{0,40}") {
            if let Ok(formula) = Formula::parse(&text) {
                let _ = formula.check(Unit::Number, &unit_of);
                let _ = formula.evaluate(&value_of);
            }
        }
    }
}
