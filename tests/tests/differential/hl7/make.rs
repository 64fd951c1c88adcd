//! A client's side of an HL7 connection over MLLP.

use crate::{
    choices::Choices,
    script::{Ending, Odd, Script, cut, damage},
};

/// What can be odd.
const ODDITIES: [&str; 56] = [
    "pipeline",
    "line-feeds",
    "carriage-return-line-feed",
    "no-time",
    "no-control-id",
    "no-type",
    "other-field-separator",
    "other-component-separator",
    "repetitions",
    "subcomponents",
    "escapes",
    "byte-order-mark",
    "utf-16",
    "utf-8",
    "latin-1",
    "batch",
    "file",
    "batch-without-trailer",
    "commit-block",
    "negative-commit-block",
    "text-before",
    "line-break-before",
    "nul-before",
    "space-before",
    "end-without-return",
    "end-with-line-feed",
    "start-inside",
    "end-inside",
    "empty-block",
    "large",
    "second-header",
    "no-start",
    "lower-case",
    "short-header",
    "header-only",
    "space-before-header",
    "return-before-header",
    "software-segments",
    "acknowledgement-from-client",
    "two-starts",
    "two-ends",
    "empty-segments",
    "no-return-at-end",
    "same-control-id",
    "text-between",
    "proxy-line",
    "http-first",
    "unfinished",
    "long-fields",
    "flip",
    "insert",
    "delete",
    "truncate",
    "replace",
    "reset",
    "trailing-spaces",
];

/// The patient's name, which nothing may say.
pub(crate) const CANARY: &str = "CANARY";

/// A connection.
pub(crate) fn make(choices: &mut Choices) -> Script {
    let odd = Odd::choose(choices, &ODDITIES);
    let count = choices.of(&[1, 1, 2, 3, 5]);
    // An oddity is in one of the messages, or in all of them.
    let one = choices.pick(count + 1);
    let plain = Odd(Vec::new());
    let mut steps: Vec<Vec<u8>> = (0..count)
        .map(|number| {
            let odd = if one == 0 || one == number + 1 {
                &odd
            } else {
                &plain
            };
            block(choices, odd, number)
        })
        .collect();
    if odd.has("proxy-line") {
        steps[0].splice(0..0, *b"PROXY TCP4 10.0.0.9 10.0.0.2 40000 2575\r\n");
    }
    if odd.has("http-first") {
        steps[0].splice(0..0, *b"CONNECT ehr:2575 HTTP/1.1\r\nHost: ehr\r\n\r\n");
    }
    damage(choices, &odd, &mut steps);
    let ending = if odd.has("reset") {
        Ending::Reset
    } else {
        Ending::Finish
    };
    cut(choices, steps, odd, ending)
}

/// The segments of a message.
fn segments(choices: &mut Choices, odd: &Odd, number: usize) -> Vec<String> {
    let (field, component) = (
        if odd.has("other-field-separator") {
            choices.of(&['!', '#', '*', '~'])
        } else {
            '|'
        },
        if odd.has("other-component-separator") {
            choices.of(&['$', '-', '@', '&'])
        } else {
            '^'
        },
    );
    let kind = choices.of(&[
        "ADT^A01", "ADT^A08", "ORU^R01", "ADT^A99", "ORU^R99", "ORM^O01",
    ]);
    let kind = match () {
        () if odd.has("no-type") => "",
        () if odd.has("acknowledgement-from-client") => "ACK",
        () => kind,
    };
    let sender = match () {
        () if odd.has("repetitions") => "ENGINE~OTHER",
        () if odd.has("subcomponents") => "ENGINE^1.2.3&X^ISO",
        () if odd.has("escapes") => "ENG\\T\\INE\\F\\X",
        () if odd.has("utf-8") => "Größe\u{3000}東",
        () if odd.has("trailing-spaces") => "ENGINE  ",
        () => "ENGINE",
    };
    let control = if odd.has("same-control-id") {
        "SAME".to_owned()
    } else {
        format!("M{number}{}", choices.pick(1_000))
    };
    let control = if odd.has("no-control-id") {
        ""
    } else {
        &control
    };
    let time = if odd.has("no-time") {
        ""
    } else {
        "20260105101500"
    };
    let facility = if odd.has("long-fields") {
        "F".repeat(choices.pick(1_200))
    } else {
        "HOSPITAL".to_owned()
    };
    let mut header =
        format!("MSH|^~\\&|{sender}|{facility}|EHR|HOSPITAL|{time}||{kind}|{control}|P|2.5.1");
    if odd.has("lower-case") {
        header = header.to_lowercase();
    }
    if odd.has("short-header") {
        let fields = choices.pick(12) + 1;
        header = header.split('|').take(fields).collect::<Vec<_>>().join("|");
    }
    let mut all = vec![header];
    if odd.has("software-segments") {
        all.push("SFT|MAKER|1|PRODUCT|2".to_owned());
    }
    if odd.has("acknowledgement-from-client") {
        all.push(format!("MSA|AA|{}", choices.of(&["M1", "", "X9"])));
    }
    if odd.has("second-header") {
        all.push("MSH|^~\\&|SECOND|X|EHR|HOSPITAL|20260105||ADT^A01|S1|P|2.5.1".to_owned());
    }
    if !odd.has("header-only") {
        all.push("EVN||20260105101500".to_owned());
        all.push(format!("PID|1||P1^^^H^MR||{CANARY}^ANNA||19610707|F"));
        all.push("PV1|1|I|WARD3^12^A".to_owned());
    }
    if odd.has("large") {
        let size = choices.of(&[3_000, 20_000, 70_000, 300_000]);
        all.push(format!("OBX|1|ED|X||{}", "QUJD".repeat(size / 4)));
    }
    if odd.has("start-inside") {
        all.push(format!("NTE|1||before\x0bafter {CANARY}"));
    }
    if odd.has("end-inside") {
        all.push(format!("NTE|1||before\x1cafter {CANARY}"));
    }
    if odd.has("empty-segments") {
        let at = choices.pick(all.len()) + 1;
        all.insert(at, String::new());
    }
    for segment in &mut all {
        *segment = segment
            .replace('|', &field.to_string())
            .replace('^', &component.to_string());
    }
    all
}

