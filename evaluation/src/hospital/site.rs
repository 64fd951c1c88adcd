//! The hosts of the hospital, and of the world outside that they use.

use std::net::Ipv4Addr;

use super::world::{Id, World};
use crate::wire::dicom::{self, Application};

/// An imaging device.
#[derive(Clone, Debug)]
pub(crate) struct Modality {
    pub(crate) host: Id,
    pub(crate) application: Application,
    /// Its vendor, by the index in `VENDORS`.
    pub(crate) vendor: usize,
    /// SOP class of its images.
    pub(crate) class: &'static str,
    /// Images of a study, and bytes of an image, about.
    pub(crate) images: (u64, u64),
    /// Minutes between studies when it is busiest.
    pub(crate) pace: u64,
}

/// A DICOM server.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) host: Id,
    pub(crate) application: Application,
    pub(crate) port: u16,
}

/// The hosts by what they are.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    pub(crate) modalities: Vec<Modality>,
    /// The archives; the last one is vendor neutral.
    pub(crate) archives: Vec<Node>,
    /// The worklist's server.
    pub(crate) ris: Node,
    pub(crate) reading: Vec<Node>,
    pub(crate) office: Vec<Id>,
    pub(crate) admins: Vec<Id>,
    pub(crate) guests: Vec<Id>,
    pub(crate) pumps: Vec<Id>,
    pub(crate) gateways: Vec<Id>,
    pub(crate) monitors: Vec<Id>,
    pub(crate) central: Id,
    pub(crate) analysers: Vec<Id>,
    pub(crate) lis: Id,
    pub(crate) engine: Id,
    pub(crate) ehr: Id,
    pub(crate) database: Id,
    pub(crate) directories: Vec<Id>,
    pub(crate) files: Id,
    pub(crate) backup: Id,
    pub(crate) watch: Id,
    pub(crate) update: Id,
    pub(crate) printers: Vec<Id>,
    pub(crate) cameras: Vec<Id>,
    /// Web servers outside, the first few much used, most hardly ever.
    pub(crate) web: Vec<Id>,
    /// Where the software that guards workstations reports to.
    pub(crate) agent: Id,
    pub(crate) mail: Id,
    /// Vendors' hosts outside, by vendor.
    pub(crate) vendors: Vec<Id>,
    /// Time server outside.
    pub(crate) time: Id,
    /// How many devices were asked for.
    pub(crate) asked: usize,
    /// Devices at the beginning, all of them.
    pub(crate) devices: usize,
}

const DELL: [u8; 3] = [0xb0, 0x83, 0xfe];
const HP: [u8; 3] = [0x3c, 0xd9, 0x2b];
const LENOVO: [u8; 3] = [0x54, 0xee, 0x75];
const VMWARE: [u8; 3] = [0x00, 0x50, 0x56];
const SIEMENS: [u8; 3] = [0x08, 0x00, 0x06];
const GE: [u8; 3] = [0x00, 0x40, 0x97];
const PHILIPS: [u8; 3] = [0x00, 0x09, 0xfb];
const PUMP: [u8; 3] = [0x00, 0x03, 0xb1];
const ROCHE: [u8; 3] = [0x00, 0x30, 0x56];
const AXIS: [u8; 3] = [0x00, 0x40, 0x8c];
const APPLE: [u8; 3] = [0xf0, 0x18, 0x98];

/// The subnets, third byte of 10.20.x.0/24.
pub(crate) mod net {
    pub(crate) const SERVERS: u8 = 1;
    pub(crate) const IMAGING: u8 = 10;
    pub(crate) const PUMPS: u8 = 20;
    pub(crate) const MONITORS: u8 = 21;
    pub(crate) const LABORATORY: u8 = 22;
    pub(crate) const OFFICE: u8 = 30;
    pub(crate) const PRINTERS: u8 = 40;
    pub(crate) const BUILDING: u8 = 50;
    pub(crate) const GUESTS: u8 = 90;
}

pub(crate) const fn inside(net: u8, host: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 20, net, host)
}

const VENDORS: [(&str, [u8; 3], &str, &str); 3] = [
    (
        "SIE",
        SIEMENS,
        "1.3.12.2.1107.5.9.20000101",
        "SIEMENS_SWFVB30",
    ),
    ("GEM", GE, "1.2.840.113619.6.374", "GE_REV_14_5"),
    ("PHI", PHILIPS, "1.3.46.670589.42.2.4.5.4.2", "Philips_R5.7"),
];

/// A kind of modality: prefix, vendor, class, images and bytes, pace in minutes.
type Kind = (&'static str, usize, &'static str, (u64, u64), u64);

