//! Command sets (PS3.7 section 6.3 and annex E), data sets, and how they are put into PDUs, plain and odd.

use super::associate::{CT, FIND, MOVE, MR, VERIFICATION, pdu};
use crate::{choices::Choices, script::Odd};

/// What can be odd about messages.
pub(crate) const ODDITIES: [&str; 31] = [
    "no-group-length",
    "wrong-group-length",
    "explicit-command",
    "big-endian-command",
    "command-order",
    "private-in-command",
    "empty-elements",
    "long-element",
    "short-after-command",
    "split-command",
    "command-and-data-in-one-pdu",
    "messages-in-one-pdu",
    "empty-pdv",
    "zero-length-pdv",
    "empty-pdu",
    "control-bits",
    "fragments",
    "unknown-pdu",
    "reserved-in-data-pdu",
    "pdv-too-long",
    "pdv-too-short",
    "data-pdu-too-long",
    "data-pdu-too-short",
    "abandoned-data",
    "data-without-command",
    "no-data",
    "other-context-of-data",
    "unfinished-command",
    "response-from-client",
    "unknown-command",
    "no-sop-class",
];

/// A DIMSE message.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    context: u8,
    command: Vec<u8>,
    data: Option<Vec<u8>>,
}

/// Writes an element of a command set, in the encoding that was chosen.
fn element(odd: &Odd, group: u16, number: u16, value: &[u8]) -> Vec<u8> {
    let length = u32::try_from(value.len()).unwrap_or(0);
    if odd.has("big-endian-command") {
        let mut bytes = [group.to_be_bytes(), number.to_be_bytes()].concat();
        bytes.extend(length.to_be_bytes());
        let mut value = value.to_vec();
        if value.len() == 2 || value.len() == 4 && number == 0 {
            value.reverse();
        }
        bytes.extend(value);
        return bytes;
    }
    let mut bytes = [group.to_le_bytes(), number.to_le_bytes()].concat();
    if odd.has("explicit-command") {
        let name: &[u8] = match number {
            0 => b"UL",
            0x0002 | 0x0003 | 0x1000 => b"UI",
            0x0600 => b"AE",
            _ => b"US",
        };
        bytes.extend(name);
        bytes.extend(u16::try_from(length).unwrap_or(0).to_le_bytes());
    } else {
        bytes.extend(length.to_le_bytes());
    }
    bytes.extend(value);
    bytes
}

fn even(text: &str, padding: u8) -> Vec<u8> {
    let mut value = text.as_bytes().to_vec();
    if value.len() % 2 == 1 {
        value.push(padding);
    }
    value
}

/// Puts the elements together, with the group length first (PS3.7 section 6.3.1).
fn set(choices: &mut Choices, odd: &Odd, elements: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let mut parts: Vec<Vec<u8>> = elements
        .iter()
        .map(|(number, value)| element(odd, 0, *number, value))
        .collect();
    if odd.has("empty-elements") {
        let number = choices.of(&[0x0700, 0x1030, 0x5180, 0x0902]);
        parts.push(element(odd, 0, number, &[]));
    }
    if odd.has("long-element") {
        let number = choices.of(&[0x0902, 0x5110, 0x0600]);
        parts.push(element(
            odd,
            0,
            number,
            &vec![b'A'; 66 + choices.pick(80) * 2],
        ));
    }
    if odd.has("private-in-command") {
        let group = choices.of(&[9, 8, 0x10]);
        let at = choices.pick(parts.len() + 1);
        parts.insert(at, element(odd, group, 0x10, b"PRIVATE "));
    }
    if odd.has("command-order") {
        let by = choices.pick(parts.len());
        parts.rotate_left(by);
    }
    let mut bytes = parts.concat();
    if odd.has("short-after-command") {
        bytes.extend(vec![choices.byte(); choices.pick(7) + 1]);
    }
    if odd.has("no-group-length") {
        return bytes;
    }
    let mut length = u32::try_from(bytes.len()).unwrap_or(0);
    if odd.has("wrong-group-length") {
        length = length.wrapping_add_signed(choices.of(&[-2, 2, 8, -8, 1_000]));
    }
    let mut whole = element(odd, 0, 0, &length.to_le_bytes());
    whole.extend(bytes);
    whole
}

