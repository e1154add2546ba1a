//! From what was learned about somebody to the contact it is about.

use std::collections::BTreeSet;

use sqlx::Row;
use tributary_boxed::boxed;
use tributary_core::error::{Code, Error, Result};
use tributary_core::ids::{ContactId, WorkspaceId};
use tributary_core::scope::WorkspaceScope;

use super::kind::{AttributeKind, IdentifierKind, MAX_LIST_VALUES, line};
use super::merge::{Joined, find_survivor, join, users_by_evidence};
use super::slot::{FieldInput, FieldValue, Slot};
use super::values::{Owned, field_of, find_owner, has_attribute, note_change, take_places, tie, write_attribute, write_field};
use crate::control::Control;
use crate::problems::Problems;
use crate::store::{DatabaseTransaction, commit, failed};

/// Most identifications in one transaction.
const MAX_IDENTIFICATIONS: usize = 10_000;
/// Longest way in, characters.
const MAX_VIA_CHARS: usize = 64;

/// Something learned about one person at one moment. At least one identifier.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Identification {
    /// The signed-in person.
    pub user_id: Option<String>,
    /// An e-mail address, in any spelling.
    pub email: Option<String>,
    /// The caller's id: the same one is the same contact.
    pub tracking_id: Option<String>,
    /// Browser tokens, at most 25.
    pub visitors: Vec<String>,
    /// Names, the most important first, at most 25. A known one keeps its place, a new one goes before all others.
    pub names: Vec<String>,
    /// Phone numbers, likewise.
    pub phones: Vec<String>,
    /// Locations, likewise.
    pub locations: Vec<String>,
    /// Custom fields; those not named stay as they are.
    pub fields: Vec<(Slot, FieldInput)>,
    /// When it was learned, microseconds since the epoch, UTC.
    pub seen_us: i64,
    /// The way it came, for the journal: `identify`, `import`; at most 64 characters, nothing personal.
    pub via: String,
}

impl Identification {
    /// Without what would be refused: for what strangers say about themselves. `None` when no identifier is left.
    pub fn only_valid(mut self) -> Option<Self> {
        let valid = |kind: IdentifierKind| move |value: &String| kind.normalise(value).is_ok();
        let attribute = |value: &String| AttributeKind::normalise(value).is_ok();
        self.user_id = self.user_id.filter(valid(IdentifierKind::UserId));
        self.email = self.email.filter(valid(IdentifierKind::Email));
        self.tracking_id = self.tracking_id.filter(valid(IdentifierKind::TrackingId));
        self.visitors.retain(valid(IdentifierKind::Visitor));
        for list in [&mut self.names, &mut self.phones, &mut self.locations] {
            list.retain(attribute);
            list.truncate(MAX_LIST_VALUES);
        }
        self.visitors.truncate(MAX_LIST_VALUES);
        self.fields.retain(|(slot, input)| slot.read(input).is_ok());
        self.fields.sort_by_key(|(slot, _)| *slot);
        self.fields.dedup_by_key(|(slot, _)| *slot);
        let is_somebody =
            self.user_id.is_some() || self.email.is_some() || self.tracking_id.is_some() || !self.visitors.is_empty();
        is_somebody.then_some(self)
    }
}

impl Control {
    /// Finds or makes the contact an identification is about and writes what was learned, all or nothing. Identifiers of
    /// several contacts make these one, which the journal notes; a visitor never joins two contacts with different user
    /// ids: it stays with its first, and that is noted as a conflict. Doing it again changes nothing.
    ///
    /// Errors: `invalid_params` naming every field at fault.
    #[boxed]
    pub async fn identify(&self, scope: &WorkspaceScope, identification: Identification) -> Result<ContactId> {
        let contacts = self.identify_all(scope, vec![identification]).await?;
        contacts.first().copied().ok_or_else(|| Error::internal("identifying gave no contact"))
    }

