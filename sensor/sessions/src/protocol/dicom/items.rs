//! Items of an association (PS3.8 section 9.3.2 and 9.3.3, PS3.7 annex D.3.3).

use super::{error::DicomError, names::Uid};
use crate::protocol::text::padded_text;

/// Transfer syntaxes of one context that are kept.
const TRANSFER_SYNTAXES_MAX: usize = 64;

/// An item or a sub-item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    /// 10: application context.
    ApplicationContext(Uid),
    /// 20: a proposed presentation context.
    Proposed {
        id: u8,
        abstract_syntax: Option<Uid>,
        transfer_syntaxes: Vec<Uid>,
        /// Transfer syntaxes left out because they were too many.
        omitted: u64,
        /// A sub-item does not fit; it and what follows are left out.
        cut: bool,
    },
    /// 21: the answer to one.
    Answered {
        id: u8,
        result: u8,
        transfer_syntax: Option<Uid>,
    },
    /// 51: longest P-DATA-TF.
    MaxPdu(u32),
    /// 52: implementation class UID.
    ImplementationClass(String),
    /// 53: asynchronous operations invoked, performed.
    AsyncOperations(u16, u16),
    /// 54: role selection.
    Role {
        sop_class: Uid,
        scu: bool,
        scp: bool,
    },
    /// 55: implementation version name.
    ImplementationVersion(String),
    /// 58: user identity, of which only the type is here.
    UserIdentity(u8),
    /// Extended negotiation and the like.
    Other,
}

/// Length of the item at the start of `bytes` with its header; `None` if the header is not whole.
pub(crate) fn length(bytes: &[u8]) -> Option<usize> {
    let [_, _, high, low] = *bytes.first_chunk::<4>()?;
    Some(4 + usize::from(u16::from_be_bytes([high, low])))
}

/// Parses one item with its header. `Ok(None)`: bytes are missing.
pub(crate) fn parse(bytes: &[u8]) -> Result<Option<Item>, DicomError> {
    let Some([kind, ..]) = bytes.first_chunk::<4>() else {
        return Ok(None);
    };
    let Some(length) = length(bytes) else {
        return Ok(None);
    };
    // Of extended negotiation and user identity the kernel gives two bytes at most.
    let cut = matches!(kind, 0x56..=0x59);
    if bytes.len() < length && !cut {
        return Ok(None);
    }
    let body = bytes.get(4..length.min(bytes.len())).unwrap_or_default();
    let bad = |what| DicomError { what, offset: 4 };
    let item = match kind {
        0x10 => Item::ApplicationContext(Uid::of_bytes(body)),
        0x20 | 0x21 => context(*kind == 0x21, body)?,
        0x51 => Item::MaxPdu(u32::from_be_bytes(
            exact(body).ok_or(bad("maximum length item"))?,
        )),
        0x52 => Item::ImplementationClass(padded_text(body, 64)),
        0x53 => {
            let [i0, i1, p0, p1] = exact(body).ok_or(bad("asynchronous operations item"))?;
            Item::AsyncOperations(u16::from_be_bytes([i0, i1]), u16::from_be_bytes([p0, p1]))
        }
        0x54 => {
            let role = || {
                let (length, rest) = body.split_first_chunk::<2>()?;
                let (name, roles) =
                    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
                let [scu, scp] = exact(roles)?;
                Some(Item::Role {
                    sop_class: Uid::of_bytes(name),
                    scu: scu == 1,
                    scp: scp == 1,
                })
            };
            role().ok_or(bad("role selection item"))?
        }
        0x55 => Item::ImplementationVersion(padded_text(body, 16)),
        0x58 => Item::UserIdentity(*body.first().ok_or(bad("user identity item"))?),
        _ => Item::Other,
    };
    Ok(Some(item))
}

fn context(answer: bool, body: &[u8]) -> Result<Item, DicomError> {
    let bad = |what, offset| DicomError { what, offset };
    // The third byte is the result in an answer, reserved in a proposal.
    let (&[id, _, result, _], mut rest) = body
        .split_first_chunk::<4>()
        .ok_or(bad("presentation context item", 4))?;
    let (mut abstract_syntax, mut transfer_syntaxes, mut omitted) = (None, Vec::new(), 0);
    let mut cut = false;
    while !rest.is_empty() {
        let sub = length(rest).and_then(|length| rest.split_at_checked(length));
        let Some((sub, after)) = sub else {
            cut = true;
            break;
        };
        let (kind, value) = (sub.first(), sub.get(4..).unwrap_or_default());
        match kind {
            Some(0x30) => abstract_syntax = Some(Uid::of_bytes(value)),
            Some(0x40) if transfer_syntaxes.len() < TRANSFER_SYNTAXES_MAX => {
                transfer_syntaxes.push(Uid::of_bytes(value));
            }
            Some(0x40) => omitted += 1,
            _ => {}
        }
        rest = after;
    }
    Ok(if answer {
        // Without acceptance the transfer syntax has no meaning (PS3.8 table 9-18).
        let transfer_syntax = transfer_syntaxes.into_iter().next().filter(|_| result == 0);
        Item::Answered {
            id,
            result,
            transfer_syntax,
        }
    } else {
        Item::Proposed {
            id,
            abstract_syntax,
            transfer_syntaxes,
            omitted,
            cut,
        }
    })
}

fn exact<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.try_into().ok()
}
