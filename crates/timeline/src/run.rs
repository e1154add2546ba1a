//! A run: rows sorted by visitor and time, either a segment or a stretch of the tail, in chunks. Questions see nothing else.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use tributary_core::error::Result;
use tributary_core::event::{Event, Origin, derived_session_id};
use tributary_events::ad_parameters::ad_parameter;
use tributary_events::channel::channel;
use tributary_events::field::{Field, VISIT, is_visit, property};

use crate::cache::{ColumnCache, ColumnSet};
use crate::catalogue::Tombstone;
use crate::column::{Amounts, Codes, Column, ColumnId, TextColumn, Texts, Times, Visitors, newest_rows};
use crate::live::LiveRows;
use crate::segment::Segment;
use crate::stored::Stored;

/// Sorted rows.
pub(crate) enum Run {
    Segment(Arc<Segment>),
    Tail(Arc<TailRun>),
}

/// A stretch of a run that is decoded at once. Chunks follow each other in the run's order; only a visitor with very many
/// events stands in several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// First row, counted in the run.
    pub first_row: usize,
    pub rows: usize,
    /// Visitor hashes of the first and of the last row.
    pub first_hash: u64,
    pub last_hash: u64,
}

/// Events of the tail in run order, their columns built on demand.
pub(crate) struct TailRun {
    pub rows: Vec<Arc<Stored>>,
    chunks: Arc<[Chunk]>,
    cache: ColumnCache,
    sets: Mutex<HashMap<ColumnId, Arc<ColumnSet>>>,
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
        let chunks = match (rows.first(), rows.last()) {
            (Some(first), Some(last)) => {
                vec![Chunk { first_row: 0, rows: rows.len(), first_hash: first.visitor_hash, last_hash: last.visitor_hash }]
            }
            _ => Vec::new(),
        };
        // The tail is bounded by itself: what it decodes needs no second bound.
        let cache = ColumnCache::new(usize::MAX);
        Arc::new(Self { rows, chunks: chunks.into(), cache, sets: Mutex::default(), first_us, last_us, last_sequence })
    }

    fn set(&self, id: &ColumnId) -> Arc<ColumnSet> {
        let mut sets = self.sets.lock().expect("no holder of this lock panics");
        sets.entry(id.clone()).or_insert_with(|| ColumnSet::new(0, id.clone(), self.chunks.len())).clone()
    }

    fn build(&self, set: &ColumnSet) -> Result<Column> {
        let rows = &self.rows;
        Ok(match &set.id {
            ColumnId::Visitors => Column::Visitors(Arc::new(Visitors::of(rows.iter().map(|row| row.visitor_hash)))),
            ColumnId::VisitorIds => {
                let mut ids = Texts::default();
                rows.chunk_by(|a, b| a.visitor_hash == b.visitor_hash).for_each(|run| ids.push(&run[0].event.anonymous_id));
                Column::Ids(Arc::new(ids))
            }
            ColumnId::Time => Column::Times(Arc::new(Times::of(rows.iter().map(|row| row.event.time_us).collect()))),
            ColumnId::Received => Column::Times(Arc::new(Times::of(rows.iter().map(|row| row.event.received_us).collect()))),
            ColumnId::Sequence => Column::Unsigned(Arc::new(rows.iter().map(|row| row.sequence).collect())),
            ColumnId::ContentHash => Column::Unsigned(Arc::new(rows.iter().map(|row| row.content_hash()).collect())),
            ColumnId::Amounts => {
                let mut amounts = Amounts::default();
                for (at, row) in rows.iter().enumerate() {
                    if let Some(amount) = row.event.amount {
                        amounts.push(at, amount.micros);
                    }
                }
                Column::Amounts(Arc::new(amounts))
            }
            ColumnId::Text(text) => texts(set, rows.iter().map(|row| text.of(&row.event))),
            ColumnId::Newest => {
                let times = Times::of(rows.iter().map(|row| row.event.time_us).collect());
                Column::Newest(Arc::new(newest_rows(&times)))
            }
            ColumnId::Property(key) => {
                let values: Vec<Option<String>> =
                    rows.iter().map(|row| row.event.properties.as_deref().and_then(|json| property(json, key))).collect();
                texts(set, values.iter().map(Option::as_deref))
            }
            ColumnId::AnonymousId => texts(set, rows.iter().map(|row| Some(row.event.anonymous_id.as_str()))),
            ColumnId::Session => {
                let sessions: Vec<String> = rows.iter().map(|row| row.event.session_id()).collect();
                texts(set, sessions.iter().map(|session| Some(session.as_str())))
            }
            ColumnId::Channel => texts(set, rows.iter().map(|row| Some(channel(&row.event.source, &row.event.medium)))),
            ColumnId::Visit => texts(set, rows.iter().map(|row| Field::Visit.of(&row.event).map(|_| VISIT))),
            ColumnId::AdParameter(level) => {
                let ids: Vec<Option<String>> =
                    rows.iter().map(|row| row.event.url.as_deref().and_then(|url| ad_parameter(url, *level))).collect();
                texts(set, ids.iter().map(Option::as_deref))
            }
            ColumnId::EventIds => unreachable!("events of the tail are at hand as they are"),
            ColumnId::Trait(_) => unreachable!("a question works out its own traits"),
        })
    }
}

