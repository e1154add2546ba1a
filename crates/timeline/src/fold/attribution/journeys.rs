//! One person after the other: its touches found, its conversions credited.

use tributary_core::error::Result;
use tributary_events::attribution::bootstrap::profiles::ProfilesBuilder;
use tributary_events::attribution::credit::Credit;
use tributary_events::attribution::journey::{CREDIT_UNITS, Crediting, Outcome, Share, Touch};
use tributary_events::attribution::model::{Model, Pass};
use tributary_events::attribution::paths::{PathsBuilder, Tally};
use tributary_events::attribution::window::WindowType;
use tributary_events::question::{DatedBy, TouchRule};

use super::credits::{NO_BUCKET, Slots, Sums, slot_of};
use super::{CONVERTS, Plan, VISITS};
use crate::fold::group::{Grouping, Groups};
use crate::fold::scan::{Fold, Piece, Row, Visit};

/// What one thread has credited, or collected.
pub(super) struct Journeys<'q> {
    plan: &'q Plan<'q>,
    pub groups: Groups<'q>,
    pub credited: Sums,
    /// Under group 0.
    pub unattributed: Sums,
    pub totals: Credit,
    pub slots: Slots,
    pub paths: PathsBuilder,
    /// What each conversion gave to whom, where intervals are asked for.
    pub profiles: ProfilesBuilder,
    /// Tags of each row of the partition; none outside the slice.
    tagged: Vec<u8>,
    held: usize,
    scratch: Scratch,
}

/// Kept from person to person for its memory alone.
#[derive(Default)]
struct Scratch {
    rows: Vec<Row>,
    touches: Vec<Row>,
    journey: Vec<Touch>,
    amounts: Vec<i64>,
    /// Code of the conversion's kind, 0 where kinds are not told apart.
    kind: u32,
    sums: Vec<i128>,
    path: Vec<u32>,
    profile: Vec<(u32, i64)>,
    shares: Vec<Share>,
    crediting: Crediting,
}

impl<'q> Journeys<'q> {
    pub fn new(plan: &'q Plan<'q>, grouping: &'q Grouping<'q>) -> Self {
        Self {
            plan,
            groups: Groups::new(grouping),
            credited: Sums::new(plan.currencies()),
            unattributed: Sums::new(plan.currencies()),
            totals: plan.nothing(),
            slots: Slots::new(plan.kinds.is_some()),
            paths: PathsBuilder::new(plan.currencies()),
            profiles: ProfilesBuilder::default(),
            tagged: Vec::new(),
            held: 0,
            scratch: Scratch::default(),
        }
    }

    /// The touches among the rows.
    fn find_touches(&self, visit: &Visit<'_>, rows: &[Row], touches: &mut Vec<Row>) {
        touches.clear();
        let visits = rows.iter().filter(|row| self.tagged[row.at as usize] & VISITS != 0);
        let (gap_us, sees_channels) = match self.plan.question.touches {
            TouchRule::Every => return touches.extend(visits),
            TouchRule::Sessions(gap_us) => (gap_us, false),
            TouchRule::Arrivals(gap_us) => (gap_us, true),
        };
        let mut before_us: Option<i64> = None;
        let mut last_channel = 0;
        for row in visits {
            let begins = before_us.is_none_or(|before_us| row.time_us.saturating_sub(before_us) > gap_us);
            let channel = if sees_channels { self.channel(visit, row) } else { last_channel };
            if begins || (channel != last_channel && !self.kind(channel).is_direct) {
                last_channel = channel;
                touches.push(*row);
            }
            before_us = Some(row.time_us);
        }
    }

    /// Code of the channel a visit came by; 0 where no model asks.
    fn channel(&self, visit: &Visit<'_>, row: &Row) -> u32 {
        let piece = &visit.pieces[row.piece as usize];
        self.plan.channels.as_ref().map_or(0, |channels| channels.codes.code(piece, piece.row(row.at)))
    }

    fn kind(&self, channel: u32) -> super::Kind {
        self.plan.channels.as_ref().map(|channels| channels.kinds[channel as usize]).unwrap_or_default()
    }

    fn group(&mut self, visit: &Visit<'_>, row: &Row) -> u32 {
        let piece = &visit.pieces[row.piece as usize];
        self.groups.number(piece, piece.row(row.at)) as u32
    }

    fn touch(&mut self, visit: &Visit<'_>, row: &Row) -> Touch {
        let source = self.channel(visit, row);
        let kind = self.kind(source);
        let channel = self.group(visit, row);
        Touch { channel, source, time_us: row.time_us, is_direct: kind.is_direct, is_paid: kind.is_paid }
    }

