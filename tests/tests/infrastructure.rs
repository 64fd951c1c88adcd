//! Forged ARP, DHCP and router traffic in captures: the same is found with the trick as without it, and nobody is mistaken for
//! another. The captures' folder says what is right.

#[path = "analysed/mod.rs"]
mod analysed;
#[path = "captures/mod.rs"]
mod captures;

use std::{net::IpAddr, path::Path};

use sensor_facts::{alert::Alert, finding::Finding};
use sensor_sessions::inventory::HostReport;

/// What a capture comes to.
struct Seen {
    findings: Vec<Finding>,
    alerts: Vec<Alert>,
    hosts: Vec<HostReport>,
}

fn replay(path: &Path) -> Seen {
    let (replay, analysis, out) = analysed::analysed(path);
    Seen {
        findings: out.findings,
        alerts: analysis.alerts().all().cloned().collect(),
        hosts: replay.pipeline().hosts(),
    }
}

const CT: [u8; 4] = [10, 1, 2, 50];
const INTRUDER: [u8; 4] = [10, 1, 4, 66];

#[test]
fn made_up_sources_hide_no_sweep() {
    let Some(root) = captures::root() else { return };
    let of = |name: &str| {
        let seen = replay(&root.join("attacker").join(name));
        let sweeps: Vec<_> = seen
            .findings
            .into_iter()
            .filter(|one| one.detector == "sweep" && one.subject == IpAddr::from(INTRUDER))
            .collect();
        assert!(!sweeps.is_empty(), "{name}");
        for sweep in &sweeps {
            assert!(
                sweep.evidence.contains("02:00:00:00:00:66"),
                "{}",
                sweep.evidence
            );
        }
        let alert = seen
            .alerts
            .iter()
            .any(|one| one.device == IpAddr::from(INTRUDER) && !one.role.is_victim());
        assert!(alert, "{name}: no alert");
        let all = sweeps.iter();
        all.map(|one| (one.confidence, one.victim_count))
            .collect::<Vec<_>>()
    };
    assert_eq!(of("d5_base.pcap"), of("d5_router.pcap"));
}

#[test]
fn a_false_dhcp_server_moves_nobody_and_is_found() {
    let Some(root) = captures::root() else { return };
    let seen = replay(&root.join("attacker/d8_dhcp.pcap"));
    let ct = seen
        .hosts
        .iter()
        .find(|host| host.address == IpAddr::from(CT));
    let ct = ct.expect("the CT vanished");
    assert!(
        ct.ae_titles.iter().any(|it| it.title == "CT_ROOM_1"),
        "{ct:?}"
    );
    for host in &seen.hosts {
        assert!(host.addresses_before.is_empty(), "{host:?}");
        let speaks = host.ae_titles.iter().any(|it| it.title == "CT_ROOM_1");
        assert!(!speaks || host.address == IpAddr::from(CT), "{host:?}");
    }
    let found: Vec<_> = seen
        .findings
        .iter()
        .filter(|one| one.detector == "rogue_dhcp")
        .collect();
    let [rogue] = &found[..] else {
        panic!("{:?}", seen.findings);
    };
    assert_eq!(rogue.subject, IpAddr::from(INTRUDER));
    assert!(
        rogue.evidence.contains("02:00:00:00:00:66"),
        "{}",
        rogue.evidence
    );
    assert!(
        seen.alerts
            .iter()
            .any(|one| one.device == IpAddr::from(INTRUDER))
    );
    let accused = |one: &&Finding| one.subject == IpAddr::from(CT) && !one.role.is_victim();
    let accused: Vec<_> = seen.findings.iter().filter(accused).collect();
    assert!(
        accused.iter().all(|one| one.detector == "clear_text"),
        "{accused:?}"
    );
}
