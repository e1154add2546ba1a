//! Currency rates: set, listed, and what they do to totals.

use crate::ads::{DAY, counts, day, question, rows, spend};
use crate::world::{World, code};
use jiff::civil::{Date, date};
use tributary_control::{AdDimension, CurrencyRate, RateFilter};
use tributary_core::ads::{AdBatch, AdLevel, ClaimRow, ClaimRule, SpendRow};
use tributary_core::error::Code;
use tributary_core::money::Currency;

fn currency(code: &str) -> Currency {
    code.parse().unwrap()
}

fn rate(from: &str, to: &str, date: Date, rate: &str) -> CurrencyRate {
    CurrencyRate { from: currency(from), to: currency(to), date, rate: rate.parse().unwrap() }
}

fn row(ad: &str, date: Date, code: &str, spend_micros: i64) -> SpendRow {
    SpendRow { currency: Some(currency(code)), spend_micros, ..spend(AdLevel::Ad, &format!("9/7/5/{ad}"), date, 1) }
}

#[tokio::test]
async fn each_day_is_converted_at_the_latest_rate() {
    let world = World::new().await;
    let scope = world.scope("shop").await;
    let (second, third, tenth) = (date(2026, 5, 2), date(2026, 5, 3), date(2026, 5, 10));
    let batch = rows(vec![
        row("1", DAY, "USD", 100),
        row("1", second, "USD", 1_000_001),
        row("1", third, "USD", 1_000_002),
        row("1", tenth, "USD", 4_000_000),
        row("2", third, "EUR", 7),
        row("3", third, "JPY", 1_000_000_000),
    ]);
    world.control.record_ads(&scope, batch, "test").await.unwrap();
    let convert = async |by: &[AdDimension]| {
        let answer = world.control.sum_ad_spend_in(&scope, &question(by), currency("EUR")).await.unwrap();
        let sums: Vec<_> = answer
            .sums
            .iter()
            .map(|sum| (sum.group.date.map(|date| date.day()), sum.currency.to_string(), sum.spend_micros))
            .collect();
        (sums, answer.left_apart.iter().map(Currency::to_string).collect::<Vec<_>>())
    };
    let apart = |day, code: &str, micros| (day, code.to_owned(), micros);
    assert_eq!(
        convert(&[]).await,
        (
            vec![apart(None, "EUR", 7), apart(None, "JPY", 1_000_000_000), apart(None, "USD", 6_000_103)],
            vec!["JPY".into(), "USD".into()]
        ),
        "without rates"
    );
    let rates = vec![
        rate("USD", "EUR", second, "0.5"),
        rate("USD", "EUR", tenth, "0.25"),
        rate("USD", "GBP", DAY, "9"),
        rate("EUR", "JPY", DAY, "160"),
    ];
    assert_eq!(world.control.set_currency_rates(&scope, rates).await.unwrap(), counts(4, 0, 0));
    // 1000001 / 2 and 1000002 / 2 and 4000000 / 4 are 2000001.5 together with 7 exact micros: 2000008.5, half to even.
    assert_eq!(
        convert(&[]).await,
        (
            vec![apart(None, "EUR", 2_000_008), apart(None, "JPY", 1_000_000_000), apart(None, "USD", 100)],
            vec!["JPY".into(), "USD".into()]
        ),
        "the first day lies before every rate, and no way back is derived"
    );
    assert_eq!(
        convert(&[AdDimension::Date]).await.0,
        [
            apart(Some(1), "USD", 100),
            apart(Some(2), "EUR", 500_000),
            apart(Some(3), "EUR", 500_008),
            apart(Some(3), "JPY", 1_000_000_000),
            apart(Some(10), "EUR", 1_000_000)
        ]
    );
    let more = vec![rate("USD", "EUR", DAY, "0.5"), rate("JPY", "EUR", DAY, "0.0061234"), rate("USD", "EUR", tenth, "0.25")];
    assert_eq!(world.control.set_currency_rates(&scope, more).await.unwrap(), counts(2, 0, 1));
    assert_eq!(convert(&[]).await, (vec![apart(None, "EUR", 8_123_458)], vec![]));
}

