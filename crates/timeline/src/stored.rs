//! An event with what the engine adds to it: the hashes everything is sorted and found by, and its sequence number.

use jiff::Timestamp;
use siphasher::sip::SipHasher13;
use siphasher::sip128;
use std::cmp::Ordering;

use tributary_core::error::{Code, Error, Result};
use tributary_core::event::Event;

/// An event on its way in, or in the tail.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub event: Event,
    pub visitor_hash: u64,
    /// Keyed hash of origin and `event_id`; `None` without an id.
    pub key: Option<u128>,
    /// 0 until the log has it.
    pub sequence: u64,
}

impl Stored {
    /// The order inside a segment: visitors together, each visitor's events by [`Event::order`], arrival last of all (it can
    /// only decide between events that are equal in everything else).
    pub fn run_order(&self, other: &Stored) -> Ordering {
        (self.visitor_hash, &self.event.anonymous_id, self.event.time_us)
            .cmp(&(other.visitor_hash, &other.event.anonymous_id, other.event.time_us))
            .then_with(|| self.event.event_id.cmp(&other.event.event_id))
            .then_with(|| self.content_hash().cmp(&other.content_hash()))
            .then_with(|| self.sequence.cmp(&other.sequence))
    }

    /// See [`Event::content_hash`]. Few events ever need it: it decides between equal times and ids only.
    pub fn content_hash(&self) -> u64 {
        self.event.content_hash()
    }
}

/// The keyed hashes of one data folder. Keyed, so that nobody outside can steer visitors or ids into collisions.
#[derive(Clone)]
pub(crate) struct Hashes {
    visitor: SipHasher13,
    event: sip128::SipHasher13,
    fingerprint: u64,
}

impl Hashes {
    pub fn new(key: &[u8; 16]) -> Self {
        let visitor = SipHasher13::new_with_key(key);
        // A second key from the first: the two hashes must not be related.
        let derived = sip128::SipHasher13::new_with_key(key).hash(b"tributary event key").as_bytes();
        let fingerprint = sip128::SipHasher13::new_with_key(key).hash(b"tributary key fingerprint").as_u64().0;
        Self { visitor, event: sip128::SipHasher13::new_with_key(&derived), fingerprint }
    }

    pub fn visitor(&self, anonymous_id: &str) -> u64 {
        self.visitor.hash(anonymous_id.as_bytes())
    }

    /// 96 bits under a secret key: nobody can make two ids meet. Segments keep 64 of them; [`crate::keys`] tells the odds.
    pub fn event_key(&self, origin: &str, event_id: &str) -> u128 {
        let mut bytes = Vec::with_capacity(origin.len() + 1 + event_id.len());
        bytes.extend_from_slice(origin.as_bytes());
        bytes.push(0);
        bytes.extend_from_slice(event_id.as_bytes());
        self.event.hash(&bytes).as_u128() >> 32
    }

    /// Tells keys apart without telling the key.
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    pub fn prepare(&self, event: Event) -> Stored {
        let visitor_hash = self.visitor(&event.anonymous_id);
        let key = event.event_id.as_deref().map(|id| self.event_key(event.origin.as_str(), id));
        Stored { visitor_hash, key, sequence: 0, event }
    }
}

/// The UTC month of an instant as `year * 12 + month0`. Instants outside the calendar are refused.
pub(crate) fn month_of(time_us: i64) -> Result<i32> {
    let instant = Timestamp::from_microsecond(time_us).map_err(|error| {
        Error::new(Code::InvalidPayload, "the event's time must lie between the years -9999 and 9999").caused_by(error)
    })?;
    let date = jiff::tz::Offset::UTC.to_datetime(instant);
    Ok(i32::from(date.year()) * 12 + i32::from(date.month()) - 1)
}

/// `2026-05` for a month number.
pub(crate) fn month_name(month: i32) -> String {
    format!("{:04}-{:02}", month.div_euclid(12), month.rem_euclid(12) + 1)
}
