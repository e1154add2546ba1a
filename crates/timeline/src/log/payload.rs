//! Events as the log stores them.
//!
//! Today's layout, little-endian: a hash of everything else and of the entry's own columns (8 bytes), the number of events
//! left out (4 bytes) and their places (4 bytes each), then the events, compressed or not. Left out are duplicates: whether
//! an event is one is known only when its append is committed, and by then the rest need not be written again.
//!
//! An event is its fields in a fixed order. Texts mostly repeat from one event to the next, and one byte says so.

use siphasher::sip::SipHasher13;
use std::hash::Hasher;

use tributary_core::event::{Confidence, Event, Origin};
use tributary_core::money::{Currency, Money};

use crate::catalogue::LogEntry;

/// A JSON array of events: written by earlier versions.
const JSON: i64 = 1;
/// The same under zstd.
const ZSTD_JSON: i64 = 2;
/// The layout above.
const BINARY: i64 = 3;
/// The same, the events under zstd.
const ZSTD_BINARY: i64 = 4;
/// Events from this size on are compressed, bytes.
const COMPRESS_FROM: usize = 1_024;
const ZSTD_LEVEL: i32 = 1;
const HASH_BYTES: usize = 8;
const COUNT_BYTES: usize = 4;
const HEADER_BYTES: usize = HASH_BYTES + COUNT_BYTES;
/// Codes of a text: none, the same as the previous event's, else its length and this.
const NONE: u64 = 0;
const SAME: u64 = 1;
const LENGTH_FROM: u64 = 2;
/// Least bytes an event takes: every field one.
const MIN_EVENT_BYTES: usize = 20;

type Fault = Box<dyn std::error::Error + Send + Sync>;

/// Events readied for the log.
pub(crate) struct Payload {
    format: i64,
    /// Room for the header, then the events.
    bytes: Vec<u8>,
}

impl Payload {
    /// Readies events.
    pub fn of<'a>(events: impl Iterator<Item = &'a Event>) -> Result<Payload, Fault> {
        let mut body = Vec::new();
        let mut previous = None;
        for event in events {
            write_event(&mut body, event, previous);
            previous = Some(event);
        }
        let mut bytes = vec![0; HEADER_BYTES];
        if body.len() < COMPRESS_FROM {
            bytes.append(&mut body);
            return Ok(Payload { format: BINARY, bytes });
        }
        bytes.append(&mut zstd::bulk::compress(&body, ZSTD_LEVEL)?);
        Ok(Payload { format: ZSTD_BINARY, bytes })
    }

    /// The entry of these events without those at `left_out` (ascending).
    pub fn into_entry(self, workspace: i64, first_sequence: u64, last_sequence: u64, left_out: &[u32]) -> LogEntry {
        let Payload { format, bytes: mut payload } = self;
        payload[HASH_BYTES..HEADER_BYTES].copy_from_slice(&(left_out.len() as u32).to_le_bytes());
        if !left_out.is_empty() {
            let places: Vec<u8> = left_out.iter().flat_map(|place| place.to_le_bytes()).collect();
            payload.splice(HEADER_BYTES..HEADER_BYTES, places);
        }
        let mut entry = LogEntry { workspace, first_sequence, last_sequence, format, payload };
        let hash = hash_of(&entry);
        entry.payload[..HASH_BYTES].copy_from_slice(&hash.to_le_bytes());
        entry
    }
}

/// Reads an entry of any version back. What does not verify is refused, never guessed.
pub(crate) fn read(entry: &LogEntry) -> Result<Vec<Event>, Fault> {
    let events: Vec<Event> = match entry.format {
        JSON => serde_json::from_slice(&entry.payload)?,
        ZSTD_JSON => serde_json::from_slice(&zstd::decode_all(entry.payload.as_slice())?)?,
        BINARY | ZSTD_BINARY => {
            let (hash, rest) = entry.payload.split_first_chunk::<HASH_BYTES>().ok_or(SHORT)?;
            if u64::from_le_bytes(*hash) != hash_of(entry) {
                return Err("it does not match its hash".into());
            }
            let mut rest = Reader { bytes: rest };
            let places = rest.number()? as usize;
            let left_out = (0..places).map(|_| rest.number()).collect::<Result<Vec<u32>, Fault>>()?;
            let body = match entry.format {
                BINARY => rest.bytes.to_vec(),
                _ => zstd::decode_all(rest.bytes)?,
            };
            read_events(&body, &left_out)?
        }
        unknown => return Err(format!("unknown payload format {unknown}").into()),
    };
    if entry.last_sequence.checked_sub(entry.first_sequence).and_then(|span| span.checked_add(1)) != Some(events.len() as u64) {
        return Err("the number of events is not what was written".into());
    }
    Ok(events)
}