const KINDS: [Kind; 8] = [
    ("CT", 0, dicom::CT, (140, 526_000), 22),
    ("MR", 2, dicom::MR, (220, 210_000), 35),
    ("US", 1, dicom::US, (14, 2_400_000), 25),
    ("CR", 2, dicom::CR, (2, 8_600_000), 12),
    ("US", 2, dicom::US, (11, 1_900_000), 30),
    ("CT", 1, dicom::CT, (110, 526_000), 26),
    ("US", 1, dicom::US, (12, 2_300_000), 28),
    ("CR", 0, dicom::CR, (3, 7_400_000), 14),
];

/// A modality of that kind, the `nth` of a house of so many devices, at an address. Studies of a small house are small.
pub(crate) fn modality(
    w: &mut World,
    kind: usize,
    (nth, devices): (usize, usize),
    address: Ipv4Addr,
) -> Modality {
    let (prefix, vendor, class, (images, bytes), pace) = KINDS[kind % KINDS.len()];
    let (name, mac, uid, version) = VENDORS[vendor];
    let host = w.host(&format!("{prefix}{nth}-{name}"), mac, address, 128, &[104]);
    Modality {
        host,
        application: Application {
            title: format!("{prefix}{nth}_{name}"),
            class: format!("{uid}.{}", if prefix == "CT" { 1 } else { 2 + kind % 3 }),
            version: version.to_owned(),
        },
        vendor,
        class,
        images: ((images * devices.min(240) as u64).div_ceil(240), bytes),
        pace,
    }
}

fn node(
    w: &mut World,
    name: &str,
    mac: [u8; 3],
    address: Ipv4Addr,
    title: &str,
    maker: (&str, &str),
    port: u16,
) -> Node {
    Node {
        host: w.host(name, mac, address, 64, &[port, 22]),
        application: Application {
            title: title.to_owned(),
            class: maker.0.to_owned(),
            version: maker.1.to_owned(),
        },
        port,
    }
}

const PACS: (&str, &str) = ("1.2.276.0.7230010.3.0.3.6.8", "OFFIS_DCMTK_368");
const VNA: (&str, &str) = ("1.2.40.0.13.1.3", "dcm4che-5.33.1");
const READER: (&str, &str) = ("1.2.826.0.1.3680043.9.3811.2.4.4", "READER_24");
const RIS: (&str, &str) = ("1.2.826.0.1.3680043.2.60.0.1", "RIS_WL_7");

