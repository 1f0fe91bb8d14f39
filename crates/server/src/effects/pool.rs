//! Threads of their own for slow signatures, and the bound on how many wait for them.

use std::collections::VecDeque;
use std::fmt;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use rustix::process::{getpriority_process, setpriority_process};
use tokio::sync::oneshot;

/// How much nicer the threads are than the others of the process, which answer within microseconds where these take a
/// millisecond.
const NICENESS: i32 = 10;

/// Callers that wait for a PKCS#11 token at a time; it has fewer sessions.
const HSM_CALLERS_MAX: usize = 32;

/// Makes slow signatures beside everything else: as many at a time as there are cores, others wait up to a bound.
///
/// The threads are its own: one that is done takes the next work by itself, so under load nobody has to be woken for it.
#[derive(Debug)]
pub struct Pool(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// Pieces of work that may be under way or waited for.
    places: usize,
    /// Threads that there may be; each is made when it is first missing.
    threads_max: usize,
    line: Mutex<Line>,
    called: Condvar,
}

#[derive(Default)]
struct Line {
    waiting: VecDeque<Work>,
    /// Pieces of work that are waited for or under way.
    held: usize,
    threads: usize,
    /// Threads that wait to be called.
    idle: usize,
    /// Those of them that were called and have not heard it yet.
    calls: usize,
    is_closed: bool,
}

type Work = Box<dyn FnOnce() + Send>;

/// Why work was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undone {
    /// As much is waited for as may be.
    Full,
    /// It panicked; the log says how.
    Died,
}

impl Pool {
    /// A pool in which so many pieces of work may be under way or waited for.
    #[must_use]
    pub fn new(places: usize) -> Pool {
        Self::of(places, std::thread::available_parallelism().map_or(1, NonZero::get))
    }

    /// The same for callers of a PKCS#11 token, which wait and compute nothing.
    #[must_use]
    pub fn for_a_token(places: usize) -> Pool {
        Self::of(places, HSM_CALLERS_MAX)
    }

    fn of(places: usize, threads_max: usize) -> Pool {
        Pool(Arc::new(Shared { places, threads_max, line: Mutex::default(), called: Condvar::new() }))
    }

    /// Does slow work on a thread of its own. If nobody waits for it any more it is not begun; once begun it ends there.
    ///
    /// # Errors
    /// [`Undone`].
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Undone> {
        let (reply, answer) = oneshot::channel();
        let shared = Arc::clone(&self.0);
        let work = move || {
            let done = if reply.is_closed() { None } else { catch_unwind(AssertUnwindSafe(work)).ok() };
            // Its place is free before its caller hears of it; after a panic he hears that the channel is closed.
            shared.line().held -= 1;
            drop(done.map(|done| reply.send(done)));
        };
        Shared::take_in(&self.0, Box::new(work))?;
        answer.await.map_err(|_| Undone::Died)
    }
}

impl Drop for Pool {
    /// Its threads end when nothing waits any more.
    fn drop(&mut self) {
        self.0.line().is_closed = true;
        self.0.called.notify_all();
    }
}

impl Shared {
    /// Puts work into the line, and sees to a thread that comes for it.
    fn take_in(shared: &Arc<Shared>, work: Work) -> Result<(), Undone> {
        let mut line = shared.line();
        if line.held == shared.places {
            return Err(Undone::Full);
        }
        if line.idle > line.calls {
            line.calls += 1;
            shared.called.notify_one();
        } else if line.threads < shared.threads_max {
            let of_thread = Arc::clone(shared);
            let thread = std::thread::Builder::new().name("slow-work".to_owned());
            match thread.spawn(move || of_thread.work_off()) {
                Ok(_) => line.threads += 1,
                // Those that there are do it, too, if there are any.
                Err(_) if line.threads == 0 => return Err(Undone::Full),
                Err(_) => {}
            }
        }
        line.held += 1;
        line.waiting.push_back(work);
        Ok(())
    }

