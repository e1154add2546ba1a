//! The way of a file's rows: one thread reads and maps, others take rows through the pipeline, one task stores them in file
//! order. Every stage holds a few batches, so memory stays bounded however long the file is.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use tokio::sync::mpsc;
use tokio::task::{JoinHandle, spawn_blocking};
use tributary_core::error::{Error, Result};
use tributary_ingest::imported::ImportedRow;
use tributary_service::import::{PATIENCE, Prepared, RowFate};

use crate::import::destination::Destination;
use crate::import::progress::Progress;
use crate::import::read::{Batch, Reading, read};
use crate::import::rejected::Rejected;
use crate::import::served::Request;

/// Batches between the reader and the pipeline.
const READ_AHEAD: usize = 2;
/// Batches in the pipeline at once.
const IN_PIPELINE: usize = 3;

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Rows stored.
    pub accepted: u64,
    /// Rows whose `event_id` was there already.
    pub duplicates: u64,
    /// Rows not stored.
    pub rejected: u64,
    /// Where the rejected rows are written, with reasons.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejected_file: Option<PathBuf>,
}

impl Counts {
    /// All rows seen.
    pub fn rows(&self) -> u64 {
        self.accepted + self.duplicates + self.rejected
    }
}

/// Imports one file.
pub async fn import_file(
    reading: Reading,
    destination: &Destination,
    mut rejected: Rejected,
    progress: &Progress,
) -> Result<Counts> {
    let consumed = reading.consumed.clone();
    let (sender, mut batches) = mpsc::channel::<Batch>(READ_AHEAD);
    let reader = spawn_blocking(move || {
        read(&reading, &mut |batch| {
            // The other side hangs up only when it has failed itself, and says why.
            sender.blocking_send(batch).map_err(|_| Error::internal("the import was given up"))
        })
    });
    let mut counts = Counts::default();
    let mut pipeline: VecDeque<(Batch, Staged)> = VecDeque::new();
    loop {
        let next = if pipeline.len() < IN_PIPELINE { batches.recv().await } else { None };
        if let Some(mut batch) = next {
            let staged = stage(&mut batch, destination);
            pipeline.push_back((batch, staged));
            continue;
        }
        let Some((batch, staged)) = pipeline.pop_front() else { break };
        let fates = settle(staged, destination).await?;
        count(&batch, fates, &mut counts, &mut rejected)?;
        progress.show(consumed.load(Ordering::Relaxed), &counts);
    }
    drop(batches);
    reader.await.map_err(|error| Error::internal("the reader stopped").caused_by(error))??;
    counts.rejected_file = rejected.finish()?;
    Ok(counts)
}

enum Staged {
    Local(JoinHandle<Prepared>),
    Served(JoinHandle<Result<Vec<Request>>>),
    Remote(Vec<ImportedRow>),
}

fn stage(batch: &mut Batch, destination: &Destination) -> Staged {
    let rows: Vec<ImportedRow> = batch.take_rows();
    match destination {
        Destination::Store(importer) => {
            let importer = importer.clone();
            Staged::Local(spawn_blocking(move || importer.prepare(rows)))
        }
        Destination::Owner(served) => {
            let served = served.clone();
            Staged::Served(spawn_blocking(move || served.requests(rows)))
        }
        Destination::Server(_) => Staged::Remote(rows),
    }
}

async fn settle(staged: Staged, destination: &Destination) -> Result<Vec<RowFate>> {
    match (staged, destination) {
        (Staged::Local(handle), Destination::Store(importer)) => {
            let prepared = handle.await.map_err(|error| Error::internal("the pipeline stopped").caused_by(error))?;
            importer.store(prepared, PATIENCE).await
        }
        (Staged::Remote(rows), Destination::Server(remote)) => remote.send(rows).await,
        (Staged::Served(handle), Destination::Owner(served)) => {
            let requests = handle.await.map_err(|error| Error::internal("the rows do not serialize").caused_by(error))??;
            served.send(requests).await
        }
        (Staged::Local(_), Destination::Server(_) | Destination::Owner(_))
        | (Staged::Served(_), Destination::Store(_) | Destination::Server(_))
        | (Staged::Remote(_), Destination::Store(_) | Destination::Owner(_)) => {
            Err(Error::internal("a batch was staged for another destination"))
        }
    }
}

fn count(batch: &Batch, fates: Vec<RowFate>, counts: &mut Counts, rejected: &mut Rejected) -> Result<()> {
    let mut fates = fates.into_iter();
    for (index, (number, unread)) in batch.rows.iter().enumerate() {
        let fate = match unread {
            Err(reason) => RowFate::Rejected(reason.clone()),
            Ok(_) => fates.next().ok_or_else(|| Error::internal("the fate of a row is unknown"))?,
        };
        match fate {
            RowFate::Accepted => counts.accepted += 1,
            RowFate::Duplicate => counts.duplicates += 1,
            RowFate::Rejected(reason) => {
                counts.rejected += 1;
                rejected.write(*number, &reason, &batch.raw(index))?;
            }
        }
    }
    Ok(())
}
