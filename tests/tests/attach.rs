//! Attaching to real interfaces: several at once, modes, and what is left behind.

mod small_kernel;

use std::time::Duration;

use etherparse::PacketBuilder;
use sensor_common::counter::Counter;
use sensor_kernel::{InterfaceOptions, Kernel, KernelError, Mode, Options};
use tests::{ability, netns::Namespace, wait::wait_for, wire::Wire};

const SECONDS: Duration = Duration::from_secs(10);

/// A namespace with veth pairs `a0`-`b0` and `a1`-`b1`, all ends up.
fn two_pairs(test: &str) -> Namespace {
    let namespace = Namespace::create(&format!("wardtap-{test}-{}", std::process::id())).unwrap();
    for number in ["0", "1"] {
        let (a, b) = (format!("a{number}"), format!("b{number}"));
        namespace
            .ip(&["link", "add", &a, "type", "veth", "peer", "name", &b])
            .unwrap();
        namespace.ip(&["link", "set", &a, "up"]).unwrap();
        namespace.ip(&["link", "set", &b, "up"]).unwrap();
    }
    namespace
}

fn options(test: &str, interfaces: &[(&str, Option<Mode>)]) -> Options {
    let interfaces = interfaces
        .iter()
        .map(|(name, mode)| InterfaceOptions {
            name: (*name).to_owned(),
            mode: *mode,
            inline: false,
        })
        .collect();
    small_kernel::options(
        &format!("wardtap-{test}-{}", std::process::id()),
        interfaces,
    )
}

fn segment(from: [u8; 4], to: [u8; 4], ports: (u16, u16)) -> Vec<u8> {
    let mut frame = Vec::new();
    PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
        .ipv4(from, to, 64)
        .tcp(ports.0, ports.1, 1, 1_000)
        .ack(1)
        .write(&mut frame, &[])
        .unwrap();
    frame
}

#[test]
fn directions_on_two_interfaces_are_one_flow() {
    if !ability::privileged() {
        return;
    }
    let namespace = two_pairs("flow");
    let wanted = options("flow", &[("b0", None), ("b1", None)]);
    let pins = wanted.pin_root.clone();
    let mut kernel = namespace
        .within(move || Ok(Kernel::load(&wanted)?))
        .unwrap();
    assert!(pins.exists());
    let modes: Vec<_> = kernel.interfaces().iter().map(|one| one.mode).collect();
    assert_eq!(modes, [Mode::Driver, Mode::Driver]);

    let (client, server) = ([10, 0, 0, 1], [10, 0, 0, 2]);
    for (at, end, frame) in [
        (0, "a0", segment(client, server, (40_000, 104))),
        (1, "a1", segment(server, client, (104, 40_000))),
    ] {
        Wire::open(&namespace, end).unwrap().send(&frame).unwrap();
        // A packet is counted as TCP before its flow is looked for, and as disposed of after it was taken in.
        wait_for("a packet in its flow", SECONDS, || {
            let counters = &kernel.counters().unwrap()[at];
            let whole = counters.get(Counter::Packets) == counters.disposed();
            (whole && counters.get(Counter::Tcp) == 1).then_some(())
        })
        .unwrap();
    }
    // Neither the flow's move to the other table nor the namespace's own packets run beside what follows.
    kernel.detach();
    for counters in kernel.counters().unwrap() {
        assert_eq!(counters.get(Counter::Packets), counters.disposed());
    }
    let mut flows = Vec::new();
    kernel.flows().drain(|item| flows.push(item)).unwrap();
    flows.retain(|item| item.key.protocol == 6);
    let [item] = flows.as_slice() else {
        panic!("{} TCP flows instead of one", flows.len())
    };
    assert_eq!(item.flow.directions.map(|half| half.packets), [1, 1]);

    // Nothing on a mirror port is addressed to the sensor.
    let promiscuous = || namespace.ip(&["-d", "link", "show", "b0"]).unwrap();
    assert!(promiscuous().contains("promiscuity 1"), "{}", promiscuous());
    drop(kernel);
    assert!(promiscuous().contains("promiscuity 0"), "{}", promiscuous());
    assert!(!pins.exists(), "the pins are left behind");
}

#[test]
fn a_large_mtu_falls_back_and_says_why() {
    if !ability::privileged() {
        return;
    }
    let namespace = two_pairs("mtu");
    for end in ["a0", "b0"] {
        namespace.ip(&["link", "set", end, "mtu", "9000"]).unwrap();
    }
    let wanted = options("mtu", &[("b0", None), ("b1", Some(Mode::Generic))]);
    let kernel = namespace
        .within(move || Ok(Kernel::load(&wanted)?))
        .unwrap();
    let [large, generic] = kernel.interfaces() else {
        panic!("not two interfaces")
    };
    assert!(large.frags || large.mode == Mode::Generic, "{large:?}");
    assert!(
        large
            .fallback
            .as_deref()
            .is_some_and(|why| why.contains("MTU")),
        "{large:?}"
    );
    assert_eq!((generic.mode, &generic.fallback), (Mode::Generic, &None));

    // A frame that is longer than one buffer is seen, and counted as seen in part where it is so.
    let mut frame = segment([10, 0, 0, 1], [10, 0, 0, 2], (1, 2));
    frame.resize(3_000, 0);
    frame[16..18].copy_from_slice(&2_986_u16.to_be_bytes());
    Wire::open(&namespace, "a0").unwrap().send(&frame).unwrap();
    wait_for("the packet", SECONDS, || {
        (kernel.counters().unwrap()[0].get(Counter::Tcp) == 1).then_some(())
    })
    .unwrap();
}

#[test]
fn what_can_not_be_attached_is_said() {
    if !ability::privileged() {
        return;
    }
    let namespace = two_pairs("errors");
    let load = |test: &'static str, interfaces: &'static [(&str, Option<Mode>)]| {
        let wanted = options(test, interfaces);
        namespace.within(move || Ok(Kernel::load(&wanted)))
    };
    let Err(error) = load("none", &[]).unwrap() else {
        panic!("loaded for no interface")
    };
    assert!(matches!(error, KernelError::NoInterface));
    let Err(error) = load("missing", &[("eth7", None)]).unwrap() else {
        panic!("loaded")
    };
    assert_eq!(
        error.to_string(),
        "interface \"eth7\" does not exist here; there are: lo, b0, a0, b1, a1"
    );
    let first = load("first", &[("b0", None)]).unwrap().unwrap();
    let Err(error) = load("second", &[("b0", None)]).unwrap() else {
        panic!("loaded twice")
    };
    assert!(
        error
            .to_string()
            .contains("another XDP program is on the interface"),
        "{error}"
    );
    let Err(error) = load("first", &[("b1", None)]).unwrap() else {
        panic!("took the pins of another")
    };
    assert!(matches!(error, KernelError::PinsHeld { .. }), "{error}");
    drop(first);
    load("third", &[("b0", None)]).unwrap().unwrap();
}
