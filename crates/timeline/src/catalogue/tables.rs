//! The tables of `events.db` and how older ones are brought up to date.

use rusqlite::Connection;

use tributary_core::error::{Error, Result};

use super::{DATABASE, failed, remember};

/// Version of the tables after all [`MIGRATIONS`].
const VERSION: usize = 1 + MIGRATIONS.len();

/// What leads from version n + 1 to n + 2, by n.
const MIGRATIONS: &[&str] = &[
    // 2: checksums by block, CRC-32 as little-endian bytes. Rows without are files that are checked whole.
    "alter table segment add column blocks blob; alter table segment add column keys_blocks blob;",
    // 3: a checksum of each row, since SQLite has none. Null in rows written before it came. A change to what is sealed needs a
    // new column.
    "alter table workspace add column crc integer; alter table log add column crc integer;
     alter table segment add column crc integer; alter table horizon add column crc integer;
     alter table tombstone add column crc integer;",
];

/// The tables of version 1, with which every database begins.
pub(super) const TABLES: &str = "
create table if not exists meta (name text primary key, value text not null) strict, without rowid;
create table if not exists workspace (
  id integer primary key,
  watermark integer not null
) strict;
create table if not exists log (
  id integer primary key,
  workspace integer not null,
  first_sequence integer not null,
  last_sequence integer not null,
  format integer not null,
  payload blob not null
) strict;
create table if not exists segment (
  id integer primary key,
  workspace integer not null,
  month integer not null,
  rows integer not null,
  bytes integer not null,
  hash text not null,
  keys_bytes integer not null,
  keys_hash text not null,
  first_us integer not null,
  last_us integer not null,
  first_sequence integer not null,
  last_sequence integer not null,
  last_received_us integer not null,
  applied_tombstone integer not null
) strict;
create table if not exists horizon (workspace integer primary key, before_us integer not null) strict;
create table if not exists tombstone (
  id integer primary key autoincrement,
  workspace integer not null,
  kind text not null,
  value text not null,
  up_to_sequence integer not null,
  asked_us integer not null
) strict;
";

/// Creates what is missing and migrates what is old.
pub(super) fn prepare(connection: &Connection) -> Result<()> {
    connection.execute_batch(TABLES).map_err(|error| failed("creating tables in", error))?;
    migrate(connection)
}

/// Brings the tables to this program's version, each step in a transaction of its own.
fn migrate(connection: &Connection) -> Result<()> {
    let version = remember(connection, "version", "1")?;
    let known = version.parse().ok().filter(|known| (1..=VERSION).contains(known));
    let Some(known) = known else {
        let read = format!("this program reads versions 1 to {VERSION}");
        return Err(Error::internal(format!("`{DATABASE}` has version {version}; {read}")));
    };
    for (step, to) in MIGRATIONS[known - 1..].iter().zip(known + 1..) {
        let sql = format!("begin immediate; {step} update meta set value = '{to}' where name = 'version'; commit;");
        connection.execute_batch(&sql).map_err(|error| failed("migrating", error))?;
    }
    Ok(())
}
