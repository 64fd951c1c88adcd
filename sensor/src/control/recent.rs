//! The sessions that the pipeline still holds, as events.

use sensor_facts::event::{Body, DicomEvent, DicomEventType, Event, Hl7Event};
use sensor_sessions::pipeline::Pipeline;

/// The DICOM associations, open ones included.
pub(crate) fn associations(pipeline: &Pipeline) -> impl Iterator<Item = Event> {
    pipeline.associations().into_iter().map(|view| {
        let kind = match (view.open, view.summary.reject.is_some()) {
            (true, _) => DicomEventType::Opened,
            (false, true) => DicomEventType::Rejected,
            (false, false) => DicomEventType::Closed,
        };
        let time = view.summary.end;
        let dicom = Box::new(DicomEvent {
            kind,
            association: view.summary,
        });
        Event::of(&view.conversation, time, Body::Dicom { dicom })
    })
}

/// The HL7 sessions, open ones included.
pub(crate) fn hl7_sessions(pipeline: &Pipeline) -> impl Iterator<Item = Event> {
    pipeline.hl7_sessions().into_iter().map(|view| {
        let time = view.summary.end;
        let hl7 = Box::new(Hl7Event::Session(view.summary));
        Event::of(&view.conversation, time, Body::Hl7 { hl7 })
    })
}
