//! Which touches conversions are credited to.

use serde_json::Value;

use tributary_core::error::{Code, Error, Result};
use tributary_core::money::{Currency, format_micros};
use tributary_core::time::duration_us;
use tributary_events::answer::Answer;
use tributary_events::attribution::bootstrap::Resampling;
use tributary_events::attribution::credit::Credit;
use tributary_events::attribution::journey::CREDIT_UNITS;
use tributary_events::field::Field;
use tributary_events::filter::{Filter, Test};
use tributary_events::question::{Attribution, Question, TouchRule, TouchWindow};
use tributary_http::admin::AttributionBody;
use tributary_service::attribution::{self, SESSION_GAP_US};

use super::{Context, Row, Shown, buckets, fields, filter, mismatched, put_bucket, put_keys};

/// How many of a bootstrap's rounds an interval holds.
const CONFIDENCE_PERCENT: u32 = 95;
/// Used when nothing is said, in days.
const DEFAULT_WINDOW: u32 = 30;

/// Asks which touches the conversions are credited to, by group of touches.
pub async fn ask(cx: Context<'_>, body: &AttributionBody) -> Result<(Shown, u64)> {
    let question = question(&cx, body)?;
    let (group_by, amounts, buckets) = (question.group_by.clone(), question.amounts.clone(), question.buckets.clone());
    let (Answer::Attribution(answer), watermark) = cx.ask(Question::Attribution(question)).await? else {
        return Err(mismatched());
    };
    let rows = answer.rows.into_iter().map(|one| {
        let mut row = Row::new();
        put_bucket(&mut row, buckets.as_ref(), one.bucket);
        put_keys(&mut row, &group_by, one.keys);
        put_credit(&mut row, "", &amounts, &one.credit);
        if let Some(interval) = one.interval {
            row.insert(String::from("conversions_low"), conversions(interval.low));
            row.insert(String::from("conversions_high"), conversions(interval.high));
        }
        row
    });
    let rows = rows.collect();
    let mut unattributed = Credit { units: 0, amounts_micros: vec![0; amounts.len()] };
    for one in &answer.unattributed {
        let credit = &one.credit;
        unattributed.units += credit.units;
        unattributed.amounts_micros.iter_mut().zip(&credit.amounts_micros).for_each(|(sum, more)| *sum += more);
    }
    let mut totals = Row::new();
    put_credit(&mut totals, "", &amounts, &answer.totals);
    put_credit(&mut totals, "unattributed ", &amounts, &unattributed);
    Ok((Shown::of(rows, answer.total_rows as u64, totals), watermark))
}

fn question(cx: &Context<'_>, body: &AttributionBody) -> Result<Attribution> {
    let report = cx.slice.range;
    let window = match (&body.lookback, body.window) {
        (Some(_), Some(_)) => {
            return Err(Error::new(Code::InvalidParams, "`lookback` and `window` exclude each other"));
        }
        (Some(lookback), None) => TouchWindow::Elapsed(duration_us(lookback)?),
        (None, days) => TouchWindow::Dates(attribution::read_window(days.unwrap_or(DEFAULT_WINDOW))?),
    };
    let dated_by = attribution::read_dated_by(body.dated_by.as_deref())?;
    let range = attribution::reach(report, window, dated_by);
    let is_visit = || vec![Filter { field: Field::Visit, test: Test::Present }];
    let touch: Vec<Filter> = body.touch.iter().map(|condition| filter::parse(condition)).collect::<Result<_>>()?;
    let (touches, touch) = match body.touches.as_deref() {
        None | Some("arrivals") => (TouchRule::Arrivals(SESSION_GAP_US), [is_visit(), touch].concat()),
        Some("sessions") => (TouchRule::Sessions(SESSION_GAP_US), [is_visit(), touch].concat()),
        Some("every") => (TouchRule::Every, touch),
        Some(other) => return Err(unknown("touch rule", other, "arrivals, sessions, every")),
    };
    let mut slice = cx.slice.clone();
    slice.range = range;
    Ok(Attribution {
        slice,
        report,
        dated_by,
        conversion: filter::parse_step(&body.conversion)?,
        touch,
        touches,
        model: attribution::read_model(&body.model)?,
        window,
        window_type: attribution::read_window_type(body.window_type.as_deref())?,
        buckets: buckets(report, body.interval.as_deref(), cx.zone)?,
        group_by: fields(&body.group_by)?,
        resampling: body.bootstrap.map(|rounds| Resampling::new(rounds, body.seed, CONFIDENCE_PERCENT)).transpose()?,
        conversion_by: None,
        amounts: body.currencies.iter().map(|code| code.parse::<Currency>()).collect::<Result<_>>()?,
        limit: body.limit,
    })
}

fn unknown(what: &str, given: &str, accepted: &str) -> Error {
    Error::new(Code::InvalidParams, format!("unknown {what} `{given}`; accepted: {accepted}"))
}

fn put_credit(row: &mut Row, prefix: &str, currencies: &[Currency], credit: &Credit) {
    row.insert(format!("{prefix}conversions"), conversions(credit.units));
    for (currency, micros) in currencies.iter().zip(&credit.amounts_micros) {
        // Text, since a JSON number would lose cents of large sums.
        row.insert(format!("{prefix}amount:{currency}"), Value::from(format_micros(*micros)));
    }
}

/// Whole where it is whole.
fn conversions(units: i128) -> Value {
    let unit = i128::from(CREDIT_UNITS);
    if units % unit == 0 {
        return i64::try_from(units / unit).map_or(Value::Null, Value::from);
    }
    Value::from(units as f64 / CREDIT_UNITS as f64)
}
