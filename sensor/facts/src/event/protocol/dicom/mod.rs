//! DICOM events: associations and what was done in them.

mod association;
mod session;

pub use association::{
    Abort, Association, AssociationOutcome, CommandCounts, CommandSummary, ContextResult,
    DicomEvent, DicomEventType, Implementation, NamedUid, PresentationContext, Reject, Responses,
    RoleSelection, Side, SubOperations, UserIdentity,
};

/// The content of the events.
pub(in crate::event) type Content = DicomEvent;
