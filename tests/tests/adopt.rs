//! Promise 5: programs, rules and counters outlive the daemon, and the next one takes them over without a
//! packet that meets neither or is counted twice.
//!
//! A daemon that is killed is played by a `Kernel` in a child process that ends without clean-up.

mod small_kernel;

use std::{
    env,
    io::{BufRead, BufReader},
    process::{Child, Stdio, exit},
    thread,
    time::Duration,
};

use etherparse::PacketBuilder;
use sensor_common::{counter::Counter, rule::RuleState};
use sensor_facts::{rule::Scope, target::Target};
use sensor_kernel::{InterfaceOptions, Kernel, Mode, Options, RuleOrder, unload};
use tests::{ability, netns::Namespace, wait::wait_for, wire::Wire};

const SECONDS: Duration = Duration::from_secs(5);
const BLOCKED: [u8; 4] = [10, 0, 0, 66];
/// Tells this test binary to be the daemon that is killed.
const CHILD: &str = "WARDTAP_TEST_ADOPT";

fn options(test: &str) -> Options {
    let interface = InterfaceOptions {
        name: "b0".to_owned(),
        mode: None,
        inline: true,
    };
    small_kernel::options(&format!("wardtap-test-{test}"), vec![interface])
}

fn namespace(test: &str) -> Namespace {
    let namespace = Namespace::create(&format!("wardtap-test-{test}")).unwrap();
    namespace
        .ip(&["link", "add", "a0", "type", "veth", "peer", "name", "b0"])
        .unwrap();
    for end in ["a0", "b0"] {
        // No router solicitations: what is counted is what the test sends.
        namespace
            .ip(&["link", "set", end, "addrgenmode", "none"])
            .unwrap();
        namespace.ip(&["link", "set", end, "up"]).unwrap();
    }
    namespace
}

fn datagram(from: [u8; 4]) -> Vec<u8> {
    let mut frame = Vec::new();
    PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
        .ipv4(from, [10, 0, 0, 2], 64)
        .udp(40_000, 514)
        .write(&mut frame, b"hello")
        .unwrap();
    frame
}

/// The daemon that is killed: loads, blocks an address, says so, and waits for its end.
fn child(test: &str) -> ! {
    let mut loaded = Kernel::prepare(&options(test)).unwrap();
    let mut rules = loaded.take_rules().unwrap();
    let target = Target::Device {
        address: BLOCKED.into(),
    };
    let order = RuleOrder {
        id: 7,
        target: &target,
        scope: Scope::All,
        state: RuleState::Enabled,
        sticky: true,
        expires: u64::MAX,
        clinical: &[],
    };
    if rules.difference(&order).is_some() {
        rules.put(&order).unwrap();
    }
    let _kernel = loaded.attach().unwrap();
    println!("ready");
    thread::sleep(Duration::from_mins(1));
    exit(1);
}

fn start(namespace: &Namespace, test: &str) -> Child {
    let mut child = namespace
        .enter(env::current_exe().unwrap())
        .args(["--exact", "the_next_daemon_takes_over", "--nocapture"])
        .env(CHILD, test)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(
        lines
            .map_while(Result::ok)
            .any(|line| line.contains("ready")),
        "the child does not start"
    );
    child
}

fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn the_next_daemon_takes_over() {
    if let Ok(test) = env::var(CHILD) {
        child(&test);
    }
    if !ability::privileged() {
        return;
    }
    let test = "adopt";
    let wanted = options(test);
    let pins = wanted.pin_root.clone();
    let _ = unload(&pins);
    let namespace = namespace(test);
    let mut wire = Wire::open(&namespace, "a0").unwrap();

    let mut sent = 0;
    let mut blocked = 0;
    for life in 0..4 {
        let child = start(&namespace, test);
        for _ in 0..100 {
            wire.send(&datagram(BLOCKED)).unwrap();
            wire.send(&datagram([10, 0, 0, 1])).unwrap();
        }
        (sent, blocked) = (sent + 200, blocked + 100);
        kill(child);
        // The rule is in force while no daemon is there.
        for _ in 0..10 {
            wire.send(&datagram(BLOCKED)).unwrap();
        }
        (sent, blocked) = (sent + 10, blocked + 10);
        if life == 2 {
            // As a daemon of another version would have left it: its maps are of no use, its link is.
            let version = pins.join(format!("v{}", sensor_common::ABI_VERSION));
            std::fs::rename(version, pins.join("v0")).unwrap();
            (sent, blocked) = (0, 0);
        }
    }
    let load = wanted.clone();
    let mut kernel = namespace
        .within(move || {
            let mut loaded = Kernel::prepare(&load)?;
            let rules = loaded.take_rules()?;
            let hits = rules.hits(7)?;
            Ok((loaded.attach()?, hits))
        })
        .unwrap();
    assert_eq!(kernel.1.packets, blocked);
    assert_eq!(kernel.0.interfaces()[0].mode, Mode::Driver);
    let counters = kernel.0.counters().unwrap()[0];
    assert_eq!(counters.get(Counter::Packets), sent);
    assert_eq!(counters.get(Counter::Contained), blocked);
    assert_eq!(counters.disposed(), sent);
    assert!(!kernel.0.take_left_over().is_empty());

    // It goes on counting, once.
    wire.send(&datagram(BLOCKED)).unwrap();
    wait_for("the packet", SECONDS, || {
        (kernel.0.counters().unwrap()[0].get(Counter::Packets) == sent + 1).then_some(())
    })
    .unwrap();
    drop(kernel);
    assert!(pins.exists(), "an interface in the path keeps its rules");
    assert_eq!(unload(&pins).unwrap(), 1);
    assert!(!pins.exists(), "something is left behind");
    let link = namespace.ip(&["-d", "link", "show", "b0"]).unwrap();
    assert!(!link.contains("xdp"), "{link}");
}
