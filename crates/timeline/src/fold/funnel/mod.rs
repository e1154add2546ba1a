//! How many come how far. Each row gets a word of tag bits, one per step and one per exclusion; most visitors' level is told by
//! the bits they have at all, and only for the others a machine runs over their tagged rows ([`machine`]).

mod machine;

use std::cmp::Reverse;
use std::collections::HashMap;

use tributary_core::error::Result;
use tributary_events::answer::{FunnelAnswer, FunnelCounts};
use tributary_events::question::{BreakdownEvent, Funnel, FunnelMode, Unit};

use super::group::Codebook;
use super::reads::Read;
use super::scan::{Fold, Piece, Row, Scan, Visit};
use super::session::{SessionKey, SessionPlan, Sessions};
use super::tags::{TagFilters, TagWord, Tags};
use crate::column::ColumnId;
use machine::{Machine, Tagged, Taken};

pub(crate) fn answer(scan: &mut Scan<'_>, question: &Funnel) -> Result<FunnelAnswer> {
    let lists = question.steps.iter().chain(question.exclusions.iter().map(|exclusion| &exclusion.filters));
    let tags = TagFilters::plan(lists.map(Vec::as_slice), &mut scan.reads);
    let time = scan.reads.column(ColumnId::Time);
    let sessions = match question.unit {
        Unit::Visitor => None,
        Unit::Session => Some(SessionPlan::plan(&mut scan.reads)),
    };
    let breakdown = question.breakdown.as_ref().map(|breakdown| (scan.reads.field(&breakdown.field), breakdown.on));
    scan.prepare(true)?;
    let plan = Plan {
        question,
        scan,
        time,
        sessions: sessions.map(|plan| plan.over(scan)).transpose()?,
        breakdown: match breakdown {
            Some((read, on)) => Some((Codebook::over(scan, read)?, on)),
            None => None,
        },
        wants_path: question.with_times || matches!(breakdown, Some((_, BreakdownEvent::Step(_)))),
    };
    if tags.len() <= u8::LISTS { walk(&plan, &tags.over::<u8>(scan)?) } else { walk(&plan, &tags.over::<u32>(scan)?) }
}

fn walk<T: TagWord>(plan: &Plan<'_>, tags: &Tags<T>) -> Result<FunnelAnswer> {
    let folds = plan.scan.fold(|| Ok(Walking::new(plan, tags)))?;
    let mut overall = Counts::new(plan);
    let mut by_value: HashMap<u32, Counts> = HashMap::new();
    for fold in folds {
        overall.add(fold.overall);
        for (code, counts) in fold.by_value {
            by_value.entry(code).or_insert_with(|| Counts::new(plan)).add(counts);
        }
    }
    let mut values = Vec::with_capacity(by_value.len());
    if let Some((codebook, _)) = &plan.breakdown {
        for (code, counts) in by_value {
            values.push((codebook.value(code).map(str::to_owned), counts.finish(plan)));
        }
    }
    plan.scan.limits.check_groups(values.len())?;
    values.sort_unstable_by(|a, b| (Reverse(a.1.reached[0]), &a.0).cmp(&(Reverse(b.1.reached[0]), &b.0)));
    Ok(FunnelAnswer { overall: overall.finish(plan), by_value: values })
}

struct Plan<'q> {
    question: &'q Funnel,
    scan: &'q Scan<'q>,
    time: Read,
    sessions: Option<Sessions>,
    breakdown: Option<(Codebook, BreakdownEvent)>,
    wants_path: bool,
}

/// Units by how far they came, and the times between their steps.
struct Counts {
    reached: Vec<u64>,
    /// For each step but the last, the microseconds to the next one.
    between_us: Vec<Vec<i64>>,
}

impl Counts {
    fn new(plan: &Plan<'_>) -> Self {
        let steps = plan.question.steps.len();
        let gaps = if plan.question.with_times { steps - 1 } else { 0 };
        Self { reached: vec![0; steps], between_us: vec![Vec::new(); gaps] }
    }

    fn count(&mut self, level: usize, path: &[Taken]) {
        self.reached[..level].iter_mut().for_each(|reached| *reached += 1);
        for (between_us, pair) in self.between_us.iter_mut().zip(path.windows(2)) {
            between_us.push(pair[1].time_us - pair[0].time_us);
        }
    }

    fn add(&mut self, other: Counts) {
        self.reached.iter_mut().zip(&other.reached).for_each(|(sum, more)| *sum += more);
        self.between_us.iter_mut().zip(other.between_us).for_each(|(all, more)| all.extend(more));
    }

