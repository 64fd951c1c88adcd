//! The hospital: hosts at a switch, and a mirror port with the sensor at it.
//!
//! `tests/README.md` has a picture. Interfaces never appear in the machine's own namespace.

use std::net::Ipv4Addr;

use anyhow::{Context, Result, ensure};
use nix::unistd::geteuid;

use crate::netns::{Namespace, remove_leftovers};

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
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Modality,
        Self::Pacs,
        Self::Engine,
        Self::Ehr,
        Self::Workstation,
    ];

    /// Name of the host, and of its port at the switch.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Modality => "modality",
            Self::Pacs => "pacs",
            Self::Engine => "engine",
            Self::Ehr => "ehr",
            Self::Workstation => "workstation",
        }
    }

    /// Its address.
    #[must_use]
    pub const fn address(self) -> Ipv4Addr {
        let host = match self {
            Self::Pacs => 10,
            Self::Modality => 20,
            Self::Engine => 30,
            Self::Ehr => 40,
            Self::Workstation => 50,
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

/// The sensor's interface.
pub const MIRROR: &str = "mirror0";
/// The switch's end of the mirror.
const MIRROR_PORT: &str = "mirror";
const BRIDGE: &str = "bridge";
/// A host's interface.
const INTERFACE: &str = "eth0";

/// The hospital. Dropping it removes everything.
#[derive(Debug)]
pub struct Hospital {
    // The hosts go first: what runs there uses the switch.
    // In the order of `Role::ALL`.
    hosts: Vec<Namespace>,
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
        veth(&switch, MIRROR_PORT, &sensor, MIRROR)?;
        // The sensor has no address there: it listens and never speaks.
        sensor.ip(&["link", "set", MIRROR, "arp", "off"])?;
        let mut hosts = Vec::new();
        for role in Role::ALL {
            let host = namespace(role.name())?;
            attach(&switch, role, &host).with_context(|| role.name())?;
            hosts.push(host);
        }
        Ok(Self {
            hosts,
            sensor,
            switch,
        })
    }

    /// A host's namespace.
    #[must_use]
    pub fn host(&self, role: Role) -> &Namespace {
        &self.hosts[role as usize]
    }

    /// The namespace that the mirror leads to.
    #[must_use]
    pub fn sensor(&self) -> &Namespace {
        &self.sensor
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

/// A cable: one end in `a`, the other in `b`, both up.
fn veth(a: &Namespace, a_name: &str, b: &Namespace, b_name: &str) -> Result<()> {
    a.ip(&[
        "link",
        "add",
        a_name,
        "type",
        "veth",
        "peer",
        "name",
        b_name,
        "netns",
        b.name(),
    ])?;
    a.ip(&["link", "set", a_name, "up"])?;
    b.ip(&["link", "set", b_name, "up"])?;
    Ok(())
}

/// Connects a host to the switch, and mirrors what it sends.
fn attach(switch: &Namespace, role: Role, host: &Namespace) -> Result<()> {
    let port = role.name();
    veth(switch, port, host, INTERFACE)?;
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
    switch.ip(&["link", "set", port, "master", BRIDGE])?;
    // Each frame enters the switch once, so mirroring every port's ingress copies it once.
    switch.tc(&["qdisc", "add", "dev", port, "clsact"])?;
    switch.tc(&[
        "filter",
        "add",
        "dev",
        port,
        "ingress",
        "protocol",
        "all",
        "u32",
        "match",
        "u32",
        "0",
        "0",
        "action",
        "mirred",
        "egress",
        "mirror",
        "dev",
        MIRROR_PORT,
    ])?;
    Ok(())
}
