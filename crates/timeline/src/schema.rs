//! The columns of a segment, declared once: their names, types and encodings, and the way of an event in and out of them.

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, UInt64Type};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use std::sync::LazyLock;

use tributary_core::error::{Error, Result};
use tributary_core::event::{Confidence, Event, Origin};
use tributary_core::money::Money;

use crate::event_id::EventId;
use crate::parquet_file::instants_us;

/// Version of the layout below, written into every file.
pub(crate) const FORMAT: &str = "3";
/// The formats that are read.
pub(crate) const FORMATS_READ: &[&str] = &["1", "2", "3"];
/// Name under which a file's footer holds its format.
pub(crate) const FORMAT_KEY: &str = "tributary.format";

/// The text columns, each readable as a dictionary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Text {
    Event,
    EventId,
    UserId,
    Session,
    Origin,
    Url,
    Path,
    Referrer,
    Source,
    Medium,
    Campaign,
    SourceConfidence,
    SourceRuleId,
    Country,
    DeviceType,
    Browser,
    Os,
    IpHash,
    Bot,
    Currency,
    Properties,
}

pub(crate) struct TextColumn {
    pub text: Text,
    pub name: &'static str,
    pub required: bool,
    pub of: fn(&Event) -> Option<&str>,
}

pub(crate) const TEXTS: &[TextColumn] = &[
    TextColumn { text: Text::Event, name: "event", required: true, of: |event| Some(&event.name) },
    TextColumn { text: Text::EventId, name: "event_id", required: false, of: |event| event.event_id.as_deref() },
    TextColumn { text: Text::UserId, name: "user_id", required: false, of: |event| event.user_id.as_deref() },
    TextColumn { text: Text::Session, name: "session_id", required: false, of: |event| event.session.as_deref() },
    TextColumn { text: Text::Origin, name: "origin", required: true, of: |event| Some(event.origin.as_str()) },
    TextColumn { text: Text::Url, name: "url", required: false, of: |event| event.url.as_deref() },
    TextColumn { text: Text::Path, name: "path", required: false, of: |event| event.path.as_deref() },
    TextColumn { text: Text::Referrer, name: "referrer", required: false, of: |event| event.referrer.as_deref() },
    TextColumn { text: Text::Source, name: "source", required: true, of: |event| Some(&event.source) },
    TextColumn { text: Text::Medium, name: "medium", required: true, of: |event| Some(&event.medium) },
    TextColumn { text: Text::Campaign, name: "campaign", required: false, of: |event| event.campaign.as_deref() },
    TextColumn {
        text: Text::SourceConfidence,
        name: "source_confidence",
        required: true,
        of: |event| Some(event.source_confidence.as_str()),
    },
    TextColumn { text: Text::SourceRuleId, name: "source_rule_id", required: true, of: |event| Some(&event.source_rule_id) },
    TextColumn { text: Text::Country, name: "country", required: false, of: |event| event.country.as_deref() },
    TextColumn { text: Text::DeviceType, name: "device_type", required: false, of: |event| event.device_type.as_deref() },
    TextColumn { text: Text::Browser, name: "browser", required: false, of: |event| event.browser.as_deref() },
    TextColumn { text: Text::Os, name: "os", required: false, of: |event| event.os.as_deref() },
    TextColumn { text: Text::IpHash, name: "ip_hash", required: false, of: |event| event.ip_hash.as_deref() },
    TextColumn { text: Text::Bot, name: "bot", required: false, of: |event| event.bot.as_deref() },
    TextColumn {
        text: Text::Currency,
        name: "currency",
        required: false,
        of: |event| event.amount.as_ref().map(|amount| amount.currency.as_str()),
    },
    TextColumn { text: Text::Properties, name: "properties", required: false, of: |event| event.properties.as_deref() },
];

/// The other columns, in front of the text columns, in this order. `anonymous_id` has a value in the first row of each visitor
/// of a row group only: a row without one has that of the row before. `event_id` lacks the number that `event_id_number` holds:
/// see [`crate::event_id`]. Formats 1 and 2 have `anonymous_id` in every row, and no numbers.
pub(crate) const VISITOR_HASH: &str = "visitor_hash";
pub(crate) const ANONYMOUS_ID: &str = "anonymous_id";
pub(crate) const TIME: &str = "time";
pub(crate) const RECEIVED: &str = "received_at";
pub(crate) const SEQUENCE: &str = "sequence";
pub(crate) const AMOUNT_MICROS: &str = "amount_micros";
pub(crate) const EVENT_ID_NUMBER: &str = "event_id_number";
const TEXTS_START: usize = 6;

/// Columns whose values differ from row to row but grow or repeat: delta encodings beat dictionaries there.
pub(crate) const DELTA_INTEGERS: &[&str] = &[VISITOR_HASH, TIME, RECEIVED, SEQUENCE, EVENT_ID_NUMBER];

/// The type of text that is read or written as codes with a dictionary.
pub(crate) fn dictionary_type() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

/// The columns every file has, in order; a [`Decoder`] reads batches of exactly these, and of [`EVENT_ID_NUMBER`] behind them
/// where the file has it.
pub(crate) static EVENT_COLUMNS: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let mut names = vec![VISITOR_HASH, ANONYMOUS_ID, TIME, RECEIVED, SEQUENCE, AMOUNT_MICROS];
    names.extend(TEXTS.iter().map(|column| column.name));
    names
});

impl Text {
    /// The column's name in files.
    pub fn name(self) -> &'static str {
        self.column().name
    }

    /// The value of an event.
    pub fn of(self, event: &Event) -> Option<&str> {
        (self.column().of)(event)
    }

    fn column(self) -> &'static TextColumn {
        TEXTS.iter().find(|column| column.text == self).expect("every text column stands in the table; a test holds it")
    }
}

