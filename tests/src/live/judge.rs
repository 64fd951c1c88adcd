//! What of the truth the sensor's alerts say.

use std::{collections::BTreeSet, fmt};

use anyhow::{Context, Result};
use jiff::Timestamp;
use serde_json::Value;

use super::{ground::Addresses, table::Attack};

/// What a finding may come later than the end of an attack, seconds: a flow is told when it is over.
const LATER: i64 = 90;
/// Within this time after its end, seconds, an alert about somebody else counts as said of the attack.
const OTHERS: i64 = 30;

/// Detectors of weaknesses: what they say is true of ordinary work too, and no answer to an attack.
const WEAKNESSES: [&str; 1] = ["clear_text"];
/// What an alert says that knows of forged sources.
const FORGED: [&str; 3] = ["forged", "made-up", "spoofed"];

/// What was done: an attack that ran.
#[derive(Clone, Debug)]
pub struct Deed {
    /// The attack.
    pub attack: Attack,
    /// When it began and ended.
    pub time: (Timestamp, Timestamp),
    /// The host that it came from.
    pub host: String,
    /// The addresses of that host.
    pub addresses: Addresses,
    /// The address of the victim.
    pub victim: Option<String>,
}

/// An alert, as far as it is judged.
#[derive(Clone, Debug)]
pub struct Alert {
    /// Its number.
    pub id: u64,
    /// The device that it is about.
    pub device: String,
    /// True if the device is told to be attacked, not to attack.
    pub victim: bool,
    /// `low` to `critical`.
    pub severity: String,
    /// True if the budget held it back.
    pub suppressed: bool,
    /// Its title, in one line.
    pub title: String,
    /// When it was opened.
    pub opened: Timestamp,
    /// Time and detector of its findings.
    pub findings: Vec<(Timestamp, String)>,
    /// All that it says.
    text: String,
}

/// How well an attack was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// An alert of medium severity or above names the right device.
    Found,
    /// One of low severity does.
    Weak,
    /// One does, but the budget held it back.
    Hidden,
    /// An alert names another device only, or the victim.
    Wrong,
    /// No alert.
    Missed,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Found => "found",
            Self::Weak => "weak",
            Self::Hidden => "hidden by the budget",
            Self::Wrong => "wrong device",
            Self::Missed => "missed",
        })
    }
}

/// An attack with what was said of it.
#[derive(Clone, Debug)]
pub struct Judged {
    /// What was done.
    pub deed: Deed,
    /// How well it was found.
    pub verdict: Verdict,
    /// The detectors whose findings say so.
    pub detectors: BTreeSet<String>,
    /// The title of the alert, with its device where that is the wrong one.
    pub title: String,
}

impl Alert {
    /// The alerts of `wardtap alerts list --json`, with the findings of the events.
    ///
    /// # Errors
    /// When something is missing in them.
    pub fn all(listed: &Value, events: &[Value]) -> Result<Vec<Self>> {
        let items = listed["items"].as_array().context("no alerts")?;
        items.iter().map(|alert| Self::one(alert, events)).collect()
    }

    fn one(alert: &Value, events: &[Value]) -> Result<Self> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (opened, updated) = (time(&alert["opened"])?, time(&alert["updated"])?);
        let listed = alert["findings"].as_array().into_iter().flatten();
        let told = events.iter().filter_map(|event| {
            let finding = &event["finding"];
            (event["event_type"] == "finding" && finding["subject"] == alert["device"])
                .then_some(finding)
        });
        let mut findings = BTreeSet::new();
        for finding in listed.chain(told) {
            let time = time(&finding["time"])?;
            if time >= opened && time <= updated {
                findings.insert((time, text(&finding["detector"])));
            }
        }
        Ok(Self {
            id: alert["id"].as_u64().context("an alert without a number")?,
            device: text(&alert["device"]),
            victim: alert["role"] == "victim",
            severity: text(&alert["severity"]),
            suppressed: alert["suppressed"] == true,
            title: text(&alert["title"]),
            opened,
            findings: findings.into_iter().collect(),
            text: alert.to_string(),
        })
    }

    /// The detectors of findings in a time.
    fn detectors(&self, from: Timestamp, until: Timestamp) -> BTreeSet<String> {
        let within = self.findings.iter().filter(|(time, detector)| {
            (from..=until).contains(time) && !WEAKNESSES.contains(&detector.as_str())
        });
        within.map(|(_, detector)| detector.clone()).collect()
    }
}

