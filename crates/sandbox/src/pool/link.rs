//! The server's end of a worker's socket: writes at once what the socket takes, keeps the rest for later.

use std::io;
use std::sync::Mutex;

use tokio::net::UnixStream;
use tokio::sync::Notify;

pub(super) struct Link {
    socket: UnixStream,
    process_id: Option<u32>,
    unsent: Mutex<Vec<u8>>,
    woken: Notify,
}

impl Link {
    pub(super) fn new(socket: UnixStream, process_id: Option<u32>) -> Self {
        Self { socket, process_id, unsent: Mutex::default(), woken: Notify::new() }
    }

    pub(super) fn process_id(&self) -> Option<u32> {
        self.process_id
    }

    /// Sends these octets, now or as soon as the socket takes them.
    pub(super) fn send(&self, octets: &[u8]) {
        let mut unsent = self.unsent.lock().expect("nothing panics while it holds what is unsent");
        let sent = if unsent.is_empty() { self.socket.try_write(octets).unwrap_or(0) } else { 0 };
        if sent < octets.len() {
            unsent.extend_from_slice(&octets[sent..]);
            self.woken.notify_one();
        }
    }

    /// Has whoever tends the worker look after it.
    pub(super) fn wake(&self) {
        self.woken.notify_one();
    }

    /// Returns when [`Self::wake`] was called or something was left unsent.
    pub(super) async fn woken(&self) {
        self.woken.notified().await;
    }

    pub(super) fn has_unsent(&self) -> bool {
        !self.unsent.lock().expect("nothing panics while it holds what is unsent").is_empty()
    }

    /// Waits until the socket takes more, and gives it more.
    pub(super) async fn send_more(&self) -> io::Result<()> {
        self.socket.writable().await?;
        let mut unsent = self.unsent.lock().expect("nothing panics while it holds what is unsent");
        match self.socket.try_write(&unsent) {
            Ok(sent) => {
                unsent.drain(..sent);
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Waits until octets have come, and appends them; none at the end.
    pub(super) async fn receive(&self, into: &mut Vec<u8>) -> io::Result<usize> {
        loop {
            self.socket.readable().await?;
            match self.socket.try_read_buf(into) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                other => return other,
            }
        }
    }
}
