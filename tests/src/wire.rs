//! Sending frames into an interface of a namespace, as they are.

use std::{fs::File, thread};

use anyhow::{Context, Result, anyhow, bail};
use nix::sched::{CloneFlags, setns};
use pnet::datalink::{self, Channel, DataLinkSender};

use crate::netns::Namespace;

/// A sender of Ethernet frames.
pub struct Wire {
    sender: Box<dyn DataLinkSender>,
}

impl Wire {
    /// Opens `interface` of a namespace.
    ///
    /// # Errors
    /// When it does not exist, or without `CAP_NET_RAW`.
    pub fn open(namespace: &Namespace, interface: &str) -> Result<Self> {
        let name = interface.to_owned();
        let sender = namespace.within(move || {
            let interface = datalink::interfaces()
                .into_iter()
                .find(|found| found.name == name)
                .with_context(|| format!("no interface {name}"))?;
            match datalink::channel(&interface, datalink::Config::default())? {
                Channel::Ethernet(sender, _) => Ok(sender),
                _ => bail!("{name} is no Ethernet interface"),
            }
        })?;
        Ok(Self { sender })
    }

    /// Sends a frame.
    ///
    /// # Errors
    /// When the kernel refuses it.
    pub fn send(&mut self, frame: &[u8]) -> Result<()> {
        self.sender
            .send_to(frame, None)
            .context("the frame is too long")?
            .context("sending")
    }
}

impl Namespace {
    /// Does something in the namespace, on a thread of its own. What it opens stays there.
    ///
    /// # Errors
    /// As `what`, or when the namespace can't be entered.
    pub fn within<T: Send + 'static>(
        &self,
        what: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let path = format!("/run/netns/{}", self.name());
        let namespace = File::open(&path).context(path)?;
        thread::spawn(move || {
            setns(namespace, CloneFlags::CLONE_NEWNET)?;
            what()
        })
        .join()
        .map_err(|_| anyhow!("the thread in the namespace panicked"))?
    }
}