/// A message, or a batch of them.
fn content(choices: &mut Choices, odd: &Odd, number: usize) -> Vec<u8> {
    let end = match () {
        () if odd.has("line-feeds") => "\n",
        () if odd.has("carriage-return-line-feed") => "\r\n",
        () => "\r",
    };
    let batch = odd.has("batch") || odd.has("file") || odd.has("batch-without-trailer");
    let mut all = Vec::new();
    if batch {
        if odd.has("file") {
            all.push("FHS|^~\\&|ENGINE|HOSPITAL|EHR|HOSPITAL|20260105".to_owned());
        }
        all.push("BHS|^~\\&|ENGINE|HOSPITAL|EHR|HOSPITAL|20260105".to_owned());
        for part in 0..=choices.pick(3) {
            all.extend(segments(choices, odd, number * 10 + part));
        }
        if !odd.has("batch-without-trailer") {
            all.push("BTS|1".to_owned());
        }
        if odd.has("file") {
            all.push("FTS|1".to_owned());
        }
    } else {
        all = segments(choices, odd, number);
    }
    let mut text = all.join(end);
    if !odd.has("no-return-at-end") {
        text += end;
    }
    match () {
        () if odd.has("space-before-header") => text.insert(0, ' '),
        () if odd.has("return-before-header") => text.insert_str(0, end),
        () if odd.has("byte-order-mark") => text.insert(0, '\u{feff}'),
        () => {}
    }
    match () {
        () if odd.has("utf-16") => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        () if odd.has("latin-1") => {
            let mut bytes = text.into_bytes();
            if let Some(at) = bytes.windows(6).position(|window| window == b"ENGINE") {
                bytes[at + 2] = 0xe4;
            }
            bytes
        }
        () => text.into_bytes(),
    }
}

/// A block with what goes before and after it.
fn block(choices: &mut Choices, odd: &Odd, number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let before: &[u8] = match () {
        () if odd.has("text-before") => choices.of(&[&b"hello"[..], b"MSH|^~\\&|X\r"]),
        () if odd.has("line-break-before") => choices.of(&[&b"\r\n"[..], b"\n", b"\r"]),
        () if odd.has("nul-before") => b"\0",
        () if odd.has("space-before") => b" ",
        () if odd.has("empty-block") => b"\x0b\x1c\r",
        () if odd.has("commit-block") => b"\x0b\x06\x1c\r",
        () if odd.has("negative-commit-block") => b"\x0b\x15\x1c\r",
        () => b"",
    };
    bytes.extend(before);
    if odd.has("utf-16") {
        bytes.push(0);
    }
    if !odd.has("no-start") {
        bytes.push(0x0b);
    }
    if odd.has("two-starts") {
        bytes.push(0x0b);
    }
    bytes.extend(content(choices, odd, number));
    if odd.has("unfinished") {
        return bytes;
    }
    bytes.extend(match () {
        () if odd.has("end-without-return") => &b"\x1c"[..],
        () if odd.has("end-with-line-feed") => b"\x1c\n",
        () if odd.has("two-ends") => b"\x1c\r\x1c\r",
        () if odd.has("utf-16") => b"\0\x1c\0\r",
        () => b"\x1c\r",
    });
    if odd.has("text-between") {
        bytes.extend(choices.of(&[&b"\r\n"[..], b"  ", b"\0", b"idle"]));
    }
    bytes
}
