//! From facts to the report.

use super::{
    content::{Compliance, ExposureTop},
    coverage, ephi,
    facts::Facts,
    incidents, people,
};

/// Devices of the exposure ranking that the report has.
const TOP: usize = 10;

/// Makes the report.
#[must_use]
pub fn report(facts: Facts<'_>) -> Compliance {
    let ranked = &facts.exposure.ranked;
    Compliance {
        time: facts.time,
        since: facts.since,
        until: facts.until,
        version: facts.version.to_owned(),
        pseudonymised: false,
        coverage: coverage::coverage(facts),
        inventory: ephi::inventory(facts),
        exchanges: ephi::exchanges(facts),
        incidents: incidents::incidents(facts),
        acts: people::acts(facts),
        trail: facts.trail.state.clone(),
        exposure: ExposureTop {
            devices: facts.exposure.devices as u64,
            weak: ranked.len() as u64,
            top: ranked.iter().take(TOP).cloned().collect(),
        },
        missing: facts.missing.to_vec(),
    }
}
