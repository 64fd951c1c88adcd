//! What the inventory learns from a TLS connection.

use sensor_facts::{address::Conversation, time::Time};

use crate::inventory::hosts::Inventory;

/// Takes a TLS connection.
pub(super) fn learn(inventory: &mut Inventory, conversation: &Conversation, time: Time) {
    for address in [conversation.src_ip, conversation.dest_ip] {
        let host = inventory.host(address, true, time);
        host.seen(time, time);
        host.tls = true;
    }
}

/// Takes the version of TLS that the server of a connection chose.
pub(super) fn learn_version(inventory: &mut Inventory, conversation: &Conversation, version: &str) {
    if let Some(host) = inventory.known(conversation.dest_ip) {
        let omitted = host.tls_version(version);
        inventory.omit(omitted);
    }
}
