//! Labelled alerts with their evidence: malicious ones are cases that later thresholds and models have to find
//! again, benign ones join the calibration of models when they are trained anew, offline. Kept in `cases.json` in
//! the state directory.

use std::{collections::VecDeque, io, net::SocketAddr, path::Path};

use sensor_facts::{
    alert::{Alert, Verdict},
    files,
    time::Time,
};
use serde::{Deserialize, Serialize};

use crate::model::features::{Row, SCHEMA};

/// Cases that are kept of each verdict; beyond it the oldest makes room.
const CASES_MAX: usize = 200;
/// Flows that are kept of each.
pub(crate) const FLOWS_MAX: usize = 64;
const FILE: &str = "cases.json";

/// A flow of the device, as models see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CaseFlow {
    /// When it was over, or reported.
    pub time: Time,
    /// Who opened it.
    pub client: SocketAddr,
    /// To whom.
    pub server: SocketAddr,
    /// IP protocol number.
    pub protocol: u8,
    /// The features, in the order of the schema.
    pub values: Vec<f32>,
}

impl From<Row> for CaseFlow {
    fn from(row: Row) -> Self {
        Self {
            time: row.time,
            client: row.client,
            server: row.server,
            protocol: row.protocol,
            values: row.values.to_vec(),
        }
    }
}

/// A labelled alert with its evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// The alert with its label, findings and contributing features.
    pub alert: Alert,
    /// Names the features of the flows: [`SCHEMA`](crate::model::features::SCHEMA) of when they were kept.
    pub schema: String,
    /// The device's flows around the alert, as far as they were still known.
    pub flows: Vec<CaseFlow>,
}

impl Case {
    /// What a person said of it.
    #[must_use]
    pub fn verdict(&self) -> Option<Verdict> {
        self.alert.label.as_ref().map(|label| label.verdict)
    }

    /// Its flows, unless they are of another schema.
    pub fn rows(&self) -> impl Iterator<Item = Row> {
        let flows = if self.schema == SCHEMA {
            self.flows.as_slice()
        } else {
            &[]
        };
        flows.iter().filter_map(|flow| {
            Some(Row {
                time: flow.time,
                client: flow.client,
                server: flow.server,
                protocol: flow.protocol,
                values: flow.values.as_slice().try_into().ok()?,
            })
        })
    }
}

/// All cases. See the module's description.
#[derive(Debug, Default)]
pub struct Cases {
    cases: VecDeque<Case>,
    changed: bool,
}

impl Cases {
    /// Reads what was kept.
    #[must_use]
    pub fn open(folder: &Path) -> Self {
        Self {
            cases: files::read(&folder.join(FILE)),
            changed: false,
        }
    }

    /// Writes what is new to the disk.
    ///
    /// # Errors
    /// When the file can't be written; it is tried again with the next call.
    pub fn save(&mut self, folder: &Path) -> io::Result<()> {
        if self.changed {
            files::write(&folder.join(FILE), &self.cases)?;
            self.changed = false;
        }
        Ok(())
    }

    /// Keeps a case; one of the same alert makes room, its flows stay if there are no others.
    pub fn keep(&mut self, mut case: Case) {
        self.changed = true;
        let same = |one: &Case| one.alert.id == case.alert.id;
        if let Some(before) = self.cases.iter().position(same)
            && let Some(before) = self.cases.remove(before)
            && case.flows.is_empty()
        {
            case.flows = before.flows;
            case.schema = before.schema;
        }
        let alike = |one: &&Case| one.verdict() == case.verdict();
        if self.cases.iter().filter(alike).count() >= CASES_MAX
            && let Some(oldest) = self.cases.iter().position(|one| alike(&one))
        {
            self.cases.remove(oldest);
        }
        self.cases.push_back(case);
    }

    /// All cases, the one labelled last first.
    pub fn all(&self) -> impl Iterator<Item = &Case> {
        self.cases.iter().rev()
    }

    /// How many there are: benign, malicious.
    #[must_use]
    pub fn count(&self) -> (u64, u64) {
        let count = |verdict| {
            let alike = |one: &&Case| one.verdict() == Some(verdict);
            self.cases.iter().filter(alike).count() as u64
        };
        (count(Verdict::Benign), count(Verdict::Malicious))
    }
}