    fn finish(mut self, plan: &Plan<'_>) -> FunnelCounts {
        let median = |values: &mut Vec<i64>| {
            let middle = values.len().checked_sub(1)? / 2;
            Some(*values.select_nth_unstable(middle).1)
        };
        let median_us = if plan.question.with_times { self.between_us.iter_mut().map(median).collect() } else { Vec::new() };
        FunnelCounts { reached: self.reached, median_us }
    }

    fn bytes(&self) -> usize {
        self.reached.len() * 8 + self.between_us.iter().map(|times| 24 + times.capacity() * 8).sum::<usize>()
    }
}

struct Walking<'q, T> {
    plan: &'q Plan<'q>,
    tags: &'q Tags<T>,
    machine: Machine<'q>,
    overall: Counts,
    by_value: HashMap<u32, Counts>,
    /// Tags of each row of the partition; none outside the slice.
    tagged: Vec<T>,
    rows: Vec<Row>,
    unit: Vec<Row>,
    events: Vec<Tagged>,
    keys: Vec<(SessionKey, u32)>,
    held: usize,
}

impl<'q, T: TagWord> Walking<'q, T> {
    fn new(plan: &'q Plan<'q>, tags: &'q Tags<T>) -> Self {
        Self {
            plan,
            tags,
            machine: Machine::new(plan.question, plan.wants_path),
            overall: Counts::new(plan),
            by_value: HashMap::new(),
            tagged: Vec::new(),
            rows: Vec::new(),
            unit: Vec::new(),
            events: Vec::new(),
            keys: Vec::new(),
            held: 0,
        }
    }

    /// How far a unit with these tags can come.
    fn bound(&self, seen: u32) -> usize {
        let steps = self.plan.question.steps.len();
        let seen = seen & u32::MAX.checked_shr(32 - steps as u32).unwrap_or_default();
        match self.plan.question.mode {
            FunnelMode::AnyOrder => seen.count_ones() as usize,
            FunnelMode::Ordered
            | FunnelMode::StrictIncrease
            | FunnelMode::StrictOrder
            | FunnelMode::StrictDeduplication
            | FunnelMode::FirstTimes => seen.trailing_ones() as usize,
        }
    }

    fn visitor(&mut self, visit: &Visit<'_>) -> Result<()> {
        let mut seen = T::default();
        for stretch in visit.stretches {
            self.tagged[stretch.range()].iter().for_each(|tags| seen |= *tags);
        }
        let bound = self.bound(seen.widen());
        if bound == 0 {
            return Ok(());
        }
        let breaks_down = self.plan.breakdown.is_some();
        if bound == 1 && !breaks_down {
            self.overall.count(1, &[]);
            return Ok(());
        }
        if !breaks_down && self.machine.is_simple() {
            let events = &mut self.events;
            let rows = visit.stretches.iter().map(|stretch| stretch.range().len()).sum();
            if events.len() < rows {
                events.resize(rows, Tagged::default());
            }
            // Whether each event is later than the one before it; not so if any is earlier, or if two share an instant. Which
            // rows are tagged cannot be guessed: each is written down, and the next one over it if it was not tagged.
            let (mut end, mut before_us, mut ascends) = (0, i64::MIN, true);
            for stretch in visit.stretches {
                let piece = &visit.pieces[stretch.piece as usize];
                piece.each_time(self.plan.time, *stretch, &self.tagged[stretch.range()], |_, time_us, tags| {
                    let is_tagged = tags != T::default();
                    events[end] = Tagged { time_us, tags: tags.widen() };
                    end += usize::from(is_tagged);
                    ascends &= !is_tagged | (before_us < time_us);
                    before_us = if is_tagged { time_us } else { before_us };
                });
            }
            let events = &mut events[..end];
            let level = if ascends {
                self.machine.ordered(events)
            } else {
                events.sort_by_key(|event| event.time_us);
                self.machine.run(events)
            };
            self.overall.count(level, &[]);
            return Ok(());
        }
        let mut rows = std::mem::take(&mut self.rows);
        let done = if breaks_down {
            visit.rows_by_time(self.plan.time, &mut rows);
            self.count(visit.pieces, &mut rows)
        } else {
            // A strict order is broken by any event of the slice.
            let sees_all = self.plan.question.mode == FunnelMode::StrictOrder;
            match sees_all {
                true => visit.rows_by_time(self.plan.time, &mut rows),
                false => visit.rows_where(self.plan.time, &self.tagged, |tags| tags != T::default(), &mut rows),
            };
            self.count(visit.pieces, &mut rows)
        };
        self.rows = rows;
        done
    }

