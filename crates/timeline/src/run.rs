//! A run: rows sorted by visitor and time, either a segment or a stretch of the tail. Questions see nothing else.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tributary_core::error::Result;
use tributary_core::event::Event;

use crate::catalogue::Tombstone;
use crate::column::{Codes, Column, ColumnId, Interner, TextColumn, Visitors};
use crate::live::LiveRows;
use crate::schema::Text;
use crate::segment::Segment;
use crate::stored::Stored;

/// Sorted rows.
pub(crate) enum Run {
    Segment(Arc<Segment>),
    Tail(Arc<TailRun>),
}

/// Events of the tail in run order, their columns built on demand.
pub(crate) struct TailRun {
    pub rows: Vec<Arc<Stored>>,
    columns: Mutex<HashMap<ColumnId, Column>>,
    first_us: i64,
    last_us: i64,
    last_sequence: u64,
}

impl TailRun {
    /// Sorts events into a run.
    pub fn new(mut rows: Vec<Arc<Stored>>) -> Arc<Self> {
        rows.sort_unstable_by(|a, b| a.run_order(b));
        let times = || rows.iter().map(|row| row.event.time_us);
        let (first_us, last_us) = (times().min().unwrap_or(i64::MAX), times().max().unwrap_or(i64::MIN));
        let last_sequence = rows.iter().map(|row| row.sequence).max().unwrap_or_default();
        Arc::new(Self { rows, columns: Mutex::default(), first_us, last_us, last_sequence })
    }

    fn column(&self, id: ColumnId) -> Column {
        let mut columns = self.columns.lock().expect("no holder of this lock panics");
        columns.entry(id).or_insert_with(|| self.build(id)).clone()
    }

    fn build(&self, id: ColumnId) -> Column {
        let signed = |of: fn(&Stored) -> i64| Column::Signed(Arc::new(self.rows.iter().map(|row| of(row)).collect()));
        let unsigned = |of: fn(&Stored) -> u64| Column::Unsigned(Arc::new(self.rows.iter().map(|row| of(row)).collect()));
        match id {
            ColumnId::Visitors => {
                let mut visitors = Visitors::default();
                for (at, row) in self.rows.iter().enumerate() {
                    visitors.push_row(at as u32, row.visitor_hash, &row.event.anonymous_id);
                }
                visitors.finish(self.rows.len() as u32);
                Column::Visitors(Arc::new(visitors))
            }
            ColumnId::Time => signed(|row| row.event.time_us),
            ColumnId::Received => signed(|row| row.event.received_us),
            ColumnId::AmountMicros => signed(|row| row.event.amount.map_or(0, |amount| amount.micros)),
            ColumnId::Sequence => unsigned(|row| row.sequence),
            ColumnId::ContentHash => unsigned(|row| row.content_hash),
            ColumnId::Text(text) => {
                let mut interner = Interner::default();
                let codes = self.rows.iter().map(|row| interner.code_of(text.of(&row.event))).collect();
                let values = interner.values;
                Column::Text(Arc::new(TextColumn { codes: Codes::narrow(codes, values.len()), values }))
            }
        }
    }
}

impl Run {
    pub fn rows(&self) -> usize {
        match self {
            Run::Segment(segment) => segment.rows(),
            Run::Tail(tail) => tail.rows.len(),
        }
    }

    /// Time of the earliest and of the latest row.
    pub fn bounds_us(&self) -> (i64, i64) {
        match self {
            Run::Segment(segment) => (segment.record.first_us, segment.record.last_us),
            Run::Tail(tail) => (tail.first_us, tail.last_us),
        }
    }

    pub fn last_sequence(&self) -> u64 {
        match self {
            Run::Segment(segment) => segment.record.last_sequence,
            Run::Tail(tail) => tail.last_sequence,
        }
    }

    /// Which rows are left; `None` when all are. The tail drops erased events itself.
    pub fn live(&self, tombstones: &[Tombstone]) -> Result<Option<Arc<LiveRows>>> {
        match self {
            Run::Segment(segment) => segment.live(tombstones),
            Run::Tail(_) => Ok(None),
        }
    }

    pub fn column(&self, id: ColumnId) -> Result<Column> {
        match self {
            Run::Segment(segment) => segment.column(id),
            Run::Tail(tail) => Ok(tail.column(id)),
        }
    }

    pub fn visitors(&self) -> Result<Arc<Visitors>> {
        self.column(ColumnId::Visitors).map(visitors)
    }

    pub fn times(&self) -> Result<Arc<Vec<i64>>> {
        self.column(ColumnId::Time).map(signed)
    }

    pub fn sequences(&self) -> Result<Arc<Vec<u64>>> {
        self.column(ColumnId::Sequence).map(unsigned)
    }

    pub fn text(&self, text: Text) -> Result<Arc<TextColumn>> {
        self.column(ColumnId::Text(text)).map(texts)
    }

    /// The events of some rows, ascending.
    pub fn events(&self, rows: &[u32]) -> Result<Vec<Event>> {
        match self {
            Run::Segment(segment) => Ok(segment.events(rows)?.into_iter().map(|(_, event)| event).collect()),
            Run::Tail(tail) => Ok(rows.iter().map(|row| tail.rows[*row as usize].event.clone()).collect()),
        }
    }
}

// A column id decides the variant; these four say so once.

pub(crate) fn visitors(column: Column) -> Arc<Visitors> {
    match column {
        Column::Visitors(visitors) => visitors,
        Column::Signed(_) | Column::Unsigned(_) | Column::Text(_) => unreachable!("the visitors column holds visitors"),
    }
}

pub(crate) fn signed(column: Column) -> Arc<Vec<i64>> {
    match column {
        Column::Signed(values) => values,
        Column::Visitors(_) | Column::Unsigned(_) | Column::Text(_) => unreachable!("times and amounts are signed"),
    }
}

pub(crate) fn unsigned(column: Column) -> Arc<Vec<u64>> {
    match column {
        Column::Unsigned(values) => values,
        Column::Visitors(_) | Column::Signed(_) | Column::Text(_) => unreachable!("sequences and hashes are unsigned"),
    }
}

pub(crate) fn texts(column: Column) -> Arc<TextColumn> {
    match column {
        Column::Text(column) => column,
        Column::Visitors(_) | Column::Signed(_) | Column::Unsigned(_) => unreachable!("text columns hold text"),
    }
}
