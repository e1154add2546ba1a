//! Which touch each conversion is credited to.

use std::cmp::Reverse;

use tributary_core::error::Result;
use tributary_events::answer::{AttributionAnswer, AttributionRow, Credit};
use tributary_events::question::{Attribution, TouchModel};

use super::group::{GroupPlan, Grouping, Groups};
use super::reads::Read;
use super::scan::{Fold, Piece, Row, Scan, Visit};
use super::tags::{TagFilters, Tags};
use crate::column::ColumnId;
use crate::schema::Text;

const CONVERTS: u8 = 1;
const TOUCHES: u8 = 2;

pub(crate) fn answer(scan: &mut Scan<'_>, question: &Attribution) -> Result<AttributionAnswer> {
    let tags = TagFilters::plan([question.conversion.as_slice(), question.touch.as_slice()], &mut scan.reads);
    let groups = GroupPlan::plan(&question.group_by, None, &mut scan.reads);
    let time = scan.reads.column(ColumnId::Time);
    let money = (!question.amounts.is_empty())
        .then(|| (scan.reads.column(ColumnId::Text(Text::Currency)), scan.reads.column(ColumnId::Amounts)));
    scan.prepare(true)?;
    let grouping = groups.over(scan)?;
    let plan = Plan {
        question,
        scan,
        time,
        tags: tags.over(scan)?,
        money: match money {
            None => None,
            Some((currencies, amounts)) => {
                let codes = |name: &str| scan.per_source(|source| source.dictionary(currencies).code_of(name));
                let codes = question.amounts.iter().map(|currency| codes(currency.as_str())).collect::<Result<_>>()?;
                Some(Money { currencies, amounts, codes })
            }
        },
    };
    let folds = scan.fold(|| Ok(Crediting::new(&plan, &grouping)))?;
    let mut groups = Groups::new(&grouping);
    let mut credits: Vec<Credit> = Vec::new();
    let (mut unattributed, mut totals) = (plan.nothing(), plan.nothing());
    for fold in &folds {
        add(&mut unattributed, &fold.unattributed);
        add(&mut totals, &fold.unattributed);
        for (number, credit) in fold.credits.iter().enumerate().filter(|(_, credit)| credit.conversions > 0) {
            let group = groups.number_of(&fold.groups.codes(number));
            if credits.len() <= group {
                credits.resize_with(group + 1, || plan.nothing());
            }
            add(&mut credits[group], credit);
            add(&mut totals, credit);
        }
    }
    let mut rows: Vec<AttributionRow> = credits
        .into_iter()
        .enumerate()
        .filter(|(_, credit)| credit.conversions > 0)
        .map(|(group, credit)| AttributionRow { keys: grouping.keys(&groups.codes(group)), credit })
        .collect();
    scan.limits.check_groups(rows.len())?;
    rows.sort_unstable_by(|a, b| {
        Reverse(a.credit.conversions).cmp(&Reverse(b.credit.conversions)).then_with(|| a.keys.cmp(&b.keys))
    });
    let total_rows = rows.len();
    rows.truncate(question.limit);
    Ok(AttributionAnswer { rows, total_rows, unattributed, totals })
}

fn add(sum: &mut Credit, more: &Credit) {
    sum.conversions += more.conversions;
    sum.amounts.iter_mut().zip(&more.amounts).for_each(|(sum, more)| *sum += more);
}

struct Plan<'q> {
    question: &'q Attribution,
    scan: &'q Scan<'q>,
    time: Read,
    tags: Tags<u8>,
    money: Option<Money>,
}

struct Money {
    currencies: Read,
    amounts: Read,
    /// For each currency asked for and each source, the currency's code.
    codes: Vec<Vec<Option<u32>>>,
}

impl Plan<'_> {
    fn nothing(&self) -> Credit {
        Credit { conversions: 0, amounts: vec![0; self.question.amounts.len()] }
    }

    fn count(&self, credit: &mut Credit, piece: &Piece, row: usize) {
        credit.conversions += 1;
        let Some(money) = &self.money else { return };
        let code = piece.column(money.currencies).text().codes.at(row);
        for (sum, codes) in credit.amounts.iter_mut().zip(&money.codes) {
            if codes[piece.source] == Some(code) {
                *sum += i128::from(piece.column(money.amounts).amounts().at(row));
            }
        }
    }
}

