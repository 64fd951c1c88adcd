use std::{
    fs,
    net::{IpAddr, SocketAddr},
};

use sensor_facts::{
    observation::{FlowFacts, Half, Observation, What},
    setting::Span,
    time::Time,
};

use super::{Baselines, Fact, Familiar};
use crate::config::Baseline;

const SECOND: i64 = 1_000_000_000;
const HOUR: i64 = 3_600 * SECOND;
const DAY: i64 = 24 * HOUR;

fn baselines() -> Baselines {
    Baselines::new(Baseline {
        learning: Span::from_secs(7 * 86_400),
        settle: Span::from_secs(86_400),
        doubt: Span::from_secs(3_600),
        freeze: Span::from_secs(3_600),
        devices: 100_000,
    })
}

fn host(number: u32) -> IpAddr {
    IpAddr::from((0x0a00_0000 + number).to_be_bytes())
}

fn seen(time: i64, client: IpAddr, what: What) -> Observation {
    Observation {
        time: Time(time),
        protocol: 6,
        client: SocketAddr::new(client, 50_000),
        server: SocketAddr::new(host(1), 104),
        macs: [[0; 6]; 2],
        what,
    }
}

fn flow(time: i64, client: IpAddr) -> Observation {
    let half = Half {
        packets: 10,
        bytes: 1_000,
        payload: 500,
        syn: 1,
        ..Half::default()
    };
    let facts = FlowFacts {
        over: true,
        to_server: half,
        to_client: half,
        ..FlowFacts::default()
    };
    seen(time, client, What::Flow(Box::new(facts)))
}

fn associate(time: i64, client: IpAddr, title: &str) -> Observation {
    let what = What::Association {
        calling: Some(title.to_owned()),
        called: None,
        implementation: None,
    };
    seen(time, client, what)
}

fn learn(baselines: &mut Baselines, seen: &Observation) {
    let delta = baselines.delta(seen);
    baselines.learn(seen, delta);
}

/// Promise: memory stays bounded. The device seen longest ago makes room, and each is counted.
#[test]
fn devices_are_bounded() {
    let mut baselines = baselines();
    let pairs = 60_000;
    for number in 0..pairs {
        let time = SECOND * i64::from(number) / 100;
        let client = host(2 * number);
        let mut seen = flow(time, client);
        seen.server.set_ip(host(2 * number + 1));
        learn(&mut baselines, &seen);
    }
    assert_eq!(baselines.len(), 100_000);
    assert_eq!(baselines.evicted(), u64::from(2 * pairs) - 100_000);
    assert!(baselines.device(host(0)).is_none());
    assert!(baselines.device(host(2 * pairs - 1)).is_some());
    let census = baselines.census(Time(DAY));
    assert_eq!(census.learning, 100_000);
    assert_eq!(census.evicted, baselines.evicted());
}

#[test]
fn facts_of_a_device_are_bounded() {
    let mut baselines = baselines();
    for number in 0..1_500 {
        learn(
            &mut baselines,
            &flow(i64::from(number) * SECOND, host(2 + number)),
        );
    }
    let server = baselines.device(host(1)).map(|server| server.items().len());
    let kept = server.expect("the server is known");
    assert!((896..=1_024).contains(&kept), "{kept} facts");
}

#[test]
fn a_suspect_leaves_nothing_at_the_site() {
    let mut baselines = baselines();
    let now = Time(3 * DAY);
    let known = |baselines: &Baselines, title| {
        baselines.familiar_at_site(&Fact::Title(title), Time(60 * DAY)) != Familiar::Never
    };
    learn(&mut baselines, &associate(DAY, host(66), "EARLY"));
    let lately = [
        (HOUR / 2, host(66), "ROGUE"),
        (HOUR / 2, host(66), "SHARED"),
        (HOUR / 3, host(20), "SHARED"),
        (HOUR / 3, host(20), "CT1"),
    ];
    for (ago, device, title) in lately {
        learn(&mut baselines, &associate(now.0 - ago, device, title));
    }
    baselines.distrust(host(66), now);
    assert!(!known(&baselines, "ROGUE"), "it brought that alone");
    assert!(known(&baselines, "SHARED"), "an honest device says it too");
    assert!(known(&baselines, "CT1") && known(&baselines, "EARLY"));
    learn(
        &mut baselines,
        &associate(now.0 + HOUR / 2, host(66), "ROGUE"),
    );
    assert!(!known(&baselines, "ROGUE"), "it is frozen");
}

/// A person says later that it was malicious from longer ago on.
#[test]
fn a_label_forgets_what_was_brought_since_the_alert_began() {
    let mut baselines = baselines();
    learn(&mut baselines, &associate(DAY, host(66), "ROGUE"));
    learn(
        &mut baselines,
        &associate(DAY + 5 * HOUR, host(66), "LATER"),
    );
    baselines.unlearn(host(66), Time(DAY + HOUR));
    let now = Time(60 * DAY);
    let familiar = |title| baselines.familiar_at_site(&Fact::Title(title), now);
    assert_ne!(familiar("ROGUE"), Familiar::Never);
    assert_eq!(familiar("LATER"), Familiar::Never);
}

/// A restart is no way out of suspicion.
#[test]
fn a_freeze_survives_a_restart() {
    let folder = std::env::temp_dir().join(format!("wardtap-freeze-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let mut baselines = baselines();
    learn(&mut baselines, &flow(DAY, host(9)));
    learn(&mut baselines, &flow(DAY, host(8)));
    let now = Time(2 * DAY);
    baselines.distrust(host(9), now);
    let before = baselines.progress(host(9), now);
    baselines.save(&folder).expect("written");

    let mut again = Baselines::open(&folder, baselines.options);
    assert_eq!(again.progress(host(9), now), before);
    assert_eq!(again.census(now), baselines.census(now));
    let frozen = before.and_then(|progress| progress.frozen_until);
    assert_eq!(frozen, Some(Time(now.0 + HOUR)));
    for client in [host(8), host(9)] {
        learn(&mut again, &associate(now.0 + HOUR / 2, client, "NEW"));
    }
    let knows = |client| again.familiar(client, &Fact::Title("NEW"), now) != Familiar::Never;
    assert!(knows(host(8)) && !knows(host(9)));
    fs::remove_dir_all(&folder).expect("removed");
}

/// Half-open connections of made-up sources are no peers, and those who complete one do not push out what is usual.
#[test]
fn strangers_do_not_push_out_what_is_usual() {
    let mut baselines = baselines();
    let mut knows = Vec::new();
    for round in 0..3 {
        for number in 0..1_000 {
            let time = i64::from(round * 1_000 + number) * SECOND;
            learn(&mut baselines, &flow(time, host(2 + number)));
        }
    }
    for number in 0..5_000 {
        let mut stranger = flow(4_000 * SECOND, host(10_000 + number));
        learn(&mut baselines, &stranger);
        if let What::Flow(facts) = &mut stranger.what {
            facts.to_server.packets = 1;
        }
        stranger.client.set_ip(host(20_000 + number));
        learn(&mut baselines, &stranger);
    }
    let server = baselines.device(host(1)).expect("the server is known");
    for number in 0..1_000 {
        knows.push(server.items().get(&Fact::Peer(host(2 + number))).is_some());
    }
    assert_eq!(knows.iter().filter(|known| **known).count(), 1_000);
    let half_open = server.items().get(&Fact::Peer(host(24_999)));
    assert_eq!(half_open, None, "nobody completed that handshake");
}
