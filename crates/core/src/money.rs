//! Exact money: integer micros of a currency unit, never summed across currencies.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

use crate::error::{Code, Error, Result};

/// Micros per currency unit.
pub const MICROS: i64 = 1_000_000;

/// A currency by its ISO 4217 code: three upper-case ASCII letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

impl Currency {
    /// The code as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("only ASCII letters are ever stored")
    }
}

impl FromStr for Currency {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let bytes: [u8; 3] = text
            .to_ascii_uppercase()
            .as_bytes()
            .try_into()
            .ok()
            .filter(|bytes: &[u8; 3]| bytes.iter().all(u8::is_ascii_uppercase))
            .ok_or_else(|| Error::new(Code::InvalidParams, "currency must be an ISO 4217 code of three letters, such as EUR"))?;
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for Currency {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.as_str().to_owned()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An amount in one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Money {
    /// Millionths of the currency's unit.
    pub micros: i64,
    /// The currency.
    pub currency: Currency,
}

/// Reads a decimal number (`12`, `-3.5`, `0.000001`) as exact micros. More than six decimals, or a value beyond `i64`
/// micros, is refused: rounding money silently is not ours to do.
pub fn parse_micros(text: &str) -> Result<i64> {
    let refuse = || {
        Error::new(
            Code::InvalidParams,
            "amount must be a decimal number with at most six decimals, between -9223372036854 and 9223372036854",
        )
    };
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fraction = fraction.trim_end_matches('0');
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !all_digits(whole) || !all_digits(fraction) || fraction.len() > 6 {
        return Err(refuse());
    }
    let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| refuse())? };
    let fraction: i64 = format!("{fraction:0<6}").parse().map_err(|_| refuse())?;
    let micros = whole.checked_mul(MICROS).and_then(|micros| micros.checked_add(fraction)).ok_or_else(refuse)?;
    Ok(if negative { -micros } else { micros })
}

/// Writes micros as a plain decimal number without trailing zeros, at least two decimals: `12.50`, `0.000001`.
pub fn format_micros(micros: i128) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let magnitude = micros.unsigned_abs();
    let unit = MICROS.unsigned_abs() as u128;
    let mut fraction = format!("{:06}", magnitude % unit);
    while fraction.len() > 2 && fraction.ends_with('0') {
        fraction.pop();
    }
    format!("{sign}{}.{fraction}", magnitude / unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact() {
        for (text, micros) in
            [("12", 12_000_000), ("-3.5", -3_500_000), (".5", 500_000), ("0.000001", 1), ("1.100000000", 1_100_000)]
        {
            assert_eq!(parse_micros(text).expect(text), micros, "{text}");
        }
        for text in ["", ".", "-", "1e3", "1,5", "0.0000001", "99999999999999", "NaN", "1.2.3", "１"] {
            assert!(parse_micros(text).is_err(), "{text}");
        }
        assert_eq!(format_micros(12_500_000), "12.50");
        assert_eq!(format_micros(-1), "-0.000001");
    }

    #[test]
    fn currencies_are_three_letters() {
        assert_eq!("eur".parse::<Currency>().expect("valid").as_str(), "EUR");
        for text in ["", "EU", "EURO", "E1R", "ÄÖÜ"] {
            assert!(text.parse::<Currency>().is_err(), "{text}");
        }
    }
}
