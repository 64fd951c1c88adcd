//! Advisories after the standard, damaged ones, and whom they match.

use proptest::prelude::*;
use sensor_facts::{rule::Actor, time::Time};
use sensor_sessions::inventory::{DicomImplementation, HostName, HostReport, NameSource};
use serde_json::{Value, json};

use super::{csaf::SIZE_MAX, *};
use crate::exposure::tests::host;

const ARCHIVE: &str = include_str!("examples/archive.json");
const MONITOR: &str = include_str!("examples/monitor.json");

fn changed(text: &str, pointer: &str, value: Option<Value>) -> Vec<u8> {
    let mut document: Value = serde_json::from_str(text).unwrap();
    let (above, key) = pointer.rsplit_once('/').unwrap();
    let above = document.pointer_mut(above).unwrap();
    match (value, above) {
        (Some(value), Value::Array(list)) => list[key.parse::<usize>().unwrap()] = value,
        (Some(value), above) => above[key] = value,
        (None, above) => {
            above.as_object_mut().unwrap().remove(key).unwrap();
        }
    }
    serde_json::to_vec(&document).unwrap()
}

fn refusal(text: &[u8]) -> String {
    parse(text).unwrap_err().to_string()
}

#[test]
fn what_is_needed_is_read() {
    let advisory = parse(ARCHIVE.as_bytes()).unwrap();
    assert_eq!(
        (advisory.id.as_str(), advisory.version.as_str()),
        ("EXMA-26-063-01", "2")
    );
    assert_eq!(advisory.publisher, "Example Coordination Centre");
    assert_eq!(advisory.tlp.as_deref(), Some("WHITE"));
    assert_eq!(
        advisory.products,
        [Affected {
            vendor: "Lumenvault Ltd.".to_owned(),
            product: "Prismstore Archive Server".to_owned(),
            versions: vec!["<4.2.3".to_owned()],
            cvss: Some(9.8),
            cves: vec!["CVE-2026-90001".to_owned(), "CVE-2026-90002".to_owned()],
        }],
        "the version that is fixed is not affected"
    );
    assert_eq!(
        advisory.remedies,
        [
            "Update to version 4.2.3 or later.",
            "Let only known devices reach it."
        ]
    );
}

#[test]
fn families_relationships_and_older_scores_are_read() {
    let advisory = parse(MONITOR.as_bytes()).unwrap();
    let products: Vec<_> = advisory
        .products
        .iter()
        .map(|one| (one.vendor.as_str(), one.product.as_str(), one.cvss))
        .collect();
    assert_eq!(
        products,
        [
            ("Quietwave Health", "QM7000 Patient Monitor", Some(6.4)),
            ("Quietwave Health", "Bedlink Firmware", None),
        ]
    );
}

#[test]
fn an_error_names_its_place() {
    let first = "/vulnerabilities/0/product_status/known_affected";
    for (pointer, value, says) in [
        (
            "/document/tracking/id",
            None,
            "document.tracking.id: it is missing",
        ),
        (
            "/document/csaf_version",
            Some(json!("2.1")),
            "document.csaf_version: only CSAF 2.0",
        ),
        (
            "/document/title",
            Some(json!(7)),
            "document.title: it is no text",
        ),
        (
            "/document/title",
            Some(json!(" \u{7} ")),
            "document.title: it is empty",
        ),
        (
            "/document/title",
            Some(json!("x".repeat(600))),
            "longer than 512",
        ),
        ("/product_tree", None, "product_tree: it is missing"),
        (
            "/product_tree/branches",
            Some(json!({})),
            "product_tree.branches: it is no list",
        ),
        (
            "/product_tree/branches/0/branches/0/branches/1/product/product_id",
            Some(json!("CSAFPID-0001")),
            "product_tree.branches[0].branches[0].branches[1].product.product_id: another product",
        ),
        (
            first,
            Some(json!(["NOBODY"])),
            "known_affected[0]: the product tree has no product \"NOBODY\"",
        ),
        (
            "/vulnerabilities/1/scores/0/cvss_v3/baseScore",
            Some(json!(11)),
            "vulnerabilities[1].scores[0].cvss_v3.baseScore: it is no number from 0 to 10",
        ),
        (
            "/vulnerabilities",
            Some(json!([])),
            "vulnerabilities: no product is affected",
        ),
    ] {
        let said = refusal(&changed(ARCHIVE, pointer, value));
        assert!(said.contains(says), "{pointer}: {said}");
    }
    assert!(refusal(b"{").contains("not JSON"));
    assert!(refusal(b"[]").contains("at the begin: it is no object"));
}

