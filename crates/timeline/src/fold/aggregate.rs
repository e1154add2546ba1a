//! Numbers by group and bucket. What rows add by themselves is counted row after row; distinct visitors need no set, since a
//! group remembers the last visitor it counted.

use std::cmp::Reverse;

use tributary_core::error::Result;
use tributary_events::answer::{AggregateAnswer, AggregateRow};
use tributary_events::question::{Aggregate, Metric};

use super::group::{GroupPlan, Grouping, Groups};
use super::limits::Limits;
use super::reads::{Read, Reads};
use super::scan::{Fold, Piece, Scan, Visit};
use super::session::{SessionKey, SessionPlan, Sessions};
use super::tags::{TagFilters, Tags};
use crate::column::ColumnId;
use crate::schema::Text;

/// Rows that are worked on step after step while they are in the processor's nearest cache.
const BLOCK_ROWS: usize = 1_024;
/// Up to this many slots a visitor's are collected as bits of one number.
const FEW_SLOTS: usize = u128::BITS as usize;

pub(crate) fn answer(scan: &mut Scan<'_>, question: &Aggregate) -> Result<AggregateAnswer> {
    let groups = GroupPlan::plan(&question.group_by, question.buckets.as_ref(), &mut scan.reads);
    let plans: Vec<MeterPlan> = question.metrics.iter().map(|metric| MeterPlan::plan(metric, &mut scan.reads)).collect();
    let of_visitors = |plan: &MeterPlan| matches!(plan, MeterPlan::Visitors | MeterPlan::Sessions(_));
    let visits = plans.iter().any(of_visitors);
    scan.prepare(visits)?;
    let grouping = groups.over(scan)?;
    let meters: Vec<Meter> = plans.iter().map(|plan| plan.over(scan)).collect::<Result<_>>()?;
    if visits {
        let folds = scan.fold(|| Ok(ByVisitor(Counting::new(&grouping, &meters, scan))))?;
        finish(scan, question, &grouping, folds.into_iter().map(|fold| fold.0).collect())
    } else {
        let folds = scan.fold(|| Ok(ByRow(Counting::new(&grouping, &meters, scan))))?;
        finish(scan, question, &grouping, folds.into_iter().map(|fold| fold.0).collect())
    }
}

fn finish(scan: &Scan<'_>, question: &Aggregate, grouping: &Grouping<'_>, folds: Vec<Counting<'_>>) -> Result<AggregateAnswer> {
    let width = question.metrics.len();
    let mut groups = Groups::new(grouping);
    let mut met: Vec<Option<Box<[i128]>>> = Vec::new();
    let mut totals = vec![0; width];
    for fold in &folds {
        for number in 0..fold.groups.len() {
            if !fold.is_met(number) {
                continue;
            }
            let group = groups.number_of(&fold.groups.codes(number));
            if met.len() <= group {
                met.resize(group + 1, None);
            }
            let values = met[group].get_or_insert_with(|| vec![0; width].into());
            for (at, value) in values.iter_mut().enumerate() {
                *value += fold.value(at, number + 1);
            }
        }
        for (at, total) in totals.iter_mut().enumerate() {
            *total += fold.total(at);
        }
    }
    let mut rows: Vec<AggregateRow> = Vec::new();
    for (group, values) in met.into_iter().enumerate() {
        if let Some(values) = values {
            let codes = groups.codes(group);
            rows.push(AggregateRow { bucket: Grouping::bucket(codes[0]), keys: grouping.keys(&codes), values: values.into() });
        }
    }
    scan.limits.check_groups(rows.len())?;
    rows.sort_unstable_by(|a, b| {
        (a.bucket, Reverse(a.values[0])).cmp(&(b.bucket, Reverse(b.values[0]))).then_with(|| a.keys.cmp(&b.keys))
    });
    let total_rows = rows.len();
    rows.truncate(question.limit);
    Ok(AggregateAnswer { rows, total_rows, totals })
}

/// A metric with the columns it reads.
enum MeterPlan {
    Events,
    EventsWhere(TagFilters),
    Visitors,
    Sessions(SessionPlan),
    Amount { currency: String, currencies: Read, amounts: Read },
}

