//! What the inventory learns from an association: AE titles, implementations, callers, and what the sides do.

use sensor_facts::{
    address::Conversation,
    event::{Association, AssociationOutcome, Side},
};

use super::activity::activity_of;
use crate::inventory::{
    hosts::Inventory,
    report::{AeTitle, Caller, DicomImplementation},
};

/// Takes an association as it stands; `source` is the side that opened the connection.
pub(super) fn learn(
    inventory: &mut Inventory,
    conversation: &Conversation,
    source: Side,
    association: &Association,
) {
    // A title that was not accepted need not be anyone's.
    let accepted = !matches!(
        association.outcome,
        AssociationOutcome::Pending | AssociationOutcome::Rejected
    );
    for (address, side) in [
        (conversation.src_ip, source),
        (conversation.dest_ip, source.other()),
    ] {
        let asked = side == Side::Requestor;
        let (title, implementation) = if asked {
            (&association.calling_ae, &association.requestor)
        } else {
            (&association.called_ae, &association.acceptor)
        };
        let scu = association
            .commands
            .iter()
            .any(|command| command.scu == side);
        let scp = association
            .commands
            .iter()
            .any(|command| command.scu != side);
        let title = title
            .clone()
            .filter(|title| !title.is_empty() && (asked || accepted));
        let title = title.map(|title| AeTitle {
            title,
            requestor: asked,
            acceptor: !asked,
            scu,
            scp,
            implementation: implementation
                .as_ref()
                .and_then(|one| one.version_name.clone().or_else(|| one.class_uid.clone())),
            first_seen: Some(association.start),
            last_seen: Some(association.end),
        });
        let implementation = implementation.as_ref().and_then(|implementation| {
            Some(DicomImplementation {
                class_uid: implementation.class_uid.clone()?,
                version_name: implementation.version_name.clone(),
            })
        });
        let peer = if side == source {
            conversation.dest_ip
        } else {
            conversation.src_ip
        };
        let caller = (!asked).then(|| association.calling_ae.clone()).flatten();
        let caller = caller.filter(|_| association.outcome != AssociationOutcome::Pending);
        let caller = caller.map(|title| Caller {
            address: peer,
            title,
            accepted,
            rejected: !accepted,
        });
        let host = inventory.host(address, true, association.start);
        host.seen(association.start, association.end);
        host.cleartext_dicom = true;
        let name = title.as_ref().map(|title| title.title.clone());
        for command in &association.commands {
            if let Some(activity) = activity_of(command, side) {
                host.activities
                    .add(activity, peer, name.as_deref(), association.start);
            }
        }
        let omitted = title.map_or(0, |title| host.title(title))
            + implementation.map_or(0, |implementation| host.implementation(implementation))
            + caller.map_or(0, |caller| host.caller(caller));
        inventory.omit(omitted);
    }
}
