//! TLS 1.3 hello messages (RFC 8446 section 4.1).

use super::dice::Dice;

fn record(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len() + 4).unwrap_or(0).to_be_bytes();
    let [_, l0, l1, l2] = u32::try_from(body.len()).unwrap_or(0).to_be_bytes();
    [&[22, 3, 1, length[0], length[1], kind, l0, l1, l2], body].concat()
}

fn extension(number: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap_or(0).to_be_bytes();
    [&[0, number][..], &length, body].concat()
}

fn random(dice: &mut Dice) -> [u8; 32] {
    let mut bytes = [0; 32];
    for eight in bytes.chunks_exact_mut(8) {
        eight.copy_from_slice(&dice.number().to_le_bytes());
    }
    bytes
}

fn hello(dice: &mut Dice, ciphers: &[u8], extensions: &[u8]) -> Vec<u8> {
    let length = u16::try_from(extensions.len()).unwrap_or(0).to_be_bytes();
    [
        &[3, 3][..],
        &random(dice),
        &[0],
        ciphers,
        &length,
        extensions,
    ]
    .concat()
}

/// A `ClientHello` for a server of this name.
#[must_use]
pub fn client(dice: &mut Dice, name: &str) -> Vec<u8> {
    let host = u16::try_from(name.len()).unwrap_or(0).to_be_bytes();
    let list = u16::try_from(name.len() + 3).unwrap_or(0).to_be_bytes();
    let sni = [&list[..], &[0], &host, name.as_bytes()].concat();
    let key = [&[0, 36, 0, 29, 0, 32][..], &random(dice)].concat();
    let extensions = [
        extension(0, &sni),
        extension(10, &[0, 4, 0, 29, 0, 23]),
        extension(13, &[0, 6, 4, 3, 8, 4, 4, 1]),
        extension(16, b"\x00\x0c\x02h2\x08http/1.1"),
        extension(43, &[4, 3, 4, 3, 3]),
        extension(51, &key),
        extension(21, &[0; 180]),
    ];
    let ciphers = [0, 6, 0x13, 1, 0x13, 2, 0x13, 3, 1, 0];
    record(1, &hello(dice, &ciphers, &extensions.concat()))
}

/// A `ServerHello` that takes TLS 1.3.
#[must_use]
pub fn server(dice: &mut Dice) -> Vec<u8> {
    let key = [&[0, 29, 0, 32][..], &random(dice)].concat();
    let extensions = [extension(43, &[3, 4]), extension(51, &key)].concat();
    record(2, &hello(dice, &[0x13, 1, 0], &extensions))
}

/// The head of a record of application data.
#[must_use]
pub fn application_data(length: u64) -> [u8; 5] {
    let [high, low] = u16::try_from(length.min(16_384)).unwrap_or(0).to_be_bytes();
    [23, 3, 3, high, low]
}
