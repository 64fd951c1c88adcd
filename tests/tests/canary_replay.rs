//! Promise 1: no patient data leaves the engine. A patient's name is planted wherever a message or an image
//! can carry one, also where a peer breaks its standard, and looked for in every ring record, on the joined
//! tape and in every event, however the stream was cut and whatever of it is missing.

use traffic::{From, Segment, dicom, hl7, see, segments};

mod traffic;

const NAME: &str = "QZXKWJV^BFGHPQX";

/// What the client says, and what must come out of it: the number of events that name the protocol is not
/// zero, so that the case is not met by seeing nothing.
struct Case {
    name: &'static str,
    bytes: Vec<u8>,
    seen: &'static str,
}

fn case(name: &'static str, seen: &'static str, bytes: impl Into<Vec<u8>>) -> Case {
    Case {
        name,
        bytes: bytes.into(),
        seen,
    }
}

fn messages() -> Vec<Case> {
    let header = hl7::header("ADT^A01", "A1", "");
    let pid = format!("PID|{NAME}|{NAME}|{NAME}|{NAME}|{NAME}|{NAME}|{NAME}");
    let of = |segments: &[&str]| hl7::block(segments);
    let lines = |text: &str| [&[0x0b], text.as_bytes(), b"\x1c\r"].concat();
    let long_field = format!("{header}|||||||||{NAME}");
    let inner = format!("MSH|^~\\&|{NAME}|{NAME}|{NAME}|{NAME}");
    let security = hl7::header("ADT^A01", "A1", NAME);
    let batch = format!("BHS|^~\\&|LAB|W|EHR|M|2026|{NAME}|{NAME}|{NAME}|7|{NAME}");
    let file = batch.replacen('B', "F", 1);
    vec![
        case("an admission", "ADT", hl7::admission("A1", NAME)),
        case("a result", "ORU", hl7::result("A1", NAME)),
        case("the text of MSA-3", "ACK", hl7::acknowledgement("A1", NAME)),
        case("MSH-8", "ADT", of(&[&security, &pid])),
        case("fields after MSH-12", "ADT", of(&[&long_field, &pid])),
        case(
            "a header in a body",
            "ADT",
            of(&[&header, &pid, &inner, &format!("MSA|AA|{NAME}")]),
        ),
        case(
            "a segment of the site's own",
            "ADT",
            of(&[&header, &format!("ZPI|{NAME}|{NAME}")]),
        ),
        case(
            "a text like a header",
            "ADT",
            of(&[&header, &format!("OBX|1|TX|||MSH|^~\\&|{NAME}")]),
        ),
        case(
            "a batch",
            "ADT",
            of(&[&file, &batch, &header, &pid, "BTS|1", "FTS|1"]),
        ),
        case(
            "another separator",
            "ADT",
            of(&[&header.replace('|', "!"), &pid.replace('|', "!")]),
        ),
        case(
            "two separators",
            "ADT",
            of(&[&header, &pid.replace('|', "!")]),
        ),
        case(
            "line feeds",
            "hl7",
            lines(&format!("MSH|^~\\&|A|B|C|D|2026\n{pid}\nPV1|1\n")),
        ),
        case(
            "both",
            "ADT",
            lines(&format!("{header}\r\n{pid}\r\nPV1|1\r\n")),
        ),
        case(
            "line feeds, an answer",
            "ACK",
            lines(&format!(
                "MSH|^~\\&|A|B|C|D|2026||ACK|1|P|2.5\nMSA|AA|1|{NAME}\n"
            )),
        ),
        case(
            "a name with an end block in it",
            "ADT",
            of(&[&header, &format!("PID|\x1c{NAME}"), &pid]),
        ),
        case(
            "no end block",
            "ADT",
            [
                hl7::admission("A1", NAME),
                of(&[&header, &pid])[..60].to_vec(),
                hl7::admission("A2", NAME),
            ]
            .concat(),
        ),
        case(
            "no carriage return after the end block",
            "ADT",
            [
                &hl7::admission("A1", NAME)[..][..hl7::admission("A1", NAME).len() - 1],
                &hl7::admission("A2", NAME),
            ]
            .concat(),
        ),
    ]
}

