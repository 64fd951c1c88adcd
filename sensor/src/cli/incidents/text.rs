//! An incident for people, 80 columns wide.

use sensor_analysis::incident::{Claim, Step, Story};
use sensor_facts::incident::Incident;

use crate::{
    cli::{alerts::Page, table::local},
    list::incident_states,
};

/// Victims that a step names.
const VICTIMS: usize = 4;

/// Who, what in which order, to whom, how far, what may come next, what people noted.
pub(in crate::cli) fn text(story: &Story) -> String {
    let incident = &story.incident;
    let mut page = Page::default();
    head(&mut page, incident);
    page.heading("Who");
    for claim in &story.who {
        say(&mut page, claim);
    }
    page.heading("What happened, in order");
    for step in &story.steps {
        happened(&mut page, step);
    }
    if incident.alerts_cut > 0 {
        page.line(2, &format!("({} more alerts)", incident.alerts_cut));
    }
    let rest = [
        ("To whom", &story.whom),
        ("How far", &story.far),
        ("What may come next", &story.next),
    ];
    for (title, claim) in rest {
        if let Some(claim) = claim {
            page.heading(title);
            say(&mut page, claim);
        }
    }
    if !incident.links.is_empty() {
        page.heading("Why these alerts belong together");
    }
    for link in &incident.links {
        page.line(
            2,
            &format!("alerts {} and {}: {}", link.from, link.to, link.because),
        );
    }
    if !incident.notes.is_empty() {
        page.heading("Notes");
    }
    for note in &incident.notes {
        page.line(
            2,
            &format!("{} {}: {}", local(note.time), note.by, note.note),
        );
    }
    if let Some(label) = &incident.label {
        page.heading("Label");
        let (verdict, time) = (label.verdict.label(), local(label.time));
        page.line(
            2,
            &format!("{verdict} by {} on {time}: {}", label.by, label.reason),
        );
    }
    page.0
}

fn head(page: &mut Page, incident: &Incident) {
    page.line(
        0,
        &format!(
            "Incident I{}: {}, confidence {:.0} %, {}",
            incident.id,
            incident.severity,
            incident.confidence * 100.0,
            incident_states(incident).join(", "),
        ),
    );
    page.line(0, &incident.title);
    let (opened, updated) = (local(incident.opened), local(incident.updated));
    page.line(0, &format!("{opened} to {updated}"));
    if let Some(end) = &incident.end {
        let time = local(end.time);
        page.line(
            0,
            &format!("Closed on {time} by {}: {}", end.by, end.reason),
        );
    }
    let named = |ids: &[u64]| -> String {
        let ids: Vec<String> = ids.iter().map(|one| format!("I{one}")).collect();
        ids.join(", ")
    };
    if !incident.took_in.is_empty() {
        page.line(0, &format!("It took in {}.", named(&incident.took_in)));
    }
    if let Some(from) = incident.split_from {
        page.line(0, &format!("It was a part of I{from}."));
    }
    if !incident.apart.is_empty() {
        let apart = named(&incident.apart);
        page.line(0, &format!("A person separated it from {apart}."));
    }
}

fn say(page: &mut Page, claim: &Claim) {
    page.line(2, &format!("{}{}", claim.text, resting(&claim.alerts)));
}

/// The alerts that a statement rests on.
fn resting(alerts: &[u64]) -> String {
    let named: Vec<String> = alerts.iter().map(ToString::to_string).collect();
    match named.as_slice() {
        [] => String::new(),
        [one] => format!(" (alert {one})"),
        many => format!(" (alerts {})", many.join(", ")),
    }
}

fn happened(page: &mut Page, step: &Step) {
    let stage = step
        .stage
        .map_or_else(String::new, |stage| format!("{stage}, "));
    let role = if step.role.is_victim() {
        " (victim)"
    } else {
        ""
    };
    page.line(
        2,
        &format!(
            "{}  {}{role}: {stage}{}",
            local(step.time),
            step.device,
            step.technique
        ),
    );
    let rests = step.alert.map_or_else(
        || "a hint, too weak for an alert".to_owned(),
        |alert| format!("alert {alert}"),
    );
    page.line(
        6,
        &format!(
            "{} ({}, {:.0} %; {rests})",
            step.evidence,
            step.detector,
            step.confidence * 100.0
        ),
    );
    if step.victims.is_empty() {
        return;
    }
    let named: Vec<String> = step
        .victims
        .iter()
        .take(VICTIMS)
        .map(ToString::to_string)
        .collect();
    let more = match step.victim_count.saturating_sub(named.len() as u64) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let way = match (step.are_sources, step.role.is_victim()) {
        (true, _) => "from",
        (false, true) => "and",
        (false, false) => "to",
    };
    page.line(6, &format!("{way} {}{more}", named.join(", ")));
}
