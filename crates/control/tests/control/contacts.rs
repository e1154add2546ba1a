//! Contacts: who is found, who becomes one, what is read, changed and erased.

mod erasure;
mod identity;
mod journal;
mod pages;
mod seen;

use std::fmt::Write;

use tributary_control::{Control, FieldInput, FieldValue, Identification, PeopleOf, Slot};
use tributary_core::error::Error;
use tributary_core::ids::ContactId;
use tributary_core::scope::WorkspaceScope;
use tributary_core::time::format_utc;

use crate::world::{NOW_US, World};

/// A world with one workspace.
pub struct Home {
    pub world: World,
    pub scope: WorkspaceScope,
}

impl Home {
    pub async fn new() -> Home {
        let world = World::new().await;
        let account = world.account("A").await;
        let scope = Home::open(&world, account.id, "home").await;
        Home { world, scope }
    }

    pub async fn open(world: &World, account: tributary_core::ids::AccountId, slug: &str) -> WorkspaceScope {
        let workspace = world.workspace(account, slug).await;
        world.control.operator_access(workspace.id).await.unwrap().scope
    }

    pub fn control(&self) -> &Control {
        &self.world.control
    }

    /// Identifies by a short text: `u:` user id, `e:` e-mail, `t:` tracking id, `v:` visitor, `n:` name, `p:` phone, `l:`
    /// location, `1=Premium` a field.
    pub async fn identify(&self, text: &str) -> ContactId {
        self.control().identify(&self.scope, identification(text)).await.unwrap()
    }

    /// The groups of visitors that are one contact.
    pub async fn people(&self, of: PeopleOf) -> Vec<String> {
        self.control().people(&self.scope, of).await.unwrap().iter().map(|group| group.join("+")).collect()
    }

    /// A contact on one line.
    pub async fn shown(&self, id: ContactId) -> String {
        let contact = self.control().get_contact(&self.scope, id).await.unwrap();
        let mut line = format!("{}:", contact.id);
        let lists = [
            ("e", &contact.emails),
            ("n", &contact.names),
            ("p", &contact.phones),
            ("l", &contact.locations),
            ("v", &contact.visitors),
        ];
        for (name, values) in lists.iter().filter(|(_, values)| !values.is_empty()) {
            write!(line, " {name}:{}", values.join(",")).unwrap();
        }
        for (slot, value) in &contact.fields {
            match value {
                FieldValue::Text(text) | FieldValue::Date(text) => write!(line, " {}={text}", slot.number()).unwrap(),
                FieldValue::Number(number) => write!(line, " {}={number}", slot.number()).unwrap(),
            }
        }
        write!(line, " {}..{}", clock(contact.first_seen_us), clock(contact.last_seen_us)).unwrap();
        line
    }

    /// The journal, oldest first.
    pub async fn journal(&self) -> Vec<String> {
        let mut rows = self.control().list_merges(&self.scope, 100, None).await.unwrap();
        rows.reverse();
        let undone = |undone: Option<i64>| if undone.is_some() { " undone" } else { "" };
        rows.iter()
            .map(|row| format!("{}>{} {} via {}{}", row.merged, row.into, row.evidence, row.via, undone(row.undone_us)))
            .collect()
    }
}

pub fn identification(text: &str) -> Identification {
    let mut one = Identification { seen_us: NOW_US, via: String::from("test"), ..Default::default() };
    for part in text.split(' ') {
        if let Some((number, value)) = part.split_once('=') {
            let slot = Slot::new(number.parse().unwrap()).unwrap();
            one.fields.push((slot, FieldInput::Text(value.into())));
            continue;
        }
        let (kind, value) = part.split_once(':').unwrap();
        let value = String::from(value);
        match kind {
            "u" => one.user_id = Some(value),
            "e" => one.email = Some(value),
            "t" => one.tracking_id = Some(value),
            "v" => one.visitors.push(value),
            "n" => one.names.push(value),
            "p" => one.phones.push(value),
            "l" => one.locations.push(value),
            _ => panic!("{part}"),
        }
    }
    one
}

/// The problems an error names, one per line.
pub fn problems(error: &Error) -> Vec<String> {
    let fields = &error.details().unwrap()["fieldErrors"];
    let told = fields.as_object().unwrap().iter().flat_map(|(path, list)| {
        list.as_array().unwrap().iter().map(move |problem| format!("{path}: {}", problem.as_str().unwrap()))
    });
    told.collect()
}

fn clock(time_us: i64) -> String {
    format_utc(time_us)[11..16].to_owned()
}
