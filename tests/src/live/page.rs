//! The truth and the result, as files.

use std::fmt::Write as _;

use anyhow::{Context, Result, bail};

use super::{
    ground::Addresses,
    judge::{Alert, Deed, Verdict},
    outcome::Report,
    suricata::Peer,
    table::attacks,
};

/// What was started when, as CSV.
#[must_use]
pub fn truth(deeds: &[Deed]) -> String {
    let mut text =
        "start,end,id,tactic,technique,tool,host,past,addresses,mac,victim,right_answer,command\n"
            .to_owned();
    for deed in deeds {
        let attack = &deed.attack;
        let answer = if attack.forged {
            "forged sources"
        } else {
            "attacker"
        };
        let (start, end) = deed.time;
        let past = if attack.host == "new" { "no" } else { "yes" };
        // Writing to a string can't fail.
        let _ = writeln!(
            text,
            "{start},{end},{},{},{},{},{},{past},{},{},{},{answer},\"{}\"",
            attack.id,
            attack.tactic,
            attack.technique,
            attack.program,
            deed.host,
            deed.addresses.ip.join(" "),
            deed.addresses.mac,
            deed.victim.as_deref().unwrap_or_default(),
            attack.script.replace('"', "\"\"")
        );
    }
    text
}

/// What [`truth`] has written.
///
/// # Errors
/// When a line is about an attack that is not in the table, or is cut.
pub fn deeds(truth: &str) -> Result<Vec<Deed>> {
    let attacks = attacks()?;
    let deed = |line: &str| {
        // Only the last column can hold commas.
        let columns: Vec<&str> = line.splitn(13, ',').collect();
        let [start, end, id, _, _, _, host, _, ip, mac, victim, ..] = columns[..] else {
            bail!("it is cut: {line}");
        };
        let attack = attacks.iter().find(|attack| attack.id == id);
        Ok(Deed {
            attack: attack.with_context(|| format!("no attack {id}"))?.clone(),
            time: (start.parse()?, end.parse()?),
            host: host.to_owned(),
            addresses: Addresses {
                ip: ip.split(' ').map(ToOwned::to_owned).collect(),
                mac: mac.to_owned(),
            },
            victim: (!victim.is_empty()).then(|| victim.to_owned()),
        })
    };
    truth.lines().skip(1).map(deed).collect()
}

/// The result as Markdown.
#[must_use]
pub fn markdown(report: &Report, peer: Option<&Peer>) -> String {
    let count = |verdict| {
        let judged = report.judged.iter();
        judged.filter(|one| one.verdict == verdict).count()
    };
    let mut text = format!(
        "{} attacks: {} found, {} weak, {} hidden by the budget, {} wrong device, {} missed; {} programs are missing. \
         {} frames were seen, {} events were lost.",
        report.judged.len(),
        count(Verdict::Found),
        count(Verdict::Weak),
        count(Verdict::Hidden),
        count(Verdict::Wrong),
        count(Verdict::Missed),
        report.missing.len(),
        report.frames.0,
        report.frames.1
    );
    if let Some(peer) = peer {
        let found = report
            .judged
            .iter()
            .filter(|one| peer.says(&one.deed).is_some());
        let _ = write!(
            text,
            " {} says something of {} attacks, and {} alerts in the quiet time.",
            peer.name,
            found.count(),
            peer.quiet
        );
    }
    text += "\n";
    let mut tactics: Vec<_> = report
        .judged
        .iter()
        .map(|one| one.deed.attack.tactic)
        .collect();
    tactics.sort_unstable();
    tactics.dedup();
    for tactic in tactics {
        let _ = write!(
            text,
            "\n### {tactic}\n\n| attack | technique | program | from | result | detectors | title | Suricata |\n\
             | --- | --- | --- | --- | --- | --- | --- | --- |\n"
        );
        for one in report
            .judged
            .iter()
            .filter(|one| one.deed.attack.tactic == tactic)
        {
            let attack = &one.deed.attack;
            let detectors: Vec<_> = one.detectors.iter().map(String::as_str).collect();
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} | {} | {} | {} |",
                attack.id,
                attack.technique,
                attack
                    .program
                    .trim_start_matches("$TOOLS/")
                    .trim_start_matches('$'),
                attack.host,
                one.verdict,
                detectors.join(", "),
                cell(&one.title),
                cell(
                    &peer
                        .and_then(|peer| peer.says(&one.deed))
                        .unwrap_or_default()
                )
            );
        }
    }
    for attack in &report.missing {
        let _ = write!(text, "\n{}: {} is missing.\n", attack.id, attack.program);
    }
    alerts(
        &mut text,
        "Alerts in the quiet time, all false",
        &report.quiet,
    );
    alerts(
        &mut text,
        "Further alerts while attacks went on, about devices that attacked nobody",
        &report.further,
    );
    text
}

/// The page that goes with the capture.
#[must_use]
pub fn readme(head: &str) -> String {
    format!(
        "# Capture of a live evaluation\n\n{head}\n\
         `cargo xtask evaluate live` of Wardtap made it: about 20 hosts in network namespaces at one switch, with DCMTK, Orthanc, \
         python-hl7, samba, OpenSSH, dnsmasq, a web server and a router, do ordinary work; then real tools attack them, one \
         after the other. No frame and no name in it is from a real hospital; the patient is made up.\n\n\
         - `mirror.pcapng`: what the switch's mirror port sent, written by dumpcap.\n\
         - `truth.csv`: what was started when (UTC), from which host with which addresses, against whom, with the technique of \
         MITRE ATT&CK. `right_answer` is `attacker` if the attacking host has to be named, or `forged sources`. What begins \
         before the first line is no attack.\n\
         - `alerts.json`, `sensor/events.jsonl`: what Wardtap said. `suricata/eve.json`: what Suricata said.\n\
         - `table.md`: both held against the truth.\n\
         - `work/`: keys, files and logs of the programs that ran.\n"
    )
}

fn cell(text: &str) -> String {
    text.replace('|', "/")
}

fn alerts(text: &mut String, title: &str, alerts: &[Alert]) {
    let _ = writeln!(text, "\n### {title}\n");
    if alerts.is_empty() {
        *text += "None.\n";
        return;
    }
    *text += "| device | as | severity | shown | detectors | title |\n| --- | --- | --- | --- | --- | --- |\n";
    for alert in alerts {
        let mut detectors: Vec<_> = alert
            .findings
            .iter()
            .map(|(_, name)| name.as_str())
            .collect();
        detectors.sort_unstable();
        detectors.dedup();
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} |",
            alert.device,
            if alert.victim { "victim" } else { "suspect" },
            alert.severity,
            if alert.suppressed { "no" } else { "yes" },
            detectors.join(", "),
            cell(&alert.title)
        );
    }
}
