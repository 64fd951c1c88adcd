//! DICOM: the association, its contexts, and what was done in it.

use std::collections::BTreeMap;

use sensor_common::layer7::Reason;
use sensor_facts::event::{Association, AssociationOutcome, Responses, Side};

use super::Findings;
use crate::{
    dicom::reply::{Reply, text},
    exchange::{Exchange, Packet},
    wire::Said,
};

/// Compares what the receiver did with what the sensor says.
pub(super) fn judge(exchange: &Exchange, said: &Said, findings: &mut Findings) {
    let reply = match Reply::read(&exchange.received()) {
        Ok(reply) => reply,
        Err(error) => return findings.add("the receiver's bytes can't be read", error),
    };
    let accepted = reply.accepted.first();
    let answered = accepted.is_some() || reply.rejected.is_some();
    let associations = &said.associations;
    if !answered {
        // Nothing was done. An association that was asked for may be told of, and one that was aborted.
        for one in associations {
            let claims = matches!(
                one.outcome,
                AssociationOutcome::Accepted
                    | AssociationOutcome::Released
                    | AssociationOutcome::Rejected
            );
            if claims
                || responses(one)
                    .values()
                    .any(|it| *it != Responses::default())
            {
                findings.add(
                    "dicom: an association that was not",
                    format!("outcome {:?}", one.outcome),
                );
            }
        }
        return;
    }
    if associations.len() > 1 {
        findings.add(
            "dicom: more than one association",
            format!("{} of them", associations.len()),
        );
    }
    let Some(association) = associations.first() else {
        return findings.add("dicom: association missing", format!("{reply:?}"));
    };
    if association.midstream {
        findings.add("dicom: midstream", "though the request was answered");
    }
    findings.same(
        "dicom: reject",
        &reply.rejected,
        &association
            .reject
            .as_ref()
            .map(|it| [it.result, it.source, it.reason]),
    );
    outcome(&reply, exchange, association, findings);
    titles(exchange, association, findings);
    if let Some(contexts) = accepted {
        accepted_contexts(contexts, association, findings);
        commands(&reply, exchange, association, findings);
    }
}

fn outcome(reply: &Reply, exchange: &Exchange, association: &Association, findings: &mut Findings) {
    use AssociationOutcome::{Aborted, Cut, Rejected, Released};
    let by_client = association.abort.as_ref().map(|it| it.by) == Some(Side::Requestor);
    let right: &[AssociationOutcome] = match () {
        () if reply.rejected.is_some() => &[Rejected],
        () if reply.released => &[Released],
        () if reply.aborted.is_some() => &[Aborted],
        () if exchange.did("aborted").next().is_some() && is_aborted(exchange) => &[Aborted],
        () => &[Aborted, Cut],
    };
    if !right.contains(&association.outcome) {
        findings.add(
            format!("dicom: outcome {:?}", right[0]),
            format!("sensor {:?}", association.outcome),
        );
    }
    // Who aborts first has aborted; what the other sends then changes nothing.
    if let (Some([source, reason]), false, Aborted) =
        (reply.aborted, by_client, association.outcome)
    {
        let sensor = association.abort.as_ref().map(|it| [it.source, it.reason]);
        findings.same("dicom: abort's reason", &Some([source, reason]), &sensor);
    }
}

/// True if the client's last segment is an A-ABORT.
fn is_aborted(exchange: &Exchange) -> bool {
    let last = exchange.packets.iter().rev().find_map(|one| match one {
        Packet::Client(bytes) => Some(bytes),
        _ => None,
    });
    last.is_some_and(|bytes| bytes.starts_with(&[7, 0, 0, 0, 0, 4]) && bytes.len() == 10)
}

fn titles(exchange: &Exchange, association: &Association, findings: &mut Findings) {
    for requested in exchange.did("requested") {
        let receiver = |name: &str| {
            let title = text(requested[name].as_str().unwrap_or_default().as_bytes());
            // How to show others is the sensor's own affair.
            title
                .bytes()
                .all(|byte| byte.is_ascii_graphic() || byte == b' ')
                .then_some(title)
        };
        let sensor = [&association.calling_ae, &association.called_ae];
        for (name, sensor) in ["calling", "called"].into_iter().zip(sensor) {
            let sensor = sensor.clone().unwrap_or_default();
            if let Some(receiver) = receiver(name) {
                findings.same(&format!("dicom: {name} title"), &receiver, &sensor);
            }
        }
    }
}

fn accepted_contexts(
    contexts: &[(u8, u8, String)],
    association: &Association,
    findings: &mut Findings,
) {
    // Of an id that came twice the last one counts.
    let receiver: BTreeMap<u8, (u8, String)> = contexts
        .iter()
        .map(|(id, result, syntax)| (*id, (*result, syntax.clone())))
        .collect();
    let sensor: BTreeMap<u8, (u8, String)> = association
        .contexts
        .iter()
        .filter_map(|context| {
            let result = context.result.as_ref()?;
            let syntax = result.transfer_syntax.as_ref();
            let syntax = syntax.map(|it| it.uid.clone()).unwrap_or_default();
            Some((context.id, (result.code, syntax)))
        })
        .collect();
    if association.omitted == 0 {
        findings.same("dicom: contexts", &receiver, &sensor);
    }
}

