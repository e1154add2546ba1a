//! From a row group of a file to a decoded column.

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, UInt64Type};
use arrow_array::{Array, DictionaryArray};
use std::borrow::Cow;
use std::sync::Arc;

use tributary_core::error::Result;
use tributary_events::ad_parameters::ad_parameter;
use tributary_events::field::property;

use crate::cache::ColumnSet;
use crate::column::{Amounts, Codes, Column, ColumnId, EventIds, Numbers, TextColumn, Texts, Times, Visitors, newest_rows};
use crate::event_id::EventId;
use crate::parquet_file::{RecordBatches, instants_us};
use crate::run::{channel_texts, session_texts, visit_texts, visitor_texts};
use crate::schema::{AMOUNT_MICROS, ANONYMOUS_ID, EVENT_ID_NUMBER, RECEIVED, SEQUENCE, TIME, Text, VISITOR_HASH};
use crate::segment::Segment;

/// Rows decoded at once.
const BATCH_ROWS: usize = 65_536;
/// Name of the column of a property that is frequent in a file.
const PROPERTY_COLUMNS: &str = "properties.";

/// The column of the file that a column is decoded from; `None` for one that is worked out from others.
pub(crate) fn stored_in(id: &ColumnId) -> Option<Cow<'static, str>> {
    Some(match id {
        ColumnId::Visitors => VISITOR_HASH.into(),
        ColumnId::VisitorIds => ANONYMOUS_ID.into(),
        ColumnId::Time => TIME.into(),
        ColumnId::Received => RECEIVED.into(),
        ColumnId::Sequence => SEQUENCE.into(),
        ColumnId::Amounts => AMOUNT_MICROS.into(),
        ColumnId::Text(text) => text.name().into(),
        ColumnId::Property(key) => format!("{PROPERTY_COLUMNS}{key}").into(),
        ColumnId::ContentHash
        | ColumnId::EventIds
        | ColumnId::Newest
        | ColumnId::AnonymousId
        | ColumnId::Session
        | ColumnId::Channel
        | ColumnId::Visit
        | ColumnId::AdParameter(_)
        | ColumnId::Trait(_) => return None,
    })
}

