//! Names nobody has sent, and the known ones nearest to them.

use tributary_core::error::Result;
use tributary_core::time::TimeRange;
use tributary_events::field::Field;
use tributary_events::question::{Bots, Slice, Values};

use crate::provenance::{Provenance, UnknownEvent};
use crate::reach::Reach;
use crate::service::Service;

/// Known names looked at.
const MAX_KNOWN: usize = 1_000;
/// Names suggested per unknown one.
const MAX_NEAREST: usize = 5;
/// Below this similarity a name is not worth suggesting (Jaro-Winkler, 0 to 1).
const MIN_SIMILARITY: f64 = 0.7;

impl Service {
    /// Adds to `provenance` which of the `asked` names no workspace of the reach has ever seen.
    pub(crate) async fn name_unknown_events(&self, reach: Reach<'_>, asked: &[&str], provenance: &mut Provenance) -> Result<()> {
        let slice = Slice { bots: Bots::Include, ..Slice::of(TimeRange::ALL) };
        let known = self.values(reach, &Values { slice, field: Field::EventName, limit: MAX_KNOWN }).await?;
        let known: Vec<String> = known.answers.into_iter().flat_map(|answer| answer.values).map(|name| name.value).collect();
        for event in asked {
            let is_listed = provenance.unknown_events.iter().any(|unknown| unknown.event == *event);
            if !is_listed && !known.iter().any(|name| name == event) {
                provenance.unknown_events.push(UnknownEvent { event: (*event).to_owned(), nearest: nearest(event, &known) });
            }
        }
        if !provenance.unknown_events.is_empty() {
            provenance.add_note("no event of an unknown name was ever sent here: see unknown_events, or read schema://events");
        }
        Ok(())
    }
}

/// The candidates most like `name`, best first, then alphabetically.
pub(crate) fn nearest(name: &str, candidates: &[String]) -> Vec<String> {
    let wanted = name.to_lowercase();
    let mut scored: Vec<(f64, &String)> = candidates
        .iter()
        .map(|candidate| {
            let lower = candidate.to_lowercase();
            let contains = lower.contains(&wanted) || wanted.contains(&lower);
            (if contains { 1.0 } else { strsim::jaro_winkler(&wanted, &lower) }, candidate)
        })
        .filter(|(score, _)| *score >= MIN_SIMILARITY)
        .collect();
    scored.sort_by(|(left, left_name), (right, right_name)| right.total_cmp(left).then_with(|| left_name.cmp(right_name)));
    scored.dedup_by(|left, right| left.1 == right.1);
    scored.into_iter().take(MAX_NEAREST).map(|(_, candidate)| candidate.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspellings_find_their_names() {
        let known: Vec<String> =
            ["signup", "signed_up", "$pageview", "purchase", "signup"].map(String::from).into_iter().collect();
        assert_eq!(nearest("sign_up", &known), ["signup", "signed_up"]);
        assert_eq!(nearest("pageview", &known), ["$pageview"]);
        assert_eq!(nearest("zzz", &known), Vec::<String>::new());
    }
}
