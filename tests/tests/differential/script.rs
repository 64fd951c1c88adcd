//! What a client does to a receiver: bytes in steps, how they are cut into segments, and how it ends.

use super::choices::Choices;

/// Payload of a segment at most, on Ethernet and with jumbo frames, bytes.
const SEGMENTS: [usize; 3] = [1_460, 8_960, 536];
/// Segments of a step at most.
const CUTS_MAX: usize = 48;

/// Bytes that the client sends before it waits.
#[derive(Clone, Debug, Default)]
pub(crate) struct Step {
    /// Payloads of the segments, in order.
    pub(crate) segments: Vec<Vec<u8>>,
    /// The client waits for an answer.
    pub(crate) wait: bool,
}

/// How the client ends the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// FIN, then it reads to the end.
    Finish,
    /// RST at once.
    Reset,
}

/// What a client does.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    /// In order.
    pub(crate) steps: Vec<Step>,
    /// At last.
    pub(crate) ending: Ending,
    /// What is odd in it, in words.
    pub(crate) odd: Vec<&'static str>,
}

/// The oddities of an exchange, chosen from a list.
#[derive(Clone, Debug)]
pub(crate) struct Odd(pub(crate) Vec<&'static str>);

impl Odd {
    /// None in a quarter of all cases, else up to three.
    pub(crate) fn choose(choices: &mut Choices, all: &[&'static str]) -> Self {
        let count = choices.of(&[0, 1, 1, 1, 2, 2, 3]);
        let mut chosen = Vec::new();
        for _ in 0..3 {
            // The plainest is none.
            let at = choices.pick(all.len() + 1);
            let Some(one) = at.checked_sub(1).map(|at| all[at]) else {
                continue;
            };
            if chosen.len() < count && !chosen.contains(&one) {
                chosen.push(one);
            }
        }
        Self(chosen)
    }

    /// True if this one is among them.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains(&name)
    }
}

/// Changes bytes as nobody would who knows what they mean.
pub(crate) fn damage(choices: &mut Choices, odd: &Odd, steps: &mut [Vec<u8>]) {
    for how in ["flip", "insert", "delete", "truncate", "replace"] {
        if !odd.has(how) || steps.is_empty() {
            continue;
        }
        let at = choices.pick(steps.len());
        let bytes = &mut steps[at];
        if bytes.is_empty() {
            continue;
        }
        let place = choices.pick(bytes.len());
        let value = choices.byte();
        match how {
            "flip" => bytes[place] ^= 1 << (value & 7),
            "replace" => bytes[place] = value,
            "insert" => bytes.insert(place, value),
            "delete" => {
                let end = (place + 1 + usize::from(value & 3)).min(bytes.len());
                bytes.drain(place..end);
            }
            _ => bytes.truncate(place),
        }
    }
}

/// Cuts steps into segments. With `pipeline` the client waits only at the end.
pub(crate) fn cut(choices: &mut Choices, steps: Vec<Vec<u8>>, odd: Odd, ending: Ending) -> Script {
    let pipeline = odd.has("pipeline");
    let joined = pipeline && choices.chance(60);
    let steps = if joined { vec![steps.concat()] } else { steps };
    let most = choices.of(&SEGMENTS);
    let how = choices.pick(6);
    let last = steps.len().saturating_sub(1);
    let steps = steps
        .into_iter()
        .enumerate()
        .map(|(number, bytes)| Step {
            segments: segments(choices, how, most, &bytes),
            wait: !pipeline || number == last,
        })
        .collect();
    Script {
        steps,
        ending,
        odd: odd.0,
    }
}

fn segments(choices: &mut Choices, how: usize, most: usize, bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut cuts: Vec<usize> = Vec::new();
    match how {
        0 | 1 => {}
        2 => cuts.push(choices.pick(bytes.len())),
        3 => {
            for _ in 0..=choices.pick(4) {
                cuts.push(choices.pick(bytes.len()));
            }
        }
        // Byte by byte, from somewhere on.
        4 => {
            let begin = choices.pick(bytes.len());
            cuts.extend(begin..(begin + CUTS_MAX).min(bytes.len()));
        }
        _ => {
            let size = choices.pick(200) + 3;
            cuts.extend((1..CUTS_MAX).map(|number| number * size));
        }
    }
    cuts.retain(|at| *at > 0 && *at < bytes.len());
    cuts.sort_unstable();
    cuts.dedup();
    cuts.push(bytes.len());
    let mut begin = 0;
    let mut all = Vec::new();
    for end in cuts {
        all.extend(bytes[begin..end].chunks(most).map(<[u8]>::to_vec));
        begin = end;
    }
    all
}
