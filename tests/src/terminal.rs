//! A terminal that a test types into and reads: a pane of tmux, on a server of its own.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, ensure};

use crate::{netns::run, wait::wait_for};

/// How long what is waited for may take.
const LIMIT: Duration = Duration::from_secs(15);
/// What the shell in it says when it waits for a command.
const PROMPT: &str = "ready>";

/// See the module's description. Closed when dropped.
#[derive(Debug)]
pub struct Terminal {
    socket: PathBuf,
}

impl Terminal {
    /// Opens one of 80 by 24 with a shell in it; `folder` takes its files.
    ///
    /// # Errors
    /// When tmux does not start.
    pub fn open(folder: &Path) -> Result<Self> {
        // Eight colours, as the plainest terminals that one meets over ssh.
        let options = "set -g default-terminal screen\nset -g status off\nset -g escape-time 0\n";
        let (configuration, socket) = (folder.join("tmux.conf"), folder.join("tmux.sock"));
        fs::write(&configuration, options)?;
        let terminal = Self { socket };
        let mut command = terminal.tmux();
        command
            .arg("-f")
            .arg(&configuration)
            .args(["new-session", "-d", "-x", "80", "-y", "24", "sh"])
            .current_dir(folder)
            .env("LC_ALL", "C.UTF-8")
            .env_remove("NO_COLOR")
            .env_remove("TMUX");
        run(&mut command)?;
        // Written so that what is typed is not taken for the prompt; shells differ in taking it from the environment.
        terminal.type_in("PS1=ready\\>; clear")?;
        terminal.press(&["Enter"])?;
        terminal.shows("the shell", &[PROMPT])?;
        Ok(terminal)
    }

    fn tmux(&self) -> Command {
        let mut command = Command::new("tmux");
        command.arg("-u").arg("-S").arg(&self.socket);
        command
    }

    /// Presses keys, by tmux's names of them: `Enter`, `Escape`, `C-c`, or a letter.
    ///
    /// # Errors
    /// When tmux is gone.
    pub fn press(&self, keys: &[&str]) -> Result<()> {
        run(self.tmux().arg("send-keys").args(keys))?;
        Ok(())
    }

    /// Types a text.
    ///
    /// # Errors
    /// When tmux is gone.
    pub fn type_in(&self, text: &str) -> Result<()> {
        run(self.tmux().args(["send-keys", "-l", text]))?;
        Ok(())
    }

    /// What is on the screen.
    ///
    /// # Errors
    /// When tmux is gone.
    pub fn screen(&self) -> Result<String> {
        run(self.tmux().args(["capture-pane", "-p"]))
    }

    /// The same with the escape sequences that colour it.
    ///
    /// # Errors
    /// When tmux is gone.
    pub fn coloured(&self) -> Result<String> {
        run(self.tmux().args(["capture-pane", "-p", "-e"]))
    }

    /// What tmux knows of the pane, such as `alternate_on` and `cursor_flag`.
    ///
    /// # Errors
    /// When tmux is gone.
    pub fn state(&self, name: &str) -> Result<String> {
        let format = format!("#{{{name}}}");
        let text = run(self.tmux().args(["display-message", "-p", &format]))?;
        Ok(text.trim().to_owned())
    }

    /// Waits until all these texts are on the screen; the screen then.
    ///
    /// # Errors
    /// When they don't come, with what was there instead.
    pub fn shows(&self, what: &str, parts: &[&str]) -> Result<String> {
        self.comes_to(what, |screen| {
            parts.iter().all(|part| screen.contains(part))
        })
        .with_context(|| format!("one of {parts:?} is missing"))
    }

    /// Waits until `condition` holds of the screen; the screen then.
    ///
    /// # Errors
    /// When it never does, with what was there instead.
    pub fn comes_to(&self, what: &str, condition: impl Fn(&str) -> bool) -> Result<String> {
        let mut last = String::new();
        wait_for(what, LIMIT, || {
            last = self.screen().ok()?;
            condition(&last).then(|| last.clone())
        })
        .with_context(|| format!("the screen was\n{last}"))
    }

    /// Has the shell run a command line, in the foreground.
    ///
    /// # Errors
    /// When tmux is gone.
    pub fn start(&self, line: &str) -> Result<()> {
        // On a screen of its own, so that nothing of an earlier command is taken for its.
        self.type_in(&format!("clear; {line}"))?;
        self.press(&["Enter"])
    }

    /// Waits for the prompt after a command that prints `ended CODE` at its end; checks that the terminal is as a shell
    /// needs it: no second screen, a cursor, lines and echo.
    ///
    /// # Errors
    /// When it is not, or another code came.
    pub fn given_back(&self, code: i32) -> Result<()> {
        let screen = self.shows("the shell again", &[&format!("ended {code}\n"), PROMPT])?;
        ensure!(
            self.state("alternate_on")? == "0",
            "on the second screen\n{screen}"
        );
        ensure!(
            self.state("cursor_flag")? == "1",
            "without a cursor\n{screen}"
        );
        self.start("stty -a | tr ';' '\\n'")?;
        let modes = self.shows("its modes", &["iutf8", PROMPT])?;
        let modes: Vec<&str> = modes.split_whitespace().collect();
        for mode in ["icanon", "echo", "isig", "icrnl", "opost"] {
            ensure!(modes.contains(&mode), "{mode} is off: {modes:?}");
        }
        Ok(())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Its own server: nobody else's.
        let _ = self.tmux().arg("kill-server").output();
    }
}