const SHORT: &str = "it ends too early";

/// Not keyed: it finds damage, it does not prove who wrote.
fn hash_of(entry: &LogEntry) -> u64 {
    let mut hasher = SipHasher13::new();
    for number in [entry.workspace as u64, entry.first_sequence, entry.last_sequence, entry.format as u64] {
        hasher.write_u64(number);
    }
    hasher.write(&entry.payload[HASH_BYTES.min(entry.payload.len())..]);
    hasher.finish()
}

fn read_events(body: &[u8], left_out: &[u32]) -> Result<Vec<Event>, Fault> {
    let mut reader = Reader { bytes: body };
    let mut events: Vec<Event> = Vec::with_capacity(body.len() / MIN_EVENT_BYTES);
    while !reader.bytes.is_empty() {
        let event = reader.event(events.last())?;
        events.push(event);
    }
    let mut left_out = left_out.iter().copied().peekable();
    let mut place = 0;
    events.retain(|_| {
        let is_left_out = left_out.next_if_eq(&place).is_some();
        place += 1;
        !is_left_out
    });
    Ok(events)
}

fn write_event(body: &mut Vec<u8>, event: &Event, previous: Option<&Event>) {
    // Taken apart in full: a field added to `Event` does not compile here until it has its place, in a new format.
    let Event {
        name,
        time_us,
        received_us,
        anonymous_id,
        user_id,
        session,
        event_id,
        origin,
        url,
        path,
        referrer,
        source,
        medium,
        campaign,
        source_confidence,
        source_rule_id,
        country,
        device_type,
        browser,
        os,
        ip_hash,
        bot,
        amount,
        properties,
    } = event;
    let mut text = |text: &str, of: fn(&Event) -> &str| write_text(body, Some(text), previous.map(of));
    text(name, |event| &event.name);
    text(anonymous_id, |event| &event.anonymous_id);
    text(source, |event| &event.source);
    text(medium, |event| &event.medium);
    text(source_rule_id, |event| &event.source_rule_id);
    let mut option = |text: &Option<String>, of: fn(&Event) -> &Option<String>| {
        write_text(body, text.as_deref(), previous.and_then(|event| of(event).as_deref()))
    };
    option(user_id, |event| &event.user_id);
    option(session, |event| &event.session);
    option(event_id, |event| &event.event_id);
    option(url, |event| &event.url);
    option(path, |event| &event.path);
    option(referrer, |event| &event.referrer);
    option(campaign, |event| &event.campaign);
    option(country, |event| &event.country);
    option(device_type, |event| &event.device_type);
    option(browser, |event| &event.browser);
    option(os, |event| &event.os);
    option(ip_hash, |event| &event.ip_hash);
    option(bot, |event| &event.bot);
    option(properties, |event| &event.properties);
    write_signed(body, time_us.wrapping_sub(previous.map_or(0, |event| event.time_us)));
    write_signed(body, received_us.wrapping_sub(previous.map_or(0, |event| event.received_us)));
    let origin = match origin {
        Origin::Browser => 0,
        Origin::Server => 1,
    };
    let confidence = match source_confidence {
        Confidence::Low => 0,
        Confidence::Medium => 1,
        Confidence::High => 2,
    };
    body.push(origin | confidence << 1 | u8::from(amount.is_some()) << 3);
    if let Some(Money { micros, currency }) = amount {
        write_signed(body, *micros);
        write_text(body, Some(currency.as_str()), None);
    }
}

fn write_text(body: &mut Vec<u8>, text: Option<&str>, previous: Option<&str>) {
    match text {
        None => write_unsigned(body, NONE),
        Some(_) if text == previous => write_unsigned(body, SAME),
        Some(text) => {
            write_unsigned(body, text.len() as u64 + LENGTH_FROM);
            body.extend_from_slice(text.as_bytes());
        }
    }
}

