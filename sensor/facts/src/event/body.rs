//! The list of event types: the body of each, its name, and its content as JSON.
//!
//! The bodies of protocols follow from the kernel's registry and the modules of [`protocol`].

use std::{collections::BTreeMap, io};

use sensor_common::layer7::Protocol;
use serde::{Deserialize, Serialize};

use super::{
    alert::AlertReport,
    audit::AuditReport,
    flow::FlowReport,
    incident::IncidentReport,
    json::line::{Key, Line},
    protocol,
    session::SessionEvent,
};
use crate::{finding::Finding, mirror::MirrorReport};

macro_rules! bodies {
    (
        $(
            $(#[doc = $doc:literal])+
            $other:ident($field:ident): $type:ty,
        )+
        ;
        $(($session:ident $session_field:ident))+
    ) => {
        /// The part of an event that depends on its type.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[serde(tag = "event_type", rename_all = "snake_case")]
        pub enum Body {
            $(
                #[doc = concat!("A session of [`Protocol::", stringify!($session), "`], or a part of one.")]
                $session {
                    #[doc = concat!("The content, under `", stringify!($session_field), "`.")]
                    $session_field: Box<protocol::$session_field::Content>,
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
            $(
                #[doc = concat!("A session of [`Protocol::", stringify!($session), "`], or a part of one.")]
                $session,
            )+
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

sensor_common::for_each_protocol! {
    bodies:
        /// A flow's features.
        Flow(flow): Box<FlowReport>,
        /// What was done about containment, and by whom.
        Audit(audit): Box<AuditReport>,
        /// An alert that was raised or that changed.
        Alert(alert): Box<AlertReport>,
        /// An incident that opened or that changed.
        Incident(incident): Box<IncidentReport>,
        /// What a detector found.
        Finding(finding): Box<Finding>,
        /// Something about what an interface brings went wrong, or is right again.
        Mirror(mirror): Box<MirrorReport>,
        /// Counters, by name.
        Stats(stats): BTreeMap<String, u64>,
        ;
}
