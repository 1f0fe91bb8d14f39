//! How many connections a listener holds, in all and from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Limits, ListenerKind, Peer};
use crate::metrics::{ListenerMetrics, Metrics};

/// Counts the connections of one listener. Its lock is taken when a connection comes and goes, never by a request.
pub(super) struct Gate {
    kind: ListenerKind,
    metrics: Arc<Metrics>,
    slots: Arc<Semaphore>,
    slots_max: u32,
    address_max: usize,
    by_address: Mutex<HashMap<IpAddr, usize>>,
}

/// The right to hold one connection open; it ends when dropped.
pub(super) struct Ticket {
    gate: Arc<Gate>,
    address: Option<IpAddr>,
    _slot: OwnedSemaphorePermit,
}

impl Gate {
    pub(super) fn new(kind: ListenerKind, limits: &Limits, metrics: Arc<Metrics>) -> Arc<Gate> {
        Arc::new(Gate {
            kind,
            metrics,
            slots: Arc::new(Semaphore::new(limits.connections as usize)),
            slots_max: limits.connections,
            address_max: limits.connections_per_address,
            by_address: Mutex::default(),
        })
    }

    /// Waits until one more connection may be accepted.
    pub(super) async fn slot(&self) -> OwnedSemaphorePermit {
        Arc::clone(&self.slots).acquire_owned().await.expect("nobody closes this semaphore")
    }

    /// Admits a connection, or refuses it since its address has its share.
    pub(super) fn admit(self: &Arc<Self>, slot: OwnedSemaphorePermit, peer: Peer) -> Option<Ticket> {
        let address = match peer {
            Peer::Tcp(address) => Some(address.ip()),
            Peer::Unix { .. } => None,
        };
        if let Some(ip) = address {
            let mut by_address = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
            let held = by_address.entry(ip).or_insert(0);
            if *held >= self.address_max {
                self.counts().connections_refused.increment();
                return None;
            }
            *held += 1;
        }
        self.counts().connections.add(1);
        Some(Ticket { gate: Arc::clone(self), address, _slot: slot })
    }

    /// Connections open now, the accept loops' own slots included.
    pub(super) fn open(&self) -> usize {
        self.slots_max as usize - self.slots.available_permits()
    }

    pub(super) async fn wait_until_empty(&self) {
        // The semaphore is never closed; either way nobody holds a slot afterwards.
        drop(self.slots.acquire_many(self.slots_max).await);
    }

    fn counts(&self) -> &ListenerMetrics {
        self.metrics.listener(self.kind)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.gate.counts().connections.add(-1);
        let Some(ip) = self.address else { return };
        let mut by_address = self.gate.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = by_address.get_mut(&ip) {
            *held -= 1;
            if *held == 0 {
                by_address.remove(&ip);
            }
        }
    }
}
