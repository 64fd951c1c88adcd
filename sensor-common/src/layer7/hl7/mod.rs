//! HL7 version 2 over MLLP as far as it may leave the kernel (HL7 v2.5.1 chapter 2, MLLP releases 1 and 2).
//!
//! What goes on the tape: fields 1 to 7 and 9 to 12 of MSH (and 1 to 7 and 11 of FHS and BHS), fields 1
//! and 2 of MSA, commit blocks, and the length of each message. MSH-8 (security), the text of MSA-3 and every other
//! segment stay in the kernel, and so does all that stands outside of blocks.
//!
//! Characters have one byte, or two where the stream is UTF-16; what of these leaves the kernel leaves it as UTF-8.

mod character;
mod ending;
mod fields;
mod opening;
mod scan;
mod writing;

pub use writing::{COMMIT, END_BLOCK, REFUSAL, START_BLOCK};

use super::{
    reader::{self, Reader},
    reason::Reason,
    stream::{AT_START, BATCH, HOLE, Stream},
    work::Step,
};
use crate::{
    bytes::Frame,
    cpu::Cpu,
    registry::{Protocol, State, Tag},
};
use character::{Character, character};
use writing::{ACK, BEFORE, LINE_FEED, LINES, MAY_ANSWER, SEGMENT_END, UNSURE};

/// The reader of HL7.
pub(crate) struct Hl7;

impl Reader for Hl7 {
    const LOST: State = State::Hl7Start;

    #[inline(always)]
    fn step<F: Frame>(frame: &F, cpu: &mut Cpu) -> Step {
        match cpu.work.stream.state {
            s if s == State::Hl7Start as u8 => start(frame, cpu),
            s if s == State::Hl7Opening as u8 => opening::opening(frame, cpu),
            s if s == State::Hl7Name as u8 => name(frame, cpu),
            s if s == State::Hl7Fields as u8 => fields::fields(frame, cpu),
            s if s == State::Hl7Segment as u8 => scan::scan(frame, cpu, true),
            s if s == State::Hl7Body as u8 => scan::body(frame, cpu),
            s if s == State::Hl7End as u8 => ending::end(frame, cpu),
            s if s == State::Hl7Commit as u8 => opening::commit(frame, cpu),
            _ => cpu.desync(Reason::Hl7Block),
        }
    }

    #[inline(always)]
    fn is_due(stream: &Stream) -> bool {
        stream.state == State::Hl7End as u8
    }

    #[inline(always)]
    fn survives_loss(stream: &mut Stream, bytes: u32) -> bool {
        let survives = stream.state == State::Hl7Body as u8;
        if survives {
            stream.length = stream.length.wrapping_add(bytes);
            // Its end may be among them.
            stream.flags |= HOLE;
        }
        survives
    }
}

/// Segments after MSH among which MSA is looked for where they may end with line feeds.
const LINES_BEFORE: u8 = 8;

/// Blanks between blocks that one step passes.
const BLANKS: u32 = 16;

/// True for what may stand between blocks without being text: line ends, and halves of wide characters.
#[inline(always)]
const fn is_blank(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n' | 0)
}

/// Between blocks: looks for the next one. Line ends are common there.
#[inline(always)]
fn start<F: Frame>(frame: &F, cpu: &mut Cpu) -> Step {
    let Some(byte) = frame.u8(cpu.work.position) else {
        cpu.work.position = cpu.work.end;
        return Step::Done;
    };
    let unsure = cpu.work.stream.carry[UNSURE] != 0;
    cpu.work.stream.carry[UNSURE] = 0;
    if byte != START_BLOCK {
        let begin = cpu.work.position;
        if unsure && !is_blank(byte) && cpu.work.is_of(Protocol::Hl7) {
            reader::skipped(cpu, Reason::Hl7Cut, 0);
        }
        if is_blank(byte) {
            for _ in 0..BLANKS {
                if !frame.u8(cpu.work.position).is_some_and(is_blank)
                    || cpu.work.position >= cpu.work.end
                {
                    break;
                }
                cpu.work.position += 1;
            }
        } else {
            scan::seek(frame, &mut cpu.work, START_BLOCK);
            let stream = &mut cpu.work.stream;
            stream.length = stream
                .length
                .wrapping_add(cpu.work.position.wrapping_sub(begin));
        }
        let last = frame.u8(cpu.work.position - 1).unwrap_or(0);
        cpu.work.stream.carry[BEFORE] = u8::from(last == 0);
        return Step::More;
    }
    cpu.work.position += 1;
    let text = cpu.work.stream.length;
    if text > 0 && cpu.work.is_of(Protocol::Hl7) && cpu.work.stream.unread(0).is_none() {
        reader::skipped(cpu, Reason::Hl7Outside, text);
    }
    let stream = &mut cpu.work.stream;
    stream.flags = (stream.flags | AT_START) & !(BATCH | HOLE);
    stream.mode = 0;
    stream.length = 0;
    stream.held = 0;
    stream.set(State::Hl7Opening);
    Step::More
}

/// The name of a segment after the first.
#[inline(always)]
fn name<F: Frame>(frame: &F, cpu: &mut Cpu) -> Step {
    let unit = match character(frame, &mut cpu.work) {
        Character::None => return Step::Done,
        Character::Half => return Step::More,
        Character::Whole(unit) => unit,
    };
    if character::is_end(&cpu.work.stream, unit) {
        return ending::block_end(cpu, unit);
    }
    let stream = &mut cpu.work.stream;
    let byte = character::narrow(unit);
    if byte == SEGMENT_END || byte == LINE_FEED {
        stream.held = 0;
        return Step::More;
    }
    if stream.held < 3 {
        reader::hold(&mut cpu.work, byte);
        return Step::More;
    }
    stream.held = 0;
    let [n0, n1, n2, ..] = stream.carry;
    let segment = [n0, n1, n2];
    if stream.is(BATCH) && matches!(&segment, b"MSH" | b"BHS") && opening::may_separate(byte) {
        opening::header(cpu, segment, byte);
        return Step::More;
    }
    if &segment == b"MSA" && byte == stream.control && stream.has(MAY_ANSWER | ACK) {
        stream.mode &= !(MAY_ANSWER | ACK);
        stream.held = 0;
        stream.context = 1;
        fields::begin(cpu, Tag::Hl7Acknowledgement, segment, byte);
        return Step::More;
    }
    // In an acknowledgement MSA follows MSH, with only these between (HL7 v2.8 section 2.14); some senders put others before
    // it, so after them it is still looked for, and in a message that says that it is an acknowledgement after any. Where a
    // line feed stood in MSH, python-hl7 answers with the lines that follow between MSH and MSA.
    stream.context = stream.context.wrapping_add(1);
    let before_answer = matches!(
        &segment,
        b"SFT" | b"UAC" | b"ARV" | b"ERR" | b"QAK" | b"NTE" | [b'Z', ..]
    ) || (stream.has(LINES) && stream.context <= LINES_BEFORE);
    if !before_answer {
        stream.mode &= !MAY_ANSWER;
    }
    if before_answer || stream.is(BATCH) || stream.has(ACK) {
        stream.set(State::Hl7Segment);
    } else {
        stream.set(State::Hl7Body);
    }
    Step::More
}
