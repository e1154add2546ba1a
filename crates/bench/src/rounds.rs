//! Interleaved rounds: each question is asked of every engine in turn, so that a busy machine is busy for all of them.

use indexmap::IndexMap;

use crate::answer::{Table, difference, ours, theirs};
use crate::engine::{Engine, Place};
use crate::failure::Result;
use crate::measure::{Spread, rounded};
use crate::peers::Peer;
use crate::question::Asked;
use crate::report::Timed;
use crate::say::say;

/// What the rounds found.
pub struct Rounds {
    /// By question.
    pub questions: IndexMap<String, Timed>,
    /// Our answers, by question.
    pub answers: IndexMap<String, Table>,
}

/// Times of one question, one per round.
struct Times {
    ours: Vec<f64>,
    peers: Vec<Vec<f64>>,
    answer: Table,
    differences: IndexMap<String, String>,
    compared: usize,
}

/// One round that warms up and yields the answers, then `rounds` that are measured.
pub async fn run(engine: &Engine, peers: &mut [Peer], asked: &[Asked], rounds: usize) -> Result<Rounds> {
    let asked: Vec<&Asked> = asked.iter().filter(|one| one.place == Place::Bench || engine.has_giant()).collect();
    let mut times = Vec::with_capacity(asked.len());
    for one in &asked {
        times.push(warm_up(engine, peers, one).await?);
    }
    for round in 1..=rounds {
        say(&format!("round {round} of {rounds}"));
        for (one, times) in asked.iter().zip(&mut times) {
            times.ours.push(engine.ask(one.place, one.question.clone()).await?.0);
            for (peer, times) in peers.iter_mut().zip(&mut times.peers) {
                times.push(peer.ask(one.name)?.0);
            }
        }
    }
    let mut found = Rounds { questions: IndexMap::new(), answers: IndexMap::new() };
    for (one, times) in asked.iter().zip(times) {
        found.questions.insert(one.name.to_owned(), summed_up(peers, &times));
        found.answers.insert(one.name.to_owned(), times.answer);
    }
    Ok(found)
}

async fn warm_up(engine: &Engine, peers: &mut [Peer], one: &Asked) -> Result<Times> {
    let (_, answer) = engine.ask(one.place, one.question.clone()).await?;
    let answer = ours(one, &answer)?;
    let mut times =
        Times { ours: Vec::new(), peers: vec![Vec::new(); peers.len()], answer, differences: IndexMap::new(), compared: 0 };
    for peer in peers {
        let (_, rows) = peer.ask(one.name)?;
        if one.not_compared == Some(peer.name) {
            continue;
        }
        times.compared += 1;
        if let Some(difference) = difference(&times.answer, &theirs(one, &rows)?) {
            say(&format!("{} differs from {}: {difference}", one.name, peer.name));
            times.differences.insert(peer.name.to_owned(), difference);
        }
    }
    Ok(times)
}

fn summed_up(peers: &[Peer], times: &Times) -> Timed {
    let median = |times: &[f64]| Spread::of(times).map(|spread| spread.median);
    let peer = |name: &str| peers.iter().position(|peer| peer.name == name).and_then(|at| median(&times.peers[at]));
    let ratio_spread = Spread::of(&ratios(&times.ours, &times.peers));
    Timed {
        tributary_ms: median(&times.ours).unwrap_or_default(),
        duckdb_ms: peer("duckdb"),
        clickhouse_ms: peer("clickhouse"),
        ratio_to_better_peer: ratio_spread.map(|spread| spread.median),
        ratio_spread,
        equal: (times.compared > 0).then(|| times.differences.is_empty()),
        differences: times.differences.clone(),
        rows: times.answer.len(),
    }
}

/// Per round, the better peer's time divided by ours.
fn ratios(ours: &[f64], peers: &[Vec<f64>]) -> Vec<f64> {
    let better = |round: usize| peers.iter().filter_map(|times| times.get(round)).copied().reduce(f64::min);
    let ratio = |(round, ours): (usize, &f64)| better(round).map(|better| rounded(better / ours.max(1e-6)));
    ours.iter().enumerate().filter_map(ratio).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_taken_within_its_round() {
        assert_eq!(ratios(&[10.0, 20.0], &[vec![100.0, 300.0], vec![150.0, 200.0]]), [10.0, 10.0]);
        assert_eq!(ratios(&[10.0], &[]), Vec::<f64>::new());
    }
}
