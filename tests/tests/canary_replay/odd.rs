//! Shapes that break their standards and that receivers take all the same.

use super::{
    Case, NAME, case,
    traffic::{dicom, hl7},
};

/// The same shapes as peers write them that do not keep to MLLP and HL7.
#[expect(clippy::too_many_lines, reason = "one case after the other")]
pub(crate) fn messages() -> Vec<Case> {
    let header = hl7::header("ADT^A01", "A1", "");
    let answer = hl7::header("ACK", "A1", "");
    let pid = format!("PID|{NAME}|{NAME}|{NAME}");
    let of = |segments: &[&str]| hl7::block(segments);
    let text = format!("{header}\r{pid}\r{NAME}\r");
    let wide = |text: &str, big: bool| -> Vec<u8> {
        let units = text.encode_utf16();
        units
            .flat_map(|unit| {
                if big {
                    unit.to_be_bytes()
                } else {
                    unit.to_le_bytes()
                }
            })
            .collect()
    };
    let framed = |big: bool| wide(&format!("\x0b{text}\x1c\r"), big);
    let narrow = |big: bool| [&[0x0b][..], &wide(&text, big), b"\x1c\r"].concat();
    vec![
        case(
            "a name before the start block",
            "ADT",
            [NAME.as_bytes(), &of(&[&header, &pid])].concat(),
        ),
        case(
            "a name between blocks",
            "ADT",
            [
                &of(&[&header, &pid])[..],
                NAME.as_bytes(),
                &of(&[&header, &pid]),
            ]
            .concat(),
        ),
        case(
            "a name behind a start block of its own",
            "ADT",
            [
                &of(&[&header])[..],
                &of(&[NAME, NAME]),
                b"\x0b",
                &of(&[&header, &pid]),
            ]
            .concat(),
        ),
        case("UTF-16, big-endian", "ADT", framed(true)),
        case("UTF-16, little-endian", "ADT", framed(false)),
        case("UTF-16 between bytes, big-endian", "ADT", narrow(true)),
        case("UTF-16 between bytes, little-endian", "ADT", narrow(false)),
        case(
            "commit and empty blocks",
            "ADT",
            [
                &of(&[&header, &pid])[..],
                b"\x0b\x06\x1c\r\x0b\x1c\r",
                NAME.as_bytes(),
                &of(&[&header, &pid]),
            ]
            .concat(),
        ),
        case(
            "an answer behind other segments",
            "ACK",
            of(&[
                &answer,
                &format!("ERR|{NAME}|{NAME}"),
                &format!("NTE|1||{NAME}"),
                &format!("ZZZ|{NAME}"),
                &format!("MSA|AA|1|{NAME}"),
            ]),
        ),
        case(
            "an answer behind lines that stand in its header",
            "ACK",
            of(&[
                &format!("{answer}\nEVN|{NAME}\nPID|{NAME}"),
                &format!("PV1|{NAME}\n{NAME}"),
                &format!("MSA|AA|1|{NAME}"),
                &pid,
            ]),
        ),
        case(
            "no answer, though lines stand in its header",
            "ADT",
            of(&[&format!("{header}\nEVN|{NAME}\nPV1|{NAME}"), &pid]),
        ),
        case(
            "white space before a header, and a name behind it",
            "ADT",
            [
                of(&[&format!(" \t\x0c\x0b\r\n{header}"), &pid]),
                of(&[&format!(" \t{NAME}\r{header}"), &pid]),
            ]
            .concat(),
        ),
        case(
            "long fields around those that stay",
            "ADT",
            of(&[
                &format!(
                    "MSH|^~\\&|{}|F|R|F|1|{NAME}{}|ADT^A01|{}|P|2.5|{NAME}|{}{NAME}",
                    "x".repeat(900),
                    "y".repeat(900),
                    "z".repeat(900),
                    "x".repeat(900),
                ),
                &pid,
            ]),
        ),
        case(
            "a PROXY header before a message",
            "ADT",
            [
                b"PROXY UNKNOWN ",
                NAME.as_bytes(),
                b"\r\n",
                &of(&[&header, &pid]),
            ]
            .concat(),
        ),
        case(
            "an HTTP head before a message",
            "ADT",
            [
                b"CONNECT a:1 HTTP/1.1\r\nX: ",
                NAME.as_bytes(),
                b"\r\n\r\n",
                &of(&[&header, &pid]),
            ]
            .concat(),
        ),
    ]
}

