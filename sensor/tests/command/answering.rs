//! A daemon that gives one answer.
#![allow(dead_code, reason = "each test uses what it needs")]

use std::{
    fs, io,
    io::{Read, Write},
    os::unix::net::{UnixListener, UnixStream},
    thread::{self, JoinHandle},
};

use serde_json::json;

use super::Folder;

/// A good answer with this body.
pub(crate) fn ok<T: serde::Serialize>(body: &T) -> String {
    let body = json!(body).to_string();
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Gives one answer at a socket, whatever is asked.
pub(crate) struct Answering {
    pub(crate) socket: String,
    thread: JoinHandle<io::Result<String>>,
}

impl Answering {
    pub(crate) fn start(folder: &Folder, answer: String) -> io::Result<Self> {
        let path = folder.path().join("control.sock");
        let _ = fs::remove_file(&path);
        let listener = UnixListener::bind(&path)?;
        let thread = thread::spawn(move || {
            let (mut stream, _) = listener.accept()?;
            let asked = request(&mut stream)?;
            stream.write_all(answer.as_bytes())?;
            Ok(asked)
        });
        Ok(Self {
            socket: path.display().to_string(),
            thread,
        })
    }

    /// What was asked.
    pub(crate) fn asked(self) -> io::Result<String> {
        self.thread.join().map_err(|_| io::ErrorKind::Other)?
    }
}

/// An answer that refuses.
pub(crate) fn refusal(status: &str, error: &str) -> String {
    let body = json!({ "error": error }).to_string();
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn request(stream: &mut UnixStream) -> io::Result<String> {
    let mut asked = Vec::new();
    let mut byte = [0];
    while !asked.ends_with(b"\r\n\r\n") && stream.read(&mut byte)? == 1 {
        asked.extend(byte);
    }
    Ok(String::from_utf8_lossy(&asked).into_owned())
}
