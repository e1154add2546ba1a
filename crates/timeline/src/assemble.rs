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

/// A column that need not be read for a few rows.
enum AtHand {
    /// No row has a value.
    Absent,
    Column(Column),
}

impl Segment {
    /// The events of some rows of a chunk, ascending, each with its sequence number.
    pub fn events(&self, chunk: usize, rows: &[u32]) -> Result<Vec<(u64, Event)>> {
        let again = self.visit(chunk);
        let mut wide: Vec<&str> = Vec::new();
        let find = |id: ColumnId, name: &'static str, wide: &mut Vec<&str>| -> Result<Option<Values>> {
            let found = self.at_hand(&id, &[name], chunk, again)?.map(|found| found.values(rows));
            if found.is_none() {
                wide.push(name);
            }
            Ok(found)
        };
        let times = find(ColumnId::Time, TIME, &mut wide)?;
        let arrivals = find(ColumnId::Received, RECEIVED, &mut wide)?;
        let sequences = find(ColumnId::Sequence, SEQUENCE, &mut wide)?;
        let amounts = find(ColumnId::Amounts, AMOUNT_MICROS, &mut wide)?;
        let is_numbered = !self.is_absent(EVENT_ID_NUMBER, chunk)?;
        let mut numbers = Some(Values::Absent);
        let mut texts = Vec::with_capacity(TEXTS.len());
        for column in TEXTS {
            texts.push(match column.text {
                Text::EventId if is_numbered => {
                    let names = [column.name, EVENT_ID_NUMBER];
                    let ids = self.at_hand(&ColumnId::EventIds, &names, chunk, again)?;
                    if ids.is_none() {
                        wide.push(column.name);
                    }
                    numbers = ids.as_ref().map(|ids| ids.numbers(rows));
                    ids.map(|ids| ids.values(rows))
                }
                text => find(ColumnId::Text(text), column.name, &mut wide)?,
            });
        }
        // Read last, so it is found last.
        if numbers.is_none() {
            wide.push(EVENT_ID_NUMBER);
        }
        let visitors = match self.at_hand(&ColumnId::VisitorIds, &[ANONYMOUS_ID], chunk, again)? {
            Some(AtHand::Column(Column::Ids(ids))) => {
                let visitors = self.column(&ColumnId::Visitors, chunk)?;
                let starts = &visitors.visitors().starts;
                let id = |row: &u32| Some(ids.get(starts.partition_point(|start| start <= row) - 1).to_owned());
                Values::Texts(rows.iter().map(id).collect())
            }
            Some(_) | None => self.read_visitors(chunk, rows)?,
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

    /// A column that is at hand, or is worth decoding whole; `names` are those it has in the file.
    fn at_hand(&self, id: &ColumnId, names: &[&str], chunk: usize, again: bool) -> Result<Option<AtHand>> {
        let file = self.file()?;
        let facts = |name: &&str| file.chunk(name, chunk).filter(|facts| !facts.is_absent());
        if names.iter().all(|name| facts(name).is_none()) {
            return Ok(Some(AtHand::Absent));
        }
        if let Some(column) = self.kept(id, chunk)? {
            return Ok(Some(AtHand::Column(column)));
        }
        let bytes: u64 = names.iter().filter_map(facts).map(|facts| facts.encoded_bytes()).sum();
        // Ids are kept once per visitor, whatever they take in the file.
        let is_compact = *id == ColumnId::VisitorIds || bytes <= COMPACT_BYTES_PER_ROW * self.chunks()?[chunk].rows as u64;
        if again && is_compact { self.column(id, chunk).map(AtHand::Column).map(Some) } else { Ok(None) }
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

impl AtHand {
    /// What the rows have.
    fn values(&self, rows: &[u32]) -> Values {
        let AtHand::Column(column) = self else { return Values::Absent };
        let rows = rows.iter().map(|row| *row as usize);
        match column {
            Column::Text(column) => Values::Texts(rows.map(|row| column.at(row)).collect()),
            Column::EventIds(ids) => Values::Texts(rows.map(|row| ids.texts.at(row)).collect()),
            Column::Times(times) => Values::Integers(rows.map(|row| times.at(row)).collect()),
            Column::Amounts(amounts) => Values::Integers(rows.map(|row| amounts.at(row)).collect()),
            Column::Unsigned(values) => Values::Integers(rows.map(|row| values[row] as i64).collect()),
            Column::Visitors(_) | Column::Ids(_) | Column::Newest(_) => Values::Absent,
        }
    }

    /// The numbers of event ids in two parts.
    fn numbers(&self, rows: &[u32]) -> Values {
        let AtHand::Column(Column::EventIds(ids)) = self else { return Values::Absent };
        Values::Numbers(rows.iter().map(|row| ids.numbers.at(*row as usize)).collect())
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
