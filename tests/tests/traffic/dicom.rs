//! DICOM PDUs (PS3.8 section 9.3) and command sets (PS3.7 section 6.3).

/// CT Image Storage.
pub(crate) const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
const IMPLICIT: &str = "1.2.840.10008.1.2";

pub(crate) fn pdu(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut pdu = vec![kind, 0];
    pdu.extend(u32::try_from(body.len()).unwrap().to_be_bytes());
    pdu.extend(body);
    pdu
}

pub(crate) fn item(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut item = vec![kind, 0];
    item.extend(u16::try_from(body.len()).unwrap().to_be_bytes());
    item.extend(body);
    item
}

fn fixed() -> Vec<u8> {
    let mut body = vec![0, 1, 0, 0];
    body.extend(format!("{:<16}{:<16}", "ARCHIVE", "CT_ROOM_1").bytes());
    body.extend([0; 32]);
    body.extend(item(0x10, b"1.2.840.10008.3.1.1.1"));
    body
}

/// A-ASSOCIATE-RQ with a user identity (PS3.7 section D.3.3.7.1) of a name and a password.
pub(crate) fn request(user: &str, password: &str) -> Vec<u8> {
    let mut body = fixed();
    for id in [1, 3] {
        let mut context = vec![id, 0, 0, 0];
        context.extend(item(0x30, CT.as_bytes()));
        context.extend(item(0x40, IMPLICIT.as_bytes()));
        body.extend(item(0x20, &context));
    }
    let mut identity = vec![2, 0];
    for value in [user, password] {
        identity.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
        identity.extend(value.bytes());
    }
    let mut information = item(0x51, &16_384_u32.to_be_bytes());
    information.extend(item(0x52, b"1.2.826.0.1.3680043.9.1"));
    information.extend(item(0x58, &identity));
    information.extend(item(0x55, b"MODALITY_1"));
    body.extend(item(0x50, &information));
    pdu(1, &body)
}

/// A-ASSOCIATE-AC of both contexts.
pub(crate) fn acceptance() -> Vec<u8> {
    let mut body = fixed();
    for id in [1, 3] {
        let mut context = vec![id, 0, 0, 0];
        context.extend(item(0x40, IMPLICIT.as_bytes()));
        body.extend(item(0x21, &context));
    }
    let mut information = item(0x51, &16_384_u32.to_be_bytes());
    information.extend(item(0x52, b"1.2.826.0.1.3680043.9.2"));
    body.extend(item(0x50, &information));
    pdu(2, &body)
}

/// An element, implicit VR little-endian (PS3.5 section 7.1.3).
pub(crate) fn element(group: u16, number: u16, value: &[u8]) -> Vec<u8> {
    let mut element = Vec::new();
    element.extend(group.to_le_bytes());
    element.extend(number.to_le_bytes());
    element.extend(u32::try_from(value.len()).unwrap().to_le_bytes());
    element.extend(value);
    element
}

/// A command set: the group length, then the elements.
pub(crate) fn command(elements: &[Vec<u8>]) -> Vec<u8> {
    let elements = elements.concat();
    let length = u32::try_from(elements.len()).unwrap();
    [element(0, 0, &length.to_le_bytes()), elements].concat()
}

/// The elements of a C-STORE-RQ (PS3.7 section 9.3.1.1).
pub(crate) fn store_elements(instance: &str) -> Vec<Vec<u8>> {
    let mut uid = CT.as_bytes().to_vec();
    uid.push(0);
    vec![
        element(0, 0x0002, &uid),
        element(0, 0x0100, &1_u16.to_le_bytes()),
        element(0, 0x0110, &7_u16.to_le_bytes()),
        element(0, 0x0700, &0_u16.to_le_bytes()),
        element(0, 0x0800, &1_u16.to_le_bytes()),
        element(0, 0x1000, instance.as_bytes()),
    ]
}

/// The elements of its answer.
pub(crate) fn answer_elements(status: u16, comment: &str) -> Vec<Vec<u8>> {
    vec![
        element(0, 0x0100, &0x8001_u16.to_le_bytes()),
        element(0, 0x0120, &7_u16.to_le_bytes()),
        element(0, 0x0800, &0x0101_u16.to_le_bytes()),
        element(0, 0x0900, &status.to_le_bytes()),
        element(0, 0x0902, comment.as_bytes()),
    ]
}

/// Control bits of a presentation data value.
pub(crate) const COMMAND: u8 = 1;
pub(crate) const LAST: u8 = 2;

/// A presentation data value of context 1.
pub(crate) fn value(control: u8, bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len() + 2).unwrap();
    [&length.to_be_bytes(), [1, control].as_slice(), bytes].concat()
}

/// A P-DATA-TF of one value.
pub(crate) fn data(control: u8, bytes: &[u8]) -> Vec<u8> {
    pdu(4, &value(control, bytes))
}

/// A data set with a patient in it and `size` bytes of pixels.
pub(crate) fn data_set(patient: &str, size: usize) -> Vec<u8> {
    let pixels: Vec<u8> = (0_u8..=250).cycle().take(size).collect();
    [
        element(0x0008, 0x0016, CT.as_bytes()),
        element(0x0010, 0x0010, patient.as_bytes()),
        element(0x0010, 0x0020, patient.as_bytes()),
        element(0x7fe0, 0x0010, &pixels),
    ]
    .concat()
}

/// A data set in values of at most `size` bytes.
pub(crate) fn fragments(data_set: &[u8], size: usize) -> Vec<u8> {
    let count = data_set.chunks(size).count();
    data_set
        .chunks(size)
        .enumerate()
        .flat_map(|(index, part)| data(if index + 1 == count { LAST } else { 0 }, part))
        .collect()
}

/// What the client says in an association that stores one image of a patient.
pub(crate) fn store(patient: &str) -> Vec<u8> {
    store_in_turns(patient).concat()
}

/// The same in its three turns: request, image, release.
pub(crate) fn store_in_turns(patient: &str) -> [Vec<u8>; 3] {
    let image = [
        data(COMMAND | LAST, &command(&store_elements("1.2.3"))),
        fragments(&data_set(patient, 700), 300),
    ];
    [request(patient, patient), image.concat(), pdu(5, &[0; 4])]
}

/// What the server answers.
pub(crate) fn stored(comment: &str) -> Vec<u8> {
    stored_in_turns(comment).concat()
}

/// The same in its three turns.
pub(crate) fn stored_in_turns(comment: &str) -> [Vec<u8>; 3] {
    [
        acceptance(),
        data(COMMAND | LAST, &command(&answer_elements(0, comment))),
        pdu(6, &[0; 4]),
    ]
}
