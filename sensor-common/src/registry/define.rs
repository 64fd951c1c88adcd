//! What follows from the table of protocols: enums, the choice of a reader, and what user space asks of a protocol.

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
                    Self::None => State::Begin as u8,
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
                    Self::None => State::Proxy as u8,
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
            /// The direction's first bytes, or the first after a prelude: a protocol or a prelude begins.
            Begin = 0,
            /// Nothing more to read.
            Done = 1,
            /// Copying or skipping `run_left` bytes.
            Run = 2,
            /// Not recognised, or lost: each segment's start is tried.
            Probe = 3,
            /// A prelude: the rest of a line.
            Line = 4,
            /// A prelude: the rest of an HTTP head, up to an empty line.
            Head = 5,
            /// A prelude: the fixed part of a binary PROXY header.
            Proxy = 6,
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
            /// The reader lost its place, or gave up a unit; the next record begins a new protocol unit. The number of the
            /// [`Reason`](crate::layer7::Reason).
            Desync = 60,
            /// The reader left bytes out: the number of the [`Reason`](crate::layer7::Reason), with
            /// [`FOUND`](crate::layer7::FOUND) or without, and how many (32-bit little-endian).
            Skipped = 61,
            $($($(#[doc = $topic_tag_doc])+ $topic_tag = $topic_tag_number,)+)+
        }

        impl Tag {
            /// The protocol in whose sessions the record is; [`Protocol::None`] for a lost place and for notices.
            #[must_use]
            pub const fn protocol(self) -> Protocol {
                match self {
                    $($(Self::$tag => Protocol::$protocol,)+)+
                    Self::Desync | Self::Skipped $($(| Self::$topic_tag)+)+ => Protocol::None,
                }
            }
        }

        impl TryFrom<u8> for Tag {
            type Error = u8;

            fn try_from(value: u8) -> Result<Self, u8> {
                Ok(match value {
                    $($($tag_number => Self::$tag,)+)+
                    60 => Self::Desync,
                    61 => Self::Skipped,
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
