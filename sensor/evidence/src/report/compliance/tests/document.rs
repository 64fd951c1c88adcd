//! What the report says: the exchanges of clinical data, and the rule that it cites.

use super::*;

fn contact(port: u16, app: &'static str, last: u8) -> Contact {
    Contact {
        client: [10, 0, 0, last].into(),
        server: [10, 0, 0, 1].into(),
        proto: "TCP".into(),
        port: Some(port),
        app: Some(app.into()),
        first: at(110),
        last: at(111),
        flows: 2,
        refused: 0,
        bytes_to_server: 1_000,
        bytes_to_client: 10,
    }
}

#[test]
fn the_map_says_who_exchanges_what_and_whether_it_is_encrypted() {
    let mut month = Month::new(vec![(50, Actor::Daemon, started("aa"))]);
    month.contacts = vec![
        contact(104, "dicom", 2),
        contact(2_762, "tls", 3),
        // The web is no clinical data.
        contact(443, "tls", 4),
        contact(6_661, "hl7", 5),
    ];
    let report = month.report();
    assert_eq!((report.exchanges.clear, report.exchanges.encrypted), (2, 1));
    let dicom = &report.exchanges.pairs[0];
    assert_eq!((dicom.flows, dicom.bytes), (Some(2), Some(1_010)));
}

#[test]
fn it_cites_the_rule_and_never_judges() {
    let mut month = contained();
    month.missing = vec!["the store can't be read".to_owned()];
    let report = month.report();
    let again: Compliance = serde_json::from_value(serde_json::to_value(&report).unwrap()).unwrap();
    assert_eq!(again, report);
    let document = document(&report);
    assert!(
        document
            .sections
            .iter()
            .all(|section| !section.serves.is_empty())
    );
    let text = markdown(&document);
    for part in [
        "164.308(a)(1)(ii)(A)",
        "164.308(a)(1)(ii)(D)",
        "164.308(a)(5)(ii)(B)",
        "164.308(a)(6)(ii)",
        "164.308(a)(8)",
        "164.312(b)",
        "164.312(d)",
        "164.312(e)(1)",
        "164.316(b)(2)(i)",
        "the store can't be read",
        "seen at the desk",
    ] {
        // Markdown may escape what is special in it.
        assert!(
            text.replace('\\', "").contains(part),
            "{part} is not in:\n{text}"
        );
    }
    let page = html(&document);
    for said in [text, page] {
        let said = said.to_lowercase();
        for judgement in ["compliant", "is met", "fulfilled", "passed", "satisfies"] {
            assert!(!said.contains(judgement), "it says {judgement:?}");
        }
    }
}
