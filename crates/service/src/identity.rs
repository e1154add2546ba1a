//! Who events are about: ties between visitors and contacts, and the people questions count.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value};
use tributary_boxed::boxed;
use tributary_control::{Control, FieldInput, Identification, PeopleOf, Slot};
use tributary_core::error::Result;
use tributary_core::event::Event;
use tributary_core::ids::WorkspaceId;
use tributary_core::scope::WorkspaceScope;
use tributary_events::people::People;
use tributary_ingest::parse::IDENTIFY_EVENT;

use crate::service::Service;

/// Most workspaces whose people are kept; beyond it the memory starts over.
const MAX_KEPT: usize = 1_000;

/// Ties visitors to the signed-in people that events name, before the events are acknowledged. Events without a `user_id`, and
/// bots, tell nothing and cost nothing; a tie that is known costs no statement.
#[boxed]
pub async fn note_people(control: &Control, scope: &WorkspaceScope, events: &[Event]) -> Result<()> {
    let told: Vec<Identification> = events.iter().filter_map(identification).collect();
    if told.is_empty() {
        return Ok(());
    }
    control.identify_seen(scope, told).await
}

/// What an event tells about a person. Of the traits of `$identify`, those of a wrong form are passed over.
fn identification(event: &Event) -> Option<Identification> {
    let user_id = event.user_id.clone().filter(|_| event.bot.is_none())?;
    let is_identify = event.name == IDENTIFY_EVENT;
    let way = if is_identify { "identify" } else { "event" };
    let mut told = Identification {
        user_id: Some(user_id),
        visitors: vec![event.anonymous_id.clone()],
        seen_us: event.time_us,
        via: format!("{way}, {}", event.origin.as_str()),
        ..Identification::default()
    };
    let traits = event.properties.as_deref().filter(|_| is_identify);
    if let Some(traits) = traits.and_then(|text| serde_json::from_str::<Map<String, Value>>(text).ok()) {
        add_traits(&mut told, &traits);
    }
    told.only_valid()
}

fn add_traits(told: &mut Identification, traits: &Map<String, Value>) {
    let text = |name: &str| traits.get(name).and_then(Value::as_str).map(str::to_owned).filter(|text| !text.trim().is_empty());
    told.email = text("email");
    told.tracking_id = text("tracking_id");
    let parts: Vec<String> = ["first_name", "last_name"].into_iter().filter_map(text).collect();
    let joined = (!parts.is_empty()).then(|| parts.join(" "));
    told.names.extend(text("name").or_else(|| text("full_name")).or(joined));
    told.phones.extend(text("phone"));
    told.locations.extend(text("location"));
    for (name, value) in traits {
        let input = match value {
            Value::String(text) => Some(FieldInput::Text(text.clone())),
            Value::Number(number) => number.as_f64().map(FieldInput::Number),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        };
        told.fields.extend(Slot::parse(name).zip(input));
    }
}

/// Groups as `control` gives them, with the people made of them.
#[derive(Default)]
pub(crate) struct KnownPeople(Mutex<HashMap<(WorkspaceId, PeopleOf), Made>>);

struct Made {
    of: Arc<Vec<Vec<String>>>,
    people: Arc<People>,
}

impl Service {
    /// The people of a workspace as of now, for [`tributary_events::question::Slice::people`]: contacts or companies. Made
    /// anew only after something changed.
    #[boxed]
    pub async fn people(&self, scope: &WorkspaceScope, of: PeopleOf) -> Result<Arc<People>> {
        let groups = self.control.people(scope, of).await?;
        let key = (scope.workspace(), of);
        let known = || self.known_people.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = known().get(&key).filter(|made| Arc::ptr_eq(&made.of, &groups)) {
            return Ok(made.people.clone());
        }
        let people = People::new(groups.iter().cloned())?;
        let mut known = known();
        if known.len() >= MAX_KEPT && !known.contains_key(&key) {
            known.clear();
        }
        known.insert(key, Made { of: groups, people: people.clone() });
        Ok(people)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tributary_core::event::{Confidence, Origin};

    fn event(name: &str, user_id: Option<&str>, properties: Option<&str>) -> Event {
        Event {
            name: name.into(),
            time_us: 7,
            received_us: 8,
            anonymous_id: "v1".into(),
            user_id: user_id.map(String::from),
            session: None,
            event_id: None,
            origin: Origin::Server,
            url: None,
            path: None,
            referrer: None,
            source: "direct".into(),
            medium: "none".into(),
            campaign: None,
            source_confidence: Confidence::Low,
            source_rule_id: "direct".into(),
            country: None,
            device_type: None,
            browser: None,
            os: None,
            ip_hash: None,
            bot: None,
            amount: None,
            properties: properties.map(String::from),
        }
    }

    #[test]
    fn only_signed_in_people_are_told() {
        assert_eq!(identification(&event("signup", None, None)), None);
        let bot = Event { bot: Some("isbot:x@1".into()), ..event("signup", Some("u1"), None) };
        assert_eq!(identification(&bot), None);
        let told = identification(&event("signup", Some("u1"), Some(r#"{"email":"a@example.com"}"#)));
        let expected = Identification {
            user_id: Some("u1".into()),
            visitors: vec!["v1".into()],
            seen_us: 7,
            via: "event, server".into(),
            ..Default::default()
        };
        assert_eq!(told, Some(expected), "properties of other events are not traits");
    }

    #[test]
    fn traits_are_read_and_those_of_a_wrong_form_passed_over() {
        let traits = |text: &str| identification(&event("$identify", Some("u1"), Some(text))).expect("somebody");
        let full = traits(
            r#"{"email":"A@Example.com","name":"Ann","phone":"+49 1","location":"Berlin","tracking_id":"t1","plan":"pro",
                "profile_field_1":"Pro","profile_field_16":3,"profile_field_26":"2026-05-01","profile_field_31":"x"}"#,
        );
        assert_eq!((full.email.as_deref(), full.tracking_id.as_deref()), (Some("A@Example.com"), Some("t1")));
        assert_eq!((full.names, full.phones, full.locations), (vec!["Ann".into()], vec!["+49 1".into()], vec!["Berlin".into()]));
        assert_eq!(full.fields.len(), 3);
        assert_eq!(full.via, "identify, server");
        let odd = traits(
            r#"{"email":"nobody","name":7,"first_name":"Jo","last_name":"Doe","phone":"","location":null,"tracking_id":[],
                "profile_field_1":true,"profile_field_16":"many"}"#,
        );
        assert_eq!((odd.email, odd.tracking_id, odd.names), (None, None, vec!["Jo Doe".into()]));
        assert!(odd.phones.is_empty() && odd.locations.is_empty() && odd.fields.is_empty());
    }
}
