//! Frames that belong together, with their times.

/// Nanoseconds of a second.
pub const SECOND: u64 = 1_000_000_000;
/// Of a millisecond.
pub const MILLI: u64 = 1_000_000;
/// Of a microsecond.
pub const MICRO: u64 = 1_000;
/// Of a minute.
pub const MINUTE: u64 = 60 * SECOND;
/// Of an hour.
pub const HOUR: u64 = 60 * MINUTE;
/// Of a day.
pub const DAY: u64 = 24 * HOUR;

/// Frames in the order of their times, handed out one after another.
#[derive(Debug, Default)]
pub struct Burst {
    bytes: Vec<u8>,
    /// Time of each, and where it ends in `bytes`.
    frames: Vec<(u64, u32)>,
    next: usize,
    begin: u32,
    /// When the next frame is sent, nanoseconds since 1970.
    pub now: u64,
    noise: u64,
}

impl Burst {
    /// Empty, from `now` on; `noise` makes the small differences of its times.
    #[must_use]
    pub fn new(now: u64, noise: u64) -> Self {
        Self {
            now,
            noise: noise | 1,
            ..Self::default()
        }
    }

    /// A small number below `end`, for times only: xorshift (Marsaglia 2003).
    pub fn noise(&mut self, end: u64) -> u64 {
        self.noise ^= self.noise << 13;
        self.noise ^= self.noise >> 7;
        self.noise ^= self.noise << 17;
        if end == 0 { 0 } else { self.noise % end }
    }

    /// Lets time pass, up to a quarter more than `nanos`.
    pub fn wait(&mut self, nanos: u64) {
        self.now += nanos + self.noise(nanos / 4);
    }

    /// Adds a frame at its time.
    ///
    /// # Panics
    /// If a burst grows to 4 GiB.
    pub fn frame(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.bytes);
        let end = u32::try_from(self.bytes.len()).expect("a burst has less than 4 GiB");
        self.frames.push((self.now, end));
    }

    /// Time of the next frame.
    #[must_use]
    pub fn due(&self) -> Option<u64> {
        self.frames.get(self.next).map(|frame| frame.0)
    }

    /// Takes the next frame.
    pub fn take(&mut self) -> Option<(u64, &[u8])> {
        let (time, end) = *self.frames.get(self.next)?;
        let begin = std::mem::replace(&mut self.begin, end);
        self.next += 1;
        Some((time, &self.bytes[begin as usize..end as usize]))
    }

    /// How many frames it has, those taken included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// True without a frame.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }
}