/// A batch of [`EVENT_COLUMNS`] with its columns at hand, readable row by row.
pub(crate) struct Decoder {
    batch: RecordBatch,
    times_us: Vec<i64>,
    received_us: Vec<i64>,
    /// The row whose `anonymous_id` each row has, counted from 1; 0 is the row before the batch.
    id_rows: Vec<u32>,
    id_before: String,
}

impl Decoder {
    /// A batch that follows a row of the visitor `id_before`; the first of a file follows none.
    pub fn new(batch: RecordBatch, id_before: String) -> Self {
        let instants = |column: usize| instants_us(batch.column(column)).into_owned();
        let ids = batch.column(1);
        let mut last = 0;
        let id_of = |row: usize| {
            if ids.is_valid(row) {
                last = row as u32 + 1;
            }
            last
        };
        let id_rows = (0..batch.num_rows()).map(id_of).collect();
        Self { times_us: instants(2), received_us: instants(3), id_rows, id_before, batch }
    }

    pub fn rows(&self) -> usize {
        self.batch.num_rows()
    }

    pub fn anonymous_id(&self, row: usize) -> &str {
        match self.id_rows[row].checked_sub(1) {
            Some(row) => self.batch.column(1).as_string::<i32>().value(row as usize),
            None => &self.id_before,
        }
    }

    /// The visitor of the last row.
    pub fn last_id(&self) -> &str {
        self.rows().checked_sub(1).map_or(&self.id_before, |last| self.anonymous_id(last))
    }

    pub fn time_us(&self, row: usize) -> i64 {
        self.times_us[row]
    }

    pub fn sequence(&self, row: usize) -> u64 {
        self.integer(4, row)
    }

    /// A stored text: of the event id what [`Self::event_id_number`] leaves.
    fn text(&self, text: Text, row: usize) -> Option<&str> {
        let index = TEXTS_START + TEXTS.iter().position(|column| column.text == text)?;
        let column = self.batch.column(index).as_string::<i32>();
        (!column.is_null(row)).then(|| column.value(row))
    }

    /// The event of one row.
    pub fn event(&self, row: usize) -> Result<Event> {
        event_of(&Parts {
            anonymous_id: self.anonymous_id(row),
            time_us: self.time_us(row),
            received_us: self.received_us[row],
            micros: self.batch.column(5).as_primitive::<Int64Type>().value(row),
            sequence: self.sequence(row),
            event_id_number: self.event_id_number(row),
            text: |text| self.text(text, row),
        })
    }

    fn event_id_number(&self, row: usize) -> Option<i64> {
        let numbers = self.batch.columns().get(EVENT_COLUMNS.len())?.as_primitive::<Int64Type>();
        numbers.is_valid(row).then(|| numbers.value(row))
    }

    fn integer(&self, column: usize, row: usize) -> u64 {
        self.batch.column(column).as_primitive::<UInt64Type>().value(row)
    }
}

/// What a row holds, wherever its columns are.
pub(crate) struct Parts<'r, F: Fn(Text) -> Option<&'r str>> {
    pub anonymous_id: &'r str,
    pub time_us: i64,
    pub received_us: i64,
    /// The amount; it counts where there is a currency.
    pub micros: i64,
    pub sequence: u64,
    /// What the text of the event id lacks: see [`crate::event_id`].
    pub event_id_number: Option<i64>,
    pub text: F,
}

/// The event of a row. A value no writer of ours produces is an error: such a file is not ours.
pub(crate) fn event_of<'r, F: Fn(Text) -> Option<&'r str>>(row: &Parts<'r, F>) -> Result<Event> {
    let foreign = |what: &str| Error::internal(format!("a segment holds an unknown {what}"));
    let text = |text: Text| (row.text)(text).map(str::to_owned);
    let required = |text: Text| (row.text)(text).map(str::to_owned).unwrap_or_default();
    let origin = match (row.text)(Text::Origin) {
        Some("browser") => Origin::Browser,
        Some("server") => Origin::Server,
        Some(_) | None => return Err(foreign("origin")),
    };
    let source_confidence = match (row.text)(Text::SourceConfidence) {
        Some("low") => Confidence::Low,
        Some("medium") => Confidence::Medium,
        Some("high") => Confidence::High,
        Some(_) | None => return Err(foreign("source confidence")),
    };
    let amount = match (row.text)(Text::Currency) {
        Some(currency) => Some(Money { micros: row.micros, currency: currency.parse().map_err(|_| foreign("currency"))? }),
        None => None,
    };
    Ok(Event {
        name: required(Text::Event),
        time_us: row.time_us,
        received_us: row.received_us,
        anonymous_id: row.anonymous_id.to_owned(),
        user_id: text(Text::UserId),
        session: text(Text::Session),
        event_id: (row.text)(Text::EventId)
            .map(|text| EventId { number: row.event_id_number, text }.to_whole(row.sequence).into_owned()),
        origin,
        url: text(Text::Url),
        path: text(Text::Path),
        referrer: text(Text::Referrer),
        source: required(Text::Source),
        medium: required(Text::Medium),
        campaign: text(Text::Campaign),
        source_confidence,
        source_rule_id: required(Text::SourceRuleId),
        country: text(Text::Country),
        device_type: text(Text::DeviceType),
        browser: text(Text::Browser),
        os: text(Text::Os),
        ip_hash: text(Text::IpHash),
        bot: text(Text::Bot),
        amount,
        properties: text(Text::Properties),
    })
}
