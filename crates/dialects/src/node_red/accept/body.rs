//! The body of a request (section 11): JSON, forms, text, octets and uploads.

use std::io::Read as _;

use bytes::Bytes;
use encoding_rs::Encoding;
use flate2::read::{GzDecoder, ZlibDecoder};
use http::{HeaderMap, StatusCode, header};
use jose::json::Limits;
use plan::{JsonRules, Map, Value, read_json};

use super::media_type::MediaType;
use super::multipart;
use super::query::{self, FormError};
use crate::node_red::lowered::Route;

/// The largest body, as it comes and inflated (section 2, D17).
pub const BODY_BYTES_MAX: usize = 5 * 1024 * 1024;

/// What a body becomes.
#[derive(Debug, PartialEq)]
pub(super) struct Body {
    /// The value of `req.body`.
    pub(super) value: Value,
    /// The value of `req.files`, if the body was taken apart.
    pub(super) files: Option<Value>,
}

/// Reads the body of a request.
///
/// # Errors
/// The status that the request is refused with.
pub(super) fn read(route: &Route, headers: &HeaderMap, octets: &Bytes) -> Result<Body, StatusCode> {
    if octets.len() > BODY_BYTES_MAX {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    if route.skip_body_parsing {
        return Ok(whole(Value::Bytes(octets.as_ref().into())));
    }
    let has_body = headers.contains_key(header::TRANSFER_ENCODING) || headers.contains_key(header::CONTENT_LENGTH);
    let written = headers.get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap_or("?"));
    let media_type = written.filter(|text| !text.is_empty()).map(MediaType::parse);
    let essence = media_type.as_ref().and_then(Option::as_ref).map(|media_type| media_type.essence.as_str());
    match (essence, &media_type) {
        (Some("application/json"), Some(Some(media_type))) if has_body => json(media_type, headers, octets).map(whole),
        (Some("application/x-www-form-urlencoded"), Some(Some(media_type))) if has_body => {
            form(media_type, headers, octets).map(whole)
        }
        _ if route.method == http::Method::GET => Ok(whole(Map::new().into())),
        (Some("multipart/form-data"), Some(Some(media_type))) if route.upload => upload(media_type, octets),
        (_, Some(None)) => Err(StatusCode::BAD_REQUEST),
        (_, Some(Some(media_type))) if !is_text(media_type) => Ok(whole(Value::Bytes(octets.as_ref().into()))),
        (_, None | Some(Some(_))) => Ok(whole(Value::text(encoding_rs::UTF_8.decode_with_bom_removal(octets).0))),
    }
}

fn whole(value: Value) -> Body {
    Body { value, files: None }
}

/// An object or an array; nothing at all becomes an empty object.
fn json(media_type: &MediaType, headers: &HeaderMap, octets: &Bytes) -> Result<Value, StatusCode> {
    let charset = charset(media_type);
    let encoding = Encoding::for_label(charset.as_bytes()).filter(|_| charset.starts_with("utf-"));
    let encoding = encoding.ok_or(StatusCode::UNSUPPORTED_MEDIA_TYPE)?;
    let octets = inflated(headers, octets)?;
    if octets.is_empty() {
        return Ok(Map::new().into());
    }
    let text = encoding.decode_with_bom_removal(&octets).0;
    let value = read_json(text.as_bytes(), Limits::REQUEST, JsonRules::Ecmascript);
    value.ok().filter(|value| matches!(value, Value::Map(_) | Value::List(_))).ok_or(StatusCode::BAD_REQUEST)
}

fn form(media_type: &MediaType, headers: &HeaderMap, octets: &Bytes) -> Result<Value, StatusCode> {
    if charset(media_type) != "utf-8" {
        return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    let octets = inflated(headers, octets)?;
    let text = encoding_rs::UTF_8.decode_with_bom_removal(&octets).0;
    query::form(&text).map_err(|error| match error {
        FormError::TooManyPairs => StatusCode::PAYLOAD_TOO_LARGE,
        FormError::TooDeep => StatusCode::BAD_REQUEST,
    })
}

fn upload(media_type: &MediaType, octets: &Bytes) -> Result<Body, StatusCode> {
    let parts = media_type.parameters.get("boundary").and_then(|boundary| multipart::read(octets, boundary));
    let multipart::Parts { fields, files } = parts.ok_or(StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(Body { value: fields, files: Some(files) })
}

fn charset(media_type: &MediaType) -> String {
    media_type.parameters.get("charset").map_or("utf-8".to_owned(), |charset| charset.to_ascii_lowercase())
}

/// The octets without their content encoding.
fn inflated(headers: &HeaderMap, octets: &Bytes) -> Result<Bytes, StatusCode> {
    let encoding = headers.get(header::CONTENT_ENCODING).map_or("identity", |value| value.to_str().unwrap_or("?"));
    match encoding.to_ascii_lowercase().as_str() {
        "identity" => Ok(octets.clone()),
        "gzip" => inflate(GzDecoder::new(octets.as_ref())),
        "deflate" => inflate(ZlibDecoder::new(octets.as_ref())),
        _ => Err(StatusCode::UNSUPPORTED_MEDIA_TYPE),
    }
}

fn inflate(decoder: impl std::io::Read) -> Result<Bytes, StatusCode> {
    let mut octets = Vec::new();
    let bound = BODY_BYTES_MAX as u64 + 1;
    decoder.take(bound).read_to_end(&mut octets).map_err(|_| StatusCode::BAD_REQUEST)?;
    if octets.len() > BODY_BYTES_MAX { Err(StatusCode::PAYLOAD_TOO_LARGE) } else { Ok(octets.into()) }
}

/// Whether a body of this type arrives as text: `text`, XML, and what an application may have written in text.
fn is_text(media_type: &MediaType) -> bool {
    let (subtype, suffix) = media_type.subtype();
    let is_xml = subtype == "xml" || suffix == Some("xml");
    match media_type.kind() {
        "text" => true,
        "application" => is_xml || !matches!(subtype, "octet-stream" | "cbor" | "x-protobuf"),
        _ => is_xml,
    }
}
