//! What one contact did: conversions and touchpoints, and page views one by one.

use schemars::JsonSchema;
use serde::Serialize;
use tributary_control::{PeopleOf, WorkspaceAccess};
use tributary_core::error::Result;
use tributary_core::event::Event;
use tributary_core::time::{TimeRange, format_utc};
use tributary_events::channel::is_direct;
use tributary_events::row_id::RowId;
use url::{Host, Url};

use super::amount::ExactAmount;
use super::told::{HINTS_URL, Kind, Order, shown_url};
use super::touchpoints::{Touchpoint, is_visit, source_of, touches_of};
use crate::service::Service;

/// Most entries of a journey; the newest.
pub const MAX_JOURNEY: usize = 1_000;
/// Most hits of a contact; the newest.
pub const MAX_HITS: usize = 1_000;

/// Something in a contact's journey.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
#[schemars(inline)]
pub enum JourneyEntry {
    /// A conversion.
    Conversion(JourneyConversion),
    /// A visit that may be credited.
    Touchpoint(JourneyTouchpoint),
}

/// A conversion in a journey.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct JourneyConversion {
    /// Its id.
    pub id: Option<u64>,
    /// The conversion's slug.
    pub event_name: String,
    /// What the workspace calls it.
    pub configured_name: String,
    /// The amount in the currency's unit, exact.
    pub amount: Option<ExactAmount>,
    /// ISO 4217 currency of the amount.
    pub currency: Option<String>,
    /// The order's id.
    pub order_id: Option<String>,
    /// What the order is called.
    pub order_name: Option<String>,
    /// Whether it was sold on top of another order.
    pub is_upsell: bool,
    /// The page's address, without personal parameters.
    pub event_url: Option<String>,
    /// When it happened, RFC 3339 in UTC.
    pub event_time_utc: String,
}

/// A touchpoint in a journey.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct JourneyTouchpoint {
    /// The page's address, without personal parameters.
    pub event_url: Option<String>,
    /// Where it came from.
    #[serde(flatten)]
    pub touchpoint: Touchpoint,
}

/// A page view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Hit {
    /// Host, path and query of the page.
    pub event_url: String,
    /// Host of the linking page.
    pub referrer_host: Option<String>,
    /// Traffic source, such as `facebook_ads`.
    pub source: String,
    /// ISO 3166-1 alpha-2 country.
    pub country: Option<String>,
    /// `mobile`, `tablet` or `desktop`.
    pub device_type: Option<String>,
    /// `chrome`, `firefox`, `safari`, `edge`, `opera`.
    pub browser: Option<String>,
    /// `windows`, `macos`, `android`, `ios`, `linux`.
    pub os: Option<String>,
    /// The event's name, such as `$pageview`.
    pub event_name: String,
    /// When it was, RFC 3339 in UTC.
    pub event_time_utc: String,
}

/// What is wanted of a contact's journey.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JourneyInput {
    /// Conversions and touchpoints.
    pub events: bool,
    /// Direct touchpoints among them.
    pub direct_touchpoints: bool,
    /// Page views.
    pub hits: bool,
}

/// A contact's journey, each list newest first; `None` where it was not asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ContactJourney {
    pub events: Option<Vec<JourneyEntry>>,
    pub hits: Option<Vec<Hit>>,
}

impl Service {
    /// What the person behind a visitor did; nothing without a visitor.
    pub(crate) async fn journey_of(
        &self,
        access: &WorkspaceAccess,
        visitor: Option<&String>,
        input: JourneyInput,
    ) -> Result<ContactJourney> {
        if !input.events && !input.hits {
            return Ok(ContactJourney::default());
        }
        let did = match visitor {
            Some(visitor) => {
                let slice = self.slice_of(access, TimeRange::ALL, PeopleOf::Contacts).await?;
                self.person_events(access, slice, visitor).await?
            }
            None => Vec::new(),
        };
        let directory = self.control.ad_directory(&access.scope).await?;
        let visits = || did.iter().map(|(_, event)| event).filter(|event| is_visit(event));
        let hits = input.hits.then(|| {
            let pages = visits().rev().filter_map(|visit| hit(visit, source_of(&directory, visit)));
            pages.take(MAX_HITS).collect()
        });
        if !input.events {
            return Ok(ContactJourney { events: None, hits });
        }
        let conversions = self.control.conversions(&access.scope).await?;
        let mut entries: Vec<(&Event, JourneyEntry)> = Vec::new();
        for touch in touches_of(visits()) {
            let touchpoint = Touchpoint::of(&directory, touch);
            if input.direct_touchpoints || !is_direct(&touchpoint.source) {
                entries.push((touch, JourneyEntry::Touchpoint(JourneyTouchpoint { event_url: shown_url(touch), touchpoint })));
            }
        }
        for (sequence, event) in &did {
            if let Some(Kind::Conversion(of_type)) = Kind::of(&conversions, event) {
                let order = Order::of(event);
                let conversion = JourneyConversion {
                    id: RowId::of(event.time_us, *sequence).map(RowId::get),
                    event_name: of_type.as_str().to_owned(),
                    configured_name: conversions.label_of(of_type).to_owned(),
                    amount: event.amount.map(|amount| ExactAmount(amount.micros.into())),
                    currency: event.amount.map(|amount| amount.currency.to_string()),
                    order_id: order.id,
                    order_name: order.name,
                    is_upsell: order.is_upsell,
                    event_url: shown_url(event),
                    event_time_utc: format_utc(event.time_us),
                };
                entries.push((event, JourneyEntry::Conversion(conversion)));
            }
        }
        // Stable: where a conversion is its own touch, the touch came first, and the newest stands first.
        entries.sort_by(|(one, _), (other, _)| one.order(other));
        let events = entries.into_iter().rev().take(MAX_JOURNEY).map(|(_, entry)| entry).collect();
        Ok(ContactJourney { events: Some(events), hits })
    }
}

/// A visit as a page view, if it saw a page.
fn hit(visit: &Event, source: String) -> Option<Hit> {
    let url = visit.url.as_deref().filter(|url| !url.starts_with(HINTS_URL)).or(visit.path.as_deref())?;
    let referrer = visit.referrer.as_deref().and_then(|referrer| Url::parse(referrer).ok());
    let without_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    Some(Hit {
        event_url: without_scheme.split_once('#').map_or(without_scheme, |(rest, _)| rest).to_owned(),
        referrer_host: referrer.as_ref().and_then(Url::host).map(|host: Host<&str>| host.to_string()),
        source,
        country: visit.country.clone(),
        device_type: visit.device_type.clone(),
        browser: visit.browser.clone(),
        os: visit.os.clone(),
        event_name: visit.name.clone(),
        event_time_utc: format_utc(visit.time_us),
    })
}
