//! Association requests (PS3.8 section 9.3.2), plain and odd.

use crate::{choices::Choices, script::Odd};

/// SOP classes and what they are for.
pub(crate) const VERIFICATION: &str = "1.2.840.10008.1.1";
pub(crate) const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
pub(crate) const MR: &str = "1.2.840.10008.5.1.4.1.1.4";
pub(crate) const FIND: &str = "1.2.840.10008.5.1.4.1.2.2.1";
pub(crate) const MOVE: &str = "1.2.840.10008.5.1.4.1.2.2.2";
const UNKNOWN: &str = "1.2.3.4.5.6";
pub(crate) const IMPLICIT: &str = "1.2.840.10008.1.2";
const SYNTAXES: [&str; 4] = [
    IMPLICIT,
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2.2",
    "1.2.840.10008.1.2.4.50",
];
const APPLICATION: &str = "1.2.840.10008.3.1.1.1";

/// What can be odd about a request.
pub(crate) const ODDITIES: [&str; 34] = [
    "version-bits",
    "reserved-after-version",
    "reserved-after-titles",
    "reserved-in-header",
    "nul-called",
    "nul-calling",
    "eight-bit-called",
    "eight-bit-calling",
    "empty-calling",
    "empty-called",
    "zero-calling",
    "leading-spaces",
    "control-in-calling",
    "item-order",
    "unknown-item",
    "no-application-context",
    "second-application-context",
    "even-context-id",
    "same-context-id",
    "reserved-in-items",
    "unknown-sub-item",
    "padded-uids",
    "no-user-information",
    "empty-user-information",
    "many-contexts",
    "request-too-long",
    "request-too-short",
    "item-too-long",
    "item-too-short",
    "roles",
    "identity",
    "extended-negotiation",
    "bytes-after-items",
    "second-request",
];

/// A presentation context that is proposed.
#[derive(Clone, Debug)]
pub(crate) struct Proposed {
    pub(crate) id: u8,
    pub(crate) class: &'static str,
    syntaxes: Vec<&'static str>,
}

/// The contexts of an association: one for each thing that can be done, and sometimes more.
pub(crate) fn contexts(choices: &mut Choices, odd: &Odd) -> Vec<Proposed> {
    let step = if odd.has("even-context-id") { 1 } else { 2 };
    let mut id = u8::from(!odd.has("even-context-id") || choices.chance(50));
    let mut all: Vec<Proposed> = Vec::new();
    let classes = choices.of(&[
        &[VERIFICATION, CT][..],
        &[VERIFICATION, CT, MR, FIND, MOVE],
        &[MOVE, FIND, MR, CT, VERIFICATION],
    ]);
    for class in classes.iter().copied() {
        all.push(Proposed {
            id,
            class,
            syntaxes: vec![IMPLICIT],
        });
        id += step;
    }
    let more = if odd.has("many-contexts") {
        choices.pick(110)
    } else {
        choices.pick(3)
    };
    for _ in 0..more {
        let syntaxes = (0..=choices.pick(3))
            .map(|_| choices.of(&SYNTAXES))
            .collect();
        all.push(Proposed {
            id,
            class: choices.of(&[UNKNOWN, CT, MR, VERIFICATION]),
            syntaxes,
        });
        id = id.wrapping_add(step);
    }
    if odd.has("same-context-id") {
        let (from, to) = (choices.pick(all.len()), choices.pick(all.len()));
        all[to].id = all[from].id;
    }
    all
}

/// The request.
pub(crate) fn request(
    choices: &mut Choices,
    odd: &Odd,
    called: &str,
    contexts: &[Proposed],
) -> Vec<u8> {
    let mut body = vec![0, 1, 0, 0];
    if odd.has("version-bits") {
        let version = choices.of(&[3_u16, 0x8001, 0xffff, 2, 0]);
        body[..2].copy_from_slice(&version.to_be_bytes());
    }
    if odd.has("reserved-after-version") {
        body[2] = choices.byte() | 1;
        body[3] = choices.byte();
    }
    body.extend(called_title(odd, called));
    body.extend(calling_title(choices, odd));
    let mut reserved = [0; 32];
    if odd.has("reserved-after-titles") {
        reserved.fill_with(|| choices.byte());
    }
    body.extend(reserved);
    body.extend(items(choices, odd, contexts));
    let header = if odd.has("reserved-in-header") {
        choices.byte() | 1
    } else {
        0
    };
    let wrong = i64::try_from(choices.pick(12) + 1).unwrap_or(1);
    let wrong = match () {
        () if odd.has("request-too-long") => wrong,
        () if odd.has("request-too-short") => -wrong,
        () => 0,
    };
    pdu(1, header, &body, wrong)
}

/// A PDU whose length says `wrong` more than there is.
pub(crate) fn pdu(kind: u8, reserved: u8, body: &[u8], wrong: i64) -> Vec<u8> {
    let length = i64::try_from(body.len()).unwrap_or(0) + wrong;
    let length = u32::try_from(length.max(0)).unwrap_or(0);
    let mut bytes = vec![kind, reserved];
    bytes.extend(length.to_be_bytes());
    bytes.extend(body);
    bytes
}

fn title(text: &[u8], padding: u8) -> [u8; 16] {
    let mut title = [padding; 16];
    title[..text.len().min(16)].copy_from_slice(&text[..text.len().min(16)]);
    title
}