    fn sessions(&mut self, sessions: &Sessions, visit: &Visit<'_>) -> Result<()> {
        let (mut rows, mut unit, mut keys) =
            (std::mem::take(&mut self.rows), std::mem::take(&mut self.unit), std::mem::take(&mut self.keys));
        visit.rows_by_time(self.plan.time, &mut rows);
        keys.clear();
        for (row, at) in rows.iter().zip(0..) {
            let piece = &visit.pieces[row.piece as usize];
            keys.push((sessions.of(self.plan.scan, piece, visit.hash_of(row), piece.row(row.at))?, at));
        }
        // Positions break ties, so the rows of a session stay in order.
        keys.sort_unstable();
        for keys in keys.chunk_by(|a, b| a.0 == b.0) {
            unit.clear();
            unit.extend(keys.iter().map(|(_, at)| rows[*at as usize]));
            self.count(visit.pieces, &mut unit)?;
        }
        (self.rows, self.unit, self.keys) = (rows, unit, keys);
        Ok(())
    }

    /// Counts one unit; its rows come ordered by time, untagged ones may be left out where nothing asks for them.
    fn count(&mut self, pieces: &[Piece], rows: &mut [Row]) -> Result<()> {
        let plan = self.plan;
        let mut seen = 0;
        self.events.clear();
        for row in rows.iter() {
            let tags = self.tagged[row.at as usize].widen();
            seen |= tags;
            self.events.push(Tagged { time_us: row.time_us, tags });
        }
        if self.bound(seen) == 0 {
            return Ok(());
        }
        let level = self.machine.run(&self.events);
        if level == 0 {
            return Ok(());
        }
        let path = self.machine.path();
        self.overall.count(level, path);
        if let Some((codebook, on)) = &plan.breakdown {
            let read_on = match on {
                BreakdownEvent::First => first_of(plan.scan, pieces, rows, |_| true)?,
                BreakdownEvent::Step(step) => match path.iter().find(|taken| taken.step == step - 1) {
                    Some(taken) => {
                        let passes = |row: &Row| self.tagged[row.at as usize].widen() & (1 << taken.step) != 0;
                        first_of(plan.scan, pieces, rows, |row| row.time_us == taken.time_us && passes(row))?
                    }
                    None => None,
                },
            };
            let code = read_on.map_or(0, |row| {
                let piece = &pieces[row.piece as usize];
                codebook.code(piece, piece.row(row.at))
            });
            self.by_value.entry(code).or_insert_with(|| Counts::new(plan)).count(level, path);
        }
        Ok(())
    }
}

/// The first of the rows that pass, in event order; they come ordered by time.
fn first_of(scan: &Scan<'_>, pieces: &[Piece], rows: &[Row], passes: impl Fn(&Row) -> bool) -> Result<Option<Row>> {
    let mut passing = rows.iter().filter(|row| passes(row));
    let Some(mut first) = passing.next() else { return Ok(None) };
    for row in passing.take_while(|row| row.time_us == first.time_us) {
        if scan.compare_ties(pieces, row, first)?.is_lt() {
            first = row;
        }
    }
    Ok(Some(*first))
}

impl<T: TagWord> Fold for Walking<'_, T> {
    fn rows(&mut self, piece: &Piece, mask: &[u8], _again: bool) -> Result<()> {
        let first = self.tagged.len();
        self.tagged.resize(first + piece.len(), self.tags.all());
        let tagged = &mut self.tagged[first..];
        self.tags.apply(piece, tagged);
        for (tags, kept) in tagged.iter_mut().zip(mask) {
            if *kept == 0 {
                *tags = T::default();
            }
        }
        Ok(())
    }

    fn visit(&mut self, visit: &Visit<'_>) -> Result<()> {
        let plan = self.plan;
        match &plan.sessions {
            None => self.visitor(visit),
            Some(sessions) => self.sessions(sessions, visit),
        }
    }

    fn end_of_partition(&mut self) -> Result<()> {
        self.tagged.clear();
        let limits = self.plan.scan.limits;
        let now = self.overall.bytes() + self.by_value.values().map(Counts::bytes).sum::<usize>();
        limits.check_memory(std::mem::replace(&mut self.held, now), now)?;
        limits.check_groups(self.by_value.len())
    }
}
