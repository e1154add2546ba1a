//! Reading a body: media type, size, content encoding.

use axum::body::Body;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::request::Parts;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tributary_core::error::{Code, Error, Result};
use tributary_ingest::body::decode_body;

/// Which media types a route reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Media {
    /// `application/json`.
    Json,
    /// Also `text/plain`, which is what `navigator.sendBeacon` sends without asking first.
    JsonOrText,
}

/// The decoded body, at most `cap` bytes before and after decompression.
pub(crate) async fn read(parts: &Parts, body: Body, media: Media, cap: usize) -> Result<Vec<u8>> {
    check_media(parts, media)?;
    let encoding = match parts.headers.get(CONTENT_ENCODING) {
        Some(value) => Some(value.to_str().map_err(|_| {
            Error::new(Code::UnsupportedMediaType, "the content encoding is not text; accepted: gzip, zstd, identity")
        })?),
        None => None,
    };
    let raw = Limited::new(body, cap).collect().await.map_err(|error| unreadable(error, cap))?.to_bytes();
    Ok(decode_body(encoding, &raw, cap)?.into_owned())
}

fn check_media(parts: &Parts, media: Media) -> Result<()> {
    // A body that does not say what it is is read as JSON.
    let Some(header) = parts.headers.get(CONTENT_TYPE) else { return Ok(()) };
    let text = header.to_str().unwrap_or_default();
    let essence = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_json = essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"));
    match media {
        Media::Json | Media::JsonOrText if is_json => Ok(()),
        Media::JsonOrText if essence == "text/plain" => Ok(()),
        Media::Json | Media::JsonOrText => {
            let accepted = match media {
                Media::Json => "application/json",
                Media::JsonOrText => "application/json, text/plain",
            };
            let shown: String = essence.chars().filter(|letter| letter.is_ascii_graphic()).take(64).collect();
            let message = format!(
                "media type `{shown}` is not read here; accepted: {accepted} (with curl: -H 'Content-Type: application/json')"
            );
            Err(Error::new(Code::UnsupportedMediaType, message))
        }
    }
}

fn unreadable(error: Box<dyn std::error::Error + Send + Sync>, cap: usize) -> Error {
    if error.is::<LengthLimitError>() {
        return Error::new(Code::PayloadTooLarge, format!("the body must be at most {cap} bytes"))
            .with_details(serde_json::json!({ "max_bytes": cap }));
    }
    Error::new(Code::InvalidPayload, "the body ended before it was complete").caused_by(error)
}
