//! `geo`: the country of the visitor's own address, and nothing finer.

use super::Flight;
use crate::arrival::Channel;
use crate::geo::country_code;
use crate::pipeline::Tools;

pub fn run(tools: &Tools, flight: &mut Flight<'_>) {
    let known = flight.draft.country.take().filter(|_| flight.is_import());
    let found = || tools.countries.as_ref()?.find(flight.address?);
    // A proxy speaks of the connection, which is the visitor's only with a publishable key.
    let hinted = || match flight.arrival.channel {
        Channel::Publishable => country_code(flight.arrival.country_hint.as_deref()?),
        Channel::Secret | Channel::Mcp | Channel::Import => None,
    };
    flight.event.country = known.or_else(found).or_else(hinted);
}