/// Seven bits a byte, the lowest first, the top bit on all but the last.
fn write_unsigned(body: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        body.push(number as u8 | 0x80);
        number >>= 7;
    }
    body.push(number as u8);
}

/// Small numbers of either sign are short.
fn write_signed(body: &mut Vec<u8>, number: i64) {
    write_unsigned(body, ((number << 1) ^ (number >> 63)) as u64);
}

struct Reader<'a> {
    bytes: &'a [u8],
}

impl Reader<'_> {
    fn event(&mut self, previous: Option<&Event>) -> Result<Event, Fault> {
        let name = self.text(previous.map(|event| &event.name))?;
        let anonymous_id = self.text(previous.map(|event| &event.anonymous_id))?;
        let source = self.text(previous.map(|event| &event.source))?;
        let medium = self.text(previous.map(|event| &event.medium))?;
        let source_rule_id = self.text(previous.map(|event| &event.source_rule_id))?;
        let mut option = |of: fn(&Event) -> &Option<String>| -> Result<Option<String>, Fault> {
            self.option(previous.and_then(|event| of(event).as_ref()))
        };
        let user_id = option(|event| &event.user_id)?;
        let session = option(|event| &event.session)?;
        let event_id = option(|event| &event.event_id)?;
        let url = option(|event| &event.url)?;
        let path = option(|event| &event.path)?;
        let referrer = option(|event| &event.referrer)?;
        let campaign = option(|event| &event.campaign)?;
        let country = option(|event| &event.country)?;
        let device_type = option(|event| &event.device_type)?;
        let browser = option(|event| &event.browser)?;
        let os = option(|event| &event.os)?;
        let ip_hash = option(|event| &event.ip_hash)?;
        let bot = option(|event| &event.bot)?;
        let properties = option(|event| &event.properties)?;
        let time_us = self.signed()?.wrapping_add(previous.map_or(0, |event| event.time_us));
        let received_us = self.signed()?.wrapping_add(previous.map_or(0, |event| event.received_us));
        let flags = self.byte()?;
        let origin = if flags & 1 == 0 { Origin::Browser } else { Origin::Server };
        let source_confidence = match flags >> 1 & 3 {
            0 => Confidence::Low,
            1 => Confidence::Medium,
            2 => Confidence::High,
            _ => return Err("an event has an unknown confidence".into()),
        };
        let amount = match flags >> 3 {
            0 => None,
            1 => Some(Money { micros: self.signed()?, currency: self.text(None)?.parse::<Currency>()? }),
            _ => return Err("an event has unknown flags".into()),
        };
        Ok(Event {
            name,
            time_us,
            received_us,
            anonymous_id,
            user_id,
            session,
            event_id,
            origin,
            url,
            path,
            referrer,
            source,
            medium,
            campaign,
            source_confidence,
            source_rule_id,
            country,
            device_type,
            browser,
            os,
            ip_hash,
            bot,
            amount,
            properties,
        })
    }

    fn text(&mut self, previous: Option<&String>) -> Result<String, Fault> {
        self.option(previous)?.ok_or_else(|| "an event lacks a field".into())
    }

    fn option(&mut self, previous: Option<&String>) -> Result<Option<String>, Fault> {
        match self.unsigned()? {
            NONE => Ok(None),
            SAME => previous.cloned().map(Some).ok_or_else(|| "an event repeats what was not there".into()),
            length => {
                let length = usize::try_from(length - LENGTH_FROM)?;
                let (text, rest) = self.bytes.split_at_checked(length).ok_or(SHORT)?;
                self.bytes = rest;
                Ok(Some(std::str::from_utf8(text)?.to_owned()))
            }
        }
    }

    fn signed(&mut self) -> Result<i64, Fault> {
        let number = self.unsigned()?;
        Ok((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    fn unsigned(&mut self) -> Result<u64, Fault> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err("a number is too long".into())
    }

    fn byte(&mut self) -> Result<u8, Fault> {
        let (byte, rest) = self.bytes.split_first().ok_or(SHORT)?;
        self.bytes = rest;
        Ok(*byte)
    }

    /// A number of the header: four bytes.
    fn number(&mut self) -> Result<u32, Fault> {
        let (bytes, rest) = self.bytes.split_first_chunk::<COUNT_BYTES>().ok_or(SHORT)?;
        self.bytes = rest;
        Ok(u32::from_le_bytes(*bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Two events as version 0.1.0 wrote them.
    const OLD: &str = concat!(
        r#"[{"name":"purchase","time_us":1746057600000001,"received_us":1746057601000000,"anonymous_id":"v-1","user_id":"u-1","#,
        r#""event_id":"e-1","origin":"server","url":"https://shop.example/p/1?utm_source=x","path":"/p/1","source":"x","#,
        r#""medium":"unknown","source_confidence":"high","source_rule_id":"utm_explicit","country":"DE","#,
        r#""amount":{"micros":-12500000,"currency":"EUR"},"properties":"{\"plan\":\"pro\"}"},"#,
        r#"{"name":"page_view","time_us":-5,"received_us":1746057601000000,"anonymous_id":"ü","origin":"browser","#,
        r#""source":"direct","medium":"direct","source_confidence":"low","source_rule_id":"direct","bot":"isbot:x@1"}]"#
    );

    fn old_events() -> Vec<Event> {
        serde_json::from_str(OLD).unwrap()
    }

    fn entry(events: &[Event], left_out: &[u32]) -> LogEntry {
        let count = (events.len() - left_out.len()) as u64;
        Payload::of(events.iter()).unwrap().into_entry(7, 11, 10 + count, left_out)
    }

    #[test]
    fn entries_of_earlier_versions_are_read() {
        let json = LogEntry { workspace: 1, first_sequence: 5, last_sequence: 6, format: 1, payload: OLD.as_bytes().to_vec() };
        assert_eq!(read(&json).unwrap(), old_events());
        let zstd = LogEntry { format: 2, payload: zstd::bulk::compress(OLD.as_bytes(), 1).unwrap(), ..json };
        assert_eq!(read(&zstd).unwrap(), old_events());
        let wrong = LogEntry { last_sequence: 7, ..zstd };
        assert!(read(&wrong).is_err(), "the number of events is checked");
    }

    #[test]
    fn what_is_written_is_read_without_what_is_left_out() {
        let two = old_events();
        let many: Vec<Event> = (0..100).map(|at| Event { time_us: at, ..two[at as usize % 2].clone() }).collect();
        assert_eq!(entry(&two, &[]).format, BINARY);
        assert_eq!(entry(&many, &[]).format, ZSTD_BINARY);
        for events in [&two, &many] {
            assert_eq!(read(&entry(events, &[])).unwrap(), *events);
            assert_eq!(read(&entry(events, &[0])).unwrap(), events[1..]);
            let last = events.len() as u32 - 1;
            assert_eq!(read(&entry(events, &[last])).unwrap(), events[..last as usize]);
        }
        let odd: Vec<u32> = (0..100).filter(|at| at % 2 == 1).collect();
        let even: Vec<Event> = many.iter().step_by(2).cloned().collect();
        assert_eq!(read(&entry(&many, &odd)).unwrap(), even);
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_found() {
        let sound = entry(&old_events(), &[]);
        for at in 0..sound.payload.len() {
            for bit in 0..8 {
                let mut payload = sound.payload.clone();
                payload[at] ^= 1 << bit;
                assert!(read(&LogEntry { payload, ..sound_columns(&sound) }).is_err(), "bit {bit} of byte {at}");
            }
            let payload = sound.payload[..at].to_vec();
            assert!(read(&LogEntry { payload, ..sound_columns(&sound) }).is_err(), "cut at {at}");
        }
        let payload = || sound.payload.clone();
        assert!(read(&LogEntry { workspace: 8, payload: payload(), ..sound_columns(&sound) }).is_err());
        let later = LogEntry { first_sequence: 12, last_sequence: 13, payload: payload(), ..sound_columns(&sound) };
        assert!(read(&later).is_err());
        assert!(read(&LogEntry { format: 5, payload: payload(), ..sound_columns(&sound) }).is_err());
    }

    fn sound_columns(entry: &LogEntry) -> LogEntry {
        LogEntry { payload: Vec::new(), ..*entry }
    }

    proptest! {
        #[test]
        fn numbers_come_back(number: i64) {
            let mut body = Vec::new();
            write_signed(&mut body, number);
            prop_assert_eq!(Reader { bytes: &body }.signed().unwrap(), number);
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes: Vec<u8>, left_out: Vec<u32>) {
            let _ = read_events(&bytes, &left_out);
        }
    }
}
