//! The dimensions of an event, declared once: name, description, how to read it.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;

use tributary_core::ads::AdLevel;
use tributary_core::event::{Event, Origin};

use crate::ad_parameters::ad_parameter;
use crate::channel::{channel, is_direct};

/// Something of an event that can be filtered on and grouped by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Field {
    /// The event's name.
    EventName,
    /// The visitor.
    AnonymousId,
    /// The signed-in person.
    UserId,
    /// The session, the caller's or the derived one.
    SessionId,
    /// The caller's event id.
    EventId,
    /// `browser` or `server`.
    Origin,
    /// Classified source.
    Source,
    /// Classified medium.
    Medium,
    /// Campaign.
    Campaign,
    /// `low`, `medium`, `high`.
    SourceConfidence,
    /// The classifier rule.
    SourceRuleId,
    /// Country code.
    Country,
    /// Device type.
    DeviceType,
    /// Browser.
    Browser,
    /// Operating system.
    Os,
    /// Page address.
    Url,
    /// Page path.
    Path,
    /// Linking page.
    Referrer,
    /// Traffic source as one slug, see [`crate::channel`].
    Channel,
    /// Whether the event shows that somebody came to the site: `true`, or absent. See [`is_visit`].
    Visit,
    /// Platform id of the campaign that the page's address names, see [`crate::ad_parameters`].
    CampaignId,
    /// Platform id of the ad set.
    AdSetId,
    /// Platform id of the ad.
    AdId,
    /// Why the event is taken for a bot's.
    Bot,
    /// Currency of the typed amount.
    Currency,
    /// A key of `properties`. Nested keys are reached with dots: `cart.currency`. A literal key containing a dot wins over
    /// the nested reading. Strings read as they are, numbers and booleans as JSON writes them, objects and arrays as
    /// compact JSON text, `null` as absent.
    Property(String),
    /// What the question knows of the event's visitor under this name, see [`crate::traits::Trait`]. Callers cannot name it.
    Trait(String),
}

/// One entry of the catalogue.
#[derive(Clone, Debug)]
pub struct Dimension {
    /// The name callers use.
    pub name: &'static str,
    /// The field behind it.
    pub field: Field,
    /// What it holds, for schemas and docs.
    pub description: &'static str,
}

macro_rules! dimensions {
    ($($name:literal $field:ident $description:literal;)*) => {
        /// Every named dimension, in the order shown to readers. `properties.<key>` comes on top.
        pub const DIMENSIONS: &[Dimension] = &[$(Dimension { name: $name, field: Field::$field, description: $description }),*];
    };
}

dimensions! {
    "event_name" EventName "name of the event";
    "source" Source "classified traffic source, such as google, facebook, newsletter, direct";
    "medium" Medium "classified medium: paid, organic, social, email, referral, direct, or a free utm_medium";
    "campaign" Campaign "utm_campaign";
    "country" Country "ISO 3166-1 alpha-2 country code";
    "device_type" DeviceType "mobile, tablet or desktop";
    "browser" Browser "chrome, firefox, safari, edge or opera";
    "os" Os "windows, macos, android, ios or linux";
    "path" Path "path of the page";
    "url" Url "address of the page";
    "referrer" Referrer "address of the linking page";
    "channel" Channel "traffic source as one slug: facebook_ads, google_organic, email, referral, direct, ...";
    "visit" Visit "true for events that show a visit to the site, absent for others, such as a server's own";
    "campaign_id" CampaignId "platform id of the ad campaign, from the page's address";
    "adset_id" AdSetId "platform id of the ad set or ad group, from the page's address";
    "ad_id" AdId "platform id of the ad, from the page's address";
    "anonymous_id" AnonymousId "visitor";
    "user_id" UserId "signed-in person, as the sender names them";
    "session_id" SessionId "session: the sender's, or visitor and half-hour clock bucket";
    "event_id" EventId "the sender's id of the event";
    "origin" Origin "browser (publishable key) or server (secret key, MCP, import)";
    "source_confidence" SourceConfidence "how sure the classifier is: low, medium, high";
    "source_rule_id" SourceRuleId "classifier rule that decided source and medium";
    "bot" Bot "why the event is taken for a bot's, with rule version; absent for people";
    "currency" Currency "ISO 4217 currency of the typed amount";
}

impl Field {
    /// Reads a caller's name: one of [`DIMENSIONS`], or `properties.<key>`.
    pub fn parse(name: &str) -> Option<Field> {
        if let Some(key) = name.strip_prefix("properties.") {
            return (!key.is_empty() && key.len() <= 256).then(|| Field::Property(key.to_owned()));
        }
        DIMENSIONS.iter().find(|dimension| dimension.name == name).map(|dimension| dimension.field.clone())
    }

