//! Attribution in callers' words: models, windows, and how far a question must look for a report.

use tributary_core::error::{Code, Error, Result};
use tributary_core::time::{DAY_US, TimeRange, duration_us};
use tributary_events::attribution::model::{Allocation, HalfLife, Model, Order, Position};
use tributary_events::attribution::window::{Window, WindowType};
use tributary_events::question::{DatedBy, TouchWindow};

/// What ends a session: half an hour without a visit.
pub const SESSION_GAP_US: i64 = 1_800_000_000;

/// A model's slug, with its parameters after a colon: `time_decay:3d`, `position_based:30-30`, `markov:2`,
/// `markov:1-per_path`. `first` and `last` are short for `first_touch` and `last_touch`.
///
/// Errors: `invalid_params` with what would be accepted.
pub fn read_model(name: &str) -> Result<Model> {
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

/// A window by its days: 1, 7, 14, 30, 60, 90, or 0 for the lifetime.
pub fn read_window(days: u32) -> Result<Window> {
    Window::from_days(days).ok_or_else(|| {
        let accepted: Vec<String> = Window::ALL.iter().map(|window| window.days().to_string()).collect();
        let message = format!("no attribution window has {days} days; accepted: {} (0 for the lifetime)", accepted.join(", "));
        Error::new(Code::InvalidParams, message)
    })
}

/// `relative` or `absolute`; relative when nothing is said.
pub fn read_window_type(name: Option<&str>) -> Result<WindowType> {
    match name {
        None | Some("relative") => Ok(WindowType::Relative),
        Some("absolute") => Ok(WindowType::Absolute),
        Some(other) => Err(unknown("window type", other, "relative, absolute")),
    }
}

/// `conversion` or `touch`; the conversion's date when nothing is said.
pub fn read_dated_by(name: Option<&str>) -> Result<DatedBy> {
    match name {
        None | Some("conversion") => Ok(DatedBy::Conversion),
        Some("touch") => Ok(DatedBy::Touch),
        Some(other) => Err(unknown("date", other, "conversion, touch")),
    }
}

/// What must be looked at for a report: as far back as touches count, and by touch date as far ahead as conversions do.
pub fn reach(report: TimeRange, window: TouchWindow, dated_by: DatedBy) -> TimeRange {
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

fn unknown(what: &str, given: &str, accepted: &str) -> Error {
    let shown: String = given.chars().take(64).collect();
    Error::new(Code::InvalidParams, format!("unknown {what} `{shown}`; accepted: {accepted}"))
}
