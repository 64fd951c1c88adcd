//! What a DICOM event says in the terms of all protocols.

use super::association::{AssociationOutcome, DicomEvent, DicomEventType};
use crate::{
    event::session::{Cell, Exchanged, Listing, SessionEvent, StoredSession, word},
    time::Time,
};

impl SessionEvent for DicomEvent {
    fn start(&self) -> Option<Time> {
        Some(self.association.start)
    }

    fn is_final(&self) -> bool {
        self.kind != DicomEventType::Opened
    }

    fn stored(&self) -> StoredSession<'_> {
        StoredSession {
            kind: word(self.kind),
            sender: self.association.calling_ae.as_deref(),
            receiver: self.association.called_ae.as_deref(),
            outcome: word(self.association.outcome),
        }
    }

    fn exchanged(&self) -> Exchanged {
        let association = &self.association;
        let commands = association.commands.iter();
        let messages = commands
            .clone()
            .map(|one| (one.command.clone(), one.counts.requests));
        let classes = commands
            .filter_map(|one| one.sop_class.as_ref())
            .map(|class| class.name.clone().unwrap_or_else(|| class.uid.clone()));
        Exchanged {
            encrypted: false,
            refused: association.outcome == AssociationOutcome::Rejected,
            incomplete: association.incomplete,
            bytes_to_server: association.requestor_data_bytes,
            bytes_to_client: association.acceptor_data_bytes,
            messages: messages.collect(),
            classes: classes.collect(),
            calling_ae: association.calling_ae.clone(),
            called_ae: association.called_ae.clone(),
            move_destinations: association.move_destinations.clone(),
        }
    }

    fn listing(&self) -> Option<Listing> {
        let association = &self.association;
        let title = |title: &Option<String>| title.iter().cloned().collect();
        let titles = Cell::Pair(
            title(&association.calling_ae),
            title(&association.called_ae),
        );
        let outcome = word(association.outcome).map(|outcome| match &association.reject {
            Some(reject) => format!("{outcome}: {}", reject.reason_text),
            None => outcome,
        });
        let commands = association.commands.iter().map(|command| {
            let class = command.sop_class.as_ref();
            let class = class.and_then(|class| class.name.as_deref());
            let class = class.map_or_else(String::new, |class| format!(" ({class})"));
            format!("{}× {}{class}", command.counts.requests, command.command)
        });
        let bytes = association.requestor_data_bytes + association.acceptor_data_bytes;
        Some(Listing {
            title: "DICOM associations",
            start: association.start,
            cells: vec![
                ("AE titles", titles),
                ("outcome", Cell::Text(outcome)),
                ("commands", Cell::List(commands.collect())),
                ("data", Cell::Bytes(bytes)),
            ],
        })
    }
}
