//! Taking in a conversion that a server reports.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use tributary_boxed::boxed;
use tributary_control::{Identification, WorkspaceAccess};
use tributary_core::conversion::ConversionType;
use tributary_core::error::{Code, Error, Result};
use tributary_core::event::{Event, Origin};
use tributary_core::money::{Money, format_micros};
use tributary_core::time::{TimeRange, format_utc};
use tributary_events::answer::Answer;
use tributary_events::channel::{channel, is_direct};
use tributary_events::field::Field;
use tributary_events::filter::{Filter, Test};
use tributary_events::question::{Bots, Question, RowOrder, Rows, Slice};
use tributary_events::store::Outcome;
use tributary_ingest::arrival::Arrival;
use tributary_ingest::draft::{Context, Draft};
use tributary_ingest::steps::MAX_ID_CHARS;
use url::form_urlencoded;

use super::told::{HINTS_URL, Kind, PAGE_PROPERTY};
use super::track_body::{NOBODY, TrackBody};
use crate::answer::other_question;
use crate::problem::Problems;
use crate::service::Service;

/// Largest body, decompressed, bytes: fifteen texts of 10,240 characters, escaped.
pub const MAX_TRACK_CONVERSION_BODY: usize = crate::contact_body::MAX_CONTACT_BODY;

/// The status of an event taken in.
const ACCEPTED: u16 = 202;

/// What became of a conversion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ConversionTracked {
    /// Always 202.
    pub status: u16,
    /// Whether it was taken in or had been before.
    pub message: String,
    /// Whether it had been taken in before.
    #[serde(skip)]
    pub is_duplicate: bool,
}

impl ConversionTracked {
    fn new(message: &str, is_duplicate: bool) -> Self {
        Self { status: ACCEPTED, message: message.to_owned(), is_duplicate }
    }
}

impl Service {
    /// Takes in the body of `POST /public-api/v1/events/track`. Answers after the event is durable and visible; one that was
    /// taken in before, by its order or its idempotency key, changes nothing and is said to be a duplicate.
    #[boxed]
    pub async fn track_conversion(&self, access: &WorkspaceAccess, body: &[u8], arrival: &Arrival) -> Result<ConversionTracked> {
        let workspace = access.workspace.id;
        let tracked = self.take_conversion(access, body, arrival).await;
        tracked.inspect_err(|error| self.note_refused(workspace, error))
    }

    async fn take_conversion(&self, access: &WorkspaceAccess, body: &[u8], arrival: &Arrival) -> Result<ConversionTracked> {
        let conversions = self.control.conversions(&access.scope).await?;
        let mut read = TrackBody::read(body, &conversions, &arrival.zone, arrival.received_us)?;
        if let Some(key) = &read.idempotency_key
            && self.control.is_key_used(&access.scope, key).await?
        {
            return Ok(ConversionTracked::new("Duplicate: this idempotency_key was processed before; nothing changed.", true));
        }
        let order = match (&read.order_id, read.kind) {
            (Some(order_id), Kind::Refund) => self.find_order(access, order_id).await?,
            _ => None,
        };
        if order.is_none() && !read.is_somebody() {
            let mut problems = Problems::new();
            problems.add("order_id", "names no order that was taken in");
            problems.add("email", NOBODY);
            return Err(problems.into_error(Code::InvalidPayload));
        }
        let draft = draft(&mut read, order.as_ref(), access, arrival.received_us);
        // Everything is checked before anything is written.
        let mut event = self.pipeline.event(draft, arrival)?;
        if is_direct(channel(&event.source, &event.medium)) {
            put_page_aside(&mut event);
        }
        event.anonymous_id = self.visitor(access, &read, order.as_ref(), event.time_us).await?;
        let appended = self.append(access, Ok(vec![event]), arrival.received_us).await?;
        // After the append: a crash in between loses no event, and its id keeps it from counting twice.
        if let Some(key) = &read.idempotency_key {
            self.control.note_key(&access.scope, key).await?;
        }
        match appended.outcomes.as_slice() {
            [Outcome::Accepted] => Ok(ConversionTracked::new("Event accepted.", false)),
            [Outcome::Duplicate] => {
                Ok(ConversionTracked::new("Duplicate: this event was taken in before; the earlier one stays.", true))
            }
            _ => Err(Error::internal("the event store did not say what became of the event")),
        }
    }

