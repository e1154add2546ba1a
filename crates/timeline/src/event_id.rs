//! Event ids in two columns. An import makes ids of a row's number in ten digits, a hyphen and what tells imports apart. Such a
//! number is kept less the row's sequence number: both count the same rows, so the difference hardly changes, and neither does
//! what is left of the text. Any other id is kept whole.

use std::borrow::Cow;

/// Digits of a number that an id begins with: no fewer, no more, a hyphen behind them.
const DIGITS: usize = 10;

/// An event id as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EventId<'i> {
    /// The number it begins with, less the row's sequence number; `None` when the text is all of it.
    pub number: Option<i64>,
    /// What follows the number, from the hyphen on.
    pub text: &'i str,
}

impl<'i> EventId<'i> {
    /// The id of the row with this sequence number.
    pub fn split(id: &'i str, sequence: u64) -> Self {
        let whole = Self { number: None, text: id };
        let Some((digits, text)) = id.split_at_checked(DIGITS).filter(|(_, text)| text.starts_with('-')) else {
            return whole;
        };
        let mut number = 0;
        for digit in digits.bytes() {
            if !digit.is_ascii_digit() {
                return whole;
            }
            number = number * 10 + i64::from(digit - b'0');
        }
        // Any sequence number takes part: wrapping is undone by wrapping.
        Self { number: Some(number.wrapping_sub(sequence as i64)), text }
    }

    /// The id again, given the sequence number it was split with. One that must be put together is in `buffer`.
    pub fn whole<'b>(self, sequence: u64, buffer: &'b mut String) -> &'b str
    where
        'i: 'b,
    {
        let Some(number) = self.number else { return self.text };
        let mut number = number.wrapping_add(sequence as i64).unsigned_abs();
        let mut digits = [b'0'; DIGITS];
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (number % 10) as u8;
            number /= 10;
        }
        buffer.clear();
        buffer.extend(digits.map(char::from));
        buffer.push_str(self.text);
        buffer
    }

    /// The same without a buffer.
    pub fn to_whole(self, sequence: u64) -> Cow<'i, str> {
        if self.number.is_none() {
            return Cow::Borrowed(self.text);
        }
        let mut buffer = String::with_capacity(DIGITS + self.text.len());
        self.whole(sequence, &mut buffer);
        Cow::Owned(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_ten_digits_and_a_hyphen_are_a_number() {
        for (id, number, text) in [
            ("0000012345-a1b2c3d4e5f60718", Some(12_245), "-a1b2c3d4e5f60718"),
            ("0000000001-", Some(-99), "-"),
            ("9999999999--", Some(9_999_999_899), "--"),
            ("0000000000-é", Some(-100), "-é"),
            ("00000000001-a", None, "00000000001-a"),
            ("000000001-a", None, "000000001-a"),
            ("0000000001", None, "0000000001"),
            ("0000000001a-", None, "0000000001a-"),
            ("+000000001-a", None, "+000000001-a"),
            ("00000000é-a", None, "00000000é-a"),
            ("000000000é-a", None, "000000000é-a"),
            ("٠٠٠٠٠-a", None, "٠٠٠٠٠-a"),
            ("-", None, "-"),
            ("", None, ""),
        ] {
            let split = EventId::split(id, 100);
            assert_eq!(split, EventId { number, text }, "{id}");
            assert_eq!(split.to_whole(100), id);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_id_comes_back(id in "[0-9]{8,12}-?[-0-9a-f]{0,4}|[-0-9a-é]{0,14}", sequence: u64) {
            let mut buffer = String::from("of another id");
            let split = EventId::split(&id, sequence);
            prop_assert_eq!(split.whole(sequence, &mut buffer), id.as_str());
            prop_assert_eq!(split.to_whole(sequence), id.as_str());
        }
    }
}
