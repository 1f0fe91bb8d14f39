//! Ctrl-C and SIGTERM while a batch runs: the first ends it between two lines, the second at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit::{ExitCode, Failure};

/// Whether somebody wants the batch to end.
pub(super) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens from now on.
    pub(super) fn watch() -> Result<Self, Failure> {
        let failed = |error| Failure::new(ExitCode::Internal, "internal", format!("cannot listen to signals: {error}"));
        let runtime = Builder::new_current_thread().enable_io().build().map_err(failed)?;
        let listening = {
            let _inside = runtime.enter();
            (signal(SignalKind::interrupt()).map_err(failed)?, signal(SignalKind::terminate()).map_err(failed)?)
        };
        let came = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&came);
        thread::spawn(move || {
            runtime.block_on(async move {
                let (mut interrupt, mut terminate) = listening;
                either(&mut interrupt, &mut terminate).await;
                told.store(true, Ordering::Relaxed);
                either(&mut interrupt, &mut terminate).await;
                std::process::exit(ExitCode::Interrupted as i32);
            });
        });
        Ok(Self(came))
    }

    pub(super) fn came(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

async fn either(interrupt: &mut Signal, terminate: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
