//! Makes HL7 messages.

/// A message in an MLLP block.
pub(crate) fn block(segments: &[&str]) -> Vec<u8> {
    let mut bytes = vec![0x0b];
    for segment in segments {
        bytes.extend(segment.bytes());
        bytes.push(b'\r');
    }
    bytes.extend(b"\x1c\r");
    bytes
}

/// A header of 12 fields.
pub(crate) fn header(kind: &str, control_id: &str, security: &str) -> String {
    format!("MSH|^~\\&|LAB|WARD3|EHR|MAIN|20260105101500|{security}|{kind}|{control_id}|P|2.5.1")
}

/// An admission of a patient.
pub(crate) fn admission(control_id: &str, patient: &str) -> Vec<u8> {
    block(&[
        &header("ADT^A01^ADT_A01", control_id, ""),
        "EVN||20260105101500",
        &format!("PID|1||4711^^^MAIN^MR||{patient}||19610707|F"),
        "PV1|1|I|WARD3^12^A",
    ])
}

/// A result of a patient.
pub(crate) fn result(control_id: &str, patient: &str) -> Vec<u8> {
    block(&[
        &header("ORU^R01", control_id, ""),
        &format!("PID|1||4711^^^MAIN^MR||{patient}||19610707|F"),
        "OBR|1|||718-7^Haemoglobin^LN",
        &format!("OBX|1|NM|718-7^Haemoglobin^LN||13.2|g/dL|12-16|N|||F|||{patient}"),
    ])
}

/// An acknowledgement with a text.
pub(crate) fn acknowledgement(control_id: &str, text: &str) -> Vec<u8> {
    block(&[
        &header("ACK^A01", &format!("R{control_id}"), ""),
        &format!("MSA|AA|{control_id}|{text}"),
    ])
}