    /// Hands the person's conversions over, each with the range of touches that count for it.
    fn conversions(
        &mut self,
        scratch: &mut Scratch,
        mut take: impl FnMut(&mut Self, &mut Scratch, Row, std::ops::Range<usize>) -> Result<()>,
    ) -> Result<()> {
        let question = self.plan.question;
        let report = question.report;
        let rows = std::mem::take(&mut scratch.rows);
        let touches = &scratch.touches;
        let is_absolute = question.window_type == WindowType::Absolute;
        let (mut first, mut end) = (0, 0);
        // Touches of the report alone.
        let (open, closed) = match is_absolute {
            true => (
                touches.partition_point(|touch| touch.time_us < report.start_us),
                touches.partition_point(|touch| touch.time_us < report.end_us),
            ),
            false => (0, touches.len()),
        };
        for conversion in &rows {
            if self.tagged[conversion.at as usize] & CONVERTS == 0 {
                continue;
            }
            // Conversions come by time, so both ends only move forward. Touches of the conversion's instant count, whatever
            // their order.
            let opens_us = question.window.opens_us(conversion.time_us);
            while scratch.touches.get(end).is_some_and(|touch| touch.time_us <= conversion.time_us) {
                end += 1;
            }
            while scratch.touches.get(first).is_some_and(|touch| touch.time_us < opens_us) {
                first += 1;
            }
            if question.dated_by == DatedBy::Conversion && !report.contains(conversion.time_us) {
                continue;
            }
            let last = end.min(closed);
            take(self, scratch, *conversion, first.max(open).min(last)..last)?;
        }
        scratch.rows = rows;
        Ok(())
    }

    fn credit(&mut self, visit: &Visit<'_>, scratch: &mut Scratch) -> Result<()> {
        let question = self.plan.question;
        // One touch gets everything: the others need not be looked at.
        let is_single = matches!(question.model, Model::FirstTouch | Model::LastTouch | Model::LastNonDirectTouch);
        scratch.journey.clear();
        if !is_single {
            for row in &scratch.touches {
                let touch = self.touch(visit, row);
                scratch.journey.push(touch);
            }
        }
        self.conversions(scratch, |this, scratch, conversion, touches| {
            let piece = &visit.pieces[conversion.piece as usize];
            this.plan.amounts(piece, piece.row(conversion.at), &mut scratch.amounts);
            scratch.kind = this.plan.kinds.as_ref().map_or(0, |kinds| kinds.code(piece, piece.row(conversion.at)));
            if is_single {
                let touch = this.single(visit, &scratch.touches[touches]);
                let group = touch.map(|touch| this.group(visit, &touch));
                this.count_single(scratch, conversion, touch.zip(group))
            } else {
                this.count_shared(scratch, conversion, touches)
            }
        })
    }

    fn single(&self, visit: &Visit<'_>, touches: &[Row]) -> Option<Row> {
        match self.plan.question.model {
            Model::FirstTouch => touches.first(),
            Model::LastNonDirectTouch => {
                let is_direct = |touch: &&Row| self.kind(self.channel(visit, touch)).is_direct;
                touches.iter().rev().find(|touch| !is_direct(touch)).or(touches.last())
            }
            _ => touches.last(),
        }
        .copied()
    }

    fn count_single(&mut self, scratch: &Scratch, conversion: Row, touch: Option<(Row, u32)>) -> Result<()> {
        let Some((touch, group)) = touch else { return self.count_unattributed(scratch, conversion) };
        let dated_us = match self.plan.question.dated_by {
            DatedBy::Conversion => conversion.time_us,
            DatedBy::Touch => touch.time_us,
        };
        if !self.plan.question.report.contains(dated_us) {
            return Ok(());
        }
        if self.plan.question.resampling.is_some() {
            self.profiles.add(&[(group, CREDIT_UNITS)], 1)?;
        }
        let slot = self.slot(dated_us, scratch.kind);
        for (field, total) in fields(&scratch.amounts) {
            self.credited.add(group, slot, field, total);
            *self.total(field) += i128::from(total);
        }
        Ok(())
    }

    fn count_shared(&mut self, scratch: &mut Scratch, conversion: Row, touches: std::ops::Range<usize>) -> Result<()> {
        let question = self.plan.question;
        let journey = &scratch.journey[touches];
        if scratch.crediting.weigh(question.model, journey) != Outcome::Attributed {
            return self.count_unattributed(scratch, conversion);
        }
        let slot = self.slot(conversion.time_us, scratch.kind);
        for (field, total) in fields(&scratch.amounts) {
            scratch.crediting.split(total, &mut scratch.shares);
            if field == 0 && question.resampling.is_some() {
                scratch.profile.clear();
                scratch.profile.extend(scratch.shares.iter().map(|share| (journey[share.touch].channel, share.part)));
                self.profiles.add(&scratch.profile, 1)?;
            }
            for share in &scratch.shares {
                let touch = &journey[share.touch];
                match question.dated_by {
                    DatedBy::Conversion => self.credited.add(touch.channel, slot, field, share.part),
                    DatedBy::Touch if question.report.contains(touch.time_us) => {
                        let slot = self.slot(touch.time_us, scratch.kind);
                        self.credited.add(touch.channel, slot, field, share.part);
                        *self.total(field) += i128::from(share.part);
                    }
                    DatedBy::Touch => {}
                }
            }
            if question.dated_by == DatedBy::Conversion {
                *self.total(field) += i128::from(total);
            }
        }
        Ok(())
    }

