//! `wardtap top`: the daemon, live in a terminal.
//!
//! Three threads feed one loop: keys, the daemon's answers ([`link`]) and signals. The state ([`app`]) makes of them what
//! is to be shown and asked, [`view`] draws it. The loop waits for nobody, so keys work while the daemon is slow or gone.

mod app;
mod dialog;
mod link;
mod list;
mod rates;
mod view;

#[cfg(test)]
mod tests;

use std::{
    env,
    io::{self, IsTerminal},
    path::Path,
    process::ExitCode,
    sync::mpsc::{self, Sender},
    thread,
};

use anyhow::{Context, bail};
use nix::sys::signal::{SigSet, Signal};
use ratatui::{
    DefaultTerminal,
    crossterm::event::{self, Event},
};

use app::App;
use link::News;
use view::Look;

use super::table::has_colour;

/// What the loop is told.
enum Input {
    Terminal(Event),
    Daemon(News),
    Signal(Signal),
    /// A thread has ended that has to go on, and why.
    Lost(String),
}

/// Says so when its thread ends, however that comes.
struct Thread {
    name: &'static str,
    tell: Sender<Input>,
    why: String,
}

impl Drop for Thread {
    fn drop(&mut self) {
        // Nobody listens if the program is at its end.
        let _ = self
            .tell
            .send(Input::Lost(format!("{}: {}", self.name, self.why)));
    }
}

/// The terminal, given back when dropped: a panic does that too.
struct Screen(DefaultTerminal);

impl Drop for Screen {
    fn drop(&mut self) {
        // Where the terminal is gone there is nothing to be given back.
        let _ = self.0.show_cursor();
        let _ = ratatui::try_restore();
    }
}

pub(super) fn run(socket: &Path) -> anyhow::Result<ExitCode> {
    let dumb = env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
    if dumb || !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        bail!(
            "top needs a terminal that can move its cursor (TERM) on standard input and output; `wardtap status` and the \
             lists print once, with --json for programs"
        );
    }
    let (tell, inputs) = mpsc::channel();
    signals(&tell)?;
    let (ask, asks) = mpsc::channel();
    let (at, news) = (socket.to_owned(), tell.clone());
    spawn("the daemon", &tell, move |thread| {
        link::run(&at, &asks, |seen| news.send(Input::Daemon(seen)).is_ok());
        "asking it has ended".clone_into(&mut thread.why);
    })?;
    let look = Look {
        colour: has_colour(&io::stdout()),
    };
    let terminal = ratatui::try_init().inspect_err(|_| {
        // Half of it may be done.
        let _ = ratatui::try_restore();
    });
    let mut screen = Screen(terminal.context("can't take over the terminal")?);
    let events = tell.clone();
    spawn("the keys", &tell, move |thread| {
        loop {
            match event::read() {
                Ok(event) => {
                    if events.send(Input::Terminal(event)).is_err() {
                        return;
                    }
                }
                Err(error) => {
                    thread.why = error.to_string();
                    return;
                }
            }
        }
    })?;
    let mut app = App::new();
    while !app.ended {
        screen
            .0
            .draw(|frame| view::draw(frame, &mut app, look))
            .context("can't write to the terminal")?;
        match inputs.recv().context("nothing comes any more")? {
            Input::Terminal(Event::Key(key)) => {
                if let Some(wanted) = app.key(key) {
                    // If nobody takes it, that is told as the end of the thread.
                    let _ = ask.send(wanted);
                }
            }
            // Drawn anew, at its new size.
            Input::Terminal(_) => {}
            Input::Daemon(news) => app.news(news),
            // As a shell says it of who was ended by a signal.
            Input::Signal(signal) => return Ok(ExitCode::from(128 + signal as u8)),
            Input::Lost(what) => bail!("a part of the live view has ended; {what}"),
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Has the signals that end programs come as input, so that the terminal is given back first. All threads that are
/// started later leave them to this one.
fn signals(tell: &Sender<Input>) -> anyhow::Result<()> {
    let ends = SigSet::from_iter([Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP]);
    ends.thread_block().context("can't wait for signals")?;
    spawn("signals", tell, move |thread| match ends.wait() {
        Ok(signal) => {
            let _ = thread.tell.send(Input::Signal(signal));
        }
        Err(error) => thread.why = error.to_string(),
    })
}

fn spawn(
    name: &'static str,
    tell: &Sender<Input>,
    body: impl FnOnce(&mut Thread) + Send + 'static,
) -> anyhow::Result<()> {
    let mut thread = Thread {
        name,
        tell: tell.clone(),
        why: "an error of the program".to_owned(),
    };
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || body(&mut thread))
        .with_context(|| format!("can't start a thread for {name}"))?;
    Ok(())
}