    /// [`Control::identify`] for many, in order and in one transaction: all of them or none. At most 10,000.
    #[boxed]
    pub async fn identify_all(&self, scope: &WorkspaceScope, all: Vec<Identification>) -> Result<Vec<ContactId>> {
        if all.len() > MAX_IDENTIFICATIONS {
            return Err(Error::new(
                Code::InvalidParams,
                format!("at most {MAX_IDENTIFICATIONS} people can be identified at once"),
            ));
        }
        let mut problems = Problems::default();
        let is_single = all.len() == 1;
        let checked = all.into_iter().enumerate().map(|(index, one)| {
            let path = if is_single { String::new() } else { format!("{index}.") };
            Checked::read(one, &path, &mut problems)
        });
        let checked: Vec<Checked> = checked.collect();
        problems.check()?;
        let workspace = scope.workspace();
        self.run_to_end(move |control| async move {
            let mut transaction = control.inner.store.begin().await?;
            let mut contacts = Vec::with_capacity(checked.len());
            for one in &checked {
                contacts.push(apply(&mut transaction, workspace, one, control.now_us()).await?);
            }
            for contact in &mut contacts {
                *contact = find_survivor(&mut transaction, workspace, *contact).await?.unwrap_or(*contact);
            }
            commit(transaction).await?;
            Ok(contacts)
        })
        .await
    }
}

/// An identification with every value in its one spelling.
pub(super) struct Checked {
    /// Strongest kind first.
    identifiers: Vec<(IdentifierKind, String)>,
    attributes: Vec<(AttributeKind, Vec<String>)>,
    fields: Vec<(Slot, FieldValue)>,
    seen_us: i64,
    via: String,
}

impl Checked {
    pub fn read(given: Identification, path: &str, problems: &mut Problems) -> Self {
        let mut identifiers = Vec::new();
        let single = [
            (IdentifierKind::UserId, given.user_id),
            (IdentifierKind::Email, given.email),
            (IdentifierKind::TrackingId, given.tracking_id),
        ];
        for (kind, value) in single.into_iter().filter_map(|(kind, value)| Some((kind, value?))) {
            let value = problems.take(format!("{path}{kind}"), kind.normalise(&value));
            identifiers.extend(value.map(|value| (kind, value)));
        }
        for visitor in
            checked_list(given.visitors, &format!("{path}visitors"), problems, |value| IdentifierKind::Visitor.normalise(value))
        {
            identifiers.push((IdentifierKind::Visitor, visitor));
        }
        let lists = [
            (AttributeKind::Phone, "phones", given.phones),
            (AttributeKind::Name, "names", given.names),
            (AttributeKind::Location, "locations", given.locations),
        ];
        let attributes = lists.map(|(kind, name, values)| {
            (kind, checked_list(values, &format!("{path}{name}"), problems, AttributeKind::normalise))
        });
        let fields = checked_fields(&given.fields, &format!("{path}custom_fields"), problems);
        let via = problems.take(format!("{path}via"), line(&given.via, MAX_VIA_CHARS)).unwrap_or_default();
        if identifiers.is_empty() {
            let nobody = "one of user_id, email, tracking_id and visitors is needed to tell who it is";
            problems.add(format!("{path}user_id"), nobody);
        }
        Self { identifiers, attributes: attributes.into(), fields, seen_us: given.seen_us, via }
    }
}

/// Values in their one spelling, the first of equal ones kept.
pub(super) fn checked_list(
    values: Vec<String>,
    path: &str,
    problems: &mut Problems,
    normalise: impl Fn(&str) -> Result<String, String>,
) -> Vec<String> {
    if values.len() > MAX_LIST_VALUES {
        problems.add(path, format!("must have at most {MAX_LIST_VALUES} items, got {}", values.len()));
        return Vec::new();
    }
    let mut checked: Vec<String> = Vec::with_capacity(values.len());
    for (index, value) in values.iter().enumerate() {
        let value = problems.take(format!("{path}.{index}"), normalise(value));
        checked.extend(value.filter(|value| !checked.contains(value)));
    }
    checked
}