#[tokio::test]
async fn values_of_claims_are_converted_and_their_numbers_are_not() {
    let world = World::new().await;
    let scope = world.scope("shop").await;
    let claim = |ad: &str, code: &str, value| ClaimRow {
        day: day(AdLevel::Ad, &format!("9/7/5/{ad}"), DAY),
        rule: ClaimRule { event: "purchase".into(), window: "7d_click".into(), model: "click".into() },
        currency: Some(currency(code)),
        conversions_micros: Some(1_500_000),
        value_micros: Some(value),
    };
    let claims = vec![claim("1", "USD", 3_000_000), claim("2", "EUR", 1), claim("3", "JPY", 5)];
    world.control.record_ads(&scope, AdBatch { claims, ..AdBatch::default() }, "test").await.unwrap();
    world.control.set_currency_rates(&scope, vec![rate("USD", "EUR", DAY, "0.5")]).await.unwrap();
    let answer = world.control.sum_ad_claims_in(&scope, &question(&[]), currency("EUR")).await.unwrap();
    let sums: Vec<_> =
        answer.sums.iter().map(|sum| (sum.currency.to_string(), sum.conversions_micros, sum.value_micros)).collect();
    let expected = [("EUR".to_owned(), Some(3_000_000), Some(1_500_001)), ("JPY".to_owned(), Some(1_500_000), Some(5))];
    assert_eq!((sums.as_slice(), answer.left_apart.as_slice()), (expected.as_slice(), [currency("JPY")].as_slice()));
}

#[tokio::test]
async fn rates_are_listed_replaced_and_removed() {
    let world = World::new().await;
    let (scope, other) = (world.scope("one").await, world.scope("two").await);
    let rates = vec![rate("USD", "EUR", DAY, "0.9"), rate("USD", "CHF", DAY, "0.8"), rate("GBP", "EUR", DAY, "1.15")];
    world.control.set_currency_rates(&scope, rates).await.unwrap();
    assert_eq!(world.control.set_currency_rates(&scope, vec![rate("USD", "EUR", DAY, "0.91")]).await.unwrap(), counts(0, 1, 0));
    let list = async |filter: RateFilter, limit| {
        let rates = world.control.list_currency_rates(&scope, &filter, limit).await.unwrap();
        rates.iter().map(|rate| format!("{}{} {}", rate.from, rate.to, rate.rate)).collect::<Vec<_>>()
    };
    assert_eq!(list(RateFilter::default(), 10).await, ["GBPEUR 1.15", "USDCHF 0.8", "USDEUR 0.91"]);
    let after = Some((currency("GBP"), currency("EUR"), DAY));
    assert_eq!(list(RateFilter { after, ..RateFilter::default() }, 1).await, ["USDCHF 0.8"]);
    assert_eq!(
        list(RateFilter { to: Some(currency("EUR")), from: Some(currency("USD")), after: None }, 10).await,
        ["USDEUR 0.91"]
    );
    assert_eq!(world.control.list_currency_rates(&other, &RateFilter::default(), 10).await.unwrap(), []);
    let (usd, eur) = (currency("USD"), currency("EUR"));
    assert_eq!(code(world.control.remove_currency_rate(&other, usd, eur, DAY).await), Code::NotFound);
    world.control.remove_currency_rate(&scope, usd, eur, DAY).await.unwrap();
    assert_eq!(code(world.control.remove_currency_rate(&scope, usd, eur, DAY).await), Code::NotFound);
    for bad in [rate("EUR", "EUR", DAY, "1"), rate("USD", "EUR", date(1900, 1, 1), "1")] {
        assert_eq!(code(world.control.set_currency_rates(&scope, vec![bad]).await), Code::InvalidParams);
    }
}
