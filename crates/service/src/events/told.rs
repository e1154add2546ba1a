//! What a stored event tells callers: its type, order, amount and address.

use serde_json::{Map, Value};
use tributary_control::{Conversions, CountsFrom};
use tributary_core::conversion::ConversionType;
use tributary_core::event::{Event, Origin};
use tributary_events::field::property;

use crate::metrics::catalogue::REFUND_EVENT;

/// Where hints are kept that came without an address: nobody was on a page, so none is shown.
pub const HINTS_URL: &str = "https://hints.invalid/";

/// The property that keeps the page of a conversion which shows no visit.
pub const PAGE_PROPERTY: &str = "event_url";

/// What people call a refund.
const REFUND_LABEL: &str = "Refund";

/// What an event is to marketing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Something worth paying for.
    Conversion(ConversionType),
    /// An order's money taken back. No conversion: it is listed only where it is asked for.
    Refund,
}

impl Kind {
    /// The kind a slug or a label names.
    pub fn resolve(conversions: &Conversions, text: &str) -> Option<Kind> {
        if text.trim() == REFUND_EVENT {
            return Some(Kind::Refund);
        }
        conversions.resolve(text).map(Kind::Conversion)
    }

    /// The kind of a stored event, if it is one that counts.
    pub fn of(conversions: &Conversions, event: &Event) -> Option<Kind> {
        if event.name == REFUND_EVENT && conversions.type_of(REFUND_EVENT).is_none() {
            // A public key cannot take money back.
            return (event.origin == Origin::Server).then_some(Kind::Refund);
        }
        let conversion = conversions.type_of(&event.name)?;
        let counts = event.origin == Origin::Server || conversions.settings(conversion).counts_from == CountsFrom::Any;
        counts.then_some(Kind::Conversion(conversion))
    }

    /// Its slug.
    pub fn slug(self) -> &'static str {
        match self {
            Kind::Conversion(conversion) => conversion.as_str(),
            Kind::Refund => REFUND_EVENT,
        }
    }

    /// What people call it.
    pub fn label(self, conversions: &Conversions) -> &str {
        match self {
            Kind::Conversion(conversion) => conversions.label_of(conversion),
            Kind::Refund => REFUND_LABEL,
        }
    }

    /// The names of events that may be of this kind.
    pub fn names(self, conversions: &Conversions) -> Vec<String> {
        match self {
            Kind::Conversion(conversion) => conversions.names_of(conversion),
            Kind::Refund => vec![String::from(REFUND_EVENT)],
        }
    }
}

/// What the properties of a conversion say about its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// The order's id.
    pub id: Option<String>,
    /// What the order is called.
    pub name: Option<String>,
    /// Whether it was sold on top of another order.
    pub is_upsell: bool,
}

impl Order {
    /// Reads an event's properties. Senders of other doors write ids as numbers, too.
    pub fn of(event: &Event) -> Order {
        let properties: Map<String, Value> =
            event.properties.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let text = |name: &str| match properties.get(name)? {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => None,
        };
        let is_upsell = event.name == ConversionType::UPSELL_PURCHASE.as_str()
            || properties.get("is_upsell").is_some_and(|value| *value == Value::Bool(true));
        Order { id: text("order_id"), name: text("order_name"), is_upsell }
    }
}

/// The page's address, where there was a page.
pub fn shown_url(event: &Event) -> Option<String> {
    let aside = || event.properties.as_deref().and_then(|text| property(text, PAGE_PROPERTY));
    event.url.clone().or_else(aside).filter(|url| !url.starts_with(HINTS_URL))
}
