//! What the inventory learns from a message: applications, and what sender and receiver do.

use sensor_facts::{
    address::Conversation,
    event::{Hl7Message, Party},
    time::Time,
};

use super::{
    activity::activities_of,
    state::{is_answer, kind_of},
};
use crate::inventory::hosts::Inventory;

/// Takes an HL7 message.
pub(super) fn learn(
    inventory: &mut Inventory,
    conversation: &Conversation,
    message: &Hl7Message,
    time: Time,
) {
    let (sender, receiver) = if message.to_server {
        (conversation.src_ip, conversation.dest_ip)
    } else {
        (conversation.dest_ip, conversation.src_ip)
    };
    let host = inventory.host(sender, true, time);
    host.seen(time, time);
    host.cleartext_hl7 = true;
    let omitted = host.application(
        message.sending_application.as_ref(),
        message.sending_facility.as_ref(),
    );
    let (sends, takes) = activities_of(message);
    let omitted = omitted
        + if is_answer(message) {
            0
        } else {
            let party = Party {
                application: message.sending_application.clone(),
                facility: message.sending_facility.clone(),
            };
            host.sent(&party, kind_of(message), receiver, time)
        };
    if let Some(sends) = sends {
        let name = message.sending_application.as_deref();
        host.activities.add(sends, receiver, name, time);
    }
    inventory.omit(omitted);
    if let Some(host) = inventory.known(receiver) {
        host.cleartext_hl7 = true;
        if let Some(takes) = takes {
            let name = message.receiving_application.as_deref();
            host.activities.add(takes, sender, name, time);
        }
    }
}
