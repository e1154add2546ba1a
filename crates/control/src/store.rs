//! The database file: how it is opened, read and changed. The only module that knows it is SQLite.

use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::time::Duration;

use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Encode, QueryBuilder, Row, Sqlite, SqliteConnection, Transaction, Type};
use tributary_boxed::boxed;
use tributary_core::error::{Code, Error, Result};

use crate::witness::Witness;

/// The database's name inside the data folder.
pub(crate) const DATABASE_FILE: &str = "control.db";

/// Connections that read at the same time.
const READERS: u32 = 4;
/// Longest wait for another process's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest wait for a free connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// Rows read ahead of whoever takes them, so that long answers do not switch threads at every few rows.
const ROWS_AHEAD: usize = 1_024;

/// A row of any statement.
pub(crate) type DatabaseRow = sqlx::sqlite::SqliteRow;

/// A statement put together of fixed pieces and bound values: nothing a caller says becomes part of its text.
pub(crate) struct DatabaseStatement(QueryBuilder<Sqlite>);

impl DatabaseStatement {
    /// Begins with a piece.
    pub fn new(piece: &'static str) -> Self {
        Self(QueryBuilder::new(piece))
    }

    /// Adds a piece.
    pub fn push(&mut self, piece: &'static str) -> &mut Self {
        self.0.push(piece);
        self
    }

    /// Adds a placeholder and the value behind it.
    pub fn push_bind<'v, T: Encode<'v, Sqlite> + Type<Sqlite>>(&mut self, value: T) -> &mut Self {
        self.0.push_bind(value);
        self
    }

    /// Adds a list of numbers in brackets, each behind a placeholder.
    pub fn push_list(&mut self, numbers: impl Iterator<Item = i64>) -> &mut Self {
        self.0.push("(");
        let mut listed = self.0.separated(", ");
        for number in numbers {
            listed.push_bind(number);
        }
        self.push(")")
    }

    /// Adds a list of texts in brackets, each behind a placeholder.
    pub fn push_texts<'v>(&mut self, texts: impl Iterator<Item = &'v str>) -> &mut Self {
        self.0.push("(");
        let mut listed = self.0.separated(", ");
        for text in texts {
            listed.push_bind(text.to_owned());
        }
        self.push(")")
    }

    /// The statement, to be run once.
    pub fn build(&mut self) -> Query<'_, Sqlite, SqliteArguments> {
        self.0.build()
    }
}

/// An open transaction. Dropped, it changes nothing.
pub(crate) struct DatabaseTransaction {
    inner: Transaction<'static, Sqlite>,
    /// Told of the commit, where the transaction may write.
    witness: Option<Witness>,
}

impl Deref for DatabaseTransaction {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.inner
    }
}

impl DerefMut for DatabaseTransaction {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.inner
    }
}

/// Two pools over one file: many readers, one writer, so that writers queue here instead of failing on SQLite's lock.
#[derive(Clone)]
pub(crate) struct Store {
    readers: SqlitePool,
    writer: SqlitePool,
    witness: Witness,
}

