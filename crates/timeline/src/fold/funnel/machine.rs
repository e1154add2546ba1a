//! The machines behind the modes of a funnel; see [`FunnelMode`] for what each means.

use tributary_events::question::{Exclusion, Funnel, FunnelMode};

/// An event of a unit: when, which steps it serves (low bits), which exclusions it is (the bits above).
#[derive(Clone, Copy, Default)]
pub(super) struct Tagged {
    pub time_us: i64,
    pub tags: u32,
}

/// No chain took the step yet. No event has this instant: it lies outside the calendar.
const NEVER: i64 = i64::MIN;

/// A step, counted from 0, and when it was taken.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Taken {
    pub time_us: i64,
    pub step: usize,
}

/// The latest chain that took a step: when it began, and when it took the step.
#[derive(Clone, Copy)]
struct Chain {
    start_us: i64,
    step_us: i64,
}

/// Runs over one unit after the other.
pub(super) struct Machine<'q> {
    question: &'q Funnel,
    wants_path: bool,
    chains: Vec<Option<Chain>>,
    /// For each step, its chain's steps; only where the path is wanted.
    paths: Vec<Vec<Taken>>,
    path: Vec<Taken>,
}

impl<'q> Machine<'q> {
    pub fn new(question: &'q Funnel, wants_path: bool) -> Self {
        let steps = question.steps.len();
        Self { question, wants_path, chains: vec![None; steps], paths: vec![Vec::new(); steps], path: Vec::new() }
    }

    /// The path of the unit last run over, by time; empty unless wanted.
    pub fn path(&self) -> &[Taken] {
        &self.path
    }

    /// Whether only the level is wanted, and only the beginnings of chains decide it.
    pub fn is_simple(&self) -> bool {
        self.question.mode == FunnelMode::Ordered && self.question.exclusions.is_empty() && !self.wants_path
    }

    /// How far one unit comes. Its events come by time.
    pub fn run(&mut self, events: &[Tagged]) -> usize {
        self.path.clear();
        match self.question.mode {
            FunnelMode::Ordered if self.is_simple() && events.is_sorted_by(|a, b| a.time_us < b.time_us) => self.ordered(events),
            FunnelMode::Ordered | FunnelMode::StrictIncrease | FunnelMode::StrictOrder | FunnelMode::StrictDeduplication => {
                self.window_funnel(events)
            }
            FunnelMode::AnyOrder => self.any_order(events),
            FunnelMode::FirstTimes => self.first_times(events),
        }
    }

    /// How far a unit comes if the machine [is simple](Self::is_simple) and each event is later than the one before it: each step
    /// remembers when its latest chain began.
    pub fn ordered(&self, events: &[Tagged]) -> usize {
        let (window_us, steps) = (self.question.window_us.unwrap_or(i64::MAX), self.question.steps.len());
        let mut began_us = [NEVER; u32::BITS as usize];
        let mut level = 0;
        for event in events {
            let mut tags = event.tags;
            while tags != 0 {
                let step = tags.trailing_zeros() as usize;
                tags &= tags - 1;
                if step == 0 {
                    began_us[0] = event.time_us;
                } else if began_us[step - 1] != NEVER && event.time_us.saturating_sub(began_us[step - 1]) <= window_us {
                    began_us[step] = began_us[step - 1];
                } else {
                    continue;
                }
                if step + 1 > level {
                    level = step + 1;
                    if level == steps {
                        return level;
                    }
                }
            }
        }
        level
    }