pub(super) fn checked_fields(fields: &[(Slot, FieldInput)], path: &str, problems: &mut Problems) -> Vec<(Slot, FieldValue)> {
    let mut checked: Vec<(Slot, FieldValue)> = Vec::with_capacity(fields.len());
    for (slot, input) in fields {
        if checked.iter().any(|(known, _)| known == slot) {
            problems.add(format!("{path}.{slot}"), "stands there twice");
        } else if let Some(value) = problems.take(format!("{path}.{slot}"), slot.read(input)) {
            checked.push((*slot, value));
        }
    }
    checked
}

/// Writes one identification and returns the contact it was written to.
async fn apply(transaction: &mut DatabaseTransaction, workspace: WorkspaceId, one: &Checked, now_us: i64) -> Result<ContactId> {
    let mut known: Vec<(IdentifierKind, Owned)> = Vec::new();
    let mut unknown: Vec<(IdentifierKind, &str)> = Vec::new();
    for (kind, value) in &one.identifiers {
        match find_owner(transaction, workspace, *kind, value).await? {
            Some(owned) => known.push((*kind, owned)),
            None => unknown.push((*kind, value)),
        }
    }
    let user = one.identifiers.iter().find(|(kind, _)| *kind == IdentifierKind::UserId).map(|(_, value)| value.as_str());
    let chosen = choose(transaction, workspace, &known, user).await?;
    let target = match chosen {
        Some(target) => target,
        None => create_contact(transaction, workspace, one.seen_us).await?,
    };
    // Identifiers come strongest first, so the first is what the others are evidence together with.
    let strongest = one.identifiers.first().map_or(IdentifierKind::Visitor, |(kind, _)| *kind);
    let mut changed = false;
    for (kind, owned) in known.iter().filter(|(_, owned)| owned.contact != target) {
        if *kind == IdentifierKind::Visitor && !agree(transaction, workspace, (target, user), owned.contact).await? {
            note_conflict(transaction, *owned, target, now_us).await?;
            continue;
        }
        let evidence = format!("{strongest}+{kind}");
        let joined = join(transaction, workspace, (target, owned.contact), (&evidence, &one.via), now_us).await?;
        changed |= joined != Joined::Before;
    }
    // Somebody new with one visitor and no address is nobody's group: most people, so groups stay as they are for long.
    let count = |kind: IdentifierKind| one.identifiers.iter().filter(|(held, _)| *held == kind).count();
    let is_alone = chosen.is_none() && count(IdentifierKind::Visitor) < 2 && count(IdentifierKind::Email) == 0;
    changed |= !unknown.is_empty() && !is_alone;
    write_values(transaction, workspace, target, one, &unknown).await?;
    note_seen(transaction, target, one.seen_us).await?;
    if changed {
        note_change(transaction, workspace).await?;
    }
    Ok(target)
}

/// The contact an identification is about: the holder of its strongest identifier, where a visitor counts only if its contact
/// is not another signed-in person's.
async fn choose(
    transaction: &mut DatabaseTransaction,
    workspace: WorkspaceId,
    known: &[(IdentifierKind, Owned)],
    user: Option<&str>,
) -> Result<Option<ContactId>> {
    for (kind, owned) in known {
        if *kind != IdentifierKind::Visitor {
            return Ok(Some(owned.contact));
        }
        let users = users_by_evidence(transaction, workspace, owned.contact).await?;
        if user.is_none_or(|user| users.is_empty() || users.contains(user)) {
            return Ok(Some(owned.contact));
        }
    }
    Ok(None)
}

/// Whether a visitor may join two contacts: not if each has user ids and they have none in common.
async fn agree(
    transaction: &mut DatabaseTransaction,
    workspace: WorkspaceId,
    (target, user): (ContactId, Option<&str>),
    other: ContactId,
) -> Result<bool> {
    let mut ours = users_by_evidence(transaction, workspace, target).await?;
    ours.extend(user.map(str::to_owned));
    let theirs: BTreeSet<String> = users_by_evidence(transaction, workspace, other).await?;
    Ok(ours.is_empty() || theirs.is_empty() || !ours.is_disjoint(&theirs))
}

