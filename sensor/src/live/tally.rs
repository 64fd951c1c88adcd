//! Counts of what the events say, under names that are known beforehand: an attacker's invented message
//! types must not become labels.

use sensor_facts::event::{AssociationOutcome, Body, DicomEventType, Event, Hl7Event};

/// The name for everything that has none of its own.
const OTHER: &str = "other";

/// How associations end.
const RESULTS: [&str; 6] = [
    "pending", "accepted", "rejected", "released", "aborted", "cut",
];

/// DICOM commands (PS3.7 annex E.1).
const COMMANDS: [&str; 13] = [
    "C-STORE",
    "C-GET",
    "C-FIND",
    "C-MOVE",
    "C-ECHO",
    "C-CANCEL",
    "N-EVENT-REPORT",
    "N-GET",
    "N-SET",
    "N-ACTION",
    "N-CREATE",
    "N-DELETE",
    OTHER,
];

/// HL7 message types (table 0076) that hospitals use.
const MESSAGES: [&str; 39] = [
    "ACK", "ADT", "BAR", "DFT", "MCF", "MDM", "MFK", "MFN", "MFQ", "MFR", "OMG", "OML", "OMP",
    "ORG", "ORL", "ORM", "ORR", "ORU", "OUL", "PPR", "QBP", "QCK", "QCN", "QRY", "RAS", "RDE",
    "RDS", "REF", "RGV", "RRE", "RSP", "SIU", "SQM", "SRM", "SRR", "UDM", "VXQ", "VXU", OTHER,
];

/// Acknowledgement codes (HL7 table 0008).
const CODES: [&str; 7] = ["AA", "AE", "AR", "CA", "CE", "CR", OTHER];

/// Counts by name, of a fixed list of names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts<const N: usize> {
    names: &'static [&'static str; N],
    values: [u64; N],
}

impl<const N: usize> Counts<N> {
    const fn new(names: &'static [&'static str; N]) -> Self {
        Self {
            names,
            values: [0; N],
        }
    }

    /// The last name is for those that are not in the list.
    fn add(&mut self, name: &str, count: u64) {
        let known = self.names.iter().position(|known| *known == name);
        if let Some(value) = self.values.get_mut(known.unwrap_or(N - 1)) {
            *value += count;
        }
    }

    /// Every name with its count.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.names.iter().copied().zip(self.values)
    }
}

/// What was seen of DICOM and HL7.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Associations that are over, by how they ended.
    pub associations: Counts<6>,
    /// DICOM requests of associations that are over, by command.
    pub commands: Counts<13>,
    /// HL7 messages by type (the first component of MSH-9).
    pub messages: Counts<39>,
    /// HL7 acknowledgements by code (MSA-1).
    pub acknowledgements: Counts<7>,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            associations: Counts::new(&RESULTS),
            commands: Counts::new(&COMMANDS),
            messages: Counts::new(&MESSAGES),
            acknowledgements: Counts::new(&CODES),
        }
    }
}

impl Tally {
    /// Takes an event into the counts.
    pub fn take(&mut self, event: &Event) {
        match &event.body {
            Body::Dicom { dicom } if dicom.kind != DicomEventType::Opened => {
                self.associations.add(result(dicom.association.outcome), 1);
                for command in &dicom.association.commands {
                    self.commands.add(&command.command, command.counts.requests);
                }
            }
            Body::Hl7 { hl7 } => {
                if let Hl7Event::Message(message) = hl7.as_ref() {
                    let code = message.message_code.as_deref().unwrap_or_default();
                    self.messages.add(code, 1);
                    if let Some(code) = &message.ack_code {
                        self.acknowledgements.add(code, 1);
                    }
                }
            }
            _ => {}
        }
    }
}

const fn result(outcome: AssociationOutcome) -> &'static str {
    match outcome {
        AssociationOutcome::Pending => "pending",
        AssociationOutcome::Accepted => "accepted",
        AssociationOutcome::Rejected => "rejected",
        AssociationOutcome::Released => "released",
        AssociationOutcome::Aborted => "aborted",
        AssociationOutcome::Cut => "cut",
    }
}
