//! How many come how far. Each unit's events become tag bits, one per step; a machine per mode runs over them.

use std::cmp::Reverse;

use tributary_core::error::Result;
use tributary_events::answer::{FunnelAnswer, FunnelCounts};
use tributary_events::question::{Funnel, FunnelMode, Unit};

use super::Limits;
use super::group::Codebook;
use super::mask::Mask;
use super::scan::{Fold, Row, Scan, Sequence, Visit};
use super::session::{SessionKey, SessionKeys};

pub(crate) fn answer(scan: &Scan<'_>, question: &Funnel) -> Result<FunnelAnswer> {
    let plan = Plan {
        question,
        limits: scan.limits,
        steps: question.steps.iter().map(|filters| scan.masks(filters)).collect::<Result<_>>()?,
        sessions: match question.unit {
            Unit::Visitor => None,
            Unit::Session => Some(SessionKeys::over(scan)?),
        },
        breakdown: question.breakdown.as_ref().map(|field| Codebook::over(scan, field)).transpose()?,
    };
    // Steps of one instant are taken by number; only "the first event" asks for more than times.
    let sequence = if plan.breakdown.is_some() { Sequence::Ordered } else { Sequence::ByTime };
    let folds = scan.fold(sequence, || Ok(Walking::new(&plan)))?;
    let width = question.steps.len();
    let mut overall = vec![0; width];
    let mut by_value = vec![0; plan.breakdown.as_ref().map_or(0, Codebook::len) * width];
    for fold in &folds {
        add(&mut overall, &fold.overall);
        add(&mut by_value, &fold.by_value);
    }
    let mut values = Vec::new();
    if let Some(breakdown) = &plan.breakdown {
        for (code, reached) in by_value.chunks(width).enumerate().filter(|(_, reached)| reached[0] > 0) {
            values.push((breakdown.value(code as u32).map(str::to_owned), FunnelCounts { reached: reached.to_vec() }));
        }
    }
    scan.limits.check_groups(values.len())?;
    values.sort_unstable_by(|a, b| (Reverse(a.1.reached[0]), &a.0).cmp(&(Reverse(b.1.reached[0]), &b.0)));
    Ok(FunnelAnswer { overall: FunnelCounts { reached: overall }, by_value: values })
}

fn add(sums: &mut [u64], more: &[u64]) {
    for (sum, more) in sums.iter_mut().zip(more) {
        *sum += more;
    }
}

struct Plan<'q> {
    question: &'q Funnel,
    limits: &'q Limits,
    steps: Vec<Vec<Mask>>,
    sessions: Option<SessionKeys>,
    breakdown: Option<Codebook>,
}

/// An event of a unit: when, and which steps it serves.
#[derive(Clone, Copy)]
struct Tagged {
    time_us: i64,
    steps: u32,
}

struct Walking<'q> {
    plan: &'q Plan<'q>,
    overall: Vec<u64>,
    by_value: Vec<u64>,
    events: Vec<Tagged>,
    keys: Vec<(SessionKey<'q>, u32)>,
    chains: Vec<Option<Chain>>,
}

impl<'q> Walking<'q> {
    fn new(plan: &'q Plan<'q>) -> Self {
        let width = plan.question.steps.len();
        Self {
            plan,
            overall: vec![0; width],
            by_value: vec![0; plan.breakdown.as_ref().map_or(0, Codebook::len) * width],
            events: Vec::new(),
            keys: Vec::new(),
            chains: vec![None; width],
        }
    }

    /// Counts one unit; its rows come in event order.
    fn count(&mut self, rows: impl Iterator<Item = Row> + Clone) {
        let plan = self.plan;
        let mut seen = 0;
        self.events.clear();
        for row in rows.clone() {
            let mut steps = 0;
            for (step, masks) in plan.steps.iter().enumerate() {
                steps |= u32::from(masks[row.run as usize].holds(row.row as usize)) << step;
            }
            seen |= steps;
            self.events.push(Tagged { time_us: row.time_us, steps });
        }
        if seen == 0 {
            return;
        }
        let level = self.level();
        if level == 0 {
            return;
        }
        self.overall[..level].iter_mut().for_each(|reached| *reached += 1);
        if let (Some(breakdown), Some(first)) = (&plan.breakdown, rows.clone().next()) {
            let start = breakdown.code(&first) as usize * plan.question.steps.len();
            self.by_value[start..start + level].iter_mut().for_each(|reached| *reached += 1);
        }
    }

    fn level(&mut self) -> usize {
        match self.plan.question.mode {
            FunnelMode::Ordered | FunnelMode::StrictIncrease | FunnelMode::StrictOrder | FunnelMode::StrictDeduplication => {
                self.window_funnel()
            }
            FunnelMode::AnyOrder => self.any_order(),
            FunnelMode::FirstTimes => self.first_times(),
        }
    }

