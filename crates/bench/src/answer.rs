//! Answers as comparable rows: instants as microseconds, money in cents, whoever gave them.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use tributary_core::event::Event;
use tributary_core::money::MICROS;
use tributary_core::time::parse_instant;
use tributary_events::answer::Answer;
use tributary_events::attribution::journey::CREDIT_UNITS;
use tributary_events::question::{Aggregate, Question};

use crate::failure::{Failure, Result};
use crate::question::{Asked, Order};

/// An answer's rows, every cell as text.
pub type Table = Vec<Vec<String>>;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Text, ids included.
    Text,
    /// A whole number.
    Count,
    /// An instant: microseconds since the epoch.
    Instant,
    /// An amount: cents.
    Money,
}

/// Our answer as rows. Buckets without events are left out, as the peers leave them out.
pub fn ours(asked: &Asked, answer: &Answer) -> Result<Table> {
    let rows = match (&asked.question, answer) {
        (Question::Aggregate(question), Answer::Aggregate(answer)) => answer
            .rows
            .iter()
            .filter(|row| question.buckets.is_none() || row.values.first().is_some_and(|value| *value != 0))
            .map(|row| aggregate_row(asked, question, row.bucket, &row.keys, &row.values))
            .collect::<Result<Table>>()?,
        (Question::Funnel(_), Answer::Funnel(answer)) => vec![answer.overall.reached.iter().map(u64::to_string).collect()],
        (Question::Attribution(_), Answer::Attribution(answer)) => answer
            .rows
            .iter()
            .map(|row| {
                let keys = row.keys.iter().map(|key| key.clone().unwrap_or_default());
                let amounts = row.credit.amounts_micros.iter().map(|amount| cents(*amount).to_string());
                keys.chain([(row.credit.units / i128::from(CREDIT_UNITS)).to_string()]).chain(amounts).collect()
            })
            .collect(),
        (Question::Rows(_), Answer::Rows(answer)) => answer.rows.iter().map(found_row).collect(),
        (Question::Journey(_), Answer::Rows(answer)) => answer.rows.iter().map(journey_row).collect(),
        _ => return Err(Failure::new(format!("{} was answered with something else", asked.name))),
    };
    Ok(in_order(rows, asked.order))
}

fn aggregate_row(
    asked: &Asked,
    question: &Aggregate,
    bucket: Option<u32>,
    keys: &[Option<String>],
    values: &[i128],
) -> Result<Vec<String>> {
    let mut row: Vec<String> = keys.iter().map(|key| key.clone().unwrap_or_default()).collect();
    if let (Some(bucket), Some(buckets)) = (bucket, &question.buckets) {
        let label = buckets.labels.get(bucket as usize).ok_or_else(|| Failure::new("a bucket without a label"))?;
        row.push(parse_instant(label, &TimeZone::UTC)?.to_string());
    }
    let kinds = &asked.cells[row.len().min(asked.cells.len())..];
    row.extend(values.iter().zip(kinds).map(|(value, kind)| match kind {
        Cell::Money => cents(*value).to_string(),
        Cell::Text | Cell::Count | Cell::Instant => value.to_string(),
    }));
    Ok(row)
}

fn found_row(event: &Event) -> Vec<String> {
    vec![event.time_us.to_string(), event.anonymous_id.clone(), event.path.clone().unwrap_or_default()]
}

fn journey_row(event: &Event) -> Vec<String> {
    vec![event.time_us.to_string(), event.name.clone(), event.source.clone(), event.path.clone().unwrap_or_default()]
}

/// A peer's answer as rows.
pub fn theirs(asked: &Asked, rows: &[Vec<String>]) -> Result<Table> {
    let rows = rows.iter().map(|row| row.iter().zip(asked.cells).map(|(text, cell)| read(text, *cell)).collect());
    Ok(in_order(rows.collect::<Result<Table>>()?, asked.order))
}

/// A cell given as text.
pub fn read(text: &str, cell: Cell) -> Result<String> {
    let text = text.trim();
    let is_absent = matches!(text, "None" | "\\N" | "nan" | "null");
    match cell {
        Cell::Text | Cell::Count => Ok(text.to_owned()),
        Cell::Money if is_absent => Ok(String::from("0")),
        Cell::Money => {
            let amount: f64 = text.parse().map_err(|_| Failure::new(format!("`{text}` is no amount")))?;
            Ok(format!("{:.0}", amount * 100.0))
        }
        Cell::Instant => instant(text).map(|instant| instant.to_string()),
    }
}

fn instant(text: &str) -> Result<i64> {
    if let Ok(instant) = parse_instant(text, &TimeZone::UTC) {
        return Ok(instant);
    }
    let civil = text.parse::<DateTime>().or_else(|_| text.parse::<Date>().map(|date| date.at(0, 0, 0, 0)));
    let zoned = civil.and_then(|civil| civil.to_zoned(TimeZone::UTC));
    zoned.map(|zoned| zoned.timestamp().as_microsecond()).map_err(|_| Failure::new(format!("`{text}` is no instant")))
}

/// Micros as cents, half away from zero.
fn cents(micros: i128) -> i128 {
    let cent = i128::from(MICROS / 100);
    (micros + micros.signum() * cent / 2) / cent
}

fn in_order(mut rows: Table, order: Order) -> Table {
    if order == Order::Any {
        rows.sort();
    }
    rows
}

/// The first difference between two answers, for a reader; `None` when they are equal.
pub fn difference(ours: &Table, theirs: &Table) -> Option<String> {
    if ours == theirs {
        return None;
    }
    let at = ours.iter().zip(theirs).position(|(ours, theirs)| ours != theirs);
    Some(match at {
        Some(at) => format!("row {}: {} here, {} there", at + 1, ours[at].join(" "), theirs[at].join(" ")),
        None => format!("{} rows here, {} there", ours.len(), theirs.len()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_of_different_engines_become_equal() {
        for (texts, cell) in [
            (&["2025-08-01 00:00:00", "2025-08-01", "2025-08-01 00:00:00.000000", "2025-08-01T00:00:00Z"][..], Cell::Instant),
            (&["9847", "9847.0", "9847.00", "9.847e3"], Cell::Money),
            (&["None", "\\N", "nan", "0"], Cell::Money),
        ] {
            let read: Vec<String> = texts.iter().map(|text| read(text, cell).unwrap()).collect();
            assert!(read.iter().all(|one| *one == read[0]), "{texts:?}: {read:?}");
        }
        assert_eq!(read("2025-06-15 15:06:40.123456", Cell::Instant).unwrap(), "1750000000123456");
        assert!(read("soon", Cell::Instant).is_err());
    }

    #[test]
    fn cents_are_rounded_away_from_zero() {
        for (micros, expected) in [(1_005_000, 101), (1_004_999, 100), (-1_005_000, -101), (0, 0), (98_470_000, 9_847)] {
            assert_eq!(cents(micros), expected, "{micros}");
        }
    }

    #[test]
    fn the_first_difference_is_told() {
        let table = |cells: &[&str]| -> Table { cells.iter().map(|cell| vec![(*cell).to_owned()]).collect() };
        assert_eq!(difference(&table(&["1", "2"]), &table(&["1", "2"])), None);
        assert_eq!(difference(&table(&["1", "2"]), &table(&["1", "3"])).as_deref(), Some("row 2: 2 here, 3 there"));
        assert_eq!(difference(&table(&["1"]), &table(&["1", "3"])).as_deref(), Some("1 rows here, 2 there"));
    }
}
