//! The named bounds every question keeps.

use tributary_core::error::{Code, Error, Result};

use super::{
    BreakdownEvent, DatedBy, FunnelBreakdown, FunnelMode, MAX_CURRENCIES, MAX_EXCLUSIONS, MAX_FILTERS, MAX_GROUP_BY, MAX_PERIODS,
    MAX_ROWS, MAX_STEPS, MAX_TRAITS, Question, RetentionPeriod, SessionRule, TouchRule, TouchWindow,
};
use crate::attribution::model::Pass;
use crate::bucket::{Buckets, Interval};
use crate::field::Field;

impl Question {
    /// Refuses questions outside the named bounds. Every engine calls this first.
    pub fn check(&self) -> Result<()> {
        let refuse = |message: String| Err(Error::new(Code::InvalidParams, message));
        let slice = self.slice();
        if slice.range.end_us <= slice.range.start_us {
            return refuse(String::from("the range must end after it starts"));
        }
        if slice.filters.len() > MAX_FILTERS {
            return refuse(format!("at most {MAX_FILTERS} filters"));
        }
        if slice.traits.len() > MAX_TRAITS {
            return refuse(format!("at most {MAX_TRAITS} traits"));
        }
        if let Some(twice) =
            slice.traits.iter().enumerate().find(|(at, one)| slice.traits[..*at].iter().any(|other| other.name() == one.name()))
        {
            return refuse(format!("the trait `{}` is given twice", twice.1.name()));
        }
        for field in self.fields() {
            if let Field::Trait(name) = field
                && slice.trait_named(name).is_none()
            {
                return refuse(format!("the question names the trait `{name}`, which it does not bring"));
            }
        }
        let limit = |limit: usize| {
            if (1..=MAX_ROWS).contains(&limit) { Ok(()) } else { refuse(format!("limit must be between 1 and {MAX_ROWS}")) }
        };
        let buckets = |buckets: &Option<Buckets>| match buckets {
            Some(buckets) if buckets.edges.first().is_none_or(|first| *first > slice.range.start_us) => {
                refuse(String::from("the buckets must begin at or before the range"))
            }
            Some(_) | None => Ok(()),
        };
        let groups = |fields: &[Field]| {
            if fields.len() <= MAX_GROUP_BY { Ok(()) } else { refuse(format!("at most {MAX_GROUP_BY} group columns")) }
        };
        match self {
            Question::Aggregate(question) => {
                if question.metrics.is_empty() {
                    return refuse(String::from("at least one metric is needed"));
                }
                buckets(&question.buckets)?;
                groups(&question.group_by)?;
                limit(question.limit)
            }
            Question::Rows(question) => {
                if question.count_up_to < question.limit as u64 {
                    return refuse(String::from("count_up_to must be at least the limit"));
                }
                if question.after.is_some() && question.only.is_some() {
                    return refuse(String::from("a question asks for one row or for the rows after one, not for both"));
                }
                limit(question.limit)
            }
            Question::Funnel(question) => {
                if question.steps.is_empty() || question.steps.len() > MAX_STEPS {
                    return refuse(format!("a funnel has 1 to {MAX_STEPS} steps"));
                }
                if question.window_us.is_some_and(|window| window < 0) {
                    return refuse(String::from("the window must not be negative"));
                }
                let steps = question.steps.len();
                if question.exclusions.len() > MAX_EXCLUSIONS {
                    return refuse(format!("at most {MAX_EXCLUSIONS} exclusions"));
                }
                if !question.exclusions.is_empty() && !matches!(question.mode, FunnelMode::Ordered | FunnelMode::StrictIncrease) {
                    return refuse(String::from("exclusions need the mode ordered or strict_increase"));
                }
                if question.exclusions.iter().any(|one| one.after < 1 || one.before <= one.after || one.before > steps) {
                    return refuse(format!("an exclusion lies between two steps, 1 to {steps}"));
                }
                if let Some(FunnelBreakdown { on: BreakdownEvent::Step(step), .. }) = &question.breakdown
                    && !(1..=steps).contains(step)
                {
                    return refuse(format!("the breakdown's step must be between 1 and {steps}"));
                }
                Ok(())
            }
            Question::Retention(question) => {
                if !(1..=MAX_PERIODS).contains(&question.periods) {
                    return refuse(format!("periods must be between 1 and {MAX_PERIODS}"));
                }
                match question.period {
                    RetentionPeriod::Elapsed(..=0) | RetentionPeriod::Days(0) => {
                        refuse(String::from("the block must be positive"))
                    }
                    RetentionPeriod::Elapsed(_) | RetentionPeriod::Days(_) if question.by_period => {
                        refuse(String::from("cohorts by period need calendar periods: day, week, month, quarter or year"))
                    }
                    RetentionPeriod::Calendar(Interval::Hour | Interval::WallHour) => {
                        refuse(String::from("retention counts days, weeks, months, quarters or years"))
                    }
                    RetentionPeriod::Elapsed(_)
                    | RetentionPeriod::Days(_)
                    | RetentionPeriod::Calendar(
                        Interval::Day | Interval::Week | Interval::Month | Interval::Quarter | Interval::Year,
                    ) => Ok(()),
                }
            }
            Question::Sessions(question) => {
                buckets(&question.buckets)?;
                groups(&question.group_by)?;
                match question.rule {
                    SessionRule::GapOver(gap) | SessionRule::GapFrom(gap) if gap <= 0 => {
                        refuse(String::from("the session gap must be positive"))
                    }
                    SessionRule::Recorded | SessionRule::GapOver(_) | SessionRule::GapFrom(_) => limit(question.limit),
                }
            }
            Question::Values(question) => limit(question.limit),
            Question::Journey(question) => limit(question.limit),
            Question::Attribution(question) => {
                if matches!(question.window, TouchWindow::Elapsed(..0)) {
                    return refuse(String::from("the window must not be negative"));
                }
                if matches!(question.touches, TouchRule::Sessions(..=0) | TouchRule::Arrivals(..=0)) {
                    return refuse(String::from("the session gap must be positive"));
                }
                let (report, range) = (question.report, slice.range);
                if report.end_us <= report.start_us {
                    return refuse(String::from("the report must end after it starts"));
                }
                if report.start_us < range.start_us || report.end_us > range.end_us {
                    return refuse(String::from("the report must lie inside the range"));
                }
                if question
                    .buckets
                    .as_ref()
                    .is_some_and(|buckets| buckets.edges.first().is_none_or(|first| *first > report.start_us))
                {
                    return refuse(String::from("the buckets must begin at or before the report"));
                }
                let is_split = question.buckets.is_some() || question.dated_by == DatedBy::Touch;
                if question.resampling.is_some() && is_split {
                    return refuse(String::from(
                        "intervals are for whole reports: they know neither time buckets nor touch dates",
                    ));
                }
                if question.model.pass() == Pass::AllPaths && is_split {
                    let model = question.model.label();
                    return refuse(format!(
                        "{model} looks at all journeys at once: it knows neither time buckets nor touch dates"
                    ));
                }
                if question.conversion_by.is_some() && (question.model.pass() == Pass::AllPaths || question.resampling.is_some())
                {
                    return refuse(String::from(
                        "conversions are told apart one journey at a time: not with a model that looks at all journeys at once, nor with intervals",
                    ));
                }
                if question.amounts.len() > MAX_CURRENCIES {
                    return refuse(format!("at most {MAX_CURRENCIES} currencies"));
                }
                groups(&question.group_by)?;
                limit(question.limit)
            }
        }
    }
}
