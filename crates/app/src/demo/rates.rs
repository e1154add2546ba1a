//! What other currencies are worth in euros: made-up weekly rates around those of 2026.

use jiff::ToSpan;
use jiff::civil::{Date, date};
use tributary_control::CurrencyRate;
use tributary_core::error::Result;
use tributary_core::money::Currency;
use tributary_core::rate::Rate;

/// The currency the shop reckons in.
pub const EURO: &str = "EUR";
/// Currencies with their rate into euros, ten-thousandths, and how far it swings.
const AROUND: [(&str, i64, i64); 3] = [("CHF", 10_650, 90), ("GBP", 11_580, 140), ("USD", 8_620, 160)];
/// A Monday from which weeks are counted.
const FIRST_MONDAY: Date = date(2000, 1, 3);
/// Parts of a [`Rate`] in a ten-thousandth.
const PARTS: i64 = 100_000_000;

/// What a unit of a currency is worth in euros on a day; itself for euros.
pub fn into_euros(currency: &str, day: Date) -> Rate {
    let Some((_, middle, swing)) = AROUND.iter().find(|(known, _, _)| *known == currency) else { return Rate::ONE };
    let week = weeks_until(day);
    // A sawtooth of 13 weeks, shifted by currency: smooth enough to look like a market, exact on every machine.
    let phase = (week + middle).rem_euclid(13) - 6;
    let wave = if week.rem_euclid(2) == 0 { phase } else { phase - 1 };
    Rate::from_parts((middle + wave * swing / 7) * PARTS).unwrap_or(Rate::ONE)
}

/// The rates that hold on the days from `first` to `last`, for the workspace.
pub fn dated(first: Date, last: Date) -> Result<Vec<CurrencyRate>> {
    let to: Currency = EURO.parse()?;
    let mut rates = Vec::new();
    for (code, _, _) in AROUND {
        let from: Currency = code.parse()?;
        for week in weeks_until(first)..=weeks_until(last) {
            let date = FIRST_MONDAY.saturating_add((week * 7).days());
            rates.push(CurrencyRate { from, to, date, rate: into_euros(code, date) });
        }
    }
    Ok(rates)
}

fn weeks_until(day: Date) -> i64 {
    let days = FIRST_MONDAY.until(day).map_or(0, |span| i64::from(span.get_days()));
    days.div_euclid(7)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_has_the_rate_of_its_week() {
        let (first, last) = (date(2026, 2, 16), date(2026, 5, 17));
        let rates = dated(first, last).unwrap();
        assert_eq!(rates.len(), 3 * 13);
        assert!(rates.iter().all(|rate| rate.date.weekday() == jiff::civil::Weekday::Monday));
        for day in first.series(1.day()).take_while(|day| *day <= last) {
            for (code, middle, swing) in AROUND {
                let rate = into_euros(code, day);
                let held = rates.iter().rfind(|held| held.from.as_str() == code && held.date <= day).unwrap();
                assert_eq!(rate, held.rate, "{code} on {day}");
                assert!((rate.parts() / PARTS - middle).abs() <= swing, "{code}: {rate}");
            }
        }
        assert_eq!(into_euros("EUR", first), Rate::ONE);
    }
}
