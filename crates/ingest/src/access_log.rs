//! One line of a web access log in common or combined log format, as Apache and nginx write it.
//!
//! `client ident user [18/May/2015:10:05:03 +0000] "GET /path HTTP/1.1" 200 1234 "referrer" "agent"`

use std::borrow::Cow;
use std::net::IpAddr;

use jiff::civil::Date;
use jiff::tz::Offset;
use tributary_core::error::{Code, Error, Result};

/// Longest line read, bytes.
pub const MAX_LINE_BYTES: usize = 64 * 1024;

/// A line as it was logged. `-` is read as absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// Address or name of the client.
    pub client: &'a str,
    /// The client's address, if it was logged as one.
    pub address: Option<IpAddr>,
    /// The signed-in user, where the server checks passwords.
    pub user: Option<&'a str>,
    /// When the request came in, microseconds since the epoch, UTC.
    pub time_us: i64,
    /// Method, such as `GET`. Absent when the request line is not one, as with port scans.
    pub method: Option<Cow<'a, str>>,
    /// Request target: path and query as sent.
    pub path: Option<Cow<'a, str>>,
    /// Status of the response.
    pub status: u16,
    /// Bytes of the response's body.
    pub bytes: Option<u64>,
    /// The linking page.
    pub referrer: Option<Cow<'a, str>>,
    /// The client's User-Agent.
    pub user_agent: Option<Cow<'a, str>>,
}

/// Reads one line, without its line end. Fails with `InvalidPayload`, naming the field and its column.
pub fn parse(line: &str) -> Result<Line<'_>> {
    if line.len() > MAX_LINE_BYTES {
        return Err(refuse("line", 1, &format!("at most {MAX_LINE_BYTES} bytes")));
    }
    let mut cursor = Cursor { line, at: 0 };
    let client = cursor.word("client address")?;
    cursor.word("identity")?;
    let user = cursor.user()?;
    let time_us = cursor.time()?;
    let request = cursor.quoted("request")?;
    let status = cursor.number("status", "three digits", |word| (word.len() == 3).then(|| word.parse().ok())?)?;
    let bytes = cursor.number("size", "a number of bytes or `-`", |word| match word {
        "-" => Some(None),
        digits => digits.parse().ok().map(Some),
    })?;
    // Common log format ends here.
    let (referrer, user_agent) = match cursor.rest() {
        "" => (None, None),
        _ => (present(cursor.quoted("referrer")?), present(cursor.quoted_last("user agent")?)),
    };
    let (method, path) = split_request(request);
    Ok(Line { client, address: client.parse().ok(), user, time_us, method, path, status, bytes, referrer, user_agent })
}

struct Cursor<'a> {
    line: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a str {
        self.line[self.at..].trim_end()
    }

    fn refuse(&self, field: &str, accepted: &str) -> Error {
        refuse(field, self.at + 1, accepted)
    }

    /// Steps over the one space that parts two fields.
    fn space(&mut self) {
        if self.line[self.at..].starts_with(' ') {
            self.at += 1;
        }
    }

    fn word(&mut self, field: &str) -> Result<&'a str> {
        let rest = &self.line[self.at..];
        let word = &rest[..rest.find(' ').unwrap_or(rest.len())];
        if word.is_empty() {
            return Err(self.refuse(field, "a word"));
        }
        self.at += word.len();
        self.space();
        Ok(word)
    }

    /// The user may hold spaces: it ends where the time begins.
    fn user(&mut self) -> Result<Option<&'a str>> {
        let rest = &self.line[self.at..];
        let Some(end) = rest.find(" [") else {
            return Err(self.refuse("time", "[18/May/2015:10:05:03 +0000]"));
        };
        self.at += end + 1;
        Ok(Some(&rest[..end]).filter(|user| !matches!(*user, "-" | "\"\"" | "")))
    }

    fn time(&mut self) -> Result<i64> {
        let inside = self.line[self.at..].strip_prefix('[').and_then(|rest| rest.split_once(']'));
        let read = inside.and_then(|(text, _)| Some((text.len() + 2, clf_time(text)?)));
        let (length, time_us) = read.ok_or_else(|| self.refuse("time", "[18/May/2015:10:05:03 +0000]"))?;
        self.at += length;
        self.space();
        Ok(time_us)
    }

    fn number<T>(&mut self, field: &str, accepted: &str, read: impl Fn(&str) -> Option<T>) -> Result<T> {
        let start = self.at;
        let word = self.word(field)?.trim_end();
        read(word).ok_or_else(|| refuse(field, start + 1, accepted))
    }

    /// The last text in quotes. Servers cut long lines: the closing quote may be missing.
    fn quoted_last(&mut self, field: &str) -> Result<Cow<'a, str>> {
        let text = self.rest().strip_prefix('"').ok_or_else(|| self.refuse(field, "text in double quotes"))?;
        self.quoted(field).or_else(|_| Ok(unescaped(text)))
    }

    /// A text in quotes. Apache writes `\"`, `\\` and `\xHH` inside, nginx `\xHH`.
    fn quoted(&mut self, field: &str) -> Result<Cow<'a, str>> {
        let rest = self.line[self.at..].strip_prefix('"').ok_or_else(|| self.refuse(field, "text in double quotes"))?;
        let mut is_escaped = false;
        let end = rest.bytes().position(|byte| {
            let is_end = byte == b'"' && !is_escaped;
            is_escaped = byte == b'\\' && !is_escaped;
            is_end
        });
        let end = end.ok_or_else(|| self.refuse(field, "a closing double quote"))?;
        self.at += end + 2;
        self.space();
        Ok(unescaped(&rest[..end]))
    }
}