fn called_title(odd: &Odd, called: &str) -> [u8; 16] {
    match () {
        () if odd.has("eight-bit-called") => title("ÄRZTE".as_bytes(), b' '),
        () if odd.has("empty-called") => [b' '; 16],
        () if odd.has("nul-called") => title(called.as_bytes(), 0),
        () => title(called.as_bytes(), b' '),
    }
}

fn calling_title(choices: &mut Choices, odd: &Odd) -> [u8; 16] {
    match () {
        () if odd.has("eight-bit-calling") => {
            let mut calling = title(b"CT", b' ');
            calling[2] = 0x80 | choices.byte();
            calling
        }
        () if odd.has("control-in-calling") => title(b"CT\tROOM\n1", b' '),
        () if odd.has("empty-calling") => [b' '; 16],
        () if odd.has("zero-calling") => [0; 16],
        () if odd.has("leading-spaces") => title(b"   CT ROOM", b' '),
        () if odd.has("nul-calling") => title(b"CT_ROOM", 0),
        () => title(b"CT_ROOM", b' '),
    }
}

/// An item, whose length is wrong once if that is asked for.
struct Items<'a> {
    choices: &'a mut Choices,
    odd: &'a Odd,
    wrong: bool,
}

impl Items<'_> {
    fn item(&mut self, kind: u8, value: &[u8]) -> Vec<u8> {
        let mut length = value.len();
        if !self.wrong && self.odd.has("item-too-long") && self.choices.chance(20) {
            self.wrong = true;
            length += self.choices.pick(9) + 1;
        }
        if !self.wrong && self.odd.has("item-too-short") && self.choices.chance(20) {
            self.wrong = true;
            length = length.saturating_sub(self.choices.pick(3) + 1);
        }
        let reserved = if self.odd.has("reserved-in-items") {
            self.choices.byte()
        } else {
            0
        };
        let mut bytes = vec![kind, reserved];
        bytes.extend(u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes());
        bytes.extend(value);
        bytes
    }

    fn uid(&mut self, kind: u8, uid: &str) -> Vec<u8> {
        let mut value = uid.as_bytes().to_vec();
        if self.odd.has("padded-uids") {
            value.extend(self.choices.of(&[&b"\0"[..], b" ", b"\0\0", b""]));
        }
        self.item(kind, &value)
    }

    fn context(&mut self, proposed: &Proposed) -> Vec<u8> {
        let mut value = vec![proposed.id, 0, 0, 0];
        if self.odd.has("reserved-in-items") {
            value[1..].fill_with(|| self.choices.byte());
        }
        let mut parts = vec![self.uid(0x30, proposed.class)];
        for syntax in &proposed.syntaxes {
            parts.push(self.uid(0x40, syntax));
        }
        if self.odd.has("item-order") && self.choices.chance(30) {
            parts.reverse();
        }
        value.extend(parts.concat());
        self.item(0x20, &value)
    }

    fn user_information(&mut self) -> Vec<u8> {
        let mut parts = vec![
            self.item(0x51, &16_384_u32.to_be_bytes()),
            self.uid(0x52, "1.2.826.0.1.3680043.9.9999.1"),
            self.item(0x55, b"WARDTAP_TEST"),
        ];
        if self.odd.has("empty-user-information") {
            parts.clear();
        }
        if self.odd.has("roles") {
            let mut value = 25_u16.to_be_bytes().to_vec();
            value.extend(CT.as_bytes());
            value.extend([1, self.choices.byte() & 1]);
            parts.push(self.item(0x54, &value));
        }
        if self.odd.has("identity") {
            parts.push(self.item(0x58, b"\x01\0\0\x04USER\0\0"));
        }
        if self.odd.has("extended-negotiation") {
            let mut value = 25_u16.to_be_bytes().to_vec();
            value.extend(CT.as_bytes());
            value.extend([2, 0, 3, 0, 1, 0]);
            parts.push(self.item(0x56, &value));
        }
        if self.odd.has("unknown-sub-item") {
            let kind = self.choices.of(&[0x5f, 0x99, 0x00, 0x50, 0x20, 0x59]);
            let value = vec![self.choices.byte(); self.choices.pick(40)];
            let at = self.choices.pick(parts.len() + 1);
            let part = self.item(kind, &value);
            parts.insert(at, part);
        }
        if self.odd.has("item-order") {
            parts.reverse();
        }
        let value = parts.concat();
        self.item(0x50, &value)
    }
}

fn items(choices: &mut Choices, odd: &Odd, contexts: &[Proposed]) -> Vec<u8> {
    let mut items = Items {
        choices,
        odd,
        wrong: false,
    };
    let mut parts = Vec::new();
    if !odd.has("no-application-context") {
        parts.push(items.uid(0x10, APPLICATION));
    }
    if odd.has("second-application-context") {
        parts.push(items.uid(0x10, APPLICATION));
    }
    for context in contexts {
        parts.push(items.context(context));
    }
    if !odd.has("no-user-information") {
        parts.push(items.user_information());
    }
    if odd.has("unknown-item") {
        let kind = items.choices.of(&[0x99, 0x00, 0x60, 0x21, 0x11, 0x51]);
        let value = vec![items.choices.byte(); items.choices.pick(60)];
        let at = items.choices.pick(parts.len() + 1);
        let part = items.item(kind, &value);
        parts.insert(at, part);
    }
    if odd.has("item-order") {
        let by = items.choices.pick(parts.len());
        parts.rotate_left(by);
    }
    let mut bytes = parts.concat();
    if odd.has("bytes-after-items") {
        bytes.extend(vec![choices.byte(); choices.pick(3) + 1]);
    }
    bytes
}