    /// The life of a thread: piece after piece, and a rest where none waits.
    fn work_off(&self) {
        step_back();
        let mut line = self.line();
        loop {
            if let Some(work) = line.waiting.pop_front() {
                drop(line);
                work();
                line = self.line();
            } else if line.is_closed {
                return;
            } else {
                line.idle += 1;
                let is_quiet = |line: &mut Line| line.calls == 0 && !line.is_closed;
                line = self.called.wait_while(line, is_quiet).unwrap_or_else(PoisonError::into_inner);
                line.idle -= 1;
                line.calls = line.calls.saturating_sub(1);
            }
        }
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Has this thread run behind those that serve. A system that refuses has it compete as an equal, which costs others time
/// and nothing worse.
fn step_back() {
    let _ = getpriority_process(None).and_then(|nice| setpriority_process(None, nice + NICENESS));
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").field("held", &self.held).field("threads", &self.threads).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    /// SE-28 (part): the bound turns away what is too much, at once, and has room again when work is done.
    #[tokio::test]
    async fn what_is_too_much_is_turned_away_until_there_is_room() {
        let pool = Pool::new(1);
        let (begin, begun) = oneshot::channel();
        let (release, released) = std::sync::mpsc::channel::<()>();
        let slow = pool.run(move || {
            begin.send(()).unwrap();
            released.recv().unwrap();
        });
        let beside = async {
            begun.await.unwrap();
            assert_eq!(pool.run(|| ()).await, Err(Undone::Full));
            release.send(()).unwrap();
        };
        let (slow, ()) = tokio::join!(slow, beside);
        assert_eq!((slow, pool.run(|| 7).await), (Ok(()), Ok(7)));
    }

    #[tokio::test]
    async fn no_more_threads_than_may_be_do_all_that_waits() {
        let pool = Pool::of(100, 2);
        let at_work = Arc::new(AtomicUsize::new(0));
        let work = |number: usize| {
            let at_work = Arc::clone(&at_work);
            pool.run(move || {
                let others = at_work.fetch_add(1, Ordering::SeqCst);
                std::thread::sleep(Duration::from_millis(1));
                at_work.fetch_sub(1, Ordering::SeqCst);
                (number, others < 2)
            })
        };
        let done = futures_util::future::join_all((0..100).map(work)).await;
        assert_eq!(done, (0..100).map(|number| Ok((number, true))).collect::<Vec<_>>());
        assert_eq!(pool.run(|| 7).await, Ok(7));
    }

    #[tokio::test]
    async fn its_threads_are_nicer_than_those_that_serve() {
        let serving = getpriority_process(None).unwrap();
        let slow = Pool::new(1).run(|| getpriority_process(None).unwrap()).await.unwrap();
        assert_eq!(slow, (serving + NICENESS).min(19));
    }

    #[tokio::test]
    async fn what_nobody_waits_for_is_not_begun() {
        let pool = Pool::of(2, 1);
        let (release, released) = std::sync::mpsc::channel::<()>();
        let first = pool.run(move || released.recv().unwrap());
        let abandoned = async {
            let begun = pool.run(|| panic!("nobody waits for it"));
            assert!(tokio::time::timeout(Duration::from_millis(1), begun).await.is_err());
            assert_eq!(pool.run(|| ()).await, Err(Undone::Full), "it keeps its place until its turn comes");
            release.send(()).unwrap();
        };
        let (first, ()) = tokio::join!(first, abandoned);
        assert_eq!((first, pool.run(|| 7).await), (Ok(()), Ok(7)));
    }

    #[tokio::test]
    async fn its_threads_rest_are_called_again_and_end_with_it() {
        let pool = Pool::of(100, 2);
        for round in 0..50 {
            let done = futures_util::future::join_all((0..3).map(|number| pool.run(move || number + round))).await;
            assert_eq!(done, (0..3).map(|number| Ok(number + round)).collect::<Vec<_>>());
        }
        let shared = Arc::clone(&pool.0);
        assert_eq!(shared.line().threads, 2);
        drop(pool);
        let ended = || Arc::strong_count(&shared) == 1;
        for _ in 0..1_000 {
            if ended() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        panic!("{} still hold it", Arc::strong_count(&shared));
    }

    #[tokio::test]
    async fn a_panic_is_told_and_leaves_nothing_behind() {
        let pool = Pool::of(1, 1);
        for _ in 0..3 {
            assert_eq!(pool.run(|| panic!("as it should")).await, Err::<(), _>(Undone::Died));
            assert_eq!(pool.run(|| 7).await, Ok(7));
        }
    }
}