fn refuse(field: &str, column: usize, accepted: &str) -> Error {
    Error::new(Code::InvalidPayload, format!("no {field} at column {column} of the log line; accepted: {accepted}"))
}

/// `18/May/2015:10:05:03 +0000` in microseconds.
fn clf_time(text: &str) -> Option<i64> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (local, zone) = text.split_once(' ')?;
    let mut clock = local.split(':');
    let mut date = clock.next()?.split('/');
    let (day, month, year) = (date.next()?, date.next()?, date.next()?);
    let month = MONTHS.iter().position(|name| name.eq_ignore_ascii_case(month))?;
    let mut two = || clock.next().filter(|digits| digits.len() == 2)?.parse::<i8>().ok();
    let (hour, minute, second) = (two()?, two()?, two()?);
    if clock.next().is_some() || date.next().is_some() || !(0..24).contains(&hour) || !(0..60).contains(&minute) {
        return None;
    }
    let date = Date::new(year.parse().ok()?, i8::try_from(month + 1).ok()?, day.parse().ok()?).ok()?;
    // A leap second is read as the last of its minute.
    let civil = date.at(hour, minute, if second == 60 { 59 } else { second.clamp(0, 59) }, 0);
    if !(0..=60).contains(&second) {
        return None;
    }
    Some(offset(zone)?.to_timestamp(civil).ok()?.as_microsecond())
}

fn offset(zone: &str) -> Option<Offset> {
    let (sign, digits) = match zone.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    if digits.len() != 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes): (i32, i32) = (digits[..2].parse().ok()?, digits[2..].parse().ok()?);
    Offset::from_seconds(sign * (hours * 3_600 + minutes * 60)).ok()
}

fn present(text: Cow<'_, str>) -> Option<Cow<'_, str>> {
    Some(text).filter(|text| !matches!(text.as_ref(), "" | "-"))
}

fn split_request(request: Cow<'_, str>) -> (Option<Cow<'_, str>>, Option<Cow<'_, str>>) {
    let parts = |text: &str| {
        let (method, rest) = text.split_once(' ')?;
        let target = rest.rsplit_once(" HTTP/").map_or(rest, |(target, _)| target);
        let is_method = !method.is_empty() && method.len() <= 32 && method.bytes().all(|byte| byte.is_ascii_uppercase());
        (is_method && !target.is_empty()).then_some((method.len(), target.len()))
    };
    let Some((method, target)) = parts(&request) else { return (None, None) };
    let target = method + 1..method + 1 + target;
    match request {
        Cow::Borrowed(text) => (Some(Cow::Borrowed(&text[..method])), Some(Cow::Borrowed(&text[target]))),
        Cow::Owned(text) => (Some(Cow::Owned(text[..method].to_owned())), Some(Cow::Owned(text[target].to_owned()))),
    }
}

/// Undoes the server's escapes. Bytes that are no UTF-8 become replacement characters.
fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let (byte, used) = match (first, tail) {
            (b'\\', [b'x', high, low, ..]) => match (hex_digit(*high), hex_digit(*low)) {
                (Some(high), Some(low)) => (high * 16 + low, 4),
                _ => (b'\\', 1),
            },
            (b'\\', [quote @ (b'"' | b'\\'), ..]) => (*quote, 2),
            (b'\\', [b't', ..]) => (b'\t', 2),
            (b'\\', [b'n', ..]) => (b'\n', 2),
            (b'\\', [b'r', ..]) => (b'\r', 2),
            (other, _) => (*other, 1),
        };
        bytes.push(byte);
        rest = &rest[used..];
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
