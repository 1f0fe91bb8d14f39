//! The worker's end of its socket: frames in, frames out, and the clock its timers run by.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Instant;

use plan::{Fault, FaultKind, ScriptEvent, Text, Value};

use crate::frame::{self, FrameFault, FromWorker, ToWorker};
use crate::speech::Question;

/// The most octets a script may say in one turn.
pub(crate) const TURN_BYTES_MAX: usize = 64 << 20;

/// How many octets are read at a time.
const READ_BYTES: usize = 64 << 10;

pub(super) struct Channel {
    socket: UnixStream,
    inbox: RefCell<Vec<u8>>,
    /// Frames that came while an answer was waited for.
    early: RefCell<VecDeque<ToWorker>>,
    outbox: RefCell<Vec<u8>>,
    said_bytes: Cell<usize>,
    born: Instant,
}

impl Channel {
    pub(super) fn new(socket: UnixStream) -> Self {
        Self {
            socket,
            inbox: RefCell::default(),
            early: RefCell::default(),
            outbox: RefCell::default(),
            said_bytes: Cell::new(0),
            born: Instant::now(),
        }
    }

    /// Milliseconds since the worker was born.
    pub(super) fn now_ms(&self) -> u64 {
        u64::try_from(self.born.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Milliseconds until that moment on the worker's clock.
    pub(super) fn ms_until(&self, at_ms: u64) -> u32 {
        u32::try_from(at_ms.saturating_sub(self.now_ms())).unwrap_or(u32::MAX)
    }

    /// The next frame, once all that was told has gone out; none if the server hung up or makes no sense.
    pub(super) fn receive(&self) -> Option<ToWorker> {
        self.flush()?;
        self.said_bytes.set(0);
        let early = self.early.borrow_mut().pop_front();
        early.map_or_else(|| self.next(), Some)
    }

    /// Asks and waits for the answer; none if the server hung up.
    pub(super) fn ask(&self, call: u64, question: Question) -> Option<Result<Value, Text>> {
        let mut outbox = self.outbox.borrow_mut();
        if let Err(fault) = frame::write(&mut outbox, &FromWorker::Asked { call, question }) {
            return Some(Err(fault.to_string().as_str().into()));
        }
        drop(outbox);
        self.flush()?;
        loop {
            let frame = self.next()?;
            if let ToWorker::Answer(answer) = frame {
                return Some(answer);
            }
            // A script is forgotten, or a call dropped, while another one's turn lasts: that waits for its end.
            self.early.borrow_mut().push_back(frame);
        }
    }

    /// Tells what a script wants and does not wait for.
    pub(super) fn wish(&self, call: u64, id: u32, wish: Value) -> Result<(), FrameFault> {
        let mut outbox = self.outbox.borrow_mut();
        let before = outbox.len();
        frame::write(&mut outbox, &FromWorker::Wished { call, id, wish })?;
        self.said_bytes.set(self.said_bytes.get() + outbox.len() - before);
        Ok(())
    }

    /// Whether the script may say more in this turn.
    pub(super) fn has_room(&self) -> bool {
        self.said_bytes.get() <= TURN_BYTES_MAX
    }

    /// Tells what a script did. What does not fit a frame is told as the fault it is.
    pub(super) fn say(&self, call: u64, event: ScriptEvent) {
        let before = self.outbox.borrow().len();
        let written = frame::write(&mut self.outbox.borrow_mut(), &FromWorker::Said { call, event });
        if let Err(fault) = written {
            let fault = Fault::new(FaultKind::Script, format!("what the script sent cannot be passed on: {fault}"));
            self.tell(&FromWorker::Said { call, event: ScriptEvent::Fault { fault, message: None } });
        }
        let said = self.outbox.borrow().len().saturating_sub(before);
        self.said_bytes.set(self.said_bytes.get() + said);
    }

    pub(super) fn tell(&self, frame: &FromWorker) {
        frame::write(&mut self.outbox.borrow_mut(), frame).expect("the worker's own words fit a frame");
    }

    fn next(&self) -> Option<ToWorker> {
        let mut inbox = self.inbox.borrow_mut();
        loop {
            if let Some((frame, taken)) = frame::read(&inbox).ok()? {
                inbox.drain(..taken);
                return Some(frame);
            }
            let filled = inbox.len();
            inbox.resize(filled + READ_BYTES, 0);
            let count = match (&self.socket).read(&mut inbox[filled..]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => 0,
                Ok(0) | Err(_) => return None,
                Ok(count) => count,
            };
            inbox.truncate(filled + count);
        }
    }

    fn flush(&self) -> Option<()> {
        let mut outbox = self.outbox.borrow_mut();
        (&self.socket).write_all(&outbox).ok()?;
        outbox.clear();
        Some(())
    }
}