impl Segment {
    /// Decodes one chunk of a column.
    pub fn decode(&self, set: &ColumnSet, chunk: usize) -> Result<Column> {
        Ok(match &set.id {
            ColumnId::Visitors => {
                let mut hashes: Vec<u64> = Vec::with_capacity(self.chunks()?[chunk].rows);
                for batch in self.read(VISITOR_HASH, chunk, false)? {
                    hashes.extend_from_slice(batch?.column(0).as_primitive::<UInt64Type>().values());
                }
                Column::Visitors(Arc::new(Visitors::of(hashes.into_iter())))
            }
            ColumnId::VisitorIds => {
                let visitors = self.column(&ColumnId::Visitors, chunk)?;
                let mut starts = visitors.visitors().starts.iter().map(|start| *start as usize).peekable();
                let (mut ids, mut row) = (Texts::default(), 0);
                for batch in self.read(ANONYMOUS_ID, chunk, false)? {
                    let batch = batch?;
                    let column = batch.column(0).as_string::<i32>();
                    while let Some(start) = starts.next_if(|start| *start < row + column.len()) {
                        ids.push(column.value(start - row));
                    }
                    row += column.len();
                }
                Column::Ids(Arc::new(ids))
            }
            ColumnId::Time => self.times(TIME, chunk)?,
            ColumnId::Received => self.times(RECEIVED, chunk)?,
            ColumnId::Sequence => {
                let mut values = Vec::with_capacity(self.chunks()?[chunk].rows);
                for batch in self.read(SEQUENCE, chunk, false)? {
                    values.extend_from_slice(batch?.column(0).as_primitive::<UInt64Type>().values());
                }
                Column::Unsigned(Arc::new(values))
            }
            ColumnId::ContentHash => self.content_hashes(chunk)?,
            ColumnId::Amounts => self.amounts(chunk)?,
            ColumnId::Newest => Column::Newest(Arc::new(newest_rows(self.column(&ColumnId::Time, chunk)?.times()))),
            ColumnId::EventIds => self.event_ids(set, chunk)?,
            ColumnId::Text(Text::EventId) if !self.is_absent(EVENT_ID_NUMBER, chunk)? => self.numbered_ids(set, chunk)?,
            ColumnId::Text(text) => self.texts(set, text.name(), chunk, |value| Some(value.into()))?,
            ColumnId::Property(key) => {
                let name = format!("{PROPERTY_COLUMNS}{key}");
                if self.file()?.has(&name) {
                    self.texts(set, &name, chunk, |value| Some(value.into()))?
                } else {
                    // The slower path: the property is read out of each distinct text of the row group.
                    self.texts(set, Text::Properties.name(), chunk, |json| property(json, key).map(Into::into))?
                }
            }
            ColumnId::AnonymousId => {
                let visitors = self.column(&ColumnId::Visitors, chunk)?;
                visitor_texts(set, visitors.visitors(), self.column(&ColumnId::VisitorIds, chunk)?.ids())
            }
            ColumnId::Session => {
                let (visitors, ids) = (self.column(&ColumnId::Visitors, chunk)?, self.column(&ColumnId::VisitorIds, chunk)?);
                let named = self.column(&ColumnId::Text(Text::Session), chunk)?;
                let times = self.column(&ColumnId::Time, chunk)?;
                session_texts(set, visitors.visitors(), ids.ids(), times.times(), named.text())
            }
            ColumnId::Channel => {
                let source = self.column(&ColumnId::Text(Text::Source), chunk)?;
                let medium = self.column(&ColumnId::Text(Text::Medium), chunk)?;
                channel_texts(set, source.text(), medium.text(), self.chunks()?[chunk].rows)
            }
            ColumnId::Visit => {
                let origin = self.column(&ColumnId::Text(Text::Origin), chunk)?;
                let path = self.column(&ColumnId::Text(Text::Path), chunk)?;
                let channel = self.column(&ColumnId::Channel, chunk)?;
                visit_texts(set, origin.text(), path.text(), channel.text(), self.chunks()?[chunk].rows)
            }
            ColumnId::AdParameter(level) => {
                self.texts(set, Text::Url.name(), chunk, |url| ad_parameter(url, *level).map(Into::into))?
            }
            ColumnId::Trait(_) => unreachable!("a question works out its own traits"),
        })
    }

    fn times(&self, name: &str, chunk: usize) -> Result<Column> {
        let mut values = Vec::with_capacity(self.chunks()?[chunk].rows);
        for batch in self.read(name, chunk, false)? {
            values.extend_from_slice(&instants_us(batch?.column(0)));
        }
        Ok(Column::Times(Arc::new(Times::of(values))))
    }

    fn amounts(&self, chunk: usize) -> Result<Column> {
        let (mut amounts, mut row) = (Amounts::default(), 0);
        if !self.is_absent(AMOUNT_MICROS, chunk)? {
            for batch in self.read(AMOUNT_MICROS, chunk, false)? {
                let batch = batch?;
                let column = batch.column(0).as_primitive::<Int64Type>();
                for at in (0..column.len()).filter(|at| column.is_valid(*at)) {
                    amounts.push(row + at, column.value(at));
                }
                row += column.len();
            }
        }
        Ok(Column::Amounts(Arc::new(amounts)))
    }

    /// Both parts of the event ids of a chunk that has numbers.
    fn event_ids(&self, set: &ColumnSet, chunk: usize) -> Result<Column> {
        let mut numbers = Vec::with_capacity(self.chunks()?[chunk].rows);
        for batch in self.read(EVENT_ID_NUMBER, chunk, false)? {
            numbers.extend(batch?.column(0).as_primitive::<Int64Type>().iter());
        }
        let texts = self.text_column(set, Text::EventId.name(), chunk, |value| Some(value.into()))?;
        Ok(Column::EventIds(Arc::new(EventIds { texts, numbers: Numbers::of(numbers) })))
    }

