//! DICOM upper layer (PS3.8 section 9.3) and command sets (PS3.7 annex E).

use super::{
    burst::Burst,
    tcp::{Side, Tcp},
};

/// The SOP class of C-ECHO.
pub const ECHO: &str = "1.2.840.10008.1.1";
/// CT image storage.
pub const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
/// MR image storage.
pub const MR: &str = "1.2.840.10008.5.1.4.1.1.4";
/// Computed radiography image storage.
pub const CR: &str = "1.2.840.10008.5.1.4.1.1.1";
/// Ultrasound multi-frame image storage.
pub const US: &str = "1.2.840.10008.5.1.4.1.1.3.1";
/// Study root, find.
pub const FIND: &str = "1.2.840.10008.5.1.4.1.2.2.1";
/// Study root, move.
pub const MOVE: &str = "1.2.840.10008.5.1.4.1.2.2.2";
/// Study root, get.
pub const GET: &str = "1.2.840.10008.5.1.4.1.2.2.3";
/// Modality worklist, find.
pub const WORKLIST: &str = "1.2.840.10008.5.1.4.31";
/// Modality performed procedure step.
pub const MPPS: &str = "1.2.840.10008.3.1.2.3.3";
/// Storage commitment.
pub const COMMITMENT: &str = "1.2.840.10008.1.20.1";

const IMPLICIT: &str = "1.2.840.10008.1.2";
const EXPLICIT: &str = "1.2.840.10008.1.2.1";

/// C-STORE.
pub const C_STORE: u16 = 0x0001;
/// C-GET.
pub const C_GET: u16 = 0x0010;
/// C-FIND.
pub const C_FIND: u16 = 0x0020;
/// C-MOVE.
pub const C_MOVE: u16 = 0x0021;
/// C-ECHO.
pub const C_ECHO: u16 = 0x0030;
/// N-ACTION.
pub const N_ACTION: u16 = 0x0130;
/// N-CREATE.
pub const N_CREATE: u16 = 0x0140;
/// N-SET.
pub const N_SET: u16 = 0x0120;

/// Success (PS3.7 annex C).
pub const SUCCESS: u16 = 0;
/// More to come.
pub const PENDING: u16 = 0xff00;

/// A program that speaks DICOM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// Its AE title.
    pub title: String,
    /// Its implementation class UID.
    pub class: String,
    /// Its implementation version name.
    pub version: String,
}

fn pdu(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap_or(0).to_be_bytes();
    [&[kind, 0][..], &length, body].concat()
}

fn item(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap_or(0).to_be_bytes();
    [&[kind, 0][..], &length, body].concat()
}

fn associate(kind: u8, called: &str, calling: &str, items: &[u8]) -> Vec<u8> {
    let titles = format!("{called:16.16}{calling:16.16}");
    pdu(
        kind,
        &[&[0, 1, 0, 0][..], titles.as_bytes(), &[0; 32], items].concat(),
    )
}

fn user(maximum: u32, who: &Application) -> Vec<u8> {
    let items = [
        item(0x51, &maximum.to_be_bytes()),
        item(0x52, who.class.as_bytes()),
        item(0x55, who.version.as_bytes()),
    ];
    item(0x50, &items.concat())
}

/// A-ASSOCIATE-RQ with a context, numbered 1, 3, ..., for each abstract syntax.
#[must_use]
pub fn request(called: &str, calling: &Application, contexts: &[&str]) -> Vec<u8> {
    let mut items = item(0x10, b"1.2.840.10008.3.1.1.1");
    for (id, context) in (1..).step_by(2).zip(contexts) {
        let body = [
            &[id, 0, 0, 0][..],
            &item(0x30, context.as_bytes()),
            &item(0x40, EXPLICIT.as_bytes()),
            &item(0x40, IMPLICIT.as_bytes()),
        ];
        items.extend_from_slice(&item(0x20, &body.concat()));
    }
    items.extend_from_slice(&user(0, calling));
    associate(1, called, &calling.title, &items)
}

/// A-ASSOCIATE-AC that takes that many contexts.
#[must_use]
pub fn accept(called: &Application, calling: &str, contexts: usize) -> Vec<u8> {
    let mut items = item(0x10, b"1.2.840.10008.3.1.1.1");
    for id in (1..).step_by(2).take(contexts) {
        let body = [&[id, 0, 0, 0][..], &item(0x40, EXPLICIT.as_bytes())];
        items.extend_from_slice(&item(0x21, &body.concat()));
    }
    items.extend_from_slice(&user(0, called));
    associate(2, &called.title, calling, &items)
}

