//! Which touch each conversion is credited to.

use serde_json::Value;

use tributary_core::error::{Code, Error, Result};
use tributary_core::money::{Currency, format_micros};
use tributary_events::answer::{Answer, Credit};
use tributary_events::question::{Attribution, Question, TouchModel};

use super::range::duration_us;
use super::{Context, Row, Shown, fields, filter, mismatched, put_keys};

/// The question in the caller's words.
pub struct Words {
    /// The conversion: an event name with conditions after commas.
    pub conversion: String,
    /// Conditions of a touch; none for any event.
    pub touch: Vec<String>,
    /// `first` or `last`.
    pub model: String,
    /// Longest time from touch to conversion.
    pub lookback: Option<String>,
    /// Group columns, read on the touch.
    pub group_by: Vec<String>,
    /// Currencies whose amounts are summed.
    pub currencies: Vec<String>,
    /// Rows returned at most.
    pub limit: usize,
}

/// Asks which touches the conversions are credited to, by group of touches.
pub async fn ask(cx: Context<'_>, words: &Words) -> Result<(Shown, u64)> {
    let fields = fields(&words.group_by)?;
    let amounts = words.currencies.iter().map(|code| code.parse::<Currency>()).collect::<Result<Vec<_>>>()?;
    let question = Question::Attribution(Attribution {
        slice: cx.slice.clone(),
        conversion: filter::parse_step(&words.conversion)?,
        touch: words.touch.iter().map(|condition| filter::parse(condition)).collect::<Result<_>>()?,
        model: model(&words.model)?,
        lookback_us: words.lookback.as_deref().map(duration_us).transpose()?,
        group_by: fields.clone(),
        amounts: amounts.clone(),
        limit: words.limit,
    });
    let (Answer::Attribution(answer), watermark) = cx.ask(question).await? else {
        return Err(mismatched());
    };
    let rows = answer.rows.into_iter().map(|one| {
        let mut row = Row::new();
        put_keys(&mut row, &fields, one.keys);
        put_credit(&mut row, "", &amounts, &one.credit);
        row
    });
    let rows = rows.collect();
    let mut totals = Row::new();
    put_credit(&mut totals, "", &amounts, &answer.totals);
    put_credit(&mut totals, "unattributed ", &amounts, &answer.unattributed);
    Ok((Shown::of(rows, answer.total_rows as u64, totals), watermark))
}

fn put_credit(row: &mut Row, prefix: &str, currencies: &[Currency], credit: &Credit) {
    row.insert(format!("{prefix}conversions"), Value::from(credit.conversions));
    for (currency, micros) in currencies.iter().zip(&credit.amounts) {
        // Text, since a JSON number would lose cents of large sums.
        row.insert(format!("{prefix}amount:{currency}"), Value::from(format_micros(*micros)));
    }
}

fn model(name: &str) -> Result<TouchModel> {
    match name {
        "first" => Ok(TouchModel::First),
        "last" => Ok(TouchModel::Last),
        other => Err(Error::new(Code::InvalidParams, format!("unknown attribution model `{other}`; accepted: first, last"))),
    }
}
