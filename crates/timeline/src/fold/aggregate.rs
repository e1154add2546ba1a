//! Numbers by group and bucket. Distinct visitors need no set: a group remembers the last visitor it counted.

use std::cmp::Reverse;
use std::sync::Arc;

use tributary_core::error::Result;
use tributary_events::answer::{AggregateAnswer, AggregateRow};
use tributary_events::question::{Aggregate, Metric};

use super::Limits;
use super::group::{Grouping, Groups};
use super::mask::Mask;
use super::scan::{Fold, Row, Scan, Sequence, Visit};
use super::session::{SessionKey, SessionKeys};
use crate::column::{ColumnId, TextColumn};
use crate::run::signed;
use crate::schema::Text;

pub(crate) fn answer(scan: &Scan<'_>, question: &Aggregate) -> Result<AggregateAnswer> {
    let grouping = Grouping::over(scan, &question.group_by, question.buckets.as_ref())?;
    let meters: Vec<Meter> = question.metrics.iter().map(|metric| Meter::over(scan, metric)).collect::<Result<_>>()?;
    let folds = scan.fold(Sequence::Any, || Ok(Counting::new(&grouping, &meters, scan.limits)))?;

    let width = meters.len();
    let mut groups = Groups::new(&grouping);
    let mut values: Vec<i128> = Vec::new();
    let mut totals = vec![0; width];
    for fold in &folds {
        for at in 0..fold.groups.len() {
            let group = groups.of_codes(fold.groups.codes(at));
            values.resize(groups.len() * width, 0);
            add(&mut values[group * width..][..width], &fold.values[at * width..][..width]);
        }
        add(&mut totals, &fold.totals);
    }
    scan.limits.check_groups(groups.len())?;
    let mut rows: Vec<AggregateRow> = (0..groups.len())
        .map(|group| {
            let codes = groups.codes(group);
            let values = values[group * width..][..width].to_vec();
            AggregateRow { bucket: Grouping::bucket(codes[0]), keys: grouping.keys(codes), values }
        })
        .collect();
    rows.sort_unstable_by(|a, b| {
        (a.bucket, Reverse(a.values[0])).cmp(&(b.bucket, Reverse(b.values[0]))).then_with(|| a.keys.cmp(&b.keys))
    });
    let total_rows = rows.len();
    rows.truncate(question.limit);
    Ok(AggregateAnswer { rows, total_rows, totals })
}

fn add(sums: &mut [i128], more: &[i128]) {
    for (sum, more) in sums.iter_mut().zip(more) {
        *sum += more;
    }
}

/// A metric with the columns it reads.
enum Meter {
    Events,
    EventsWhere(Vec<Mask>),
    Visitors,
    Sessions(SessionKeys),
    Amount(Vec<Amounts>),
}

/// The amounts of one run in one currency.
struct Amounts {
    currencies: Arc<TextColumn>,
    /// `None` when the run has none in this currency.
    code: Option<u32>,
    micros: Arc<Vec<i64>>,
}

impl Meter {
    fn over(scan: &Scan<'_>, metric: &Metric) -> Result<Self> {
        Ok(match metric {
            Metric::Events => Meter::Events,
            Metric::EventsWhere(filters) => Meter::EventsWhere(scan.masks(filters)?),
            Metric::Visitors => Meter::Visitors,
            Metric::Sessions => Meter::Sessions(SessionKeys::over(scan)?),
            Metric::Amount(currency) => {
                let amounts = scan.sources.iter().map(|source| {
                    let currencies = source.run.text(Text::Currency)?;
                    let code = currencies.code_of(currency.as_str());
                    let micros = if code.is_some() { signed(source.run.column(ColumnId::AmountMicros)?) } else { Arc::default() };
                    Ok(Amounts { currencies, code, micros })
                });
                Meter::Amount(amounts.collect::<Result<_>>()?)
            }
        })
    }

    /// What one row adds by itself.
    fn of(&self, row: &Row) -> i128 {
        let (run, at) = (row.run as usize, row.row as usize);
        match self {
            Meter::Events => 1,
            Meter::EventsWhere(masks) => i128::from(masks[run].holds(at)),
            Meter::Visitors | Meter::Sessions(_) => 0,
            Meter::Amount(amounts) => {
                let amounts = &amounts[run];
                if amounts.code == Some(amounts.currencies.codes.at(at)) { i128::from(amounts.micros[at]) } else { 0 }
            }
        }
    }
}

struct Counting<'q> {
    meters: &'q [Meter],
    limits: &'q Limits,
    groups: Groups<'q>,
    /// One number per meter, group after group.
    values: Vec<i128>,
    /// For each group, the visitor it saw last; visitors are numbered from 1.
    stamps: Vec<u64>,
    visitor: u64,
    totals: Vec<i128>,
    rows_of_groups: Vec<usize>,
    sessions: Vec<(SessionKey<'q>, usize)>,
}

impl<'q> Counting<'q> {
    fn new(grouping: &'q Grouping<'q>, meters: &'q [Meter], limits: &'q Limits) -> Self {
        Self {
            meters,
            limits,
            groups: Groups::new(grouping),
            values: Vec::new(),
            stamps: Vec::new(),
            visitor: 0,
            totals: vec![0; meters.len()],
            rows_of_groups: Vec::new(),
            sessions: Vec::new(),
        }
    }

    fn count_sessions(&mut self, meter: usize, keys: &'q SessionKeys, visit: &Visit<'_>) {
        let width = self.meters.len();
        self.sessions.clear();
        let groups = self.rows_of_groups.iter().copied();
        self.sessions.extend(visit.rows.iter().zip(groups).map(|(row, group)| (keys.of(row, visit.anonymous_id), group)));
        self.sessions.sort_unstable();
        self.sessions.dedup();
        for (_, group) in &self.sessions {
            self.values[group * width + meter] += 1;
        }
        self.sessions.dedup_by_key(|(session, _)| *session);
        self.totals[meter] += self.sessions.len() as i128;
    }
}

impl Fold for Counting<'_> {
    fn visit(&mut self, visit: &Visit<'_>) -> Result<()> {
        let (meters, width) = (self.meters, self.meters.len());
        self.visitor += 1;
        self.rows_of_groups.clear();
        for row in visit.rows {
            let group = self.groups.of(row);
            if group == self.stamps.len() {
                self.stamps.push(0);
                self.values.resize((group + 1) * width, 0);
            }
            self.rows_of_groups.push(group);
            let is_first = self.stamps[group] != self.visitor;
            self.stamps[group] = self.visitor;
            for (at, meter) in meters.iter().enumerate() {
                let more = match meter {
                    Meter::Visitors => i128::from(is_first),
                    Meter::Events | Meter::EventsWhere(_) | Meter::Sessions(_) | Meter::Amount(_) => {
                        let more = meter.of(row);
                        self.totals[at] += more;
                        more
                    }
                };
                self.values[group * width + at] += more;
            }
        }
        for (at, meter) in meters.iter().enumerate() {
            match meter {
                Meter::Visitors => self.totals[at] += 1,
                Meter::Sessions(keys) => self.count_sessions(at, keys, visit),
                Meter::Events | Meter::EventsWhere(_) | Meter::Amount(_) => {}
            }
        }
        Ok(())
    }

    fn check(&self) -> Result<()> {
        self.limits.check_groups(self.groups.len())
    }
}
