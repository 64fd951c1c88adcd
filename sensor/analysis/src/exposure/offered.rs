//! Services that a device offers and should not: protocols without protection, and what its role does not need.

use super::{Weakness, WeaknessKind};
use sensor_common::layer7::Protocol;
use sensor_sessions::inventory::{HostReport, Role};

/// A protocol without protection, by its port (IANA).
struct Insecure {
    proto: &'static str,
    port: u16,
    name: &'static str,
    points: u64,
    why: &'static str,
}

const PASSWORDS: &str = "passwords and all else go in clear text";

const INSECURE: [Insecure; 9] = [
    insecure("TCP", 23, "Telnet", 30, PASSWORDS),
    insecure("TCP", 512, "rexec", 30, PASSWORDS),
    insecure("TCP", 513, "rlogin", 30, "it trusts addresses"),
    insecure("TCP", 514, "rsh", 30, "it trusts addresses"),
    insecure("TCP", 21, "FTP", 20, PASSWORDS),
    insecure("UDP", 69, "TFTP", 20, "it asks for no password"),
    insecure("TCP", 5_900, "VNC", 20, "its sessions go in clear text"),
    insecure(
        "UDP",
        161,
        "SNMP",
        10,
        "versions 1 and 2c have clear-text passwords; which version it is was not seen",
    ),
    insecure(
        "TCP",
        139,
        "NetBIOS session service",
        10,
        "it is how SMB 1 is reached",
    ),
];

const fn insecure(
    proto: &'static str,
    port: u16,
    name: &'static str,
    points: u64,
    why: &'static str,
) -> Insecure {
    Insecure {
        proto,
        port,
        name,
        points,
        why,
    }
}

/// A service that only some roles need.
struct Needed {
    port: u16,
    name: &'static str,
    points: u64,
    by: fn(Role) -> bool,
}

/// All TCP.
const NEEDED: [Needed; 12] = [
    needed(445, "SMB", 15, is_office),
    needed(3_389, "RDP", 15, is_office),
    needed(135, "Windows RPC", 10, is_office),
    needed(5_985, "WinRM", 15, is_office),
    needed(22, "SSH", 5, is_administered),
    needed(80, "HTTP", 5, has_pages),
    needed(8_080, "HTTP", 5, has_pages),
    needed(1_433, "Microsoft SQL Server", 10, is_server),
    needed(1_521, "Oracle database", 10, is_server),
    needed(3_306, "MySQL", 10, is_server),
    needed(5_432, "PostgreSQL", 10, is_server),
    needed(25, "SMTP", 10, is_server),
];

const fn needed(port: u16, name: &'static str, points: u64, by: fn(Role) -> bool) -> Needed {
    Needed {
        port,
        name,
        points,
        by,
    }
}

fn is_office(role: Role) -> bool {
    matches!(role, Role::Workstation | Role::Server | Role::Printer)
}

fn is_server(role: Role) -> bool {
    matches!(
        role,
        Role::Server | Role::Archive | Role::Worklist | Role::HealthRecord | Role::InterfaceEngine
    )
}

fn is_administered(role: Role) -> bool {
    is_server(role) || matches!(role, Role::NetworkDevice | Role::Workstation)
}

fn has_pages(role: Role) -> bool {
    is_server(role) || matches!(role, Role::NetworkDevice | Role::Printer)
}

pub(super) fn weaknesses(host: &HostReport) -> Vec<Weakness> {
    let role = host.role.role;
    let offers = |proto: &str, port: u16| {
        let mut services = host.services.iter();
        services.any(|one| one.proto == proto && one.port == port && !is_recognised(one))
    };
    let insecure = INSECURE.iter().filter(|one| offers(one.proto, one.port));
    let insecure = insecure.map(|one| {
        let evidence = format!(
            "it offers {} ({} port {}): {}",
            one.name, one.proto, one.port, one.why
        );
        Weakness::new(WeaknessKind::InsecureService, one.points, evidence)
    });
    // Of an unknown device it is not known what it needs.
    let beyond = NEEDED
        .iter()
        .filter(|one| role != Role::Unknown && !(one.by)(role) && offers("TCP", one.port));
    let beyond = beyond.map(|one| {
        let evidence = format!(
            "it offers {} (TCP port {}), which a {} does not need for its work",
            one.name,
            one.port,
            role.label()
        );
        Weakness::new(WeaknessKind::BeyondRole, one.points, evidence)
    });
    insecure.chain(beyond).collect()
}

/// What was recognised by its content is not what its port is for by custom.
fn is_recognised(service: &sensor_sessions::inventory::Service) -> bool {
    let app = service.app_proto.as_deref();
    app.and_then(Protocol::from_name).is_some()
}