/// A text of each row as codes into the set's dictionary.
fn texts<'a>(set: &ColumnSet, values: impl Iterator<Item = Option<&'a str>>) -> Column {
    let codes = set.dictionary.grow(|interner| values.map(|value| interner.code_of(value)).collect());
    Column::Text(Arc::new(TextColumn { codes: Codes::narrow(codes), dictionary: set.dictionary.clone() }))
}

/// `anonymous_id` of each row of a chunk.
pub(crate) fn visitor_texts(set: &ColumnSet, visitors: &Visitors, ids: &Texts) -> Column {
    let codes = set.dictionary.grow(|interner| {
        let mut codes = Vec::new();
        for at in 0..visitors.len() {
            let code = interner.code(ids.get(at));
            codes.resize(visitors.starts[at + 1] as usize, code);
        }
        codes
    });
    Column::Text(Arc::new(TextColumn { codes: Codes::narrow(codes), dictionary: set.dictionary.clone() }))
}

/// The session of each row of a chunk: the sender's, or the derived one.
pub(crate) fn session_texts(set: &ColumnSet, visitors: &Visitors, ids: &Texts, times: &Times, named: &TextColumn) -> Column {
    let codes = set.dictionary.grow(|interner| {
        let mut codes = Vec::with_capacity(times.len());
        for at in 0..visitors.len() {
            for row in visitors.rows(at) {
                codes.push(match named.at(row) {
                    Some(session) => interner.code(&session),
                    None => interner.code(&derived_session_id(ids.get(at), times.at(row))),
                });
            }
        }
        codes
    });
    Column::Text(Arc::new(TextColumn { codes: Codes::narrow(codes), dictionary: set.dictionary.clone() }))
}

/// The channel of each row of a chunk; each pair of source and medium is looked at once.
pub(crate) fn channel_texts(set: &ColumnSet, sources: &TextColumn, media: &TextColumn, rows: usize) -> Column {
    let codes = set.dictionary.grow(|interner| {
        let mut known: HashMap<(u32, u32), u32> = HashMap::new();
        let mut of = |row: usize| {
            let pair = (sources.codes.at(row), media.codes.at(row));
            *known.entry(pair).or_insert_with(|| {
                let text = |column: &TextColumn| column.at(row).unwrap_or_default();
                interner.code(channel(&text(sources), &text(media)))
            })
        };
        (0..rows).map(&mut of).collect()
    });
    Column::Text(Arc::new(TextColumn { codes: Codes::narrow(codes), dictionary: set.dictionary.clone() }))
}