/// Command sets in the encodings that the standard does not have, with a comment, and in pieces.
#[expect(clippy::too_many_lines, reason = "one case after the other")]
pub(crate) fn associations() -> Vec<Case> {
    use dicom::{COMMAND, LAST, command, data, data_set, pdu, request, value};
    let patient = data_set(NAME, 200);
    let encoded = |big: bool, explicit: bool| {
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
        let element = |group: u16, number: u16, vr: &[u8; 2], value: &[u8]| {
            let length = u16::try_from(value.len()).unwrap();
            let head = if explicit {
                [&vr[..], &two(length)].concat()
            } else {
                four(u32::from(length)).to_vec()
            };
            [&two(group)[..], &two(number), &head, value].concat()
        };
        let body = [
            element(0, 0x0100, b"US", &two(0x30)),
            element(0, 0x0110, b"US", &two(1)),
            element(0, 0x0800, b"US", &two(0x101)),
            element(0, 0x0902, b"LO", NAME.as_bytes()),
            element(0, 0x1000, b"UI", NAME.as_bytes()),
            element(0x0010, 0x0010, b"PN", NAME.as_bytes()),
            element(0x0010, 0x0600, b"AE", NAME.as_bytes()),
        ]
        .concat();
        let length = u32::try_from(body.len()).unwrap();
        [element(0, 0, b"UL", &four(length)), body].concat()
    };
    let with = |parts: &[&[u8]]| [&request(NAME, NAME), &parts.concat()[..]].concat();
    let pieces = |set: &[u8], size: usize| -> Vec<u8> {
        let parts = set.chunks(size).flat_map(|part| data(COMMAND, part));
        parts.chain(data(COMMAND | LAST, &[])).collect()
    };
    let mut cases = Vec::new();
    for (name, big, explicit) in [
        ("a big-endian command set", true, false),
        ("a command set with VRs", false, true),
        ("a big-endian command set with VRs", true, true),
    ] {
        let set = encoded(big, explicit);
        cases.push(case(name, "C-ECHO", with(&[&data(COMMAND | LAST, &set)])));
        cases.push(case(name, "C-ECHO", with(&[&pieces(&set, 7)])));
    }
    let store = command(&dicom::store_elements(NAME));
    let mut comment = dicom::store_elements(NAME);
    comment.push(dicom::element(0, 0x0902, NAME.as_bytes()));
    let comment = command(&comment);
    cases.extend([
        case(
            "a command set in pieces",
            "C-STORE",
            with(&[&pieces(&comment, 5)]),
        ),
        case(
            "a data set that was given up",
            "C-STORE",
            with(&[
                &data(COMMAND | LAST, &store),
                &data(0, &patient),
                &data(COMMAND | LAST, &store),
                &data(LAST, &patient),
            ]),
        ),
        case(
            "values that do not fit",
            "C-STORE",
            with(&[
                &data(COMMAND | LAST, &store),
                &pdu(4, &[&value(0, &patient)[..], NAME.as_bytes()].concat()),
                &pdu(4, &value(0, &patient)[..90]),
                &pdu(0x42, NAME.as_bytes()),
                &pdu(7, NAME.as_bytes()),
            ]),
        ),
        case(
            "a second request, and what an acceptor sends",
            "C-STORE",
            with(&[
                &request(NAME, NAME),
                &pdu(3, NAME.as_bytes()),
                &data(COMMAND | LAST, &store),
                &data(LAST, &patient),
                &pdu(5, &[0; 4]),
                &pdu(6, NAME.as_bytes()),
                NAME.as_bytes(),
            ]),
        ),
        case(
            "a name behind a title, and where nothing is tested",
            "dicom",
            {
                let mut bytes = request(NAME, NAME);
                bytes[14] = 0;
                bytes[15..15 + 11].copy_from_slice(&[b'x'; 11]);
                bytes[42..42 + NAME.len()].copy_from_slice(NAME.as_bytes());
                bytes
            },
        ),
    ]);
    cases
}
