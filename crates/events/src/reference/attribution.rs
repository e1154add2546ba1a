//! Which touch each conversion is credited to.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use tributary_core::error::Result;
use tributary_core::event::Event;

use super::{keys_of, person_of, within};
use crate::answer::{AttributionAnswer, AttributionRow, Credit};
use crate::filter::all_hold;
use crate::question::{Attribution, Budget, TouchModel};

/// Answers over the events of the slice.
pub fn answer(events: &[&Event], question: &Attribution, budget: Budget) -> Result<AttributionAnswer> {
    let conversions: Vec<&Event> = events.iter().copied().filter(|event| all_hold(&question.conversion, event)).collect();
    let mut touches: BTreeMap<&str, Vec<&Event>> = BTreeMap::new();
    for touch in events.iter().copied().filter(|event| all_hold(&question.touch, event)) {
        touches.entry(person_of(&question.slice, touch)).or_default().push(touch);
    }
    let mut groups: BTreeMap<Vec<Option<String>>, Vec<&Event>> = BTreeMap::new();
    let mut unattributed = Vec::new();
    for conversion in &conversions {
        let touches = touches.get(person_of(&question.slice, conversion)).map_or(&[][..], Vec::as_slice);
        match credited(conversion, touches, question) {
            Some(touch) => groups.entry(keys_of(&question.group_by, touch)).or_default().push(conversion),
            None => unattributed.push(*conversion),
        }
    }
    within(budget, groups.len())?;
    let mut rows: Vec<AttributionRow> =
        groups.into_iter().map(|(keys, conversions)| AttributionRow { keys, credit: credit(&conversions, question) }).collect();
    let total_rows = rows.len();
    rows.sort_by_key(|row| (Reverse(row.credit.conversions), row.keys.clone()));
    rows.truncate(question.limit);
    let (unattributed, totals) = (credit(&unattributed, question), credit(&conversions, question));
    Ok(AttributionAnswer { rows, total_rows, unattributed, totals })
}

/// The touch that gets the credit, out of the person's touches in order.
fn credited<'a>(conversion: &Event, touches: &[&'a Event], question: &Attribution) -> Option<&'a Event> {
    let in_time = |touch: &&&Event| {
        let before_us = i128::from(conversion.time_us) - i128::from(touch.time_us);
        before_us >= 0 && question.lookback_us.is_none_or(|lookback_us| before_us <= i128::from(lookback_us))
    };
    let mut candidates = touches.iter().filter(in_time);
    match question.model {
        TouchModel::First => candidates.next().copied(),
        TouchModel::Last => candidates.next_back().copied(),
    }
}

fn credit(conversions: &[&Event], question: &Attribution) -> Credit {
    let amounts = question.amounts.iter().map(|currency| {
        let amounts = conversions.iter().filter_map(|conversion| conversion.amount);
        amounts.filter(|amount| amount.currency == *currency).map(|amount| i128::from(amount.micros)).sum()
    });
    Credit { conversions: conversions.len() as u64, amounts: amounts.collect() }
}
