//! From pieces to whole records: one direction of a connection.

use sensor_common::tape::{FIRST, HOLE, LAST, Records, Tag};

/// Longest record that is put together: an association item has at most 65,535 bytes and its header.
pub(crate) const RECORD_MAX: usize = 4 + 65_535;

/// What a direction's tape gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Element<'a> {
    /// A whole record.
    Record {
        /// What it holds.
        tag: Tag,
        /// The bytes of the whole record.
        bytes: &'a [u8],
    },
    /// Something is missing here: chunks, or part of a record.
    Gap,
}

/// What was not as it should be; added to by [`Assembler::push`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Chunks missing between two that came.
    pub lost: u64,
    /// Chunks missing before the first that came.
    pub unseen: u64,
    /// Chunks that came twice or out of order, left out.
    pub misplaced: u64,
    /// Tapes with a bad record.
    pub bad_tapes: u64,
    /// Records left out because a part is missing.
    pub incomplete: u64,
    /// Records left out because they are longer than [`RECORD_MAX`].
    pub oversize: u64,
}

/// One direction of a connection.
#[derive(Debug, Default)]
pub(crate) struct Assembler {
    next: Option<u32>,
    partial: Option<Partial>,
}

#[derive(Debug)]
struct Partial {
    tag: Tag,
    bytes: Vec<u8>,
    whole: bool,
}

impl Assembler {
    /// Takes chunk `number` with its tape and hands what it completes to `each`, in order.
    pub(crate) fn push(
        &mut self,
        number: u32,
        tape: &[u8],
        tally: &mut Tally,
        mut each: impl FnMut(Element<'_>),
    ) {
        let ahead = number.wrapping_sub(self.next.unwrap_or(0));
        if self.next.is_some() && ahead > u32::MAX / 2 {
            tally.misplaced += 1;
            return;
        }
        if ahead > 0 {
            if self.next.is_some() {
                tally.lost += u64::from(ahead);
            } else {
                tally.unseen += u64::from(ahead);
            }
            self.drop_partial(tally);
            each(Element::Gap);
        }
        self.next = Some(number.wrapping_add(1));
        for record in Records::new(tape) {
            let Ok(record) = record else {
                tally.bad_tapes += 1;
                self.drop_partial(tally);
                each(Element::Gap);
                return;
            };
            let (first, last) = (record.flags & FIRST != 0, record.flags & LAST != 0);
            if first {
                if self.partial.is_some() {
                    self.drop_partial(tally);
                    each(Element::Gap);
                }
                if last {
                    each(Element::Record {
                        tag: record.tag,
                        bytes: record.bytes,
                    });
                    continue;
                }
                self.partial = Some(Partial {
                    tag: record.tag,
                    bytes: record.bytes.to_vec(),
                    whole: true,
                });
                continue;
            }
            // A piece without a beginning: its record was given up already.
            let Some(partial) = self
                .partial
                .as_mut()
                .filter(|partial| partial.tag == record.tag)
            else {
                if self.partial.is_some() {
                    self.drop_partial(tally);
                    each(Element::Gap);
                }
                continue;
            };
            partial.whole &= record.flags & HOLE == 0;
            if partial.bytes.len() + record.bytes.len() > RECORD_MAX {
                tally.oversize += 1;
                self.partial = None;
                each(Element::Gap);
                continue;
            }
            partial.bytes.extend_from_slice(record.bytes);
            if last && let Some(partial) = self.partial.take() {
                if partial.whole {
                    each(Element::Record {
                        tag: partial.tag,
                        bytes: &partial.bytes,
                    });
                } else {
                    tally.incomplete += 1;
                    each(Element::Gap);
                }
            }
        }
    }

    /// Ends the direction, which had `chunks` of them in all; true if some at its end are missing.
    pub(crate) fn settle(&mut self, chunks: u32, tally: &mut Tally) -> bool {
        let missing = chunks.wrapping_sub(self.next.unwrap_or(0));
        // More came than the flow knew of: it was looked at before the last of them.
        if missing == 0 || missing > u32::MAX / 2 {
            return false;
        }
        if self.next.is_some() {
            tally.lost += u64::from(missing);
        } else {
            tally.unseen += u64::from(missing);
        }
        self.next = Some(chunks);
        self.drop_partial(tally);
        true
    }

    fn drop_partial(&mut self, tally: &mut Tally) {
        if self.partial.take().is_some() {
            tally.incomplete += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(tag: Tag, flags: u8, bytes: &[u8]) -> Vec<u8> {
        let [low, high] = u16::try_from(bytes.len()).unwrap().to_le_bytes();
        [&[tag as u8, flags, low, high], bytes].concat()
    }

    fn run(chunks: &[(u32, Vec<u8>)]) -> (Vec<String>, Tally) {
        let (mut assembler, mut tally, mut seen) =
            (Assembler::default(), Tally::default(), Vec::new());
        for (number, tape) in chunks {
            assembler.push(*number, tape, &mut tally, |element| {
                seen.push(match element {
                    Element::Record { tag, bytes } => {
                        format!("{tag:?} {}", String::from_utf8_lossy(bytes))
                    }
                    Element::Gap => "gap".to_owned(),
                });
            });
        }
        (seen, tally)
    }

    const HEADER: Tag = Tag::Hl7Header;

    #[test]
    fn a_record_over_three_chunks_is_one() {
        let (seen, tally) = run(&[
            (
                0,
                [
                    piece(Tag::Hl7End, FIRST | LAST, b"x"),
                    piece(HEADER, FIRST, b"MS"),
                ]
                .concat(),
            ),
            (1, piece(HEADER, 0, b"H|^")),
            (
                2,
                [
                    piece(HEADER, LAST, b"~"),
                    piece(Tag::Hl7End, FIRST | LAST, b"y"),
                ]
                .concat(),
            ),
        ]);
        assert_eq!(seen, ["Hl7End x", "Hl7Header MSH|^~", "Hl7End y"]);
        assert_eq!(tally, Tally::default());
    }

    #[test]
    fn a_lost_chunk_takes_only_the_record_it_touches() {
        let (seen, tally) = run(&[
            (0, piece(HEADER, FIRST, b"MS")),
            (
                3,
                [
                    piece(HEADER, LAST, b"~"),
                    piece(Tag::Hl7End, FIRST | LAST, b"y"),
                ]
                .concat(),
            ),
            (3, piece(Tag::Hl7End, FIRST | LAST, b"again")),
        ]);
        assert_eq!(seen, ["gap", "Hl7End y"]);
        assert_eq!(
            tally,
            Tally {
                lost: 2,
                incomplete: 1,
                misplaced: 1,
                ..Tally::default()
            }
        );
    }

    #[test]
    fn a_hole_never_becomes_a_value() {
        let (seen, tally) = run(&[
            (0, piece(HEADER, FIRST, b"MSH")),
            (1, piece(HEADER, HOLE | LAST, b"~")),
            (2, vec![Tag::Hl7End as u8, FIRST | LAST, 9, 0, 1]),
        ]);
        assert_eq!(seen, ["gap", "gap"]);
        assert_eq!(
            tally,
            Tally {
                incomplete: 1,
                bad_tapes: 1,
                ..Tally::default()
            }
        );
    }

    #[test]
    fn a_daemon_that_comes_late_says_what_it_did_not_see() {
        let (seen, tally) = run(&[(7, piece(Tag::Hl7End, FIRST | LAST, b"y"))]);
        assert_eq!(seen, ["gap", "Hl7End y"]);
        assert_eq!(
            tally,
            Tally {
                unseen: 7,
                ..Tally::default()
            }
        );
    }
}
