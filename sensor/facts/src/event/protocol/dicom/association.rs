//! DICOM events: associations and what was done in them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{event::session::is_zero, time::Time};

/// What happened to an association.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum DicomEventType {
    /// It was accepted.
    Opened,
    /// It was rejected; nothing follows.
    Rejected,
    /// It is over; the whole summary.
    Closed,
}

/// A DICOM event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Dicom"))]
pub struct DicomEvent {
    /// What happened to the association.
    #[serde(rename = "type")]
    pub kind: DicomEventType,
    /// The association as it stands.
    #[serde(flatten)]
    pub association: Association,
}

/// Side of an association.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The side that asked for the association.
    Requestor,
    /// The side that was asked.
    Acceptor,
}

/// How an association went, as far as was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum AssociationOutcome {
    /// It was asked for, or goes on since before the capture; no answer was seen yet.
    #[default]
    Pending,
    /// Accepted, and open.
    Accepted,
    /// Rejected: see `reject`.
    Rejected,
    /// Ended in order (A-RELEASE).
    Released,
    /// Aborted: see `abort`.
    Aborted,
    /// The connection ended without release or abort.
    Cut,
}

/// An association. Fields of what was not seen are left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Association {
    /// When its first PDU was seen.
    pub start: Time,
    /// When its last PDU was seen.
    pub end: Time,
    /// How it went.
    pub outcome: AssociationOutcome,
    /// The capture begins after the association request, so its fields are missing.
    pub midstream: bool,
    /// Parts are missing: loss before the sensor or in it, what could not be read, or what a side left unfinished.
    pub incomplete: bool,
    /// Calling AE title (of the requestor), without padding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calling_ae: Option<String>,
    /// Called AE title (of the acceptor), without padding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub called_ae: Option<String>,
    /// UID of the application context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application_context: Option<String>,
    /// Presentation contexts, by id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contexts: Vec<PresentationContext>,
    /// The requestor's software.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requestor: Option<Implementation>,
    /// The acceptor's software.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acceptor: Option<Implementation>,
    /// Roles other than the default ones, as asked for and as granted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<RoleSelection>,
    /// How the user was named (never who).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_identity: Option<UserIdentity>,
    /// Why it was rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reject: Option<Reject>,
    /// Why it was aborted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abort: Option<Abort>,
    /// What was done, by who asked, command and SOP class.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<CommandSummary>,
    /// Where C-MOVE was told to send to (AE titles).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub move_destinations: Vec<String>,
    /// Bytes of data sets that the requestor sent.
    pub requestor_data_bytes: u64,
    /// Bytes of data sets that the acceptor sent.
    pub acceptor_data_bytes: u64,
    /// Things left out of the lists above because they were too many.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub omitted: u64,
    /// Bytes that were not read, by reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(test, schemars(with = "crate::event::schema::Skipped"))]
    pub skipped: BTreeMap<String, u64>,
}

/// A UID and, where it is a well-known one, its name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NamedUid {
    /// The UID in dotted form.
    pub uid: String,
    /// Its name in PS3.6 annex A.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A presentation context.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PresentationContext {
    /// Its id; odd by the standard, which some sides do not keep.
    pub id: u8,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abstract_syntax: Option<NamedUid>,
    /// Transfer syntaxes proposed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transfer_syntaxes: Vec<NamedUid>,
    /// How the acceptor answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<ContextResult>,
}

/// The answer to a presentation context.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ContextResult {
    /// 0 accepted, 1 to 4 rejected (PS3.8 table 9-18).
    pub code: u8,
    /// The code in words.
    pub text: String,
    /// The transfer syntax accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer_syntax: Option<NamedUid>,
}

/// What a side says of itself (PS3.7 annex D.3.3).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Implementation {
    /// Longest P-DATA-TF it takes, bytes; 0 without limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_pdu: Option<u32>,
    /// Implementation class UID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class_uid: Option<String>,
    /// Implementation version name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_name: Option<String>,
    /// Asynchronous operations window: invoked, performed; 0 without limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub async_operations: Option<(u16, u16)>,
}

