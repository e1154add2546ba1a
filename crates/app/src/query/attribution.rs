//! Which touches conversions are credited to.

use serde_json::Value;

use tributary_core::error::{Code, Error, Result};
use tributary_core::money::{Currency, format_micros};
use tributary_core::time::{DAY_US, TimeRange};
use tributary_events::answer::Answer;
use tributary_events::attribution::bootstrap::Resampling;
use tributary_events::attribution::credit::Credit;
use tributary_events::attribution::journey::CREDIT_UNITS;
use tributary_events::attribution::model::{Allocation, HalfLife, Model, Order, Position};
use tributary_events::attribution::window::{Window, WindowType};
use tributary_events::field::Field;
use tributary_events::filter::{Filter, Test};
use tributary_events::question::{Attribution, DatedBy, Question, TouchRule, TouchWindow};
use tributary_http::admin::AttributionBody;

use super::range::duration_us;
use super::{Context, Row, Shown, buckets, fields, filter, mismatched, put_bucket, put_keys};

/// What ends a session unless told otherwise.
const SESSION_GAP_US: i64 = 1_800_000_000;
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
        (None, days) => TouchWindow::Dates(window_of(days.unwrap_or(DEFAULT_WINDOW))?),
    };
    let dated_by = match body.dated_by.as_deref() {
        None | Some("conversion") => DatedBy::Conversion,
        Some("touch") => DatedBy::Touch,
        Some(other) => return Err(unknown("date", other, "conversion, touch")),
    };
    let range = reach(report, window, dated_by);
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
        model: model(&body.model)?,
        window,
        window_type: match body.window_type.as_deref() {
            None | Some("relative") => WindowType::Relative,
            Some("absolute") => WindowType::Absolute,
            Some(other) => return Err(unknown("window type", other, "relative, absolute")),
        },
        buckets: buckets(report, body.interval.as_deref(), cx.zone)?,
        group_by: fields(&body.group_by)?,
        resampling: body.bootstrap.map(|rounds| Resampling::new(rounds, body.seed, CONFIDENCE_PERCENT)).transpose()?,
        conversion_by: None,
        amounts: body.currencies.iter().map(|code| code.parse::<Currency>()).collect::<Result<_>>()?,
        limit: body.limit,
    })
}

/// What must be looked at for a report: as far back as touches count, and by touch date as far ahead as conversions do.
fn reach(report: TimeRange, window: TouchWindow, dated_by: DatedBy) -> TimeRange {
    let ahead = |length_us: i64| report.end_us.saturating_add(length_us);
    let (start_us, end_us) = match window {
        TouchWindow::Dates(Window::Lifetime) => (TimeRange::ALL.start_us, TimeRange::ALL.end_us),
        TouchWindow::Dates(dates) => {
            (dates.opens_us(report.start_us), ahead((i64::from(dates.days()) + 1).saturating_mul(DAY_US)))
        }
        TouchWindow::Elapsed(length_us) => (report.start_us.saturating_sub(length_us), ahead(length_us)),
    };
    let end_us = if dated_by == DatedBy::Touch { end_us } else { report.end_us };
    TimeRange { start_us, end_us }
}

fn window_of(days: u32) -> Result<Window> {
    Window::from_days(days).ok_or_else(|| {
        let accepted: Vec<String> = Window::ALL.iter().map(|window| window.days().to_string()).collect();
        let message = format!("no attribution window has {days} days; accepted: {} (0 for the lifetime)", accepted.join(", "));
        Error::new(Code::InvalidParams, message)
    })
}

/// A model's slug, with its parameters after a colon: `time_decay:3d`, `position_based:30-30`, `markov:2`,
/// `markov:1-per_path`.
fn model(name: &str) -> Result<Model> {
    let (slug, parameters) = name.split_once(':').map_or((name, None), |(slug, parameters)| (slug, Some(parameters)));
    let slug = match slug {
        "first" => "first_touch",
        "last" => "last_touch",
        slug => slug,
    };
    let model = Model::from_slug(slug).ok_or_else(|| {
        let accepted: Vec<&str> = Model::ALL.iter().map(|model| model.slug()).collect();
        unknown("attribution model", slug, &accepted.join(", "))
    })?;
    let Some(parameters) = parameters else { return Ok(model) };
    let refuse = |accepted: &str| unknown(&format!("parameter of {slug}"), parameters, accepted);
    Ok(match model {
        Model::TimeDecay(_) => Model::TimeDecay(HalfLife::new(duration_us(parameters)?)?),
        Model::PositionBased(_) => {
            let refuse = || refuse("percent of the first and of the last touch, such as 40-40");
            let (first, last) = parameters.split_once('-').ok_or_else(refuse)?;
            let percent = |text: &str| text.parse().map_err(|_| refuse());
            Model::PositionBased(Position::new(percent(first)?, percent(last)?)?)
        }
        Model::Markov { allocation, .. } => {
            let refuse = || refuse("1, 2 or 3, and after a hyphen removal_share or per_path");
            let (order, allocation) = match parameters.split_once('-') {
                None => (parameters, allocation),
                Some((order, "removal_share")) => (order, Allocation::RemovalShare),
                Some((order, "per_path")) => (order, Allocation::PerPath),
                Some(_) => return Err(refuse()),
            };
            let order = match order {
                "1" => Order::First,
                "2" => Order::Second,
                "3" => Order::Third,
                _ => return Err(refuse()),
            };
            Model::Markov { order, allocation }
        }
        _ => return Err(Error::new(Code::InvalidParams, format!("the model {slug} has no parameters"))),
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
