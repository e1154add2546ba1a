//! What channels are credited with by a model that looks at all paths.

use super::apportion::{Apportioned, Apportioner};
use super::journey::CREDIT_UNITS;
use super::paths::Paths;

/// Conversions in credit units, and what they brought.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Credit {
    /// Conversions, in [`CREDIT_UNITS`].
    pub units: i128,
    /// One sum per currency of the paths, micros.
    pub amounts_micros: Vec<i128>,
}

/// One channel's credit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelCredit {
    /// Its code.
    pub channel: u32,
    /// What it is credited with.
    pub credit: Credit,
}

/// Credit by channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelCredits {
    /// Every channel of the paths, by code.
    pub channels: Vec<ChannelCredit>,
    /// Conversions without a touch, and money no channel earned.
    pub unattributed: Credit,
    /// All conversions: what the channels and `unattributed` add up to, exactly.
    pub totals: Credit,
}

impl ChannelCredits {
    /// Nothing yet, for the channels of these paths; conversions without a touch are unattributed.
    pub(super) fn of(paths: &Paths) -> ChannelCredits {
        let nothing = Credit { units: 0, amounts_micros: vec![0; paths.currencies()] };
        let channels = paths.channels().iter().map(|channel| ChannelCredit { channel: *channel, credit: nothing.clone() });
        let untouched = paths.untouched();
        let unattributed = Credit { units: units(untouched.converting), amounts_micros: untouched.amounts_micros.to_vec() };
        ChannelCredits { channels: channels.collect(), totals: unattributed.clone(), unattributed }
    }

    /// Shares conversions and money among channels, by weight.
    pub(super) fn share(&mut self, sharing: &mut Sharing, converting: u64, amounts_micros: &[i128]) {
        let totals = std::iter::once(units(converting)).chain(amounts_micros.iter().copied());
        for (field, total) in totals.enumerate() {
            *self.totals.field_mut(field) += total;
            match sharing.apportioner.apportion(total, &sharing.weights, &mut sharing.parts) {
                Apportioned::Whole => {
                    for (channel, part) in sharing.channels.iter().zip(&sharing.parts) {
                        *self.channels[*channel as usize].credit.field_mut(field) += part;
                    }
                }
                Apportioned::Nothing => *self.unattributed.field_mut(field) += total,
            }
        }
    }
}

impl Credit {
    /// Units first, then the amounts.
    fn field_mut(&mut self, field: usize) -> &mut i128 {
        match field.checked_sub(1) {
            None => &mut self.units,
            Some(currency) => &mut self.amounts_micros[currency],
        }
    }
}

/// Who shares, and how: filled for one path after the other.
#[derive(Debug, Default)]
pub(super) struct Sharing {
    /// Places of channels in [`Paths::channels`], each once.
    pub channels: Vec<u32>,
    /// Their weights.
    pub weights: Vec<u64>,
    apportioner: Apportioner,
    parts: Vec<i128>,
}

fn units(conversions: u64) -> i128 {
    i128::from(conversions) * i128::from(CREDIT_UNITS)
}
