//! The demo's events, day by day: same seed, number and end, same events.

use tributary_core::error::Result;
use tributary_core::time::{DAY_US, zone};
use tributary_ingest::arrival::{Arrival, Channel};

use crate::demo::calendar::{DAYS, Day, Rhythm, days};
use crate::demo::dice::Dice;
use crate::demo::ledger::{Ledger, Seen};
use crate::demo::saas::{self, Paid};
use crate::demo::shop;
use crate::demo::visit::{Guest, Sent, Stage, Visit, Visitor};
use crate::demo::ways::{Returns, SAAS_WAYS, SHOP_WAYS, Way};
use crate::demo::world::{AGENTS, BOTS, SAAS_COUNTRIES, SHOP_COUNTRIES};

/// What determines every byte of the demo's events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Recipe {
    /// Seed of the dice.
    pub seed: u64,
    /// Events over both workspaces.
    pub events: u64,
    /// First instant past the last day, microseconds.
    pub until_us: i64,
}

impl Recipe {
    /// First instant of the first day, microseconds.
    pub fn from_us(&self) -> i64 {
        self.until_us - DAYS as i64 * DAY_US
    }
}

/// One of the demo's two workspaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Site {
    /// An outdoor shop in Germany.
    Shop,
    /// Invoicing software in New York.
    Saas,
}

/// What a site is.
pub struct Profile {
    /// Slug of the workspace.
    pub slug: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Its IANA zone.
    pub zone: &'static str,
    /// Its currency.
    pub currency: &'static str,
    /// Host of its pages.
    pub host: &'static str,
    /// Its share of all events, percent.
    pub share: u64,
    rhythm: Rhythm,
    countries: &'static [(&'static str, &'static str, u64)],
    ways: &'static [Way],
    pages: &'static [&'static str],
}

impl Site {
    /// Both.
    pub const ALL: [Site; 2] = [Site::Shop, Site::Saas];

    /// What it is.
    pub fn profile(self) -> &'static Profile {
        match self {
            Site::Shop => &SHOP,
            Site::Saas => &SAAS,
        }
    }

    /// How many of the demo's events are this site's.
    pub fn events(self, total: u64) -> u64 {
        let shop = total * SHOP.share / 100;
        match self {
            Site::Shop => shop,
            Site::Saas => total - shop,
        }
    }
}

static SHOP: Profile = Profile {
    slug: "gipfelgut",
    name: "Gipfelgut Outdoor",
    zone: "Europe/Berlin",
    currency: "EUR",
    host: "www.gipfelgut.example",
    share: 60,
    // People shop in the evening and on Sundays.
    rhythm: Rhythm {
        weekdays: [100, 94, 92, 96, 90, 104, 128],
        hours: [14, 8, 5, 4, 4, 8, 18, 34, 46, 52, 56, 58, 62, 56, 52, 54, 60, 70, 84, 104, 116, 104, 70, 34],
    },
    countries: SHOP_COUNTRIES,
    ways: SHOP_WAYS,
    pages: &["/", "/jackets", "/boots", "/sale", "/p/tent-2p", "/p/fleece", "/guides/packing"],
};

static SAAS: Profile = Profile {
    slug: "paperplane",
    name: "Paperplane Invoicing",
    zone: "America/New_York",
    currency: "USD",
    host: "app.paperplane.example",
    share: 40,
    // People work during the week.
    rhythm: Rhythm {
        weekdays: [122, 128, 126, 120, 104, 44, 40],
        hours: [8, 6, 5, 5, 6, 10, 22, 48, 88, 112, 118, 112, 92, 104, 112, 106, 94, 70, 44, 34, 28, 24, 18, 12],
    },
    countries: SAAS_COUNTRIES,
    ways: SAAS_WAYS,
    pages: &["/", "/features", "/pricing", "/docs", "/blog/cash-flow", "/blog/late-payments"],
};

/// Of a thousand browsers that come for the first time, how many belong to somebody with an account.
const SECOND_DEVICES: u64 = 35;

