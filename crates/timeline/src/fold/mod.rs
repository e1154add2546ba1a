//! Questions as folds over each visitor's timeline.
//!
//! A question declares the columns it reads ([`reads`]); they are decoded once, by all threads. [`scan`] cuts the rows of all
//! runs into partitions by visitor hash, masks what is not in the slice with lookup tables over codes ([`tags`]), hands each
//! stretch of rows to a [`scan::Fold`] and then each visitor's stretches, brought together from all runs. A question is one
//! such fold, merged over threads.

mod aggregate;
mod attribution;
mod funnel;
mod group;
mod limits;
mod order;
pub(crate) mod persons;
mod piece;
mod reads;
mod retention;
mod rows;
mod scan;
mod scratch;
mod session;
mod sessions;
mod tags;
pub(crate) mod traits;
mod values;

use std::borrow::Cow;

use tributary_core::error::Result;
use tributary_events::answer::{Answer, Answered};
use tributary_events::question::Question;

use crate::stored::Hashes;
use crate::workspace::View;

pub(crate) use limits::Limits;
pub(crate) use scan::Engine;

/// Answers a checked question over a view.
pub(crate) fn answer(view: &View, question: &Question, limits: &Limits, hashes: &Hashes, engine: Engine<'_>) -> Result<Answered> {
    let watermark = question.slice().as_of.map_or(view.watermark, |as_of| as_of.min(view.watermark));
    let slice = match question {
        Question::Rows(question) => rows::slice_of(question),
        _ => Cow::Borrowed(question.slice()),
    };
    let mut scan = scan::Scan::over(view, &slice, watermark, limits, engine)?;
    let scan = &mut scan;
    let answer = match question {
        Question::Aggregate(question) => Answer::Aggregate(aggregate::answer(scan, question)?),
        Question::Rows(question) => Answer::Rows(rows::answer(scan, question)?),
        Question::Funnel(question) => Answer::Funnel(funnel::answer(scan, question)?),
        Question::Retention(question) => Answer::Retention(retention::answer(scan, question)?),
        Question::Sessions(question) => Answer::Sessions(sessions::answer(scan, question)?),
        Question::Values(question) => Answer::Values(values::answer(scan, question)?),
        Question::Journey(question) => Answer::Rows(rows::journey(scan, question, hashes)?),
        Question::Attribution(question) => Answer::Attribution(attribution::answer(scan, question)?),
    };
    Ok(Answered { watermark, answer })
}
