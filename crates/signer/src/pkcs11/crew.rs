//! The threads that ask a token, each with a session of its own, and the bounds on how long and how many wait.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::HsmFault;
use super::desk::{Desk, Device, Work};

/// Sessions that are asked at a time.
const THREADS: usize = 4;
/// How many threads that hang are replaced; beyond that their work waits until one comes back.
const REPLACED_MAX: usize = 4;
/// How many orders may wait for a thread.
const WAITING_MAX: usize = 64;

/// How long one may wait for it; what is left of its deadline is for the token.
const WAIT_MAX: Duration = Duration::from_millis(500);

/// How long the threads may take to close their sessions in the end.
const FAREWELL_MAX: Duration = Duration::from_millis(500);

/// An order that waits for a thread.
const WAITING: u8 = 0;
/// A thread is at it.
const TAKEN: u8 = 1;
/// It is answered.
const DONE: u8 = 2;
/// Nobody waits for its answer any more.
const ABANDONED: u8 = 3;
/// The same, and the thread that is at it has a successor.
const REPLACED: u8 = 4;

pub(super) struct Crew {
    /// None once it is being dropped, which tells the threads to end.
    orders: Option<SyncSender<Order>>,
    shared: Arc<Shared>,
}

struct Shared {
    device: Arc<Device>,
    waiting: Mutex<Receiver<Order>>,
    replaced: AtomicUsize,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

struct Order {
    state: Arc<AtomicU8>,
    work: Box<dyn FnOnce(&mut Desk) + Send>,
}

impl Crew {
    pub(super) fn start(device: Arc<Device>) -> Self {
        let (orders, waiting) = sync_channel(WAITING_MAX);
        let (waiting, replaced, threads) = (Mutex::new(waiting), AtomicUsize::new(0), Mutex::default());
        let shared = Arc::new(Shared { device, waiting, replaced, threads });
        (0..THREADS).for_each(|_| Shared::hire(&shared));
        Self { orders: Some(orders), shared }
    }

    pub(super) fn device(&self) -> &Device {
        &self.shared.device
    }

    /// Has the work done by whichever thread is free first.
    ///
    /// # Errors
    /// [`HsmFault::Busy`] if none was free in time, [`HsmFault::Timeout`] if one was and the token did not answer.
    pub(super) fn ask<T: Send + 'static>(&self, deadline: Duration, work: impl Work<T>) -> Result<T, HsmFault> {
        let (reply, answer) = sync_channel(1);
        let state = Arc::new(AtomicU8::new(WAITING));
        // Whoever asked may have gone.
        let work = move |desk: &mut Desk| drop(reply.send(desk.attempt(&work)));
        let orders = self.orders.as_ref().expect("who is being dropped is asked nothing");
        match orders.try_send(Order { state: Arc::clone(&state), work: Box::new(work) }) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => return Err(HsmFault::Busy),
        }
        let mut answered = answer.recv_timeout(WAIT_MAX);
        if answered.is_err() {
            if changed(&state, WAITING, ABANDONED) {
                return Err(HsmFault::Busy);
            }
            answered = answer.recv_timeout(deadline.saturating_sub(WAIT_MAX));
        }
        match answered {
            Ok(outcome) => outcome,
            Err(RecvTimeoutError::Timeout) if self.give_up(&state) => Err(HsmFault::Timeout),
            Err(RecvTimeoutError::Timeout) => answer.recv().unwrap_or(Err(HsmFault::Timeout)),
            Err(RecvTimeoutError::Disconnected) => Err(HsmFault::Away("its module failed".to_owned())),
        }
    }

    /// Gives up on a thread that hangs, and hires another if not too many hang. False if it answered just now.
    fn give_up(&self, state: &AtomicU8) -> bool {
        let hires = |replaced: usize| (replaced < REPLACED_MAX).then_some(replaced + 1);
        let is_hired = self.shared.replaced.fetch_update(Ordering::AcqRel, Ordering::Acquire, hires).is_ok();
        if !changed(state, TAKEN, if is_hired { REPLACED } else { ABANDONED }) {
            self.shared.replaced.fetch_sub(usize::from(is_hired), Ordering::AcqRel);
            return false;
        }
        if is_hired {
            Shared::hire(&self.shared);
        }
        true
    }
}

impl Shared {
    fn hire(shared: &Arc<Self>) {
        let of_thread = Arc::clone(shared);
        let thread = std::thread::Builder::new().name("pkcs11".to_owned());
        // Without a thread its share of the work waits for the others.
        if let Ok(thread) = thread.spawn(move || of_thread.serve()) {
            shared.threads.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
        }
    }

    /// Works off orders until nobody can order any more, or somebody else was hired for this thread.
    fn serve(&self) {
        let mut desk = Desk::of(Arc::clone(&self.device));
        loop {
            let next = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(Order { state, work }) = next else { return };
            if !changed(&state, WAITING, TAKEN) {
                continue;
            }
            if catch_unwind(AssertUnwindSafe(|| work(&mut desk))).is_err() {
                desk = Desk::of(Arc::clone(&self.device));
            }
            if !changed(&state, TAKEN, DONE) && state.load(Ordering::Acquire) == REPLACED {
                self.replaced.fetch_sub(1, Ordering::AcqRel);
                return;
            }
        }
    }
}

impl Drop for Crew {
    /// Waits for the threads, but not for one that hangs: a thread that ends while its process does meets a module that
    /// takes itself down.
    fn drop(&mut self) {
        self.orders = None;
        let until = Instant::now() + FAREWELL_MAX;
        for thread in self.shared.threads.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            while !thread.is_finished() && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(1));
            }
            if thread.is_finished() {
                // One that panicked was at nobody's order.
                drop(thread.join());
            }
        }
    }
}

fn changed(state: &AtomicU8, from: u8, to: u8) -> bool {
    state.compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire).is_ok()
}
