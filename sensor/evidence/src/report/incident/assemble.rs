//! From facts to the report.

use super::{
    containment,
    content::{About, Incident, Other, Provenance, VERSION},
    dates, exchange,
    facts::Facts,
    limits,
    recovery::{self, Recovery},
    scope::Scope,
    spread, summary, system, timeline,
};

impl Incident {
    /// Makes the report.
    #[must_use]
    pub fn of(facts: &Facts) -> Self {
        let scope = Scope::of(facts);
        let timeline = timeline::of(facts, &scope);
        let (peers, peers_cut) = system::peers(facts, &scope);
        let spread = spread::of(facts, &scope);
        let containment = containment::of(facts, &scope);
        let alert = &facts.alert;
        let other = |one: &sensor_facts::alert::Alert| Other {
            id: one.id,
            device: one.device,
            role: one.role,
            connected: scope.is_part(one),
            opened: one.opened,
            title: one.title.clone(),
        };
        let mut incident = Self {
            v: VERSION,
            pseudonymised: false,
            incident: facts.incident.clone(),
            alert: About {
                id: alert.id,
                device: alert.device,
                role: alert.role,
                severity: alert.severity,
                confidence: alert.confidence,
                title: alert.title.clone(),
                opened: alert.opened,
                updated: alert.updated,
                closed: alert.closed,
                suppressed: alert.suppressed,
                techniques: alert.techniques.clone(),
                check: alert.check.clone(),
                label: alert.label.clone(),
            },
            patient_zero: scope.zero.map(|zero| system::of(facts, &scope, zero)),
            begin: scope.begin,
            summary: Vec::new(),
            others: facts.alerts.iter().map(other).collect(),
            timeline: timeline.happened,
            timeline_cut: timeline.cut,
            systems: system::all(facts, &scope, &peers, &spread),
            exchanges: exchange::of(facts, &scope),
            recovery: Recovery::default(),
            dates: dates::of(facts, &scope),
            unknown: limits::of(facts, &scope, &containment),
            provenance: Provenance {
                time: facts.made,
                by: facts.by.clone(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                force: facts.trail.force.clone(),
                seal: facts.seal.clone(),
            },
            peers,
            peers_cut,
            spread,
            containment,
        };
        incident.dates.factors = dates::factors(&incident);
        incident.recovery = recovery::of(&incident);
        incident.summary = summary::of(facts, &scope, &incident);
        incident
    }
}
