//! Sessions, cut by gaps or by recorded ids.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use tributary_core::error::Result;
use tributary_events::answer::{SessionCounts, SessionsAnswer, SessionsRow};
use tributary_events::question::{SessionRule, Sessions};

use super::group::{GroupPlan, Grouping, Groups};
use super::reads::Read;
use super::scan::{Fold, Piece, Row, Scan, Visit};
use super::session::{SessionKey, SessionPlan, Sessions as Recorded};
use super::tags::{TagFilters, Tags};
use crate::column::ColumnId;

pub(crate) fn answer(scan: &mut Scan<'_>, question: &Sessions) -> Result<SessionsAnswer> {
    let groups = GroupPlan::plan(&question.group_by, question.buckets.as_ref(), &mut scan.reads);
    let containing: Vec<TagFilters> =
        question.containing.iter().map(|filters| TagFilters::plan([filters.as_slice()], &mut scan.reads)).collect();
    let recorded = match question.rule {
        SessionRule::Recorded => Some(SessionPlan::plan(&mut scan.reads)),
        SessionRule::GapOver(_) | SessionRule::GapFrom(_) => None,
    };
    let time = scan.reads.column(ColumnId::Time);
    scan.prepare(true)?;
    let grouping = groups.over(scan)?;
    let plan = Plan {
        rule: question.rule,
        scan,
        time,
        // Only the first event's values ask for more than times.
        is_exact_order: !question.group_by.is_empty(),
        containing: containing.iter().map(|filters| filters.over(scan)).collect::<Result<_>>()?,
        recorded: recorded.map(|plan| plan.over(scan)).transpose()?,
    };
    let folds = scan.fold(|| Ok(Cutting::new(&grouping, &plan)))?;
    let mut groups = Groups::new(&grouping);
    let mut counts: Vec<SessionCounts> = Vec::new();
    let mut totals = plan.nothing();
    let mut sizes: BTreeMap<u64, u64> = BTreeMap::new();
    for fold in &folds {
        for (at, more) in fold.counts.iter().enumerate().filter(|(_, counts)| counts.sessions > 0) {
            let group = groups.number_of(&fold.groups.codes(at));
            if counts.len() <= group {
                counts.resize_with(group + 1, || plan.nothing());
            }
            add(&mut counts[group], more);
            add(&mut totals, more);
        }
        for (size, sessions) in &fold.sizes {
            *sizes.entry(*size).or_default() += sessions;
        }
    }
    let mut rows: Vec<SessionsRow> = counts
        .into_iter()
        .enumerate()
        .filter(|(_, counts)| counts.sessions > 0)
        .map(|(group, counts)| {
            let codes = groups.codes(group);
            SessionsRow { bucket: Grouping::bucket(codes[0]), keys: grouping.keys(&codes), counts }
        })
        .collect();
    scan.limits.check_groups(rows.len())?;
    rows.sort_unstable_by(|a, b| {
        (a.bucket, Reverse(a.counts.sessions)).cmp(&(b.bucket, Reverse(b.counts.sessions))).then_with(|| a.keys.cmp(&b.keys))
    });
    let total_rows = rows.len();
    rows.truncate(question.limit);
    Ok(SessionsAnswer { rows, total_rows, totals, sizes: sizes.into_iter().collect() })
}

fn add(sum: &mut SessionCounts, more: &SessionCounts) {
    sum.sessions += more.sessions;
    sum.events += more.events;
    sum.single_event += more.single_event;
    sum.duration_us += more.duration_us;
    for (sum, more) in sum.containing.iter_mut().zip(&more.containing) {
        *sum += more;
    }
}

struct Plan<'q> {
    rule: SessionRule,
    scan: &'q Scan<'q>,
    time: Read,
    is_exact_order: bool,
    containing: Vec<Tags<u8>>,
    recorded: Option<Recorded>,
}

impl Plan<'_> {
    fn nothing(&self) -> SessionCounts {
        SessionCounts { containing: vec![0; self.containing.len()], ..SessionCounts::default() }
    }

    fn ends(&self, gap_us: i64) -> bool {
        match self.rule {
            SessionRule::Recorded => false,
            SessionRule::GapOver(limit_us) => gap_us > limit_us,
            SessionRule::GapFrom(limit_us) => gap_us >= limit_us,
        }
    }
}

