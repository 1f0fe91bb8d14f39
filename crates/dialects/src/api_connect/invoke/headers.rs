//! Which headers of a message go to a back end.

use http::{HeaderMap, HeaderName, HeaderValue};
use plan::ecmascript::text_of;
use plan::{Fault, Map, Value};

use super::{Invoke, refused};

/// Headers that speak of the connection they came over. The body comes back as it is: nobody behind the door reads codings.
const OWN: [&str; 11] = [
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "proxy-connection",
];
/// What v5 keeps to itself.
const CLIENT_ID: &str = "x-ibm-client-id";

/// The headers of the message that are sent.
///
/// # Errors
/// A header that cannot be sent.
pub(super) fn sent(invoke: &Invoke, headers: &Value) -> Result<HeaderMap, Fault> {
    let mut sent = HeaderMap::new();
    for (name, value) in headers.as_map().into_iter().flat_map(Map::iter) {
        let stays = OWN.contains(&&**name) || (invoke.drops_client_id && &**name == CLIENT_ID);
        if stays || !invoke.headers.lets(name) {
            continue;
        }
        let one = std::slice::from_ref(value);
        let values = if let Value::List(items) = value { items } else { one };
        for value in values.iter().filter(|value| !matches!(value, Value::Undefined | Value::Null)) {
            let unfit = || refused(&format!("the header `{name}` cannot be sent: it holds what no header may"));
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unfit())?;
            sent.append(name, HeaderValue::from_bytes(text_of(value).as_bytes()).map_err(|_| unfit())?);
        }
    }
    Ok(sent)
}
