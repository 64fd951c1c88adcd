//! Rankings of hospitals made by hand, and what must hold of all of them.

use std::{borrow::Cow, net::IpAddr};

use proptest::prelude::*;
use sensor_facts::alert::Alert;
use sensor_sessions::inventory::{AddressBefore, Caller, RoleReport, Service, ServiceUse};
use serde_json::json;

use super::{advisory::Match, *};

/// A host of which nothing is known.
pub(super) fn host(address: &str) -> HostReport {
    serde_json::from_value(json!({
        "address": address,
        "mac_shared": false,
        "first_seen": "2026-01-01T00:00:00Z",
        "last_seen": "2026-01-02T00:00:00Z",
        "bytes_in": 0, "bytes_out": 0, "flows_opened": 0, "flows_accepted": 0,
        "cleartext_dicom": false, "cleartext_hl7": false, "tls": false,
    }))
    .unwrap()
}

fn with_role(address: &str, role: Role) -> HostReport {
    HostReport {
        role: RoleReport {
            role,
            ..RoleReport::default()
        },
        ..host(address)
    }
}

fn service(port: u16) -> Service {
    Service {
        proto: Cow::Borrowed("TCP"),
        port,
        app_proto: None,
    }
}

fn uses(server: &str, port: u16, app: Option<&'static str>) -> ServiceUse {
    ServiceUse {
        address: server.parse().unwrap(),
        proto: Cow::Borrowed("TCP"),
        port,
        app_proto: app.map(Cow::Borrowed),
    }
}

fn caller(title: &str, address: &str) -> Caller {
    Caller {
        address: address.parse().unwrap(),
        title: title.to_owned(),
        accepted: true,
        rejected: false,
    }
}

fn of(hosts: &[HostReport], alerts: &[Alert], matches: &[Match]) -> Exposure {
    let site = Detect::default();
    rank(Facts {
        now: Time(0),
        hosts,
        contacts: &[],
        alerts,
        matches,
        site: &site,
    })
}

fn kinds(exposed: &Exposed) -> Vec<WeaknessKind> {
    exposed.weaknesses.iter().map(|one| one.kind).collect()
}

#[test]
fn a_score_is_a_sum_that_can_be_followed() {
    let archive = HostReport {
        cleartext_dicom: true,
        services: vec![service(23)],
        ..with_role("10.0.0.1", Role::Archive)
    };
    let modality = |last: u8| HostReport {
        uses: vec![uses("10.0.0.1", 104, Some("dicom"))],
        ..host(&format!("10.0.0.{last}"))
    };
    let found = of(&[archive, modality(2), modality(3)], &[], &[]);
    assert_eq!((found.devices, found.ranked.len()), (3, 1));
    let first = &found.ranked[0];
    assert_eq!((first.score, first.points, first.dependents), (90, 50, 2));
    assert_eq!(
        first.sum,
        "(30 insecure service + 20 clear-text DICOM) x 1.5 (archive) x 1.2 (dependents: 2) = 90"
    );
}

#[test]
fn what_the_role_does_not_need_counts() {
    let ports = [445, 3_389, 443];
    let with = |role| HostReport {
        services: ports.map(service).to_vec(),
        ..with_role("10.0.0.1", role)
    };
    let modality = of(&[with(Role::Modality)], &[], &[]);
    assert_eq!(
        kinds(&modality.ranked[0]),
        [WeaknessKind::BeyondRole, WeaknessKind::BeyondRole]
    );
    assert!(
        modality.ranked[0].weaknesses[0]
            .evidence
            .contains("a modality does not need")
    );
    assert!(of(&[with(Role::Workstation)], &[], &[]).ranked.is_empty());
    assert!(of(&[with(Role::Unknown)], &[], &[]).ranked.is_empty());
    // HL7 at the port of the remote shell is HL7.
    let hl7 = HostReport {
        services: vec![Service {
            app_proto: Some("hl7".into()),
            ..service(514)
        }],
        ..host("10.0.0.1")
    };
    assert!(of(&[hl7], &[], &[]).ranked.is_empty());
}

