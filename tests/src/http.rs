//! Asking a server in a namespace over HTTP.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use anyhow::{Context, Result, ensure};

use crate::netns::Namespace;

/// How long an answer may take.
const LIMIT: Duration = Duration::from_secs(30);

/// What the server at `port` of the namespace's loopback address answers to a request for `path`, without the head.
///
/// # Errors
/// When it answers with an error, or not.
pub fn get(namespace: &Namespace, port: u16, path: &str) -> Result<String> {
    // Before 1.1 there are no chunks.
    let request = format!("GET {path} HTTP/1.0\r\nHost: sensor\r\n\r\n");
    namespace.within(move || {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(LIMIT))?;
        stream.write_all(request.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").context("no HTTP answer")?;
        ensure!(head.split(' ').nth(1) == Some("200"), "{head}");
        Ok(body.to_owned())
    })
}
