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

macro_rules! registry {
    (
        $dollar:tt
        layer7 {
            $(
                $(#[doc = $doc:literal])+
                $protocol:ident = $index:literal in $module:ident {
                    name: $name:literal,
                    title: $title:literal,
                    clinical: $clinical:literal,
                    first_byte: $first_byte:pat,
                    states: {$(
                        $(#[doc = $state_doc:literal])+
                        $state:ident = $state_number:literal,
                    )+},
                    tags: {$(
                        $(#[doc = $tag_doc:literal])+
                        $tag:ident = $tag_number:literal,
                    )+},
                }
            )+
        }
        notices {
            $(
                $(#[doc = $topic_doc:literal])+
                $topic:ident = $topic_index:literal in $topic_module:ident {
                    $(udp_ports: |$source:ident, $destination:ident| $ports:expr,)?
                    $(icmp6_types: |$kind:ident| $kinds:expr,)?
                    tags: {$(
                        $(#[doc = $topic_tag_doc:literal])+
                        $topic_tag:ident = $topic_tag_number:literal,
                    )+},
                }
            )+
        }
    ) => {
        /// A layer-7 protocol, recognised by content.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Protocol {
            /// Not recognised.
            #[default]
            None = 0,
            $($(#[doc = $doc])+ $protocol = $index,)+
        }

        impl Protocol {
            /// Every protocol that can be recognised.
            pub const ALL: &'static [Self] = &[$(Self::$protocol,)+];

            /// The protocol of an index; an unknown one is none.
            #[must_use]
            pub const fn from_index(index: u8) -> Self {
                match index {
                    $($index => Self::$protocol,)+
                    _ => Self::None,
                }
            }

            /// The protocol's name in events and queries; `None` for [`Protocol::None`].
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self {
                    Self::None => None,
                    $(Self::$protocol => Some($name),)+
                }
            }

            /// The protocol's name in text for people; `None` for [`Protocol::None`].
            #[must_use]
            pub const fn title(self) -> Option<&'static str> {
                match self {
                    Self::None => None,
                    $(Self::$protocol => Some($title),)+
                }
            }

            /// The protocol with this [`Self::name`].
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$protocol),)+
                    _ => None,
                }
            }

            /// True for a protocol of clinical systems, whose flows are never evicted or refused for lack of memory.
            #[must_use]
            pub const fn is_clinical(self) -> bool {
                Self::is_clinical_index(self as u8)
            }

            /// The same for the protocol of an index.
            #[inline(always)]
            #[must_use]
            pub const fn is_clinical_index(index: u8) -> bool {
                false $(|| ($clinical && index == $index))+
            }

            /// True if a stream of this protocol can begin with `byte`.
            #[inline(always)]
            #[must_use]
            pub const fn may_begin(self, byte: u8) -> bool {
                match self {
                    Self::None => false,
                    $(Self::$protocol => matches!(byte, $first_byte),)+
                }
            }

            /// True if a stream of any protocol can begin with `byte`.
            #[inline(always)]
            #[must_use]
            pub const fn any_may_begin(byte: u8) -> bool {
                false $(|| Self::$protocol.may_begin(byte))+
            }

            /// The state in which the protocol's reader begins.
            #[inline(always)]
            pub(crate) const fn first_state(self) -> u8 {
                match self {
                    Self::None => State::Probe as u8,
                    $(Self::$protocol => {
                        let [first, ..] = [$(State::$state as u8),+];
                        first
                    })+
                }
            }

            /// The greatest number of the protocol's states.
            #[inline(always)]
            pub(crate) const fn last_state(self) -> u8 {
                match self {
                    Self::None => State::Run as u8,
                    $(Self::$protocol => {
                        let [.., last] = [$(State::$state as u8),+];
                        last
                    })+
                }
            }
        }

        /// States of a reader. The bytes that a state asks for may come in several segments.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum State {
            /// Not recognised, or lost: each segment's start is tried.
            Probe = 0,
            /// Nothing more to read.
            Done = 1,
            /// Copying or skipping `run_left` bytes.
            Run = 2,
            $($($(#[doc = $state_doc])+ $state = $state_number,)+)+
        }

        /// What a packet says of hosts: the kinds of [notices](crate::notice).
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Topic {
            /// Nothing.
            None = 0,
            $($(#[doc = $topic_doc])+ $topic = $topic_index,)+
        }

        impl Topic {
            /// What a UDP datagram with these source and destination ports says.
            #[inline(always)]
            #[must_use]
            pub const fn of_udp(source: u16, destination: u16) -> Self {
                $($(
                    let ($source, $destination) = (source, destination);
                    if $ports {
                        return Self::$topic;
                    }
                )?)+
                Self::None
            }

            /// What an ICMPv6 message of this type says.
            #[inline(always)]
            #[must_use]
            pub const fn of_icmp6(kind: u8) -> Self {
                $($(
                    let $kind = kind;
                    if $kinds {
                        return Self::$topic;
                    }
                )?)+
                Self::None
            }
        }

        /// What a record of the [tape](crate::tape) holds.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Tag {
            $($($(#[doc = $tag_doc])+ $tag = $tag_number,)+)+
            /// The reader lost its place; the next record begins a new protocol unit. No bytes.
            Desync = 32,
            $($($(#[doc = $topic_tag_doc])+ $topic_tag = $topic_tag_number,)+)+
        }

        impl Tag {
            /// The protocol in whose sessions the record is; [`Protocol::None`] for a lost place and for notices.
            #[must_use]
            pub const fn protocol(self) -> Protocol {
                match self {
                    $($(Self::$tag => Protocol::$protocol,)+)+
                    Self::Desync $($(| Self::$topic_tag)+)+ => Protocol::None,
                }
            }
        }

        impl TryFrom<u8> for Tag {
            type Error = u8;

            fn try_from(value: u8) -> Result<Self, u8> {
                Ok(match value {
                    $($($tag_number => Self::$tag,)+)+
                    32 => Self::Desync,
                    $($($topic_tag_number => Self::$topic_tag,)+)+
                    other => return Err(other),
                })
            }
        }

        /// Calls a macro with the given arguments and then `(Protocol module)` of each layer-7 protocol, in the order of
        /// their states.
        macro_rules! with_layer7 {
            ($dollar then:ident!($dollar($dollar argument:tt)*)) => {
                $dollar then! { $dollar($dollar argument)* $(($protocol $module))+ }
            };
        }

        /// The same for other crates, which have a module of the same name for each protocol.
        #[macro_export]
        macro_rules! for_each_protocol {
            ($dollar then:ident: $dollar($dollar argument:tt)*) => {
                $dollar then! { $dollar($dollar argument)* $(($protocol $module))+ }
            };
        }

        /// Calls a macro with the given arguments and then `(Topic module)` of each kind of notice.
        macro_rules! with_notices {
            ($dollar then:ident!($dollar($dollar argument:tt)*)) => {
                $dollar then!($dollar($dollar argument)* $(($topic $topic_module))+)
            };
        }
    };
}

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
                /// DICOM: an item header.
                DicomItem = 10,
                /// DICOM: a sub-item header of the user information.
                DicomSubItem = 11,
                /// DICOM: the rest of a sub-item that does not leave the kernel.
                DicomSubItemRest = 12,
                /// DICOM: a presentation data value's header.
                DicomPdv = 13,
                /// DICOM: a command element's header.
                DicomElement = 14,
                /// DICOM: a fragment of a data set is over.
                DicomDataEnd = 15,
            },
            tags: {
                /// DICOM PDU header, 6 bytes (PS3.8 section 9.3.1), of every PDU but P-DATA-TF.
                DicomPdu = 1,
                /// Fixed part of A-ASSOCIATE-RQ or AC: 68 bytes from the protocol version on.
                DicomAssociate = 2,
                /// An item or a sub-item of an association with its 4-byte header. Of a user identity and of
                /// extended negotiation only the header and the two bytes after it.
                DicomItem = 3,
                /// The four bytes after the header of A-ASSOCIATE-RJ or A-ABORT.
                DicomReason = 4,
                /// Header of a presentation data value that carries a command: length, context id, control.
                DicomPdv = 5,
                /// A command element (group 0000): tag and length (8 bytes), then the value.
                DicomElement = 6,
                /// A command set is complete; no bytes.
                DicomCommandEnd = 7,
                /// A data set is complete: its bytes on the wire (64-bit little-endian), then the context id.
                DicomDataEnd = 8,
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
                Hl7Start = 16,
                /// HL7: a segment's name.
                Hl7Name = 17,
                /// HL7: fields of a segment that may leave the kernel.
                Hl7Fields = 18,
                /// HL7: the rest of a segment, whose successor is of interest.
                Hl7Segment = 19,
                /// HL7: the rest of the message.
                Hl7Body = 20,
                /// HL7: the byte after an end block character.
                Hl7End = 21,
            },
            tags: {
                /// An MSH, FHS or BHS segment from its name on, up to field 12, field 8 left empty.
                Hl7Header = 16,
                /// An MSA segment from its name on, up to field 2.
                Hl7Acknowledgement = 17,
                /// An MLLP block is complete: bytes between start and end block (32-bit little-endian).
                Hl7End = 18,
            },
        }
        /// TLS.
        Tls = 3 in tls {
            name: "tls",
            title: "TLS",
            clinical: false,
            // The content type of handshake records.
            first_byte: 22,
            states: {
                /// TLS: a record header and the handshake type.
                TlsRecord = 24,
            },
            tags: {
                /// A TLS handshake record with a `ClientHello` or `ServerHello`, cut at
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
