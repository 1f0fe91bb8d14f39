//! Headers as Node.js shows those that it received.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use plan::Value;

/// Headers of which the first line counts; of others all lines are joined.
const SINGLE: [HeaderName; 18] = [
    header::AGE,
    header::AUTHORIZATION,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::ETAG,
    header::EXPIRES,
    header::FROM,
    header::HOST,
    header::IF_MODIFIED_SINCE,
    header::IF_UNMODIFIED_SINCE,
    header::LAST_MODIFIED,
    header::LOCATION,
    header::MAX_FORWARDS,
    header::PROXY_AUTHORIZATION,
    header::REFERER,
    header::RETRY_AFTER,
    header::SERVER,
    header::USER_AGENT,
];

/// The value of all lines of that name: a list for `set-cookie`, else a text.
pub(super) fn joined(headers: &HeaderMap, name: &HeaderName) -> Value {
    let mut lines = headers.get_all(name).iter().map(text);
    if *name == header::SET_COOKIE {
        return Value::list(lines.map(Value::text).collect());
    }
    let joined = match SINGLE.contains(name) {
        true => lines.next().unwrap_or_default(),
        false => lines.collect::<Vec<_>>().join(if *name == header::COOKIE { "; " } else { ", " }),
    };
    Value::text(joined)
}

/// The text of a line: one character for each octet.
pub(super) fn text(line: &HeaderValue) -> String {
    line.as_bytes().iter().map(|octet| char::from(*octet)).collect()
}
