//! What the live evaluation runs.

use anyhow::Result;
use tests::live::table;

/// File names of programs, and the Debian packages that they are in. Where Debian has no such package, the table of results
/// names it as missing.
pub(super) const PROGRAMS: &[(&str, &str)] = &[
    ("nmap", "nmap"),
    ("masscan", "masscan"),
    ("arp-scan", "arp-scan"),
    ("arping", "iputils-arping"),
    ("netdiscover", "netdiscover"),
    ("fping", "fping"),
    ("hydra", "hydra"),
    ("medusa", "medusa"),
    ("ncrack", "ncrack"),
    ("sshpass", "sshpass"),
    ("smbclient", "smbclient"),
    ("smbmap", "smbmap"),
    ("nbtscan", "nbtscan"),
    ("arpspoof", "dsniff"),
    ("ettercap", "ettercap-text-only"),
    ("atk6-alive6", "thc-ipv6"),
    ("dnsmasq", "dnsmasq-base"),
    ("dhcpstarv", "dhcpstarv"),
    ("udhcpc", "udhcpc"),
    ("yersinia", "yersinia"),
    ("iodine", "iodine"),
    ("dns2tcpd", "dns2tcp"),
    ("ptunnel", "ptunnel"),
    ("hts", "httptunnel"),
    ("hping3", "hping3"),
    ("t50", "t50"),
    ("slowhttptest", "slowhttptest"),
    ("goldeneye", "goldeneye"),
    ("siege", "siege"),
    ("ab", "apache2-utils"),
    ("onesixtyone", "onesixtyone"),
    ("braa", "braa"),
    ("snmpget", "snmp"),
    ("snmpd", "snmpd"),
    ("ike-scan", "ike-scan"),
    ("svmap", "sipvicious"),
    ("dnsenum", "dnsenum"),
    ("dnsrecon", "dnsrecon"),
    ("gobuster", "gobuster"),
    ("dirb", "dirb"),
    ("sshd", "openssh-server"),
    ("ssh", "openssh-client"),
    ("smbd", "samba"),
    ("rsync", "rsync"),
    ("socat", "socat"),
    ("nc", "netcat-openbsd"),
    ("curl", "curl"),
    ("busybox", "busybox-static"),
    ("dumpcap", "wireshark-common"),
    ("responder", "responder"),
    ("nikto", "nikto"),
    ("enum4linux", "enum4linux"),
    ("crowbar", "crowbar"),
    ("chisel", "chisel"),
];

/// What the short form needs, which the suite of tests runs.
pub(crate) fn short() -> Result<Vec<(&'static str, &'static str)>> {
    let attacks = table::attacks()?;
    let needed = |name: &str| {
        let attack = attacks
            .iter()
            .any(|attack| attack.short && attack.program == name);
        attack || ["sshd", "dumpcap"].contains(&name)
    };
    Ok(PROGRAMS
        .iter()
        .filter(|(name, _)| needed(name))
        .copied()
        .collect())
}
