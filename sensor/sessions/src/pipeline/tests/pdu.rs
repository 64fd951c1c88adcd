//! DICOM as it is on the wire.

pub(super) const ECHO: &str = "1.2.840.10008.1.1";
pub(super) const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
pub(super) const FIND: &str = "1.2.840.10008.5.1.4.1.2.2.1";
pub(super) const MOVE: &str = "1.2.840.10008.5.1.4.1.2.2.2";
pub(super) const IMPLICIT: &str = "1.2.840.10008.1.2";

pub(super) fn pdu(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[kind, 0][..], &length, body].concat()
}

pub(super) fn item(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap().to_be_bytes();
    [&[kind, 0][..], &length, body].concat()
}

fn associate(kind: u8, called: &str, calling: &str, items: &[Vec<u8>]) -> Vec<u8> {
    let titles = format!("{called:16}{calling:16}");
    let fixed = [&[0, 1, 0, 0][..], titles.as_bytes(), &[0; 32]].concat();
    pdu(kind, &[fixed, items.concat()].concat())
}

fn user(max: u32, class: &str, version: &str, more: &[Vec<u8>]) -> Vec<u8> {
    let items = [
        item(0x51, &max.to_be_bytes()),
        item(0x52, class.as_bytes()),
        more.concat(),
        item(0x55, version.as_bytes()),
    ];
    item(0x50, &items.concat())
}

/// Contexts 1, 3, ... of the abstract syntaxes; a role, asynchronous operations, extended negotiation,
/// and a user with a password.
pub(super) fn request(called: &str, calling: &str, abstract_syntaxes: &[&str]) -> Vec<u8> {
    let mut items = vec![item(0x10, b"1.2.840.10008.3.1.1.1")];
    for (id, syntax) in (1..=255_u8).step_by(2).zip(abstract_syntaxes) {
        let subs = [
            item(0x30, syntax.as_bytes()),
            item(0x40, IMPLICIT.as_bytes()),
        ]
        .concat();
        items.push(item(0x20, &[&[id, 0, 0, 0][..], &subs].concat()));
    }
    let length = u16::try_from(CT.len()).unwrap().to_be_bytes();
    let role = item(0x54, &[&length[..], CT.as_bytes(), &[0, 1]].concat());
    let identity = item(0x58, b"\x02\x01\x00\x05admin\x00\x07hunter2");
    let extended = item(0x56, &[&length[..], CT.as_bytes(), b"secret"].concat());
    let more = [item(0x53, &[0, 4, 0, 1]), role, extended, identity];
    items.push(user(16_384, "1.2.3.4", "MODALITY_1", &more));
    associate(1, called, calling, &items)
}

/// Answers contexts 1, 3, ... with the results.
pub(super) fn accept(called: &str, calling: &str, results: &[u8]) -> Vec<u8> {
    let mut items = vec![item(0x10, b"1.2.840.10008.3.1.1.1")];
    for (id, result) in (1..=255_u8).step_by(2).zip(results) {
        let sub = item(0x40, IMPLICIT.as_bytes());
        items.push(item(0x21, &[&[id, 0, *result, 0][..], &sub].concat()));
    }
    items.push(user(32_768, "1.2.3.5", "PACS_9", &[]));
    associate(2, called, calling, &items)
}

fn element(number: u16, value: &[u8]) -> Vec<u8> {
    let mut value = value.to_vec();
    if value.len() % 2 == 1 {
        value.push(0);
    }
    let length = u32::try_from(value.len()).unwrap().to_le_bytes();
    [&[0, 0][..], &number.to_le_bytes(), &length, &value].concat()
}

/// A command set, in `fragments` PDVs of one PDU each; numbers are little-endian.
pub(super) fn command(context: u8, elements: &[(u16, &[u8])]) -> Vec<u8> {
    let body: Vec<u8> = elements
        .iter()
        .flat_map(|(number, value)| element(*number, value))
        .collect();
    let length = u32::try_from(body.len()).unwrap().to_le_bytes();
    pdv(context, 3, &[element(0, &length), body].concat())
}

pub(super) fn pdv(context: u8, control: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 2).unwrap().to_be_bytes();
    pdu(4, &[&length[..], &[context, control], body].concat())
}

/// A request: command field, message id, SOP class, whether a data set follows.
pub(super) fn ask(context: u8, field: u16, id: u16, sop: &str, data: bool) -> Vec<u8> {
    let kind = if data { 1_u16 } else { 0x0101 };
    command(
        context,
        &[
            (0x0002, sop.as_bytes()),
            (0x0100, &field.to_le_bytes()),
            (0x0110, &id.to_le_bytes()),
            (0x0800, &kind.to_le_bytes()),
        ],
    )
}

/// A response with its status and sub-operations (remaining, completed, failed, warning).
pub(super) fn answer(
    context: u8,
    field: u16,
    id: u16,
    status: u16,
    data: bool,
    subs: Option<[u16; 4]>,
) -> Vec<u8> {
    let kind = if data { 1_u16 } else { 0x0101 };
    let numbers = subs.unwrap_or_default().map(u16::to_le_bytes);
    let (field, id) = ((field | 0x8000).to_le_bytes(), id.to_le_bytes());
    let (kind, status) = (kind.to_le_bytes(), status.to_le_bytes());
    let mut elements: Vec<(u16, &[u8])> = vec![
        (0x0100, &field),
        (0x0120, &id),
        (0x0800, &kind),
        (0x0900, &status),
    ];
    if subs.is_some() {
        elements.extend((0x1020..).zip(numbers.iter().map(|number| &number[..])));
    }
    command(context, &elements)
}

/// The plain exchange of one association: request, acceptance, C-ECHO, its answer, release.
pub(super) fn echo_talk(wire: &mut super::wire::Wire, request: &[u8], accept: &[u8], ask: &[u8]) {
    wire.client(request);
    wire.server(accept);
    wire.client(ask);
    wire.server(&answer(1, 0x0030, 1, 0, false, None));
    wire.client(&pdu(5, &[0; 4]));
    wire.server(&pdu(6, &[0; 4]));
    wire.close();
}

/// The content of [`ask`]'s P-DATA-TF: the command set alone.
pub(super) fn command_set(field: u16, id: u16, sop: &str) -> Vec<u8> {
    ask(1, field, id, sop, false).split_off(12)
}

/// A command set of C-ECHO in another encoding.
pub(super) fn echo_set(big: bool, explicit: bool) -> Vec<u8> {
    let two = |n: u16| {
        if big {
            n.to_be_bytes()
        } else {
            n.to_le_bytes()
        }
    };
    let four = |n: u32| {
        if big {
            n.to_be_bytes()
        } else {
            n.to_le_bytes()
        }
    };
    let element = |number: u16, vr: &[u8; 2], value: &[u8]| {
        let length = u16::try_from(value.len()).unwrap();
        let head = if explicit {
            [&vr[..], &two(length)].concat()
        } else {
            four(u32::from(length)).to_vec()
        };
        [&[0, 0][..], &two(number), &head, value].concat()
    };
    let body = [
        element(2, b"UI", format!("{ECHO}\0").as_bytes()),
        element(0x100, b"US", &two(0x30)),
        element(0x110, b"US", &two(1)),
        element(0x800, b"US", &two(0x101)),
        // A comment, which stays.
        element(0x902, b"LO", b"CANARY^WILLY"),
    ]
    .concat();
    let length = u32::try_from(body.len()).unwrap();
    [element(0, b"UL", &four(length)), body].concat()
}
