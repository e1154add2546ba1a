//! Advertising: entities, daily spend, platforms' claims, their restatements, and currency rates.
//!
//! Every method takes the workspace's scope and sees that workspace alone. A row replaces what is stored of its entity and day,
//! so the same rows twice change nothing. An entity's account is a fact of the entity: rows that do not name it and rows that do
//! are the same row, and an account learned later counts for rows stored before.

mod checks;
mod claims;
mod directory;
mod entities;
mod fold;
mod places;
mod question;
mod rates;
mod restatements;
mod spend;
mod sums;

use tributary_boxed::boxed;
use tributary_core::ads::AdBatch;
use tributary_core::error::{Code, Error, Result};
use tributary_core::ids::WorkspaceId;
use tributary_core::scope::WorkspaceScope;

pub use directory::{AD_LEVELS, AdDirectory, AdStanding};
pub use entities::{AdCursor, AdEntityFilter, AdEntityPage, AdLineage, StoredAdEntity};
pub use question::{AdDimension, AdQuestion, AdSelection};
pub use rates::{CurrencyRate, RateFilter, Rates};
pub use restatements::{Restatement, RestatementFilter};
pub use sums::{AdGroup, ClaimSum, Converted, SpendSum};

use crate::control::Control;
use crate::store::{DatabaseTransaction, commit, failed};
use crate::workspace::read_workspace;

/// Most rows recorded at once.
const MAX_BATCH_ROWS: usize = 10_000;

/// What recording a batch did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AdCounts {
    /// Entities described by the batch.
    pub entities: Counts,
    /// Spend rows.
    pub spend: Counts,
    /// Claims.
    pub claims: Counts,
}

impl std::ops::AddAssign for AdCounts {
    fn add_assign(&mut self, other: AdCounts) {
        self.entities += other.entities;
        self.spend += other.spend;
        self.claims += other.claims;
    }
}

/// How many rows were new, other than stored, or just as stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Not there before.
    pub inserted: u64,
    /// There with other values, which were replaced.
    pub restated: u64,
    /// There as they are.
    pub unchanged: u64,
}

impl Counts {
    fn note(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Inserted => self.inserted += 1,
            Outcome::Restated => self.restated += 1,
            Outcome::Unchanged => self.unchanged += 1,
        }
    }
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Counts) {
        self.inserted += other.inserted;
        self.restated += other.restated;
        self.unchanged += other.unchanged;
    }
}

/// What became of one row.
#[derive(Clone, Copy)]
enum Outcome {
    Inserted,
    Restated,
    Unchanged,
}

/// Who changes what, and when.
struct Change<'c> {
    workspace: WorkspaceId,
    author: &'c str,
    now_us: i64,
}

impl Control {
    /// Records a batch, all or nothing. `author` is whom the journal names for restatements: a key's display form, an import's
    /// file; 1 to 255 characters.
    ///
    /// A spend row or claim that equals the stored one changes nothing and journals nothing; a different one replaces it and is
    /// journalled. Fields of entities and claims that are `None` leave what was known.
    ///
    /// Errors: `invalid_params` for a batch of more than 10,000 rows or a value out of bounds, `not_found` for a workspace that
    /// was deleted.
    #[boxed]
    pub async fn record_ads(&self, scope: &WorkspaceScope, batch: AdBatch, author: &str) -> Result<AdCounts> {
        checks::check_batch(&batch, MAX_BATCH_ROWS)?;
        let author = checks::checked_author(author)?;
        let workspace = scope.workspace();
        self.run_to_end(move |control| async move {
            let mut transaction = control.begin_in(workspace).await?;
            let change = Change { workspace, author: &author, now_us: control.now_us() };
            let mut counts = AdCounts::default();
            for entity in &batch.entities {
                counts.entities.note(entities::record(&mut transaction, &change, entity).await?);
            }
            places::ensure(&mut transaction, &change, &batch).await?;
            for row in &batch.spend {
                counts.spend.note(spend::record(&mut transaction, &change, row).await?);
            }
            for row in &batch.claims {
                counts.claims.note(claims::record(&mut transaction, &change, row).await?);
            }
            commit(transaction).await?;
            Ok(counts)
        })
        .await
    }

    /// A transaction that may write in a live workspace.
    async fn begin_in(&self, workspace: WorkspaceId) -> Result<DatabaseTransaction> {
        let mut transaction = self.inner.store.begin().await?;
        read_workspace(&mut transaction, workspace).await?;
        Ok(transaction)
    }
}

/// Erases everything of a workspace, its restatements and rates too.
pub(crate) async fn erase(transaction: &mut DatabaseTransaction, workspace: WorkspaceId) -> Result<()> {
    for statement in [
        "DELETE FROM ad_spend WHERE workspace_id = $1",
        "DELETE FROM ad_claims WHERE workspace_id = $1",
        "DELETE FROM ad_restatements WHERE workspace_id = $1",
        "DELETE FROM ad_entities WHERE workspace_id = $1",
        "DELETE FROM currency_rates WHERE workspace_id = $1",
    ] {
        sqlx::query(statement)
            .bind(workspace.0)
            .execute(&mut **transaction)
            .await
            .map_err(failed("the workspace's advertising could not be erased"))?;
    }
    Ok(())
}

fn invalid(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(Code::InvalidParams, message)
}
