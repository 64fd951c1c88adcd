//! The choices that make an exchange, so that any generator can be replayed and shrunk.
//!
//! A generator asks for numbers. What it was given is recorded; the same numbers make the same exchange, and smaller
//! ones a simpler exchange, since 0 always means the plainest thing.

/// A source of choices.
#[derive(Clone, Debug)]
pub(crate) struct Choices {
    given: Option<Vec<u32>>,
    taken: Vec<u32>,
    state: u64,
}

impl Choices {
    /// Choices by chance, the same for the same seed.
    pub(crate) fn random(seed: u64) -> Self {
        Self {
            given: None,
            taken: Vec::new(),
            state: seed,
        }
    }

    /// These choices, then the plainest.
    pub(crate) fn given(choices: Vec<u32>) -> Self {
        Self {
            given: Some(choices),
            taken: Vec::new(),
            state: 0,
        }
    }

    /// What was chosen so far.
    pub(crate) fn taken(self) -> Vec<u32> {
        self.taken
    }

    /// `SplitMix64` (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `below`; 0 if that is 0.
    pub(crate) fn pick(&mut self, below: usize) -> usize {
        let limit = u64::try_from(below).unwrap_or(u64::MAX).max(1);
        let value = match &self.given {
            Some(given) => {
                u64::from(given.get(self.taken.len()).copied().unwrap_or(0)).min(limit - 1)
            }
            None => self.next() % limit,
        };
        self.taken.push(u32::try_from(value).unwrap_or(u32::MAX));
        usize::try_from(value).unwrap_or(0)
    }

    /// True in so many of a hundred cases.
    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.pick(100) >= 100 - percent.min(100)
    }

    /// One of these; the first is the plainest.
    pub(crate) fn of<T: Clone>(&mut self, all: &[T]) -> T {
        let at = self.pick(all.len());
        all[at].clone()
    }

    /// Any byte.
    pub(crate) fn byte(&mut self) -> u8 {
        u8::try_from(self.pick(256)).unwrap_or(0)
    }
}

/// Simpler choices than these, most promising first.
pub(crate) fn simpler(choices: &[u32]) -> Vec<Vec<u32>> {
    let mut all = Vec::new();
    let length = choices.len();
    let mut size = length.next_power_of_two();
    while size > 0 {
        let mut at = 0;
        while at < length {
            let end = (at + size).min(length);
            if choices[at..end].iter().any(|one| *one != 0) {
                let mut less = choices.to_vec();
                less[at..end].fill(0);
                all.push(less);
            }
            at = end;
        }
        size /= 2;
    }
    for at in 0..length {
        if choices[at] > 1 {
            let mut less = choices.to_vec();
            less[at] /= 2;
            all.push(less);
        }
    }
    all
}