impl Site {
    /// Builds a house of about `devices`, from 40 to 400.
    ///
    /// Its own devices are the first of the hosts.
    #[expect(
        clippy::too_many_lines,
        reason = "a list of who is there, a line or two each"
    )]
    pub(crate) fn build(w: &mut World, devices: usize) -> Self {
        let share = |of: usize, least: usize| (of * devices / 240).max(least);
        let server = |w: &mut World, name: &str, host: u8, ports: &[u16]| {
            let mut all = ports.to_vec();
            all.push(22);
            w.host(name, VMWARE, inside(net::SERVERS, host), 64, &all)
        };
        let windows = |w: &mut World, name: &str, host: u8, ports: &[u16]| {
            let mut all = ports.to_vec();
            all.extend_from_slice(&[445, 3389]);
            w.host(name, VMWARE, inside(net::SERVERS, host), 128, &all)
        };
        let directories = vec![
            windows(w, "dc1", 10, &[53, 88, 389]),
            windows(w, "dc2", 11, &[53, 88, 389]),
        ];
        let archives = vec![
            node(
                w,
                "pacs1",
                DELL,
                inside(net::SERVERS, 30),
                "PACS_MAIN",
                PACS,
                11_112,
            ),
            node(
                w,
                "pacs2",
                DELL,
                inside(net::SERVERS, 31),
                "PACS_CARDIO",
                PACS,
                104,
            ),
            node(w, "vna", DELL, inside(net::SERVERS, 32), "VNA", VNA, 11_112),
        ];
        let ris = node(
            w,
            "ris",
            VMWARE,
            inside(net::SERVERS, 33),
            "RIS_WL",
            RIS,
            104,
        );
        w.hosts[ris.host].services.extend_from_slice(&[2_575, 443]);
        for archive in &archives {
            w.hosts[archive.host].services.push(2_575);
        }
        let engine = server(w, "engine", 20, &[2_575, 6_661]);
        let ehr = windows(w, "ehr", 21, &[443, 2_575]);
        let database = server(w, "ehrdb", 22, &[1_521]);
        let lis = windows(w, "lis", 23, &[2_575, 443]);
        let gateways = (0..2)
            .map(|nth| windows(w, &format!("pumpgw{nth}"), 24 + nth, &[3_613]))
            .collect();
        let central = windows(w, "central", 26, &[2_575, 24_105]);
        let files = windows(w, "files", 12, &[]);
        let backup = server(w, "backup", 13, &[10_000]);
        let watch = server(w, "watch", 14, &[443]);
        let update = windows(w, "update", 15, &[8_530]);
        let modalities = (0..share(8, 3))
            .map(|nth| {
                let address = inside(net::IMAGING, 20 + small(nth));
                modality(w, nth, (nth + 1, devices), address)
            })
            .collect();
        let reading = (0..share(12, 2))
            .map(|nth| {
                let name = format!("read{nth:02}");
                let address = inside(net::IMAGING, 120 + small(nth));
                let it = node(
                    w,
                    &name,
                    HP,
                    address,
                    &format!("READ{nth:02}"),
                    READER,
                    11_112,
                );
                let host = &mut w.hosts[it.host];
                (host.ttl, host.services) = (128, vec![11_112, 3_389, 445]);
                it
            })
            .collect();
        let office = (0..share(58, 6))
            .map(|nth| {
                let vendor = *[DELL, HP, LENOVO].get(nth % 3).unwrap_or(&DELL);
                let address = inside(net::OFFICE, 20 + small(nth));
                w.host(&format!("ws{nth:03}"), vendor, address, 128, &[445, 3_389])
            })
            .collect();
        let admins = (0..share(3, 1))
            .map(|nth| {
                let address = inside(net::OFFICE, 10 + small(nth));
                w.host(&format!("admin{nth}"), LENOVO, address, 128, &[445])
            })
            .collect();
        let mut group = |name: &str, vendor, net, many: usize, least: usize, ttl, ports: &[u16]| {
            (0..share(many, least))
                .map(|nth| {
                    let address = inside(net, 20 + small(nth));
                    w.host(&format!("{name}{nth:03}"), vendor, address, ttl, ports)
                })
                .collect::<Vec<_>>()
        };
        let pumps = group("pump", PUMP, net::PUMPS, 90, 8, 64, &[]);
        let monitors = group("mon", PHILIPS, net::MONITORS, 20, 3, 64, &[]);
        let analysers = group("ana", ROCHE, net::LABORATORY, 6, 2, 128, &[]);
        let printers = group("prn", HP, net::PRINTERS, 10, 2, 64, &[9_100, 80, 631]);
        let cameras = group("cam", AXIS, net::BUILDING, 4, 1, 64, &[554, 80]);
        let guests = group("guest", APPLE, net::GUESTS, 8, 1, 64, &[]);
        // And the router.
        let count = w.hosts.len() + 1;
        let mut outer = |name: &str, address: [u8; 4], ports: &[u16]| {
            w.host(name, [0; 3], Ipv4Addr::from(address), 64, ports)
        };
        let web = (0..3_000_u16)
            .map(|nth| {
                let [net, host] = [nth / 240, 5 + nth % 240].map(|it| it.to_le_bytes()[0]);
                outer(&format!("www{nth}.example"), [104, 18, net, host], &[443])
            })
            .collect();
        let agent = outer("agent.example", [13, 107, 42, 18], &[443]);
        let mail = outer("mail.example", [52, 97, 183, 2], &[443]);
        let vendors = (0..3)
            .map(|nth: u8| {
                outer(
                    &format!("remote{nth}.example"),
                    [194, 138, 21, 30 + nth],
                    &[443],
                )
            })
            .collect();
        let time = outer("time.example", [131, 188, 3, 220], &[]);
        Self {
            modalities,
            archives,
            ris,
            reading,
            office,
            admins,
            guests,
            pumps,
            gateways,
            monitors,
            central,
            analysers,
            lis,
            engine,
            ehr,
            database,
            directories,
            files,
            backup,
            watch,
            update,
            printers,
            cameras,
            web,
            agent,
            mail,
            vendors,
            time,
            asked: devices.min(240),
            devices: count,
        }
    }

    /// The servers of the hospital itself.
    pub(crate) fn servers(&self) -> Vec<Id> {
        let mut all = self.directories.clone();
        all.extend(self.archives.iter().map(|one| one.host));
        all.extend(self.gateways.iter().copied());
        all.extend([
            self.ris.host,
            self.engine,
            self.ehr,
            self.database,
            self.lis,
            self.central,
            self.files,
            self.update,
        ]);
        all
    }
}

fn small(number: usize) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}
