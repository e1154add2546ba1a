//! Journeys grouped by the credit they give: what a model that credits one journey at a time needs for its intervals.
//!
//! Under such a model a channel's credit is the sum of what single journeys give it, so journeys that give the same are the
//! same. A fold adds every journey's shares as the model gives them, summed by channel, and journeys without a conversion as
//! giving nothing.

use std::collections::{BTreeSet, HashMap};
use std::hash::BuildHasherDefault;

use tributary_core::error::Result;

use crate::attribution::journey::CREDIT_UNITS;
use crate::attribution::paths::{CodesHasher, MAX_CHANNELS, MAX_JOURNEYS, MAX_PATHS, MAX_TOUCHES, too_large};

/// Channel codes, ascending, and the credit units each gets of one conversion.
type Shares = Box<[(u32, i64)]>;

/// Groups journeys by what they give to whom.
#[derive(Clone, Debug, Default)]
pub struct ProfilesBuilder {
    journeys_of: HashMap<Shares, u64, BuildHasherDefault<CodesHasher>>,
    channels: BTreeSet<u32>,
    shares: usize,
    journeys: u64,
    ordered: Vec<(u32, i64)>,
}

impl ProfilesBuilder {
    /// Adds journeys that give the same: channel codes and the credit units each gets, in any order; parts of one channel are
    /// added up. Empty for journeys that did not convert or are unattributed.
    /// [`tributary_core::error::Code::QuestionTooLarge`] beyond the bounds of [`crate::attribution::paths`], which count profiles
    /// as paths and shares as touches; the builder is then no longer of use.
    pub fn add(&mut self, shares: &[(u32, i64)], journeys: u64) -> Result<()> {
        self.ordered.clear();
        self.ordered.extend_from_slice(shares);
        self.ordered.sort_unstable();
        self.ordered.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 = kept.1.saturating_add(next.1);
            }
            same
        });
        let together = self.journeys.checked_add(journeys).filter(|together| *together <= MAX_JOURNEYS);
        let Some(together) = together else {
            return Err(too_large("journeys", MAX_JOURNEYS, "filter, or ask for a shorter range"));
        };
        self.journeys = together;
        match self.journeys_of.get_mut(self.ordered.as_slice()) {
            Some(same) => *same += journeys,
            None => self.open(journeys)?,
        }
        Ok(())
    }

    /// Adds everything another builder holds: for folds that run side by side.
    pub fn merge(&mut self, other: &ProfilesBuilder) -> Result<()> {
        for (shares, journeys) in &other.journeys_of {
            self.add(shares, *journeys)?;
        }
        Ok(())
    }

    /// Adds everything another builder holds, its channels under other codes; a channel without another code is left out.
    pub fn merge_recoded(&mut self, other: &ProfilesBuilder, codes: &HashMap<u32, u32>) -> Result<()> {
        let mut recoded = Vec::new();
        for (shares, journeys) in &other.journeys_of {
            recoded.clear();
            recoded.extend(shares.iter().filter_map(|(channel, units)| Some((*codes.get(channel)?, *units))));
            self.add(&recoded, *journeys)?;
        }
        Ok(())
    }

    /// The codes of the channels so far, ascending.
    pub fn channels(&self) -> impl Iterator<Item = u32> {
        self.channels.iter().copied()
    }

    /// About how much memory it takes, for the budget of a question.
    pub fn bytes(&self) -> usize {
        // A boxed slice, its count, the control byte and the allocator's share.
        const ENTRY_BYTES: usize = 48;
        self.shares * size_of::<(u32, i64)>() + self.journeys_of.len() * ENTRY_BYTES
    }

    /// The profiles in order.
    pub fn build(self) -> Profiles {
        let channels: Vec<u32> = self.channels.into_iter().collect();
        let place_of: HashMap<u32, u32> = channels.iter().copied().zip(0..).collect();
        let mut sorted: Vec<_> = self.journeys_of.into_iter().collect();
        sorted.sort_unstable();
        let mut profiles = Profiles { channels, starts: vec![0], parts: Vec::with_capacity(self.shares), journeys: Vec::new() };
        for (shares, journeys) in sorted {
            let parts = shares.iter().map(|(channel, units)| (place_of[channel], *units as f64 / CREDIT_UNITS as f64));
            profiles.parts.extend(parts);
            profiles.starts.push(profiles.parts.len());
            profiles.journeys.push(journeys);
        }
        profiles
    }

    fn open(&mut self, journeys: u64) -> Result<()> {
        if self.journeys_of.len() >= MAX_PATHS {
            let hint = "ask without intervals, shorten the window, or ask for a shorter range";
            return Err(too_large("credit_profiles", MAX_PATHS as u64, hint));
        }
        self.shares += self.ordered.len();
        if self.shares > MAX_TOUCHES {
            return Err(too_large("touches", MAX_TOUCHES as u64, "shorten the window, or filter"));
        }
        self.channels.extend(self.ordered.iter().map(|share| share.0));
        if self.channels.len() > MAX_CHANNELS {
            return Err(too_large("channels", MAX_CHANNELS as u64, "group by fewer or coarser fields, or filter"));
        }
        self.journeys_of.insert(self.ordered.as_slice().into(), journeys);
        Ok(())
    }
}

/// Journeys grouped by the credit they give: the same for every order in which they were added.
#[derive(Clone, Debug, PartialEq)]
pub struct Profiles {
    channels: Vec<u32>,
    /// Where each profile begins in `parts`, and where the last ends.
    starts: Vec<usize>,
    /// Places in `channels` and parts of a conversion.
    parts: Vec<(u32, f64)>,
    journeys: Vec<u64>,
}

impl Profiles {
    /// Codes of all channels, ascending.
    pub fn channels(&self) -> &[u32] {
        &self.channels
    }

    /// Journeys, by profile.
    pub fn journeys(&self) -> &[u64] {
        &self.journeys
    }

    /// What each journey of a profile gives: places in [`Profiles::channels`] and parts of a conversion.
    pub(super) fn parts(&self, profile: usize) -> &[(u32, f64)] {
        &self.parts[self.starts[profile]..self.starts[profile + 1]]
    }
}
