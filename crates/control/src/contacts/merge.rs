//! Which contacts are one: the graph of merges in force, and the oldest contact of every connected part of it.

use std::collections::{BTreeSet, HashMap};

use sqlx::Row;
use tributary_core::error::Result;
use tributary_core::ids::{ContactId, MergeId, WorkspaceId};

use crate::store::{DatabaseTransaction, failed};

/// The evidence of a merge an operator asked for.
pub(super) const MANUAL: &str = "manual";

/// The contact that stands for this one: itself, or the oldest of those it is one with. `None` outside the workspace.
pub(super) async fn find_survivor(
    transaction: &mut DatabaseTransaction,
    workspace: WorkspaceId,
    contact: ContactId,
) -> Result<Option<ContactId>> {
    let read = failed("a contact could not be looked up");
    let row = sqlx::query("SELECT survivor_id FROM contacts WHERE workspace_id = $1 AND id = $2")
        .bind(workspace.0)
        .bind(contact.0)
        .fetch_optional(&mut **transaction)
        .await
        .map_err(&read)?;
    row.map(|row| row.try_get("survivor_id").map(ContactId)).transpose().map_err(&read)
}

/// What became of a reason to merge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joined {
    /// The journal has a new row.
    Now(MergeId),
    /// The same evidence is in force, or was undone and must not come back by itself.
    Before,
}

/// Joins two contacts. Evidence that was undone once joins them no more; an operator may.
pub(super) async fn join(
    transaction: &mut DatabaseTransaction,
    workspace: WorkspaceId,
    (one, other): (ContactId, ContactId),
    (evidence, via): (&str, &str),
    now_us: i64,
) -> Result<Joined> {
    let step = failed("contacts could not be merged");
    let (low, high) = if one < other { (one, other) } else { (other, one) };
    let known = sqlx::query(
        "SELECT undone_us FROM contact_merges WHERE low_id = $1 AND high_id = $2 AND evidence = $3 ORDER BY id DESC LIMIT 1",
    )
    .bind(low.0)
    .bind(high.0)
    .bind(evidence)
    .fetch_optional(&mut **transaction)
    .await
    .map_err(&step)?;
    if let Some(known) = known {
        let undone_us: Option<i64> = known.try_get("undone_us").map_err(&step)?;
        if undone_us.is_none() || evidence != MANUAL {
            return Ok(Joined::Before);
        }
    }
    let row = sqlx::query(
        "INSERT INTO contact_merges (workspace_id, low_id, high_id, evidence, via, merged_us) VALUES ($1, $2, $3, $4, $5, $6)
         RETURNING id",
    )
    .bind(workspace.0)
    .bind(low.0)
    .bind(high.0)
    .bind(evidence)
    .bind(via)
    .bind(now_us)
    .fetch_one(&mut **transaction)
    .await
    .map_err(&step)?;
    let survivors = (find_survivor(transaction, workspace, low).await?, find_survivor(transaction, workspace, high).await?);
    if let (Some(one), Some(other)) = survivors {
        sqlx::query("UPDATE contacts SET survivor_id = $2 WHERE workspace_id = $1 AND survivor_id = $3")
            .bind(workspace.0)
            .bind(one.min(other).0)
            .bind(one.max(other).0)
            .execute(&mut **transaction)
            .await
            .map_err(&step)?;
    }
    Ok(Joined::Now(MergeId(row.try_get("id").map_err(&step)?)))
}

/// Finds the survivors anew among the contacts that have been one with `contact`, after a merge among them was undone.
/// Returns them, ascending.
pub(super) async fn part(
    transaction: &mut DatabaseTransaction,
    workspace: WorkspaceId,
    contact: ContactId,
) -> Result<Vec<ContactId>> {
    let Some(survivor) = find_survivor(transaction, workspace, contact).await? else { return Ok(Vec::new()) };
    let members = members(transaction, workspace, survivor).await?;
    let merges = merges_among(transaction, workspace, survivor).await?;
    let mut unplaced: BTreeSet<ContactId> = members.into_iter().collect();
    let mut survivors = Vec::new();
    while let Some(oldest) = unplaced.first().copied() {
        survivors.push(oldest);
        for member in reached(oldest, &merges, |_| true) {
            unplaced.remove(&member);
            sqlx::query("UPDATE contacts SET survivor_id = $3 WHERE workspace_id = $1 AND id = $2")
                .bind(workspace.0)
                .bind(member.0)
                .bind(oldest.0)
                .execute(&mut **transaction)
                .await
                .map_err(failed("contacts could not be parted"))?;
        }
    }
    Ok(survivors)
}

