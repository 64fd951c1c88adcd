//! Many exchanges with each receiver, and what the sensor got wrong.

use std::{
    collections::BTreeMap,
    fmt::Write,
    fs::{self, File},
    path::Path,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use nix::sched::{CloneFlags, setns};

use super::{
    choices::{Choices, simpler},
    dicom, driver,
    exchange::Exchange,
    hl7,
    judge::{in_short, judge},
    known,
    receivers::{Language, Receiver, Reports, Site},
    script::Script,
    wire::watch,
};

/// Exchanges after which their receiver is asked what it did.
const BATCH: u64 = 50;
/// Attempts to make an example simpler, and how long they may take.
const SIMPLER: usize = 250;
const SIMPLER_TIME: Duration = Duration::from_secs(25);

/// What to run.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// The same seed makes the same exchanges.
    pub(crate) seed: u64,
    /// How many in all.
    pub(crate) count: u64,
    /// Only this one of each receiver.
    pub(crate) only: Option<u64>,
    /// When to end in any case.
    pub(crate) time: Duration,
    /// Make examples simple.
    pub(crate) shrink: bool,
}

/// A class of disagreements.
#[derive(Clone, Debug)]
pub(crate) struct Class {
    /// How often it was found.
    pub(crate) count: u64,
    /// An example: the receiver's name and the exchange's number.
    pub(crate) receiver: &'static str,
    /// Its number.
    pub(crate) number: u64,
    /// What is odd about it.
    pub(crate) odd: Vec<&'static str>,
    /// What receiver and sensor say.
    pub(crate) detail: String,
    /// The exchange, as simple as it could be made.
    pub(crate) exchange: Exchange,
    /// How often it was found with each oddity.
    pub(crate) oddities: BTreeMap<&'static str, u64>,
}

/// What was done with one receiver.
#[derive(Clone, Debug, Default)]
pub(crate) struct Done {
    /// Exchanges.
    pub(crate) exchanges: u64,
    /// Of these, the receiver answered.
    pub(crate) answered: u64,
    /// Of these, nothing is odd.
    pub(crate) plain: u64,
    /// The receiver did not say what it did.
    pub(crate) unsaid: u64,
    /// Exchanges with a disagreement whose reason is known.
    pub(crate) known: u64,
    /// Exchanges with another one.
    pub(crate) wrong: u64,
    /// Seconds that it took.
    pub(crate) seconds: f64,
    /// Disagreements.
    pub(crate) classes: BTreeMap<String, Class>,
}

/// Runs them all. A thread for each connection at a time.
///
/// # Errors
/// When a receiver is lost.
pub(crate) fn run(
    site: &Site,
    receivers: &[Receiver],
    options: &Options,
) -> Result<BTreeMap<&'static str, Done>> {
    let shares: u64 = receivers.iter().map(|one| one.share).sum();
    let (send, results) = mpsc::channel();
    for receiver in receivers {
        let reports = site.reports(receiver);
        let count = (options.count * receiver.share).div_ceil(shares);
        for lane in 0..receiver.lanes {
            let mut worker = Worker {
                reports: reports.clone(),
                receiver: receiver.clone(),
                options: options.clone(),
                begin: Instant::now(),
            };
            let mut numbers: Vec<u64> = (lane..count)
                .step_by(usize::try_from(receiver.lanes)?)
                .collect();
            if let Some(only) = options.only {
                numbers = if lane == 0 { vec![only] } else { Vec::new() };
            }
            let (send, name) = (send.clone(), receiver.name);
            let path = format!("/run/netns/{}", site.namespace.name());
            thread::spawn(move || {
                let work = || {
                    setns(File::open(path)?, CloneFlags::CLONE_NEWNET)?;
                    worker.all(&numbers)
                };
                // Nobody listens if another receiver failed.
                let _ = send.send((name, work()));
            });
        }
    }
    drop(send);
    let mut all: BTreeMap<&'static str, Done> = BTreeMap::new();
    let mut lanes = 0;
    for (name, done) in results {
        all.entry(name).or_default().add(done.context(name)?);
        lanes += 1;
    }
    ensure!(
        lanes == receivers.iter().map(|one| one.lanes).sum::<u64>(),
        "a thread panicked"
    );
    Ok(all)
}

