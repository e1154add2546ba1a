//! What really happened: which ads brought visits, which orders would not have been without them, what platforms claim.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use tributary_core::rate::ExactSum;
use tributary_core::time::DAY_US;

use crate::demo::ads::{CAMPAIGNS, MAX_CAMPAIGNS, Placement, Platform};
use crate::demo::dice::Dice;
use crate::demo::rates;

/// A click on an ad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Click {
    /// The ad.
    pub placement: Placement,
    /// When, microseconds.
    pub at_us: i64,
}

/// The ads somebody has come by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// One bit per campaign.
    campaigns: u16,
    /// The last click on each platform.
    clicks: [Option<Click>; Platform::ALL.len()],
}

const _: () = assert!(MAX_CAMPAIGNS <= u16::BITS as usize);

impl Seen {
    /// Takes a click into account.
    pub fn click(&mut self, placement: Placement, at_us: i64) {
        self.campaigns |= 1 << placement.campaign;
        self.clicks[placement.campaign().platform as usize] = Some(Click { placement, at_us });
    }

    /// The last click on each platform.
    pub fn clicks(&self) -> [Option<Click>; Platform::ALL.len()] {
        self.clicks
    }

    /// Whether somebody buys who would, unadvertised, in `will` of a thousand cases, and why. One throw decides both: what lies
    /// within `will` would have happened anyway, what lies beyond belongs to the campaign whose lift made room for it.
    pub fn decide(&self, will: u64, dice: &mut Dice) -> Option<Cause> {
        let throw = dice.below(100_000);
        let mut bound = will * 100;
        if throw < bound {
            return Some(Cause::Anyway);
        }
        for (campaign, place) in CAMPAIGNS.iter().zip(0_u8..) {
            if self.campaigns & (1 << place) != 0 {
                bound += will * campaign.lift;
                if throw < bound {
                    return Some(Cause::Campaign(place));
                }
            }
        }
        None
    }
}

/// Why somebody bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// They would have without any ad.
    Anyway,
    /// They would not have without this one of [`CAMPAIGNS`].
    Campaign(u8),
}

/// What the ledger is told with an event that is stored.
#[derive(Clone, Copy, Debug)]
pub enum Note {
    /// Somebody came by an ad.
    Arrived(Placement),
    /// Somebody bought.
    Ordered(Order),
}

/// An order.
#[derive(Clone, Copy, Debug)]
pub struct Order {
    /// Why.
    pub cause: Cause,
    /// The amount, hundredths of the currency.
    pub cents: u64,
    /// ISO 4217.
    pub currency: &'static str,
    /// The buyer's last click on each platform.
    pub clicks: [Option<Click>; Platform::ALL.len()],
}

/// How much of something there was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sold {
    /// Orders.
    pub orders: u64,
    /// Their amounts in euros, micros.
    pub micros: i128,
}

impl Sold {
    fn add(&mut self, micros: i128) {
        self.orders += 1;
        self.micros += micros;
    }
}

/// Visits, orders and claims of the whole demo.
pub struct Ledger {
    zone: TimeZone,
    dice: Dice,
    visits: BTreeMap<(Placement, Date), u64>,
    claims: BTreeMap<(Placement, Date), Sold>,
    caused: [Sold; MAX_CAMPAIGNS],
    anyway: Sold,
}

impl Ledger {
    /// One in which nothing is written yet.
    pub fn new(seed: u64, zone: TimeZone) -> Ledger {
        Ledger {
            zone,
            dice: Dice::new(seed, "claims"),
            visits: BTreeMap::new(),
            claims: BTreeMap::new(),
            caused: [Sold::default(); MAX_CAMPAIGNS],
            anyway: Sold::default(),
        }
    }

    /// The day of an instant, in the zone of the shop and its ad accounts.
    pub fn day(&self, time_us: i64) -> Date {
        self.zone.to_datetime(Timestamp::from_microsecond(time_us).unwrap_or(Timestamp::UNIX_EPOCH)).date()
    }