    fn count_unattributed(&mut self, scratch: &Scratch, conversion: Row) -> Result<()> {
        // By touch date, what has no touch has no date.
        if self.plan.question.dated_by == DatedBy::Touch {
            return Ok(());
        }
        if self.plan.question.resampling.is_some() {
            self.profiles.add(&[], 1)?;
        }
        let slot = self.slot(conversion.time_us, scratch.kind);
        for (field, total) in fields(&scratch.amounts) {
            self.unattributed.add(0, slot, field, total);
            *self.total(field) += i128::from(total);
        }
        Ok(())
    }

    /// Paths for a model that looks at all of them: one for each conversion, or one of a person without any.
    fn collect(&mut self, visit: &Visit<'_>, scratch: &mut Scratch) -> Result<()> {
        let report = self.plan.question.report;
        scratch.journey.clear();
        for row in &scratch.touches {
            let touch = self.touch(visit, row);
            scratch.journey.push(touch);
        }
        let has_converted = scratch.rows.iter().any(|row| self.tagged[row.at as usize] & CONVERTS != 0);
        if !has_converted {
            scratch.path.clear();
            let touches = scratch.journey.iter().filter(|touch| report.contains(touch.time_us));
            scratch.path.extend(touches.map(|touch| touch.channel));
            if !scratch.path.is_empty() {
                self.paths.add(&scratch.path, Tally { converting: 0, other: 1, amounts_micros: &[] })?;
            }
            return Ok(());
        }
        self.conversions(scratch, |this, scratch, conversion, touches| {
            let piece = &visit.pieces[conversion.piece as usize];
            this.plan.amounts(piece, piece.row(conversion.at), &mut scratch.amounts);
            scratch.path.clear();
            scratch.path.extend(scratch.journey[touches].iter().map(|touch| touch.channel));
            scratch.sums.clear();
            scratch.sums.extend(scratch.amounts.iter().map(|amount| i128::from(*amount)));
            this.paths.add(&scratch.path, Tally { converting: 1, other: 0, amounts_micros: &scratch.sums })
        })
    }

    fn slot(&mut self, time_us: i64, kind: u32) -> u32 {
        let bucket = self.plan.question.buckets.as_ref().map_or(NO_BUCKET, |buckets| slot_of(buckets.find(time_us)));
        self.slots.number(bucket, kind)
    }

    fn total(&mut self, field: usize) -> &mut i128 {
        match field.checked_sub(1) {
            None => &mut self.totals.units,
            Some(currency) => &mut self.totals.amounts_micros[currency],
        }
    }
}

/// A conversion's credit units as field 0, then its amounts.
fn fields(amounts: &[i64]) -> impl Iterator<Item = (usize, i64)> {
    std::iter::once(CREDIT_UNITS).chain(amounts.iter().copied()).enumerate()
}

impl Fold for Journeys<'_> {
    fn rows(&mut self, piece: &Piece, mask: &[u8], _again: bool) -> Result<()> {
        let first = self.tagged.len();
        self.tagged.resize(first + piece.len(), self.plan.tags.all());
        let tagged = &mut self.tagged[first..];
        self.plan.tags.apply(piece, tagged);
        tagged.iter_mut().zip(mask).for_each(|(tags, kept)| *tags *= kept);
        Ok(())
    }

    fn visit(&mut self, visit: &Visit<'_>) -> Result<()> {
        let pass = self.plan.question.model.pass();
        let wanted = if pass == Pass::PerJourney { CONVERTS } else { CONVERTS | VISITS };
        let tagged = visit.stretches.iter().map(|stretch| &self.tagged[stretch.range()]);
        let tags = tagged.fold(0, |tags, more| more.iter().fold(tags, |tags, more| tags | more));
        if tags & wanted == 0 {
            return Ok(());
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        if visit.rows_where(self.plan.time, &self.tagged, |tags| tags != 0, &mut scratch.rows) {
            self.plan.scan.order_ties(visit.pieces, &mut scratch.rows)?;
        }
        let mut touches = std::mem::take(&mut scratch.touches);
        self.find_touches(visit, &scratch.rows, &mut touches);
        scratch.touches = touches;
        let done = match pass {
            Pass::PerJourney => self.credit(visit, &mut scratch),
            Pass::AllPaths => self.collect(visit, &mut scratch),
        };
        self.scratch = scratch;
        done
    }

    fn end_of_partition(&mut self) -> Result<()> {
        self.tagged.clear();
        let limits = self.plan.scan.limits;
        let sums = self.credited.bytes() + self.unattributed.bytes() + self.slots.bytes();
        let now = self.groups.bytes() + sums + self.paths.bytes() + self.profiles.bytes();
        limits.check_memory(std::mem::replace(&mut self.held, now), now)?;
        if self.plan.kinds.is_some() {
            limits.check_groups(self.unattributed.len())?;
        }
        limits.check_groups(self.groups.met().max(self.credited.len()))
    }
}