#[test]
fn only_who_is_served_from_outside_is_reachable_from_there() {
    let outside = HostReport {
        uses: vec![uses("10.0.0.1", 443, None)],
        cleartext_hl7: true,
        ..host("203.0.113.9")
    };
    let found = of(&[host("10.0.0.1"), host("10.0.0.2"), outside], &[], &[]);
    assert_eq!((found.devices, found.ranked.len()), (2, 1), "{found:#?}");
    assert_eq!(
        kinds(&found.ranked[0]),
        [WeaknessKind::ReachableFromOutside]
    );
    assert!(
        found.ranked[0].weaknesses[0]
            .evidence
            .contains("203.0.113.9")
    );

    let refused = Contact {
        client: [203, 0, 113, 9].into(),
        server: [10, 0, 0, 1].into(),
        proto: "TCP".into(),
        port: Some(22),
        app: None,
        first: Time(0),
        last: Time(0),
        flows: 3,
        refused: 3,
        bytes_to_server: 180,
        bytes_to_client: 120,
    };
    let site = Detect::default();
    let hosts = [host("10.0.0.1")];
    let rank = |contact| {
        rank(Facts {
            now: Time(0),
            hosts: &hosts,
            contacts: &[contact],
            alerts: &[],
            matches: &[],
            site: &site,
        })
    };
    assert!(rank(refused.clone()).ranked.is_empty());
    let served = Contact {
        refused: 2,
        ..refused
    };
    assert_eq!(rank(served).ranked.len(), 1);
}

#[test]
fn old_versions_of_tls_count_for_the_server() {
    let versions = |all: &[&str]| HostReport {
        tls_versions: all.iter().map(|one| (*one).to_owned()).collect(),
        ..host("10.0.0.1")
    };
    assert!(
        of(&[versions(&["TLS 1.2", "TLS 1.3"])], &[], &[])
            .ranked
            .is_empty()
    );
    let found = of(&[versions(&["TLS 1.3", "TLS 1.0"])], &[], &[]);
    assert_eq!(kinds(&found.ranked[0]), [WeaknessKind::OldTls]);
}

#[test]
fn a_title_from_two_devices_counts_and_one_that_moved_does_not() {
    let archive = HostReport {
        callers: vec![caller("CT", "10.0.0.5"), caller("CT", "10.0.0.6")],
        ..host("10.0.0.1")
    };
    let found = of(std::slice::from_ref(&archive), &[], &[]);
    assert_eq!(kinds(&found.ranked[0]), [WeaknessKind::TitleNotBound]);
    let moved = HostReport {
        addresses_before: vec![AddressBefore {
            address: [10, 0, 0, 5].into(),
            until: Time(0),
        }],
        ..host("10.0.0.6")
    };
    assert!(of(&[archive, moved], &[], &[]).ranked.is_empty());
}

fn alert(label: Option<&str>) -> Alert {
    let mut text = json!({
        "id": 1, "device": "10.0.0.66", "severity": "low", "confidence": 0.6, "title": "",
        "opened": "2026-01-01T00:00:00Z", "updated": "2026-01-01T00:00:00Z",
        "techniques": [], "finding_count": 1, "check": [],
        "findings": [{
            "id": 1, "time": "2026-01-01T00:00:00Z", "detector": "unknown_modality", "technique": "T1200",
            "subject": "10.0.0.66", "victims": ["10.0.0.1"], "victim_count": 1, "evidence": "", "wrong_if": "",
        }],
    });
    if let Some(verdict) = label {
        text["label"] = json!({
            "verdict": verdict, "by": {"kind": "daemon"}, "time": "2026-01-01T00:00:00Z", "reason": "x",
        });
    }
    serde_json::from_value(text).unwrap()
}

#[test]
fn who_lets_an_unusual_title_in_is_weak() {
    let archive = |accepted| HostReport {
        callers: vec![Caller {
            accepted,
            rejected: !accepted,
            ..caller("GUEST", "10.0.0.66")
        }],
        ..host("10.0.0.1")
    };
    let found = of(&[archive(true)], &[alert(None)], &[]);
    assert_eq!(
        kinds(&found.ranked[0]),
        [WeaknessKind::UnusualTitleAccepted]
    );
    let evidence = &found.ranked[0].weaknesses[0].evidence;
    assert!(evidence.contains("\"GUEST\" of 10.0.0.66"), "{evidence}");
    assert!(of(&[archive(false)], &[alert(None)], &[]).ranked.is_empty());
    assert!(
        of(&[archive(true)], &[alert(Some("benign"))], &[])
            .ranked
            .is_empty()
    );
    assert!(of(&[archive(true)], &[], &[]).ranked.is_empty());
}

