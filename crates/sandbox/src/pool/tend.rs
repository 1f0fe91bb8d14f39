//! Starts worker processes, reads what they say, and ends those that loop, break the rules or have nothing to do.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::process::Stdio;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use plan::{FaultKind, Text};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use tokio::time::sleep_until;

use super::crew::{Chore, Crew, Job, Misbehaved, Place};
use super::link::Link;
use super::{Inner, frame};

/// How often a worker that is in use is looked after.
const WATCH: Duration = Duration::from_millis(250);
/// How much room a read has at least.
const READ_BYTES: usize = 16 << 10;

/// Why a worker ended.
enum End {
    /// Nothing was left for it to do.
    Dismissed,
    Overdue,
    Misbehaved,
    Gone,
}

impl Inner {
    /// Starts the job where it can run, or keeps it until it can.
    pub(super) fn place(self: &Arc<Self>, job: Job) {
        let mut crew = self.crew();
        let place = crew.place(&job, self.settings.workers_max);
        self.put(&mut crew, job, place);
    }

    /// Starts what waits and can run now.
    fn catch_up(self: &Arc<Self>, crew: &mut Crew) {
        while let Some((job, place)) = crew.take_ready(self.settings.workers_max) {
            self.put(crew, job, place);
        }
    }

    fn put(self: &Arc<Self>, crew: &mut Crew, job: Job, place: Place) {
        match place {
            Place::Worker(worker) => crew.start(worker, job),
            Place::New(pin) => match self.hire(crew, pin) {
                Ok(worker) => crew.start(worker, job),
                Err(error) => {
                    job.listener.give_up(FaultKind::ScriptUnavailable, &format!("no worker could be started: {error}"));
                }
            },
            Place::Later => {
                crew.keep(job);
                self.return_after(crew.restart_pause());
            }
        }
    }

    /// Looks at what waits again when workers may be started again.
    fn return_after(self: &Arc<Self>, pause: Option<Duration>) {
        let Some(pause) = pause else { return };
        let pool = Arc::downgrade(self);
        tokio::spawn(async move {
            tokio::time::sleep(pause).await;
            if let Some(pool) = pool.upgrade() {
                pool.catch_up(&mut pool.crew());
            }
        });
    }

    fn hire(self: &Arc<Self>, crew: &mut Crew, pin: Option<Text>) -> io::Result<u64> {
        let (ours, theirs) = StdUnixStream::pair()?;
        ours.set_nonblocking(true)?;
        let child = Command::new(&self.settings.program)
            .args(&self.settings.arguments)
            .env_clear()
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let link = Arc::new(Link::new(UnixStream::from_std(ours)?, child.id()));
        let worker = crew.hire(link.clone(), pin);
        tokio::spawn(tend(Arc::downgrade(self), worker, link, child));
        Ok(worker)
    }
}

async fn tend(pool: Weak<Inner>, worker: u64, link: Arc<Link>, mut child: Child) {
    let end = watch_over(&pool, worker, &link).await;
    // One that is gone has ended by itself: killing it now could hide how.
    if !matches!(end, End::Gone) {
        let _already_gone = child.start_kill();
    }
    let status = child.wait().await;
    let cause = match end {
        End::Dismissed => "the script's worker was dismissed".to_owned(),
        End::Overdue => "the script did not come to an end in its time".to_owned(),
        End::Misbehaved => "the script's worker broke the rules and was ended".to_owned(),
        End::Gone => status.map_or_else(
            |error| format!("the script's worker is gone: {error}"),
            |status| format!("the script's worker ended: {status}"),
        ),
    };
    let Some(pool) = pool.upgrade() else { return };
    let mut crew = pool.crew();
    crew.lose(worker, matches!(end, End::Dismissed), &cause);
    pool.catch_up(&mut crew);
    pool.return_after(crew.restart_pause());
}

async fn watch_over(pool: &Weak<Inner>, worker: u64, link: &Link) -> End {
    let mut inbox = Vec::with_capacity(READ_BYTES);
    let alarm = sleep_until(Instant::now().into());
    tokio::pin!(alarm);
    loop {
        {
            let Some(pool) = pool.upgrade() else { return End::Dismissed };
            let mut crew = pool.crew();
            crew.tick(worker);
            match crew.chore(worker, pool.settings.idle, WATCH) {
                Chore::Kill => return End::Overdue,
                Chore::Dismiss => return End::Dismissed,
                Chore::Wait(until) => {
                    let until = until.into();
                    if alarm.is_elapsed() || until < alarm.deadline() {
                        alarm.as_mut().reset(until);
                    }
                }
            }
        }
        inbox.reserve(READ_BYTES);
        tokio::select! {
            received = link.receive(&mut inbox) => match received {
                Ok(0) | Err(_) => return End::Gone,
                Ok(_) => match hear(pool, worker, &mut inbox) {
                    Ok(()) => {}
                    Err(Misbehaved) => return End::Misbehaved,
                },
            },
            sent = link.send_more(), if link.has_unsent() => if sent.is_err() {
                return End::Gone;
            },
            () = link.woken() => {}
            () = &mut alarm => {}
        }
    }
}

/// Takes in every frame that is complete, and starts what can run now.
fn hear(pool: &Weak<Inner>, worker: u64, inbox: &mut Vec<u8>) -> Result<(), Misbehaved> {
    let Some(pool) = pool.upgrade() else { return Ok(()) };
    let mut read = 0;
    while let Some((said, bytes)) = frame::read(&inbox[read..]).map_err(|_| Misbehaved)? {
        read += bytes;
        let mut crew = pool.crew();
        let paused = matches!(said, frame::FromWorker::Paused { .. });
        crew.hear(worker, said, bytes)?;
        if paused {
            if !crew.has_ticked(worker) {
                crew.tick(worker);
            }
            pool.catch_up(&mut crew);
        }
    }
    inbox.drain(..read);
    Ok(())
}