    fn texts(&self, set: &ColumnSet, name: &str, chunk: usize, of: impl Fn(&str) -> Option<Box<str>>) -> Result<Column> {
        Ok(Column::Text(Arc::new(self.text_column(set, name, chunk, of)?)))
    }

    /// A text column as codes into the set's dictionary; each distinct text of a row group is looked at once.
    fn text_column(
        &self,
        set: &ColumnSet,
        name: &str,
        chunk: usize,
        of: impl Fn(&str) -> Option<Box<str>>,
    ) -> Result<TextColumn> {
        const UNKNOWN: u32 = u32::MAX;
        if self.is_absent(name, chunk)? {
            return Ok(TextColumn { codes: Codes::Same(0), dictionary: set.dictionary.clone() });
        }
        let mut codes = Vec::with_capacity(self.chunks()?[chunk].rows);
        for batch in self.read(name, chunk, true)? {
            let batch = batch?;
            let column: &DictionaryArray<Int32Type> = batch.column(0).as_dictionary();
            let values = column.values().as_string::<i32>();
            let mut code_of_key = vec![UNKNOWN; values.len()];
            set.dictionary.grow(|interner| {
                for key in column.keys() {
                    codes.push(match key {
                        None => 0,
                        Some(key) => {
                            let code = &mut code_of_key[key as usize];
                            if *code == UNKNOWN {
                                *code = interner.code_of(of(values.value(key as usize)).as_deref());
                            }
                            *code
                        }
                    });
                }
            });
        }
        Ok(TextColumn { codes: Codes::narrow(codes), dictionary: set.dictionary.clone() })
    }

    /// Event ids of which some begin with a number that is kept apart.
    fn numbered_ids(&self, set: &ColumnSet, chunk: usize) -> Result<Column> {
        let mut codes = Vec::with_capacity(self.chunks()?[chunk].rows);
        let mut buffer = String::new();
        let names = [Text::EventId.name(), EVENT_ID_NUMBER, SEQUENCE];
        for batch in self.file()?.read(&names, chunk..chunk + 1, None, BATCH_ROWS, false)? {
            let batch = batch?;
            let texts = batch.column(0).as_string::<i32>();
            let numbers = batch.column(1).as_primitive::<Int64Type>();
            let sequences = batch.column(2).as_primitive::<UInt64Type>();
            set.dictionary.grow(|interner| {
                for row in 0..batch.num_rows() {
                    let number = numbers.is_valid(row).then(|| numbers.value(row));
                    let id = texts.is_valid(row).then(|| EventId { number, text: texts.value(row) });
                    codes.push(interner.code_of(id.map(|id| id.whole(sequences.value(row), &mut buffer))));
                }
            });
        }
        Ok(Column::Text(Arc::new(TextColumn { codes: Codes::narrow(codes), dictionary: set.dictionary.clone() })))
    }

    /// Not stored: eight bytes an event that never compress, for the rare question that meets events of one visitor, time
    /// and id in several runs. Worked out from whole rows and then cached like any column.
    fn content_hashes(&self, chunk: usize) -> Result<Column> {
        let mut hashes = Vec::with_capacity(self.chunks()?[chunk].rows);
        for batch in self.read_events(chunk..chunk + 1)? {
            let batch = batch?;
            for row in 0..batch.rows() {
                hashes.push(batch.event(row)?.content_hash());
            }
        }
        Ok(Column::Unsigned(Arc::new(hashes)))
    }

    /// Whether no row of the chunk has a value, as far as the footer tells.
    pub fn is_absent(&self, name: &str, chunk: usize) -> Result<bool> {
        Ok(self.file()?.chunk(name, chunk).is_none_or(|facts| facts.is_absent()))
    }

    fn read(&self, name: &str, chunk: usize, text_as_dictionary: bool) -> Result<RecordBatches> {
        self.file()?.read(&[name], chunk..chunk + 1, None, BATCH_ROWS, text_as_dictionary)
    }
}