/// The user ids of the contacts that evidence alone, without any operator's merge, makes one with `contact`.
pub(super) async fn users_by_evidence(
    transaction: &mut DatabaseTransaction,
    workspace: WorkspaceId,
    contact: ContactId,
) -> Result<BTreeSet<String>> {
    let read = failed("a contact's user ids could not be read");
    let Some(survivor) = find_survivor(transaction, workspace, contact).await? else { return Ok(BTreeSet::new()) };
    let rows = sqlx::query(
        "SELECT contact_identifiers.contact_id, contact_identifiers.value FROM contact_identifiers
         JOIN contacts ON contacts.id = contact_identifiers.contact_id
         WHERE contacts.workspace_id = $1 AND contacts.survivor_id = $2 AND contact_identifiers.kind = 'user_id'",
    )
    .bind(workspace.0)
    .bind(survivor.0)
    .fetch_all(&mut **transaction)
    .await
    .map_err(&read)?;
    if rows.is_empty() {
        return Ok(BTreeSet::new());
    }
    let merges = merges_among(transaction, workspace, survivor).await?;
    let by_evidence = reached(contact, &merges, |merge| !merge.is_manual);
    let mut users = BTreeSet::new();
    for row in &rows {
        if by_evidence.contains(&ContactId(row.try_get("contact_id").map_err(&read)?)) {
            users.insert(row.try_get("value").map_err(&read)?);
        }
    }
    Ok(users)
}

/// Every contact that is one with `survivor`, itself included.
pub(super) async fn members(
    transaction: &mut DatabaseTransaction,
    workspace: WorkspaceId,
    survivor: ContactId,
) -> Result<Vec<ContactId>> {
    let read = failed("merged contacts could not be read");
    let rows = sqlx::query("SELECT id FROM contacts WHERE workspace_id = $1 AND survivor_id = $2 ORDER BY id")
        .bind(workspace.0)
        .bind(survivor.0)
        .fetch_all(&mut **transaction)
        .await
        .map_err(&read)?;
    rows.iter().map(|row| row.try_get("id").map(ContactId)).collect::<Result<_, _>>().map_err(&read)
}

struct InForce {
    low: ContactId,
    high: ContactId,
    is_manual: bool,
}

/// The merges in force among the contacts that are one with `survivor`.
async fn merges_among(
    transaction: &mut DatabaseTransaction,
    workspace: WorkspaceId,
    survivor: ContactId,
) -> Result<Vec<InForce>> {
    let read = failed("the journal of merges could not be read");
    let rows = sqlx::query(
        "SELECT contact_merges.low_id, contact_merges.high_id, contact_merges.evidence FROM contact_merges
         JOIN contacts ON contacts.id = contact_merges.low_id
         WHERE contacts.workspace_id = $1 AND contacts.survivor_id = $2 AND contact_merges.undone_us IS NULL",
    )
    .bind(workspace.0)
    .bind(survivor.0)
    .fetch_all(&mut **transaction)
    .await
    .map_err(&read)?;
    let merge = |row: &crate::store::DatabaseRow| {
        let evidence: &str = row.try_get("evidence")?;
        Ok(InForce {
            low: ContactId(row.try_get("low_id")?),
            high: ContactId(row.try_get("high_id")?),
            is_manual: evidence == MANUAL,
        })
    };
    rows.iter().map(merge).collect::<Result<_, sqlx::Error>>().map_err(&read)
}

/// What can be reached from `start` over the merges that count.
fn reached(start: ContactId, merges: &[InForce], counts: fn(&InForce) -> bool) -> BTreeSet<ContactId> {
    let mut beside: HashMap<ContactId, Vec<ContactId>> = HashMap::new();
    for merge in merges.iter().filter(|merge| counts(merge)) {
        beside.entry(merge.low).or_default().push(merge.high);
        beside.entry(merge.high).or_default().push(merge.low);
    }
    let mut reached = BTreeSet::from([start]);
    let mut unvisited = vec![start];
    while let Some(contact) = unvisited.pop() {
        for next in beside.get(&contact).into_iter().flatten() {
            if reached.insert(*next) {
                unvisited.push(*next);
            }
        }
    }
    reached
}