    /// The visitor an event is of; what the event tells about the person behind is written down first.
    async fn visitor(&self, access: &WorkspaceAccess, read: &TrackBody, order: Option<&Event>, time_us: i64) -> Result<String> {
        let sent = match (&read.comet_token, &read.fingerprint) {
            (Some(token), _) => Some(token.clone()),
            (None, Some((fingerprint, ip))) => Some(derived(access, &["fingerprint", fingerprint, &ip.to_string()])),
            (None, None) => None,
        };
        let told = Identification {
            email: read.email.clone(),
            tracking_id: read.tracking_id.clone(),
            // Whoever gives an order back has not browsed: the order's visitor is known already.
            visitors: if order.is_some() { Vec::new() } else { sent.clone().into_iter().collect() },
            names: read.name.clone().into_iter().collect(),
            phones: read.phone.clone().into_iter().collect(),
            fields: read.fields.clone(),
            seen_us: time_us,
            via: String::from("events/track"),
            ..Identification::default()
        };
        let is_told = told.email.is_some() || told.tracking_id.is_some() || !told.visitors.is_empty();
        let contact = if is_told { Some(self.control.identify(&access.scope, told).await?) } else { None };
        if let Some(order) = order {
            return Ok(order.anonymous_id.clone());
        }
        if let Some(visitor) = sent {
            return Ok(visitor);
        }
        let contact = contact.ok_or_else(|| Error::internal("an event about nobody was let through"))?;
        let newest = self.control.get_contact(&access.scope, contact).await?.visitors.into_iter().next();
        if let Some(visitor) = newest {
            return Ok(visitor);
        }
        let strongest = match (&read.email, &read.tracking_id) {
            (Some(email), _) => ["email", email],
            (None, tracking_id) => ["tracking_id", tracking_id.as_deref().unwrap_or_default()],
        };
        let visitor = derived(access, &strongest);
        let tie = Identification {
            email: read.email.clone(),
            tracking_id: read.tracking_id.clone(),
            visitors: vec![visitor.clone()],
            seen_us: time_us,
            via: String::from("events/track"),
            ..Identification::default()
        };
        self.control.identify(&access.scope, tie).await?;
        Ok(visitor)
    }

    /// The order a refund is of, if it was taken in by this door.
    async fn find_order(&self, access: &WorkspaceAccess, order_id: &str) -> Result<Option<Event>> {
        let types = [ConversionType::PURCHASE, ConversionType::UPSELL_PURCHASE];
        let ids = types.map(|of_type| order_event_id(of_type.as_str(), order_id));
        let slice = Slice { bots: Bots::Include, ..Slice::of(TimeRange::ALL) }
            .with(Filter { field: Field::EventName, test: Test::Is(types.map(|of_type| of_type.to_string()).into()) })
            .with(Filter::is(Field::Origin, Origin::Server.as_str()))
            .with(Filter { field: Field::EventId, test: Test::Is(ids.into()) });
        let question = Rows { slice, order: RowOrder::NewestFirst, limit: 2, count_up_to: 2, after: None, only: None };
        match self.events.ask(&access.scope, Question::Rows(question), self.budget).await?.answer {
            // An order goes before its upsell.
            Answer::Rows(found) => Ok(found.rows.into_iter().min_by(|one, other| one.name.cmp(&other.name))),
            _ => Err(other_question()),
        }
    }
}

/// The event as the pipeline reads it. Its visitor is not known yet: a made-up one holds the place.
fn draft(read: &mut TrackBody, order: Option<&Event>, access: &WorkspaceAccess, now_us: i64) -> Draft {
    let slug = read.kind.slug();
    let own_us = read.time_us.unwrap_or(now_us);
    let is_refund = read.kind == Kind::Refund;
    let event_id = match (&read.idempotency_key, &read.order_id) {
        // Several refunds of one order are told apart by their keys.
        (Some(key), _) if is_refund => Some(bounded_id("key:", key)),
        (_, Some(order_id)) => Some(order_event_id(slug, order_id)),
        (Some(key), None) => Some(bounded_id("key:", key)),
        (None, None) => None,
    };
    // An order given back without an amount is given back whole.
    let whole = order.and_then(|order| order.amount);
    let amount = match (read.micros, whole) {
        (Some(micros), whole) => {
            let currency = read.currency.or(whole.map(|whole| whole.currency)).unwrap_or(access.workspace.currency);
            Some(Money { micros, currency })
        }
        (None, whole) => whole,
    };
    let mut properties = Map::new();
    let mut put = |name: &str, value: Option<Value>| properties.extend(value.map(|value| (name.to_owned(), value)));
    put("order_id", read.order_id.take().map(Value::from));
    put("order_name", read.order_name.take().map(Value::from));
    put("checkout_token", read.checkout_token.take().map(Value::from));
    put("upsell_common_id", read.upsell_common_id.take().map(Value::from));
    put("is_upsell", read.is_upsell.map(Value::from));
    put("do_not_capi", read.do_not_capi.map(Value::from));
    put("amount", amount.map(|amount| format_micros(i128::from(amount.micros)).into()));
    put("currency", amount.map(|amount| amount.currency.as_str().into()));
    put("refunded_at", is_refund.then(|| format_utc(read.refunded_us.unwrap_or(own_us)).into()));
    let context = Context { ip: read.fingerprint.as_ref().map(|(_, ip)| ip.to_string()), user_agent: read.user_agent.take() };
    Draft {
        event: Some(slug.to_owned()),
        event_id,
        // Dated as the order, a refund is credited to the touches the order is credited to.
        time_us: Some(order.map_or(own_us, |order| order.time_us)),
        // And it is no visit: one between would take the credit.
        url: if order.is_some() { None } else { with_hints(read.url.take(), &read.hints) },
        properties: Some(properties.into()),
        context: Some(context),
        ..Draft::default()
    }
}

