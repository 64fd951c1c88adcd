//! A TCP connection through the sensor in which client and server say lines in turn.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    thread,
};

use anyhow::{Result, anyhow};
use tests::passage::Passage;

use crate::LIMIT;

/// What one of them says next.
#[derive(Clone)]
pub(crate) enum Line {
    /// The host on the left.
    Client(Vec<u8>),
    /// The host on the right.
    Server(Vec<u8>),
}

/// Leads a conversation from 10.9.0.1 to `port` of 10.9.0.2.
///
/// # Errors
/// When a line does not come whole, in [`LIMIT`] each.
pub(crate) fn converse(passage: &Passage, port: u16, lines: &[Line]) -> Result<()> {
    let listener = passage
        .right
        .within(move || Ok(TcpListener::bind(("10.9.0.2", port))?))?;
    let heard = lines.to_vec();
    let server = thread::spawn(move || say(&listener.accept()?.0, &heard, false));
    let client = passage.left.within(move || {
        Ok(TcpStream::connect_timeout(
            &([10, 9, 0, 2], port).into(),
            LIMIT,
        )?)
    })?;
    say(&client, lines, true)?;
    drop(client);
    server.join().map_err(|_| anyhow!("the server panicked"))?
}

fn say(mut stream: &TcpStream, lines: &[Line], is_client: bool) -> Result<()> {
    stream.set_read_timeout(Some(LIMIT))?;
    for line in lines {
        let (bytes, mine) = match line {
            Line::Client(bytes) => (bytes, is_client),
            Line::Server(bytes) => (bytes, !is_client),
        };
        if mine {
            stream.write_all(bytes)?;
        } else {
            stream.read_exact(&mut vec![0; bytes.len()])?;
        }
    }
    Ok(())
}
