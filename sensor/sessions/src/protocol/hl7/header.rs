//! MSH, FHS, BHS and MSA.

use super::{error::Hl7Error, separators::Separators};
use crate::protocol::text::text;
use sensor_facts::event::Hl7Message;

/// Longest field that is kept, in characters; the kernel gives 768 bytes.
const FIELD_MAX: usize = 768;

/// What a header segment begins.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Header {
    /// MSH: a message.
    Message(Box<Hl7Message>, Separators),
    /// FHS or BHS: a batch of messages.
    Batch,
}

/// Parses a header segment; the field separator is the byte after its name, the component separator
/// the first of MSH-2. `Ok(None)`: bytes are missing.
pub(crate) fn parse_header(bytes: &[u8]) -> Result<Option<Header>, Hl7Error> {
    let Some(([name @ .., separator], rest)) = bytes.split_first_chunk::<4>() else {
        return Ok(None);
    };
    match name {
        b"MSH" => {}
        b"FHS" | b"BHS" => return Ok(Some(Header::Batch)),
        _ => {
            return Err(Hl7Error {
                what: "header segment's name",
                offset: 0,
            });
        }
    }
    // MSH-1 is the separator itself, so the first field after it is MSH-2.
    let fields: Vec<&[u8]> = rest.split(|byte| byte == separator).collect();
    let raw = |number: usize| {
        fields
            .get(number - 2)
            .copied()
            .filter(|field| !field.is_empty())
    };
    let field = |number| raw(number).map(|field| text(field, FIELD_MAX));
    let separators = Separators::new(*separator, raw(2).unwrap_or_default());
    // The first repetition, of each component the first subcomponent: a type has no others.
    let part = |number: usize| {
        let kind = separators.first(raw(9)?, |it| it.repetition);
        let part = kind
            .split(|byte| *byte == separators.component)
            .nth(number)?;
        let part = separators.first(part, |it| it.subcomponent);
        Some(text(part, FIELD_MAX)).filter(|part| !part.is_empty())
    };
    let message = Hl7Message {
        sending_application: field(3),
        sending_facility: field(4),
        receiving_application: field(5),
        receiving_facility: field(6),
        message_time: field(7),
        message_type: field(9),
        message_code: part(0),
        trigger_event: part(1),
        control_id: field(10),
        processing_id: field(11),
        version: field(12),
        ..Hl7Message::default()
    };
    Ok(Some(Header::Message(Box::new(message), separators)))
}

/// MSA-1 and 2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Acknowledgement {
    pub(crate) code: Option<String>,
    pub(crate) control_id: Option<String>,
}

/// Parses an MSA segment. `Ok(None)`: bytes are missing.
pub(crate) fn parse_acknowledgement(bytes: &[u8]) -> Result<Option<Acknowledgement>, Hl7Error> {
    let Some(([name @ .., separator], rest)) = bytes.split_first_chunk::<4>() else {
        return Ok(None);
    };
    if name != b"MSA" {
        return Err(Hl7Error {
            what: "acknowledgement segment's name",
            offset: 0,
        });
    }
    let mut fields = rest
        .split(|byte| byte == separator)
        .map(|field| (!field.is_empty()).then(|| text(field, FIELD_MAX)));
    let (code, control_id) = (fields.next().flatten(), fields.next().flatten());
    Ok(Some(Acknowledgement { code, control_id }))
}
