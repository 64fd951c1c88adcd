//! What a device did: what [roles](super::role) are told from.

use std::{collections::BTreeMap, net::IpAddr};

use serde::{Deserialize, Serialize};

use sensor_facts::{
    event::{CommandSummary, Hl7Message, Side},
    time::Time,
};

/// Something that a device did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Deed {
    StoresImages,
    TakesImages,
    Queries,
    AnswersQueries,
    Pulls,
    AnswersPulls,
    AsksWorklist,
    OffersWorklist,
    ReportsProcedures,
    TakesProcedures,
    SendsAdmissions,
    SendsResults,
    SendsOrders,
    SendsAlarms,
    SendsDeviceData,
    SendsInfusions,
    TakesAdmissions,
    TakesResults,
    TakesOrders,
    TakesInfusions,
    TakesDeviceData,
    Routes,
}

impl Deed {
    fn words(self) -> &'static str {
        match self {
            Self::StoresImages => "sends C-STORE to",
            Self::TakesImages => "takes C-STORE from",
            Self::Queries => "sends C-FIND to",
            Self::AnswersQueries => "answers C-FIND of",
            Self::Pulls => "sends C-MOVE or C-GET to",
            Self::AnswersPulls => "answers C-MOVE or C-GET of",
            Self::AsksWorklist => "asks for the worklist of",
            Self::OffersWorklist => "gives its worklist to",
            Self::ReportsProcedures => "reports procedure steps to",
            Self::TakesProcedures => "takes procedure steps from",
            Self::SendsAdmissions => "sends HL7 admissions (ADT) to",
            Self::SendsResults => "sends HL7 results (ORU) to",
            Self::SendsOrders => "sends HL7 orders to",
            Self::SendsAlarms => "sends HL7 alarms (ORU^R40) to",
            Self::SendsDeviceData => "sends HL7 data of devices (application with EUI-64) to",
            Self::SendsInfusions => "sends HL7 infusion orders (RGV) to",
            Self::TakesAdmissions => "takes HL7 admissions (ADT) from",
            Self::TakesResults => "takes HL7 results (ORU) from",
            Self::TakesOrders => "takes HL7 orders from",
            Self::TakesInfusions => "takes HL7 infusion orders (RGV) from",
            Self::TakesDeviceData => "takes HL7 data of devices from",
            Self::Routes => {
                "its Ethernet address stands for many addresses, as a router's, also that of"
            }
        }
    }
}

/// Peers kept of a deed.
const PEERS_MAX: usize = 4;

/// When and with whom first.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Done {
    first: Time,
    peers: Vec<IpAddr>,
    name: Option<String>,
}

/// What a device did. At most one entry a kind of deed, with a few peers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Deeds(BTreeMap<Deed, Done>);

impl Deeds {
    /// Adds a deed, done with `peer` under `name`.
    pub(super) fn add(&mut self, deed: Deed, peer: IpAddr, name: Option<&str>, now: Time) {
        let done = self.0.entry(deed).or_insert_with(|| Done {
            first: now,
            peers: Vec::new(),
            name: name.map(str::to_owned),
        });
        done.first = done.first.min(now);
        if done.peers.len() < PEERS_MAX && !done.peers.contains(&peer) {
            done.peers.push(peer);
        }
    }

    pub(super) fn has(&self, deed: Deed) -> bool {
        self.0.contains_key(&deed)
    }

    pub(super) fn count(&self, deeds: &[Deed]) -> usize {
        deeds.iter().filter(|deed| self.has(**deed)).count()
    }

    /// When it was first done.
    pub(super) fn first(&self, deed: Deed) -> Option<Time> {
        self.0.get(&deed).map(|done| done.first)
    }

    pub(super) fn reason(&self, deed: Deed) -> Option<String> {
        let done = self.0.get(&deed)?;
        let peers: Vec<_> = done.peers.iter().map(IpAddr::to_string).collect();
        let name = done.name.as_ref();
        let name = name.map_or_else(String::new, |name| format!(" as {name}"));
        let (words, peers, first) = (deed.words(), peers.join(", "), done.first);
        Some(format!("{words} {peers}{name} since {first}"))
    }
}

/// The SOP class of the modality worklist (PS3.4 annex K).
const WORKLIST: &str = "1.2.840.10008.5.1.4.31";

/// What a side of an association did by a command that was answered, or asked for.
pub(super) fn deed_of(command: &CommandSummary, side: Side) -> Option<Deed> {
    let asks = command.scu == side;
    let uid = command.sop_class.as_ref().map(|class| class.uid.as_str());
    let (asking, answering) = match command.command.as_str() {
        "C-STORE" => (Deed::StoresImages, Deed::TakesImages),
        "C-FIND" if uid == Some(WORKLIST) => (Deed::AsksWorklist, Deed::OffersWorklist),
        "C-FIND" => (Deed::Queries, Deed::AnswersQueries),
        "C-MOVE" | "C-GET" => (Deed::Pulls, Deed::AnswersPulls),
        "N-CREATE" | "N-SET" => (Deed::ReportsProcedures, Deed::TakesProcedures),
        _ => return None,
    };
    let answers = &command.counts.responses;
    // Who refuses all is nothing for it.
    let served = answers.success + answers.pending + answers.warning > 0;
    if asks {
        Some(asking)
    } else {
        served.then_some(answering)
    }
}

/// What sender and receiver of a message do by it (HL7 table 0003, IHE PCD technical framework).
pub(super) fn deeds_of(message: &Hl7Message) -> (Option<Deed>, Option<Deed>) {
    if message.ack_code.is_some() {
        return (None, None);
    }
    let code = message.message_code.as_deref().unwrap_or_default();
    let application = message.sending_application.as_deref().unwrap_or_default();
    match (code, message.trigger_event.as_deref()) {
        ("ORU", Some("R40")) => (Some(Deed::SendsAlarms), Some(Deed::TakesDeviceData)),
        ("ORU", _) if application.contains("EUI-64") => {
            (Some(Deed::SendsDeviceData), Some(Deed::TakesDeviceData))
        }
        ("RGV", _) => (Some(Deed::SendsInfusions), Some(Deed::TakesInfusions)),
        ("ADT", _) => (Some(Deed::SendsAdmissions), Some(Deed::TakesAdmissions)),
        ("ORU" | "MDM", _) => (Some(Deed::SendsResults), Some(Deed::TakesResults)),
        ("ORM" | "OMG" | "OML" | "OMI" | "OMP" | "RDE" | "SIU", _) => {
            (Some(Deed::SendsOrders), Some(Deed::TakesOrders))
        }
        _ => (None, None),
    }
}
