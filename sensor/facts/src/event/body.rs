//! What depends on an event's type, as one list: the body, the type's name, and its content as JSON.
//!
//! A protocol's entry has the name that it has in the kernel's registry ([`Protocol`]).

use std::{collections::BTreeMap, io};

use sensor_common::layer7::Protocol;
use serde::{Deserialize, Serialize};

use super::{
    alert::AlertReport,
    audit::AuditReport,
    dicom::DicomEvent,
    flow::FlowReport,
    hl7::Hl7Event,
    json::line::{Key, Line},
    session::SessionEvent,
    tls::TlsReport,
};
use crate::finding::Finding;

macro_rules! bodies {
    (
        sessions {$(
            $(#[doc = $session_doc:literal])+
            $session:ident($session_field:ident): $session_type:ty,
        )+}
        others {$(
            $(#[doc = $doc:literal])+
            $other:ident($field:ident): $type:ty,
        )+}
    ) => {
        /// The part of an event that depends on its type.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "event_type", rename_all = "snake_case")]
        pub enum Body {
            $(
                $(#[doc = $session_doc])+
                $session {
                    #[doc = concat!("The content, under `", stringify!($session_field), "`.")]
                    $session_field: Box<$session_type>,
                },
            )+
            $(
                $(#[doc = $doc])+
                $other {
                    #[doc = concat!("The content, under `", stringify!($field), "`.")]
                    $field: $type,
                },
            )+
        }

        impl Body {
            /// The type of the event.
            #[must_use]
            pub const fn event_type(&self) -> EventType {
                match self {
                    $(Self::$session { .. } => EventType::$session,)+
                    $(Self::$other { .. } => EventType::$other,)+
                }
            }

            /// The protocol that the event is about, and what it says of a session; `None` for other events.
            #[must_use]
            pub fn session(&self) -> Option<(Protocol, &dyn SessionEvent)> {
                match self {
                    $(Self::$session { $session_field: content } => {
                        Some((Protocol::$session, &**content))
                    })+
                    $(Self::$other { .. } => None,)+
                }
            }

            /// Writes the type and the content as `Serialize` makes them.
            pub(super) fn write(&self, line: &mut Line<'_>) -> io::Result<()> {
                line.key(const { Key::new("event_type") });
                line.text(self.event_type().label());
                match self {
                    $(Self::$session { $session_field: content } => {
                        line.key(const { Key::new(stringify!($session_field)) });
                        line.any(content)
                    })+
                    $(Self::$other { $field: content } => {
                        line.key(const { Key::new(stringify!($field)) });
                        line.any(content)
                    })+
                }
            }
        }

        /// The type of an event, as in its field `event_type`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
        #[serde(rename_all = "lowercase")]
        pub enum EventType {
            $($(#[doc = $session_doc])+ $session,)+
            $($(#[doc = $doc])+ $other,)+
        }

        impl EventType {
            /// The name of the type in events.
            #[must_use]
            pub const fn label(self) -> &'static str {
                match self {
                    $(Self::$session => stringify!($session_field),)+
                    $(Self::$other => stringify!($field),)+
                }
            }
        }
    };
}

bodies! {
    sessions {
        /// A DICOM association.
        Dicom(dicom): DicomEvent,
        /// An HL7 message or session.
        Hl7(hl7): Hl7Event,
        /// A TLS connection.
        Tls(tls): TlsReport,
    }
    others {
        /// A flow's features.
        Flow(flow): Box<FlowReport>,
        /// What was done about containment, and by whom.
        Audit(audit): Box<AuditReport>,
        /// An alert that was raised or that changed.
        Alert(alert): Box<AlertReport>,
        /// Something suspicious.
        Finding(finding): Box<Finding>,
        /// Counters, by name.
        Stats(stats): BTreeMap<String, u64>,
    }
}
