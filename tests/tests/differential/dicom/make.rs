//! A client's side of a DICOM connection.

use super::{
    associate::{self, contexts, pdu, request},
    command::{self, message},
};
use crate::{
    choices::Choices,
    script::{Ending, Odd, Script, cut, damage},
};

/// What can be odd beside requests and messages.
const ODDITIES: [&str; 16] = [
    "pipeline",
    "flip",
    "insert",
    "delete",
    "truncate",
    "replace",
    "proxy-line",
    "line-break-first",
    "abort",
    "abort-early",
    "no-release",
    "reset",
    "release-with-more",
    "abort-with-more",
    "bytes-at-end",
    "release-twice",
];

/// A connection to a receiver that goes by `called`.
pub(crate) fn make(choices: &mut Choices, called: &str) -> Script {
    let all = [
        &associate::ODDITIES[..],
        &command::ODDITIES[..],
        &ODDITIES[..],
    ]
    .concat();
    let odd = Odd::choose(choices, &all);
    let proposed = contexts(choices, &odd);
    let mut first = request(choices, &odd, called, &proposed);
    if odd.has("proxy-line") {
        first.splice(0..0, *b"PROXY TCP4 10.0.0.9 10.0.0.2 40000 104\r\n");
    }
    if odd.has("line-break-first") {
        first.splice(0..0, *b"\r\n");
    }
    let ids: Vec<_> = proposed.iter().map(|one| (one.id, one.class)).collect();
    let count = choices.of(&[1, 1, 2, 3, 0]);
    let messages: Vec<_> = (0..count)
        .map(|number| message(choices, &odd, number + 1, &ids))
        .collect();
    let mut steps = vec![first];
    steps.extend(command::steps(choices, &odd, &messages));
    if odd.has("second-request") {
        let again = request(choices, &odd, called, &proposed);
        let at = choices.pick(steps.len()) + 1;
        steps.insert(at, again);
    }
    end(choices, &odd, &mut steps);
    damage(choices, &odd, &mut steps);
    let ending = if odd.has("reset") {
        Ending::Reset
    } else {
        Ending::Finish
    };
    cut(choices, steps, odd, ending)
}

/// Release, abort, or nothing.
fn end(choices: &mut Choices, odd: &Odd, steps: &mut Vec<Vec<u8>>) {
    let mut rest = vec![0; 4];
    if odd.has("release-with-more") || odd.has("abort-with-more") {
        rest.extend(vec![choices.byte(); choices.pick(6) + 1]);
    }
    let mut abort = rest.clone();
    abort[2..4].copy_from_slice(&choices.of(&[[0, 0], [2, 0], [2, 6], [0, 5], [1, 1]]));
    let abort = pdu(7, 0, &abort, 0);
    if odd.has("abort-early") {
        let at = choices.pick(steps.len());
        let bytes = &mut steps[at];
        bytes.truncate(choices.pick(bytes.len()));
        bytes.extend(abort);
        return;
    }
    if odd.has("abort") || odd.has("abort-with-more") {
        return steps.push(abort);
    }
    if odd.has("no-release") {
        return;
    }
    let mut release = pdu(5, 0, &rest, 0);
    if odd.has("release-twice") {
        release.extend(release.clone());
    }
    if odd.has("bytes-at-end") {
        release.extend(vec![choices.byte(); choices.pick(12) + 1]);
    }
    steps.push(release);
}