struct Crediting<'q> {
    plan: &'q Plan<'q>,
    groups: Groups<'q>,
    credits: Vec<Credit>,
    unattributed: Credit,
    /// Tags of each row of the partition; none outside the slice.
    tagged: Vec<u8>,
    rows: Vec<Row>,
    held: usize,
}

impl<'q> Crediting<'q> {
    fn new(plan: &'q Plan<'q>, grouping: &'q Grouping<'q>) -> Self {
        Self {
            plan,
            groups: Groups::new(grouping),
            credits: Vec::new(),
            unattributed: plan.nothing(),
            tagged: Vec::new(),
            rows: Vec::new(),
            held: 0,
        }
    }

    fn credit(&mut self, visit: &Visit<'_>, rows: &[Row]) {
        let lookback_us = self.plan.question.lookback_us;
        let touches = |row: &Row| self.tagged[row.at as usize] & TOUCHES != 0;
        // Conversions come by time, so the touch each one is credited to only moves forward.
        let (mut last, mut end, mut first) = (None, 0, 0);
        for conversion in rows {
            if self.tagged[conversion.at as usize] & CONVERTS == 0 {
                continue;
            }
            // Touches of the conversion's instant count, whatever their order.
            while let Some(row) = rows.get(end).filter(|row| row.time_us <= conversion.time_us) {
                if touches(row) {
                    last = Some(*row);
                }
                end += 1;
            }
            let is_recent =
                |row: &Row| lookback_us.is_none_or(|lookback| conversion.time_us.saturating_sub(row.time_us) <= lookback);
            let touch = match self.plan.question.model {
                TouchModel::Last => last.filter(|row| is_recent(row)),
                TouchModel::First => {
                    while first < end && !(touches(&rows[first]) && is_recent(&rows[first])) {
                        first += 1;
                    }
                    rows.get(first).filter(|_| first < end).copied()
                }
            };
            let piece = &visit.pieces[conversion.piece as usize];
            let credit = match touch {
                None => &mut self.unattributed,
                Some(touch) => {
                    let touched = &visit.pieces[touch.piece as usize];
                    let group = self.groups.number(touched, touched.row(touch.at));
                    if self.credits.len() <= group {
                        self.credits.resize_with(group + 1, || self.plan.nothing());
                    }
                    &mut self.credits[group]
                }
            };
            self.plan.count(credit, piece, piece.row(conversion.at));
        }
    }
}

impl Fold for Crediting<'_> {
    fn rows(&mut self, piece: &Piece, mask: &[u8], _again: bool) -> Result<()> {
        let first = self.tagged.len();
        self.tagged.resize(first + piece.len(), self.plan.tags.all());
        let tagged = &mut self.tagged[first..];
        self.plan.tags.apply(piece, tagged);
        tagged.iter_mut().zip(mask).for_each(|(tags, kept)| *tags *= kept);
        Ok(())
    }

    fn visit(&mut self, visit: &Visit<'_>) -> Result<()> {
        let converts = |at: usize| self.tagged[at] & CONVERTS != 0;
        if !visit.stretches.iter().any(|stretch| stretch.range().any(converts)) {
            return Ok(());
        }
        let mut rows = std::mem::take(&mut self.rows);
        visit.rows_where(self.plan.time, &mut rows, |at| self.tagged[at] != 0);
        self.plan.scan.order_ties(visit.pieces, &mut rows)?;
        self.credit(visit, &rows);
        self.rows = rows;
        Ok(())
    }

    fn end_of_partition(&mut self) -> Result<()> {
        self.tagged.clear();
        let limits = self.plan.scan.limits;
        let now = self.groups.bytes() + self.credits.len() * (size_of::<Credit>() + 16 * self.plan.question.amounts.len());
        limits.check_memory(std::mem::replace(&mut self.held, now), now)?;
        limits.check_groups(self.groups.met())
    }
}
