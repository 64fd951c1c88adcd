//! A program that runs in the background of a test.

use std::{
    fs::{self, File},
    io,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use nix::{
    sys::{
        prctl::set_pdeathsig,
        signal::{SigSet, Signal, kill},
    },
    unistd::Pid,
};

use crate::{soak::memory, wait::wait_for};

/// Has a command start with no signal blocked. Whoever waits for signals on a thread has blocked them, and
/// a child inherits that.
pub(crate) fn with_signals(command: &mut Command) -> &mut Command {
    let unblock = || SigSet::empty().thread_set_mask().map_err(io::Error::from);
    // SAFETY: between fork and exec only one system call is made.
    unsafe { command.pre_exec(unblock) }
}

/// A running program, whose output goes to a file. Stopped when dropped; it also dies with the thread
/// that started it, so that nothing outlives a test that is killed.
#[derive(Debug)]
pub struct Program {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Program {
    /// Starts `command`; its output goes to `NAME.log` in `logs`.
    ///
    /// # Errors
    /// When the file can't be made or the program can't be started.
    pub fn start(name: &str, mut command: Command, logs: &Path) -> Result<Self> {
        let log = logs.join(format!("{name}.log"));
        let file = File::create(&log).with_context(|| log.display().to_string())?;
        command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            // A Ctrl-C at the terminal is for whoever started the test, which then stops this in order.
            .process_group(0);
        with_signals(&mut command);
        // SAFETY: between fork and exec only one system call is made.
        unsafe { command.pre_exec(|| set_pdeathsig(Signal::SIGKILL).map_err(io::Error::from)) };
        let child = command
            .spawn()
            .with_context(|| format!("can't start {name}"))?;
        Ok(Self {
            name: name.to_owned(),
            child,
            log,
        })
    }

    /// What the program has written so far.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read(&self.log)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    /// The file that its output goes to.
    #[must_use]
    pub fn log_path(&self) -> &Path {
        &self.log
    }

    /// Its process id; that of what it turned itself into, where it is a launcher.
    ///
    /// # Errors
    /// When that is no id.
    pub fn id(&self) -> Result<Pid> {
        Ok(Pid::from_raw(i32::try_from(self.child.id())?))
    }

    /// What it has in memory, bytes: now, and at most since its start.
    ///
    /// # Errors
    /// When it has ended.
    pub fn memory(&self) -> Result<(u64, u64)> {
        memory::of_process(self.id()?.as_raw())
    }

    /// How the program ended, if it did.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Waits until `condition` gives something.
    ///
    /// # Errors
    /// When the time is over or the program ended, with the end of its log.
    pub fn wait_until<T>(
        &mut self,
        what: &str,
        limit: Duration,
        mut condition: impl FnMut(&str) -> Option<T>,
    ) -> Result<T> {
        let (child, log) = (&mut self.child, &self.log);
        let read = || fs::read_to_string(log).unwrap_or_default();
        let mut ended = None;
        let found = wait_for(what, limit, || {
            if let Some(found) = condition(&read()) {
                return Some(Some(found));
            }
            ended = child.try_wait().ok().flatten();
            ended.map(|_| None)
        });
        match found {
            Ok(Some(found)) => Ok(found),
            Ok(None) => bail!("{} ended ({ended:?}) before {what}:\n{}", self.name, read()),
            Err(error) => Err(error.context(format!("{}:\n{}", self.name, read()))),
        }
    }

    /// Kills the program without a warning, and waits for its end.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Sends `SIGTERM` and waits for the end, at most 10 seconds.
    ///
    /// # Errors
    /// When it does not end; it is killed then.
    pub fn stop(&mut self) -> Result<ExitStatus> {
        self.stop_within(Duration::from_secs(10))
    }

    /// The same with another limit: after a flood there is much to write.
    ///
    /// # Errors
    /// As [`Self::stop`].
    pub fn stop_within(&mut self, limit: Duration) -> Result<ExitStatus> {
        if let Some(status) = self.child.try_wait()? {
            return Ok(status);
        }
        // Its id can't be another's: it was not waited for.
        kill(self.id()?, Signal::SIGTERM)?;
        let ended = wait_for("its end", limit, || self.child.try_wait().ok().flatten());
        if ended.is_err() {
            self.child.kill()?;
            self.child.wait()?;
        }
        ended.with_context(|| format!("{} ignores SIGTERM", self.name))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            eprintln!("{error:#}");
        }
    }
}
