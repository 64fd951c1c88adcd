//! The hospital of the live evaluation: hosts at a switch with a mirror port, a router, and the Internet behind it.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result, ensure};
use nix::unistd::geteuid;

use super::table::Attack;
use crate::{
    hospital::{MIRROR, mirror_to},
    netns::{Namespace, remove_leftovers, run},
    program::Program,
};

/// The hosts of the hospital, each with the last part of its addresses.
pub const HOSTS: [(&str, u8); 20] = [
    ("infra", 2),
    ("pacs", 10),
    ("orthanc", 11),
    ("files", 12),
    ("backup", 13),
    ("web", 14),
    ("ct", 20),
    ("mr", 21),
    ("us", 22),
    ("engine", 30),
    ("ehr", 40),
    ("ws1", 50),
    ("ws2", 51),
    ("pc1", 60),
    ("pc2", 61),
    ("admin", 62),
    ("pump1", 70),
    ("monitor", 71),
    ("printer", 80),
    ("laptop", 90),
];
/// Addresses of hosts without a past begin here.
const FIRST_NEW: u8 = 101;
/// The hospital's network, and the same for IPv6.
const NET: &str = "10.88.1";
const NET6: &str = "fd00:88::";
/// Addresses of the Internet (RFC 5737): a web server, the attacker's server, two name servers.
pub const OUTSIDE: [(&str, &str); 4] = [
    ("internet", "203.0.113.10"),
    ("evil", "203.0.113.66"),
    ("ns1", "203.0.113.53"),
    ("ns2", "203.0.113.54"),
];
const BRIDGE: &str = "bridge";
const MIRROR_PORT: &str = "mirror";
const INTERFACE: &str = "eth0";

/// A host's addresses, as they are when an attack begins.
#[derive(Clone, Debug, Default)]
pub struct Addresses {
    /// IPv4 and IPv6.
    pub ip: Vec<String>,
    /// Its Ethernet address.
    pub mac: String,
}

/// The hospital. Dropping it removes everything.
pub struct Ground {
    hosts: BTreeMap<String, Namespace>,
    router: Namespace,
    outside: Namespace,
    /// The sensor's namespace.
    pub sensor: Namespace,
    switch: Namespace,
    prefix: String,
    next: u8,
    variables: Vec<(String, String)>,
}

/// Names the server that hosts ask for names.
///
/// # Errors
/// When the file can't be written.
pub fn names_from(folder: &Path, server: &str) -> Result<()> {
    let names = format!("nameserver {server}\noptions timeout:1 attempts:1\n");
    Ok(fs::write(folder.join("resolv.conf"), names)?)
}

impl Ground {
    /// Builds it of namespaces whose names begin with `prefix`. `folder` is known to scripts as `$FOLDER`.
    ///
    /// # Errors
    /// Without root, or when a step fails; what was made by then is removed.
    pub fn build(prefix: &str, folder: &Path, variables: &[(&str, String)]) -> Result<Self> {
        ensure!(geteuid().is_root(), "network namespaces need root");
        remove_leftovers(&format!("{prefix}-"))?;
        let namespace = |name: &str| Namespace::create(&format!("{prefix}-{name}"));
        let switch = namespace("switch")?;
        switch.ip(&["link", "add", BRIDGE, "type", "bridge", "stp_state", "0"])?;
        // As a switch without a querier of groups does: what goes to a group goes everywhere.
        switch.ip(&[
            "link",
            "set",
            BRIDGE,
            "type",
            "bridge",
            "mcast_snooping",
            "0",
        ])?;
        switch.ip(&["link", "set", BRIDGE, "up"])?;
        let sensor = namespace("sensor")?;
        switch.cable(MIRROR_PORT, &sensor, MIRROR)?;
        sensor.ip(&["link", "set", MIRROR, "arp", "off"])?;
        let (router, outside) = (namespace("router")?, namespace("outside")?);
        let mut ground = Self {
            hosts: BTreeMap::new(),
            router,
            outside,
            sensor,
            switch,
            prefix: prefix.to_owned(),
            next: FIRST_NEW,
            variables: vec![
                ("FOLDER".to_owned(), folder.display().to_string()),
                ("NET".to_owned(), NET.to_owned()),
                ("NET6".to_owned(), NET6.to_owned()),
                ("ROUTER".to_owned(), format!("{NET}.1")),
            ],
        };
        names_from(folder, &format!("{NET}.2"))?;
        let given = variables.iter().map(|(name, value)| (*name, value.clone()));
        let hosts = HOSTS.map(|(name, last)| (name, format!("{NET}.{last}")));
        let outside = OUTSIDE.map(|(name, address)| (name, address.to_owned()));
        for (name, value) in given.chain(hosts).chain(outside) {
            ground.variables.push((name.to_uppercase(), value));
        }
        ground.internet()?;
        for (name, last) in HOSTS {
            ground.attach(name, last).context(name)?;
        }
        Ok(ground)
    }

    /// The router and what is behind it.
    fn internet(&mut self) -> Result<()> {
        self.plug(&self.router, "router", 1)?;
        self.router.cable("out", &self.outside, INTERFACE)?;
        for forwarding in ["ipv4.ip_forward", "ipv6.conf.all.forwarding"] {
            let one = format!("net.{forwarding}=1");
            run(self.router.command("sysctl").args(["-q", &one]))?;
        }
        self.outside.fill_in_checksums()?;
        let add = |namespace: &Namespace, address: &str, device: &str| {
            namespace.ip(&["address", "add", address, "dev", device])
        };
        add(&self.router, "203.0.113.1/24", "out")?;
        for (_, address) in OUTSIDE {
            add(&self.outside, &format!("{address}/24"), INTERFACE)?;
        }
        self.outside
            .ip(&["route", "add", "default", "via", "203.0.113.1"])?;
        Ok(())
    }

