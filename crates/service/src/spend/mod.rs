//! Ad spend coming in: rows of a request, and files of ad platforms.

pub mod sums;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tributary_boxed::boxed;
use tributary_connectors::export::read_file;
use tributary_connectors::problem::Problem;
use tributary_connectors::rows::{self, MAX_ROWS};
use tributary_control::{AdCounts, Control, Counts, WorkspaceAccess};
use tributary_core::error::{Error, Result};
use tributary_core::scope::WorkspaceScope;
use tributary_ingest::fields::body_error;

use crate::service::Service;

/// Most problems an answer lists; the others are counted.
pub const MAX_PROBLEMS: usize = 100;
/// Longest author the journal of restatements keeps, characters.
const MAX_AUTHOR_CHARS: usize = 255;

/// Rows of spend, see `docs/ads.md`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SpendInput {
    rows: Vec<Value>,
}

/// What became of a request's rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SpendOutput {
    /// Always true.
    pub ok: bool,
    /// Days of spend, by what was stored before.
    pub spend: Recorded,
    /// Conversions the platforms claim.
    pub claims: Recorded,
    /// Accounts, campaigns, ad sets and ads.
    pub entities: Recorded,
    /// Rows left out, each with what is wrong with it.
    pub rejected: Vec<RejectedRow>,
}

/// How many rows were new, replaced what was stored, or were known already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct Recorded {
    /// New.
    pub inserted: u64,
    /// Replaced what was stored; the journal keeps both.
    pub restated: u64,
    /// Known already.
    pub unchanged: u64,
}

/// A row that was left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct RejectedRow {
    /// Its place in the list, from 0.
    pub row: u64,
    /// The field to blame, if one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What is wrong, and what would be accepted.
    pub message: String,
}

/// What became of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpendFile {
    /// The table it was recognised as.
    pub table: String,
    /// Why there is nothing to import in such a table, if there is nothing.
    pub nothing: Option<String>,
    /// Rows read.
    pub rows: u64,
    /// Days of spend.
    pub spend: Recorded,
    /// Conversions the platforms claim.
    pub claims: Recorded,
    /// Accounts, campaigns, ad sets and ads.
    pub entities: Recorded,
    /// How many problems rows had.
    pub problem_count: u64,
    /// The first of them, each with file, line and column.
    pub problems: Vec<String>,
}

impl From<Counts> for Recorded {
    fn from(counts: Counts) -> Self {
        Self { inserted: counts.inserted, restated: counts.restated, unchanged: counts.unchanged }
    }
}

impl Service {
    /// Takes in the body of `POST /v1/spend`: a row replaces what is stored of its entity and day. Only secret keys get here.
    ///
    /// Errors: `invalid_payload` for a body that is no list of 1 to 1,000 rows.
    #[boxed]
    pub async fn spend(&self, access: &WorkspaceAccess, author: &str, body: &[u8]) -> Result<SpendOutput> {
        let input: SpendInput =
            serde_json::from_slice(body).map_err(|error| body_error(format!("the body is not accepted: {error}")))?;
        if input.rows.is_empty() {
            return Err(body_error(format!("rows must hold 1 to {MAX_ROWS} rows, got 0")));
        }
        let mut rejected = Vec::new();
        let batch = rows::read(&input.rows, &mut |problem: Problem| {
            rejected.push(RejectedRow { row: problem.line, field: problem.column, message: problem.message });
        })?;
        let counts = self.control.record_ads(&access.scope, batch, author).await?;
        Ok(SpendOutput {
            ok: true,
            spend: counts.spend.into(),
            claims: counts.claims.into(),
            entities: counts.entities.into(),
            rejected,
        })
    }
}

/// Imports a file of an ad platform, or of our own columns, for an operator. Each batch of rows is stored by itself.
///
/// Errors: `invalid_params` for a file of no known table.
#[boxed]
pub async fn import_file(control: &Control, scope: &WorkspaceScope, file: &str, content: Vec<u8>) -> Result<SpendFile> {
    let name = file.to_owned();
    let read = tokio::task::spawn_blocking(move || {
        let (mut problems, mut problem_count) = (Vec::new(), 0_u64);
        let imported = read_file(&name, content.as_slice(), &mut |problem| {
            problem_count += 1;
            if problems.len() < MAX_PROBLEMS {
                problems.push(problem.to_string());
            }
        })?;
        Ok::<_, Error>((imported, problems, problem_count))
    });
    let (imported, problems, problem_count) =
        read.await.map_err(|error| Error::internal("reading the file did not finish").caused_by(error))??;
    let author: String = format!("import of {file}").chars().take(MAX_AUTHOR_CHARS).collect();
    let mut counts = AdCounts::default();
    for batch in imported.batches {
        counts += control.record_ads(scope, batch, &author).await?;
    }
    Ok(SpendFile {
        table: imported.export.name().to_owned(),
        nothing: imported.export.nothing().map(str::to_owned),
        rows: imported.rows,
        spend: counts.spend.into(),
        claims: counts.claims.into(),
        entities: counts.entities.into(),
        problem_count,
        problems,
    })
}
