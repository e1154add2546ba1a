//! Events of one month, sorted for a segment. They lie in memory about as they arrived, and a segment's order leads through
//! all of it: so what is needed of each event is taken out as they came, and only that is put in order.

use crate::coded::{Coded, Coder, hasher};
use crate::schema::{TEXTS, Text};
use crate::stored::Stored;

/// Events looked at together, column by column: few enough that they stay in the processor's cache.
const BLOCK_EVENTS: usize = 128;

/// Sorted events.
pub(crate) struct Sorted<'e> {
    /// In run order.
    pub rows: Vec<&'e Stored>,
    /// Of each row, its place among the events as they came.
    pub places: Vec<u32>,
    /// By row: whether its visitor is not that of the row before.
    begins: Vec<bool>,
    /// By place, bytes of text of the event.
    text_bytes: Vec<usize>,
    /// By [`TEXTS`]; event ids, of which hardly any repeats, have none.
    pub texts: Vec<Option<Coded<'e>>>,
}

impl<'e> Sorted<'e> {
    pub fn new(events: &[&'e Stored]) -> Self {
        let hasher = hasher();
        let coder = |text| (text != Text::EventId).then(|| Coder::new(&hasher, events.len()));
        let mut coders: Vec<Option<Coder<'e>>> = TEXTS.iter().map(|column| coder(column.text)).collect();
        let mut text_bytes = Vec::with_capacity(events.len());
        for block in events.chunks(BLOCK_EVENTS) {
            let first = text_bytes.len();
            text_bytes.extend(block.iter().map(|row| row.event.anonymous_id.len()));
            for (column, coder) in TEXTS.iter().zip(&mut coders) {
                for (row, bytes) in block.iter().zip(&mut text_bytes[first..]) {
                    let text = (column.of)(&row.event);
                    *bytes += text.map_or(0, str::len);
                    if let Some(coder) = coder {
                        coder.push(text);
                    }
                }
            }
        }
        let (places, begins) = run_order(events);
        let rows = places.iter().map(|place| events[*place as usize]).collect();
        let texts = coders.into_iter().map(|coder| coder.map(Coder::finish)).collect();
        Self { rows, places, begins, text_bytes, texts }
    }

    /// Bytes of text of a row's event.
    pub fn text_bytes(&self, row: usize) -> usize {
        self.text_bytes[self.places[row] as usize]
    }

    /// Whether a row is the first of its visitor.
    pub fn begins_visitor(&self, row: usize) -> bool {
        self.begins[row]
    }

    /// The properties of all events.
    pub fn properties(&self) -> &Coded<'e> {
        let column = TEXTS.iter().position(|column| column.text == Text::Properties);
        column.and_then(|column| self.texts[column].as_ref()).expect("properties are a text column that is coded")
    }
}

/// Places of events in [`Stored::run_order`], and where visitors begin. Hash and time nearly always decide, and are compared
/// without going to the event.
fn run_order(events: &[&Stored]) -> (Vec<u32>, Vec<bool>) {
    let key = |(row, place): (&&Stored, u32)| (row.visitor_hash, row.event.time_us, place);
    let mut keys: Vec<(u64, i64, u32)> = events.iter().zip(0..).map(key).collect();
    let event = |key: &(u64, i64, u32)| events[key.2 as usize];
    keys.sort_unstable_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then_with(|| event(a).run_order(event(b))));
    let mut begins = Vec::with_capacity(keys.len());
    for same_hash in keys.chunk_by_mut(|a, b| a.0 == b.0) {
        let id = |key: &(u64, i64, u32)| event(key).event.anonymous_id.as_str();
        if same_hash[1..].iter().any(|key| id(key) != id(&same_hash[0])) {
            same_hash.sort_unstable_by(|a, b| event(a).run_order(event(b)));
        }
        begins.extend((0..same_hash.len()).map(|at| at == 0 || id(&same_hash[at - 1]) != id(&same_hash[at])));
    }
    (keys.into_iter().map(|(_, _, place)| place).collect(), begins)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::event;
    use crate::stored::Hashes;
    use tributary_core::event::Event;

    fn stored(visitor: &str, time_us: i64, id: Option<&str>) -> Stored {
        let (event_id, properties) = (id.map(str::to_owned), Some(String::from(r#"{"plan":"pro"}"#)));
        Hashes::new(&[0; 16]).prepare(Event { time_us, event_id, properties, ..event(visitor) })
    }

    #[test]
    fn rows_are_in_run_order_even_where_hashes_meet() {
        let mut events = Vec::new();
        for n in 0..200u64 {
            let mut stored = stored(&format!("v{}", n % 7), (n * 37 % 11) as i64, (n % 3 > 0).then_some("e"));
            stored.visitor_hash = n % 7 / 2;
            stored.sequence = n;
            events.push(stored);
        }
        let sorted = Sorted::new(&events.iter().collect::<Vec<_>>());
        let mut expected: Vec<&Stored> = events.iter().collect();
        expected.sort_by(|a, b| a.run_order(b));
        let sequences = |rows: &[&Stored]| rows.iter().map(|row| row.sequence).collect::<Vec<_>>();
        assert_eq!(sequences(&sorted.rows), sequences(&expected));
        let visitor = |row: usize| &sorted.rows[row].event.anonymous_id;
        for row in 0..events.len() {
            assert_eq!(sorted.begins_visitor(row), row == 0 || visitor(row) != visitor(row - 1), "{row}");
            let event = &sorted.rows[row].event;
            let texts: usize = TEXTS.iter().filter_map(|column| (column.of)(event)).map(str::len).sum();
            assert_eq!(sorted.text_bytes(row), texts + event.anonymous_id.len());
            for (column, coded) in TEXTS.iter().zip(&sorted.texts) {
                let text = coded.as_ref().map(|coded| coded.text(sorted.places[row] as usize));
                assert_eq!(text, (column.text != Text::EventId).then(|| (column.of)(event)));
            }
        }
    }
}