    /// Connects a namespace to the switch, with IPv4 and IPv6 and its port mirrored.
    fn plug(&self, host: &Namespace, port: &str, last: u8) -> Result<()> {
        let script = "for file in /proc/sys/net/ipv6/conf/*/disable_ipv6; do echo 0 > $file; done";
        run(host.command("sh").args(["-c", script]))?;
        self.switch.cable(port, host, INTERFACE)?;
        let mac = format!("02:00:0a:58:01:{last:02x}");
        for setting in [["address", &mac], ["gso_max_segs", "1"]] {
            host.ip(&[&["link", "set", INTERFACE], &setting[..]].concat())?;
        }
        for address in [format!("{NET}.{last}/24"), format!("{NET6}{last:x}/64")] {
            host.ip(&["address", "add", &address, "dev", INTERFACE, "nodad"])
                .or_else(|_| host.ip(&["address", "add", &address, "dev", INTERFACE]))?;
        }
        host.fill_in_checksums()?;
        self.switch.ip(&["link", "set", port, "master", BRIDGE])?;
        mirror_to(&self.switch, port, MIRROR_PORT)
    }

    fn attach(&mut self, name: &str, last: u8) -> Result<()> {
        let host = Namespace::create(&format!("{}-{name}", self.prefix))?;
        self.plug(&host, name, last)?;
        let gateway = format!("{NET}.1");
        host.ip(&["route", "add", "default", "via", &gateway])?;
        self.hosts.insert(name.to_owned(), host);
        Ok(())
    }

    /// A host that was never seen before; its name.
    ///
    /// # Errors
    /// When addresses are used up, or a step fails.
    pub fn newcomer(&mut self) -> Result<String> {
        let last = self.next;
        self.next = last
            .checked_add(1)
            .filter(|next| *next < 251)
            .context("no address is left")?;
        let name = format!("new{last}");
        self.attach(&name, last)?;
        Ok(name)
    }

    /// Takes a host away.
    pub fn remove(&mut self, name: &str) {
        self.hosts.remove(name);
    }

    /// The host that an attack comes from: a new one, or one with a past.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn attacker(&mut self, attack: &Attack) -> Result<String> {
        match attack.host {
            "new" => self.newcomer(),
            name => Ok(name.to_owned()),
        }
    }

    fn namespace(&self, name: &str) -> Result<&Namespace> {
        match name {
            "router" => Ok(&self.router),
            "outside" => Ok(&self.outside),
            _ => self
                .hosts
                .get(name)
                .with_context(|| format!("no host {name}")),
        }
    }

    /// Runs a shell script on a host in the background, for at most `seconds` if there is a limit.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn script(
        &self,
        host: &str,
        name: &str,
        script: &str,
        seconds: Option<u64>,
        logs: &Path,
    ) -> Result<Program> {
        let namespace = self.namespace(host)?;
        let mut command = match seconds {
            Some(limit) => {
                let mut command = namespace.command("timeout");
                command.args(["-k", "2", &limit.to_string(), "sh"]);
                command
            }
            None => namespace.command("sh"),
        };
        // `ip netns exec` gives it mounts of its own. Servers ask for the names of their clients; the machine's own name server
        // is out of reach.
        let script = format!("mount --bind \"$FOLDER/resolv.conf\" /etc/resolv.conf; {script}");
        command.args(["-c", &script]).current_dir(logs);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
            .env("HOME", logs)
            .env("LAST", host.trim_start_matches("new"));
        Program::start(name, command, logs)
    }

    /// Waits until something listens at a TCP port of a host.
    ///
    /// # Errors
    /// When nothing does in time.
    pub fn wait_for_listener(&self, host: &str, port: u16) -> Result<()> {
        self.namespace(host)?.wait_for_listener(port)
    }

    /// The addresses of a host, now.
    ///
    /// # Errors
    /// When `ip` does not say.
    pub fn addresses(&self, host: &str) -> Result<Addresses> {
        let text = self
            .namespace(host)?
            .ip(&["-json", "address", "show", "dev", INTERFACE])?;
        let value: serde_json::Value = serde_json::from_str(&text)?;
        let told = value[0]["addr_info"].as_array().into_iter().flatten();
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        Ok(Addresses {
            ip: told.map(|one| text(&one["local"])).collect(),
            mac: text(&value[0]["address"]),
        })
    }

    /// Writes what the mirror port sends into a capture, until it is stopped.
    ///
    /// # Errors
    /// When the program can't be started.
    pub fn capture(&self, file: &Path, logs: &Path) -> Result<Program> {
        // The file is made here: the program gives up its rights before it opens it.
        fs::write(file, "")?;
        let mut command = self.switch.command("dumpcap");
        command.args(["-q", "-i", MIRROR_PORT, "-w"]).arg(file);
        Program::start("capture", command, logs)
    }

    /// Text with names as `$PACS` replaced by addresses, as a shell does it.
    #[must_use]
    pub fn address_of(&self, name: &str) -> Option<&str> {
        let name = name.to_uppercase();
        let found = self.variables.iter().find(|(other, _)| *other == name);
        found.map(|(_, value)| value.as_str())
    }
}
