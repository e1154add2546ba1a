//! Which touches conversions are credited to.

mod credits;
mod journeys;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use tributary_core::error::Result;
use tributary_events::answer::{AttributionAnswer, AttributionRow, BucketCredit};
use tributary_events::attribution::bootstrap::profiles::ProfilesBuilder;
use tributary_events::attribution::bootstrap::{self, ChannelInterval, Interval};
use tributary_events::attribution::credit::Credit;
use tributary_events::attribution::markov;
use tributary_events::attribution::model::{Allocation, Model, Order};
use tributary_events::attribution::paths::PathsBuilder;
use tributary_events::channel::{is_direct, is_paid};
use tributary_events::field::Field;
use tributary_events::question::{Attribution, TouchRule};

use self::credits::{Slots, Sums, bucket_of};
use self::journeys::Journeys;
use super::group::{Codebook, GroupPlan, Grouping, Groups};
use super::reads::Read;
use super::scan::{Piece, Scan};
use super::tags::{TagFilters, Tags};
use crate::column::ColumnId;
use crate::schema::Text;

/// A row with this tag is a conversion.
const CONVERTS: u8 = 1;
/// A row with this tag is a visit.
const VISITS: u8 = 2;

pub(crate) fn answer(scan: &mut Scan<'_>, question: &Attribution) -> Result<AttributionAnswer> {
    let tags = TagFilters::plan([question.conversion.as_slice(), question.touch.as_slice()], &mut scan.reads);
    let kinds = question.conversion_by.as_ref().map(|field| scan.reads.field(field));
    let groups = GroupPlan::plan(&question.group_by, None, &mut scan.reads);
    let time = scan.reads.column(ColumnId::Time);
    let channel = needs_channel(question).then(|| scan.reads.field(&Field::Channel));
    let money = (!question.amounts.is_empty())
        .then(|| (scan.reads.column(ColumnId::Text(Text::Currency)), scan.reads.column(ColumnId::Amounts)));
    scan.prepare(true)?;
    let grouping = groups.over(scan)?;
    let plan = Plan {
        question,
        scan,
        time,
        tags: tags.over(scan)?,
        channels: channel.map(|read| Channels::over(scan, read)).transpose()?,
        kinds: kinds.map(|read| Codebook::over(scan, read)).transpose()?,
        money: money.map(|(currencies, amounts)| Money::over(scan, question, currencies, amounts)).transpose()?,
    };
    let folds = scan.fold(|| Ok(Journeys::new(&plan, &grouping)))?;
    match question.model {
        Model::Markov { order, allocation } => by_paths(&plan, &grouping, &folds, order, allocation),
        _ => by_journey(&plan, &grouping, &folds),
    }
}

/// Whether it matters which channel a visit came by, groups aside.
fn needs_channel(question: &Attribution) -> bool {
    matches!(question.touches, TouchRule::Arrivals(_))
        || matches!(
            question.model,
            Model::LastNonDirectTouch | Model::LinearPaidAds | Model::FirstTouchSourceSpecific | Model::LastTouchSourceSpecific
        )
}

/// Channels told by their keys, whichever thread met them first: then ties and draws do not depend on it.
struct ByKeys {
    /// In order.
    channels: Vec<Vec<Option<String>>>,
    /// For each fold, the place of its own codes in `channels`.
    codes: Vec<HashMap<u32, u32>>,
}

impl ByKeys {
    fn of(grouping: &Grouping<'_>, folds: &[Journeys<'_>], channels_of: impl Fn(&Journeys<'_>) -> Vec<u32>) -> Self {
        let keys: Vec<Vec<(u32, Vec<Option<String>>)>> = folds
            .iter()
            .map(|fold| {
                let keys = |channel| (channel, grouping.keys(&fold.groups.codes(channel as usize)));
                channels_of(fold).into_iter().map(keys).collect()
            })
            .collect();
        let channels: BTreeSet<&Vec<Option<String>>> = keys.iter().flatten().map(|(_, keys)| keys).collect();
        let channels: Vec<Vec<Option<String>>> = channels.into_iter().cloned().collect();
        let place = |keys: &Vec<Option<String>>| channels.binary_search(keys).unwrap_or_default() as u32;
        let codes = keys.iter().map(|fold| fold.iter().map(|(channel, keys)| (*channel, place(keys))).collect()).collect();
        Self { channels, codes }
    }

