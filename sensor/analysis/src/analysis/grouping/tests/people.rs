//! What people do with incidents.

use sensor_facts::{
    alert::{Label, Verdict},
    time::Time,
};

use super::{Ward, host, person};

fn label(verdict: Verdict) -> Label {
    Label {
        verdict,
        by: person(),
        time: Ward::time(50),
        reason: "it was looked at".to_owned(),
    }
}

fn now() -> Time {
    Ward::time(60)
}

/// Two attacks that nothing connects.
fn two() -> Ward {
    let mut ward = Ward::new();
    ward.find(0, host(66), "T1110", &[host(40)]);
    ward.find(1, host(80), "T1110", &[host(41)]);
    ward
}

#[test]
fn a_person_merges_and_splits() {
    let mut ward = two();
    let incidents = ward.analysis.incidents_mut();
    assert!(incidents.merge(1, 1, &person(), now()).is_err());
    assert!(
        incidents
            .merge(1, 7, &person(), now())
            .unwrap_err()
            .contains("no incident I7")
    );
    let one = incidents.merge(2, 1, &person(), now()).unwrap();
    assert_eq!((one.id, one.took_in.clone()), (1, vec![2]));
    assert!(
        incidents
            .merge(2, 1, &person(), now())
            .unwrap_err()
            .contains("part of I1")
    );
    assert!(incidents.split(1, &[host(99)], now()).is_err());
    assert!(incidents.split(1, &[host(66), host(80)], now()).is_err());
    let new = incidents.split(1, &[host(80)], now()).unwrap();
    assert_eq!((new.id, new.split_from), (3, Some(1)));
    assert_eq!(new.victims, [host(41)]);
    assert_eq!(ward.suspects(), [[host(66)], [host(80)]]);
    assert_eq!(ward.open()[0].victims, [host(40)]);
    // No rule joins the two again, and what comes later goes to its own part.
    ward.find(3, host(66), "T1021", &[host(80)]);
    ward.find(75, host(80), "T1046", &[host(42)]);
    assert_eq!(ward.suspects(), [[host(66)], [host(80)]]);
    // A person may.
    let incidents = ward.analysis.incidents_mut();
    incidents.merge(1, 3, &person(), now()).unwrap();
    assert_eq!(ward.open().len(), 1);
}

#[test]
fn an_alert_that_was_nothing_leaves_and_the_rest_falls_apart() {
    let mut ward = Ward::new();
    ward.find(0, host(66), "T1021", &[host(30)]);
    ward.find(10, host(30), "T1021", &[host(31)]);
    ward.find(20, host(31), "T1486", &[host(32)]);
    assert_eq!(ward.open().len(), 1);
    ward.analysis.label(2, &label(Verdict::Benign)).unwrap();
    assert_eq!(ward.suspects(), [[host(66)], [host(31)]]);
    assert_eq!(ward.open()[1].split_from, Some(1));
    assert_eq!(ward.analysis.incidents().of_alert(2), None);
    assert!(!ward.open()[0].victims.contains(&host(31)));
}

#[test]
fn a_label_of_an_incident_is_one_of_each_of_its_alerts() {
    let mut ward = Ward::new();
    ward.find(0, host(66), "T1021", &[host(30)]);
    ward.find(10, host(30), "T1046", &[host(31)]);
    let done = ward.analysis.label_incident(1, &label(Verdict::Malicious));
    assert_eq!(done.unwrap().alerts.len(), 2);
    let verdict = |ward: &Ward, id| ward.analysis.alerts().get(id).unwrap().label.clone();
    assert_eq!(verdict(&ward, 1).unwrap().verdict, Verdict::Malicious);
    assert_eq!(ward.open().len(), 1, "an attack goes on until it is closed");
    assert_eq!(ward.analysis.cases().count(), (0, 2), "models learn of it");
    ward.analysis
        .label_incident(1, &label(Verdict::Benign))
        .unwrap();
    assert!(ward.open().is_empty());
    assert_eq!(verdict(&ward, 2).unwrap().verdict, Verdict::Benign);
    let incident = ward.analysis.incidents().get(1).unwrap();
    assert_eq!(incident.alerts.len(), 2, "its alerts stay with it");
}

#[test]
fn what_was_closed_too_early_goes_on() {
    let mut ward = two();
    let incidents = ward.analysis.incidents_mut();
    assert!(incidents.close(1, &person(), now(), " ").is_err());
    incidents.close(1, &person(), now(), "taken away").unwrap();
    assert!(incidents.close(1, &person(), now(), "again").is_err());
    assert_eq!(ward.suspects(), [[host(80)]]);
    ward.find(20, host(66), "T1110", &[host(40)]);
    assert_eq!(ward.open().len(), 1, "more of the same changes nothing");
    ward.find(21, host(66), "T1486", &[host(40)]);
    assert_eq!(ward.suspects(), [[host(66)], [host(80)]]);
}

#[test]
fn notes_are_kept_also_of_what_is_closed() {
    let mut ward = two();
    let incidents = ward.analysis.incidents_mut();
    assert!(incidents.note(1, &person(), now(), "").is_err());
    incidents.close(1, &person(), now(), "taken away").unwrap();
    incidents
        .note(1, &person(), now(), "ward 3 has it")
        .unwrap();
    assert_eq!(incidents.get(1).unwrap().notes[0].note, "ward 3 has it");
}

#[test]
fn the_story_names_the_alert_of_each_statement() {
    let mut ward = Ward::new();
    ward.find(0, host(66), "T1021", &[host(30)]);
    ward.find(10, host(30), "T1486", &[host(31)]);
    let story = ward.analysis.story(1).unwrap();
    let steps: Vec<_> = story
        .steps
        .iter()
        .map(|one| (one.device, one.alert))
        .collect();
    assert_eq!(steps, [(host(66), Some(1)), (host(30), Some(2))]);
    assert!(story.who[0].text.contains("10.77.1.66") && story.who[0].alerts == [1]);
    assert!(story.who[1].text.contains("10.77.1.30 was attacked before"));
    assert_eq!(story.who[1].alerts, [1, 2]);
    let whom = story.whom.unwrap();
    assert!(
        whom.text.contains("10.77.1.30 (suspected too), 10.77.1.31"),
        "{whom:?}"
    );
    assert!(story.far.unwrap().text.contains("Impact (ATT&CK TA0040)"));
    assert!(story.next.unwrap().text.contains("usually"));
}

#[test]
fn a_guess_at_passwords_is_further_than_a_scan() {
    let mut ward = Ward::new();
    ward.find(0, host(66), "T1046", &[host(30)]);
    ward.find(1, host(66), "T1110", &[host(30)]);
    let far = ward.analysis.story(1).unwrap().far.unwrap();
    assert!(far.text.contains("Credential Access"), "{far:?}");
}
