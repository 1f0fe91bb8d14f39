//! A request's body, which can only be read within its limits.

use bytes::{Bytes, BytesMut};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::time::Instant;

use crate::problem::Problem;

/// A body that has not been read yet. A handler that does not need it drops it.
#[derive(Debug)]
pub struct Intake {
    source: Source,
    bytes_max: usize,
}

#[derive(Debug)]
enum Source {
    Wire { incoming: Incoming, deadline: Instant },
    Whole(Bytes),
}

impl Intake {
    pub(super) fn new(incoming: Incoming, bytes_max: usize, deadline: Instant) -> Intake {
        let source = Source::Wire { incoming, deadline };
        Intake { source, bytes_max }
    }

    /// Lowers the limit for this request; a higher one than the listener's changes nothing.
    #[must_use]
    pub fn at_most(mut self, bytes_max: usize) -> Intake {
        self.bytes_max = self.bytes_max.min(bytes_max);
        self
    }

    /// Reads the body to its end. A body that came in one piece is not copied.
    ///
    /// # Errors
    /// [`Problem::BodyTooLarge`] beyond the limit, at once if the head announces it; [`Problem::BodyTimeout`] if it takes
    /// longer than [`super::Limits::body`]; [`Problem::Malformed`] if it breaks off or is badly framed.
    pub async fn read(self) -> Result<Bytes, Problem> {
        let (incoming, deadline) = match self.source {
            Source::Wire { incoming, deadline } => (incoming, deadline),
            Source::Whole(bytes) if bytes.len() > self.bytes_max => {
                return Err(Problem::BodyTooLarge);
            }
            Source::Whole(bytes) => return Ok(bytes),
        };
        if incoming.is_end_stream() {
            return Ok(Bytes::new());
        }
        if incoming.size_hint().lower() > self.bytes_max as u64 {
            return Err(Problem::BodyTooLarge);
        }
        tokio::time::timeout_at(deadline, read_frames(incoming, self.bytes_max))
            .await
            .unwrap_or(Err(Problem::BodyTimeout))
    }
}

/// A body that is already there, for handlers that are called without a socket.
impl From<Bytes> for Intake {
    fn from(bytes: Bytes) -> Intake {
        Intake { source: Source::Whole(bytes), bytes_max: usize::MAX }
    }
}

async fn read_frames(mut incoming: Incoming, bytes_max: usize) -> Result<Bytes, Problem> {
    let mut first = Bytes::new();
    let mut joined = BytesMut::new();
    while let Some(frame) = incoming.frame().await {
        let Ok(data) = frame.map_err(|_| Problem::Malformed)?.into_data() else {
            continue; // Trailers: nobody asked for them.
        };
        if first.len() + joined.len() + data.len() > bytes_max {
            return Err(Problem::BodyTooLarge);
        }
        if first.is_empty() && joined.is_empty() {
            first = data;
        } else {
            joined.extend_from_slice(&std::mem::take(&mut first));
            joined.extend_from_slice(&data);
        }
    }
    if joined.is_empty() { Ok(first) } else { Ok(joined.freeze()) }
}
