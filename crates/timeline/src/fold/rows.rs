//! The events themselves. The scan finds which; only those are read whole.

use std::cmp::Ordering;

use tributary_core::error::Result;
use tributary_core::event::Event;
use tributary_events::answer::RowsAnswer;
use tributary_events::question::{Journey, RowOrder, Rows};

use super::scan::{Fold, Row, Scan, Sequence, Visit};
use crate::stored::Hashes;

pub(crate) fn answer(scan: &Scan<'_>, question: &Rows) -> Result<RowsAnswer> {
    let folds = scan.fold(Sequence::Any, || Ok(Collecting { scan, question, rows: Vec::new(), total: 0 }))?;
    let total = folds.iter().map(|fold| fold.total).sum();
    let mut rows = Vec::new();
    for fold in folds {
        rows.extend(fold.rows);
    }
    keep_first(scan, question, &mut rows)?;
    Ok(RowsAnswer { rows: read(scan, &rows)?, total })
}

pub(crate) fn journey(scan: &Scan<'_>, question: &Journey, hashes: &Hashes) -> Result<RowsAnswer> {
    let mut rows = scan.visitor_rows(hashes.visitor(&question.anonymous_id), &question.anonymous_id)?;
    let total = rows.len() as u64;
    rows.truncate(question.limit);
    Ok(RowsAnswer { rows: read(scan, &rows)?, total })
}

struct Collecting<'q> {
    scan: &'q Scan<'q>,
    question: &'q Rows,
    rows: Vec<Row>,
    total: u64,
}

impl Fold for Collecting<'_> {
    fn visit(&mut self, visit: &Visit<'_>) -> Result<()> {
        self.total += visit.rows.len() as u64;
        self.rows.extend_from_slice(visit.rows);
        // Cut seldom, so that each row is looked at a few times at most, but never hold much more than asked for.
        if self.rows.len() >= 4 * self.question.limit + 65_536 {
            keep_first(self.scan, self.question, &mut self.rows)?;
        }
        Ok(())
    }
}

/// Puts rows into the question's order and cuts them to its limit.
fn keep_first(scan: &Scan<'_>, question: &Rows, rows: &mut Vec<Row>) -> Result<()> {
    let by_time = |a: &Row, b: &Row| -> Ordering {
        match question.order {
            RowOrder::OldestFirst => a.time_us.cmp(&b.time_us),
            RowOrder::NewestFirst => b.time_us.cmp(&a.time_us),
        }
    };
    // First by time alone, with everything that ties with the last one that fits; the exact order among those only.
    if rows.len() > question.limit {
        let (_, last, _) = rows.select_nth_unstable_by(question.limit - 1, by_time);
        let last = *last;
        rows.retain(|row| by_time(row, &last) != Ordering::Greater);
    }
    scan.order_any(rows)?;
    match question.order {
        RowOrder::OldestFirst => {}
        RowOrder::NewestFirst => rows.reverse(),
    }
    rows.truncate(question.limit);
    Ok(())
}

/// Reads rows whole, run by run, and gives them back in the order asked for.
fn read(scan: &Scan<'_>, rows: &[Row]) -> Result<Vec<Event>> {
    let mut events: Vec<Option<Event>> = vec![None; rows.len()];
    for (at, source) in scan.sources.iter().enumerate() {
        let mut wanted: Vec<(u32, usize)> =
            rows.iter().enumerate().filter(|(_, row)| row.run as usize == at).map(|(place, row)| (row.row, place)).collect();
        if wanted.is_empty() {
            continue;
        }
        scan.limits.check_time()?;
        wanted.sort_unstable();
        let numbers: Vec<u32> = wanted.iter().map(|(row, _)| *row).collect();
        for ((_, place), event) in wanted.iter().zip(source.run.events(&numbers)?) {
            events[*place] = Some(event);
        }
    }
    Ok(events.into_iter().flatten().collect())
}
