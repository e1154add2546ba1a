//! The body of `POST /public-api/v1/events/track`, read strictly: every problem at once, at its field.

use std::net::IpAddr;

use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use tributary_control::{Conversions, FieldInput, Slot, normalise_email};
use tributary_core::conversion::ConversionType;
use tributary_core::error::{Code, Result};
use tributary_core::money::{Currency, parse_micros};
use tributary_core::time::{SECOND_US, format_utc, parse_instant};
use tributary_ingest::steps::{EARLIEST_US, MAX_AHEAD_US, MAX_ID_CHARS, MAX_URL_CHARS, MAX_USER_AGENT_CHARS};

use super::told::Kind;
use crate::body::{object, shown};
use crate::problem::Problems;

/// Longest text of a field without a bound of its own, characters.
const MAX_TEXT_CHARS: usize = 255;
/// Longest tracking id, characters.
const MAX_TRACKING_ID_CHARS: usize = 256;

/// Attribution hints, in the order they are written into an address.
pub(super) const HINTS: [&str; 7] =
    ["comet_source", "comet_network", "comet_campaign", "comet_ad_group", "comet_ad_id", "comet_keyword", "comet_type"];

/// Every field but the thirty `profile_field_N` and the hints.
const FIELDS: [&str; 23] = [
    "event_name",
    "email",
    "comet_token",
    "fingerprint",
    "ip",
    "tracking_id",
    "full_name",
    "first_name",
    "last_name",
    "phone",
    "user_agent",
    "url",
    "event_time",
    "amount",
    "currency",
    "order_id",
    "order_name",
    "checkout_token",
    "is_upsell",
    "upsell_common_id",
    "idempotency_key",
    "do_not_capi",
    "refunded_at",
];

/// Fields that may come as whole numbers, too.
const NUMBERED: [&str; 4] = ["order_id", "tracking_id", "checkout_token", "upsell_common_id"];

/// What was sent, checked by itself.
pub(super) struct TrackBody {
    pub kind: Kind,
    pub email: Option<String>,
    pub tracking_id: Option<String>,
    pub comet_token: Option<String>,
    /// Always together.
    pub fingerprint: Option<(String, IpAddr)>,
    pub name: Option<String>,
    pub phone: Option<String>,
    pub user_agent: Option<String>,
    pub url: Option<String>,
    pub time_us: Option<i64>,
    pub micros: Option<i64>,
    pub currency: Option<Currency>,
    pub order_id: Option<String>,
    pub order_name: Option<String>,
    pub checkout_token: Option<String>,
    pub is_upsell: Option<bool>,
    pub upsell_common_id: Option<String>,
    pub hints: Vec<(&'static str, String)>,
    pub idempotency_key: Option<String>,
    pub do_not_capi: Option<bool>,
    pub refunded_us: Option<i64>,
    pub fields: Vec<(Slot, FieldInput)>,
}

impl TrackBody {
    /// Reads a body that arrived at a moment.
    pub fn read(body: &[u8], conversions: &Conversions, zone: &TimeZone, now_us: i64) -> Result<TrackBody> {
        let given = object(body)?;
        let mut problems = Problems::new();
        refuse_unknown(&given, &mut problems);
        let mut reader = Reader { given: &given, problems: &mut problems };
        let kind = reader.kind(conversions);
        let email = reader.email();
        let tracking_id = reader.text("tracking_id", MAX_TRACKING_ID_CHARS);
        let comet_token = reader.text("comet_token", MAX_ID_CHARS);
        let fingerprint = reader.fingerprint();
        let parts: Vec<String> =
            ["first_name", "last_name"].into_iter().filter_map(|name| reader.text(name, MAX_TEXT_CHARS)).collect();
        let full_name = reader.text("full_name", MAX_TEXT_CHARS);
        let name = full_name.or_else(|| (!parts.is_empty()).then(|| parts.join(" ")));
        let hints = HINTS.into_iter().filter_map(|name| Some((name, reader.text(name, MAX_TEXT_CHARS)?))).collect();
        let is_refund = kind == Some(Kind::Refund);
        if !is_refund && reader.value("refunded_at").is_some() {
            reader.problems.add("refunded_at", "is a field of refunds alone");
        }
        let read = TrackBody {
            kind: kind.unwrap_or(Kind::Refund),
            email,
            tracking_id,
            comet_token,
            fingerprint,
            name,
            phone: reader.text("phone", MAX_TEXT_CHARS),
            user_agent: reader.text("user_agent", MAX_USER_AGENT_CHARS),
            url: reader.text("url", MAX_URL_CHARS),
            time_us: reader.time("event_time", zone, now_us),
            micros: reader.amount(body),
            currency: reader.currency(),
            order_id: reader.text("order_id", MAX_TEXT_CHARS),
            order_name: reader.text("order_name", MAX_TEXT_CHARS),
            checkout_token: reader.text("checkout_token", MAX_TEXT_CHARS),
            is_upsell: reader.flag("is_upsell"),
            upsell_common_id: reader.text("upsell_common_id", MAX_TEXT_CHARS),
            hints,
            idempotency_key: reader.text("idempotency_key", MAX_TEXT_CHARS),
            do_not_capi: reader.flag("do_not_capi"),
            refunded_us: reader.time("refunded_at", zone, now_us),
            fields: reader.fields(),
        };
        // A refund of a known order is about whoever ordered.
        let names_an_order = is_refund && read.order_id.is_some();
        if !read.is_somebody() && !names_an_order {
            problems.add("email", NOBODY);
        }
        problems.check(Code::InvalidPayload)?;
        Ok(read.of_its_kind())
    }

