//! Requests into messages (section 11).

mod body;
mod cookies;
mod media_type;
mod multipart;
mod pattern;
pub(super) mod percent;
mod query;
mod request;
mod table;

use std::sync::LazyLock;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use plan::{Cells, Handle, Map, Text, Value};

use super::lowered::Route;
use super::render::pages;

pub use body::BODY_BYTES_MAX;
pub(super) use media_type::{MediaType, is_token};
pub use pattern::Pattern;
pub(super) use pattern::PatternError;
pub(super) use request::Conditions;
pub use request::{Exchange, Peer};
pub use table::{Found, RouteTable};

/// The cell that holds the request.
pub(super) const REQUEST: Handle = Handle(0);
/// The cell that stands for the reply.
pub(super) const REPLY: Handle = Handle(1);

/// The members of a message in their order, made once for all messages.
static MEMBERS: LazyLock<[Text; 4]> = LazyLock::new(|| ["_msgid", "req", "res", "payload"].map(Text::from));

/// A request that was accepted.
#[derive(Debug)]
pub struct Accepted {
    /// The message: `_msgid`, `req`, `res`, `payload`.
    pub message: Value,
    /// What its handles lead to.
    pub cells: Cells,
    /// What the reply needs to know of the request.
    pub exchange: Exchange,
}

/// Makes a message of a request that took this route, with the parameters of its path. `id` becomes its `_msgid`: see
/// [`message_id`].
///
/// # Errors
/// The answer to a request that cannot be taken.
pub fn accept(
    route: &Route,
    parameters: Map,
    request: &Request<Bytes>,
    peer: &Peer,
    id: &str,
) -> Result<Accepted, Box<Response<Bytes>>> {
    let body = body::read(route, request.headers(), request.body()).map_err(|status| Box::new(refused(status)))?;
    let query = query::query(request.uri().query().unwrap_or_default());
    let payload = if route.method == Method::GET { query.clone() } else { body.value.clone() };
    let exchange = Exchange::of(request, &query);
    let cell = request::describe(request, peer, parameters, query, body);
    let values = [Value::text(id), Value::Handle(REQUEST), Value::Handle(REPLY), payload];
    let message = MEMBERS.iter().cloned().zip(values).collect::<Map>().into();
    Ok(Accepted { message, cells: Cells::new(vec![cell, Map::new().into()]), exchange })
}

/// The id of a message: 16 hexadecimal digits of these octets, which must be random (section 9).
pub fn message_id(random: [u8; 8]) -> String {
    format!("{:016x}", u64::from_be_bytes(random))
}

fn refused(status: StatusCode) -> Response<Bytes> {
    // The vendor's own error handler answers what goes wrong inside the node, its framework the rest.
    if status == StatusCode::INTERNAL_SERVER_ERROR { pages::internal_error() } else { pages::refused(status) }
}
