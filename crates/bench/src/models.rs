//! How long each attribution model takes over the whole file: purchases credited to arrivals by channel.

use indexmap::IndexMap;

use tributary_events::attribution::bootstrap::Resampling;
use tributary_events::attribution::model::{Allocation, Model, Order};
use tributary_events::attribution::window::{Window, WindowType};
use tributary_events::field::Field;
use tributary_events::filter::Filter;
use tributary_events::question::{Attribution, DatedBy, Question, TouchRule, TouchWindow};

use crate::engine::{Engine, Place};
use crate::failure::Result;
use crate::measure::{Spread, rounded};
use crate::question::{EVERYTHING, slice};
use crate::say::say;

/// What ends a session.
const SESSION_GAP_US: i64 = 1_800_000_000;
/// Times each model is asked after one that warms up.
const ROUNDS: usize = 5;
/// Rounds of the bootstrap.
const RESAMPLES: u32 = 200;

/// Median milliseconds by model; the bootstrap is asked once.
pub async fn measure(engine: &Engine) -> Result<IndexMap<String, f64>> {
    say("asking for every attribution model");
    let mut found = IndexMap::new();
    for model in Model::ALL {
        let mut times = Vec::with_capacity(ROUNDS);
        for round in 0..=ROUNDS {
            let (ms, _) = engine.ask(Place::Bench, Question::Attribution(question(model, None)?)).await?;
            if round > 0 {
                times.push(ms);
            }
        }
        found.insert(model.slug().to_owned(), Spread::of(&times).map_or(0.0, |times| times.median));
    }
    let markov = Model::Markov { order: Order::First, allocation: Allocation::RemovalShare };
    for (name, model) in [("markov, 200 bootstrap rounds", markov), ("linear, 200 bootstrap rounds", Model::Linear)] {
        let resampling = Some(Resampling::new(RESAMPLES, 1, 95)?);
        let (ms, _) = engine.ask(Place::Bench, Question::Attribution(question(model, resampling)?)).await?;
        found.insert(name.to_owned(), rounded(ms));
    }
    Ok(found)
}

fn question(model: Model, resampling: Option<Resampling>) -> Result<Attribution> {
    let slice = slice(EVERYTHING)?;
    Ok(Attribution {
        report: slice.range,
        slice,
        dated_by: DatedBy::Conversion,
        conversion: vec![Filter::is(Field::EventName, "purchase")],
        touch: Vec::new(),
        touches: TouchRule::Arrivals(SESSION_GAP_US),
        model,
        window: TouchWindow::Dates(Window::Days30),
        window_type: WindowType::Relative,
        buckets: None,
        group_by: vec![Field::Channel],
        resampling,
        conversion_by: None,
        amounts: vec!["USD".parse()?],
        limit: 100,
    })
}
