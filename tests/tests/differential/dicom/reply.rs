//! What bytes say that are by the standard, as those of receivers are (PS3.8 section 9.3, PS3.7 annex E). It shares
//! nothing with the sensor's readers.

use std::collections::{BTreeMap, BTreeSet};

/// A receiver's answers on one connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reply {
    /// Context id, result and, where it is accepted, the transfer syntax: of each acceptance.
    pub(crate) accepted: Vec<Vec<(u8, u8, String)>>,
    /// Result, source and reason.
    pub(crate) rejected: Option<[u8; 3]>,
    /// Source and reason.
    pub(crate) aborted: Option<[u8; 2]>,
    /// A-RELEASE-RP was sent.
    pub(crate) released: bool,
    /// Command sets, in order.
    pub(crate) commands: Vec<Command>,
    /// Bytes of data sets.
    pub(crate) data_bytes: u64,
}

/// A command set that a receiver sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Command {
    /// Command Field (0000,0100).
    pub(crate) field: u16,
    /// Message ID Being Responded To (0000,0120).
    pub(crate) answers: u16,
    /// Status (0000,0900).
    pub(crate) status: u16,
    /// Affected SOP Class UID (0000,0002).
    pub(crate) class: Option<String>,
    /// Number of completed and failed sub-operations (0000,1021 and 1022).
    pub(crate) moved: Option<(u16, u16)>,
}

impl Command {
    /// True for a request.
    pub(crate) fn asks(&self) -> bool {
        self.field & 0x8000 == 0
    }

    /// The command's name.
    pub(crate) fn name(&self) -> String {
        name(self.field & 0x7fff)
    }
}

/// The name of a command, by the value of its request (PS3.7 annex E.1).
fn name(field: u16) -> String {
    let known = match field {
        1 => "C-STORE",
        0x10 => "C-GET",
        0x20 => "C-FIND",
        0x21 => "C-MOVE",
        0x30 => "C-ECHO",
        0x0fff => "C-CANCEL",
        0x0100 => "N-EVENT-REPORT",
        0x0110 => "N-GET",
        0x0120 => "N-SET",
        0x0130 => "N-ACTION",
        0x0140 => "N-CREATE",
        0x0150 => "N-DELETE",
        _ => return format!("{field:04X}"),
    };
    known.to_owned()
}

impl Reply {
    /// Reads all that a receiver sent; a last PDU that is cut is left out.
    ///
    /// # Errors
    /// With what breaks the standard.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, String> {
        let mut reply = Self::default();
        let mut command = Vec::new();
        let mut rest = bytes;
        while let Some((kind, body, after)) = take_pdu(rest) {
            rest = after;
            match (kind, body) {
                (2, body) if body.len() >= 68 => reply.accepted.push(contexts(&body[68..])?),
                (3, [_, result, source, reason]) => {
                    reply.rejected = Some([*result, *source, *reason]);
                }
                (4, body) => reply.data(body, &mut command)?,
                // Requests of an association or its release change nothing.
                (1 | 5, _) => {}
                (6, _) => reply.released = true,
                (7, [_, _, source, reason]) => {
                    // DCMTK aborts again if more comes after its abort; the first one decides.
                    reply.aborted.get_or_insert([*source, *reason]);
                }
                _ => return Err(format!("a PDU of type {kind}, {} bytes", body.len())),
            }
        }
        Ok(reply)
    }

    fn data(&mut self, mut body: &[u8], command: &mut Vec<u8>) -> Result<(), String> {
        while !body.is_empty() {
            let length = body.first_chunk().ok_or("a value's header is cut")?;
            let length = u32::from_be_bytes(*length) as usize;
            let value = body.get(4..4 + length).ok_or("a value is cut")?;
            body = &body[4 + length..];
            let [_, control, value @ ..] = value else {
                return Err("a value without its header".to_owned());
            };
            if control & 1 == 0 {
                self.data_bytes += value.len() as u64;
                continue;
            }
            command.extend(value);
            if control & 2 != 0 {
                self.commands.push(read_command(command)?);
                command.clear();
            }
        }
        Ok(())
    }

    /// Requests that were answered, by command: final responses, and requests with none but pending ones.
    pub(crate) fn answered(&self) -> BTreeMap<String, u64> {
        let mut all = BTreeMap::new();
        let mut pending = BTreeSet::new();
        for one in self.commands.iter().filter(|one| !one.asks()) {
            let name = one.name();
            if matches!(one.status, 0xff00 | 0xff01) {
                pending.insert((name, one.answers));
                continue;
            }
            pending.remove(&(name.clone(), one.answers));
            *all.entry(name).or_default() += 1;
        }
        for (name, _) in pending {
            *all.entry(name).or_default() += 1;
        }
        all
    }
}

/// The first PDU: its type, its body, and what follows.
pub(crate) fn take_pdu(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let [kind, _, a, b, c, d, rest @ ..] = bytes else {
        return None;
    };
    let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
    let (body, after) = rest.split_at_checked(length)?;
    Some((*kind, body, after))
}

fn take_item(bytes: &[u8]) -> Result<(u8, &[u8], &[u8]), String> {
    let [kind, _, high, low, rest @ ..] = bytes else {
        return Err("an item's header is cut".to_owned());
    };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    let (value, after) = rest.split_at_checked(length).ok_or("an item is cut")?;
    Ok((*kind, value, after))
}

fn contexts(mut items: &[u8]) -> Result<Vec<(u8, u8, String)>, String> {
    let mut all = Vec::new();
    while !items.is_empty() {
        let (kind, value, after) = take_item(items)?;
        items = after;
        if kind != 0x21 {
            continue;
        }
        let [id, _, result, _, parts @ ..] = value else {
            return Err("a context's answer is cut".to_owned());
        };
        let mut syntax = String::new();
        if *result == 0 {
            let (_, name, _) = take_item(parts)?;
            syntax = text(name);
        }
        all.push((*id, *result, syntax));
    }
    all.sort();
    Ok(all)
}

/// Text without padding.
pub(crate) fn text(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.trim_matches([' ', '\0']).to_owned()
}

fn read_command(mut bytes: &[u8]) -> Result<Command, String> {
    let mut command = Command::default();
    let mut moved = (None, None);
    while let [_, _, e0, e1, l0, l1, l2, l3, rest @ ..] = bytes {
        let length = u32::from_le_bytes([*l0, *l1, *l2, *l3]) as usize;
        let (value, after) = rest.split_at_checked(length).ok_or("an element is cut")?;
        bytes = after;
        let number = || match value {
            [low, high] => Some(u16::from_le_bytes([*low, *high])),
            _ => None,
        };
        match u16::from_le_bytes([*e0, *e1]) {
            0x0002 => command.class = Some(text(value)),
            0x0100 => command.field = number().ok_or("a command without field")?,
            0x0120 => command.answers = number().unwrap_or(0),
            0x0900 => command.status = number().unwrap_or(0),
            0x1021 => moved.0 = number(),
            0x1022 => moved.1 = number(),
            _ => {}
        }
    }
    if let (Some(completed), Some(failed)) = moved {
        command.moved = Some((completed, failed));
    }
    Ok(command)
}
