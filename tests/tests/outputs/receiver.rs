//! A syslog receiver that takes nothing but what RFC 5424 and RFC 6587 (octet counting) allow.

use std::{
    io::{BufRead, BufReader, Read},
    net::{TcpListener, TcpStream},
    os::fd::AsFd,
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// A message as it was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) priority: u8,
    pub(crate) host: String,
    pub(crate) kind: String,
    pub(crate) sequence: u64,
    pub(crate) content: String,
}

/// The messages of one connection, until its end.
pub(crate) struct Connection(BufReader<TcpStream>);

impl Connection {
    /// The next connection.
    pub(crate) fn accept(listener: &TcpListener) -> Result<Self> {
        let mut waiting = [PollFd::new(listener.as_fd(), PollFlags::POLLIN)];
        let ready = poll(&mut waiting, PollTimeout::try_from(super::LIMIT)?)?;
        ensure!(ready > 0, "no connection came: is there a `localhost`?");
        let (stream, _) = listener.accept()?;
        stream.set_read_timeout(Some(super::LIMIT))?;
        Ok(Self(BufReader::new(stream)))
    }

    /// Waits until there is more than was read.
    pub(crate) fn wait_for_more(&self) -> Result<()> {
        ensure!(self.0.get_ref().peek(&mut [0])? > 0, "the end");
        Ok(())
    }

    /// The next message; none at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Message>> {
        let mut length = Vec::new();
        self.0.read_until(b' ', &mut length)?;
        if length.is_empty() {
            return Ok(None);
        }
        let digits = length
            .strip_suffix(b" ")
            .context("no space after the length")?;
        ensure!(
            digits
                .first()
                .is_some_and(|first| (b'1'..=b'9').contains(first))
                && digits.iter().all(u8::is_ascii_digit),
            "no length: {length:?}"
        );
        let mut message = vec![0; std::str::from_utf8(digits)?.parse()?];
        self.0.read_exact(&mut message)?;
        parse(&String::from_utf8(message)?).map(Some)
    }
}

/// Reads all messages of all connections to the listener, one after another, on a thread of its own.
pub(crate) fn read_all(listener: TcpListener) -> Receiver<Message> {
    let (sender, messages) = channel();
    thread::spawn(move || -> Result<()> {
        loop {
            let mut connection = Connection::accept(&listener)?;
            while let Ok(Some(message)) = connection.next() {
                sender.send(message)?;
            }
        }
    });
    messages
}

/// The next so many messages.
pub(crate) fn take(messages: &Receiver<Message>, count: usize) -> Result<Vec<Message>> {
    (0..count)
        .map(|number| {
            let message = messages.recv_timeout(super::LIMIT);
            message.with_context(|| format!("{number} of {count} messages"))
        })
        .collect()
}

/// True if nothing more comes for a moment, in which it would.
pub(crate) fn is_quiet(messages: &Receiver<Message>) -> bool {
    messages.recv_timeout(Duration::from_millis(300)).is_err()
}

/// A message by the grammar of RFC 5424, section 6.
pub(crate) fn parse(text: &str) -> Result<Message> {
    let rest = text.strip_prefix('<').context("no PRI")?;
    let (priority, rest) = rest.split_once('>').context("no PRI")?;
    let number: u8 = priority.parse()?;
    ensure!(
        number <= 191 && number.to_string() == priority,
        "PRI {priority}"
    );
    let rest = rest.strip_prefix("1 ").context("no version 1")?;
    let mut fields = rest.splitn(6, ' ');
    let mut field = |longest: usize| -> Result<&str> {
        let field = fields.next().context("too few fields")?;
        ensure!(
            (1..=longest).contains(&field.len())
                && field.chars().all(|char| char.is_ascii_graphic()),
            "{field:?}"
        );
        Ok(field)
    };
    let time = field(32)?;
    let (host, app, process, kind) = (field(255)?, field(48)?, field(128)?, field(32)?);
    let shape: String = time
        .chars()
        .map(|char| if char.is_ascii_digit() { '0' } else { char })
        .collect();
    ensure!(shape == "0000-00-00T00:00:00.000000Z", "{time}");
    ensure!(
        app == "wardtap" && process.parse::<u32>().is_ok(),
        "{app} {process}"
    );
    let (data, content) = structured(fields.next().context("no structured data")?)?;
    let sequence = data
        .iter()
        .find_map(|(name, value)| (name == "meta sequenceId").then(|| value.parse()))
        .context("no sequence id")??;
    let content = if let Some(text) = content.strip_prefix('\u{feff}') {
        text
    } else {
        ensure!(content.is_ascii(), "text without its mark: {content}");
        content
    };
    ensure!(!content.contains('\u{feff}'), "a mark in the text");
    Ok(Message {
        priority: number,
        host: host.to_owned(),
        kind: kind.to_owned(),
        sequence,
        content: content.to_owned(),
    })
}

/// Element and parameter names with their values, and what comes after.
fn structured(text: &str) -> Result<(Vec<(String, String)>, &str)> {
    let mut all = Vec::new();
    let mut rest = text;
    while let Some(element) = rest.strip_prefix('[') {
        let (id, mut inside) = element
            .split_once(' ')
            .context("an element without parameters")?;
        ensure!(
            ["meta", "origin"].contains(&id),
            "no element that IANA knows: {id}"
        );
        loop {
            let (name, value) = inside.split_once("=\"").context("no parameter")?;
            let end = value.find('"').context("no end of a value")?;
            ensure!(
                !value[..end].contains(['\\', ']']),
                "an escape was not expected"
            );
            all.push((format!("{id} {name}"), value[..end].to_owned()));
            match value[end + 1..].chars().next() {
                Some(' ') => inside = &value[end + 2..],
                Some(']') => {
                    rest = &value[end + 2..];
                    break;
                }
                other => bail!("{other:?} after a parameter"),
            }
        }
    }
    Ok((all, rest.strip_prefix(' ').context("no message")?))
}
