//! Promise 1: no patient data leaves the engine. A patient's name is planted wherever a message or an image
//! can carry one, also where a peer breaks its standard, and looked for in every ring record, on the joined
//! tape and in every event, however the stream was cut and whatever of it is missing.

use traffic::{From, Segment, dicom, hl7, see, segments};

mod odd;
#[path = "../traffic/mod.rs"]
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
    look(&segments(From::Client, [&stream[..]]), case, "midstream");
    let mut whole = vec![Segment::syn(From::Client, 0)];
    whole.extend(segments(From::Client, [&stream[..]]));
    let events = look(&whole, case, "whole");
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
    odd::messages().iter().for_each(keeps_the_name);
}

#[test]
fn no_name_of_an_odd_association_leaves_the_engine() {
    odd::associations().iter().for_each(keeps_the_name);
}

#[test]
fn no_name_of_an_association_leaves_the_engine() {
    associations().iter().for_each(keeps_the_name);
}