fn found_match(score: f64, cvss: Option<f64>, confirmed: bool) -> Match {
    let mut text = json!({
        "advisory": "EX-1", "title": "", "device": "10.0.0.1", "vendor": "", "product": "", "versions": [],
        "cves": [], "score": score, "agreements": [], "cvss": cvss,
    });
    if confirmed {
        text["judgement"] = json!({
            "advisory": "EX-1", "device": {"address": "10.0.0.1"}, "verdict": "confirmed",
            "by": {"kind": "daemon"}, "time": "2026-01-01T00:00:00Z", "reason": "x",
        });
    }
    serde_json::from_value(text).unwrap()
}

#[test]
fn an_advisory_is_possible_until_it_is_confirmed() {
    let hosts = [host("10.0.0.1")];
    let possible = of(&hosts, &[], &[found_match(0.7, Some(9.8), false)]);
    let weakness = &possible.ranked[0].weaknesses[0];
    assert_eq!(
        (weakness.kind, weakness.points),
        (WeaknessKind::PossibleAdvisory, 14)
    );
    assert!(weakness.possible && weakness.evidence.contains("0.70 of 1"));
    let confirmed = of(&hosts, &[], &[found_match(0.7, Some(9.8), true)]);
    let weakness = &confirmed.ranked[0].weaknesses[0];
    assert_eq!(
        (weakness.kind, weakness.points),
        (WeaknessKind::Advisory, 39)
    );
    assert!(!weakness.possible);
}

/// What can be weak about a device, each as a change of it.
fn weaken(host: &mut HostReport, matches: &mut Vec<Match>, which: u8) {
    match which {
        0 => host.cleartext_dicom = true,
        1 => host.cleartext_hl7 = true,
        2 => host.tls_versions.push("TLS 1.0".to_owned()),
        3 => host
            .callers
            .extend([caller("A", "10.0.0.8"), caller("A", "10.0.0.9")]),
        4 => matches.push(found_match(0.5, Some(5.0), false)),
        5 => matches.push(found_match(0.5, None, true)),
        other => {
            let ports = [21, 22, 23, 80, 139, 445, 512, 1_433, 3_389, 5_900, 5_985];
            host.services
                .push(service(ports[usize::from(other) % ports.len()]));
        }
    }
}

const ROLES: [Role; 6] = [
    Role::Unknown,
    Role::Printer,
    Role::Workstation,
    Role::Server,
    Role::Modality,
    Role::InfusionPump,
];

proptest! {
    #[test]
    fn another_weakness_or_dependent_never_lowers_a_score(
        which in prop::collection::vec(0_u8..20, 1..12),
        role in prop::sample::select(ROLES.to_vec()),
        clients in 0_u8..30,
    ) {
        let mut device = with_role("10.0.0.1", role);
        let mut matches = Vec::new();
        let mut last = 0;
        let score = |device: &HostReport, clients: u8, matches: &[Match]| {
            let client = |last: u8| HostReport {
                uses: vec![uses("10.0.0.1", 104, Some("dicom"))],
                ..host(&format!("10.0.1.{last}"))
            };
            let hosts: Vec<_> = (0..clients).map(client).chain([device.clone()]).collect();
            let found = of(&hosts, &[], matches);
            let address: IpAddr = [10, 0, 0, 1].into();
            let one = found.ranked.into_iter().find(|one| one.address == address);
            one.map_or(0, |one| {
                let points: u64 = one.weaknesses.iter().map(|one| one.points).sum();
                assert_eq!(one.points, points, "the sum is that of its terms");
                one.score
            })
        };
        for one in which {
            weaken(&mut device, &mut matches, one);
            let now = score(&device, clients, &matches);
            prop_assert!(now >= last, "{now} after {last}");
            prop_assert!(score(&device, clients + 1, &matches) >= now);
            last = now;
        }
    }

    #[test]
    fn the_order_is_by_score(flags in prop::collection::vec(any::<(bool, bool)>(), 1..20)) {
        let hosts: Vec<_> = flags
            .iter()
            .enumerate()
            .map(|(at, (dicom, hl7))| HostReport {
                cleartext_dicom: *dicom,
                cleartext_hl7: *hl7,
                ..with_role(&format!("10.0.0.{at}"), ROLES[at % ROLES.len()])
            })
            .collect();
        let found = of(&hosts, &[], &[]);
        prop_assert!(found.ranked.is_sorted_by(|a, b| a.score >= b.score));
        prop_assert_eq!(found.ranked.len(), flags.iter().filter(|(a, b)| *a || *b).count());
    }
}