/// Whether each row of a chunk shows a visit.
pub(crate) fn visit_texts(
    set: &ColumnSet,
    origins: &TextColumn,
    paths: &TextColumn,
    channels: &TextColumn,
    rows: usize,
) -> Column {
    let code_of = |column: &TextColumn, value: &str| column.dictionary.code_of(value);
    let browser = code_of(origins, Origin::Browser.as_str());
    let mut came: HashMap<u32, bool> = HashMap::new();
    let codes = set.dictionary.grow(|interner| {
        let mut of = |row: usize| {
            let channel = channels.codes.at(row);
            let says_how = *came.entry(channel).or_insert_with(|| is_visit(false, false, &channels.at(row).unwrap_or_default()));
            let is_visit = says_how || paths.codes.at(row) != 0 || browser == Some(origins.codes.at(row));
            interner.code_of(is_visit.then_some(VISIT))
        };
        (0..rows).map(&mut of).collect()
    });
    Column::Text(Arc::new(TextColumn { codes: Codes::narrow(codes), dictionary: set.dictionary.clone() }))
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

    /// Whether a row may have this sequence number.
    pub fn may_hold(&self, sequence: u64) -> bool {
        let first = match self {
            Run::Segment(segment) => segment.record.first_sequence,
            Run::Tail(_) => 0,
        };
        (first..=self.last_sequence()).contains(&sequence)
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

    pub fn chunks(&self) -> Result<Arc<[Chunk]>> {
        match self {
            Run::Segment(segment) => segment.chunks(),
            Run::Tail(tail) => Ok(tail.chunks.clone()),
        }
    }

    /// A column, to be loaded chunk by chunk.
    pub fn set(&self, id: &ColumnId) -> Result<Arc<ColumnSet>> {
        match self {
            Run::Segment(segment) => segment.set(id),
            Run::Tail(tail) => Ok(tail.set(id)),
        }
    }

    /// One chunk of a column of this run.
    pub fn load(&self, set: &Arc<ColumnSet>, chunk: usize) -> Result<Column> {
        match self {
            Run::Segment(segment) => segment.load(set, chunk),
            Run::Tail(tail) => tail.cache.load(set, chunk, || tail.build(set)),
        }
    }

    pub fn column(&self, id: &ColumnId, chunk: usize) -> Result<Column> {
        self.load(&self.set(id)?, chunk)
    }

    /// The chunks that may hold rows of a visitor.
    fn chunks_of(&self, hash: u64) -> Result<Range<usize>> {
        let chunks = self.chunks()?;
        let first = chunks.partition_point(|chunk| chunk.last_hash < hash);
        Ok(first..first + chunks[first..].partition_point(|chunk| chunk.first_hash <= hash))
    }

    /// Whether nothing has to be decoded to [find](Run::find) a visitor.
    pub fn finds_at_once(&self, hash: u64) -> Result<bool> {
        let visitors = self.set(&ColumnId::Visitors)?;
        Ok(self.chunks_of(hash)?.all(|chunk| visitors.has(chunk)))
    }

    /// The rows of a visitor, chunk by chunk.
    pub fn find(&self, hash: u64) -> Result<Vec<(usize, Range<usize>)>> {
        let mut found = Vec::new();
        for at in self.chunks_of(hash)? {
            let rows = match self {
                Run::Segment(segment) => segment.find(hash, at)?,
                Run::Tail(_) => self.column(&ColumnId::Visitors, at)?.visitors().find(hash),
            };
            found.extend(rows.map(|rows| (at, rows)));
        }
        Ok(found)
    }

    /// Has fetched what a visitor is looked for in.
    pub fn prefetch_visitor(&self, hash: u64) -> Result<()> {
        let Run::Segment(segment) = self else { return Ok(()) };
        self.chunks_of(hash)?.try_for_each(|chunk| segment.prefetch_visitor(hash, chunk))
    }

    /// Has fetched what a chunk of a column is decoded from: see [`Segment::prefetch`].
    pub fn prefetch(&self, id: &ColumnId, chunk: usize) -> Result<()> {
        match self {
            Run::Segment(segment) => segment.prefetch(id, chunk),
            Run::Tail(_) => Ok(()),
        }
    }

    /// Has fetched what some events are read from, ascending: see [`Segment::prefetch_events`].
    pub fn prefetch_events(&self, chunk: usize, rows: &[u32]) -> Result<()> {
        match self {
            Run::Segment(segment) => segment.prefetch_events(chunk, rows),
            Run::Tail(_) => Ok(()),
        }
    }

    /// Whether events of a chunk were read before: then little of it has to be read again.
    pub fn was_visited(&self, chunk: usize) -> bool {
        match self {
            Run::Segment(segment) => segment.was_visited(chunk),
            Run::Tail(_) => true,
        }
    }

    /// The events of some rows of a chunk, ascending, each with its sequence number.
    pub fn events(&self, chunk: usize, rows: &[u32]) -> Result<Vec<(u64, Event)>> {
        match self {
            Run::Segment(segment) => segment.events(chunk, rows),
            Run::Tail(tail) => {
                let stored = |row: &u32| (tail.rows[*row as usize].sequence, tail.rows[*row as usize].event.clone());
                Ok(rows.iter().map(stored).collect())
            }
        }
    }
}