impl Done {
    /// Adds what another lane did.
    fn add(&mut self, other: Self) {
        self.exchanges += other.exchanges;
        self.answered += other.answered;
        self.plain += other.plain;
        self.unsaid += other.unsaid;
        self.known += other.known;
        self.wrong += other.wrong;
        self.seconds = self.seconds.max(other.seconds);
        for (name, class) in other.classes {
            match self.classes.get_mut(&name) {
                Some(mine) => {
                    mine.count += class.count;
                    for (name, count) in class.oddities {
                        *mine.oddities.entry(name).or_default() += count;
                    }
                    // The shorter example is the better one.
                    if class.exchange.sent().len() < mine.exchange.sent().len() {
                        mine.number = class.number;
                        mine.odd = class.odd;
                        mine.detail = class.detail;
                        mine.exchange = class.exchange;
                    }
                }
                None => {
                    self.classes.insert(name, class);
                }
            }
        }
    }
}

struct Worker {
    receiver: Receiver,
    reports: Option<Reports>,
    options: Options,
    begin: Instant,
}

/// An exchange that was played, and what it was made of.
struct Played {
    number: u64,
    choices: Vec<u32>,
    odd: Vec<&'static str>,
    exchange: Exchange,
}

impl Worker {
    fn make(&self, choices: &mut Choices) -> Script {
        match self.receiver.language {
            Language::Dicom => dicom::make::make(choices, self.receiver.called),
            Language::Hl7 => hl7::make::make(choices),
        }
    }

    fn seed(&self, number: u64) -> u64 {
        let name = self.receiver.name.bytes();
        // FNV-1a, so that receivers get different exchanges.
        let name = name.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        name ^ self.options.seed.wrapping_mul(0xd134_2543_de82_ef95)
            ^ number.wrapping_mul(0xaf25_1af3_b0f0_25b5)
    }

    fn play(&self, number: u64, mut choices: Choices) -> Result<Played> {
        let script = self.make(&mut choices);
        let exchange = driver::play(&script, &self.receiver)?;
        Ok(Played {
            number,
            choices: choices.taken(),
            odd: script.odd,
            exchange,
        })
    }

    /// Asks the receiver what it did. False if it does not say.
    fn ask(&mut self, exchange: &mut Exchange) -> Result<bool> {
        let Some(reports) = &self.reports else {
            return Ok(true);
        };
        let (said, whole) = reports.take(exchange.port, exchange.begin)?;
        exchange.did = said;
        Ok(whole)
    }

    fn all(&mut self, numbers: &[u64]) -> Result<Done> {
        let mut done = Done::default();
        let mut next = 0;
        while next < numbers.len() && self.begin.elapsed() < self.options.time {
            let end = (next + usize::try_from(BATCH)?).min(numbers.len());
            let mut batch = Vec::new();
            for number in &numbers[next..end] {
                batch.push(self.play(*number, Choices::random(self.seed(*number)))?);
            }
            next = end;
            for played in batch {
                self.look(played, &mut done)?;
            }
        }
        done.seconds = self.begin.elapsed().as_secs_f64();
        Ok(done)
    }

    fn look(&mut self, mut played: Played, done: &mut Done) -> Result<()> {
        let said = self.ask(&mut played.exchange)?;
        done.exchanges += 1;
        done.answered += u64::from(!played.exchange.received().is_empty());
        done.plain += u64::from(played.odd.is_empty());
        done.unsaid += u64::from(!said);
        let (known, findings): (Vec<_>, Vec<_>) = judge(&played.exchange, &self.receiver)
            .into_iter()
            .partition(|finding| known::reason(&finding.class, &played.odd).is_some());
        done.known += u64::from(!known.is_empty());
        done.wrong += u64::from(!findings.is_empty());
        for finding in findings {
            if !done.classes.contains_key(&finding.class) {
                let example = self.example(&played, &finding.class, finding.detail)?;
                done.classes.insert(finding.class.clone(), example);
            }
            let Some(class) = done.classes.get_mut(&finding.class) else {
                continue;
            };
            class.count += 1;
            for name in &played.odd {
                *class.oddities.entry(name).or_default() += 1;
            }
        }
        Ok(())
    }

