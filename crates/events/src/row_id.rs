//! Names of events for callers.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

use tributary_core::error::{Code, Error};
use tributary_core::time::{DAY_US, TimeRange};

/// Bits of the ingest sequence number: 274 billion events in a workspace.
const SEQUENCE_BITS: u32 = 38;
/// Bits of the day: until September 2089.
const DAY_BITS: u32 = 15;
/// 2000-01-01 in days since the epoch.
const FIRST_DAY: i64 = 10_957;

/// Names an event of a workspace for good, in one integer below 2^53, so that every JSON reader keeps it exactly: the event's UTC
/// day, then its ingest sequence number. The sequence number alone would name it; the day is there because events are kept by
/// time: a lookup reads one day instead of everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct RowId(u64);

impl RowId {
    /// The id of an event; `None` for events before 2000-01-01 or from 2089-09-18 on, and past 2^38 events.
    pub fn of(time_us: i64, sequence: u64) -> Option<RowId> {
        let day = u64::try_from(time_us.div_euclid(DAY_US) - FIRST_DAY).ok().filter(|day| *day < 1 << DAY_BITS)?;
        (1..1 << SEQUENCE_BITS).contains(&sequence).then_some(RowId(day << SEQUENCE_BITS | sequence))
    }

    /// The event's ingest sequence number.
    pub fn sequence(self) -> u64 {
        self.0 & ((1 << SEQUENCE_BITS) - 1)
    }

    /// The UTC day the event lies in.
    pub fn day_range(self) -> TimeRange {
        let start_us = ((self.0 >> SEQUENCE_BITS) as i64 + FIRST_DAY) * DAY_US;
        TimeRange { start_us, end_us: start_us + DAY_US }
    }

    /// The id as a number.
    pub fn get(self) -> u64 {
        self.0
    }
}

impl TryFrom<u64> for RowId {
    type Error = Error;

    fn try_from(number: u64) -> Result<Self, Error> {
        let id = RowId(number);
        if number >= 1 << (DAY_BITS + SEQUENCE_BITS) || id.sequence() == 0 {
            let message = format!("`{number}` is no id of an event; accepted: an id from an earlier answer, a number below 2^53");
            return Err(Error::new(Code::InvalidParams, message));
        }
        Ok(id)
    }
}

impl From<RowId> for u64 {
    fn from(id: RowId) -> u64 {
        id.0
    }
}

impl fmt::Display for RowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for RowId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let is_plain = !text.is_empty() && text.len() <= 16 && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse::<u64>().ok().filter(|_| is_plain).ok_or_else(|| {
            let shown: String = text.chars().take(40).collect();
            let message = format!("`{shown}` is no id of an event; accepted: an id from an earlier answer, a number below 2^53");
            Error::new(Code::InvalidParams, message)
        })?;
        RowId::try_from(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_2000_US: i64 = FIRST_DAY * DAY_US;

    #[test]
    fn ids_read_back_and_name_their_day() {
        for (time_us, sequence) in [
            (DAY_2000_US, 1),
            (1_778_068_800_123_456, 42),
            (DAY_2000_US + (1 << DAY_BITS) * DAY_US - 1, (1 << SEQUENCE_BITS) - 1),
        ] {
            let id = RowId::of(time_us, sequence).expect("within the bounds");
            assert!(id.get() < 1 << 53);
            assert_eq!((id.sequence(), id.day_range().contains(time_us)), (sequence, true));
            assert_eq!(id.day_range().start_us % DAY_US, 0);
            assert_eq!(id.to_string().parse::<RowId>().expect("printed by us"), id);
            let json = serde_json::to_string(&id).expect("a number");
            assert_eq!((json.as_str(), serde_json::from_str::<RowId>(&json).ok()), (id.to_string().as_str(), Some(id)));
        }
    }

    #[test]
    fn what_has_no_id_gets_none() {
        for (time_us, sequence) in [
            (DAY_2000_US - 1, 1),
            (DAY_2000_US + (1 << DAY_BITS) * DAY_US, 1),
            (i64::MIN, 1),
            (i64::MAX, 1),
            (DAY_2000_US, 0),
            (DAY_2000_US, 1 << SEQUENCE_BITS),
        ] {
            assert_eq!(RowId::of(time_us, sequence), None, "{time_us} {sequence}");
        }
        for text in ["", "0", "-1", "+1", "1.0", "evt_1", "9007199254740992", "274877906944", "99999999999999999999"] {
            assert_eq!(text.parse::<RowId>().expect_err(text).code(), Code::InvalidParams);
        }
    }
}
