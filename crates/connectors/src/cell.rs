//! Cells as values. `-` and nothing mean no value.

use jiff::civil::Date;
use tributary_core::ads::{MAX_COUNT, MAX_MICROS, MAX_TEXT_BYTES, YEARS};
use tributary_core::error::Result;
use tributary_core::money::{Currency, parse_micros};

use crate::table::Unit;

const AMOUNT: &str = "accepted: a decimal number such as 12.34, at most 1000000000000";
const MILLIONTHS: &str = "accepted: a whole number of millionths such as 12340000";
const COUNT: &str = "accepted: a whole number from 0 to 1000000000000";
const DATE: &str = "accepted: a date such as 2026-05-31, or a time that begins with one, of the years 1990 to 2199";
const TEXT: &str = "accepted: text of at most 1024 bytes without control characters";

/// The cell without surrounding space, or none.
pub(crate) fn filled(cell: &str) -> Option<&str> {
    Some(cell.trim()).filter(|cell| !cell.is_empty() && *cell != "-")
}

/// An amount in millionths. A decimal finer than a millionth is rounded to the nearest, halves to even: LinkedIn writes
/// amounts with a dozen decimals.
pub(crate) fn amount(cell: &str, unit: Unit) -> Result<i64, String> {
    let (read, accepted) = match unit {
        Unit::Whole => (decimal(cell), AMOUNT),
        Unit::Micros => (integer(cell), MILLIONTHS),
    };
    read.filter(|micros| (-MAX_MICROS..=MAX_MICROS).contains(micros))
        .ok_or_else(|| format!("`{}` is no amount; {accepted}", short(cell)))
}

/// A count, which some exports write with a `.0`.
pub(crate) fn count(cell: &str) -> Result<i64, String> {
    integer(cell).filter(|count| (0..=MAX_COUNT).contains(count)).ok_or_else(|| format!("`{}` is no count; {COUNT}", short(cell)))
}

/// The civil date of a date or time. A time's date is taken as it stands: platforms report in the account's zone.
pub(crate) fn date(cell: &str) -> Result<Date, String> {
    let (date, rest) = cell.split_at_checked(10).unwrap_or((cell, ""));
    let follows = rest.is_empty() || rest.starts_with(['T', ' ']);
    date.parse()
        .ok()
        .filter(|day: &Date| follows && date.len() == 10 && YEARS.contains(&day.year()))
        .ok_or_else(|| format!("`{}` is no date; {DATE}", short(cell)))
}

/// A currency.
pub(crate) fn currency(cell: &str) -> Result<Currency, String> {
    cell.parse().map_err(|_| format!("`{}` is no currency; accepted: three letters of ISO 4217 such as EUR", short(cell)))
}

/// An id, a name, a status.
pub(crate) fn text(cell: &str) -> Result<String, String> {
    if cell.len() > MAX_TEXT_BYTES || cell.chars().any(char::is_control) {
        return Err(format!("`{}` is no text of ours; {TEXT}", short(cell)));
    }
    Ok(cell.to_owned())
}

/// Text that describes and identifies nothing, in a form that is always kept: shortened, control characters as spaces.
pub(crate) fn label(cell: &str) -> String {
    let end = (0..=MAX_TEXT_BYTES.min(cell.len())).rev().find(|end| cell.is_char_boundary(*end)).unwrap_or(0);
    cell[..end].chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

/// The numbers in a time, so that versions can be told apart however the export pads them.
pub(crate) fn version(cell: &str) -> Vec<u64> {
    cell.split(|letter: char| !letter.is_ascii_digit())
        .filter(|digits| !digits.is_empty())
        .map(|digits| digits.parse().unwrap_or(0))
        .collect()
}

fn integer(cell: &str) -> Option<i64> {
    let whole =
        cell.split_once('.').map_or(cell, |(whole, zeros)| if zeros.bytes().all(|byte| byte == b'0') { whole } else { cell });
    let digits = whole.strip_prefix(['-', '+']).unwrap_or(whole);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    whole.parse().ok().filter(|_| is_number)
}

fn decimal(cell: &str) -> Option<i64> {
    if let Ok(micros) = parse_micros(cell) {
        return Some(micros);
    }
    let (whole, fraction) = cell.split_once('.')?;
    let (kept, rest) = fraction.split_at_checked(6)?;
    if !rest.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let micros = parse_micros(&format!("{whole}.{kept}")).ok()?;
    let half = format!("5{}", "0".repeat(rest.len().saturating_sub(1)));
    let up = match rest.cmp(half.as_str()) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => micros % 2 != 0,
        std::cmp::Ordering::Greater => true,
    };
    let away = if whole.starts_with('-') { -1 } else { 1 };
    if up { micros.checked_add(away) } else { Some(micros) }
}

/// Enough of a cell to find it again.
fn short(cell: &str) -> String {
    let mut text: String = cell.chars().take(40).map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    if cell.chars().nth(40).is_some() {
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact() {
        for (cell, unit, expected) in [
            ("144.", Unit::Whole, Some(144_000_000)),
            ("4.416667", Unit::Whole, Some(4_416_667)),
            ("0.1234565", Unit::Whole, Some(123_456)),
            ("0.1234575", Unit::Whole, Some(123_458)),
            ("0.12345650000001", Unit::Whole, Some(123_457)),
            ("-0.0000019", Unit::Whole, Some(-2)),
            ("0.1234567x", Unit::Whole, None),
            ("1e3", Unit::Whole, None),
            ("1,234.50", Unit::Whole, None),
            ("1000000000000.01", Unit::Whole, None),
            ("36150000", Unit::Micros, Some(36_150_000)),
            ("36150000.0", Unit::Micros, Some(36_150_000)),
            ("36150000.5", Unit::Micros, None),
            ("99999999999999999999", Unit::Micros, None),
        ] {
            assert_eq!(amount(cell, unit).ok(), expected, "{cell}");
        }
    }

    #[test]
    fn counts_dates_and_texts() {
        assert_eq!(
            ["7", "7.0", "+7", "-7", "7.5", "", "7 "].map(|cell| count(cell).ok()),
            [Some(7), Some(7), Some(7), None, None, None, None]
        );
        for (cell, ok) in [
            ("2026-05-31", true),
            ("2021-03-31 11:00:00.000", true),
            ("2022-05-23T04:00:00", true),
            ("2026-02-30", false),
            ("2026-05-311", false),
            ("31.05.2026", false),
            ("20260531", false),
            ("2026-05", false),
            ("1989-12-31", false),
            ("ééééééé", false),
        ] {
            assert_eq!(date(cell).is_ok(), ok, "{cell}");
        }
        assert!(version("2022-02-01 10:20:51") > version("2022-02-01 2:20:51"));
        assert_eq!((filled(" - "), filled(" x ")), (None, Some("x")));
        assert!(text("a\u{0}b").is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_cell_makes_it_panic(cell in "\\PC{0,40}|[0-9.eE+-]{0,30}") {
            let _ = (amount(&cell, Unit::Whole), amount(&cell, Unit::Micros), count(&cell), date(&cell), currency(&cell));
            let _ = (text(&cell), label(&cell), version(&cell), short(&cell));
        }
    }
}