    /// The simplest exchange that shows the same.
    fn example(&mut self, played: &Played, class: &str, detail: String) -> Result<Class> {
        let mut best = Class {
            count: 0,
            receiver: self.receiver.name,
            number: played.number,
            odd: played.odd.clone(),
            detail,
            exchange: played.exchange.clone(),
            oddities: BTreeMap::new(),
        };
        let mut choices = played.choices.clone();
        let begin = Instant::now();
        let mut tries = 0;
        'again: while self.options.shrink {
            for less in simpler(&choices) {
                tries += 1;
                if tries > SIMPLER || begin.elapsed() > SIMPLER_TIME {
                    break 'again;
                }
                let mut played = self.play(played.number, Choices::given(less))?;
                self.ask(&mut played.exchange)?;
                let findings = judge(&played.exchange, &self.receiver);
                if let Some(same) = findings.into_iter().find(|it| it.class == class)
                    && played.choices < choices
                {
                    choices = played.choices;
                    best.odd = played.odd;
                    best.detail = same.detail;
                    best.exchange = played.exchange;
                    continue 'again;
                }
            }
            break;
        }
        Ok(best)
    }
}

/// Writes an example of each class into a folder, to be kept as a case.
///
/// # Errors
/// When it can't be written.
pub(crate) fn keep(done: &BTreeMap<&'static str, Done>, folder: &Path) -> Result<()> {
    for (name, class) in done.values().flat_map(|one| &one.classes) {
        let text = format!(
            "{name}\n{}\nodd: {}\nreceiver {}\n{}",
            class.detail,
            class.odd.join(", "),
            class.receiver,
            class.exchange.text()
        );
        let name: String = format!("{name} {} {}", class.receiver, class.odd.join(" "))
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .collect();
        fs::write(
            folder.join(format!("{}.txt", name.replace("--", "-"))),
            text,
        )?;
    }
    Ok(())
}

/// What was found, as Markdown; `port` of each receiver to hear the sensor again.
pub(crate) fn report(done: &BTreeMap<&'static str, Done>, receivers: &[Receiver]) -> String {
    let mut text = String::from(
        "| receiver | exchanges | answered | nothing odd | not said | a second | known | wrong |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for (name, one) in done {
        let _ = writeln!(
            text,
            "| {name} | {} | {} | {} | {} | {:.0} | {} | {} |",
            one.exchanges,
            one.answered,
            one.plain,
            one.unsaid,
            f64::from(u32::try_from(one.exchanges).unwrap_or(0)) / one.seconds,
            one.known,
            one.wrong
        );
    }
    let mut classes: Vec<_> = done.values().flat_map(|one| &one.classes).collect();
    classes.sort_by_key(|(_, class)| std::cmp::Reverse(class.count));
    for (name, class) in classes {
        let Some(receiver) = receivers.iter().find(|it| it.name == class.receiver) else {
            continue;
        };
        let mut oddities: Vec<_> = class.oddities.iter().collect();
        oddities.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let oddities: Vec<_> = oddities
            .iter()
            .take(8)
            .map(|(name, count)| format!("{name} {count}"))
            .collect();
        let _ = write!(
            text,
            "\n### {name} ({}): {} times; with {}\nNumber {}, odd: {}\n{}\nSensor: {}\n```\nreceiver {}\n{}```\n",
            class.receiver,
            class.count,
            oddities.join(", "),
            class.number,
            class.odd.join(", "),
            class.detail,
            in_short(&watch(&class.exchange, receiver.port)),
            class.receiver,
            class.exchange.text()
        );
    }
    text
}