#[test]
fn everything_is_bounded() {
    assert_eq!(
        parse(&vec![b' '; SIZE_MAX + 1]),
        Err(CsafError::Large(SIZE_MAX + 1))
    );
    let mut branch = json!({"category": "architecture", "name": "x"});
    for _ in 0..20 {
        branch = json!({"category": "architecture", "name": "x", "branches": [branch]});
    }
    let deep = changed(ARCHIVE, "/product_tree/branches/0", Some(branch));
    assert!(refusal(&deep).contains("at most 16 deep"));
    let one = json!({"name": "x", "product_id": "x"});
    let many = changed(
        ARCHIVE,
        "/product_tree/full_product_names",
        Some(json!(vec![one; 10_001])),
    );
    assert!(refusal(&many).contains("at most 10000 are read"));
    // Deeper than any JSON reader should go.
    assert!(refusal("[".repeat(100_000).as_bytes()).contains("not JSON"));
}

#[test]
fn texts_can_not_move_a_terminals_cursor() {
    let text = changed(
        ARCHIVE,
        "/document/title",
        Some(json!("a\u{1b}[2J\u{202e}b\r\nc")),
    );
    assert_eq!(parse(&text).unwrap().title, "a [2J b c");
}

fn archive() -> HostReport {
    HostReport {
        vendor: Some("Lumenvault Ltd".into()),
        implementations: vec![DicomImplementation {
            class_uid: "1.2.3".to_owned(),
            version_name: Some("PRISMSTORE_41".to_owned()),
        }],
        ..host("10.0.0.1")
    }
}

fn all() -> Vec<Advisory> {
    [ARCHIVE, MONITOR]
        .map(|text| parse(text.as_bytes()).unwrap())
        .to_vec()
}

#[test]
fn a_match_shows_its_score_and_what_agrees_with_what() {
    let maker = HostReport {
        vendor: Some("Lumenvault Ltd".into()),
        ..host("10.0.0.2")
    };
    let spelt = HostReport {
        names: vec![HostName {
            name: "qm-7000-bed4".to_owned(),
            source: NameSource::Dhcp,
        }],
        ..host("10.0.0.3")
    };
    let found = matches(&all(), &[host("10.0.0.9"), archive(), maker, spelt]);
    let shown: Vec<_> = found
        .found
        .iter()
        .map(|one| (one.device.to_string(), one.advisory.as_str(), one.score))
        .collect();
    // "Archive" is a word of the product that the device does not say.
    assert_eq!(shown.len(), 2, "{found:#?}");
    assert_eq!(
        (shown[0].0.as_str(), shown[0].1),
        ("10.0.0.1", "EXMA-26-063-01")
    );
    assert!(
        (shown[0].2 - 0.7).abs() < 1e-9,
        "0.4 + 0.6 * 1 of 2: {shown:?}"
    );
    assert_eq!(
        (shown[1].0.as_str(), shown[1].1),
        ("10.0.0.3", "QW-2026-004")
    );
    assert_eq!(
        found.found[0].because(),
        "1 of 1 words of the vendor (lumenvault) are in the maker of the network card \"Lumenvault Ltd\"; \
         1 of 2 words of the product (prismstore) are in the DICOM implementation version \"PRISMSTORE_41\""
    );
    // The maker alone is not enough, and is not hidden either.
    assert_eq!(found.below.len(), 1);
    assert!((found.below[0].score - 0.4).abs() < 1e-9);
}

