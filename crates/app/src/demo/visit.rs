//! One visit as it is lived through: a clock that moves on, an address that changes, events that are sent.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use tributary_ingest::arrival::{Arrival, Channel};
use tributary_ingest::draft::Draft;
use tributary_ingest::properties::Properties;

use crate::demo::ads::Placement;
use crate::demo::dice::Dice;
use crate::demo::ledger::{Note, Seen};
use crate::demo::ways::Way;
use crate::demo::world::{AGENTS, Agent, Device};

/// An event on its way to the pipeline.
#[derive(Clone, Debug)]
pub struct Sent {
    /// The door it takes and what the request carries.
    pub arrival: Arrival,
    /// What it says.
    pub draft: Draft,
    /// What the demo knows of it beyond that, for the ledger.
    pub note: Option<Note>,
}

impl Sent {
    /// When it happened, microseconds.
    pub fn time_us(&self) -> i64 {
        self.draft.time_us.unwrap_or_default()
    }
}

/// Somebody the demo knows.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// What the browser calls itself.
    pub anonymous_id: u64,
    /// Place in [`AGENTS`].
    pub agent: u8,
    /// Place in the site's countries.
    pub country: u8,
    /// Place in the site's ways to arrive: how they came first.
    pub way: u8,
    /// How far they have come.
    pub stage: Stage,
    /// Number of the account, once they have one.
    pub user: Option<u32>,
    /// Number of the account on their other device, under whose mail address they open one here.
    pub alias: Option<u32>,
    /// The ads they have come by.
    pub seen: Seen,
    /// Orders so far.
    pub orders: u32,
    /// The day of the first.
    pub first_order: Option<Date>,
    /// The last.
    pub last_order: Option<Bought>,
    /// The plan they pay for, place in the site's plans.
    pub plan: u8,
}

/// An order somebody may send back.
#[derive(Clone, Copy, Debug)]
pub struct Bought {
    /// Its number.
    pub number: u32,
    /// What was paid, hundredths of the currency.
    pub cents: u64,
    /// ISO 4217.
    pub currency: &'static str,
}

/// How far somebody has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Looks around.
    Stranger,
    /// Has an account.
    Member,
    /// Has paid.
    Customer,
    /// Has left.
    Gone,
}

impl Visitor {
    /// The browser they use.
    pub fn agent(&self) -> &'static Agent {
        &AGENTS[usize::from(self.agent)]
    }

    /// Hundredths by which their device changes how often they buy.
    pub fn ease(&self) -> u64 {
        match self.agent().device {
            Device::Desktop => 125,
            Device::Tablet => 100,
            Device::Mobile => 72,
        }
    }

    /// Their id as the browser script writes it.
    pub fn id(&self) -> String {
        format!("u_{:016x}", self.anonymous_id)
    }
}

/// A visit under way.
pub struct Visit<'a> {
    /// The dice.
    pub dice: &'a mut Dice,
    /// Where events go.
    pub out: &'a mut Vec<Sent>,
    template: Arrival,
    host: &'static str,
    query: String,
    referrer: Option<String>,
    path: String,
    anonymous_id: String,
    user_id: Option<String>,
    width: u32,
    now_us: i64,
    /// The ad that brought the visit.
    pub placement: Option<Placement>,
    /// What the ledger is told with the next event.
    pub note: Option<Note>,
}

/// Who visits, from where, how.
pub struct Guest<'a> {
    /// The browser's id.
    pub anonymous_id: String,
    /// The account they are signed in to.
    pub user_id: Option<String>,
    /// The User-Agent header.
    pub agent: &'static str,
    /// Viewport width, pixels.
    pub width: u32,
    /// Country, as a proxy in front tells it.
    pub country: &'static str,
    /// How they arrive.
    pub way: Option<&'a Way>,
}