/// The same over all sources.
enum Meter {
    Events,
    EventsWhere(Tags<u8>),
    Visitors,
    Sessions(Sessions),
    /// For each source, the code of the currency.
    Amount {
        currencies: Read,
        amounts: Read,
        codes: Vec<Option<u32>>,
    },
}

impl MeterPlan {
    fn plan(metric: &Metric, reads: &mut Reads) -> Self {
        match metric {
            Metric::Events => MeterPlan::Events,
            Metric::EventsWhere(filters) => MeterPlan::EventsWhere(TagFilters::plan([filters.as_slice()], reads)),
            Metric::Visitors => MeterPlan::Visitors,
            Metric::Sessions => MeterPlan::Sessions(SessionPlan::plan(reads)),
            Metric::Amount(currency) => MeterPlan::Amount {
                currency: currency.to_string(),
                currencies: reads.column(ColumnId::Text(Text::Currency)),
                amounts: reads.column(ColumnId::Amounts),
            },
        }
    }

    fn over(&self, scan: &Scan<'_>) -> Result<Meter> {
        Ok(match self {
            MeterPlan::Events => Meter::Events,
            MeterPlan::EventsWhere(filters) => Meter::EventsWhere(filters.over(scan)?),
            MeterPlan::Visitors => Meter::Visitors,
            MeterPlan::Sessions(plan) => Meter::Sessions(plan.over(scan)?),
            MeterPlan::Amount { currency, currencies, amounts } => Meter::Amount {
                currencies: *currencies,
                amounts: *amounts,
                codes: scan.per_source(|source| source.dictionary(*currencies).code_of(currency))?,
            },
        })
    }
}

/// What one metric has counted, by slot: a group's number plus one. Slot 0 takes what is not in the slice.
enum Counted {
    Numbers(Vec<u64>),
    Sums(Vec<i128>),
}

/// The counts of one thread.
struct Counting<'q> {
    meters: &'q [Meter],
    scan: &'q Scan<'q>,
    limits: &'q Limits,
    groups: Groups<'q>,
    counted: Vec<Counted>,
    /// Events by slot, where they are asked for or nothing else tells which groups there are.
    events: Vec<u64>,
    /// Distinct visitors by slot, where they are asked for.
    unique: Vec<u64>,
    /// For each slot, the visitor it saw last; visitors are numbered from 1.
    stamps: Vec<u32>,
    visitor: u32,
    visitors: u64,
    counts_visitors: bool,
    counts_events: bool,
    sessions_total: Vec<u64>,
    /// Slot of each row of the partition.
    slots: Vec<u32>,
    passed: Vec<u8>,
    sessions: Vec<(SessionKey, u32)>,
    held: usize,
}

impl<'q> Counting<'q> {
    fn new(grouping: &'q Grouping<'q>, meters: &'q [Meter], scan: &'q Scan<'q>) -> Self {
        let counts_visitors = meters.iter().any(|meter| matches!(meter, Meter::Visitors));
        let counted = meters.iter().map(|meter| match meter {
            Meter::Amount { .. } => Counted::Sums(Vec::new()),
            Meter::Events | Meter::EventsWhere(_) | Meter::Visitors | Meter::Sessions(_) => Counted::Numbers(Vec::new()),
        });
        Self {
            counted: counted.collect(),
            meters,
            scan,
            limits: scan.limits,
            groups: Groups::new(grouping),
            events: Vec::new(),
            unique: Vec::new(),
            stamps: Vec::new(),
            visitor: 0,
            visitors: 0,
            counts_visitors,
            // Every row has a visitor: groups without one have no row either.
            counts_events: !counts_visitors || meters.iter().any(|meter| matches!(meter, Meter::Events)),
            sessions_total: vec![0; meters.len()],
            slots: Vec::new(),
            passed: Vec::new(),
            sessions: Vec::new(),
            held: 0,
        }
    }

    fn grow(&mut self) {
        let slots = self.groups.len() + 1;
        if self.events.len() < slots {
            self.events.resize(slots, 0);
            self.unique.resize(slots, 0);
            self.stamps.resize(slots, 0);
            for counted in &mut self.counted {
                match counted {
                    Counted::Numbers(numbers) => numbers.resize(slots, 0),
                    Counted::Sums(sums) => sums.resize(slots, 0),
                }
            }
        }
    }

