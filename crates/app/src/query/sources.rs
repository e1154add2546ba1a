//! Where visitors come from.

use tributary_core::error::Result;
use tributary_events::answer::Answer;
use tributary_events::field::Field;
use tributary_events::filter::Filter;
use tributary_events::question::{Aggregate, Metric, Question};

use super::{Context, Row, Shown, count, mismatched, put_keys, share};

/// The medium that `paid_share` counts, as documented for `GET /v1/sources`.
const PAID: &str = "paid";

/// Asks for events, visitors and the paid share by source (and medium).
pub async fn ask(cx: Context<'_>, by_medium: bool, limit: usize) -> Result<(Shown, u64)> {
    let mut fields = vec![Field::Source];
    if by_medium {
        fields.push(Field::Medium);
    }
    let paid = Metric::EventsWhere(vec![Filter::is(Field::Medium, PAID)]);
    let question = Question::Aggregate(Aggregate {
        slice: cx.slice.clone(),
        metrics: vec![Metric::Events, Metric::Visitors, paid],
        group_by: fields.clone(),
        buckets: None,
        limit,
    });
    let (Answer::Aggregate(answer), watermark) = cx.ask(question).await? else {
        return Err(mismatched());
    };
    let rows = answer.rows.into_iter().map(|one| {
        let mut row = Row::new();
        put_keys(&mut row, &fields, one.keys);
        put_numbers(&mut row, &one.values);
        row
    });
    let rows = rows.collect();
    let mut totals = Row::new();
    put_numbers(&mut totals, &answer.totals);
    Ok((Shown::of(rows, answer.total_rows as u64, totals), watermark))
}

fn put_numbers(row: &mut Row, values: &[i128]) {
    let [events, visitors, paid] = values else { return };
    row.insert(String::from("events"), count(*events));
    row.insert(String::from("visitors"), count(*visitors));
    let whole = |value: i128| u64::try_from(value).unwrap_or(u64::MAX);
    row.insert(String::from("paid_share"), share(whole(*paid), whole(*events)));
}
