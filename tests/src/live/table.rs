//! The tables of what runs: ordinary work and attacks.

use anyhow::{Context, Result, ensure};

const ATTACKS: &str = include_str!("attacks.txt");
const WORK: &str = include_str!("work.txt");
/// How long an attack may take, seconds.
const SECONDS: u64 = 25;

/// An attack: a line of `attacks.txt`.
#[derive(Clone, Debug)]
pub struct Attack {
    /// Its short name.
    pub id: &'static str,
    /// ATT&CK tactic, number and name.
    pub tactic: &'static str,
    /// ATT&CK technique.
    pub technique: &'static str,
    /// The host that it comes from, or `new`.
    pub host: &'static str,
    /// The program that it needs.
    pub program: &'static str,
    /// The host that suffers most, if there is one.
    pub victim: Option<&'static str>,
    /// True if the right answer is that sources are forged.
    pub forged: bool,
    /// True if it belongs to the short form.
    pub short: bool,
    /// True if others run meanwhile.
    pub beside: bool,
    /// How long it may take, seconds.
    pub seconds: u64,
    /// What is run.
    pub script: &'static str,
}

/// When a piece of work is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// All the time.
    Serve,
    /// Again and again, after so many seconds.
    Every(u64),
    /// Once, in the quiet time.
    Change,
}

/// A line of `work.txt`.
#[derive(Clone, Debug)]
pub struct Work {
    /// When it is done.
    pub when: When,
    /// The host that does it, or `new`.
    pub host: &'static str,
    /// The program that it needs.
    pub program: &'static str,
    /// The TCP port that it listens at.
    pub port: Option<u16>,
    /// What is run.
    pub script: &'static str,
}

/// All attacks, in their order.
///
/// # Errors
/// When a line is wrong.
pub fn attacks() -> Result<Vec<Attack>> {
    let mut tactic = "";
    let mut attacks = Vec::new();
    for line in ATTACKS.lines().filter(|line| !line.is_empty()) {
        if let Some(comment) = line.strip_prefix("# ") {
            if comment.starts_with("TA") {
                tactic = comment;
            }
            continue;
        }
        attacks.push(attack(tactic, line).with_context(|| line)?);
    }
    Ok(attacks)
}

fn attack(tactic: &'static str, line: &'static str) -> Result<Attack> {
    let [id, technique, host, program, victim, options, script] = columns(line)?;
    let mut attack = Attack {
        id,
        tactic,
        technique,
        host,
        program,
        victim: (victim != "-").then_some(victim),
        forged: false,
        short: false,
        beside: false,
        seconds: SECONDS,
        script,
    };
    for option in options.split(' ').filter(|option| *option != "-") {
        match option.split_once('=') {
            Some(("seconds", number)) => attack.seconds = number.parse()?,
            None if option == "forged" => attack.forged = true,
            None if option == "short" => attack.short = true,
            None if option == "beside" => attack.beside = true,
            _ => anyhow::bail!("there is no option {option}"),
        }
    }
    ensure!(!tactic.is_empty(), "no tactic stands above it");
    Ok(attack)
}

/// All ordinary work.
///
/// # Errors
/// When a line is wrong.
pub fn work() -> Result<Vec<Work>> {
    let lines = WORK.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| one_work(line).with_context(|| line))
        .collect()
}

fn one_work(line: &'static str) -> Result<Work> {
    let [when, host, program, port, script] = columns(line)?;
    Ok(Work {
        when: match when {
            "serve" => When::Serve,
            "change" => When::Change,
            seconds => When::Every(seconds.parse()?),
        },
        host,
        program,
        port: (port != "-").then(|| port.parse()).transpose()?,
        script,
    })
}

/// The columns of a line; the last may hold bars.
fn columns<const N: usize>(line: &'static str) -> Result<[&'static str; N]> {
    let columns: Vec<_> = line.splitn(N, '|').map(str::trim).collect();
    columns.try_into().ok().context("it has too few columns")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::live::ground::HOSTS;

    #[test]
    fn each_attack_is_well_declared() {
        let attacks = attacks().unwrap();
        let ids: BTreeSet<_> = attacks.iter().map(|attack| attack.id).collect();
        assert_eq!(ids.len(), attacks.len(), "two attacks have one id");
        assert!(attacks.len() >= 60, "{}", attacks.len());
        assert!(attacks.iter().filter(|attack| attack.short).count() >= 10);
        let known = |name: &str| HOSTS.iter().any(|(host, _)| *host == name);
        for attack in &attacks {
            let (technique, sub) = attack.technique.split_at(5);
            assert!(
                technique.starts_with('T') && (sub.is_empty() || sub.starts_with('.')),
                "{attack:?}"
            );
            assert!(attack.host == "new" || known(attack.host), "{attack:?}");
            assert!(attack.victim.is_none_or(known), "{attack:?}");
            assert!(
                attack.seconds <= 300 && !attack.script.is_empty(),
                "{attack:?}"
            );
        }
        let known_hosts = attacks.iter().filter(|attack| attack.host != "new");
        assert!(known_hosts.count() >= 8);
    }

    #[test]
    fn each_piece_of_work_is_well_declared() {
        let work = work().unwrap();
        let place = |name: &str| {
            ["new", "router", "outside"].contains(&name)
                || HOSTS.iter().any(|(host, _)| *host == name)
        };
        assert!(work.iter().all(|one| place(one.host)), "{work:?}");
        assert!(work.iter().any(|one| one.when == When::Change));
    }
}
