//! The mathematics against outside figures, against slow definitions, and against its own promises.

mod apportioning;
mod bootstrapping;
mod chains;
mod journeys;
mod models;
mod outside;

use std::collections::BTreeMap;

use super::journey::{Crediting, Outcome, Share, Touch};
use super::model::Model;
use super::paths::{Paths, PathsBuilder, Tally};

/// A paid touch whose source is its channel.
fn touch(channel: u32, time_us: i64) -> Touch {
    Touch { channel, source: channel, time_us, is_direct: false, is_paid: true }
}

fn credit(model: Model, touches: &[Touch]) -> (Outcome, Vec<Share>) {
    let mut shares = Vec::new();
    let outcome = Crediting::default().credit(model, touches, &mut shares);
    (outcome, shares)
}

/// Paths of journeys: channels, converting, not converting, amounts.
type Journeys = Vec<(Vec<u32>, u64, u64, Vec<i128>)>;

fn paths(journeys: &Journeys, currencies: usize) -> Paths {
    let mut builder = PathsBuilder::new(currencies);
    for (path, converting, other, amounts_micros) in journeys {
        let tally = Tally { converting: *converting, other: *other, amounts_micros };
        builder.add(path, tally).expect("a few paths are within bounds");
    }
    builder.build()
}

/// Codes of names, in the order of the names.
fn codes<'a>(names: impl Iterator<Item = &'a str>) -> BTreeMap<&'a str, u32> {
    let mut codes: BTreeMap<&str, u32> = names.map(|name| (name, 0)).collect();
    for (code, place) in codes.values_mut().zip(0..) {
        *code = place;
    }
    codes
}
