use sensor_facts::{
    alert::{Alert, Severity},
    finding::AttackRole,
    time::Time,
};
use serde_json::json;

use super::*;

fn host(address: &str, role: &str, title: &str) -> HostReport {
    serde_json::from_value(json!({
        "address": address, "mac_shared": false, "macs": ["00:00:5e:00:53:01"],
        "role": {"role": role, "confidence": 1.0},
        "names": [{"name": format!("{title}-host"), "source": "dhcp"}],
        "first_seen": "2026-01-02T03:00:00Z", "last_seen": "2026-01-02T04:00:00Z",
        "bytes_in": 0, "bytes_out": 0, "flows_opened": 0, "flows_accepted": 0,
        "ae_titles": [{"title": title, "requestor": true, "acceptor": false, "scu": true, "scp": false}],
        "cleartext_dicom": true, "cleartext_hl7": false, "tls": false
    }))
    .expect("a host")
}

fn hosts() -> Vec<HostReport> {
    vec![
        host("10.0.0.1", "modality", "CT1"),
        host("10.0.0.2", "archive", "PACS"),
        host("8.8.8.8", "server", "OUT"),
    ]
}

fn choice(query: &Query) -> Choice {
    Choice::new(query, &hosts(), &[]).expect("a choice")
}

fn addresses(query: &Query) -> Vec<String> {
    let page = choose(hosts(), &choice(query)).expect("a page");
    page.items
        .iter()
        .map(|host| host.address.to_string())
        .collect()
}

fn device(text: &str) -> Query {
    Query {
        device: Some(text.to_owned()),
        ..Query::default()
    }
}

#[test]
fn a_device_is_named_in_many_ways() {
    for text in [
        "10.0.0.1",
        "10.0.0.0/31",
        "ct1",
        "CT1",
        "CT1-host",
        "::ffff:10.0.0.1",
    ] {
        let found = addresses(&device(text));
        assert_eq!(
            found.first().map(String::as_str),
            Some("10.0.0.1"),
            "{text}"
        );
        assert_eq!(found.len(), 1, "{text}");
    }
    assert_eq!(addresses(&device("10.0.0.0/24")).len(), 2);
    let error = Choice::new(&device("MR9"), &hosts(), &[]).expect_err("nobody");
    assert!(
        error.contains("MR9") && error.contains("devices list"),
        "{error}"
    );
}

#[test]
fn roles_and_the_site() {
    let query = Query {
        role: Some("archive".to_owned()),
        ..Query::default()
    };
    assert_eq!(addresses(&query), ["10.0.0.2"]);
    let query = Query {
        site_only: true,
        ..Query::default()
    };
    assert_eq!(addresses(&query), ["10.0.0.1", "10.0.0.2"]);
    // A network of the site with public addresses.
    let inside = ["8.8.8.0/24".parse().expect("a network")];
    let with = Choice::new(&query, &hosts(), &inside).expect("a choice");
    assert_eq!(choose(hosts(), &with).expect("a page").total, 3);
    assert_eq!(
        choose(hosts(), &choice(&query).everywhere())
            .expect("a page")
            .total,
        3
    );
    for role in Role::ALL {
        assert_eq!(Role::named(&role.word()), Some(role));
    }
}

fn alert(id: u64, severity: Severity, opened: i64) -> Alert {
    let mut alert = Alert::new(id, [10, 0, 0, 1].into(), AttackRole::Suspect, Time(opened));
    alert.severity = severity;
    alert.updated = Time(opened + 10);
    alert
}

fn ids(query: &Query) -> Vec<u64> {
    let mut closed = alert(3, Severity::Critical, 300);
    closed.closed = Some(Time(400));
    let all = [
        alert(1, Severity::Low, 100),
        alert(2, Severity::High, 200),
        closed,
    ];
    let page = choose(all, &choice(query)).expect("a page");
    page.items.iter().map(|one| one.id).collect()
}

#[test]
fn severity_time_and_state() {
    let query = Query::default();
    assert_eq!(ids(&query), [1, 2, 3]);
    let severe = Query {
        severity: Some(Severity::High),
        ..Query::default()
    };
    assert_eq!(ids(&severe), [2, 3]);
    let time = |since: Option<i64>, until: Option<i64>| Query {
        since: since.map(Time),
        until: until.map(Time),
        ..Query::default()
    };
    // What lasts is there as long as a part of it is.
    assert_eq!(ids(&time(Some(205), None)), [2, 3]);
    assert_eq!(ids(&time(Some(350), None)), [3]);
    assert_eq!(ids(&time(None, Some(200))), [1, 2]);
    assert_eq!(ids(&time(Some(111), Some(199))), [0_u64; 0]);
    let open = Query {
        state: Some("open".to_owned()),
        ..Query::default()
    };
    assert_eq!(ids(&open), [1, 2]);
}

#[test]
fn order_text_and_pages() {
    let sorted = |sort: &str| Query {
        sort: Some(sort.to_owned()),
        ..Query::default()
    };
    // By urgency, not by the alphabet.
    assert_eq!(ids(&sorted("severity:desc")), [3, 2, 1]);
    assert_eq!(ids(&sorted("opened")), [1, 2, 3]);
    let error = choose(hosts(), &choice(&sorted("when"))).expect_err("no such column");
    assert!(
        error.contains("last-seen") && error.contains("vendor"),
        "{error}"
    );
    // Addresses by their numbers: 8.8.8.8 before 10.0.0.1.
    assert_eq!(
        addresses(&sorted("address")),
        ["8.8.8.8", "10.0.0.1", "10.0.0.2"]
    );
    let text = Query {
        text: Some("pAcS".to_owned()),
        ..Query::default()
    };
    assert_eq!(addresses(&text), ["10.0.0.2"]);
    let page = Query {
        limit: 1,
        offset: 1,
        ..sorted("id")
    };
    assert_eq!(ids(&page), [2]);
    assert!(!choice(&page).is_all() && choice(&Query::default()).is_all());
}
