//! What sender and receiver of a message do for each other.

use sensor_facts::event::Hl7Message;

use crate::inventory::activity::Activity;

/// What sender and receiver of a message do by it (HL7 table 0003, IHE PCD technical framework).
pub(super) fn activities_of(message: &Hl7Message) -> (Option<Activity>, Option<Activity>) {
    if message.ack_code.is_some() {
        return (None, None);
    }
    let code = message.message_code.as_deref().unwrap_or_default();
    let application = message.sending_application.as_deref().unwrap_or_default();
    match (code, message.trigger_event.as_deref()) {
        ("ORU", Some("R40")) => (Some(Activity::SendsAlarms), Some(Activity::TakesDeviceData)),
        ("ORU", _) if application.contains("EUI-64") => (
            Some(Activity::SendsDeviceData),
            Some(Activity::TakesDeviceData),
        ),
        ("RGV", _) => (
            Some(Activity::SendsInfusions),
            Some(Activity::TakesInfusions),
        ),
        ("ADT", _) => (
            Some(Activity::SendsAdmissions),
            Some(Activity::TakesAdmissions),
        ),
        ("ORU" | "MDM", _) => (Some(Activity::SendsResults), Some(Activity::TakesResults)),
        ("ORM" | "OMG" | "OML" | "OMI" | "OMP" | "RDE" | "SIU", _) => {
            (Some(Activity::SendsOrders), Some(Activity::TakesOrders))
        }
        _ => (None, None),
    }
}
