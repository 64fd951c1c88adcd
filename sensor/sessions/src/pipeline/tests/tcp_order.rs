//! TCP segments that come late, twice, in another order or not at all.

use super::{
    hl7::{acknowledge, admit},
    tcp::{MESSAGES, converse, is_complete, wire},
    wire::Odd,
};

/// Segments of the messages in another order than they were sent.
#[test]
fn what_comes_in_another_order_is_read_in_its_own() {
    let orders: [&[usize]; 7] = [
        &[1, 0],
        &[1, 2, 0],
        &[2, 1, 0],
        &[0, 2, 1],
        &[2, 0, 1],
        &[3, 2, 1, 0],
        &[4, 1, 3, 2, 0],
    ];
    for order in orders {
        for opened in [true, false] {
            let mut wire = wire();
            if opened {
                wire.open();
            }
            for number in 0..MESSAGES {
                let id = number.to_string();
                let message = admit(&id);
                let size = message.len().div_ceil(order.len());
                let pieces: Vec<&[u8]> = message.chunks(size).collect();
                // Without the handshake, the first message tells where the stream begins.
                let plain: Vec<usize> = (0..order.len()).collect();
                let order = if opened || number > 0 { order } else { &plain };
                for at in order {
                    let shift = u32::try_from(at * size).unwrap();
                    let odd = Odd {
                        shift,
                        ..Odd::default()
                    };
                    wire.segment_of(true, "PA", pieces[*at], odd);
                }
                wire.sent(true, message.len());
                wire.acknowledge(false);
                wire.server(&acknowledge("AA", &id));
                wire.acknowledge(true);
            }
            let of = format!("{order:?}, opened: {opened}");
            if opened {
                is_complete(&mut wire, &of);
            } else {
                wire.finish();
                let session = wire.hl7_sessions()[0];
                assert_eq!((session.to_server, session.incomplete), (5, false), "{of}");
            }
        }
    }
}

/// Whatever is lost before the sensor: no message is missing in a session that says it is complete.
#[test]
fn no_loss_is_silent() {
    for lost in 0..12 {
        for late in [None, Some(1), Some(2), Some(4)] {
            for acknowledged in [false, true] {
                let mut wire = wire();
                wire.open();
                let mut number = 0;
                let mut held = None;
                for id in 0..MESSAGES {
                    let id = id.to_string();
                    let message = admit(&id);
                    for piece in message.chunks(message.len().div_ceil(2)) {
                        if number == lost {
                            held = late.map(|late| (number + late, piece.to_vec(), 0_u32));
                        } else {
                            wire.segment_of(true, "PA", piece, Odd::default());
                        }
                        wire.sent(true, piece.len());
                        if let Some((due, bytes, sent)) = &mut held {
                            *sent += u32::try_from(piece.len()).unwrap();
                            if *due == number {
                                let odd = Odd {
                                    shift: 0_u32.wrapping_sub(*sent),
                                    ..Odd::default()
                                };
                                wire.segment_of(true, "PA", bytes, odd);
                                held = None;
                            }
                        }
                        number += 1;
                    }
                    if acknowledged {
                        wire.acknowledge(false);
                        wire.server(&acknowledge("AA", &id));
                    }
                }
                wire.close();
                wire.finish();
                let messages = wire.messages();
                let complete = messages
                    .iter()
                    .filter(|message| message.ack_code.is_none() && message.complete);
                let complete = complete.count();
                let whole = wire
                    .hl7_sessions()
                    .iter()
                    .all(|session| !session.incomplete);
                assert!(
                    complete == MESSAGES || !whole,
                    "piece {lost} late by {late:?}, acknowledged: {acknowledged}: {complete} in {:?}",
                    wire.hl7_sessions()
                );
                // What is not touched is there.
                assert!(
                    complete >= MESSAGES - 2,
                    "{lost} {late:?} {acknowledged}: {complete}"
                );
            }
        }
    }
}

/// What comes before a message and is not its receiver's affair: bytes that the message's own segment overlaps.
#[test]
fn a_message_over_bytes_that_never_were_taken_is_read() {
    for junk in [&b"\0\0"[..], b"xxxx", &[0; 400]] {
        let mut wire = wire();
        wire.open();
        wire.segment_of(true, "A", junk, Odd::default());
        converse(&mut wire, |_, _| ());
        is_complete(&mut wire, &format!("{} bytes of junk", junk.len()));
    }
}

#[test]
fn sequence_numbers_wrap() {
    for before in [0, 1, 50, 300, 900] {
        let mut wire = wire();
        wire.begin_at(0_u32.wrapping_sub(before), 0_u32.wrapping_sub(before / 2));
        wire.open();
        converse(&mut wire, |_, _| ());
        is_complete(&mut wire, &format!("{before} before the end"));
    }
}

#[test]
fn retransmissions_and_overlaps_count_once() {
    let mut wire = wire();
    wire.open();
    for number in 0..MESSAGES {
        let id = number.to_string();
        let message = admit(&id);
        let (first, second) = message.split_at(60);
        wire.segment_of(true, "PA", first, Odd::default());
        wire.wait(20_000_000);
        wire.segment_of(true, "PA", first, Odd::default());
        // With other bytes where something came before: Linux keeps what it has.
        let mut both = message.clone();
        both[..60].fill(b'?');
        wire.segment_of(true, "PA", &both, Odd::default());
        wire.wait(20_000_000);
        let odd = Odd {
            shift: 60,
            ..Odd::default()
        };
        wire.segment_of(true, "PAU", second, odd);
        wire.sent(true, message.len());
        wire.acknowledge(false);
        wire.server(&acknowledge("AA", &id));
        wire.acknowledge(true);
    }
    is_complete(&mut wire, "overlaps");
}
