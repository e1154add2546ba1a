//! Request bodies: their size caps, and the undoing of `Content-Encoding`.

use std::borrow::Cow;
use std::io::Read;

use tributary_core::error::{Code, Error, Result};

use crate::fields::body_error;

/// Largest body of `POST /v1/track`, decompressed, bytes: one event whose 8 KB of properties are written with escapes.
pub const MAX_TRACK_BODY: usize = 128 * 1024;
/// Largest body of `POST /v1/identify`, decompressed, bytes.
pub const MAX_IDENTIFY_BODY: usize = 128 * 1024;
/// Largest body of `POST /v1/forget`, decompressed, bytes.
pub const MAX_FORGET_BODY: usize = 16 * 1024;
/// Largest body of `POST /v1/batch`, decompressed, bytes: 1000 events of 8 KB properties with as much around them.
pub const MAX_BATCH_BODY: usize = 16 * 1024 * 1024;
/// Largest zstd window a body may ask for, as a power of two: 8 MiB, what RFC 9659 asks decoders of HTTP to support.
const MAX_ZSTD_WINDOW_LOG: u32 = 23;

/// Undoes a `Content-Encoding`: `gzip` (`x-gzip`), `zstd`, `identity` or none. Never holds more than `cap` bytes plus one,
/// whatever a compressed body claims to hold. A body over the cap is `PayloadTooLarge`, another encoding
/// `UnsupportedMediaType`, a body that does not decompress `InvalidPayload`.
pub fn decode_body<'a>(encoding: Option<&str>, raw: &'a [u8], cap: usize) -> Result<Cow<'a, [u8]>> {
    let encoding = encoding.unwrap_or("identity").trim().to_ascii_lowercase();
    match encoding.as_str() {
        "" | "identity" if raw.len() > cap => Err(too_large(cap)),
        "" | "identity" => Ok(Cow::Borrowed(raw)),
        "gzip" | "x-gzip" => read_capped(flate2::read::MultiGzDecoder::new(raw), "gzip", cap),
        "zstd" => {
            let refuse = |error| undecodable("zstd").caused_by(error);
            let mut decoder = zstd::stream::read::Decoder::with_buffer(raw).map_err(refuse)?;
            decoder.window_log_max(MAX_ZSTD_WINDOW_LOG).map_err(refuse)?;
            read_capped(decoder, "zstd", cap)
        }
        _ => Err(Error::new(
            Code::UnsupportedMediaType,
            format!(
                "content encoding `{}` is not read here; accepted: gzip, zstd, identity",
                encoding.chars().filter(|letter| letter.is_ascii_graphic()).take(32).collect::<String>()
            ),
        )),
    }
}

/// Refuses a decoded body over its cap.
pub(crate) fn check_size(body: &[u8], cap: usize) -> Result<()> {
    if body.len() > cap { Err(too_large(cap)) } else { Ok(()) }
}

fn read_capped<'a>(decoder: impl Read, encoding: &'static str, cap: usize) -> Result<Cow<'a, [u8]>> {
    let mut decoded = Vec::new();
    let limit = u64::try_from(cap).unwrap_or(u64::MAX).saturating_add(1);
    decoder.take(limit).read_to_end(&mut decoded).map_err(|error| undecodable(encoding).caused_by(error))?;
    if decoded.len() > cap {
        return Err(too_large(cap));
    }
    Ok(Cow::Owned(decoded))
}

fn too_large(cap: usize) -> Error {
    Error::new(Code::PayloadTooLarge, format!("the body must be at most {cap} bytes, counted after decompression"))
        .with_details(serde_json::json!({ "max_bytes": cap }))
}

fn undecodable(encoding: &'static str) -> Error {
    body_error(format!("the body is not valid {encoding}, though `content-encoding` says so"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn encodings_are_undone() {
        let plain = br#"{"event":"signup"}"#;
        let gz = gzip(plain);
        let zst = zstd::encode_all(&plain[..], 3).unwrap();
        for (encoding, raw) in
            [(None, &plain[..]), (Some("identity"), plain), (Some("gzip"), &gz), (Some("X-GZip "), &gz), (Some("zstd"), &zst)]
        {
            assert_eq!(decode_body(encoding, raw, MAX_TRACK_BODY).unwrap(), &plain[..], "{encoding:?}");
        }
    }

    #[test]
    fn a_cap_holds_on_the_decompressed_size() {
        let bomb = vec![b' '; 64 * 1024 * 1024];
        let small = vec![b' '; 100];
        for (encoding, raw) in
            [(Some("gzip"), gzip(&bomb)), (Some("zstd"), zstd::encode_all(&bomb[..], 3).unwrap()), (None, bomb)]
        {
            assert_eq!(decode_body(encoding, &raw, 100).unwrap_err().code(), Code::PayloadTooLarge, "{encoding:?}");
        }
        for (encoding, raw) in [(Some("gzip"), gzip(&small)), (None, small)] {
            assert_eq!(decode_body(encoding, &raw, 100).unwrap().len(), 100, "exactly the cap is accepted");
            assert!(decode_body(encoding, &raw, 99).is_err());
        }
    }

    #[test]
    fn what_is_not_read_is_named() {
        let cases = [
            (Some("br"), &b"x"[..], Code::UnsupportedMediaType),
            (Some("gzip, gzip"), b"x", Code::UnsupportedMediaType),
            (Some("gzip"), b"not gzip", Code::InvalidPayload),
            (Some("zstd"), b"not zstd", Code::InvalidPayload),
        ];
        for (encoding, raw, code) in cases {
            assert_eq!(decode_body(encoding, raw, 100).unwrap_err().code(), code, "{encoding:?}");
        }
        let cut = &gzip(b"some text that is cut off")[..12];
        assert_eq!(decode_body(Some("gzip"), cut, 100).unwrap_err().code(), Code::InvalidPayload);
    }
}
