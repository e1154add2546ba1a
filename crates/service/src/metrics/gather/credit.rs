//! Credited conversions and amounts: attribution questions, one for each kind of conversion that occurs.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, TryStreamExt, stream};
use jiff::civil::Date;
use tributary_control::CountsFrom;
use tributary_core::conversion::ConversionType;
use tributary_core::error::{Code, Error, Result};
use tributary_core::event::Origin;
use tributary_core::money::Currency;
use tributary_core::rate::Rate;
use tributary_core::time::TimeRange;
use tributary_events::answer::{Answer, AttributionAnswer};
use tributary_events::attribution::credit::Credit;
use tributary_events::attribution::model::Pass;
use tributary_events::attribution::window::{Window, WindowType};
use tributary_events::bucket::{Buckets, Interval};
use tributary_events::field::Field;
use tributary_events::filter::{Filter, Test};
use tributary_events::question::{
    Attribution, DatedBy, MAX_CURRENCIES, MAX_ROWS, Question, Slice, TouchRule, TouchWindow, Values,
};

use super::super::catalogue::{Measure, REFUND_EVENT};
use super::super::facts::{Facts, Key, add_to};
use super::super::plan::Plan;
use super::super::time::start_of;
use super::super::value::Missing;
use crate::answer::other_question;
use crate::attribution::{SESSION_GAP_US, reach};
use crate::service::Service;

/// How many questions of one answer are asked at the same time.
const ASKED_AT_ONCE: usize = 2;

/// What is credited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Credited {
    Conversion(ConversionType),
    Refund,
}

/// Conversions of one kind, as one question asks for them.
struct Kind {
    credited: Credited,
    names: Vec<String>,
    is_server_only: bool,
    /// Measures its number and its amounts are added to.
    counts: Vec<Measure>,
    amounts: Vec<Measure>,
}

/// How one kind is asked for.
#[derive(Clone, Copy)]
struct Asking {
    dated_by: DatedBy,
    window: Window,
    window_type: WindowType,
    /// Days apart, so that each day's amounts meet its rate.
    is_by_day: bool,
}

impl Service {
    /// Adds credited conversions, amounts and lifetime revenue.
    pub(super) async fn gather_credit(&self, plan: &Plan<'_>, facts: &mut Facts) -> Result<u64> {
        let asking = Asking { dated_by: plan.dated_by, window: plan.window, window_type: plan.window_type, is_by_day: false };
        let watermark = self.credit_kinds(plan, kinds(plan, false), asking, facts).await?;
        if !plan.measures.contains(&Measure::LifetimeRevenue) {
            return Ok(watermark);
        }
        if plan.model.pass() == Pass::AllPaths {
            let reason = format!("{} looks at all paths at once and knows no touch date", plan.model.slug());
            facts.missing.insert(Measure::LifetimeRevenue, Missing::Unknown(reason.into()));
            return Ok(watermark);
        }
        let asking =
            Asking { dated_by: DatedBy::Touch, window: Window::Lifetime, window_type: WindowType::Relative, is_by_day: false };
        Ok(watermark.max(self.credit_kinds(plan, kinds(plan, true), asking, facts).await?))
    }

