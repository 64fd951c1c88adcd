//! The parts of an association request and its acceptance.

use sensor_common::{key::Direction, layer7::dicom::pdu};
use sensor_facts::event::Side;

use super::{
    error::DicomError,
    items::{self, Item},
    names::Uid,
    state::{DicomState, Titles},
};
use crate::protocol::text::title;

/// Role selections that are kept.
const ROLES_MAX: usize = 256;
/// Bytes of text of UIDs that are not well known; more of an association is left out.
const TEXT_MAX: usize = 32 * 1024;

impl DicomState {
    /// The fixed part of a request or an acceptance (PS3.8 tables 9-11 and 9-17).
    pub(super) fn associate(
        &mut self,
        direction: Direction,
        bytes: &[u8],
    ) -> Result<(), DicomError> {
        let length = bytes.len();
        let error = DicomError {
            what: "fixed part of an association PDU",
            offset: length,
        };
        let titles = bytes.get(4..36).ok_or(error)?;
        if self.sender(direction).pdu == pdu::ASSOCIATE_RQ {
            let (called, calling) = titles.split_at(16);
            self.titles = Some(Titles {
                calling: title(calling),
                called: title(called),
            });
        }
        Ok(())
    }

    pub(super) fn item(&mut self, direction: Direction, bytes: &[u8]) -> Result<(), DicomError> {
        let item = items::parse(bytes)?.ok_or(DicomError {
            what: "association item",
            offset: bytes.len(),
        })?;
        if self.sender(direction).pdu == 0 {
            return Ok(());
        }
        let side = self.side(direction);
        let implementation = &mut self.implementations[side.index()];
        match item {
            Item::ApplicationContext(uid) if side == Side::Requestor => {
                self.application_context = self.keep(uid);
            }
            Item::Proposed {
                id,
                abstract_syntax,
                transfer_syntaxes,
                omitted,
                cut,
            } => {
                self.incomplete |= cut;
                let abstract_syntax = abstract_syntax.and_then(|uid| self.keep(uid));
                let transfer_syntaxes = transfer_syntaxes
                    .into_iter()
                    .filter_map(|uid| self.keep(uid))
                    .collect();
                self.omitted += omitted;
                let context = self.contexts.entry(id).or_default();
                context.abstract_syntax = abstract_syntax;
                context.transfer_syntaxes = transfer_syntaxes;
            }
            Item::Answered {
                id,
                result,
                transfer_syntax,
            } => {
                let transfer_syntax = transfer_syntax.and_then(|uid| self.keep(uid));
                self.contexts.entry(id).or_default().answer = Some((result, transfer_syntax));
            }
            Item::MaxPdu(bytes) => implementation.get_or_insert_default().max_pdu = Some(bytes),
            Item::ImplementationClass(uid) => {
                implementation.get_or_insert_default().class_uid = Some(uid);
            }
            Item::ImplementationVersion(name) => {
                implementation.get_or_insert_default().version_name = Some(name);
            }
            Item::AsyncOperations(invoked, performed) => {
                implementation.get_or_insert_default().async_operations =
                    Some((invoked, performed));
            }
            Item::Role {
                sop_class,
                scu,
                scp,
            } => {
                if self.roles.len() >= ROLES_MAX {
                    self.omitted += 1;
                } else if let Some(sop_class) = self.keep(sop_class) {
                    self.roles.push((side, sop_class, scu, scp));
                }
            }
            Item::UserIdentity(code) => self.user_identity = Some(code),
            Item::ApplicationContext(_) | Item::Other => {}
        }
        Ok(())
    }

    /// Keeps a UID unless there are too many of those that take memory.
    fn keep(&mut self, uid: Uid) -> Option<Uid> {
        if self.text + uid.heap() > TEXT_MAX {
            self.omitted += 1;
            return None;
        }
        self.text += uid.heap();
        Some(uid)
    }
}