/// Makes a site's events day by day, each day in order of time. `emit` gets every day once. What is known
/// of the events beyond what they say stands in the ledger that is returned.
pub fn generate(site: Site, recipe: &Recipe, emit: &mut dyn FnMut(Vec<Sent>) -> Result<()>) -> Result<Ledger> {
    let profile = site.profile();
    let mut dice = Dice::new(recipe.seed, profile.slug);
    let zone = zone(profile.zone)?;
    let days = days(site.events(recipe.events), recipe.until_us, &zone, &profile.rhythm, &mut dice);
    let mut ledger = Ledger::new(recipe.seed, zone.clone());
    let mut town = Town {
        site,
        profile,
        dice,
        template: Arrival::new(Channel::Publishable, recipe.until_us, zone),
        visitors: Vec::new(),
        members: Vec::new(),
        due: vec![Vec::new(); DAYS],
        counters: Counters::default(),
    };
    let mut number = 0_u64;
    for day in &days {
        let mut events = town.live_through(day, recipe.until_us);
        // Stable: what happens at the same instant keeps the order it was made in.
        events.sort_by_key(Sent::time_us);
        for event in &mut events {
            number += 1;
            event.draft.event_id = Some(format!("{}-{number:09}", profile.slug));
            event.arrival.received_us = event.arrival.received_us.min(recipe.until_us);
            if let Some(note) = event.note {
                ledger.write(note, event.time_us());
            }
        }
        emit(events)?;
    }
    Ok(ledger)
}

/// Numbers given away so far.
#[derive(Default)]
pub struct Counters {
    /// Accounts.
    pub users: u32,
    /// Orders.
    pub orders: u32,
}

struct Town {
    site: Site,
    profile: &'static Profile,
    dice: Dice,
    template: Arrival,
    visitors: Vec<Visitor>,
    /// Places of those with an account.
    members: Vec<usize>,
    /// Per day, who is due for a renewal or sends a parcel back.
    due: Vec<Vec<usize>>,
    counters: Counters,
}

impl Town {
    fn live_through(&mut self, day: &Day, until_us: i64) -> Vec<Sent> {
        let wanted = day.events as usize;
        let mut out = Vec::with_capacity(wanted + 64);
        for place in std::mem::take(&mut self.due[day.index]) {
            let at_us = day.start_us + self.dice.below(86_400_000) as i64 * 1_000;
            self.server_event(place, day.index, at_us, &mut out);
        }
        while out.len() < wanted {
            let (start_us, before) = (day.instant(&mut self.dice), out.len());
            if self.dice.chance(34) {
                self.crawl(start_us, &mut out);
            } else {
                self.visit(day.index, start_us, &mut out);
            }
            // Visits that begin before the end may reach past it; the demo never holds an event from the future.
            let made = out.split_off(before);
            out.extend(made.into_iter().filter(|event| event.time_us() < until_us));
        }
        out.truncate(wanted);
        out
    }

    fn server_event(&mut self, place: usize, day: usize, at_us: i64, out: &mut Vec<Sent>) {
        match self.site {
            Site::Shop => shop::parcel_returned(&mut self.dice, &self.template, &self.visitors[place], at_us, out),
            Site::Saas if self.dice.chance(88) => self.visitors[place].stage = Stage::Gone,
            Site::Saas => {
                out.push(saas::renewal(&self.template, &self.visitors[place], at_us));
                self.plan_ahead(place, day + 30);
            }
        }
    }

    fn visit(&mut self, day: usize, start_us: i64, out: &mut Vec<Sent>) {
        let (place, is_back) = self.who();
        let mut visitor = self.visitors[place].clone();
        let way = self.how(&visitor, is_back);
        let is_signed_in = visitor.user.is_some() && (self.site == Site::Saas || self.dice.chance(400));
        let country = self.profile.countries[usize::from(visitor.country)].0;
        let user_id = visitor.user.filter(|_| is_signed_in).map(|number| match self.site {
            Site::Shop => shop::user_id(number),
            Site::Saas => saas::user_id(number),
        });
        let agent = visitor.agent();
        let guest = Guest { anonymous_id: visitor.id(), user_id, agent: agent.text, width: agent.width, country, way: Some(way) };
        let was = visitor.stage;
        let mut visit = Visit::begin(&mut self.dice, out, &self.template, self.profile.host, guest, start_us);
        if let Some(placement) = visit.placement {
            visitor.seen.click(placement, start_us);
        }
        match (self.site, was) {
            (Site::Shop, _) => {
                let orders_before = visit.out.len();
                shop::play(&mut visit, &mut visitor, way, day, &mut self.counters);
                if visitor.user.is_some() && self.visitors[place].user.is_none() {
                    self.members.push(place);
                }
                let is_order = out[orders_before..].iter().any(|event| event.draft.event.as_deref() == Some("order_completed"));
                if is_order && self.dice.chance(90) {
                    let later = day + self.dice.between(4, 14) as usize;
                    self.plan_ahead(place, later);
                }
            }
            (Site::Saas, Stage::Stranger) => {
                saas::play_stranger(&mut visit, &mut visitor, way, &mut self.counters);
                if visitor.stage == Stage::Member {
                    self.members.push(place);
                }
            }
            (Site::Saas, Stage::Member | Stage::Customer | Stage::Gone) => {
                if saas::play_member(&mut visit, &mut visitor) == Paid::Now {
                    self.plan_ahead(place, day + 30);
                }
            }
        }
        self.visitors[place] = visitor;
    }

