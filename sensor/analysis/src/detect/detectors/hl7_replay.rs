//! HL7 messages that come again after they were accepted (ATT&CK T1565.002).
//!
//! A sender that got no acknowledgement sends its message again under the same control id, as it should;
//! one that was acknowledged has no reason to. It counts when it comes by another connection.

use std::{
    net::{IpAddr, SocketAddr},
    num::NonZeroUsize,
};

use crate::detect::counted::CountedLru;
use crate::detect::prelude::*;

pub(super) const ABOUT: About = About {
    id: "hl7_replay",
    techniques: &["T1565.002"],
    finds: "accepted messages that come again by another connection",
    starts: Starts::AtOnce,
    wrong_if: &["an interface engine was told to send a queue again"],
    thresholds: THRESHOLDS,
    features: &[Feature::Messages, Feature::Naks],
    new: |values| Box::new(Hl7Replay::new(values)),
};

thresholds! {
    /// This many accepted messages that come again within `replays_within` count as a replay.
    replays: count = 3, 1..=1_024;
    /// The time in which messages that come again are counted.
    replays_within: seconds = 600, 1..=86_400;
    /// A message that comes again later than this does not count: senders may begin their numbering anew.
    replays_memory: seconds = 86_400, 60..=7 * 86_400;
}

/// Messages that are remembered.
const MESSAGES: NonZeroUsize = NonZeroUsize::new(65_536).expect("it is not zero");
/// Receiver, sending application and facility, control id: hashed, since there are many.
type Id = u64;

struct Sent {
    time: Time,
    /// The connection that it came by.
    connection: (SocketAddr, SocketAddr),
    accepted: bool,
}

pub(super) struct Hl7Replay {
    sent: CountedLru<Id, Sent>,
    /// Which application's message an acknowledgement is of: receiver, sender's address, control id.
    waiting: CountedLru<(IpAddr, IpAddr, String), Id>,
    again: Window<String>,
    /// How long a message is remembered, nanoseconds.
    memory: i64,
}

impl Hl7Replay {
    fn new(values: &Values) -> Self {
        let own = Thresholds::of(values);
        Self {
            sent: CountedLru::new(MESSAGES),
            waiting: CountedLru::new(MESSAGES),
            again: Window::new(own.replays_within, own.replays),
            memory: own.replays_memory.as_nanos().cast_signed(),
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
    fn evicted(&self) -> u64 {
        self.sent.evicted() + self.waiting.evicted() + self.again.evicted()
    }

    fn observe(&mut self, seen: &Observation, site: &Site<'_>) -> Option<Draft> {
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
                && seen.time.0.saturating_sub(before.time.0) < self.memory
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
        let again = self.again.add(site.who(from), control, seen.time)?;
        Some(Draft {
            confidence: 0.7,
            subject: Some(from),
            victims: vec![to],
            service: seen.service().filter(|_| message.to_server),
            evidence: format!(
                "{} HL7 messages within {} s that had been accepted before: same application, control id and time",
                again.len(),
                self.again.took()
            ),
            ..Draft::default()
        })
    }
}