fn time(value: &Value) -> Result<Timestamp> {
    let text = value
        .as_str()
        .with_context(|| format!("no time: {value}"))?;
    Ok(text.parse()?)
}

fn later(time: Timestamp, seconds: i64) -> Timestamp {
    time + jiff::SignedDuration::from_secs(seconds)
}

/// Joins what was done with the alerts; and the alerts from `since` on that belong to nothing that was done.
#[must_use]
pub fn judge(deeds: &[Deed], alerts: &[Alert], since: Timestamp) -> (Vec<Judged>, Vec<Alert>) {
    let mut used = BTreeSet::new();
    let mut judged: Vec<_> = deeds
        .iter()
        .map(|deed| named(deed, until(deed, deeds), alerts, &mut used))
        .collect();
    for one in judged
        .iter_mut()
        .filter(|one| one.verdict == Verdict::Missed)
    {
        others(one, deeds, alerts, &mut used);
    }
    let left = alerts.iter().filter(|alert| {
        let whose = deeds.iter().any(|deed| is(deed, alert));
        !(used.contains(&alert.id) || alert.victim || whose) && alert.opened >= since
    });
    (judged, left.cloned().collect())
}

/// Findings until then are about this deed: its host may do something else later.
fn until(deed: &Deed, deeds: &[Deed]) -> Timestamp {
    let next = deeds
        .iter()
        .filter(|other| other.host == deed.host && other.time.0 > deed.time.0);
    let limit = later(deed.time.1, LATER);
    next.map(|other| other.time.0)
        .min()
        .map_or(limit, |next| next.min(limit))
}

fn is(deed: &Deed, alert: &Alert) -> bool {
    deed.addresses.ip.contains(&alert.device)
}

/// Looks for alerts that give the right answer.
fn named(deed: &Deed, until: Timestamp, alerts: &[Alert], used: &mut BTreeSet<u64>) -> Judged {
    let from = later(deed.time.0, -1);
    let mut judged = Judged {
        deed: deed.clone(),
        verdict: Verdict::Missed,
        detectors: BTreeSet::new(),
        title: String::new(),
    };
    for alert in alerts {
        let detectors = alert.detectors(from, until);
        let right = if deed.attack.forged {
            let victim = alert.victim && deed.victim.as_ref() == Some(&alert.device);
            let forged = FORGED.iter().any(|word| alert.text.contains(word));
            // To name the attacker in spite of that is more than is asked.
            victim || forged || (is(deed, alert) && !alert.victim)
        } else {
            is(deed, alert) && !alert.victim
        };
        if detectors.is_empty() || !right {
            continue;
        }
        let verdict = match (alert.suppressed, alert.severity.as_str()) {
            (true, _) => Verdict::Hidden,
            (false, "low") => Verdict::Weak,
            (false, _) => Verdict::Found,
        };
        used.insert(alert.id);
        judged.detectors.extend(detectors);
        if verdict < judged.verdict {
            judged.verdict = verdict;
            judged.title.clone_from(&alert.title);
        }
    }
    judged
}