/// The same shapes as peers write them that do not keep to MLLP and HL7.
fn odd_messages() -> Vec<Case> {
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

#[expect(clippy::too_many_lines, reason = "one case after the other")]
fn associations() -> Vec<Case> {
    use dicom::{
        COMMAND, LAST, command, data, data_set, element, fragments, item, pdu, request, value,
    };
    let patient = data_set(NAME, 200);
    let store = || dicom::store_elements(NAME);
    let asked = data(COMMAND | LAST, &command(&store()));
    let with = |parts: &[&[u8]]| [&request(NAME, NAME), &parts.concat()[..]].concat();
    let mut more = store();
    more.push(element(0x0010, 0x0010, NAME.as_bytes()));
    more.push(element(0x0010, 0x0600, NAME.as_bytes()));
    more.push(element(0, 0x0902, NAME.as_bytes()));
    let mut long = store();
    long.push(element(0, 0x0600, NAME.repeat(5).as_bytes()));
    let mut other = store();
    other.push(element(0, 0x4000, NAME.as_bytes()));
    other.push(element(0, 0x0902, NAME.as_bytes()));
    let answer = command(&dicom::answer_elements(0xa700, NAME));
    let named = |kind: u8| item(kind, format!("\0\0{NAME}").as_bytes());
    let information = item(
        0x50,
        &[
            named(0x56),
            named(0x57),
            named(0x58),
            named(0x59),
            named(0x5f),
            named(0x20),
        ]
        .concat(),
    );
    let mut odd = pdu(
        1,
        &[
            &request("", "")[6..],
            &named(0x99)[..],
            &named(0x30),
            &information,
        ]
        .concat(),
    );
    odd.extend(&asked);
    let two = pdu(
        4,
        &[
            value(COMMAND | LAST, &command(&store())),
            value(LAST, &patient),
        ]
        .concat(),
    );
    vec![
        case("an image", "dicom", dicom::store(NAME)),
        case(
            "an image in one value",
            "dicom",
            with(&[&asked, &data(LAST, &patient)]),
        ),
        case(
            "an image in small values",
            "dicom",
            with(&[&asked, &fragments(&patient, 5)]),
        ),
        case("command and image in one PDU", "dicom", with(&[&two])),
        case(
            "a data set with the command bit",
            "dicom",
            with(&[&data(COMMAND | LAST, &patient), &asked]),
        ),
        case(
            "the same in pieces",
            "dicom",
            with(&[
                &data(COMMAND, &patient[..40]),
                &data(COMMAND | LAST, &patient[40..]),
            ]),
        ),
        case(
            "a foreign group in a command",
            "dicom",
            with(&[&data(COMMAND | LAST, &command(&more))]),
        ),
        case(
            "a value that is too long",
            "dicom",
            with(&[&data(COMMAND | LAST, &command(&long))]),
        ),
        case(
            "elements that stay",
            "dicom",
            with(&[&data(COMMAND | LAST, &command(&other))]),
        ),
        case(
            "the error comment",
            "dicom",
            with(&[&data(COMMAND | LAST, &answer)]),
        ),
        case("items that stay", "dicom", odd),
        case(
            "an unknown PDU",
            "dicom",
            with(&[&pdu(9, NAME.as_bytes()), &asked, &fragments(&patient, 90)]),
        ),
        case(
            "reasons that are too long",
            "dicom",
            with(&[&pdu(3, NAME.as_bytes()), &pdu(7, NAME.as_bytes())]),
        ),
        case(
            "a value longer than its PDU",
            "dicom",
            with(&[&pdu(4, &value(LAST, &patient)[..50]), &asked, &patient]),
        ),
        case(
            "only a command and its image",
            "dicom",
            [asked, fragments(&patient, 90)].concat(),
        ),
    ]
}

/// Command sets in the encodings that the standard does not have, with a comment, and in pieces.
fn odd_associations() -> Vec<Case> {
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

fn look(segments: &[Segment], case: &Case, how: &str) -> Vec<String> {
    let seen = see(segments);
    seen.keeps(NAME, &format!("{}, {how}", case.name));
    seen.events
}

/// The stream without a stretch of it.
fn without(stream: &[u8], at: usize) -> Vec<Segment> {
    let end = (at + 97).min(stream.len());
    let mut all = segments(From::Client, [&stream[..at]]);
    let before = u32::try_from(end).unwrap();
    for later in segments(From::Client, stream[end..].chunks(61)) {
        all.push(Segment {
            sequence: before + later.sequence,
            ..later
        });
    }
    all
}

fn cut(stream: &[u8], at: usize) -> [&[u8]; 2] {
    <[&[u8]; 2]>::from(stream.split_at(at))
}

fn keeps_the_name(case: &Case) {
    let stream = &case.bytes;
    let events = look(&segments(From::Client, [&stream[..]]), case, "whole");
    assert!(
        events.iter().any(|event| event.contains(case.seen)),
        "{}: nothing was seen of it: {events:?}",
        case.name
    );
    for at in 1..stream.len() {
        let of = format!("at {at}");
        look(
            &segments(From::Client, cut(stream, at)),
            case,
            &format!("cut {of}"),
        );
        // Beside that, one of three losses by turns.
        let (segments, loss) = match at % 3 {
            0 => (segments(From::Client, [&stream[at..]]), "begun"),
            1 => (without(stream, at), "a stretch missing"),
            _ => {
                let mut all = segments(From::Client, cut(stream, at));
                all[0].captured = at / 2;
                (all, "snapped")
            }
        };
        look(&segments, case, &format!("{loss} {of}"));
    }
    for size in (1..16).chain([23, 47]) {
        let all = segments(From::Client, stream.chunks(size));
        look(&all, case, &format!("in segments of {size}"));
        // Each second one is missing.
        let some: Vec<_> = all.iter().step_by(2).cloned().collect();
        look(&some, case, &format!("in half the segments of {size}"));
        // The other way round.
        let turned: Vec<_> = all.into_iter().rev().collect();
        look(
            &turned,
            case,
            &format!("in segments of {size}, the last first"),
        );
    }
}

#[test]
fn no_name_of_a_message_leaves_the_engine() {
    messages().iter().for_each(keeps_the_name);
}

#[test]
fn no_name_of_an_odd_message_leaves_the_engine() {
    odd_messages().iter().for_each(keeps_the_name);
}

#[test]
fn no_name_of_an_odd_association_leaves_the_engine() {
    odd_associations().iter().for_each(keeps_the_name);
}

#[test]
fn no_name_of_an_association_leaves_the_engine() {
    associations().iter().for_each(keeps_the_name);
}
