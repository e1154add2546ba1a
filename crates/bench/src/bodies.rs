//! Events to send: written once, stamped with fresh ids before each sending, so that the client costs little.

use tributary_core::time::{SECOND_US, format_utc};

/// Of this many events one repeats the id of an event that was acknowledged before.
const DUPLICATE_EVERY: usize = 100;
/// Visitors among whom the events are spread.
const VISITORS: u64 = 200_000;
/// Events happened at most this long before they are sent.
const SPAN_US: i64 = 600 * SECOND_US;
/// Hexadecimal digits of an id that name the sending.
const STAMP_DIGITS: usize = 8;

const NAMES: [&str; 6] = ["page_view", "page_view", "click", "scroll", "add_to_cart", "search"];
const CAMPAIGNS: [&str; 3] = ["utm_source=newsletter&utm_medium=email", "gclid=Cj0KCQiA5NSt", "ref=footer&list=all"];
const REFERRERS: [&str; 3] = ["https://www.google.com/", "https://www.example.org/articles/best", "https://l.facebook.com/"];

/// A body with its ids left to be stamped.
pub struct Body {
    /// The bytes to send.
    pub bytes: Vec<u8>,
    ids: Vec<Id>,
}

/// Where an id stands, and whether it is one of the sending before.
struct Id {
    at: usize,
    is_repeated: bool,
}

impl Body {
    /// The body of a batch. `sender` and `number` keep the ids of all bodies apart.
    pub fn batch(sender: usize, number: usize, events: usize, now_us: i64) -> Body {
        let mut body = Body { bytes: br#"{"events":["#.to_vec(), ids: Vec::with_capacity(events) };
        for event in 0..events {
            if event > 0 {
                body.bytes.push(b',');
            }
            body.add(sender, number, event, now_us);
        }
        body.bytes.extend_from_slice(b"]}");
        body
    }

    /// The body of one event.
    pub fn single(sender: usize, number: usize, now_us: i64) -> Body {
        let mut body = Body { bytes: Vec::new(), ids: Vec::new() };
        body.add(sender, number, 0, now_us);
        body
    }

    fn add(&mut self, sender: usize, number: usize, event: usize, now_us: i64) {
        let is_repeated = event % DUPLICATE_EVERY == DUPLICATE_EVERY - 1;
        let random = mixed((sender as u64) << 40 | (number as u64) << 20 | event as u64);
        let pick = |list: &[&'static str], shift: u32| list[((random >> shift) % list.len() as u64) as usize];
        let time = format_utc(now_us - (random % SPAN_US as u64) as i64);
        let named = if is_repeated { event - 1 } else { event };
        self.bytes.extend_from_slice(format!(r#"{{"event":"{}","event_id":""#, pick(&NAMES, 3)).as_bytes());
        self.ids.push(Id { at: self.bytes.len(), is_repeated });
        let rest = format!(
            concat!(
                r#"00000000-{:04x}-{:04x}-{:04x}-5be1a90f7c23","timestamp":"{}","anonymous_id":"v-{:012x}","#,
                r#""url":"https://shop.example/p/{}?{}","referrer":"{}","properties":{{"plan":"{}","v":{}}}}}"#,
            ),
            sender & 0xffff,
            number & 0xffff,
            named & 0xffff,
            time,
            mixed(random % VISITORS) >> 16,
            (random >> 8) % 5_000,
            pick(&CAMPAIGNS, 11),
            pick(&REFERRERS, 17),
            pick(&["free", "pro", "business"], 23),
            (random >> 29) % 1_000,
        );
        self.bytes.extend_from_slice(rest.as_bytes());
    }

    /// Makes the ids those of this sending; repeated ones those of the sending before.
    pub fn stamp(&mut self, sending: u32) {
        let digits = |number: u32| format!("{number:0width$x}", width = STAMP_DIGITS);
        let (now, before) = (digits(sending), digits(sending.wrapping_sub(1)));
        for id in &self.ids {
            let digits = if id.is_repeated { &before } else { &now };
            self.bytes[id.at..id.at + STAMP_DIGITS].copy_from_slice(digits.as_bytes());
        }
    }
}

fn mixed(number: u64) -> u64 {
    let mut x = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::collections::HashSet;

    fn ids(body: &Body) -> Vec<String> {
        let value: Value = serde_json::from_slice(&body.bytes).unwrap();
        let events = value["events"].as_array().unwrap();
        events.iter().map(|event| event["event_id"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn one_id_of_a_hundred_was_sent_before() {
        let mut body = Body::batch(3, 1, 500, 1_750_000_000_000_000);
        body.stamp(7);
        let first: HashSet<String> = ids(&body).into_iter().collect();
        body.stamp(8);
        let second = ids(&body);
        assert_eq!(second.iter().filter(|id| first.contains(*id)).count(), 5);
        assert_eq!(second.iter().collect::<HashSet<_>>().len(), 500, "none twice in one body");
        let mut other = Body::batch(3, 2, 500, 1_750_000_000_000_000);
        other.stamp(8);
        assert!(ids(&other).iter().all(|id| !second.contains(id)), "bodies share no ids");
    }

    #[test]
    fn an_event_has_about_300_bytes() {
        let body = Body::batch(0, 0, 500, 1_750_000_000_000_000);
        let bytes = body.bytes.len() / ids(&body).len();
        assert!((280..=340).contains(&bytes), "{bytes}");
        let single: Value = serde_json::from_slice(&Body::single(1, 2, 1_750_000_000_000_000).bytes).unwrap();
        assert!(single["referrer"].is_string() && single["properties"]["plan"].is_string());
    }
}