/// SCP/SCU role selection for a SOP class (PS3.7 annex D.3.3.4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RoleSelection {
    /// Which side says so: the requestor asks, the acceptor grants.
    pub by: Side,
    /// The SOP class.
    pub sop_class: NamedUid,
    /// The requestor acts as SCU.
    pub scu: bool,
    /// The requestor acts as SCP.
    pub scp: bool,
}

/// How the user is named (PS3.7 annex D.3.3.7). Neither name nor credentials leave the kernel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct UserIdentity {
    /// 1 to 5.
    pub code: u8,
    /// The code in words.
    pub text: String,
}

/// Why an association was rejected (PS3.8 section 9.3.4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Reject {
    /// 1 permanent, 2 transient.
    pub result: u8,
    /// 1 service user, 2 service provider (ACSE), 3 service provider (presentation).
    pub source: u8,
    /// Reason, by source.
    pub reason: u8,
    /// `result` in words.
    pub result_text: String,
    /// `source` in words.
    pub source_text: String,
    /// `reason` in words.
    pub reason_text: String,
}

/// Why an association was aborted (PS3.8 section 9.3.8).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Abort {
    /// Which side sent it.
    pub by: Side,
    /// 0 service user, 2 service provider.
    pub source: u8,
    /// Reason, where the provider aborted.
    pub reason: u8,
    /// `source` in words.
    pub source_text: String,
    /// `reason` in words.
    pub reason_text: String,
}

/// Requests and responses of one command for one SOP class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CommandSummary {
    /// The side that sends the requests: the service class user of this command.
    pub scu: Side,
    /// `C-STORE`, `C-FIND`, ... (PS3.7 annex E.1).
    pub command: String,
    /// SOP class, affected or requested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sop_class: Option<NamedUid>,
    /// How often the command was sent and answered.
    #[serde(flatten)]
    pub counts: CommandCounts,
}

/// How often a command was asked for and answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CommandCounts {
    /// Number of requests.
    pub requests: u64,
    /// Responses, by class of their status.
    pub responses: Responses,
    /// Status codes other than success and pending, as four hexadecimal digits.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(test, schemars(extend("propertyNames" = { "pattern": "^[0-9A-F]{4}$" })))]
    pub statuses: BTreeMap<String, u64>,
    /// Sub-operations of C-MOVE and C-GET.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_operations: Option<SubOperations>,
    /// Bytes of the data sets of the requests.
    pub request_data_bytes: u64,
    /// Bytes of the data sets of the responses.
    pub response_data_bytes: u64,
    /// Of these data sets, those whose sender gave them up before their end.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unfinished_data_sets: u64,
    /// Message id of the first request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_message_id: Option<u16>,
    /// Message id of the last request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_message_id: Option<u16>,
}

/// Responses by class of their status (PS3.7 annex C).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Responses {
    /// Status 0000.
    pub success: u64,
    /// Status FF00 or FF01.
    pub pending: u64,
    /// Status 0001, 0107, 0116 or Bxxx.
    pub warning: u64,
    /// Any other status.
    pub failure: u64,
    /// Status FE00.
    pub cancel: u64,
}

/// Sub-operations that C-MOVE or C-GET reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SubOperations {
    /// Sub-operations that succeeded.
    pub completed: u64,
    /// Sub-operations that failed.
    pub failed: u64,
    /// Sub-operations that ended with a warning.
    pub warning: u64,
    /// Not done when last reported.
    pub remaining: u64,
}

impl Side {
    /// The side across.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Requestor => Self::Acceptor,
            Self::Acceptor => Self::Requestor,
        }
    }

    /// 0 for the requestor, 1 for the acceptor: a place in a pair.
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            Self::Requestor => 0,
            Self::Acceptor => 1,
        }
    }
}