    fn window_funnel(&mut self, events: &[Tagged]) -> usize {
        let (mode, window_us, steps) = (self.question.mode, self.question.window_us, self.question.steps.len());
        self.chains.fill(None);
        let mut level = 0;
        'events: for moment in events.chunk_by(|a, b| a.time_us == b.time_us) {
            let time_us = moment[0].time_us;
            // Events of one instant are taken by step number, those that are no step first.
            if mode == FunnelMode::StrictOrder && self.chains[0].is_some() && moment.iter().any(|event| event.tags == 0) {
                break;
            }
            let served = moment.iter().fold(0, |served, event| served | event.tags);
            for (exclusion, bit) in self.question.exclusions.iter().zip(steps..) {
                if served & (1 << bit) != 0 {
                    forget(&mut self.chains, exclusion);
                }
            }
            for step in (0..steps).filter(|step| served & (1 << step) != 0) {
                if step == 0 {
                    self.take(0, Chain { start_us: time_us, step_us: time_us }, &mut level);
                    if steps == 1 {
                        break 'events;
                    }
                    continue;
                }
                // Two events of one instant that serve the same step: the second one is a repeat.
                let takes = moment.iter().filter(|event| event.tags & (1 << step) != 0).count();
                for _ in 0..takes {
                    if mode == FunnelMode::StrictDeduplication && self.chains[step].is_some() {
                        break 'events;
                    }
                    let Some(previous) = self.chains[step - 1] else {
                        if mode == FunnelMode::StrictOrder && self.chains[0].is_some() {
                            break 'events;
                        }
                        continue;
                    };
                    let is_later = mode != FunnelMode::StrictIncrease || previous.step_us < time_us;
                    if is_later && is_inside(previous.start_us, time_us, window_us) {
                        self.take(step, Chain { start_us: previous.start_us, step_us: time_us }, &mut level);
                        if step + 1 == steps {
                            break 'events;
                        }
                    }
                }
            }
        }
        level
    }

    /// A chain takes a step.
    fn take(&mut self, step: usize, chain: Chain, level: &mut usize) {
        self.chains[step] = Some(chain);
        if self.wants_path {
            let (before, after) = self.paths.split_at_mut(step);
            let path = &mut after[0];
            path.clear();
            path.extend(before.last().into_iter().flatten());
            path.push(Taken { time_us: chain.step_us, step });
        }
        if step + 1 > *level {
            *level = step + 1;
            if self.wants_path {
                self.path.clone_from(&self.paths[step]);
            }
        }
    }

    /// The most different steps inside one stretch of the window's length: two ends moving forward.
    fn any_order(&mut self, events: &[Tagged]) -> usize {
        let (window_us, steps) = (self.question.window_us, self.question.steps.len());
        let mut counts = [0u32; u32::BITS as usize];
        let (mut end, mut level, mut best) = (0, 0, 0);
        let mut stretch = 0..0;
        for (at, first) in events.iter().enumerate() {
            while let Some(event) = events.get(end).filter(|event| is_inside(first.time_us, event.time_us, window_us)) {
                for step in (0..steps).filter(|step| event.tags & (1 << step) != 0) {
                    level += usize::from(counts[step] == 0);
                    counts[step] += 1;
                }
                end += 1;
            }
            if level > best {
                best = level;
                stretch = at..end;
            }
            for step in (0..steps).filter(|step| first.tags & (1 << step) != 0) {
                counts[step] -= 1;
                level -= usize::from(counts[step] == 0);
            }
        }
        if self.wants_path {
            let stretch = &events[stretch];
            let first = |step: usize| stretch.iter().find(|event| event.tags & (1 << step) != 0);
            self.path.extend((0..steps).filter_map(|step| first(step).map(|event| Taken { time_us: event.time_us, step })));
            self.path.sort_unstable();
        }
        best
    }

    fn first_times(&mut self, events: &[Tagged]) -> usize {
        let window_us = self.question.window_us;
        let mut start_us = None;
        let mut previous_us = i64::MIN;
        for step in 0..self.question.steps.len() {
            let Some(first) = events.iter().find(|event| event.tags & (1 << step) != 0) else { return step };
            let start_us = *start_us.get_or_insert(first.time_us);
            if first.time_us < previous_us || !is_inside(start_us, first.time_us, window_us) {
                return step;
            }
            previous_us = first.time_us;
            if self.wants_path {
                self.path.push(Taken { time_us: first.time_us, step });
            }
        }
        self.question.steps.len()
    }
}

fn forget(chains: &mut [Option<Chain>], exclusion: &Exclusion) {
    chains[exclusion.after - 1..exclusion.before - 1].fill(None);
}

fn is_inside(start_us: i64, time_us: i64, window_us: Option<i64>) -> bool {
    window_us.is_none_or(|window_us| time_us.saturating_sub(start_us) <= window_us)
}
