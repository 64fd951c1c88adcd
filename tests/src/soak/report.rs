//! What became of the phases, as a table.

use std::fmt::Write;

use sensor_facts::words;

use super::{account::Account, memory::Memory};

const MEGABYTE: u64 = 1 << 20;
/// What the daemon may hold more at rest after the last round than after the one before, in per cent.
const GROWTH: u64 = 5;

/// What became of a phase.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// The phase's name.
    pub name: &'static str,
    /// Which round, from 1 on.
    pub round: u32,
    /// How long it took, without what settled afterwards.
    pub seconds: u64,
    /// Frames that came in by both interfaces.
    pub frames: u64,
    /// Messages and images of the hospital that were done.
    pub care: [u64; 2],
    /// Messages and images of these that the daemon saw.
    pub care_seen: [u64; 2],
    /// Events that the daemon received of the ring buffer.
    pub received: u64,
    /// Events that the ring buffer did not take.
    pub lost: u64,
    /// Events that outputs dropped, of those that dropped any.
    pub dropped: Vec<(String, u64)>,
    /// Observations that did not get to the detectors.
    pub unobserved: u64,
    /// Flows that made room for others, unreported.
    pub evicted: u64,
    /// At the end of the phase.
    pub memory: Memory,
    /// What was done.
    pub note: String,
    /// What does not hold.
    pub wrong: Vec<String>,
}

impl Row {
    pub(super) fn between(&mut self, before: &Account, after: &Account) {
        let work = after.since(before);
        let frames = |account: &Account| account.mirror.counted + account.span.counted;
        self.frames = frames(after) - frames(before);
        self.care = work.care;
        self.care_seen = work.care_seen;
        self.received = after.ring[1] - before.ring[1];
        self.lost = after.ring[2] - before.ring[2];
        for (name, output) in &after.outputs {
            let then = before.outputs.get(name).map_or(0, |one| one.dropped);
            if output.dropped > then {
                self.dropped.push((name.clone(), output.dropped - then));
            }
        }
        self.unobserved = after.unobserved - before.unobserved;
        self.evicted = after.flows_evicted - before.flows_evicted;
    }

    /// A line for who waits.
    #[must_use]
    pub fn words(&self) -> String {
        format!(
            "  {}; {} frames, {} events received, {} lost, {} dropped by outputs, {} not analysed; \
             hospital {:?} done, {:?} seen; {} MB; {}",
            self.note,
            self.frames,
            self.received,
            self.lost,
            self.drops(),
            self.unobserved,
            self.care,
            self.care_seen,
            self.memory.peak_rss / MEGABYTE,
            self.verdict()
        )
    }

    fn drops(&self) -> String {
        if self.dropped.is_empty() {
            return "0".to_owned();
        }
        let each = self.dropped.iter();
        each.map(|(name, count)| format!("{} ({name})", words::count(*count)))
            .collect::<Vec<_>>()
            .join(", ")
    }

    fn verdict(&self) -> String {
        if self.wrong.is_empty() {
            "ok".to_owned()
        } else {
            // In one cell of a table.
            let wrong = self.wrong.join("; ");
            let words: Vec<_> = wrong.split_whitespace().collect();
            format!("FAILED: {}", words.join(" ").replace('|', "/"))
        }
    }
}

/// What became of a run.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The phases, in their order.
    pub rows: Vec<Row>,
    /// Memory at the end of each round.
    pub resting: Vec<Memory>,
    /// Before the last round there were as many devices as are kept, so that nothing has a reason to grow any more.
    pub full: bool,
    /// What the daemon was allowed, bytes.
    pub limit: u64,
    /// What was found after the end, or what was wrong then.
    pub end: Option<Result<String, String>>,
}

impl Report {
    /// What does not hold, a line each.
    #[must_use]
    pub fn wrong(&self) -> Vec<String> {
        let mut wrong: Vec<String> = self
            .rows
            .iter()
            .filter(|row| !row.wrong.is_empty())
            .map(|row| {
                format!(
                    "{} (round {}): {}",
                    row.name,
                    row.round,
                    row.wrong.join("; ")
                )
            })
            .collect();
        if let [.., before, last] = self.resting[..]
            && self.full
            && last.rss > before.rss + before.rss * GROWTH / 100
        {
            wrong.push(format!(
                "memory grows: {} MB before the last round, {} MB after it",
                before.rss / MEGABYTE,
                last.rss / MEGABYTE
            ));
        }
        match &self.end {
            Some(Ok(_)) => {}
            Some(Err(error)) => wrong.push(format!("at the end: {error}")),
            None => wrong.push("it did not come to its end".to_owned()),
        }
        wrong
    }

    /// Rows and what is said below them, in Markdown.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text = String::from(
            "| phase | s | frames | events received | lost in the ring | dropped by outputs | not analysed | messages done, seen | images done, seen | peak MB | |\n\
             | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
        );
        for row in &self.rows {
            let [messages, images] = row.care;
            let [messages_seen, images_seen] = row.care_seen;
            // Writing to a string can't fail.
            let _ = writeln!(
                text,
                "| {} {} | {} | {} | {} | {} | {} | {} | {messages}, {messages_seen} | {images}, {images_seen} | {} | {} |",
                row.name,
                row.round,
                row.seconds,
                words::count(row.frames),
                words::count(row.received),
                words::count(row.lost),
                row.drops(),
                words::count(row.unobserved),
                row.memory.peak_rss / MEGABYTE,
                row.verdict(),
            );
        }
        text.push_str("\nWhat was done:\n\n");
        for row in &self.rows {
            let _ = writeln!(text, "- {} {}: {}", row.name, row.round, row.note);
        }
        text.push('\n');
        for (round, memory) in (1..).zip(&self.resting) {
            let _ = writeln!(
                text,
                "- At rest after round {round}: {} MB in the process, {} MB with the kernel's maps, of {} MB allowed.",
                memory.rss / MEGABYTE,
                memory.held / MEGABYTE,
                self.limit / MEGABYTE
            );
        }
        let end = match &self.end {
            Some(Ok(said) | Err(said)) => said.as_str(),
            None => "it did not come to its end",
        };
        let _ = writeln!(text, "- At the end: {end}.");
        text
    }
}