    fn intervals(&self, found: Vec<ChannelInterval>) -> Intervals {
        found.into_iter().map(|one| (self.channels[one.channel as usize].clone(), one.units)).collect()
    }
}

/// How much each channel varies, by its keys.
type Intervals = BTreeMap<Vec<Option<String>>, Interval<i128>>;

fn by_journey(plan: &Plan<'_>, grouping: &Grouping<'_>, folds: &[Journeys<'_>]) -> Result<AttributionAnswer> {
    let mut groups = Groups::new(grouping);
    let mut rows = Sums::new(plan.currencies());
    let mut slots = Slots::new(plan.kinds.is_some());
    let mut unattributed: BTreeMap<(u32, Vec<Option<String>>), Credit> = BTreeMap::new();
    let mut totals = plan.nothing();
    for fold in folds {
        for (group, slot, credit) in fold.credited.iter() {
            let (slot, kind) = fold.slots.pair(slot);
            let slot = slots.number(slot, kind);
            rows.add_all(groups.number_of(&fold.groups.codes(group as usize)) as u32, slot, &credit);
        }
        for (_, slot, credit) in fold.unattributed.iter() {
            let (slot, kind) = fold.slots.pair(slot);
            add(unattributed.entry((slot, plan.kind(kind))).or_insert_with(|| plan.nothing()), &credit);
        }
        add(&mut totals, &fold.totals);
    }
    let mut intervals = Intervals::new();
    if let Some(resampling) = plan.question.resampling {
        let by_keys = ByKeys::of(grouping, folds, |fold| fold.profiles.channels().collect());
        let mut profiles = ProfilesBuilder::default();
        for (fold, codes) in folds.iter().zip(&by_keys.codes) {
            profiles.merge_recoded(&fold.profiles, codes)?;
        }
        let found = bootstrap::per_journey(&profiles.build(), resampling, || plan.scan.limits.check_time())?;
        intervals = by_keys.intervals(found);
    }
    let rows = rows.iter().map(|(group, slot, credit)| {
        let (slot, kind) = slots.pair(slot);
        let mut keys = grouping.keys(&groups.codes(group as usize));
        keys.extend(plan.kind(kind));
        AttributionRow { bucket: bucket_of(slot), interval: intervals.get(&keys).copied(), keys, credit }
    });
    if plan.kinds.is_some() {
        plan.scan.limits.check_groups(unattributed.len())?;
    }
    let unattributed =
        unattributed.into_iter().map(|((slot, keys), credit)| BucketCredit { bucket: bucket_of(slot), keys, credit });
    finish(plan, rows.collect(), unattributed.collect(), totals)
}

/// By a model that looks at all paths. Its ties go by the order of keys, whichever thread met them first.
fn by_paths(
    plan: &Plan<'_>,
    grouping: &Grouping<'_>,
    folds: &[Journeys<'_>],
    order: Order,
    allocation: Allocation,
) -> Result<AttributionAnswer> {
    let by_keys = ByKeys::of(grouping, folds, |fold| fold.paths.channels().collect());
    let mut all = PathsBuilder::new(plan.currencies());
    for (fold, codes) in folds.iter().zip(&by_keys.codes) {
        plan.scan.limits.check_time()?;
        all.merge_recoded(&fold.paths, codes)?;
    }
    let paths = all.build();
    let removal = markov::removal_effects(&paths, order)?;
    let credits = markov::credit(&paths, &removal, allocation);
    let mut intervals = Intervals::new();
    if let Some(resampling) = plan.question.resampling {
        let found = bootstrap::markov(&paths, order, allocation, resampling, || plan.scan.limits.check_time())?;
        intervals = by_keys.intervals(found);
    }
    let nothing = plan.nothing();
    let rows = credits.channels.into_iter().filter(|channel| channel.credit != nothing).map(|channel| {
        let keys = by_keys.channels[channel.channel as usize].clone();
        AttributionRow { bucket: None, interval: intervals.get(&keys).copied(), keys, credit: channel.credit }
    });
    let unattributed = (credits.unattributed != nothing).then_some(BucketCredit {
        bucket: None,
        keys: Vec::new(),
        credit: credits.unattributed,
    });
    finish(plan, rows.collect(), unattributed.into_iter().collect(), credits.totals)
}

fn finish(
    plan: &Plan<'_>,
    mut rows: Vec<AttributionRow>,
    unattributed: Vec<BucketCredit>,
    totals: Credit,
) -> Result<AttributionAnswer> {
    plan.scan.limits.check_groups(rows.len())?;
    rows.sort_unstable_by(|a, b| {
        (a.bucket, Reverse(a.credit.units)).cmp(&(b.bucket, Reverse(b.credit.units))).then_with(|| a.keys.cmp(&b.keys))
    });
    let total_rows = rows.len();
    rows.truncate(plan.question.limit);
    Ok(AttributionAnswer { rows, total_rows, unattributed, totals })
}

fn add(sum: &mut Credit, more: &Credit) {
    sum.units += more.units;
    sum.amounts_micros.iter_mut().zip(&more.amounts_micros).for_each(|(sum, more)| *sum += more);
}

/// What all threads share.
struct Plan<'q> {
    question: &'q Attribution,
    scan: &'q Scan<'q>,
    time: Read,
    tags: Tags<u8>,
    channels: Option<Channels>,
    /// What tells conversions apart.
    kinds: Option<Codebook>,
    money: Option<Money>,
}

/// The channels of visits.
struct Channels {
    codes: Codebook,
    /// For each code.
    kinds: Vec<Kind>,
}

#[derive(Clone, Copy, Default)]
struct Kind {
    is_direct: bool,
    is_paid: bool,
}

struct Money {
    currencies: Read,
    amounts: Read,
    /// For each currency asked for and each source, the currency's code.
    codes: Vec<Vec<Option<u32>>>,
}

impl Channels {
    fn over(scan: &Scan<'_>, read: Read) -> Result<Self> {
        let codes = Codebook::over(scan, read)?;
        let kind = |code: usize| {
            let channel = codes.value(code as u32).unwrap_or_default();
            Kind { is_direct: is_direct(channel), is_paid: is_paid(channel) }
        };
        let kinds = (0..codes.len()).map(kind).collect();
        Ok(Self { codes, kinds })
    }
}

impl Money {
    fn over(scan: &Scan<'_>, question: &Attribution, currencies: Read, amounts: Read) -> Result<Self> {
        let codes = |name: &str| scan.per_source(|source| source.dictionary(currencies).code_of(name));
        let codes = question.amounts.iter().map(|currency| codes(currency.as_str())).collect::<Result<_>>()?;
        Ok(Self { currencies, amounts, codes })
    }
}

impl Plan<'_> {
    fn currencies(&self) -> usize {
        self.question.amounts.len()
    }

    /// The key that a kind of conversion adds to a row; none where kinds are not told apart.
    fn kind(&self, code: u32) -> Vec<Option<String>> {
        self.kinds.iter().map(|kinds| kinds.value(code).map(str::to_owned)).collect()
    }

    fn nothing(&self) -> Credit {
        Credit { units: 0, amounts_micros: vec![0; self.currencies()] }
    }

    /// The amount of a conversion in each currency asked for.
    fn amounts(&self, piece: &Piece, row: usize, amounts: &mut Vec<i64>) {
        amounts.clear();
        let Some(money) = &self.money else { return };
        let code = piece.column(money.currencies).text().codes.at(row);
        amounts.extend(
            money
                .codes
                .iter()
                .map(|codes| if codes[piece.source] == Some(code) { piece.column(money.amounts).amounts().at(row) } else { 0 }),
        );
    }
}
