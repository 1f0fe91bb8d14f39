//! The body of a reply, bounded before and after inflating.

use std::io::Read;

use dialects::outward::Failure;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};

use crate::limits::FETCH_BODY_BYTES_MAX;

const TOO_LARGE: Failure = Failure::BodyTooLarge { bytes_max: FETCH_BODY_BYTES_MAX };

/// Reads the whole body, inflated if that is wanted, up to [`FETCH_BODY_BYTES_MAX`] octets.
pub(super) async fn read(headers: &HeaderMap, body: Incoming, inflates: bool) -> Result<Bytes, Failure> {
    let collected = Limited::new(body, FETCH_BODY_BYTES_MAX).collect().await;
    let octets = collected.map_err(|error| if error.is::<LengthLimitError>() { TOO_LARGE } else { Failure::Cut })?;
    let octets = octets.to_bytes();
    if inflates { inflated(headers, octets) } else { Ok(octets) }
}

fn inflated(headers: &HeaderMap, octets: Bytes) -> Result<Bytes, Failure> {
    let Some(encoding) = headers.get(CONTENT_ENCODING) else { return Ok(octets) };
    match encoding.as_bytes().to_ascii_lowercase().as_slice() {
        b"identity" | b"" => Ok(octets),
        b"gzip" | b"x-gzip" => bounded(MultiGzDecoder::new(&*octets)),
        // Servers send `deflate` with the zlib wrapper of RFC 9110 section 8.4.1.2 and, wrongly, without.
        b"deflate" => match bounded(ZlibDecoder::new(&*octets)) {
            Err(Failure::Body(_)) => bounded(DeflateDecoder::new(&*octets)),
            inflated => inflated,
        },
        _ => Err(Failure::Body("its content encoding is not known".to_owned())),
    }
}

fn bounded(inflating: impl Read) -> Result<Bytes, Failure> {
    let mut out = Vec::new();
    inflating
        .take(FETCH_BODY_BYTES_MAX as u64 + 1)
        .read_to_end(&mut out)
        .map_err(|error| Failure::Body(error.to_string()))?;
    if out.len() > FETCH_BODY_BYTES_MAX { Err(TOO_LARGE) } else { Ok(out.into()) }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    fn headers(encoding: &str) -> HeaderMap {
        HeaderMap::from_iter([(CONTENT_ENCODING, encoding.parse().unwrap())])
    }

    #[test]
    fn every_way_to_deflate_is_inflated() {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(b"hello").unwrap();
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(b"hello").unwrap();
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::default());
        raw.write_all(b"hello").unwrap();
        for (encoding, octets) in
            [("gzip", gzip.finish().unwrap()), ("Deflate", zlib.finish().unwrap()), ("deflate", raw.finish().unwrap())]
        {
            assert_eq!(inflated(&headers(encoding), octets.into()).unwrap(), "hello", "{encoding}");
        }
        assert!(matches!(inflated(&headers("zstd"), Bytes::new()), Err(Failure::Body(_))));
    }

    #[test]
    fn a_bomb_is_too_large_and_the_bound_itself_is_not() {
        let pack = |size| {
            let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
            gzip.write_all(&vec![0_u8; size]).unwrap();
            Bytes::from(gzip.finish().unwrap())
        };
        assert_eq!(inflated(&headers("gzip"), pack(FETCH_BODY_BYTES_MAX)).unwrap().len(), FETCH_BODY_BYTES_MAX);
        let beyond = inflated(&headers("gzip"), pack(FETCH_BODY_BYTES_MAX + 1));
        assert!(matches!(beyond, Err(Failure::BodyTooLarge { .. })));
    }
}