#[test]
fn what_a_person_says_stays_also_at_another_address() {
    let folder = std::env::temp_dir().join(format!("wardtap-advisories-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut book = Advisories::open(&folder);
    assert_eq!(book.import(ARCHIVE.as_bytes()).unwrap().replaced, None);
    assert_eq!(
        book.import(ARCHIVE.as_bytes()).unwrap().replaced.as_deref(),
        Some("2")
    );
    let before = HostReport {
        macs: vec!["00:12:21:00:00:01".to_owned()],
        ..archive()
    };
    let judgement = |verdict, reason: &str| Judgement {
        advisory: "EXMA-26-063-01".to_owned(),
        device: Subject::of(&before),
        verdict,
        by: Actor::Daemon,
        time: Time(0),
        reason: reason.to_owned(),
    };
    assert!(matches!(
        book.judge(judgement(AdvisoryVerdict::Dismissed, " ")),
        Err(BookError::NoReason)
    ));
    book.judge(judgement(
        AdvisoryVerdict::Dismissed,
        "version 4.3 by its label",
    ))
    .unwrap();
    book.judge(judgement(
        AdvisoryVerdict::Confirmed,
        "it was the spare one",
    ))
    .unwrap();

    let moved = HostReport {
        address: [10, 0, 0, 77].into(),
        ..before.clone()
    };
    let other = HostReport {
        macs: vec!["00:12:21:00:00:02".to_owned()],
        ..before.clone()
    };
    let again = Advisories::open(&folder);
    let found = again.matches(&[moved, other]).found;
    let confirmed: Vec<_> = found
        .iter()
        .map(|one| (one.device.to_string(), one.is_confirmed()))
        .collect();
    assert_eq!(
        confirmed,
        [
            ("10.0.0.1".to_owned(), false),
            ("10.0.0.77".to_owned(), true)
        ]
    );
    let mut again = again;
    again.remove("EXMA-26-063-01").unwrap();
    assert!(matches!(
        again.remove("EXMA-26-063-01"),
        Err(BookError::Unknown(_))
    ));
    assert!(Advisories::open(&folder).all().is_empty());
    std::fs::remove_dir_all(folder).unwrap();
}

/// JSON of any shape, with the names that count.
fn any_json() -> impl Strategy<Value = Value> {
    let names = prop::sample::select(vec![
        "document",
        "tracking",
        "id",
        "product_tree",
        "branches",
        "category",
        "name",
        "product",
        "product_id",
        "vulnerabilities",
        "product_status",
        "known_affected",
        "scores",
        "cvss_v3",
        "baseScore",
        "products",
        "remediations",
        "details",
        "relationships",
        "full_product_name",
        "product_reference",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        prop::sample::select(vec!["vendor", "product_name", "CSAFPID-0001", "2.0"])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::hash_map(names.clone().prop_map(str::to_owned), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Places of a good document at which something else is put.
const PLACES: [&str; 9] = [
    "/document",
    "/document/tracking",
    "/document/publisher/name",
    "/product_tree",
    "/product_tree/branches/0",
    "/product_tree/branches/0/branches/0/branches/0/product",
    "/vulnerabilities",
    "/vulnerabilities/0/product_status",
    "/vulnerabilities/0/scores/0",
];

proptest! {
    #[test]
    fn nothing_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn a_damaged_document_is_read_within_bounds_or_refused(place in prop::sample::select(PLACES.to_vec()), value in any_json()) {
        if let Ok(advisory) = parse(&changed(ARCHIVE, place, Some(value))) {
            prop_assert!(!advisory.products.is_empty() && !advisory.id.is_empty());
            for product in &advisory.products {
                prop_assert!(product.cvss.is_none_or(|score| (0.0..=10.0).contains(&score)));
            }
            // What was read can be kept and read again.
            let text = serde_json::to_string(&advisory).unwrap();
            prop_assert_eq!(serde_json::from_str::<Advisory>(&text).unwrap(), advisory);
        }
    }

    #[test]
    fn scores_are_from_0_to_1_and_another_text_never_lowers_them(texts in prop::collection::vec("[a-zA-Z0-9 _-]{0,20}", 0..5)) {
        let name = |text: &String| HostName { name: text.clone(), source: NameSource::Mdns };
        let mut last = 0.0;
        for count in 0..=texts.len() {
            let names = texts[..count].iter().map(name);
            let known = HostReport {
                names: names.chain([HostName { name: "lumenvault".to_owned(), source: NameSource::Dhcp }]).collect(),
                ..host("10.0.0.1")
            };
            let found = matches(&all()[..1], &[known]);
            let score = found.found.iter().chain(&found.below).map(|one| one.score).fold(0.0, f64::max);
            prop_assert!((0.0..=1.0).contains(&score) && score >= last);
            last = score;
        }
    }
}