/// Keeps the page a server names with the order alone: nobody came from anywhere then, and a direct visit at the very moment of
/// the order would take the credit from whatever led to it.
fn put_page_aside(event: &mut Event) {
    event.path = None;
    let Some(url) = event.url.take() else { return };
    let properties = event.properties.as_deref().and_then(|text| serde_json::from_str::<Map<String, Value>>(text).ok());
    let mut properties = properties.unwrap_or_default();
    properties.insert(String::from(PAGE_PROPERTY), Value::from(url));
    event.properties = Some(Value::Object(properties).to_string());
}

/// The id of an event about an order: it counts once for each type.
fn order_event_id(slug: &str, order_id: &str) -> String {
    bounded_id(&format!("order:{slug}:"), order_id)
}

/// An id no longer than an event's may be: of what is longer, a hash.
fn bounded_id(prefix: &str, id: &str) -> String {
    let whole = format!("{prefix}{id}");
    if whole.chars().count() <= MAX_ID_CHARS {
        return whole;
    }
    format!("{prefix}sha256:{}", hex::encode(Sha256::digest(id.as_bytes())))
}

/// A visitor made of what identifies somebody: always the same one in a workspace, and no way back.
fn derived(access: &WorkspaceAccess, parts: &[&str]) -> String {
    let mut hasher = Sha256::new().chain_update(b"tributary visitor of conversion\0").chain_update(access.workspace.uuid);
    for part in parts {
        hasher.update(part.as_bytes());
        hasher.update([0]);
    }
    hex::encode(&hasher.finalize()[..16])
}

/// The address with the hints it does not hold yet; without an address, one that stands for none.
fn with_hints(url: Option<String>, hints: &[(&'static str, String)]) -> Option<String> {
    if hints.is_empty() {
        return url;
    }
    let url = url.unwrap_or_else(|| HINTS_URL.to_owned());
    let (rest, fragment) = url.split_once('#').map_or((url.as_str(), None), |(rest, fragment)| (rest, Some(fragment)));
    let query = rest.split_once('?').map(|(_, query)| query);
    let held: Vec<String> =
        form_urlencoded::parse(query.unwrap_or_default().as_bytes()).map(|(name, _)| name.into_owned()).collect();
    let mut added = form_urlencoded::Serializer::new(String::new());
    for (name, value) in hints.iter().filter(|(name, _)| !held.iter().any(|held| held == name)) {
        added.append_pair(name, value);
    }
    let added = added.finish();
    let mark = match query {
        _ if added.is_empty() => "",
        None => "?",
        Some("") => "",
        Some(_) => "&",
    };
    let fragment = fragment.map_or_else(String::new, |fragment| format!("#{fragment}"));
    Some(format!("{rest}{mark}{added}{fragment}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_are_added_where_they_are_missing() {
        let hints = [("comet_source", String::from("facebook")), ("comet_ad_id", String::from("1 2"))];
        for (url, expected) in [
            (None, "https://hints.invalid/?comet_source=facebook&comet_ad_id=1+2"),
            (Some("https://a.example/x"), "https://a.example/x?comet_source=facebook&comet_ad_id=1+2"),
            (Some("https://a.example/x?#t"), "https://a.example/x?comet_source=facebook&comet_ad_id=1+2#t"),
            (Some("https://a.example/?comet_source=g&b=1"), "https://a.example/?comet_source=g&b=1&comet_ad_id=1+2"),
            (Some("https://a.example/?comet_ad_id=&comet_source=g"), "https://a.example/?comet_ad_id=&comet_source=g"),
        ] {
            assert_eq!(with_hints(url.map(String::from), &hints).as_deref(), Some(expected));
        }
        assert_eq!(with_hints(None, &[]), None);
    }

    #[test]
    fn ids_of_orders_fit() {
        assert_eq!(order_event_id("purchase", "99812"), "order:purchase:99812");
        let long = order_event_id("upsell_purchase", &"9".repeat(255));
        assert!(long.starts_with("order:upsell_purchase:sha256:") && long.len() <= MAX_ID_CHARS, "{long}");
        assert_ne!(long, order_event_id("upsell_purchase", &"9".repeat(254)));
    }
}
