//! Whether the sensor says of an exchange what the receiver did.

mod dicom;
mod hl7;

use std::fmt::Write;

use super::{
    exchange::Exchange,
    hl7::make::CANARY,
    receivers::{Language, Receiver},
    wire::{Said, watch},
};

/// A disagreement.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    /// Its class: exchanges with the same one are likely wrong for the same reason.
    pub(crate) class: String,
    /// What the receiver did, and what the sensor says.
    pub(crate) detail: String,
}

/// Collects disagreements.
#[derive(Debug, Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, class: impl Into<String>, detail: impl Into<String>) {
        self.0.push(Finding {
            class: class.into(),
            detail: detail.into(),
        });
    }

    /// Adds a disagreement unless both are the same.
    fn same<T: PartialEq + std::fmt::Debug>(&mut self, class: &str, receiver: &T, sensor: &T) {
        if receiver != sensor {
            self.add(class, format!("receiver {receiver:?}, sensor {sensor:?}"));
        }
    }
}

/// All that is wrong with what the sensor says of an exchange.
pub(crate) fn judge(exchange: &Exchange, receiver: &Receiver) -> Vec<Finding> {
    let said = watch(exchange, receiver.port);
    let mut findings = Findings::default();
    if let Some(broken) = &said.broken {
        findings.add("broken", broken.clone());
    }
    let canary = CANARY.as_bytes();
    if said.tape.windows(canary.len()).any(|bytes| bytes == canary) {
        findings.add("patient data", "the patient's name left the kernel");
    }
    match receiver.language {
        Language::Dicom => dicom::judge(exchange, &said, &mut findings),
        Language::Hl7 => hl7::judge(exchange, &said, &mut findings),
    }
    findings.0
}

/// What the sensor says, in short.
pub(crate) fn in_short(said: &Said) -> String {
    let mut text = String::new();
    for one in &said.associations {
        let commands: Vec<_> = one
            .commands
            .iter()
            .map(|it| format!("{}× {}", it.counts.requests, it.command))
            .collect();
        let _ = write!(
            text,
            "association {:?}->{:?} {:?}{}{} [{}]; ",
            one.calling_ae.as_deref().unwrap_or("-"),
            one.called_ae.as_deref().unwrap_or("-"),
            one.outcome,
            if one.midstream { " midstream" } else { "" },
            if one.incomplete { " incomplete" } else { "" },
            commands.join(", ")
        );
    }
    for one in &said.messages {
        let _ = write!(
            text,
            "{} {:?} id {:?} ack {:?} of {:?}{}; ",
            if one.to_server { "message" } else { "answer" },
            one.message_type.as_deref().unwrap_or("-"),
            one.control_id.as_deref().unwrap_or("-"),
            one.ack_code.as_deref().unwrap_or("-"),
            one.ack_control_id.as_deref().unwrap_or("-"),
            if one.complete { "" } else { " incomplete" },
        );
    }
    if text.is_empty() {
        "nothing".to_owned()
    } else {
        text
    }
}