/// Looks for alerts about others that were opened while it went on and belong to nothing else.
fn others(judged: &mut Judged, deeds: &[Deed], alerts: &[Alert], used: &mut BTreeSet<u64>) {
    let deed = &judged.deed;
    let (from, until) = (later(deed.time.0, -1), later(deed.time.1, OTHERS));
    for alert in alerts {
        let other = !deeds.iter().any(|deed| is(deed, alert));
        let opened = (from..=until).contains(&alert.opened);
        if deed.attack.beside || !other || !opened || alert.suppressed || !used.insert(alert.id) {
            continue;
        }
        judged.verdict = Verdict::Wrong;
        judged.detectors.extend(alert.detectors(from, until));
        let part = if alert.victim { "victim" } else { "suspect" };
        judged.title = format!("{} as {part}: {}", alert.device, alert.title);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::live::table::attacks;

    fn deed(address: &str, from: i64, until: i64) -> Deed {
        Deed {
            attack: attacks()
                .unwrap()
                .into_iter()
                .find(|one| !one.forged && !one.beside)
                .unwrap(),
            time: (
                Timestamp::from_second(from).unwrap(),
                Timestamp::from_second(until).unwrap(),
            ),
            host: address.to_owned(),
            addresses: Addresses {
                ip: vec![address.to_owned()],
                mac: String::new(),
            },
            victim: Some("10.88.1.10".to_owned()),
        }
    }

    fn alert(id: u64, device: &str, second: i64, more: &Value) -> Value {
        let time = Timestamp::from_second(second).unwrap().to_string();
        let mut alert = json!({
            "id": id, "device": device, "role": "suspect", "severity": "high", "title": "t", "opened": time,
            "updated": time, "findings": [{ "time": time, "detector": "scan" }],
        });
        for (key, value) in more.as_object().unwrap() {
            alert[key] = value.clone();
        }
        alert
    }

    #[test]
    fn each_verdict_is_given() {
        let deeds: Vec<_> = (0..6)
            .map(|n| {
                deed(
                    &format!("10.88.1.{}", 101 + n),
                    1000 * (n + 1),
                    1000 * (n + 1) + 20,
                )
            })
            .collect();
        let listed = json!({ "items": [
            alert(1, "10.88.1.101", 1010, &json!({})),
            alert(2, "10.88.1.102", 2010, &json!({ "severity": "low" })),
            alert(3, "10.88.1.103", 3010, &json!({ "suppressed": true })),
            alert(4, "10.88.1.60", 4010, &json!({})),
            alert(5, "10.88.1.105", 7000, &json!({})),
            alert(6, "10.88.1.61", 5300, &json!({})),
            // Attacked and named as such: nobody is accused, and the attacker is not named.
            alert(7, "10.88.1.10", 6010, &json!({ "role": "victim" })),
        ] });
        let alerts = Alert::all(&listed, &[]).unwrap();
        let (judged, left) = judge(&deeds, &alerts, Timestamp::from_second(0).unwrap());
        let verdicts: Vec<_> = judged.iter().map(|one| one.verdict).collect();
        let expected = [
            Verdict::Found,
            Verdict::Weak,
            Verdict::Hidden,
            Verdict::Wrong,
            Verdict::Missed,
            Verdict::Wrong,
        ];
        assert_eq!(verdicts, expected);
        let left: Vec<_> = left.iter().map(|alert| alert.id).collect();
        assert_eq!(left, [6]);
    }

    #[test]
    fn forged_sources_are_named_by_their_victim() {
        let mut deed = deed("10.88.1.101", 1000, 1020);
        deed.attack.forged = true;
        let listed =
            json!({ "items": [alert(1, "10.88.1.10", 1010, &json!({ "role": "victim" }))] });
        let alerts = Alert::all(&listed, &[]).unwrap();
        let start = Timestamp::from_second(0).unwrap();
        let (judged, _) = judge(std::slice::from_ref(&deed), &alerts, start);
        assert_eq!(judged[0].verdict, Verdict::Found);
        // Or the attacker is named after all.
        let listed = json!({ "items": [alert(1, "10.88.1.101", 1010, &json!({}))] });
        let alerts = Alert::all(&listed, &[]).unwrap();
        let (judged, _) = judge(&[deed], &alerts, start);
        assert_eq!(judged[0].verdict, Verdict::Found);
    }
}