    /// The caller's name of this field.
    pub fn name(&self) -> Cow<'static, str> {
        if let Field::Property(key) = self {
            return Cow::Owned(format!("properties.{key}"));
        }
        if let Field::Trait(name) = self {
            return Cow::Owned(format!("trait.{name}"));
        }
        DIMENSIONS
            .iter()
            .find(|dimension| dimension.field == *self)
            .map(|dimension| Cow::Borrowed(dimension.name))
            .expect("every field but properties and traits stands in the catalogue; a test holds it")
    }

    /// The field's value, `None` when absent. An event knows no traits: [`crate::question::Slice::value_of`] reads those, too.
    pub fn of<'a>(&self, event: &'a Event) -> Option<Cow<'a, str>> {
        fn text(value: &Option<String>) -> Option<Cow<'_, str>> {
            value.as_deref().map(Cow::Borrowed)
        }
        fn ad(event: &Event, level: AdLevel) -> Option<Cow<'_, str>> {
            event.url.as_deref().and_then(|url| ad_parameter(url, level)).map(Cow::Owned)
        }
        match self {
            Field::EventName => Some(Cow::Borrowed(&event.name)),
            Field::AnonymousId => Some(Cow::Borrowed(&event.anonymous_id)),
            Field::UserId => text(&event.user_id),
            Field::SessionId => Some(Cow::Owned(event.session_id())),
            Field::EventId => text(&event.event_id),
            Field::Origin => Some(Cow::Borrowed(event.origin.as_str())),
            Field::Source => Some(Cow::Borrowed(&event.source)),
            Field::Medium => Some(Cow::Borrowed(&event.medium)),
            Field::Campaign => text(&event.campaign),
            Field::SourceConfidence => Some(Cow::Borrowed(event.source_confidence.as_str())),
            Field::SourceRuleId => Some(Cow::Borrowed(&event.source_rule_id)),
            Field::Country => text(&event.country),
            Field::DeviceType => text(&event.device_type),
            Field::Browser => text(&event.browser),
            Field::Os => text(&event.os),
            Field::Url => text(&event.url),
            Field::Path => text(&event.path),
            Field::Referrer => text(&event.referrer),
            Field::Channel => Some(Cow::Borrowed(channel(&event.source, &event.medium))),
            Field::Visit => {
                let channel = channel(&event.source, &event.medium);
                is_visit(event.origin == Origin::Browser, event.path.is_some(), channel).then_some(Cow::Borrowed(VISIT))
            }
            Field::CampaignId => ad(event, AdLevel::Campaign),
            Field::AdSetId => ad(event, AdLevel::AdSet),
            Field::AdId => ad(event, AdLevel::Ad),
            Field::Bot => text(&event.bot),
            Field::Currency => event.amount.map(|amount| Cow::Owned(amount.currency.to_string())),
            Field::Trait(_) => None,
            Field::Property(key) => event.properties.as_deref().and_then(|json| property(json, key)).map(Cow::Owned),
        }
    }
}

/// The value of [`Field::Visit`].
pub const VISIT: &str = "true";

/// Whether an event shows a visit: it was sent by a browser, or names a page, or says how the visitor came. What a server sends
/// on its own, a payment for example, has none of these and must not pass for a direct visit.
pub fn is_visit(is_from_browser: bool, has_page: bool, channel: &str) -> bool {
    is_from_browser || has_page || !is_direct(channel)
}

/// Reads one property out of stored JSON object text; see [`Field::Property`] for the rules.
pub fn property(json: &str, key: &str) -> Option<String> {
    let object: serde_json::Value = serde_json::from_str(json).ok()?;
    let literal = object.get(key);
    let value = literal.or_else(|| key.split('.').try_fold(&object, |value, part| value.get(part)))?;
    match value {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for dimension in DIMENSIONS {
            assert_eq!(Field::parse(dimension.name), Some(dimension.field.clone()));
            assert_eq!(dimension.field.name(), dimension.name);
        }
        assert_eq!(Field::parse("properties.plan"), Some(Field::Property("plan".into())));
        assert_eq!(Field::parse("properties."), None);
        assert_eq!(Field::parse("ip_hash"), None);
    }

    #[test]
    fn traits_have_a_name_that_nobody_can_ask_for() {
        let known = Field::Trait(String::from("plan"));
        assert_eq!(known.name(), "trait.plan");
        assert_eq!(Field::parse("trait.plan"), None);
        assert_eq!(serde_json::to_string(&known).expect("fields serialise"), r#"{"Trait":"plan"}"#);
    }

    #[test]
    fn properties_read_as_text() {
        let json = r#"{"a":"x","n":1.5,"b":true,"z":null,"o":{"k":[1,2]},"o.k":"literal"}"#;
        for (key, value) in [
            ("a", Some("x")),
            ("n", Some("1.5")),
            ("b", Some("true")),
            ("z", None),
            ("o", Some(r#"{"k":[1,2]}"#)),
            ("o.k", Some("literal")),
            ("nope", None),
        ] {
            assert_eq!(property(json, key).as_deref(), value, "{key}");
        }
    }
}