    fn window_funnel(&mut self) -> usize {
        let (mode, window_us) = (self.plan.question.mode, self.plan.question.window_us);
        let chains = &mut self.chains;
        chains.fill(None);
        'events: for moment in self.events.chunk_by(|a, b| a.time_us == b.time_us) {
            let time_us = moment[0].time_us;
            // Events of one instant are taken by step number, those that are no step first.
            if mode == FunnelMode::StrictOrder && chains[0].is_some() && moment.iter().any(|event| event.steps == 0) {
                break;
            }
            let served = moment.iter().fold(0, |served, event| served | event.steps);
            for step in (0..chains.len()).filter(|step| served & (1 << step) != 0) {
                if step == 0 {
                    chains[0] = Some(Chain { start_us: time_us, step_us: time_us });
                    continue;
                }
                // Two events of one instant that serve the same step: the second one is a repeat.
                let takes = moment.iter().filter(|event| event.steps & (1 << step) != 0).count();
                for _ in 0..takes {
                    if mode == FunnelMode::StrictDeduplication && chains[step].is_some() {
                        break 'events;
                    }
                    let Some(previous) = chains[step - 1] else {
                        if mode == FunnelMode::StrictOrder && chains[0].is_some() {
                            break 'events;
                        }
                        continue;
                    };
                    let is_later = mode != FunnelMode::StrictIncrease || previous.step_us < time_us;
                    if is_later && is_inside(previous.start_us, time_us, window_us) {
                        chains[step] = Some(Chain { start_us: previous.start_us, step_us: time_us });
                        if step + 1 == chains.len() {
                            break 'events;
                        }
                    }
                }
            }
        }
        chains.iter().rposition(Option::is_some).map_or(0, |step| step + 1)
    }

    /// The most different steps inside one stretch of the window's length: two ends moving forward.
    fn any_order(&self) -> usize {
        let window_us = self.plan.question.window_us;
        let mut counts = [0u32; u32::BITS as usize];
        let (mut end, mut level, mut best) = (0, 0, 0);
        for first in &self.events {
            while let Some(event) = self.events.get(end).filter(|event| is_inside(first.time_us, event.time_us, window_us)) {
                for step in (0..self.plan.question.steps.len()).filter(|step| event.steps & (1 << step) != 0) {
                    level += usize::from(counts[step] == 0);
                    counts[step] += 1;
                }
                end += 1;
            }
            best = best.max(level);
            for step in (0..self.plan.question.steps.len()).filter(|step| first.steps & (1 << step) != 0) {
                counts[step] -= 1;
                level -= usize::from(counts[step] == 0);
            }
        }
        best
    }

    fn first_times(&self) -> usize {
        let window_us = self.plan.question.window_us;
        let mut start_us = None;
        let mut previous_us = i64::MIN;
        for step in 0..self.plan.question.steps.len() {
            let Some(first) = self.events.iter().find(|event| event.steps & (1 << step) != 0) else { return step };
            let start_us = *start_us.get_or_insert(first.time_us);
            if first.time_us < previous_us || !is_inside(start_us, first.time_us, window_us) {
                return step;
            }
            previous_us = first.time_us;
        }
        self.plan.question.steps.len()
    }
}

/// The latest chain that took a step: when it began, and when it took the step.
#[derive(Clone, Copy)]
struct Chain {
    start_us: i64,
    step_us: i64,
}

fn is_inside(start_us: i64, time_us: i64, window_us: Option<i64>) -> bool {
    window_us.is_none_or(|window_us| time_us.saturating_sub(start_us) <= window_us)
}

impl Fold for Walking<'_> {
    fn visit(&mut self, visit: &Visit<'_>) -> Result<()> {
        let plan = self.plan;
        let Some(sessions) = &plan.sessions else {
            self.count(visit.rows.iter().copied());
            return Ok(());
        };
        let mut keys = std::mem::take(&mut self.keys);
        keys.clear();
        keys.extend(visit.rows.iter().zip(0..).map(|(row, at)| (sessions.of(row, visit.anonymous_id), at)));
        // Positions break ties, so the rows of a session stay in event order.
        keys.sort_unstable();
        for session in keys.chunk_by(|a, b| a.0 == b.0) {
            self.count(session.iter().map(|(_, at)| visit.rows[*at as usize]));
        }
        self.keys = keys;
        Ok(())
    }

    fn check(&self) -> Result<()> {
        let width = self.plan.question.steps.len();
        self.plan.limits.check_groups(self.by_value.chunks(width).filter(|reached| reached[0] > 0).count())
    }
}
