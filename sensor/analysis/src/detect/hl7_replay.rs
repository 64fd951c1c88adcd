//! HL7 messages that come again after they were accepted (ATT&CK T1565.002).
//!
//! A sender that got no acknowledgement sends its message again under the same control id, as it should;
//! one that was acknowledged has no reason to. It counts when it comes by another connection.

use std::{
    net::{IpAddr, SocketAddr},
    num::NonZeroUsize,
};

use lru::LruCache;

use super::{Detector, Site, window::Window};
use crate::config::Detect;
use crate::detect::draft::Draft;
use sensor_facts::observation::{Observation, What, is_negative};
use sensor_facts::time::Time;

/// Messages that are remembered.
const MESSAGES: NonZeroUsize = NonZeroUsize::new(65_536).expect("it is not zero");
/// A sender may begin its numbering anew after this, nanoseconds.
const MEMORY: i64 = 86_400_000_000_000;

/// Receiver, sending application and facility, control id: hashed, since there are many.
type Id = u64;

struct Sent {
    time: Time,
    /// The connection that it came by.
    connection: (SocketAddr, SocketAddr),
    accepted: bool,
}

pub(super) struct Hl7Replay {
    sent: LruCache<Id, Sent>,
    /// Which application's message an acknowledgement is of: receiver, sender's address, control id.
    waiting: LruCache<(IpAddr, IpAddr, String), Id>,
    again: Window<String>,
}

impl Hl7Replay {
    pub(super) fn new(options: &Detect) -> Self {
        Self {
            sent: LruCache::new(MESSAGES),
            waiting: LruCache::new(MESSAGES),
            again: Window::new(options.replays_within.as_nanos(), options.replays),
        }
    }
}

fn id(receiver: IpAddr, application: &str, facility: &str, time: &str, control: &str) -> Id {
    let mut bytes = Vec::with_capacity(128);
    for part in [
        receiver.to_string().as_str(),
        application,
        facility,
        time,
        control,
    ] {
        bytes.extend(part.as_bytes());
        bytes.push(0);
    }
    sensor_facts::hash::short(&bytes)
}

impl Detector for Hl7Replay {
    fn name(&self) -> &'static str {
        "hl7_replay"
    }

    fn observe(&mut self, seen: &Observation, _: &Site<'_>) -> Option<Draft> {
        let What::Hl7(message) = &seen.what else {
            return None;
        };
        let (from, to) = if message.to_server {
            (seen.client.ip(), seen.server.ip())
        } else {
            (seen.server.ip(), seen.client.ip())
        };
        if let Some(code) = &message.ack_code {
            let control = message.ack_control_id.clone()?;
            let id = self.waiting.pop(&(from, to, control))?;
            if let Some(sent) = self.sent.get_mut(&id) {
                sent.accepted |= !is_negative(code);
            }
            return None;
        }
        let control = message.control_id.clone()?;
        let text = |part: &Option<String>| part.clone().unwrap_or_default();
        let id = id(
            to,
            &text(&message.sending_application),
            &text(&message.sending_facility),
            // A counter that begins anew gives an old id with a new time.
            &text(&message.message_time),
            &control,
        );
        self.waiting.put((to, from, control.clone()), id);
        let before = self.sent.get(&id);
        let replayed = before.is_some_and(|before| {
            // Within one connection it is the sender's own doing.
            before.accepted
                && before.connection != (seen.client, seen.server)
                && seen.time.0.saturating_sub(before.time.0) < MEMORY
        });
        if !replayed {
            self.sent.put(
                id,
                Sent {
                    time: seen.time,
                    connection: (seen.client, seen.server),
                    accepted: false,
                },
            );
            return None;
        }
        let again = self.again.add(from, control, seen.time)?;
        Some(Draft {
            technique: "T1565.002",
            confidence: 0.7,
            subject: Some(from),
            victims: vec![to],
            service: seen.service().filter(|_| message.to_server),
            evidence: format!(
                "{} HL7 messages within {} s that had been accepted before: same application, control id and time",
                again.len(),
                self.again.seconds()
            ),
            wrong_if: "an interface engine was told to send a queue again",
            ..Draft::default()
        })
    }
}
