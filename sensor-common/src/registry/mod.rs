//! Every protocol whose content is read in the kernel, and all that the rest of the crate must know of it.
//!
//! One table declares the protocols; the enums, the choice of a reader and what user space asks of a protocol are
//! derived from it. Outside this table, only a protocol's own module knows the protocol.
//!
//! To add a layer-7 protocol, add an entry here and write three modules of the entry's name; they are declared by the
//! entry. `sensor-common/src/layer7/<module>` has a type of the protocol's name that implements
//! `layer7::reader::Reader`. `sensor/facts/src/event/protocol/<module>` has the content of its events.
//! `sensor/sessions/src/protocol/<module>` has its sessions.
//!
//! To add a kind of notice, write `notice/<module>` with a function `step`, declare it in `notice/mod.rs`, and add an
//! entry here.

#[macro_use]
mod define;

registry! {
    $
    layer7 {
        /// DICOM upper layer.
        Dicom = 1 in dicom {
            name: "dicom",
            title: "DICOM",
            clinical: true,
            // A PDU's type.
            first_byte: 1..=7,
            states: {
                /// DICOM: a PDU header.
                DicomPdu = 8,
                /// DICOM: the first 12 bytes of an association request or acceptance.
                DicomAssociate = 9,
                /// DICOM: the reserved bytes behind the titles of an association request or acceptance.
                DicomReserved = 10,
                /// DICOM: an item header.
                DicomItem = 11,
                /// DICOM: a sub-item header of the user information.
                DicomSubItem = 12,
                /// DICOM: the rest of a sub-item that does not leave the kernel.
                DicomSubItemRest = 13,
                /// DICOM: the reason of a reject or an abort.
                DicomReason = 14,
                /// DICOM: a presentation data value's header.
                DicomPdv = 15,
                /// DICOM: a command element's header.
                DicomElement = 16,
                /// DICOM: a fragment of a data set is over.
                DicomDataEnd = 17,
            },
            tags: {
                /// DICOM PDU header, 6 bytes (PS3.8 section 9.3.1), of every PDU but P-DATA-TF.
                DicomPdu = 1,
                /// Fixed part of A-ASSOCIATE-RQ or AC: 36 bytes from the protocol version on, to the end of the titles.
                DicomAssociate = 2,
                /// An item or a sub-item of an association with its 4-byte header. Of a user identity and of
                /// extended negotiation only the header and the two bytes after it.
                DicomItem = 3,
                /// The four bytes after the header of A-ASSOCIATE-RJ or A-ABORT, the first of them zero; all zero where a peer
                /// sends fewer.
                DicomReason = 4,
                /// A command set begins: header of its presentation data value (length, context id, control), then its
                /// encoding, see [`crate::layer7::dicom::BIG_ENDIAN`].
                DicomPdv = 5,
                /// A command element (group 0000): tag and length (8 bytes), then the value, in the encoding of its command set.
                DicomElement = 6,
                /// A command set is complete; no bytes.
                DicomCommandEnd = 7,
                /// A data set is over: its bytes on the wire (64-bit little-endian), the context id, and 1 if it is complete, 0 if
                /// its sender gave it up.
                DicomDataEnd = 8,
                /// The items of an association request or acceptance are over; no bytes.
                DicomAssociateEnd = 9,
            },
        }
        /// HL7 version 2 over MLLP.
        Hl7 = 2 in hl7 {
            name: "hl7",
            title: "HL7",
            clinical: true,
            // MLLP's start block character.
            first_byte: 0x0b,
            states: {
                /// HL7: between messages.
                Hl7Start = 20,
                /// HL7: the name of a block's first segment, and what may stand in its place.
                Hl7Opening = 21,
                /// HL7: a segment's name.
                Hl7Name = 22,
                /// HL7: fields of a segment that may leave the kernel.
                Hl7Fields = 23,
                /// HL7: the rest of a segment, whose successor is of interest.
                Hl7Segment = 24,
                /// HL7: the rest of the message.
                Hl7Body = 25,
                /// HL7: the byte after an end block character.
                Hl7End = 26,
                /// HL7: the byte after the content of a commit block.
                Hl7Commit = 27,
            },
            tags: {
                /// An MSH, FHS or BHS segment from its name on, up to field 12, field 8 left empty.
                Hl7Header = 16,
                /// An MSA segment from its name on, up to field 2.
                Hl7Acknowledgement = 17,
                /// An MLLP block is complete: bytes between start and end block (32-bit little-endian).
                Hl7End = 18,
                /// A commit block of MLLP release 2: its byte, [`crate::layer7::hl7::COMMIT`] or [`crate::layer7::hl7::REFUSAL`].
                Hl7Commit = 19,
            },
        }
        /// TLS.
        Tls = 3 in tls {
            name: "tls",
            title: "TLS",
            clinical: false,
            // The content types of alert and handshake records.
            first_byte: 21 | 22,
            states: {
                /// TLS: a record header.
                TlsRecord = 28,
                /// TLS: a handshake message's header.
                TlsMessage = 29,
                /// TLS: the rest of a handshake message.
                TlsBody = 30,
            },
            tags: {
                /// A `ClientHello` or `ServerHello` with the headers of its record and its own, cut at
                /// [`crate::layer7::tls::HELLO_MAX`].
                TlsHello = 24,
            },
        }
    }
    notices {
        /// ARP.
        Arp = 1 in arp {
            tags: {
                /// ARP: see [`crate::notice::arp::Arp::record`].
                Arp = 40,
            },
        }
        /// DHCP, by the ports of server and client (RFC 2131 section 4.1).
        Dhcp = 2 in dhcp {
            udp_ports: |_source, destination| destination == 67 || destination == 68,
            tags: {
                /// DHCP: the message up to the client's hardware address, then the source of the Ethernet header, 40 bytes.
                DhcpHead = 41,
                /// DHCP option 12, host name, at most [`crate::notice::NAME_MAX`] bytes.
                DhcpName = 42,
                /// DHCP option 50, requested address, 4 bytes.
                DhcpRequested = 43,
                /// DHCP option 53, message type, 1 byte.
                DhcpType = 44,
                /// DHCP option 60, vendor class, cut as the name is.
                DhcpVendor = 45,
                /// DHCP option 54, the server, 4 bytes.
                DhcpServer = 48,
                /// DHCP option 3, routers, 4 bytes each, if there are at most four.
                DhcpRouters = 49,
                /// DHCP option 6, name servers, the same.
                DhcpNameServers = 50,
            },
        }
        /// Multicast DNS, by its port (RFC 6762 section 3).
        Mdns = 3 in mdns {
            udp_ports: |source, destination| destination == 5_353 && source == 5_353,
            tags: {
                /// Multicast DNS: the first label of the name of an address record.
                HostName = 46,
                /// Multicast DNS: the address of the name before, 4 or 16 bytes.
                HostAddress = 47,
            },
        }
        /// IPv6 neighbour discovery (RFC 4861 section 4): router advertisements, neighbour solicitations and advertisements.
        Neighbour = 4 in neighbour {
            icmp6_types: |kind| kind >= 134 && kind <= 136,
            tags: {
                /// A neighbour solicitation or advertisement without options, then the source of the Ethernet header, 30 bytes.
                Neighbour = 51,
                /// A link-layer address option (1 the source's, 2 the target's), 8 bytes.
                NeighbourLink = 52,
                /// The first 8 bytes of a router advertisement, then the source of the Ethernet header, 14 bytes.
                RouterAdvertisement = 53,
                /// A prefix information option (RFC 4861 section 4.6.2) after its type and length, 30 bytes.
                RouterPrefix = 54,
                /// A recursive DNS server option (RFC 8106 section 5.1) after its type and length: two bytes of no meaning,
                /// lifetime, and at most three addresses.
                RouterDns = 55,
            },
        }
    }
}

pub(crate) use {with_layer7, with_notices};

#[cfg(test)]
mod tests;
