//! Sessions, cut by gaps or by recorded ids.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use tributary_core::error::Result;
use tributary_events::answer::{SessionCounts, SessionsAnswer, SessionsRow};
use tributary_events::question::{SessionRule, Sessions};

use super::Limits;
use super::group::{Grouping, Groups};
use super::mask::Mask;
use super::scan::{Fold, Row, Scan, Sequence, Visit};
use super::session::{SessionKey, SessionKeys};

pub(crate) fn answer(scan: &Scan<'_>, question: &Sessions) -> Result<SessionsAnswer> {
    let grouping = Grouping::over(scan, &question.group_by, question.buckets.as_ref())?;
    let plan = Plan {
        rule: question.rule,
        limits: scan.limits,
        containing: question.containing.iter().map(|filters| scan.masks(filters)).collect::<Result<_>>()?,
        keys: match question.rule {
            SessionRule::Recorded => Some(SessionKeys::over(scan)?),
            SessionRule::GapOver(_) | SessionRule::GapFrom(_) => None,
        },
    };
    // Only the first event's values ask for more than times.
    let sequence = if question.group_by.is_empty() { Sequence::ByTime } else { Sequence::Ordered };
    let folds = scan.fold(sequence, || Ok(Cutting::new(&grouping, &plan)))?;
    let mut groups = Groups::new(&grouping);
    let mut counts: Vec<SessionCounts> = Vec::new();
    let mut totals = plan.nothing();
    let mut sizes: BTreeMap<u64, u64> = BTreeMap::new();
    for fold in &folds {
        for (at, more) in fold.counts.iter().enumerate() {
            let group = groups.of_codes(fold.groups.codes(at));
            counts.resize_with(groups.len(), || plan.nothing());
            add(&mut counts[group], more);
            add(&mut totals, more);
        }
        for (size, sessions) in &fold.sizes {
            *sizes.entry(*size).or_default() += sessions;
        }
    }
    scan.limits.check_groups(groups.len())?;
    let mut rows: Vec<SessionsRow> = counts
        .into_iter()
        .enumerate()
        .map(|(group, counts)| {
            let codes = groups.codes(group);
            SessionsRow { bucket: Grouping::bucket(codes[0]), keys: grouping.keys(codes), counts }
        })
        .collect();
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
    limits: &'q Limits,
    containing: Vec<Vec<Mask>>,
    keys: Option<SessionKeys>,
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
    keys: Vec<(SessionKey<'q>, u32)>,
    rows: Vec<Row>,
}

impl<'q> Cutting<'q> {
    fn new(grouping: &'q Grouping<'q>, plan: &'q Plan<'q>) -> Self {
        Self {
            plan,
            groups: Groups::new(grouping),
            counts: Vec::new(),
            sizes: BTreeMap::new(),
            keys: Vec::new(),
            rows: Vec::new(),
        }
    }

    /// Counts one session; its rows come in event order.
    fn count(&mut self, rows: &[Row]) {
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return };
        let group = self.groups.of(first);
        if group == self.counts.len() {
            self.counts.push(self.plan.nothing());
        }
        let counts = &mut self.counts[group];
        counts.sessions += 1;
        counts.events += rows.len() as u64;
        counts.single_event += u64::from(rows.len() == 1);
        counts.duration_us += i128::from(last.time_us) - i128::from(first.time_us);
        for (count, masks) in counts.containing.iter_mut().zip(&self.plan.containing) {
            *count += u64::from(rows.iter().any(|row| masks[row.run as usize].holds(row.row as usize)));
        }
        *self.sizes.entry(rows.len() as u64).or_default() += 1;
    }
}

impl Fold for Cutting<'_> {
    fn visit(&mut self, visit: &Visit<'_>) -> Result<()> {
        let plan = self.plan;
        let Some(sessions) = &plan.keys else {
            for session in visit.rows.chunk_by(|before, row| !plan.ends(row.time_us.saturating_sub(before.time_us))) {
                self.count(session);
            }
            return Ok(());
        };
        let (mut keys, mut rows) = (std::mem::take(&mut self.keys), std::mem::take(&mut self.rows));
        keys.clear();
        keys.extend(visit.rows.iter().zip(0..).map(|(row, at)| (sessions.of(row, visit.anonymous_id), at)));
        // Positions break ties, so the rows of a session stay in event order.
        keys.sort_unstable();
        for session in keys.chunk_by(|a, b| a.0 == b.0) {
            rows.clear();
            rows.extend(session.iter().map(|(_, at)| visit.rows[*at as usize]));
            self.count(&rows);
        }
        (self.keys, self.rows) = (keys, rows);
        Ok(())
    }

    fn check(&self) -> Result<()> {
        self.plan.limits.check_groups(self.groups.len())
    }
}
