//! Whole events out of columns: those at hand, or compact enough to be kept, from memory; wide ones page by page.

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, UInt64Type};
use parquet::arrow::arrow_reader::RowSelection;
use std::borrow::Cow;
use std::ops::Range;

use tributary_core::error::{Error, Result};
use tributary_core::event::Event;

use crate::column::{Column, ColumnId};
use crate::parquet_file::instants_us;
use crate::schema::{AMOUNT_MICROS, ANONYMOUS_ID, EVENT_ID_NUMBER, Parts, RECEIVED, SEQUENCE, TEXTS, TIME, Text, event_of};
use crate::segment::Segment;

/// A column whose encoded chunk takes at most this many bytes a row is decoded whole, once its events are asked for again:
/// codes of a dictionary, or ids that repeat.
const COMPACT_BYTES_PER_ROW: u64 = 8;

/// How far before a row its visitor's id is looked for at first, and how many times as far where that was not enough.
const FIRST_LOOK_BACK: usize = 256;
const LOOK_BACK_GROWTH: usize = 16;

/// The values of one column for the rows asked for.
enum Values {
    Absent,
    Texts(Vec<Option<String>>),
    Integers(Vec<i64>),
    Numbers(Vec<Option<i64>>),
}

impl Segment {
    /// The events of some rows of a chunk, ascending, each with its sequence number.
    pub fn events(&self, chunk: usize, rows: &[u32]) -> Result<Vec<(u64, Event)>> {
        let again = self.visit(chunk);
        let mut wide: Vec<&str> = Vec::new();
        let mut fixed = |id: ColumnId, name: &'static str| -> Result<Option<Values>> {
            let found = self.at_hand(&id, name, chunk, rows, again)?;
            if found.is_none() {
                wide.push(name);
            }
            Ok(found)
        };
        let times = fixed(ColumnId::Time, TIME)?;
        let arrivals = fixed(ColumnId::Received, RECEIVED)?;
        let sequences = fixed(ColumnId::Sequence, SEQUENCE)?;
        let amounts = fixed(ColumnId::Amounts, AMOUNT_MICROS)?;
        let mut texts = Vec::with_capacity(TEXTS.len());
        for column in TEXTS {
            texts.push(fixed(ColumnId::Text(column.text), column.name)?);
        }
        // An event id at hand is whole; of one that is read the number stands elsewhere.
        let mut numbers = Some(Values::Absent);
        if wide.contains(&Text::EventId.name()) && !self.is_absent(EVENT_ID_NUMBER, chunk)? {
            wide.push(EVENT_ID_NUMBER);
            numbers = None;
        }
        let visitors = match self.at_hand(&ColumnId::VisitorIds, ANONYMOUS_ID, chunk, rows, again)? {
            Some(found) => found,
            None => self.read_visitors(chunk, rows)?,
        };
        let mut read = self.read_wide(&wide, chunk, rows)?.into_iter();
        let mut filled = |values: Option<Values>| values.or_else(|| read.next()).unwrap_or(Values::Absent);
        let (times, arrivals) = (filled(times), filled(arrivals));
        let (sequences, amounts) = (filled(sequences), filled(amounts));
        let texts: Vec<Values> = texts.into_iter().map(&mut filled).collect();
        let numbers = filled(numbers);
        let mut events = Vec::with_capacity(rows.len());
        for at in 0..rows.len() {
            let text = |text| {
                let place = TEXTS.iter().position(|column| column.text == text)?;
                texts[place].text(at)
            };
            let sequence = sequences.integer(at) as u64;
            let event = event_of(&Parts {
                anonymous_id: visitors.text(at).unwrap_or_default(),
                time_us: times.integer(at),
                received_us: arrivals.integer(at),
                micros: amounts.integer(at),
                sequence,
                event_id_number: numbers.number(at),
                text,
            })?;
            events.push((sequence, event));
        }
        Ok(events)
    }

    /// The values of a column that is at hand, or is worth decoding whole.
    fn at_hand(&self, id: &ColumnId, name: &str, chunk: usize, rows: &[u32], again: bool) -> Result<Option<Values>> {
        if self.is_absent(name, chunk)? {
            return Ok(Some(Values::Absent));
        }
        let column = match self.kept(id, chunk)? {
            Some(column) => column,
            None => {
                let bytes = self.file()?.chunk(name, chunk).map_or(0, |facts| facts.encoded_bytes());
                // Ids are kept once per visitor, whatever they take in the file.
                let is_compact = match id {
                    ColumnId::VisitorIds => true,
                    // Numbered ids take little in the file and are all different once they are put together.
                    ColumnId::Text(Text::EventId) if !self.is_absent(EVENT_ID_NUMBER, chunk)? => false,
                    _ => bytes <= COMPACT_BYTES_PER_ROW * self.chunks()?[chunk].rows as u64,
                };
                if !again || !is_compact {
                    return Ok(None);
                }
                self.column(id, chunk)?
            }
        };
        Ok(Some(match &column {
            Column::Text(column) => Values::Texts(rows.iter().map(|row| column.at(*row as usize)).collect()),
            Column::Ids(ids) => {
                let visitors = self.column(&ColumnId::Visitors, chunk)?;
                let starts = &visitors.visitors().starts;
                let id = |row: &u32| Some(ids.get(starts.partition_point(|start| start <= row) - 1).to_owned());
                Values::Texts(rows.iter().map(id).collect())
            }
            Column::Times(times) => Values::Integers(rows.iter().map(|row| times.at(*row as usize)).collect()),
            Column::Amounts(amounts) => Values::Integers(rows.iter().map(|row| amounts.at(*row as usize)).collect()),
            Column::Unsigned(values) => Values::Integers(rows.iter().map(|row| values[*row as usize] as i64).collect()),
            Column::Visitors(_) => return Ok(None),
        }))
    }

    /// The visitors of some rows. Their ids stand at the row or before it: where a few rows before do not tell, more do.
    fn read_visitors(&self, chunk: usize, rows: &[u32]) -> Result<Values> {
        let chunk_rows = self.chunks()?[chunk].rows;
        let mut ids: Vec<Option<String>> = vec![None; rows.len()];
        let mut look_back = FIRST_LOOK_BACK;
        loop {
            let mut ranges: Vec<Range<usize>> = Vec::new();
            for (row, _) in rows.iter().zip(&ids).filter(|(_, id)| id.is_none()) {
                let (from, end) = ((*row as usize).saturating_sub(look_back), *row as usize + 1);
                match ranges.last_mut() {
                    Some(last) if from <= last.end => last.end = end,
                    _ => ranges.push(from..end),
                }
            }
            if ranges.is_empty() {
                break;
            }
            let selection = RowSelection::from_consecutive_ranges(ranges.iter().cloned(), chunk_rows);
            let selected = ranges.iter().map(Range::len).sum();
            let mut batches = self.file()?.read(&[ANONYMOUS_ID], chunk..chunk + 1, Some(selection), selected, false)?;
            let batch = batches.next().transpose()?.filter(|batch| batch.num_rows() == selected);
            let batch = batch.ok_or_else(|| Error::internal(format!("`{}` gives too few rows", self.record.name())))?;
            let column = batch.column(0).as_string::<i32>();
            let mut wanted = rows.iter().zip(&mut ids).filter(|(_, id)| id.is_none()).peekable();
            let mut at = 0;
            for range in ranges {
                let mut last = None;
                for row in range {
                    if column.is_valid(at) {
                        last = Some(column.value(at));
                    }
                    if let Some((_, id)) = wanted.next_if(|(wanted, _)| **wanted as usize == row) {
                        *id = last.map(str::to_owned);
                    }
                    at += 1;
                }
            }
            if look_back >= chunk_rows {
                break;
            }
            look_back *= LOOK_BACK_GROWTH;
        }
        Ok(Values::Texts(ids))
    }

    /// The values of some columns, from the pages that hold the rows.
    fn read_wide(&self, names: &[&str], chunk: usize, rows: &[u32]) -> Result<Vec<Values>> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let ranges = rows.iter().map(|row| *row as usize..*row as usize + 1);
        let selection = RowSelection::from_consecutive_ranges(ranges, self.chunks()?[chunk].rows);
        let mut values: Vec<Values> = names
            .iter()
            .map(|name| match *name {
                TIME | RECEIVED | SEQUENCE | AMOUNT_MICROS => Values::Integers(vec![]),
                EVENT_ID_NUMBER => Values::Numbers(vec![]),
                _ => Values::Texts(vec![]),
            })
            .collect();
        for batch in self.file()?.read(names, chunk..chunk + 1, Some(selection), rows.len().max(1), false)? {
            let batch = batch?;
            for ((values, name), column) in values.iter_mut().zip(names).zip(batch.columns()) {
                match values {
                    Values::Integers(values) if *name == AMOUNT_MICROS => {
                        values.extend(column.as_primitive::<Int64Type>().iter().map(Option::unwrap_or_default));
                    }
                    Values::Integers(values) if *name == SEQUENCE => {
                        values.extend(column.as_primitive::<UInt64Type>().values().iter().map(|sequence| *sequence as i64));
                    }
                    Values::Integers(values) => match instants_us(column) {
                        Cow::Borrowed(instants) => values.extend_from_slice(instants),
                        Cow::Owned(instants) => values.extend(instants),
                    },
                    Values::Numbers(values) => values.extend(column.as_primitive::<Int64Type>().iter()),
                    Values::Texts(values) => {
                        let column = column.as_string::<i32>();
                        values.extend((0..column.len()).map(|at| column.is_valid(at).then(|| column.value(at).to_owned())));
                    }
                    Values::Absent => {}
                }
            }
        }
        Ok(values)
    }
}

impl Values {
    fn text(&self, at: usize) -> Option<&str> {
        match self {
            Values::Texts(values) => values.get(at)?.as_deref(),
            Values::Absent | Values::Integers(_) | Values::Numbers(_) => None,
        }
    }

    fn integer(&self, at: usize) -> i64 {
        match self {
            Values::Integers(values) => values.get(at).copied().unwrap_or_default(),
            Values::Absent | Values::Texts(_) | Values::Numbers(_) => 0,
        }
    }

    fn number(&self, at: usize) -> Option<i64> {
        match self {
            Values::Numbers(values) => values.get(at).copied().flatten(),
            Values::Absent | Values::Texts(_) | Values::Integers(_) => None,
        }
    }
}