    /// Whether anything says who it is about.
    pub fn is_somebody(&self) -> bool {
        self.email.is_some() || self.tracking_id.is_some() || self.comet_token.is_some() || self.fingerprint.is_some()
    }

    /// An upsell is a type of its own.
    fn of_its_kind(mut self) -> Self {
        match self.kind {
            Kind::Conversion(ConversionType::PURCHASE) if self.is_upsell == Some(true) => {
                self.kind = Kind::Conversion(ConversionType::UPSELL_PURCHASE);
            }
            Kind::Conversion(ConversionType::UPSELL_PURCHASE) => self.is_upsell = Some(true),
            Kind::Conversion(_) | Kind::Refund => {}
        }
        self
    }
}

/// What is missing where nothing says who an event is about.
pub(super) const NOBODY: &str =
    "at least one of email, comet_token, tracking_id, or fingerprint together with ip is needed to tell who it is about";

fn refuse_unknown(given: &Map<String, Value>, problems: &mut Problems) {
    let is_known = |name: &str| FIELDS.contains(&name) || HINTS.contains(&name) || Slot::parse(name).is_some();
    for name in given.keys().filter(|name| !is_known(name)) {
        let fields = [&FIELDS[..], &HINTS[..]].concat().join(", ");
        let slots = Slot::COUNT;
        problems.add(
            shown(name),
            format!("is not a field of this body. Allowed: {fields}, profile_field_1 to profile_field_{slots}."),
        );
    }
}

struct Reader<'a> {
    given: &'a Map<String, Value>,
    problems: &'a mut Problems,
}