    async fn credit_kinds(&self, plan: &Plan<'_>, mut kinds: Vec<Kind>, asking: Asking, facts: &mut Facts) -> Result<u64> {
        if kinds.is_empty() {
            return Ok(0);
        }
        let names: BTreeSet<&String> = kinds.iter().flat_map(|kind| &kind.names).collect();
        let range = reach(plan.range, TouchWindow::Dates(asking.window), asking.dated_by);
        // Touches may lie before the report, conversions by touch date after it.
        let occurring = TimeRange { start_us: plan.range.start_us, ..range };
        let slice = Slice { range: occurring, ..plan.slice.clone() };
        let slice = slice.with(Filter { field: Field::EventName, test: Test::Is(names.into_iter().cloned().collect()) });
        let (occurring, watermark) =
            self.values_in(&plan.access.scope, Values { slice: slice.clone(), field: Field::EventName, limit: MAX_ROWS }).await?;
        kinds.retain(|kind| kind.names.iter().any(|name| occurring.contains(name)));
        if kinds.is_empty() {
            return Ok(watermark);
        }
        let target = plan.access.workspace.currency;
        let needs_money = kinds.iter().any(|kind| !kind.amounts.is_empty());
        let mut foreign: Vec<Currency> = Vec::new();
        if needs_money {
            let (found, _) =
                self.values_in(&plan.access.scope, Values { slice, field: Field::Currency, limit: MAX_CURRENCIES }).await?;
            foreign = found.iter().filter_map(|code| code.parse().ok()).filter(|currency| *currency != target).collect();
        }
        let answers = self.ask_kinds(plan, &kinds, asking, if needs_money { vec![target] } else { Vec::new() }).await?;
        for (kind, answer) in kinds.iter().zip(&answers) {
            self.add_credit(plan, kind, asking, answer, facts)?;
        }
        if !foreign.is_empty() {
            self.add_foreign(plan, &kinds, asking, foreign, facts).await?;
        }
        Ok(watermark)
    }