/// A-ASSOCIATE-RJ, permanent, by the application: reason 3 is the calling title, 7 the called one.
#[must_use]
pub fn reject(reason: u8) -> Vec<u8> {
    pdu(3, &[0, 1, 1, reason])
}

/// A-ABORT by the user.
#[must_use]
pub fn abort() -> Vec<u8> {
    pdu(7, &[0, 0, 0, 0])
}

fn element(out: &mut Vec<u8>, number: u16, value: &[u8]) {
    let odd = value.len() % 2;
    out.extend_from_slice(&[0, 0]);
    out.extend_from_slice(&number.to_le_bytes());
    let length = u32::try_from(value.len() + odd).unwrap_or(0);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(value);
    out.extend_from_slice(&[0; 1][..odd]);
}

fn pdv(context: u8, control: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 2).unwrap_or(0).to_be_bytes();
    pdu(4, &[&length[..], &[context, control], body].concat())
}

/// A request.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// Presentation context.
    pub context: u8,
    /// Command Field.
    pub field: u16,
    /// Message ID.
    pub id: u16,
    /// SOP class.
    pub class: &'a str,
    /// SOP instance, of C-STORE.
    pub instance: Option<&'a str>,
    /// Move Destination, of C-MOVE.
    pub destination: Option<&'a str>,
    /// A data set follows.
    pub data: bool,
}

impl Ask<'_> {
    /// Its command set as P-DATA-TF.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut body = Vec::with_capacity(160);
        element(&mut body, 0x0002, self.class.as_bytes());
        element(&mut body, 0x0100, &self.field.to_le_bytes());
        element(&mut body, 0x0110, &self.id.to_le_bytes());
        if let Some(destination) = self.destination {
            element(&mut body, 0x0600, destination.as_bytes());
        }
        if self.field != C_ECHO {
            element(&mut body, 0x0700, &[0, 0]);
        }
        let kind = if self.data { 1_u16 } else { 0x0101 };
        element(&mut body, 0x0800, &kind.to_le_bytes());
        if let Some(instance) = self.instance {
            element(&mut body, 0x1000, instance.as_bytes());
        }
        command(self.context, &body)
    }

    /// The command set of its response.
    #[must_use]
    pub fn answer(&self, status: u16, data: bool, counts: Option<[u16; 4]>) -> Vec<u8> {
        let mut body = Vec::with_capacity(160);
        element(&mut body, 0x0002, self.class.as_bytes());
        element(&mut body, 0x0100, &(self.field | 0x8000).to_le_bytes());
        element(&mut body, 0x0120, &self.id.to_le_bytes());
        let kind = if data { 1_u16 } else { 0x0101 };
        element(&mut body, 0x0800, &kind.to_le_bytes());
        element(&mut body, 0x0900, &status.to_le_bytes());
        if let Some(instance) = self.instance {
            element(&mut body, 0x1000, instance.as_bytes());
        }
        for (number, count) in (0x1020..).zip(counts.into_iter().flatten()) {
            element(&mut body, number, &count.to_le_bytes());
        }
        command(self.context, &body)
    }
}

fn command(context: u8, body: &[u8]) -> Vec<u8> {
    let mut all = Vec::with_capacity(body.len() + 12);
    let length = u32::try_from(body.len()).unwrap_or(0);
    element(&mut all, 0, &length.to_le_bytes());
    all.extend_from_slice(body);
    pdv(context, 3, &all)
}

/// A small data set, such as a query's keys, as P-DATA-TF; its bytes don't matter.
#[must_use]
pub fn data(context: u8, length: usize) -> Vec<u8> {
    pdv(context, 2, &vec![0x20; length])
}

/// Sends a data set as one P-DATA-TF, cut at the mirror.
pub fn bulk_data(tcp: &mut Tcp, burst: &mut Burst, from: Side, context: u8, length: u64) {
    let value = u32::try_from(length + 2).unwrap_or(u32::MAX);
    let [l0, l1, l2, l3] = (value + 4).to_be_bytes();
    let [v0, v1, v2, v3] = value.to_be_bytes();
    let head = [4, 0, l0, l1, l2, l3, v0, v1, v2, v3, context, 2];
    tcp.bulk(burst, from, &head, length);
}

/// A-RELEASE and the connection's end.
pub fn release(tcp: &mut Tcp, burst: &mut Burst) {
    tcp.send(burst, Side::Client, &pdu(5, &[0; 4]));
    tcp.send(burst, Side::Server, &pdu(6, &[0; 4]));
    tcp.close(burst, Side::Client);
}
