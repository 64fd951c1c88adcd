//! The hospital: hosts at a switch, and a mirror port with the sensor at it.
//!
//! `tests/README.md` has a picture. Interfaces never appear in the machine's own namespace.

use std::net::Ipv4Addr;

use anyhow::{Context, Result, ensure};
use nix::unistd::geteuid;

use crate::netns::{Namespace, remove_leftovers, run};

/// A host's place in the hospital.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Makes images.
    Modality,
    /// Keeps images: the archive.
    Pacs,
    /// Sends HL7 messages on.
    Engine,
    /// Keeps patient records; takes HL7 messages.
    Ehr,
    /// Shows images.
    Workstation,
    /// Gateway of infusion pumps; reports to the EHR. In the hospital with a sensor in the path.
    Pump,
    /// Someone's laptop in a wall socket. In the hospital with a sensor in the path.
    Intruder,
}

impl Role {
    /// The hosts of the hospital with a mirror port.
    pub const ALL: [Self; 5] = [
        Self::Modality,
        Self::Pacs,
        Self::Engine,
        Self::Ehr,
        Self::Workstation,
    ];
    /// The hosts on the wards, in the hospital with a sensor in the path.
    pub const FLOOR: [Self; 5] = [
        Self::Modality,
        Self::Engine,
        Self::Workstation,
        Self::Pump,
        Self::Intruder,
    ];
    /// The hosts in the data centre.
    pub const CORE: [Self; 2] = [Self::Pacs, Self::Ehr];

    /// Name of the host, and of its port at the switch.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Modality => "modality",
            Self::Pacs => "pacs",
            Self::Engine => "engine",
            Self::Ehr => "ehr",
            Self::Workstation => "workstation",
            Self::Pump => "pump",
            Self::Intruder => "intruder",
        }
    }

    /// The IPv4 address of the host with this role.
    #[must_use]
    pub const fn address(self) -> Ipv4Addr {
        let host = match self {
            Self::Pacs => 10,
            Self::Modality => 20,
            Self::Engine => 30,
            Self::Ehr => 40,
            Self::Workstation => 50,
            Self::Intruder => 66,
            Self::Pump => 70,
        };
        Ipv4Addr::new(10, 77, 1, host)
    }

    /// Its Ethernet address: locally administered, the IP address in it.
    #[must_use]
    pub fn mac(self) -> String {
        let [a, b, c, d] = self.address().octets();
        format!("02:00:{a:02x}:{b:02x}:{c:02x}:{d:02x}")
    }
}

/// The sensor's ports where it is in the path: to the wards, and to the data centre.
pub const PORTS: [&str; 2] = ["floor0", "core0"];
/// The sensor's interface at the switch's mirror port.
pub const MIRROR: &str = "mirror0";
/// The sensor's interface for what it sends, where [`Hospital::response`] has laid the cable.
pub const RESPONSE: &str = "response0";
/// The switch's end of it.
const RESPONSE_PORT: &str = "response";
/// The switch's end of the mirror.
const MIRROR_PORT: &str = "mirror";
const BRIDGE: &str = "bridge";
/// The name of the interface that each host has.
const INTERFACE: &str = "eth0";

/// The hospital. Dropping it removes everything.
#[derive(Debug)]
pub struct Hospital {
    // The hosts go first: what runs there uses the switch.
    hosts: Vec<(Role, Namespace)>,
    sensor: Namespace,
    switch: Namespace,
}

impl Hospital {
    /// Builds it of namespaces whose names begin with `prefix`; what an earlier run left under that
    /// prefix is removed first.
    ///
    /// # Errors
    /// Without root, or when a step fails; what was made by then is removed.
    pub fn build(prefix: &str) -> Result<Self> {
        ensure!(geteuid().is_root(), "network namespaces need root");
        remove_leftovers(&format!("{prefix}-"))?;
        let namespace = |name: &str| Namespace::create(&format!("{prefix}-{name}"));
        let switch = namespace("switch")?;
        switch.ip(&["link", "add", BRIDGE, "type", "bridge", "stp_state", "0"])?;
        switch.ip(&["link", "set", BRIDGE, "up"])?;

        let sensor = namespace("sensor")?;
        switch.cable(MIRROR_PORT, &sensor, MIRROR)?;
        // The sensor has no address there: it listens and never speaks.
        sensor.ip(&["link", "set", MIRROR, "arp", "off"])?;
        let mut hosts = Vec::new();
        for role in Role::ALL {
            let host = namespace(role.name())?;
            attach_to(&switch, BRIDGE, role, &host).with_context(|| role.name())?;
            mirror(&switch, role.name())?;
            hosts.push((role, host));
        }
        Ok(Self {
            hosts,
            sensor,
            switch,
        })
    }