impl Store {
    /// Opens or creates the file.
    #[boxed]
    pub async fn open(file: &Path) -> Result<Store> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            // Erased persons must not linger in free pages.
            .pragma("secure_delete", "on")
            .row_buffer_size(ROWS_AHEAD)
            .busy_timeout(BUSY_TIMEOUT);
        let pool = |connections| {
            SqlitePoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(ACQUIRE_TIMEOUT)
                .test_before_acquire(false)
                .idle_timeout(None)
                .max_lifetime(None)
        };
        let cannot = |error: sqlx::Error| {
            Error::internal(format!("control.db could not be opened at {}", file.display())).caused_by(error)
        };
        create_for_owner(file)?;
        let writer = pool(1).connect_with(options.clone()).await.map_err(cannot)?;
        let readers = pool(READERS).connect_with(options).await.map_err(cannot)?;
        let mut connection = writer.acquire().await.map_err(cannot)?;
        let witness = Witness::open(file, changes(&mut connection).await?)?;
        drop(connection);
        Ok(Store { readers, writer, witness })
    }

    /// Connections for reading.
    pub fn reader(&self) -> &SqlitePool {
        &self.readers
    }

    /// A transaction that sees one state of the database throughout.
    #[boxed]
    pub async fn begin_read(&self) -> Result<DatabaseTransaction> {
        let inner = self.readers.begin().await.map_err(failed("the control plane could not begin to read"))?;
        Ok(DatabaseTransaction { inner, witness: None })
    }

    /// A transaction that may write. There is one at a time.
    #[boxed]
    pub async fn begin(&self) -> Result<DatabaseTransaction> {
        let began = self.writer.begin_with("BEGIN IMMEDIATE").await;
        let inner = began.map_err(failed("the control plane could not begin a change"))?;
        Ok(DatabaseTransaction { inner, witness: Some(self.witness.clone()) })
    }

    /// Writes a consistent copy of the whole database to `file`, which must not exist.
    #[boxed]
    pub async fn copy_to(&self, file: &Path) -> Result<()> {
        create_for_owner(file)?;
        let target = file.to_str().ok_or_else(|| Error::internal(format!("the path {} is not valid UTF-8", file.display())))?;
        sqlx::query("VACUUM INTO $1")
            .bind(target)
            .execute(&self.readers)
            .await
            .map_err(failed("control.db could not be copied"))?;
        Ok(())
    }

    /// SQLite's own check of every page.
    #[boxed]
    pub async fn check_pages(&self) -> Result<()> {
        let unreadable = |error: sqlx::Error| {
            Error::new(Code::UpstreamFailed, "control.db is damaged: its pages cannot be read").caused_by(error)
        };
        let row = sqlx::query("PRAGMA quick_check(1)").fetch_one(&self.readers).await.map_err(unreadable)?;
        let verdict: String = row.try_get(0).map_err(unreadable)?;
        if verdict == "ok" {
            return Ok(());
        }
        Err(Error::new(Code::UpstreamFailed, format!("control.db is damaged: {verdict}")))
    }

    /// Closes every connection.
    #[boxed]
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// Commits, naming the step when it fails.
pub(crate) async fn commit(transaction: DatabaseTransaction) -> Result<()> {
    let step = "a change to the control plane could not be committed";
    let DatabaseTransaction { mut inner, witness } = transaction;
    let Some(witness) = witness else { return inner.commit().await.map_err(failed(step)) };
    let changes = changes(&mut inner).await?.wrapping_add(1);
    // A pragma takes no parameters; a number needs no quoting.
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("PRAGMA user_version = {changes}")))
        .execute(&mut *inner)
        .await
        .map_err(failed(step))?;
    inner.commit().await.map_err(failed(step))?;
    witness.note(changes);
    Ok(())
}

/// How many changes the database has taken in. SQLite's `user_version` counts them: it is part of every transaction.
async fn changes(connection: &mut SqliteConnection) -> Result<i32> {
    let step = "control.db could not be read";
    let row = sqlx::query("PRAGMA user_version").fetch_one(connection).await.map_err(failed(step))?;
    row.try_get(0).map_err(failed(step))
}

/// Wraps a database error in a sentence about the step; the database's own words stay in the log.
pub(crate) fn failed(step: &'static str) -> impl Fn(sqlx::Error) -> Error {
    move |error| Error::internal(step).caused_by(error)
}

/// A stored value that no code of ours can have written.
pub(crate) fn damaged(what: &'static str) -> Error {
    Error::internal(what)
}

/// Makes an empty file, which SQLite takes for a new database, unless there is one. Names, hashes and networks inside are
/// nobody else's business: its permissions, which SQLite hands on to the files beside it, are set before anything is in it.
fn create_for_owner(file: &Path) -> Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file).map_err(|error| Error::internal(format!("{} could not be created", file.display())).caused_by(error))?;
    Ok(())
}