    /// Somebody new, or somebody who comes back; the more recent, the likelier.
    fn who(&mut self) -> (usize, bool) {
        let back = match self.site {
            Site::Shop => 330,
            Site::Saas => 470,
        };
        if !self.visitors.is_empty() && self.dice.chance(back) {
            let recent = |dice: &mut Dice, length: usize| {
                let ago = dice.unit() * dice.unit();
                length - 1 - ((ago * length as f64) as usize).min(length - 1)
            };
            if self.site == Site::Saas && !self.members.is_empty() && self.dice.chance(820) {
                let member = recent(&mut self.dice, self.members.len());
                let place = self.members[member];
                if self.visitors[place].stage != Stage::Gone {
                    return (place, true);
                }
            }
            let length = self.visitors.len();
            return (recent(&mut self.dice, length), true);
        }
        let visitor = self.newcomer();
        self.visitors.push(visitor);
        (self.visitors.len() - 1, false)
    }

    /// A browser not seen before. A few are second devices of people who have an account.
    fn newcomer(&mut self) -> Visitor {
        let newcomer = Visitor {
            anonymous_id: self.dice.bits(),
            agent: self.dice.weighted(AGENTS.iter().map(|agent| agent.weight)) as u8,
            country: self.dice.weighted(self.profile.countries.iter().map(|country| country.2)) as u8,
            way: self.dice.weighted(self.profile.ways.iter().map(Way::first_weight)) as u8,
            stage: Stage::Stranger,
            user: None,
            alias: None,
            seen: Seen::default(),
            orders: 0,
            first_order: None,
            last_order: None,
            plan: 0,
        };
        if self.members.is_empty() || !self.dice.chance(SECOND_DEVICES) {
            return newcomer;
        }
        let owner = self.visitors[*self.dice.pick(&self.members)].clone();
        let own = Visitor { anonymous_id: newcomer.anonymous_id, agent: newcomer.agent, way: newcomer.way, ..owner };
        match self.site {
            // Some do not remember that they have an account.
            Site::Shop if self.dice.chance(400) => Visitor { user: None, alias: own.alias.or(own.user), ..own },
            // A second device does not pay a second time.
            Site::Saas if own.stage != Stage::Customer => newcomer,
            Site::Shop | Site::Saas => own,
        }
    }

    fn how(&mut self, visitor: &Visitor, is_back: bool) -> &'static Way {
        let ways = self.profile.ways;
        if is_back && self.dice.chance(640) {
            let often = ways.iter().map(|way| if way.returns == Returns::Seldom { 0 } else { way.weight });
            return &ways[self.dice.weighted(often)];
        }
        &ways[usize::from(visitor.way)]
    }

    fn crawl(&mut self, start_us: i64, out: &mut Vec<Sent>) {
        let bot = self.dice.weighted(BOTS.iter().map(|bot| bot.1));
        let anonymous_id = format!("u_{:016x}", self.dice.bits());
        let guest = Guest { anonymous_id, user_id: None, agent: BOTS[bot].0, width: 1024, country: "US", way: None };
        let pages = self.profile.pages;
        let mut visit = Visit::begin(&mut self.dice, out, &self.template, self.profile.host, guest, start_us);
        for _ in 0..visit.dice.between(2, 12) {
            visit.open_one_of(pages);
            visit.wait(1, 20);
        }
    }

    fn plan_ahead(&mut self, place: usize, day: usize) {
        if let Some(due) = self.due.get_mut(day) {
            due.push(place);
        }
    }
}
