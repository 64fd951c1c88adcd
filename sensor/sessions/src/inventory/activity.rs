//! What a device does with others, from which its [role](super::rules) follows.

use std::{collections::BTreeMap, net::IpAddr};

use sensor_facts::time::Time;
use serde::{Deserialize, Serialize};

/// Something that a device does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Activity {
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

impl Activity {
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

/// Peers kept of an activity.
const PEERS_MAX: usize = 4;

/// When and with whom first.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Occurrence {
    first: Time,
    peers: Vec<IpAddr>,
    name: Option<String>,
}

/// What a device did. At most one entry a kind of activity, with a few peers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Activities(BTreeMap<Activity, Occurrence>);

impl Activities {
    /// Adds an activity with `peer` under `name`.
    pub(crate) fn add(&mut self, activity: Activity, peer: IpAddr, name: Option<&str>, now: Time) {
        let occurrence = self.0.entry(activity).or_insert_with(|| Occurrence {
            first: now,
            peers: Vec::new(),
            name: name.map(str::to_owned),
        });
        occurrence.first = occurrence.first.min(now);
        if occurrence.peers.len() < PEERS_MAX && !occurrence.peers.contains(&peer) {
            occurrence.peers.push(peer);
        }
    }

    pub(crate) fn has(&self, activity: Activity) -> bool {
        self.0.contains_key(&activity)
    }

    pub(crate) fn count(&self, activities: &[Activity]) -> usize {
        activities
            .iter()
            .filter(|activity| self.has(**activity))
            .count()
    }

    /// When it was first occurrence.
    pub(crate) fn first(&self, activity: Activity) -> Option<Time> {
        self.0.get(&activity).map(|occurrence| occurrence.first)
    }

    pub(crate) fn reason(&self, activity: Activity) -> Option<String> {
        let occurrence = self.0.get(&activity)?;
        let peers: Vec<_> = occurrence.peers.iter().map(IpAddr::to_string).collect();
        let name = occurrence.name.as_ref();
        let name = name.map_or_else(String::new, |name| format!(" as {name}"));
        let (words, peers, first) = (activity.words(), peers.join(", "), occurrence.first);
        Some(format!("{words} {peers}{name} since {first}"))
    }
}
