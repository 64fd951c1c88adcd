//! What to do now, in order, each with its reason from what was seen.

use std::net::IpAddr;

use sensor_facts::{
    observation::is_public,
    rule::State,
    words::{bytes, utc_moment},
};
use sensor_sessions::inventory::Role;
use serde::{Deserialize, Serialize};

use super::{Contained, Incident, Part, containment::Held, system::restore};

/// Something to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What is to be done, as an instruction.
    pub what: String,
    /// Why, from the facts of this incident.
    pub why: String,
}

/// A system in the order in which systems are looked after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// Its address.
    pub address: IpAddr,
    /// What it is.
    pub role: Role,
    /// What part it has.
    pub part: Part,
    /// Why it has this place.
    pub why: String,
}

/// What to do now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovery {
    /// In order.
    pub steps: Vec<Step>,
    /// The systems that are to be checked and restored, in order.
    pub order: Vec<Turn>,
}

pub(super) fn of(incident: &Incident) -> Recovery {
    let order = order(incident);
    let mut steps = Vec::new();
    for held in &incident.containment.suspects {
        isolate(incident, held, &mut steps);
    }
    if incident.patient_zero.is_none() {
        step(
            &mut steps,
            "Find who is behind it.".to_owned(),
            format!(
                "{} is the victim, and no device is suspected. The report lists its contacts since the beginning. Do not isolate a victim.",
                incident.alert.device
            ),
        );
    }
    confirm(incident, &mut steps);
    preserve(incident, &mut steps);
    check(incident, &order, &mut steps);
    credentials(incident, &mut steps);
    ask_logs(incident, &mut steps);
    again(incident, &mut steps);
    Recovery { steps, order }
}

fn step(steps: &mut Vec<Step>, what: String, why: String) {
    steps.push(Step { what, why });
}

/// Isolation comes first, and differs by what the suspect is and by how it stands.
fn isolate(incident: &Incident, held: &Held, steps: &mut Vec<Step>) {
    let address = held.address;
    let system = incident.systems.iter().find(|one| one.address == address);
    let clinical = system.filter(|one| one.is_clinical);
    let until = incident
        .containment
        .rules
        .iter()
        .filter(|rule| rule.state == State::Enabled && rule.ended.is_none())
        .map(|rule| (rule.expires, rule.id))
        .max();
    let cable = "disconnect it at its switch port or access point";
    let (what, why) = match (held.state, until) {
        (Contained::Effective, Some((expires, rule))) => (
            format!(
                "Keep {address} isolated: {cable} before {}.",
                utc_moment(expires)
            ),
            format!(
                "It is contained and nothing of it was seen to pass; rule {rule} ends by itself then. A rule holds only \
                 where traffic passes the sensor, a pulled cable everywhere."
            ),
        ),
        (Contained::NotEffective, _) => (
            format!("Isolate {address} now: {cable}."),
            "Its traffic was seen although a rule is in force: there is a way around the sensor."
                .to_owned(),
        ),
        (Contained::Unverified, Some((_, rule))) => (
            format!("Isolate {address}: {cable}."),
            format!("Rule {rule} is in force, and nothing shows yet whether it works."),
        ),
        (Contained::Proposed, _) => (
            format!(
                "Decide on the rules about {address} that wait (`wardtap rules list`), or {cable}."
            ),
            "A rule was proposed and drops nothing until a person approves it.".to_owned(),
        ),
        (Contained::Ended, _) => (
            format!("Make sure that {address} is off the network or clean."),
            "Rules about it were in force and have ended: nothing holds it now.".to_owned(),
        ),
        _ => (
            format!(
                "Isolate {address}: {cable}, or `wardtap rules add --device {address} --ttl 4h --reason ...`."
            ),
            held.detail.as_ref().map_or_else(
                || "No rule is about it.".to_owned(),
                |detail| format!("No rule is about it. The policy's reason: {detail}."),
            ),
        ),
    };
    if let Some(system) = clinical {
        step(
            steps,
            format!("With clinical engineering, before anything is cut: isolate {address}."),
            format!(
                "It is a {} and care depends on it: {}. First have the care that hangs on it done in another way. {why}",
                system.role.label(),
                restore(system.role).1
            ),
        );
    } else {
        step(steps, what, why);
    }
}

/// Before more is done on the strength of it.
fn confirm(incident: &Incident, steps: &mut Vec<Step>) {
    let checks: Vec<&str> = incident.alert.check.iter().map(String::as_str).collect();
    if incident.label().is_none() && !checks.is_empty() {
        step(
            steps,
            incident.incident.as_ref().map_or_else(
                || {
                    format!(
                        "Confirm it, and say so: `wardtap alerts label {} malicious --reason ...`.",
                        incident.alert.id
                    )
                },
                |whole| {
                    format!(
                        "Confirm it, and say so: `wardtap incidents label I{} malicious --reason ...`.",
                        whole.id
                    )
                },
            ),
            format!(
                "It is {:.0} % sure by itself. It would be wrong in these cases, so ask: {}.",
                incident.alert.confidence * 100.0,
                checks.join("; ")
            ),
        );
    }
}

fn preserve(incident: &Incident, steps: &mut Vec<Step>) {
    let zero = incident.patient_zero.as_ref().map_or_else(
        || "the systems concerned".to_owned(),
        |zero| zero.address.to_string(),
    );
    step(
        steps,
        format!("Preserve evidence before anything is switched off or cleaned: memory and disk of {zero}, this report, the audit trail."),
        "What is in memory is gone with the power. Keep the trail with its checkpoints (`wardtap audit verify`) and copy the \
         sensor's state directory: contacts and sessions are kept for a limited time."
            .to_owned(),
    );
}

