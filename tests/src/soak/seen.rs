//! What the daemon's events say of the hospital: a reader that follows the file over its rotations.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use anyhow::{Result, anyhow, bail, ensure};
use serde_json::Value;

/// Between two looks at the end of the file.
const PAUSE: Duration = Duration::from_millis(50);
/// In every address of the hospital, and of nobody else.
const HOSPITAL: &str = "\"10.77.1.";

/// What was read so far.
#[derive(Debug, Default)]
struct Counts {
    lines: AtomicU64,
    messages: AtomicU64,
    images: AtomicU64,
    stop: AtomicBool,
}

/// The reader, on a thread of its own.
#[derive(Debug)]
pub(super) struct Seen {
    counts: Arc<Counts>,
    thread: JoinHandle<Result<()>>,
}

impl Seen {
    /// Follows the file at `path`.
    pub(super) fn follow(path: &Path) -> Self {
        let counts = Arc::new(Counts::default());
        let (path, shared) = (path.to_owned(), Arc::clone(&counts));
        Self {
            counts,
            thread: thread::spawn(move || read(&path, &shared)),
        }
    }

    /// Messages and images of the hospital in the events so far.
    pub(super) fn done(&self) -> (u64, u64) {
        let of = |count: &AtomicU64| count.load(Ordering::SeqCst);
        (of(&self.counts.messages), of(&self.counts.images))
    }

    /// Lines of events that were read so far.
    pub(super) fn lines(&self) -> u64 {
        self.counts.lines.load(Ordering::SeqCst)
    }

    /// Reads to the end; how many lines there were.
    ///
    /// # Errors
    /// When one is no JSON object, or half of one.
    pub(super) fn finish(self) -> Result<u64> {
        self.counts.stop.store(true, Ordering::SeqCst);
        self.thread
            .join()
            .map_err(|_| anyhow!("the reader of events panicked"))??;
        Ok(self.counts.lines.load(Ordering::SeqCst))
    }

    /// An error that the reader ended with.
    pub(super) fn alive(&self) -> bool {
        !self.thread.is_finished()
    }
}

fn read(path: &Path, counts: &Counts) -> Result<()> {
    let mut file = open(path)?;
    let mut line = Vec::new();
    loop {
        // Asked before the end is looked for: what was written by then is read.
        let last = counts.stop.load(Ordering::SeqCst);
        let moved = inode(path)? != file.get_ref().metadata()?.ino();
        while file.read_until(b'\n', &mut line)? > 0 {
            if line.last() == Some(&b'\n') {
                take(&line, counts)?;
                line.clear();
            }
        }
        if moved {
            ensure!(line.is_empty(), "half a line at a rotated file's end");
            file = next(path, file.get_ref().metadata()?.ino())?;
        } else if last {
            ensure!(line.is_empty(), "half a line at the end");
            return Ok(());
        } else {
            thread::sleep(PAUSE);
        }
    }
}

fn open(path: &Path) -> Result<BufReader<File>> {
    Ok(BufReader::with_capacity(1 << 18, File::open(path)?))
}

/// None in the moment between two steps of a rotation.
fn inode(path: &Path) -> Result<u64> {
    for _ in 0..100 {
        if let Ok(metadata) = fs::metadata(path) {
            return Ok(metadata.ino());
        }
        thread::sleep(Duration::from_millis(5));
    }
    bail!("{} is gone", path.display())
}

/// The file that came after the one with this inode.
fn next(path: &Path, old: u64) -> Result<BufReader<File>> {
    let numbered = |number: u32| -> PathBuf {
        let mut name = path.as_os_str().to_owned();
        if number > 0 {
            name.push(format!(".{number}"));
        }
        name.into()
    };
    // A rotation may happen meanwhile: what was opened is what is looked at.
    for _ in 0..100 {
        let found = (1..64).find(|number| {
            fs::metadata(numbered(*number)).is_ok_and(|metadata| metadata.ino() == old)
        });
        if let Some(number) = found
            && let Ok(file) = open(&numbered(number - 1))
            && fs::metadata(numbered(number)).is_ok_and(|metadata| metadata.ino() == old)
            && file.get_ref().metadata()?.ino() != old
        {
            return Ok(file);
        }
        thread::sleep(Duration::from_millis(5));
    }
    bail!("the file was rotated away before it was read: the reader is too slow")
}

fn take(line: &[u8], counts: &Counts) -> Result<()> {
    counts.lines.fetch_add(1, Ordering::SeqCst);
    ensure!(
        line.starts_with(b"{\"timestamp\":") && line.ends_with(b"}\n"),
        "no event: {}",
        String::from_utf8_lossy(line)
    );
    let line = std::str::from_utf8(line)?;
    let kind = |name: &str| line.contains(&format!("\"event_type\":\"{name}\""));
    // Most are of floods.
    if !line.contains(HOSPITAL) || !(kind("hl7") || kind("dicom")) {
        return Ok(());
    }
    let event: Value = serde_json::from_str(line)?;
    let (hl7, dicom) = (&event["hl7"], &event["dicom"]);
    if hl7["type"] == "message" && hl7["ack_code"].is_null() && hl7["complete"] == true {
        counts.messages.fetch_add(1, Ordering::SeqCst);
    }
    if dicom["type"] == "closed" && dicom["outcome"] == "released" {
        let commands = dicom["commands"].as_array().into_iter().flatten();
        let stored = commands
            .filter(|command| command["command"] == "C-STORE")
            .filter_map(|command| command["responses"]["success"].as_u64());
        counts.images.fetch_add(stored.sum(), Ordering::SeqCst);
    }
    Ok(())
}