impl<'a> Reader<'a> {
    /// What was sent; `null` counts as not sent.
    fn value(&self, name: &str) -> Option<&'a Value> {
        self.given.get(name).filter(|value| !value.is_null())
    }

    fn text(&mut self, name: &'static str, max_chars: usize) -> Option<String> {
        let text = match self.value(name)? {
            Value::String(text) => text.trim().to_owned(),
            // Ids are numbers to many a shop.
            Value::Number(number) if number.is_u64() && NUMBERED.contains(&name) => number.to_string(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                self.problems.add(name, "must be text");
                return None;
            }
        };
        let length = text.chars().count();
        let problem = match length {
            0 => "must not be empty; leave it out instead".to_owned(),
            _ if length > max_chars => format!("must have at most {max_chars} characters, got {length}"),
            _ if text.chars().any(char::is_control) => "must not hold control characters".to_owned(),
            _ => return Some(text),
        };
        self.problems.add(name, problem);
        None
    }

    fn kind(&mut self, conversions: &Conversions) -> Option<Kind> {
        if self.value("event_name").is_none() {
            self.problems.add("event_name", "is required, such as purchase");
            return None;
        }
        let name = self.text("event_name", MAX_TEXT_CHARS)?;
        let kind = Kind::resolve(conversions, &name);
        if kind.is_none() {
            let standard: Vec<&str> =
                ConversionType::all().filter(|of_type| !of_type.is_custom()).map(ConversionType::as_str).collect();
            let accepted = format!("{}, custom_event_1 to custom_event_50 or their labels, refund", standard.join(", "));
            self.problems.add("event_name", format!("`{}` is no conversion. Allowed: {accepted}.", shown(&name)));
        }
        kind
    }

    fn email(&mut self) -> Option<String> {
        let email = normalise_email(&self.text("email", MAX_TEXT_CHARS)?);
        if email.is_none() {
            self.problems.add("email", "is not an e-mail address");
        }
        email
    }

    fn fingerprint(&mut self) -> Option<(String, IpAddr)> {
        let (has_fingerprint, has_ip) = (self.value("fingerprint").is_some(), self.value("ip").is_some());
        let (fingerprint, ip) = (self.text("fingerprint", MAX_TEXT_CHARS), self.text("ip", MAX_TEXT_CHARS));
        let address = ip.as_deref().and_then(|ip| ip.parse::<IpAddr>().ok());
        if ip.is_some() && address.is_none() {
            self.problems.add("ip", "must be an IPv4 or IPv6 address such as 203.0.113.7");
        }
        if has_fingerprint != has_ip {
            let missing = if has_ip { "fingerprint" } else { "ip" };
            self.problems.add(missing, "is required: fingerprint and ip identify a visitor together");
        }
        fingerprint.zip(address)
    }

    /// ISO 8601, or Unix seconds as a number or as text.
    fn time(&mut self, name: &'static str, zone: &TimeZone, now_us: i64) -> Option<i64> {
        let text = match self.value(name)? {
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => String::new(),
        };
        let time_us = match parse_micros(&text) {
            Ok(seconds_us) => Some(seconds_us),
            Err(_) => parse_instant(&text, zone).ok(),
        };
        let Some(time_us) = time_us else {
            let told = format!("`{}` is no time. Allowed: ISO 8601 such as 2026-05-01T12:00:00Z, or Unix seconds.", shown(&text));
            self.problems.add(name, told);
            return None;
        };
        if time_us < EARLIEST_US {
            self.problems.add(name, "must not be before 2000-01-01T00:00:00Z; Unix times are in seconds");
        } else if time_us > now_us.saturating_add(MAX_AHEAD_US) {
            let now = format_utc(now_us / SECOND_US * SECOND_US);
            let told = format!("must not be more than 24 hours ahead of the server's time, {now}; Unix times are in seconds");
            self.problems.add(name, told);
        }
        Some(time_us)
    }

    /// The amount as it was written: reading it as a number first would round it.
    fn amount(&mut self, body: &[u8]) -> Option<i64> {
        #[derive(Deserialize)]
        struct Amount<'b> {
            #[serde(borrow)]
            amount: Option<&'b RawValue>,
        }
        let text = match self.value("amount")? {
            Value::String(text) => text.clone(),
            Value::Number(_) => match serde_json::from_slice::<Amount<'_>>(body) {
                Ok(written) => written.amount.map(|written| written.get().to_owned())?,
                Err(_) => {
                    self.problems.add("amount", "stands there twice");
                    return None;
                }
            },
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => String::new(),
        };
        match parse_micros(&text) {
            Ok(micros) if micros >= 0 => Some(micros),
            Ok(_) => {
                self.problems.add("amount", "must not be negative; send money that was paid back as the event refund");
                None
            }
            Err(_) => {
                let told = "must be a number, or a text that holds one, with at most six decimals and without an exponent, below 9223372036854";
                self.problems.add("amount", told);
                None
            }
        }
    }

    fn currency(&mut self) -> Option<Currency> {
        let text = self.text("currency", MAX_TEXT_CHARS)?;
        self.problems.take("currency", text.parse())
    }

    fn flag(&mut self, name: &'static str) -> Option<bool> {
        match self.value(name)? {
            Value::Bool(flag) => Some(*flag),
            _ => {
                self.problems.add(name, "must be true or false");
                None
            }
        }
    }

    fn fields(&mut self) -> Vec<(Slot, FieldInput)> {
        let mut fields = Vec::new();
        for (name, value) in self.given {
            let Some(slot) = Slot::parse(name) else { continue };
            match value {
                Value::Null => {}
                Value::String(text) if text.is_empty() => {}
                Value::String(text) => fields.push((slot, FieldInput::Text(text.clone()))),
                Value::Number(number) => fields.push((slot, FieldInput::Number(number.as_f64().unwrap_or(f64::NAN)))),
                Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
                    self.problems.add(name.as_str(), format!("must be a {} or null", slot.kind().as_str()));
                }
            }
        }
        fields
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mappings::rule;

    /// What a webhook rule makes is sent here.
    #[test]
    fn every_field_of_a_webhook_rule_is_a_field_of_this_body() {
        let given: Map<String, Value> = rule::field_names().map(|name| (name.to_owned(), Value::Null)).collect();
        let mut problems = Problems::new();
        refuse_unknown(&given, &mut problems);
        assert_eq!(problems.check(Code::InvalidPayload).map_err(|error| error.message().to_owned()), Ok(()));
    }
}
