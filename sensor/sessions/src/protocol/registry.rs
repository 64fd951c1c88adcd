//! Every protocol that has sessions: one entry each, by the name in the kernel's registry.

use sensor_common::layer7::Protocol;

use super::{dicom, hl7, session::Entry, tls};

/// All protocols with sessions, in the order of the kernel's registry.
const ENTRIES: &[Entry] = &[
    dicom::session::ENTRY,
    hl7::session::ENTRY,
    tls::session::ENTRY,
];

/// The entry of a protocol; `None` for [`Protocol::None`].
pub(crate) fn entry(protocol: Protocol) -> Option<&'static Entry> {
    ENTRIES.iter().find(|entry| entry.protocol == protocol)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_protocol_of_the_kernel_has_sessions() {
        let listed: Vec<Protocol> = ENTRIES.iter().map(|entry| entry.protocol).collect();
        assert_eq!(listed, Protocol::ALL);
    }
}