fn check(incident: &Incident, order: &[Turn], steps: &mut Vec<Step>) {
    let Some(first) = order.iter().find(|turn| turn.part != Part::PatientZero) else {
        return;
    };
    let victims = order
        .iter()
        .filter(|turn| turn.part == Part::Victim)
        .count();
    let hops = incident
        .spread
        .reached
        .iter()
        .filter(|one| one.hop > 1)
        .count();
    step(
        steps,
        "Check the systems that it reached in the order of the table below, and restore in that order what is not clean.".to_owned(),
        format!(
            "{} systems are in it, {victims} of them attacked; first {} ({}), since {}. Through them {hops} more could have been reached: \
             check those when one of the first is not clean.",
            order.len(),
            first.address,
            first.role.label(),
            restore(first.role).1
        ),
    );
}

fn credentials(incident: &Incident, steps: &mut Vec<Step>) {
    let has = |wanted: &[&str]| {
        let all = incident.techniques();
        all.iter().any(|one| wanted.contains(&one.as_str()))
    };
    let titles: Vec<String> = incident
        .exchanges
        .iter()
        .filter(|one| one.by_suspect)
        .flat_map(|one| &one.calling_ae)
        .map(|title| format!("{title:?}"))
        .collect();
    let mut reasons = Vec::new();
    if has(&["T1110"]) {
        reasons.push("It tried names or passwords one after another".to_owned());
    }
    if !titles.is_empty() {
        reasons.push(format!(
            "It called itself {}: take that AE title off the lists of those that accepted it",
            titles.join(", ")
        ));
    }
    if has(&["T1557.002", "T1040"]) {
        reasons
            .push("It could read along, so what was sent in clear text is known to it".to_owned());
    }
    let why = if reasons.is_empty() {
        "No guessing of credentials was seen. What was stored on the suspects is known to who used them.".to_owned()
    } else {
        format!(
            "{}. What was stored on the suspects is known to who used them.",
            reasons.join(". ")
        )
    };
    step(
        steps,
        "Change credentials: those stored on the suspects, those of the attacked services, and the lists of accepted AE titles.".to_owned(),
        why,
    );
}

/// Whose data it was, others know.
fn ask_logs(incident: &Incident, steps: &mut Vec<Step>) {
    let moved = incident
        .exchanges
        .iter()
        .filter(|one| one.bytes_to_suspect + one.bytes_from_suspect > 0);
    let asked: Vec<String> = moved
        .map(|one| {
            let other = if one.by_suspect {
                one.server
            } else {
                one.client
            };
            let log = match one.protocol.as_str() {
                "DICOM" => "its audit log (DICOM PS3.15 annex A.5)",
                "HL7" => "its message log",
                _ => "its access log",
            };
            format!(
                "{other} ({}): {log}, {} to {}, {} to the suspect",
                one.protocol,
                utc_moment(one.first),
                utc_moment(one.last),
                bytes(one.bytes_to_suspect)
            )
        })
        .collect();
    if !asked.is_empty() {
        step(
            steps,
            "Find out whose data it was, for the risk assessment.".to_owned(),
            format!(
                "The sensor holds no patient data. These systems' own logs say it: {}.",
                asked.join("; ")
            ),
        );
    }
}

fn again(incident: &Incident, steps: &mut Vec<Step>) {
    let rules: Vec<String> = incident
        .containment
        .rules
        .iter()
        .filter(|rule| rule.ended.is_none())
        .map(|rule| rule.id.to_string())
        .collect();
    let suspects: Vec<String> = incident
        .containment
        .suspects
        .iter()
        .map(|one| one.address.to_string())
        .collect();
    if suspects.is_empty() {
        return;
    }
    let all = suspects.join(", ");
    if !rules.is_empty() {
        step(
            steps,
            format!(
                "Lift containment (`wardtap rules remove ID --reason ...` for rule {}) when {all} is rebuilt or cleared, its \
                 credentials are changed, and the systems that it reached are checked.",
                rules.join(", ")
            ),
            "Otherwise the attack continues where it was stopped. Rules also end by themselves: extend them if the work takes longer.".to_owned(),
        );
    }
    let resets = suspects
        .iter()
        .map(|address| format!("`wardtap devices baseline reset {address} --reason ...`"));
    let resets: Vec<String> = resets.collect();
    step(
        steps,
        format!(
            "When {all} works again, discard what was learned about it, so that learning begins again: {}.",
            resets.join(", ")
        ),
        "What it did in the incident must not count as usual, and a rebuilt system behaves differently. Watch it for its learning time.".to_owned(),
    );
}

/// Suspects, those that findings name, and those that a suspect reached itself; what care needs most comes first.
fn order(incident: &Incident) -> Vec<Turn> {
    let near = |address: IpAddr| {
        let mut reached = incident.spread.reached.iter();
        reached.any(|one| one.address == address && one.hop == 1)
    };
    let mut order: Vec<Turn> = incident
        .systems
        .iter()
        .filter(|one| one.part <= Part::Victim || near(one.address))
        // Behind a router, on the Internet: nobody at the site restores it.
        .filter(|one| !is_public(one.address) || !one.macs.is_empty())
        .map(|one| Turn {
            address: one.address,
            role: one.role,
            part: one.part,
            why: restore(one.role).1.to_owned(),
        })
        .collect();
    order.sort_by_key(|turn| (restore(turn.role).0, turn.part, turn.address));
    order
}