    /// People of several visitors may be handed to a thread that counted none of their rows.
    fn is_met(&self, number: usize) -> bool {
        let has = |counts: &[u64]| counts.get(number + 1).is_some_and(|count| *count > 0);
        let is_numbered = |counted: &Counted| matches!(counted, Counted::Numbers(numbers) if has(numbers));
        has(&self.events) || has(&self.unique) || self.counted.iter().any(is_numbered)
    }

    fn value(&self, meter: usize, slot: usize) -> i128 {
        match (&self.meters[meter], &self.counted[meter]) {
            (Meter::Events, _) => i128::from(self.events[slot]),
            (Meter::Visitors, _) => i128::from(self.unique[slot]),
            (_, Counted::Numbers(numbers)) => i128::from(numbers[slot]),
            (_, Counted::Sums(sums)) => sums[slot],
        }
    }

    fn total(&self, meter: usize) -> i128 {
        match self.meters[meter] {
            Meter::Visitors => i128::from(self.visitors),
            Meter::Sessions(_) => i128::from(self.sessions_total[meter]),
            Meter::Events | Meter::EventsWhere(_) | Meter::Amount { .. } => {
                (1..self.events.len()).map(|slot| self.value(meter, slot)).sum()
            }
        }
    }

    /// Puts each row into its slot and counts what rows add by themselves.
    fn rows(&mut self, piece: &Piece, mask: &[u8], again: bool) -> Result<()> {
        let first = self.slots.len();
        self.slots.resize(first + piece.len(), 0);
        for (block, mask) in mask.chunks(BLOCK_ROWS).enumerate() {
            let skip = block * BLOCK_ROWS;
            let slots = &mut self.slots[first + skip..first + skip + mask.len()];
            self.groups.numbers(piece, skip, mask, slots);
            for (slot, kept) in slots.iter_mut().zip(mask) {
                *slot = slot.wrapping_add(1) & 0u32.wrapping_sub(u32::from(*kept));
            }
            self.grow();
            if again || !self.counts_events {
                continue;
            }
            if self.events.len() == 2 {
                self.events[1] += mask.iter().map(|kept| u64::from(*kept)).sum::<u64>();
            } else {
                for slot in &self.slots[first + skip..first + skip + mask.len()] {
                    self.events[*slot as usize] += 1;
                }
            }
        }
        self.grow();
        if again {
            return Ok(());
        }
        let slots = &self.slots[first..];
        for (meter, counted) in self.meters.iter().zip(&mut self.counted) {
            match (meter, counted) {
                (Meter::EventsWhere(tags), Counted::Numbers(numbers)) => {
                    self.passed.clear();
                    self.passed.resize(piece.len(), tags.all());
                    tags.apply(piece, &mut self.passed);
                    for (slot, passed) in slots.iter().zip(&self.passed) {
                        numbers[*slot as usize] += u64::from(*passed);
                    }
                }
                (Meter::Amount { currencies, amounts, codes }, Counted::Sums(sums)) => {
                    let Some(code) = codes[piece.source] else { continue };
                    let currencies = &piece.column(*currencies).text().codes;
                    for (row, micros) in piece.column(*amounts).amounts().inside(&piece.rows) {
                        let place = match &piece.picked {
                            None => row - piece.rows.start,
                            Some(rows) => match rows.binary_search(&(row as u32)) {
                                Ok(place) => place,
                                Err(_) => continue,
                            },
                        };
                        if currencies.at(row) == code {
                            sums[slots[place] as usize] += i128::from(micros);
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn visit(&mut self, visit: &Visit<'_>) -> Result<()> {
        self.visitor = match self.visitor.checked_add(1) {
            Some(visitor) => visitor,
            None => {
                self.stamps.fill(0);
                1
            }
        };
        if self.counts_visitors {
            self.count_visitor(visit);
        }
        for at in 0..self.meters.len() {
            if let Meter::Sessions(sessions) = &self.meters[at] {
                self.count_sessions(at, sessions, visit)?;
            }
        }
        Ok(())
    }

    fn count_visitor(&mut self, visit: &Visit<'_>) {
        let groups = match self.stamps.len() {
            ..=2 => self.count_in_one(visit),
            3..=FEW_SLOTS => self.count_in_few(visit),
            _ => self.count_in_many(visit),
        };
        self.visitors += u64::from(groups > 0);
    }

    /// Whether the visitor has a row in the only group.
    fn count_in_one(&mut self, visit: &Visit<'_>) -> u32 {
        let slots = visit.stretches.iter().map(|stretch| &self.slots[stretch.range()]);
        let met = slots.fold(0, |met, slots| slots.iter().fold(met, |met, slot| met | slot));
        self.unique[1] += u64::from(met);
        met
    }

    /// Collects the visitor's slots as bits; how many groups they are.
    fn count_in_few(&mut self, visit: &Visit<'_>) -> u32 {
        let mut met = 0u128;
        for stretch in visit.stretches {
            for slot in &self.slots[stretch.range()] {
                met |= 1u128.wrapping_shl(*slot);
            }
        }
        // What is not in the slice is no group.
        met &= !1;
        let groups = met.count_ones();
        while met != 0 {
            self.unique[met.trailing_zeros() as usize] += 1;
            met &= met - 1;
        }
        groups
    }

    /// Remembers in each slot which visitor it saw last; how many groups see this one first.
    fn count_in_many(&mut self, visit: &Visit<'_>) -> u32 {
        let (visitor, stamps, unique) = (self.visitor, self.stamps.as_mut_slice(), self.unique.as_mut_slice());
        // What is not in the slice was seen already.
        stamps[0] = visitor;
        let mut groups = 0;
        for stretch in visit.stretches {
            for slot in &self.slots[stretch.range()] {
                let stamp = &mut stamps[*slot as usize];
                if *stamp != visitor {
                    *stamp = visitor;
                    unique[*slot as usize] += 1;
                    groups += 1;
                }
            }
        }
        groups
    }

    fn count_sessions(&mut self, meter: usize, sessions: &Sessions, visit: &Visit<'_>) -> Result<()> {
        self.sessions.clear();
        for stretch in visit.stretches {
            let piece = &visit.pieces[stretch.piece as usize];
            for at in stretch.range().filter(|at| visit.mask[*at] != 0) {
                self.sessions.push((sessions.of(self.scan, piece, stretch.hash, piece.row(at as u32))?, self.slots[at]));
            }
        }
        self.sessions.sort_unstable();
        self.sessions.dedup();
        if let Counted::Numbers(numbers) = &mut self.counted[meter] {
            for (_, slot) in &self.sessions {
                numbers[*slot as usize] += 1;
            }
        }
        self.sessions.dedup_by_key(|(session, _)| *session);
        self.sessions_total[meter] += self.sessions.len() as u64;
        Ok(())
    }

    fn end_of_partition(&mut self) -> Result<()> {
        self.slots.clear();
        let per_slot =
            20 + self.counted.iter().map(|counted| if matches!(counted, Counted::Sums(_)) { 16 } else { 8 }).sum::<usize>();
        let now = self.groups.bytes() + self.events.len() * per_slot;
        self.limits.check_memory(std::mem::replace(&mut self.held, now), now)?;
        self.limits.check_groups(self.groups.met())
    }
}

/// Counts rows alone.
struct ByRow<'q>(Counting<'q>);

impl Fold for ByRow<'_> {
    const VISITS: bool = false;

    fn rows(&mut self, piece: &Piece, mask: &[u8], again: bool) -> Result<()> {
        self.0.rows(piece, mask, again)
    }

    fn end_of_partition(&mut self) -> Result<()> {
        self.0.end_of_partition()
    }
}

/// Counts rows and visitors.
struct ByVisitor<'q>(Counting<'q>);

impl Fold for ByVisitor<'_> {
    fn rows(&mut self, piece: &Piece, mask: &[u8], again: bool) -> Result<()> {
        self.0.rows(piece, mask, again)
    }

    fn visit(&mut self, visit: &Visit<'_>) -> Result<()> {
        self.0.visit(visit)
    }

    fn end_of_partition(&mut self) -> Result<()> {
        self.0.end_of_partition()
    }
}
