//! Lines of bounded length.

use std::io::BufRead;

use crate::import::read::MAX_ROW_BYTES;

/// What the next line is.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    /// It stands in the buffer, without its line end.
    Read,
    /// It is longer than [`MAX_ROW_BYTES`]; its beginning stands in the buffer, the rest was passed over.
    TooLong,
    /// There is none.
    End,
}

/// Reads the next line into `buffer`, replacing what is there.
pub fn next_line(reader: &mut dyn BufRead, buffer: &mut Vec<u8>) -> std::io::Result<Line> {
    buffer.clear();
    let mut is_too_long = false;
    let mut is_any = false;
    loop {
        let available = reader.fill_buf()?;
        if available.is_empty() {
            break;
        }
        is_any = true;
        let end = available.iter().position(|byte| *byte == b'\n');
        let part = &available[..end.unwrap_or(available.len())];
        let room = MAX_ROW_BYTES - buffer.len();
        is_too_long |= part.len() > room;
        buffer.extend_from_slice(&part[..part.len().min(room)]);
        let used = end.map_or(available.len(), |end| end + 1);
        reader.consume(used);
        if end.is_some() {
            break;
        }
    }
    if buffer.last() == Some(&b'\r') {
        buffer.pop();
    }
    Ok(match (is_any, is_too_long) {
        (false, _) => Line::End,
        (true, true) => Line::TooLong,
        (true, false) => Line::Read,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_bounded_and_the_last_needs_no_end() {
        let long = "x".repeat(MAX_ROW_BYTES + 1);
        let text = format!("a\r\n\n{long}\nlast");
        let mut reader = std::io::BufReader::with_capacity(7, text.as_bytes());
        let mut buffer = Vec::new();
        let mut seen = Vec::new();
        loop {
            match next_line(&mut reader, &mut buffer).expect("memory") {
                Line::End => break,
                Line::Read => seen.push(String::from_utf8(buffer.clone()).expect("ascii")),
                Line::TooLong => seen.push(format!("too long, kept {}", buffer.len())),
            }
        }
        assert_eq!(seen, ["a".to_owned(), String::new(), format!("too long, kept {MAX_ROW_BYTES}"), "last".to_owned()]);
    }
}