    /// Builds the hospital with the sensor in the path: a bridge between the switch of the wards
    /// ([`Role::FLOOR`]) and the data centre ([`Role::CORE`]).
    ///
    /// # Errors
    /// As [`Self::build`].
    pub fn build_inline(prefix: &str) -> Result<Self> {
        ensure!(geteuid().is_root(), "network namespaces need root");
        remove_leftovers(&format!("{prefix}-"))?;
        let namespace = |name: &str| Namespace::create(&format!("{prefix}-{name}"));
        // Both switches are bridges in one namespace; only the sensor joins them.
        let (switch, sensor) = (namespace("switch")?, namespace("sensor")?);
        sensor.ip(&["link", "add", BRIDGE, "type", "bridge", "stp_state", "0"])?;
        sensor.ip(&["link", "set", BRIDGE, "up"])?;
        let mut hosts = Vec::new();
        let sides = [
            ("floor", PORTS[0], &Role::FLOOR[..]),
            ("core", PORTS[1], &Role::CORE),
        ];
        for (side, port, roles) in sides {
            switch.ip(&["link", "add", side, "type", "bridge", "stp_state", "0"])?;
            switch.ip(&["link", "set", side, "up"])?;
            let up = format!("{side}-up");
            switch.cable(&up, &sensor, port)?;
            switch.ip(&["link", "set", &up, "master", side])?;
            sensor.ip(&["link", "set", port, "master", BRIDGE])?;
            for role in roles {
                let host = namespace(role.name())?;
                attach_to(&switch, side, *role, &host).with_context(|| role.name())?;
                // A server holds what a connection uses until TCP gives it up, which takes a quarter of an hour
                // unless it is told otherwise: here 3 s. The archive's index is locked that long.
                run(host
                    .command("sysctl")
                    .args(["-q", "net.ipv4.tcp_retries2=3"]))?;
                hosts.push((*role, host));
            }
        }
        Ok(Self {
            hosts,
            sensor,
            switch,
        })
    }

    /// A host's namespace.
    ///
    /// # Panics
    /// If the hospital has no such host.
    #[must_use]
    pub fn host(&self, role: Role) -> &Namespace {
        let found = self.hosts.iter().find(|(other, _)| *other == role);
        found.map_or_else(
            || panic!("there is no {role:?} in this hospital"),
            |(_, host)| host,
        )
    }

    /// The sensor's namespace: the mirror leads there, or it is in the path.
    #[must_use]
    pub fn sensor(&self) -> &Namespace {
        &self.sensor
    }

    /// Lays a cable from the sensor to a port of the switch that is as a host's: mirrored too.
    ///
    /// # Errors
    /// When a step fails.
    pub fn response(&self) -> Result<()> {
        self.switch.cable(RESPONSE_PORT, &self.sensor, RESPONSE)?;
        self.sensor.ip(&["link", "set", RESPONSE, "arp", "off"])?;
        self.switch
            .ip(&["link", "set", RESPONSE_PORT, "master", BRIDGE])?;
        mirror(&self.switch, RESPONSE_PORT)
    }

    /// Frames that the switch sent into the mirror so far.
    ///
    /// # Errors
    /// When `ip` does not say.
    pub fn mirrored(&self) -> Result<u64> {
        let text = self
            .switch
            .ip(&["-json", "-statistics", "link", "show", MIRROR_PORT])?;
        let value: serde_json::Value = serde_json::from_str(&text)?;
        value[0]["stats64"]["tx"]["packets"]
            .as_u64()
            .with_context(|| format!("no packet count in {text}"))
    }
}

/// Connects a host to a bridge of the switch.
fn attach_to(switch: &Namespace, bridge: &str, role: Role, host: &Namespace) -> Result<()> {
    let port = role.name();
    switch.cable(port, host, INTERFACE)?;
    host.ip(&["link", "set", INTERFACE, "address", &role.mac()])?;
    // Frames as they are on a wire: the kernel would hand over up to 64 KiB of TCP at once.
    host.ip(&["link", "set", INTERFACE, "gso_max_segs", "1"])?;
    host.ip(&[
        "address",
        "add",
        &format!("{}/24", role.address()),
        "dev",
        INTERFACE,
    ])?;
    switch.ip(&["link", "set", port, "master", bridge])?;
    Ok(())
}

/// Mirrors what comes in by a port.
fn mirror(switch: &Namespace, port: &str) -> Result<()> {
    mirror_to(switch, port, MIRROR_PORT)
}

/// Mirrors what comes in by a port to the port `to`.
pub(crate) fn mirror_to(switch: &Namespace, port: &str, to: &str) -> Result<()> {
    // Each frame enters the switch once, so mirroring every port's ingress copies it once.
    switch.tc(&["qdisc", "add", "dev", port, "clsact"])?;
    switch.tc(&[
        "filter", "add", "dev", port, "ingress", "protocol", "all", "u32", "match", "u32", "0",
        "0", "action", "mirred", "egress", "mirror", "dev", to,
    ])?;
    Ok(())
}