struct Cutting<'q> {
    plan: &'q Plan<'q>,
    groups: Groups<'q>,
    counts: Vec<SessionCounts>,
    sizes: BTreeMap<u64, u64>,
    /// For each list of filters, whether each row of the partition passes.
    contained: Vec<Vec<u8>>,
    keys: Vec<(SessionKey, u32)>,
    rows: Vec<Row>,
    session: Vec<Row>,
    held: usize,
}

impl<'q> Cutting<'q> {
    fn new(grouping: &'q Grouping<'q>, plan: &'q Plan<'q>) -> Self {
        Self {
            plan,
            groups: Groups::new(grouping),
            counts: Vec::new(),
            sizes: BTreeMap::new(),
            contained: vec![Vec::new(); plan.containing.len()],
            keys: Vec::new(),
            rows: Vec::new(),
            session: Vec::new(),
            held: 0,
        }
    }

    /// Counts one session; its rows come in event order.
    fn count(&mut self, pieces: &[Piece], rows: &[Row]) {
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return };
        let piece = &pieces[first.piece as usize];
        let group = self.groups.number(piece, piece.row(first.at));
        if self.counts.len() <= group {
            self.counts.resize_with(group + 1, || self.plan.nothing());
        }
        let counts = &mut self.counts[group];
        counts.sessions += 1;
        counts.events += rows.len() as u64;
        counts.single_event += u64::from(rows.len() == 1);
        counts.duration_us += i128::from(last.time_us) - i128::from(first.time_us);
        for (count, contained) in counts.containing.iter_mut().zip(&self.contained) {
            *count += u64::from(rows.iter().any(|row| contained[row.at as usize] != 0));
        }
        *self.sizes.entry(rows.len() as u64).or_default() += 1;
    }
}

impl Fold for Cutting<'_> {
    fn rows(&mut self, piece: &Piece, _mask: &[u8], _again: bool) -> Result<()> {
        for (tags, contained) in self.plan.containing.iter().zip(&mut self.contained) {
            let first = contained.len();
            contained.resize(first + piece.len(), tags.all());
            tags.apply(piece, &mut contained[first..]);
        }
        Ok(())
    }

    fn visit(&mut self, visit: &Visit<'_>) -> Result<()> {
        let plan = self.plan;
        let (mut rows, mut session, mut keys) =
            (std::mem::take(&mut self.rows), std::mem::take(&mut self.session), std::mem::take(&mut self.keys));
        let has_ties = visit.rows_by_time(plan.time, &mut rows);
        if has_ties && plan.is_exact_order {
            plan.scan.order_ties(visit.pieces, &mut rows)?;
        }
        match &plan.recorded {
            None => {
                for session in rows.chunk_by(|before, row| !plan.ends(row.time_us.saturating_sub(before.time_us))) {
                    self.count(visit.pieces, session);
                }
            }
            Some(recorded) => {
                keys.clear();
                for (row, at) in rows.iter().zip(0..) {
                    let piece = &visit.pieces[row.piece as usize];
                    keys.push((recorded.of(plan.scan, piece, visit.hash_of(row), piece.row(row.at))?, at));
                }
                // Positions break ties, so the rows of a session stay in event order.
                keys.sort_unstable();
                for keys in keys.chunk_by(|a, b| a.0 == b.0) {
                    session.clear();
                    session.extend(keys.iter().map(|(_, at)| rows[*at as usize]));
                    self.count(visit.pieces, &session);
                }
            }
        }
        (self.rows, self.session, self.keys) = (rows, session, keys);
        Ok(())
    }

    fn end_of_partition(&mut self) -> Result<()> {
        self.contained.iter_mut().for_each(Vec::clear);
        let limits = self.plan.scan.limits;
        let now = self.groups.bytes() + self.counts.len() * (size_of::<SessionCounts>() + 8 * self.plan.containing.len());
        limits.check_memory(std::mem::replace(&mut self.held, now), now)?;
        limits.check_groups(self.groups.met())
    }
}