    /// Writes down what an event says.
    pub fn write(&mut self, note: Note, time_us: i64) {
        let day = self.day(time_us);
        match note {
            Note::Arrived(placement) => *self.visits.entry((placement, day)).or_default() += 1,
            Note::Ordered(order) => {
                let micros = i128::from(order.cents) * 10_000;
                let euros =
                    ExactSum::default().plus_at(micros, rates::into_euros(order.currency, day)).map_or(0, ExactSum::micros);
                match order.cause {
                    Cause::Anyway => self.anyway.add(euros),
                    Cause::Campaign(place) => self.caused[usize::from(place)].add(euros),
                }
                self.claim(&order, euros, time_us, day);
            }
        }
    }

    /// Each platform looks at its own clicks alone, and at people it believes to have looked at an ad: several claim one order.
    fn claim(&mut self, order: &Order, euros: i128, time_us: i64, day: Date) {
        for (platform, click) in Platform::ALL.into_iter().zip(order.clicks) {
            let account = platform.account();
            let clicked = click.filter(|click| time_us - click.at_us <= account.click_days * DAY_US).map(|click| click.placement);
            let claimed = clicked.or_else(|| self.dice.chance(account.view_permille).then(|| self.shown(platform))?);
            if let Some(placement) = claimed {
                self.claims.entry((placement, day)).or_default().add(euros);
            }
        }
    }

    /// Some ad that runs on a platform.
    fn shown(&mut self, platform: Platform) -> Option<Placement> {
        let of_platform = |placement: &Placement| placement.campaign().platform == platform && placement.campaign().runs();
        let running: Vec<Placement> = Placement::all().filter(of_platform).collect();
        (!running.is_empty()).then(|| *self.dice.pick(&running))
    }

    /// Visits an ad brought on a day.
    pub fn visits(&self, placement: Placement, day: Date) -> u64 {
        self.visits.get(&(placement, day)).copied().unwrap_or_default()
    }

    /// Visits a campaign brought.
    pub fn visits_of(&self, campaign: u8) -> u64 {
        self.visits.iter().filter(|((placement, _), _)| placement.campaign == campaign).map(|(_, visits)| visits).sum()
    }

    /// What a platform claims for an ad on a day, in euros.
    pub fn claims(&self, placement: Placement, day: Date) -> Sold {
        self.claims.get(&(placement, day)).copied().unwrap_or_default()
    }

    /// What a platform claims for a campaign, in euros.
    pub fn claims_of(&self, campaign: u8) -> Sold {
        let mut all = Sold::default();
        for (_, sold) in self.claims.iter().filter(|((placement, _), _)| placement.campaign == campaign) {
            all.orders += sold.orders;
            all.micros += sold.micros;
        }
        all
    }

    /// What would not have been bought without a campaign.
    pub fn caused_by(&self, campaign: u8) -> Sold {
        self.caused[usize::from(campaign)]
    }

    /// What would have been bought without any ad.
    pub fn anyway(&self) -> Sold {
        self.anyway
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lift_of_so_many_percent_brings_so_many_more_orders() {
        let mut dice = Dice::new(1, "test");
        let ads: Vec<Placement> = Placement::all().filter(|placement| [0, 5].contains(&placement.campaign)).collect();
        let mut seen = Seen::default();
        ads.iter().for_each(|placement| seen.click(*placement, 0));
        let mut counts = BTreeMap::new();
        for _ in 0..100_000 {
            let cause = seen.decide(200, &mut dice).map(|cause| match cause {
                Cause::Anyway => None,
                Cause::Campaign(place) => Some(place),
            });
            *counts.entry(cause).or_insert(0_u64) += 1;
        }
        let share = |cause: Option<u8>| counts[&Some(cause)];
        assert!((19_500..20_500).contains(&share(None)), "{counts:?}");
        assert!((35_400..36_600).contains(&share(Some(0))), "{counts:?}: a lift of 180 percent of 20,000");
        assert!((500..700).contains(&share(Some(5))), "{counts:?}: a lift of 3 percent");
        assert_eq!(counts.len(), 4, "nobody is moved by a campaign they have not seen: {counts:?}");
    }
}
