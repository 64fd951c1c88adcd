//! Which AE titles a DICOM server lets in.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::IpAddr,
};

use sensor_sessions::inventory::HostReport;

use super::{Facts, Weakness, WeaknessKind, assess::first};

const UNUSUAL: u64 = 20;
const NOT_BOUND: u64 = 10;
/// The detector that knows which titles are usual.
const DETECTOR: &str = "unknown_modality";

/// What is known of all devices.
pub(super) struct Callers {
    /// The address that a device has now, by those that it had.
    moved: HashMap<IpAddr, IpAddr>,
    /// Devices whose title was found to be unusual, by the server that they called.
    unusual: HashMap<IpAddr, BTreeSet<IpAddr>>,
}

impl Callers {
    pub(super) fn of(facts: Facts<'_>) -> Self {
        let moved = facts.hosts.iter().flat_map(|host| {
            let before = host.addresses_before.iter();
            before.map(|one| (one.address, host.address))
        });
        let mut unusual: HashMap<IpAddr, BTreeSet<IpAddr>> = HashMap::new();
        for alert in facts.alerts.iter().filter(|alert| !alert.is_benign()) {
            let findings = alert.findings.iter();
            for found in findings.filter(|one| one.detector == DETECTOR) {
                for server in &found.victims {
                    unusual.entry(*server).or_default().insert(found.subject);
                }
            }
        }
        Self {
            moved: moved.collect(),
            unusual,
        }
    }

    pub(super) fn weaknesses(&self, host: &HostReport) -> Vec<Weakness> {
        let rejected = host.callers.iter().filter(|one| one.rejected).count();
        let rejects = match rejected {
            0 => "it was not seen to reject anyone".to_owned(),
            some => format!("it rejected {some} callers at times"),
        };
        let found = [self.accepts_unusual(host), self.binds_no_title(host)];
        let found = found.into_iter().flatten();
        found
            .map(|mut one| {
                one.evidence = format!("{}; {rejects}", one.evidence);
                one
            })
            .collect()
    }

    /// It let in who was found to be unusual, unless a person called that benign.
    fn accepts_unusual(&self, host: &HostReport) -> Option<Weakness> {
        let unusual = self.unusual.get(&host.address)?;
        let callers = host.callers.iter();
        let accepted: Vec<String> = callers
            .filter(|one| one.accepted && unusual.contains(&one.address))
            .map(|one| format!("{:?} of {}", one.title, one.address))
            .collect();
        (!accepted.is_empty()).then(|| {
            let evidence = format!(
                "it accepted AE titles that are not usual: {}",
                first(accepted.iter())
            );
            Weakness::new(WeaknessKind::UnusualTitleAccepted, UNUSUAL, evidence)
        })
    }

    /// It lets one title in from several devices.
    fn binds_no_title(&self, host: &HostReport) -> Option<Weakness> {
        let mut by_title: BTreeMap<&str, BTreeSet<IpAddr>> = BTreeMap::new();
        for caller in host.callers.iter().filter(|one| one.accepted) {
            let now = self.moved.get(&caller.address).copied();
            let device = now.unwrap_or(caller.address);
            by_title.entry(&caller.title).or_default().insert(device);
        }
        let shared: Vec<String> = by_title
            .iter()
            .filter(|(_, devices)| devices.len() > 1)
            .map(|(title, devices)| format!("{title:?} from {}", first(devices.iter())))
            .collect();
        (!shared.is_empty()).then(|| {
            let evidence = format!(
                "it accepted one AE title from several devices: {}",
                first(shared.iter())
            );
            Weakness::new(WeaknessKind::TitleNotBound, NOT_BOUND, evidence)
        })
    }
}
