//! Packets in fragments.

use crate::bytes::join;

/// Bytes of a fragment's data.
const PIECE: usize = 504;

/// The frame's IP packet in fragments, those of IPv6 with a header of their own (RFC 8200 section 4.5).
pub(crate) fn fragmented(frame: &[u8], number: u16) -> Vec<Vec<u8>> {
    let v6 = frame[12..14] == [0x86, 0xdd];
    let (header, data) = frame.split_at(if v6 { 54 } else { 34 });
    if data.len() <= PIECE {
        return vec![frame.to_vec()];
    }
    let count = data.len().div_ceil(PIECE);
    let pieces = data.chunks(PIECE).enumerate().map(|(at, piece)| {
        let more = at + 1 < count;
        let place = u16::try_from(at * PIECE).unwrap();
        let mut header = header.to_vec();
        if v6 {
            let length = u16::try_from(piece.len() + 8).unwrap();
            header[18..20].copy_from_slice(&length.to_be_bytes());
            let next = std::mem::replace(&mut header[20], 44);
            let place = (place | u16::from(more)).to_be_bytes();
            header.extend(join(&[&[next, 0], &place, &[0, 0], &number.to_be_bytes()]));
        } else {
            let length = u16::try_from(piece.len() + 20).unwrap();
            header[16..18].copy_from_slice(&length.to_be_bytes());
            header[18..20].copy_from_slice(&number.to_be_bytes());
            let place = (place / 8) | if more { 0x2000 } else { 0 };
            header[20..22].copy_from_slice(&place.to_be_bytes());
        }
        header.extend(piece);
        header
    });
    pieces.collect()
}

/// All frames of a conversation so.
pub(crate) fn all(frames: &[Vec<u8>]) -> Vec<Vec<u8>> {
    (1..)
        .zip(frames)
        .flat_map(|(number, frame)| fragmented(frame, number))
        .collect()
}