/// Responses that the sensor saw to the client's requests, by command.
fn responses(association: &Association) -> BTreeMap<String, Responses> {
    let mut all: BTreeMap<String, Responses> = BTreeMap::new();
    let mine = association.commands.iter();
    for one in mine.filter(|it| it.scu == Side::Requestor) {
        let sum = all.entry(one.command.clone()).or_default();
        let more = &one.counts.responses;
        sum.success += more.success;
        sum.pending += more.pending;
        sum.warning += more.warning;
        sum.failure += more.failure;
        sum.cancel += more.cancel;
    }
    all.retain(|_, sum| *sum != Responses::default());
    all
}

fn commands(
    reply: &Reply,
    exchange: &Exchange,
    association: &Association,
    findings: &mut Findings,
) {
    let mut right: BTreeMap<String, Responses> = BTreeMap::new();
    for one in reply.commands.iter().filter(|it| !it.asks()) {
        let sum = right.entry(one.name()).or_default();
        match one.status {
            0 => sum.success += 1,
            0xff00 | 0xff01 => sum.pending += 1,
            0xfe00 => sum.cancel += 1,
            1 | 0x0107 | 0x0116 | 0xb000..=0xbfff => sum.warning += 1,
            _ => sum.failure += 1,
        }
    }
    findings.same("dicom: responses", &right, &responses(association));
    let requests = |command: &str| -> u64 {
        let mine = association.commands.iter();
        mine.filter(|it| it.scu == Side::Requestor && it.command == command)
            .map(|it| it.counts.requests)
            .sum()
    };
    let answered = reply.answered();
    for (command, count) in &answered {
        let sensor = requests(command);
        if sensor < *count {
            findings.add(
                "dicom: request missing",
                format!("{command}: {count} answered, sensor has {sensor}"),
            );
        }
    }
    let asked: u64 = association
        .commands
        .iter()
        .filter(|it| it.scu == Side::Requestor && it.command != "C-CANCEL")
        .map(|it| it.counts.requests)
        .sum();
    let answered: u64 = answered.values().sum();
    // What is well-formed leaves no doubt how many requests there are; a receiver may not come to all of them. Where
    // the sensor has lost its place and says so, it may take for a request what is inside of something else.
    if !association.incomplete
        && let Ok(sent) = Reply::read(&exchange.sent())
    {
        let there = sent.commands.iter().filter(|it| it.asks()).count() as u64;
        if asked > there.max(answered) {
            findings.add(
                "dicom: request that was not",
                format!("{there} sent, sensor has {asked}"),
            );
        }
    }
    for one in reply.commands.iter().filter(|it| !it.asks()) {
        // What is no UID (PS3.5, 9.1: its first component is 0, 1 or 2) could be anything, and may stay in the kernel.
        let class = one
            .class
            .as_ref()
            .filter(|class| class.bytes().all(|byte| byte.is_ascii_graphic()))
            .filter(|class| class.is_empty() || class.starts_with(['0', '1', '2']));
        let Some(class) = class else { continue };
        let found = association.commands.iter().any(|it| {
            it.command == one.name() && it.sop_class.as_ref().is_some_and(|it| it.uid == *class)
        });
        if !found && !class.is_empty() {
            findings.add("dicom: SOP class", format!("{} of {class}", one.name()));
        }
    }
    // What is beyond the bounds of the kernel is left out, and the association says so: values that are too long, and
    // hundreds of fragments in one segment.
    let bounds = [Reason::DicomLong.label(), Reason::Budget.label()];
    let lost = association.incomplete
        && !bounds
            .iter()
            .any(|it| association.skipped.contains_key(*it));
    if reply.released && asked == answered && asked > 0 && lost {
        findings.add("dicom: incomplete", "though all was answered and released");
    }
    acted(exchange, association, requests, findings);
}

/// What the receiver's own program says that it was asked.
fn acted(
    exchange: &Exchange,
    association: &Association,
    requests: impl Fn(&str) -> u64,
    findings: &mut Findings,
) {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    let mut bytes = 0;
    for one in exchange.did("command") {
        let word = |name: &str| one[name].as_str().unwrap_or_default();
        *counts.entry(word("command")).or_default() += 1;
        bytes += one["bytes"].as_u64().unwrap_or(0);
        let destination = text(word("destination").as_bytes());
        if !destination.is_empty() && !association.move_destinations.contains(&destination) {
            findings.add(
                "dicom: move destination",
                format!(
                    "{destination:?}, sensor {:?}",
                    association.move_destinations
                ),
            );
        }
    }
    for (command, count) in counts {
        let sensor = requests(command);
        if sensor < count {
            findings.add(
                "dicom: request missing",
                format!("{command}: {count} done, sensor has {sensor}"),
            );
        }
    }
    let stored: u64 = association
        .commands
        .iter()
        .filter(|it| it.command == "C-STORE" && it.scu == Side::Requestor)
        .map(|it| it.counts.request_data_bytes)
        .sum();
    let named = exchange
        .did("command")
        .filter(|one| one["command"] == "C-STORE");
    // One segment with hundreds of fragments: how many bytes it stores is not counted to its end, and `skipped` says so.
    let budget = association.incomplete && association.skipped.contains_key(Reason::Budget.label());
    let whole =
        named.count() as u64 == requests("C-STORE") && exchange.did("released").next().is_some();
    if stored < bytes && !budget || whole && stored > bytes {
        findings.add(
            "dicom: bytes stored",
            format!("receiver {bytes}, sensor {stored}"),
        );
    }
}
