//! The connections of a store: a few, lent one at a time, and none tried while the database does not answer.

use std::ops::Deref;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Handle, Runtime};

use super::address::Address;
use super::limits;
use super::wire::{Health, Wire, away};
use crate::Error;

/// Connections, and the thread that carries their octets.
pub(crate) struct Pool {
    address: Address,
    state: Mutex<State>,
    returned: Condvar,
    /// None only while the pool is dropped.
    runtime: Option<Runtime>,
}

#[derive(Default)]
struct State {
    idle: Vec<Wire>,
    lent: usize,
    breaker: Option<Breaker>,
}

/// Why and until when nobody is let through.
#[derive(Clone)]
struct Breaker {
    until: Instant,
    why: String,
}

/// A connection of the pool, for one caller.
pub(crate) struct Lent<'p> {
    pool: &'p Pool,
    wire: Option<Wire>,
}

impl Pool {
    /// A pool that has not connected yet.
    pub(crate) fn new(address: Address) -> Result<Self, Error> {
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("store").enable_all().build();
        let runtime = runtime.map_err(|error| away(format!("this system gives no thread: {error}")))?;
        let (state, returned) = (Mutex::default(), Condvar::new());
        Ok(Self { address, state, returned, runtime: Some(runtime) })
    }

    /// A sound connection.
    pub(crate) fn lend(&self) -> Result<Lent<'_>, Error> {
        let wire = self.claim()?;
        let mut lent = Lent { pool: self, wire };
        if lent.wire.is_none() {
            let opened = Wire::open(&self.address, self.runtime());
            lent.wire = Some(opened.inspect_err(|error| self.trip(error))?);
        }
        Ok(lent)
    }

    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    pub(super) fn runtime(&self) -> &Handle {
        self.runtime.as_ref().expect("it is taken by drop alone").handle()
    }

    /// The right to have a connection, and one that is there already if one is.
    fn claim(&self) -> Result<Option<Wire>, Error> {
        let end = Instant::now() + limits::POOL;
        let mut state = self.state();
        loop {
            let now = Instant::now();
            if let Some(breaker) = state.breaker.clone().filter(|breaker| now < breaker.until) {
                return Err(away(breaker.why));
            }
            while let Some(wire) = state.idle.pop() {
                if wire.health() == Health::Sound {
                    state.lent += 1;
                    return Ok(Some(wire));
                }
            }
            if state.lent < limits::CONNECTIONS_MAX {
                state.lent += 1;
                return Ok(None);
            }
            let left = end.saturating_duration_since(now);
            if left == Duration::ZERO {
                return Err(away("all of its connections were busy for 1 s"));
            }
            state = self.returned.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Lets nobody through for a while.
    fn trip(&self, error: &Error) {
        if let Error::Away { why } = error {
            self.state().breaker = Some(Breaker { until: Instant::now() + limits::BREAKER, why: why.clone() });
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.state().idle.clear();
        if let Some(runtime) = self.runtime.take() {
            // To wait for it is forbidden on a thread of another runtime, and nothing is left to wait for.
            runtime.shutdown_background();
        }
    }
}

impl Deref for Lent<'_> {
    type Target = Wire;

    fn deref(&self) -> &Wire {
        self.wire.as_ref().expect("it is put in by lend and taken by drop")
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut state = self.pool.state();
        state.lent -= 1;
        match self.wire.take().map(|wire| (wire.health(), wire)) {
            Some((Health::Sound, wire)) => state.idle.push(wire),
            // What else is open leads to the same server.
            Some((Health::Broken, _)) => state.idle.clear(),
            Some((Health::Silent, _)) => {
                state.idle.clear();
                let why = "it did not answer a moment ago".to_owned();
                state.breaker = Some(Breaker { until: Instant::now() + limits::BREAKER, why });
            }
            None => {}
        }
        drop(state);
        self.pool.returned.notify_one();
    }
}
