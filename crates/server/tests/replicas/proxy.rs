//! Something between a replica and its database that loses, refuses or swallows what it is told to.
#![allow(dead_code, reason = "each test program that has this file needs a part of it")]

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::time::Duration;

/// What happens to messages.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Way {
    Pass,
    /// Notifications of the server do not arrive.
    LoseNotifications,
    /// LISTEN and advisory locks are refused by the server, which finds them misspelt.
    RefuseHints,
    /// Nothing arrives any more, and nobody is told.
    Swallow,
    /// Connections end, and new ones are not served.
    Cut,
}

/// A way to a server on this machine.
pub(crate) struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    way: AtomicU8,
    refused: AtomicUsize,
}

impl Proxy {
    pub(crate) fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, shared) = (listener.local_addr().unwrap().port(), Arc::<Shared>::default());
        let accepting = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if accepting.is(Way::Cut) {
                    continue;
                }
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else { continue };
                carry(&client, &server, &accepting, true);
                carry(&server, &client, &accepting, false);
            }
        });
        Self { port, shared }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn set(&self, way: Way) {
        self.shared.way.store(way as u8, Ordering::Relaxed);
    }

    /// How many messages were spoilt.
    pub(crate) fn refused(&self) -> usize {
        self.shared.refused.load(Ordering::Relaxed)
    }
}

impl Shared {
    fn is(&self, way: Way) -> bool {
        self.way.load(Ordering::Relaxed) == way as u8
    }
}

fn carry(from: &TcpStream, to: &TcpStream, shared: &Arc<Shared>, is_client: bool) {
    let (mut from, mut to, shared) = (from.try_clone().unwrap(), to.try_clone().unwrap(), Arc::clone(shared));
    std::thread::spawn(move || {
        // A client's first message has no type in front.
        let mut type_octets = usize::from(!is_client);
        while let Some(mut message) = read(&mut from, type_octets) {
            type_octets = 1;
            while shared.is(Way::Swallow) {
                std::thread::sleep(Duration::from_millis(20));
            }
            if shared.is(Way::Cut) {
                break;
            }
            if shared.is(Way::LoseNotifications) && !is_client && message[0] == b'A' {
                continue;
            }
            if shared.is(Way::RefuseHints) && is_client {
                spoil(&mut message, &shared);
            }
            if to.write_all(&message).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
        let _ = from.shutdown(Shutdown::Both);
    });
}

fn spoil(message: &mut [u8], shared: &Shared) {
    for wanted in [&b"LISTEN"[..], b"pg_try_advisory_xact_lock"] {
        if let Some(at) = message.windows(wanted.len()).position(|part| part == wanted) {
            message[at + wanted.len() - 1] = b'x';
            shared.refused.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn read(from: &mut TcpStream, type_octets: usize) -> Option<Vec<u8>> {
    let mut message = vec![0; type_octets + 4];
    from.read_exact(&mut message).ok()?;
    let length = u32::from_be_bytes(message[type_octets..].try_into().unwrap());
    let rest = message.len();
    message.resize(type_octets + length as usize, 0);
    from.read_exact(&mut message[rest..]).ok()?;
    Some(message)
}