impl<'a> Visit<'a> {
    /// Begins a visit at an instant.
    pub fn begin(
        dice: &'a mut Dice,
        out: &'a mut Vec<Sent>,
        template: &Arrival,
        host: &'static str,
        guest: Guest<'_>,
        start_us: i64,
    ) -> Visit<'a> {
        let mut template = template.clone();
        template.channel = Channel::Publishable;
        template.user_agent = Some(guest.agent.to_owned());
        template.country_hint = Some(guest.country.to_owned());
        template.origin_host = Some(host.to_owned());
        let mut query = String::new();
        let mut referrer = None;
        let mut placement = None;
        if let Some(way) = guest.way {
            query = match way.some_ad(dice) {
                Some(ad) => {
                    placement = Some(ad);
                    address_of(ad, way.query)
                }
                None if way.campaigns.is_empty() => way.query.to_owned(),
                None => {
                    let campaign: &str = dice.pick::<&str>(way.campaigns);
                    way.query.replace("{campaign}", campaign)
                }
            };
            if query.contains("{id}") {
                query = query.replace("{id}", &dice.token(24));
            }
            referrer = (!way.referrers.is_empty()).then(|| (*dice.pick(way.referrers)).to_owned());
        }
        Visit {
            dice,
            out,
            template,
            host,
            query,
            referrer,
            path: String::from("/"),
            anonymous_id: guest.anonymous_id,
            user_id: guest.user_id,
            width: guest.width,
            now_us: start_us,
            placement,
            note: placement.map(Note::Arrived),
        }
    }

    /// Lets between `low` and `high` seconds pass.
    pub fn wait(&mut self, low: u64, high: u64) {
        self.now_us += self.dice.between(low * 1_000, high * 1_000) as i64 * 1_000;
    }

    /// The instant it is now, microseconds.
    pub fn now_us(&self) -> i64 {
        self.now_us
    }

    /// Opens a page: both sites are single-page applications that keep the query they were entered with.
    pub fn open(&mut self, path: &str) {
        path.clone_into(&mut self.path);
        let width = self.width;
        self.send("$pageview", &[("$viewport_w", Value::from(width))]);
    }

    /// Opens one of these pages.
    pub fn open_one_of(&mut self, paths: &[&str]) {
        let path = *self.dice.pick(paths);
        self.open(path);
    }

    /// Signs in: everything from now on carries the person.
    pub fn sign_in(&mut self, user_id: String, traits: &[(&str, Value)]) {
        self.user_id = Some(user_id);
        self.send("$identify", traits);
    }

    /// Whether they are signed in.
    pub fn is_signed_in(&self) -> bool {
        self.user_id.is_some()
    }

    /// The day it is now, in UTC as dates of contacts are.
    pub fn today(&self) -> Date {
        let now = Timestamp::from_microsecond(self.now_us).unwrap_or(Timestamp::UNIX_EPOCH);
        TimeZone::UTC.to_datetime(now).date()
    }

    /// Sends an event from the page that is open.
    pub fn send(&mut self, event: &str, properties: &[(&str, Value)]) {
        let separator = if self.query.is_empty() { "" } else { "?" };
        let draft = Draft {
            event: Some(event.to_owned()),
            time_us: Some(self.now_us),
            anonymous_id: Some(self.anonymous_id.clone()),
            user_id: self.user_id.clone(),
            url: Some(format!("https://{}{}{separator}{}", self.host, self.path, self.query)),
            referrer: self.referrer.clone(),
            properties: object(properties),
            ..Draft::default()
        };
        let mut arrival = self.template.clone();
        arrival.received_us = self.now_us + self.dice.between(60, 900) as i64 * 1_000;
        self.out.push(Sent { arrival, draft, note: self.note.take() });
        self.now_us += self.dice.between(200, 2_500) as i64 * 1_000;
    }
}

/// An event from the site's own server: no page, no browser.
pub fn from_server(
    template: &Arrival,
    event: &str,
    anonymous_id: String,
    user_id: Option<String>,
    time_us: i64,
    properties: &[(&str, Value)],
) -> Sent {
    let mut arrival = template.clone();
    arrival.channel = Channel::Secret;
    arrival.received_us = time_us + 40_000;
    Sent {
        arrival,
        draft: Draft {
            event: Some(event.to_owned()),
            time_us: Some(time_us),
            anonymous_id: Some(anonymous_id),
            user_id,
            properties: object(properties),
            ..Draft::default()
        },
        note: None,
    }
}

/// A template's query with the ids of an ad filled in.
fn address_of(placement: Placement, template: &str) -> String {
    template
        .replace("{campaign}", placement.campaign().tag)
        .replace("{campaign_id}", placement.campaign().id)
        .replace("{adset_id}", placement.ad_set().id)
        .replace("{ad_id}", placement.ad().0)
}

fn object(properties: &[(&str, Value)]) -> Option<Properties> {
    let fact = |(name, value): &(&str, Value)| ((*name).to_owned(), value.clone());
    (!properties.is_empty()).then(|| properties.iter().map(fact).collect::<Map<_, _>>().into())
}
