//! Incidents as CEF.

use sensor_facts::{event::IncidentReport, incident::Stage};

use super::{
    line::{Line, TEXT, WORD},
    millis, severity,
};

pub(super) fn of(report: &IncidentReport) -> Line {
    let incident = &report.incident;
    let mut line = Line::new("incident", &incident.title, severity(incident.severity));
    line.put("cat", "incident", TEXT);
    line.custom("cs2", "change", report.change.label());
    line.custom("cn1", "incident", incident.id);
    line.custom("cfp1", "confidence", format!("{:.3}", incident.confidence));
    line.custom("cs1", "ATT&CK", incident.techniques.join(" "));
    let stages: Vec<&str> = incident.stages().into_iter().map(Stage::label).collect();
    line.custom("cs3", "stages", stages.join(", "));
    let alerts = incident.alerts.iter();
    let alerts: Vec<String> = alerts.map(|one| one.alert.to_string()).collect();
    line.custom("cs4", "alerts", alerts.join(" "));
    let suspects = incident.suspects();
    let others = suspects.iter();
    let others = others.filter(|one| Some(**one) != incident.first_affected);
    let others: Vec<String> = others.map(ToString::to_string).collect();
    line.custom("cs5", "more suspects", others.join(" "));
    line.put("cnt", incident.alerts.len(), WORD);
    line.put("start", millis(incident.opened), WORD);
    let end = incident.end.as_ref();
    let end = end.map_or(incident.updated, |end| end.time);
    line.put("end", millis(end), WORD);
    if let Some(end) = &incident.end {
        line.put("reason", &end.reason, TEXT);
    }
    line.put("msg", &incident.title, TEXT);
    if let Some(first) = incident.first_affected {
        line.source(first, None);
    }
    let mut victims = incident.victims.iter();
    if let Some(victim) = victims.next() {
        line.destination(*victim);
    }
    let more: Vec<String> = victims.map(ToString::to_string).collect();
    line.custom("cs6", "more destinations", more.join(" "));
    line
}

#[cfg(test)]
mod tests {
    use super::super::{line::tests::read, of};
    use crate::{origin::Origin, tests::incident};

    #[test]
    fn an_incident_names_its_suspects_and_alerts() {
        let origin = Origin {
            host: "sensor-1".to_owned(),
            process: 1,
        };
        let (fields, values) = read(&of(&incident(), &origin).expect("a line"));
        assert_eq!(fields[4], "incident");
        for (key, value) in [
            ("src", "10.0.0.3"),
            ("dst", "10.0.0.9"),
            ("cn1", "4"),
            ("cs1", "T1046"),
            ("cs3", "Discovery"),
            ("cs4", "17"),
            ("cs2", "opened"),
            ("cnt", "1"),
        ] {
            assert_eq!(values.get(key).map(String::as_str), Some(value), "{key}");
        }
        assert!(!values.contains_key("cs5"), "there is one suspect");
    }
}
