//! As which applications a host sent HL7 messages.

use std::{collections::BTreeMap, net::IpAddr};

use sensor_facts::{event::Party, time::Time};

use super::report::Hl7Sender;

/// Applications of a host that are kept as senders.
pub(super) const SENDERS_MAX: usize = 32;
/// Receivers kept of a sender.
const RECEIVERS_MAX: usize = 8;
/// Types of messages kept of a sender.
const TYPES_MAX: usize = 16;

/// Counts a message; how many details were left out.
pub(super) fn add(
    senders: &mut Vec<Hl7Sender>,
    party: &Party,
    kind: String,
    receiver: IpAddr,
    now: Time,
) -> u64 {
    let same =
        |one: &Hl7Sender| one.application == party.application && one.facility == party.facility;
    let at = senders.iter().position(same).unwrap_or(senders.len());
    if at == SENDERS_MAX {
        return 1;
    }
    if at == senders.len() {
        senders.push(Hl7Sender {
            application: party.application.clone(),
            facility: party.facility.clone(),
            receivers: Vec::new(),
            types: BTreeMap::new(),
            messages: 0,
            first_seen: now,
            last_seen: now,
        });
    }
    let Some(sender) = senders.get_mut(at) else {
        return 1;
    };
    sender.messages += 1;
    sender.first_seen = sender.first_seen.min(now);
    sender.last_seen = sender.last_seen.max(now);
    let mut omitted = 0;
    if !sender.receivers.contains(&receiver) {
        if sender.receivers.len() < RECEIVERS_MAX {
            sender.receivers.push(receiver);
        } else {
            omitted += 1;
        }
    }
    let types = sender.types.len();
    match sender.types.get_mut(&kind) {
        Some(count) => *count += 1,
        None if types < TYPES_MAX => {
            sender.types.insert(kind, 1);
        }
        None => omitted += 1,
    }
    omitted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn senders_are_counted_and_bounded() {
        let mut senders = Vec::new();
        let party = |number: usize| Party {
            application: Some(format!("APP{number}")),
            facility: None,
        };
        let receiver = |last: u8| IpAddr::from([10, 0, 0, last]);
        for time in [5, 3, 9] {
            add(
                &mut senders,
                &party(0),
                "ADT^A01".to_owned(),
                receiver(1),
                Time(time),
            );
        }
        let [first] = senders.as_slice() else {
            panic!("{senders:?}");
        };
        assert_eq!(
            (first.messages, first.first_seen, first.last_seen),
            (3, Time(3), Time(9))
        );
        assert_eq!(first.types["ADT^A01"], 3);
        assert_eq!(first.receivers, [receiver(1)]);
        let mut omitted = 0;
        for number in 0..100_u8 {
            omitted += add(
                &mut senders,
                &party(number.into()),
                String::new(),
                receiver(1),
                Time(1),
            );
            omitted += add(
                &mut senders,
                &party(0),
                format!("T{number}"),
                receiver(number),
                Time(1),
            );
        }
        assert_eq!(senders.len(), SENDERS_MAX);
        assert_eq!(senders[0].receivers.len(), RECEIVERS_MAX);
        assert_eq!(senders[0].types.len(), TYPES_MAX);
        assert!(omitted > 200, "{omitted}");
        assert_eq!(senders[0].messages, 104);
    }
}
