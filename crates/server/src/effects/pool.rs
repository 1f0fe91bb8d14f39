//! Threads of their own for slow signatures, and the bound on how many wait for them.

use std::num::NonZero;
use std::sync::Arc;

use tokio::sync::Semaphore;

/// Callers that wait for a PKCS#11 token at a time; it has fewer sessions.
const HSM_CALLERS_MAX: usize = 32;

/// Makes slow signatures beside everything else: as many at a time as there are cores, others wait up to a bound.
#[derive(Debug)]
pub struct Pool {
    places: Arc<Semaphore>,
    cores: Arc<Semaphore>,
}

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

    fn of(places: usize, at_a_time: usize) -> Pool {
        Pool { places: Arc::new(Semaphore::new(places)), cores: Arc::new(Semaphore::new(at_a_time)) }
    }

    /// Does slow work on a thread of its own.
    ///
    /// # Errors
    /// [`Undone`].
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Undone> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Undone::Full)?;
        let core = Arc::clone(&self.cores).acquire_owned().await.expect("this semaphore is never closed");
        // The places go with the work: it ends on its thread even if nobody waits for it any more.
        let held = move || {
            let _held = (place, core);
            work()
        };
        tokio::task::spawn_blocking(held).await.map_err(|_| Undone::Died)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SE-28 (part): the bound turns away what is too much, at once, and has room again when work is done.
    #[tokio::test]
    async fn what_is_too_much_is_turned_away_until_there_is_room() {
        let pool = Pool::new(1);
        let (begin, begun) = tokio::sync::oneshot::channel();
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
}