fn number(value: u16) -> Vec<u8> {
    value.to_le_bytes().to_vec()
}

/// One thing that a client can ask for. `context` is the first context's id, and `step` what is between two.
pub(crate) fn message(
    choices: &mut Choices,
    odd: &Odd,
    id: u16,
    contexts: &[(u8, &'static str)],
) -> Message {
    let context = |class: &str| {
        let found = contexts.iter().find(|(_, of)| *of == class);
        found.map_or(1, |(id, _)| *id)
    };
    let what = choices.pick(7);
    let (class, field) = match what {
        0 | 1 => (VERIFICATION, 0x0030),
        2 => (CT, 1),
        3 => (MR, 1),
        4 => (FIND, 0x0020),
        5 => (MOVE, 0x0021),
        _ if odd.has("unknown-command") => (VERIFICATION, choices.of(&[0x0110, 0x0130, 0x7777])),
        _ => (CT, 1),
    };
    let there = contexts.iter().any(|(_, of)| *of == class);
    let (class, field) = if there {
        (class, field)
    } else {
        (VERIFICATION, 0x0030)
    };
    let field = if odd.has("response-from-client") && choices.chance(50) {
        field | 0x8000
    } else {
        field
    };
    let data = match field & 0x7fff {
        1 => Some(image(choices, class, id)),
        0x0020 | 0x0021 => Some(query()),
        _ => None,
    };
    let mut elements = vec![(0x0002, even(class, 0)), (0x0100, number(field))];
    if odd.has("no-sop-class") {
        elements.remove(0);
    }
    let answers = field & 0x8000 != 0;
    elements.push((if answers { 0x0120 } else { 0x0110 }, number(id)));
    if field == 0x0021 {
        let to = choices.of(&["NOWHERE", "ARCHIVE", "SIXTEEN_CHARS_AE"]);
        elements.push((0x0600, even(to, b' ')));
    }
    if data.is_some() && !answers {
        elements.push((0x0700, number(0)));
    }
    let kind = if data.is_some() && !answers {
        choices.of(&[1, 0, 0x0102])
    } else {
        0x0101
    };
    elements.push((0x0800, number(kind)));
    if answers {
        elements.push((0x0900, number(0)));
    }
    if field == 1 {
        elements.push((0x1000, even(&format!("2.25.{}", id % 8), 0)));
    }
    let command = set(choices, odd, &elements);
    let data = data.filter(|_| !answers && !odd.has("no-data"));
    Message {
        context: context(class),
        command,
        data,
    }
}

/// A data set in implicit VR little-endian.
fn image(choices: &mut Choices, class: &str, id: u16) -> Vec<u8> {
    let element = |group: u16, number: u16, value: &[u8]| {
        let mut bytes = [group.to_le_bytes(), number.to_le_bytes()].concat();
        bytes.extend(u32::try_from(value.len()).unwrap_or(0).to_le_bytes());
        bytes.extend(value);
        bytes
    };
    let size = choices.of(&[0, 16, 600, 4_000, 30_000]);
    [
        element(8, 0x16, &even(class, 0)),
        element(8, 0x18, &even(&format!("2.25.{}", id % 8), 0)),
        element(0x10, 0x10, b"CANARY^P"),
        element(0x20, 0x0d, b"2.25.9"),
        element(0x20, 0x0e, b"2.25.9.1"),
        // Bytes that look like PDU headers, command sets and MLLP blocks.
        element(
            0x7fe0,
            0x10,
            &[4, 0, 0, 0, 0, 16, 0, 0, 0, 12, 1, 3].repeat(size / 12),
        ),
    ]
    .concat()
}

fn query() -> Vec<u8> {
    let mut bytes = vec![8, 0, 0x52, 0, 6, 0, 0, 0];
    bytes.extend(b"STUDY ");
    bytes.extend([0x20, 0, 0x0d, 0, 0, 0, 0, 0]);
    bytes
}

/// A presentation data value of the message, with its header.
fn pdv(choices: &mut Choices, odd: &Odd, context: u8, control: u8, value: &[u8]) -> Vec<u8> {
    let mut length = value.len() + 2;
    if odd.has("pdv-too-long") && choices.chance(40) {
        length += choices.pick(5) + 1;
    }
    if odd.has("pdv-too-short") && choices.chance(40) {
        length = length.saturating_sub(choices.pick(5) + 1);
    }
    let control = if odd.has("control-bits") {
        control | choices.byte() & 0xfc
    } else {
        control
    };
    let mut bytes = u32::try_from(length).unwrap_or(0).to_be_bytes().to_vec();
    bytes.extend([context, control]);
    bytes.extend(value);
    bytes
}

/// The message's data values, each for a PDU of its own.
fn values(choices: &mut Choices, odd: &Odd, message: &Message) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    let Message {
        context,
        command,
        data,
    } = message;
    if odd.has("empty-pdv") && choices.chance(50) {
        let control = choices.of(&[1, 0]);
        all.push(pdv(choices, odd, *context, control, &[]));
    }
    if odd.has("zero-length-pdv") && choices.chance(50) {
        all.push(vec![0; 4]);
    }
    if !odd.has("data-without-command") {
        let size = if odd.has("split-command") {
            choices.pick(40) + 1
        } else {
            command.len()
        };
        let pieces: Vec<_> = command.chunks(size.max(1)).collect();
        let last = pieces.len().saturating_sub(1);
        for (at, piece) in pieces.into_iter().enumerate() {
            let ends = at == last && !odd.has("unfinished-command");
            all.push(pdv(choices, odd, *context, 1 | u8::from(ends) << 1, piece));
        }
    }
    if let Some(data) = data {
        let context = if odd.has("other-context-of-data") {
            context.wrapping_add(2)
        } else {
            *context
        };
        let size = if odd.has("fragments") {
            choices.pick(300) + 1
        } else {
            8_000
        };
        let pieces: Vec<_> = data.chunks(size).collect();
        let last = pieces.len().saturating_sub(1);
        for (at, piece) in pieces.into_iter().enumerate() {
            let ends = at == last && !odd.has("abandoned-data");
            all.push(pdv(choices, odd, context, u8::from(ends) << 1, piece));
        }
        if odd.has("empty-pdv") && choices.chance(50) {
            all.push(pdv(choices, odd, context, 2, &[]));
        }
    }
    all
}

/// The PDUs of a message.
fn pdus(choices: &mut Choices, odd: &Odd, values: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    if odd.has("empty-pdu") && choices.chance(50) {
        bytes.extend(pdu(4, 0, &[], 0));
    }
    if odd.has("unknown-pdu") && choices.chance(50) {
        let kind = choices.of(&[8, 9, 0x41, 0xff, 0]);
        bytes.extend(pdu(kind, 0, &vec![choices.byte(); choices.pick(30)], 0));
    }
    let reserved = if odd.has("reserved-in-data-pdu") {
        choices.byte()
    } else {
        0
    };
    let wrong = i64::try_from(choices.pick(6) + 1).unwrap_or(1);
    let wrong = match () {
        () if odd.has("data-pdu-too-long") => wrong,
        () if odd.has("data-pdu-too-short") => -wrong,
        () => 0,
    };
    if odd.has("command-and-data-in-one-pdu") {
        // Nothing longer than what the receiver said it takes.
        let size: usize = values.iter().map(Vec::len).sum();
        if size < 16_000 {
            bytes.extend(pdu(4, reserved, &values.concat(), wrong));
            return bytes;
        }
    }
    for value in values {
        bytes.extend(pdu(4, reserved, value, wrong));
    }
    bytes
}

/// The bytes of messages, a step each; or all of them in one PDU.
pub(crate) fn steps(choices: &mut Choices, odd: &Odd, messages: &[Message]) -> Vec<Vec<u8>> {
    if odd.has("messages-in-one-pdu") {
        let all: Vec<_> = messages
            .iter()
            .flat_map(|message| values(choices, odd, message))
            .collect();
        let bytes = all.concat();
        if bytes.len() < 16_000 {
            return vec![pdu(4, 0, &bytes, 0)];
        }
    }
    messages
        .iter()
        .map(|message| {
            let values = values(choices, odd, message);
            pdus(choices, odd, &values)
        })
        .collect()
}