async fn note_conflict(transaction: &mut DatabaseTransaction, visitor: Owned, other: ContactId, now_us: i64) -> Result<()> {
    sqlx::query(
        "INSERT INTO contact_conflicts (identifier_id, contact_id, other_id, noted_us) VALUES ($1, $2, $3, $4)
         ON CONFLICT (identifier_id, other_id) DO NOTHING",
    )
    .bind(visitor.id)
    .bind(visitor.contact.0)
    .bind(other.0)
    .bind(now_us)
    .execute(&mut **transaction)
    .await
    .map_err(failed("a visitor of two people could not be noted"))?;
    Ok(())
}

/// Ties what is new to the contact. Values it has keep their place.
async fn write_values(
    transaction: &mut DatabaseTransaction,
    workspace: WorkspaceId,
    target: ContactId,
    one: &Checked,
    unknown: &[(IdentifierKind, &str)],
) -> Result<()> {
    let mut attributes: Vec<(AttributeKind, &str)> = Vec::new();
    for (kind, values) in &one.attributes {
        // The most important last: it gets the highest place.
        for value in values.iter().rev() {
            if !has_attribute(transaction, target, *kind, value).await? {
                attributes.push((*kind, value));
            }
        }
    }
    let mut fields: Vec<&(Slot, FieldValue)> = Vec::new();
    for field in &one.fields {
        if field_of(transaction, target, field.0).await?.as_ref() != Some(&field.1) {
            fields.push(field);
        }
    }
    let count = unknown.len() + attributes.len() + fields.len();
    if count == 0 {
        return Ok(());
    }
    let last = take_places(transaction, workspace, count).await?;
    let mut place = last - i64::try_from(count).unwrap_or_default();
    let mut next = || {
        place += 1;
        place
    };
    for identifier in unknown.iter().rev() {
        tie(transaction, workspace, target, *identifier, next(), one.seen_us).await?;
    }
    for (kind, value) in attributes {
        write_attribute(transaction, target, kind, value, next()).await?;
    }
    for (slot, value) in fields {
        write_field(transaction, target, *slot, value, next()).await?;
    }
    Ok(())
}

/// Makes an empty contact, which stands for itself.
pub(super) async fn create_contact(
    transaction: &mut DatabaseTransaction,
    workspace: WorkspaceId,
    seen_us: i64,
) -> Result<ContactId> {
    let step = "the contact could not be created";
    let row = sqlx::query(
        "INSERT INTO contacts (workspace_id, survivor_id, created_us, first_seen_us, last_seen_us) VALUES ($1, 0, $2, $2, $2)
         RETURNING id",
    )
    .bind(workspace.0)
    .bind(seen_us)
    .fetch_one(&mut **transaction)
    .await
    .map_err(failed(step))?;
    let id: i64 = row.try_get("id").map_err(failed(step))?;
    sqlx::query("UPDATE contacts SET survivor_id = id WHERE id = $1")
        .bind(id)
        .execute(&mut **transaction)
        .await
        .map_err(failed(step))?;
    Ok(ContactId(id))
}

async fn note_seen(transaction: &mut DatabaseTransaction, contact: ContactId, seen_us: i64) -> Result<()> {
    sqlx::query(
        "UPDATE contacts SET first_seen_us = CASE WHEN first_seen_us > $2 THEN $2 ELSE first_seen_us END,
         last_seen_us = CASE WHEN last_seen_us < $2 THEN $2 ELSE last_seen_us END
         WHERE id = $1 AND (first_seen_us > $2 OR last_seen_us < $2)",
    )
    .bind(contact.0)
    .bind(seen_us)
    .execute(&mut **transaction)
    .await
    .map_err(failed("a contact's times could not be noted"))?;
    Ok(())
}