    /// Amounts of other currencies: each day's at its own rate, where the workspace has one.
    async fn add_foreign(
        &self,
        plan: &Plan<'_>,
        kinds: &[Kind],
        asking: Asking,
        currencies: Vec<Currency>,
        facts: &mut Facts,
    ) -> Result<()> {
        let target = plan.access.workspace.currency;
        // Rates of the days reported; a conversion that lies later counts at the rate of the day it is reported under.
        let rates = self.control.rates_into(&plan.access.scope, target, plan.days.period.past()?).await?;
        let can_convert = plan.model.pass() != Pass::AllPaths;
        let asking = Asking { is_by_day: can_convert, ..asking };
        let answers = self.ask_kinds(plan, kinds, asking, currencies.clone()).await?;
        let fields = plan.fields();
        let days = buckets(plan, asking)?;
        for (kind, answer) in kinds.iter().zip(&answers) {
            let unattributed = answer.unattributed.iter().map(|one| (one.bucket, None, &one.credit));
            let rows = answer.rows.iter().map(|row| (row.bucket, Some(&row.keys), &row.credit));
            for (bucket, keys, credit) in rows.chain(unattributed) {
                let day = bucket.and_then(|bucket| day_of(days.as_ref(), bucket));
                let date = day.zip(plan.time()).map(|(day, unit)| start_of(unit, day));
                for (currency, micros) in currencies.iter().zip(&credit.amounts_micros).filter(|(_, micros)| **micros != 0) {
                    let rate = day.and_then(|day| rates.at(*currency, day));
                    let key = keys.map(|keys| plan.key_of(&fields, keys, date));
                    for measure in &kind.amounts {
                        match (rate, &key) {
                            (Some(rate), Some(key)) => facts.add_at(key, *measure, *micros, rate)?,
                            (Some(rate), None) => add_unattributed(plan, facts, date, *measure, *micros, rate)?,
                            (None, Some(key)) if !plan.passes(key) => {}
                            (None, None) if !plan.filters.is_empty() => {}
                            (None, key) => {
                                if let Some(key) = key {
                                    facts.note_apart(key, *measure);
                                }
                                let apart = facts.left_apart.entry((currency.to_string(), *measure)).or_default();
                                *apart = apart.plus(*micros).unwrap_or(*apart);
                            }
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn add_credit(
        &self,
        plan: &Plan<'_>,
        kind: &Kind,
        asking: Asking,
        answer: &AttributionAnswer,
        facts: &mut Facts,
    ) -> Result<()> {
        let fields = plan.fields();
        let days = buckets(plan, asking)?;
        let date = |bucket: Option<u32>| bucket.and_then(|bucket| day_of(days.as_ref(), bucket));
        for row in &answer.rows {
            let key: Key = plan.key_of(&fields, &row.keys, date(row.bucket));
            each(kind, &row.credit, |measure, amount| facts.add(&key, measure, amount))?;
        }
        for one in &answer.unattributed {
            let date = date(one.bucket);
            each(kind, &one.credit, |measure, amount| add_unattributed(plan, facts, date, measure, amount, Rate::ONE))?;
        }
        Ok(())
    }

    /// One answer for each kind. Kinds whose events come from the same senders are asked for in one pass where the model allows.
    async fn ask_kinds(
        &self,
        plan: &Plan<'_>,
        kinds: &[Kind],
        asking: Asking,
        amounts: Vec<Currency>,
    ) -> Result<Vec<AttributionAnswer>> {
        let passes: Vec<Vec<usize>> = if plan.model.pass() == Pass::AllPaths {
            (0..kinds.len()).map(|place| vec![place]).collect()
        } else {
            let of = |is_server_only| (0..kinds.len()).filter(|place| kinds[*place].is_server_only == is_server_only).collect();
            [of(false), of(true)].into_iter().filter(|places: &Vec<usize>| !places.is_empty()).collect()
        };
        let mut questions = Vec::with_capacity(passes.len());
        for places in &passes {
            let together: Vec<&Kind> = places.iter().map(|place| &kinds[*place]).collect();
            let question = asked(plan, &together, asking, &amounts)?;
            let (events, scope, budget) = (self.events.clone(), plan.access.scope.clone(), self.budget);
            questions.push(async move { events.ask(&scope, Question::Attribution(question), budget).await });
        }
        let answered: Vec<_> = stream::iter(questions).buffered(ASKED_AT_ONCE).try_collect().await?;
        let mut answers: Vec<AttributionAnswer> = kinds.iter().map(|_| nothing()).collect();
        for (places, answered) in passes.iter().zip(answered) {
            let Answer::Attribution(answer) = answered.answer else {
                return Err(other_question());
            };
            if answer.total_rows > answer.rows.len() {
                let message = format!(
                    "the answer has more than {MAX_ROWS} rows before they are cut; group by less, filter, or narrow the range"
                );
                return Err(Error::new(Code::QuestionTooLarge, message));
            }
            match places.as_slice() {
                [only] => answers[*only] = answer,
                several => told_apart(kinds, several, answer, &mut answers),
            }
        }
        Ok(answers)
    }
}

/// The question for some kinds; several are told apart by the names of their events.
fn asked(plan: &Plan<'_>, kinds: &[&Kind], asking: Asking, amounts: &[Currency]) -> Result<Attribution> {
    let window = TouchWindow::Dates(asking.window);
    let names = kinds.iter().flat_map(|kind| kind.names.iter().cloned()).collect();
    let mut conversion = vec![Filter { field: Field::EventName, test: Test::Is(names) }];
    if kinds.iter().any(|kind| kind.is_server_only) {
        conversion.push(Filter::is(Field::Origin, Origin::Server.as_str()));
    }
    let needs_money = kinds.iter().any(|kind| !kind.amounts.is_empty());
    Ok(Attribution {
        slice: Slice { range: reach(plan.range, window, asking.dated_by), ..plan.slice.clone() },
        report: plan.range,
        dated_by: asking.dated_by,
        conversion,
        touch: vec![Filter { field: Field::Visit, test: Test::Present }],
        touches: TouchRule::Arrivals(SESSION_GAP_US),
        model: plan.model,
        window,
        window_type: asking.window_type,
        buckets: buckets(plan, asking)?,
        group_by: plan.fields(),
        conversion_by: (kinds.len() > 1).then_some(Field::EventName),
        resampling: None,
        amounts: if needs_money { amounts.to_vec() } else { Vec::new() },
        limit: MAX_ROWS,
    })
}

fn nothing() -> AttributionAnswer {
    AttributionAnswer { rows: Vec::new(), total_rows: 0, unattributed: Vec::new(), totals: Credit::default() }
}

/// Deals an answer out to the kinds it is of, by its last key.
fn told_apart(kinds: &[Kind], places: &[usize], answer: AttributionAnswer, answers: &mut [AttributionAnswer]) {
    let kind_of = |keys: &mut Vec<Option<String>>| {
        let name = keys.pop().flatten()?;
        places.iter().copied().find(|place| kinds[*place].names.contains(&name))
    };
    for mut row in answer.rows {
        if let Some(place) = kind_of(&mut row.keys) {
            answers[place].rows.push(row);
        }
    }
    for mut one in answer.unattributed {
        if let Some(place) = kind_of(&mut one.keys) {
            answers[place].unattributed.push(one);
        }
    }
}

/// The kinds of conversions a plan's measures need; for lifetime revenue those that are gross revenue.
fn kinds(plan: &Plan<'_>, is_lifetime: bool) -> Vec<Kind> {
    let gross = plan.conversions.gross_revenue();
    let mut wanted: BTreeMap<Credited, (Vec<Measure>, Vec<Measure>)> = BTreeMap::new();
    if is_lifetime {
        for one in &gross {
            wanted.entry(Credited::Conversion(*one)).or_default().1.push(Measure::LifetimeRevenue);
        }
    } else {
        for measure in &plan.measures {
            match measure {
                Measure::Count(one) => wanted.entry(Credited::Conversion(*one)).or_default().0.push(*measure),
                Measure::Amount(one) => wanted.entry(Credited::Conversion(*one)).or_default().1.push(*measure),
                Measure::GrossRevenue => {
                    for one in &gross {
                        wanted.entry(Credited::Conversion(*one)).or_default().1.push(*measure);
                    }
                }
                Measure::Refunds => wanted.entry(Credited::Refund).or_default().0.push(*measure),
                Measure::RefundAmount => wanted.entry(Credited::Refund).or_default().1.push(*measure),
                _ => {}
            }
        }
    }
    let kind = |(credited, (counts, amounts)): (Credited, (Vec<Measure>, Vec<Measure>))| {
        let (names, is_server_only) = match credited {
            Credited::Conversion(one) => {
                (plan.conversions.names_of(one), plan.conversions.settings(one).counts_from == CountsFrom::Server)
            }
            // A public key cannot take money back.
            Credited::Refund => (vec![String::from(REFUND_EVENT)], true),
        };
        Kind { credited, names, is_server_only, counts, amounts }
    };
    let mut kinds: Vec<Kind> = wanted.into_iter().map(kind).collect();
    kinds.sort_by_key(|kind| kind.credited);
    kinds
}

/// Hands a credit to the measures it counts for: units of conversions, micros of amounts.
fn each(kind: &Kind, credit: &Credit, mut add: impl FnMut(Measure, i128) -> Result<()>) -> Result<()> {
    for measure in &kind.counts {
        add(*measure, credit.units)?;
    }
    if let Some(micros) = credit.amounts_micros.first() {
        for measure in &kind.amounts {
            add(*measure, *micros)?;
        }
    }
    Ok(())
}

/// Conversions nobody is credited with: of a row where rows hold all of their time, apart otherwise.
fn add_unattributed(
    plan: &Plan<'_>,
    facts: &mut Facts,
    date: Option<Date>,
    measure: Measure,
    amount: i128,
    rate: Rate,
) -> Result<()> {
    let date = date.map(|date| date.to_string());
    if plan.is_by_time_alone() {
        let key: Key = plan.attributes.iter().map(|_| date.clone()).collect();
        return facts.add_at(&key, measure, amount, rate);
    }
    add_to(facts.unattributed.entry(date).or_default(), measure, amount, rate)
}

fn buckets(plan: &Plan<'_>, asking: Asking) -> Result<Option<Buckets>> {
    let interval = if asking.is_by_day { Some(Interval::Day) } else { plan.time().map(|unit| unit.interval()) };
    interval.map(|interval| Buckets::cover(plan.range, interval, &plan.access.workspace.zone)).transpose()
}

/// The first day of a bucket: its label begins with it.
fn day_of(buckets: Option<&Buckets>, bucket: u32) -> Option<Date> {
    buckets?.labels.get(bucket as usize)?.get(..10)?.parse().ok()
}
