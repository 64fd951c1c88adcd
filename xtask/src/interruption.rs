//! Ending in order when a signal comes.

use std::{
    process::exit,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, channel},
    },
    thread,
    time::Duration,
};

use anyhow::{Result, bail};
use nix::sys::signal::{SigSet, Signal};

/// How long the main thread has to end by itself.
const GRACE: Duration = Duration::from_secs(15);
/// Exit code of a program that was interrupted, as shells have it.
pub(crate) const INTERRUPTED: i32 = 130;

/// Says whether a signal to end has come.
pub(crate) struct Interruption {
    signals: Receiver<()>,
    came: Arc<AtomicBool>,
}

impl Interruption {
    /// From now on `SIGINT`, `SIGTERM` and `SIGHUP` are a matter of [`Self::check`]. If the program has not
    /// ended in time, or on a second signal, `remove` takes away at once what it made, and that is its end.
    ///
    /// To be called before any other thread is started; child processes are not affected.
    pub(crate) fn watch(remove: impl Fn() -> Result<()> + Clone + Send + 'static) -> Result<Self> {
        let mut set = SigSet::empty();
        set.extend([Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP]);
        set.thread_block()?;
        let (sender, signals) = channel();
        let came = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&came);
        thread::spawn(move || {
            let next = || match set.wait() {
                Ok(signal) => eprintln!("\n{signal}: cleaning up"),
                Err(error) => eprintln!("waiting for signals: {error}"),
            };
            next();
            flag.store(true, Ordering::Relaxed);
            // If nobody listens any more, the main thread is at its end anyway.
            let _ = sender.send(());
            let later = remove.clone();
            thread::spawn(move || {
                thread::sleep(GRACE);
                tear_down(&later)
            });
            next();
            tear_down(&remove)
        });
        Ok(Self { signals, came })
    }

    /// True once a signal came.
    pub(crate) fn came(&self) -> bool {
        self.came.load(Ordering::Relaxed)
    }

    /// Goes on only without a signal.
    ///
    /// # Errors
    /// When one came.
    pub(crate) fn check(&self) -> Result<()> {
        if self.came() {
            bail!("interrupted");
        }
        Ok(())
    }

    /// Waits for a signal.
    pub(crate) fn wait(&self) {
        let _ = self.signals.recv();
    }
}

fn tear_down(remove: &dyn Fn() -> Result<()>) -> ! {
    if let Err(error) = remove() {
        eprintln!("{error:#}");
    }
    exit(INTERRUPTED)
}
