//! Shapes of traffic that people reported in public: each capture of the folder `field` of the captures gives what the standard
//! or the receiver says that it is. The captures are not part of the project; where they are missing, the test says so.

use std::{
    env,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use sensor_common::settings::Settings;
use sensor_facts::event::{
    Association, AssociationOutcome, Body, DicomEventType, Event, Hl7Event, Hl7Message,
    Hl7SessionSummary,
};
use sensor_kernel::TableSizes;
use sensor_sessions::{
    capture::{CaptureFile, PortableEngine, link::Content},
    pipeline::{FlowEndReason, Pipeline, PipelineOptions},
};

fn folder() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/captures");
    let folder = env::var_os("WARDTAP_CAPTURES")
        .map_or(beside, PathBuf::from)
        .join("field");
    if folder.is_dir() {
        return Some(folder);
    }
    println!(
        "SKIPPED: no captures at {} (set WARDTAP_CAPTURES)",
        folder.display()
    );
    None
}

/// All events of a capture.
fn replay(path: &Path) -> Vec<Event> {
    let sizes = TableSizes {
        established4: 256,
        established6: 256,
        fresh4: 256,
        fresh6: 256,
    };
    let mut engine = PortableEngine::new(sizes, Settings::DEFAULT);
    let mut pipeline = Pipeline::new(PipelineOptions::default());
    let mut events = Vec::new();
    let read = CaptureFile::open(path).unwrap().read(|packet| {
        if let Content::Frame(layer, bytes) = packet.link.content(packet.bytes) {
            engine.process(bytes, layer, 1, packet.time, &mut |record: &[u8]| {
                pipeline.ring_record(record, &mut events);
            });
        }
        pipeline.tick(packet.time, &mut events);
        ControlFlow::Continue(())
    });
    assert!(read.is_ok(), "{}", path.display());
    engine.drain(|key, flow, _| {
        pipeline.flow_ended(key, flow, FlowEndReason::Shutdown, &mut events);
    });
    pipeline.finish(&mut events);
    let json = serde_json::to_string(&events).unwrap();
    assert!(!json.contains("CANARY"), "{}: {json}", path.display());
    events
}

struct Field {
    folder: PathBuf,
}

impl Field {
    fn events(&self, name: &str) -> Vec<Event> {
        replay(&self.folder.join(format!("{name}.pcap")))
    }

    /// The association of a capture as it ended.
    fn association(&self, name: &str) -> Association {
        let bodies = self.events(name).into_iter().map(|event| event.body);
        let ended = bodies.filter_map(|body| match body {
            Body::Dicom { dicom } if dicom.kind != DicomEventType::Opened => {
                Some(dicom.association)
            }
            _ => None,
        });
        let ended: Vec<_> = ended.collect();
        assert_eq!(ended.len(), 1, "{name}: {ended:?}");
        let association = ended.into_iter().next().unwrap();
        assert!(!association.midstream, "{name}");
        association
    }

    /// The HL7 session of a capture, and its messages.
    fn session(&self, name: &str) -> (Vec<Hl7Message>, Hl7SessionSummary) {
        let (mut messages, mut sessions) = (Vec::new(), Vec::new());
        for event in self.events(name) {
            if let Body::Hl7 { hl7 } = event.body {
                match *hl7 {
                    Hl7Event::Message(message) => messages.push(message),
                    Hl7Event::Session(session) => sessions.push(session),
                }
            }
        }
        assert_eq!(sessions.len(), 1, "{name}: {messages:?}");
        let session = sessions.remove(0);
        assert!(
            !session.midstream && !session.incomplete,
            "{name}: {session:?}"
        );
        assert!(
            messages.iter().all(|message| message.complete),
            "{name}: {messages:?}"
        );
        (messages, session)
    }
}

fn ids(messages: &[Hl7Message]) -> Vec<&str> {
    let ids = messages.iter().map(|message| message.control_id.as_deref());
    ids.map(Option::unwrap_or_default).collect()
}

#[test]
fn associations_of_the_field_are_right() {
    let Some(folder) = folder() else { return };
    let field = Field { folder };

    let it = field.association("min_nul_rq");
    assert_eq!(
        (it.called_ae.as_deref(), it.calling_ae.as_deref()),
        (Some("PACS"), Some("MOD1"))
    );
    assert_eq!(it.outcome, AssociationOutcome::Rejected);
    let reject = it.reject.unwrap();
    assert_eq!((reject.result, reject.source, reject.reason), (1, 1, 7));

    let it = field.association("min_nul_ac");
    assert_eq!(it.outcome, AssociationOutcome::Released);
    assert!(
        it.contexts
            .iter()
            .all(|context| context.result.as_ref().is_some_and(|r| r.code == 0))
    );
    assert!(!it.incomplete);

    let it = field.association("min_8bit_ae");
    assert_eq!(it.outcome, AssociationOutcome::Aborted);
    assert_eq!(it.called_ae.as_deref(), Some("\\xc0\\xb3`I\\xfc\\x7f"));

    for name in ["min_control_bits", "min_even_context"] {
        let it = field.association(name);
        assert!(!it.incomplete, "{name}");
        let [command] = &it.commands[..] else {
            panic!("{name}: {it:?}")
        };
        assert_eq!(command.command, "C-ECHO", "{name}");
        assert_eq!(
            (command.counts.requests, command.counts.responses.success),
            (1, 1),
            "{name}"
        );
    }

    let it = field.association("min_proxy");
    assert_eq!(
        (it.called_ae.as_deref(), it.calling_ae.as_deref()),
        (Some("PACS"), Some("MOD1"))
    );
    assert_eq!(it.skipped.get("before"), Some(&41), "the PROXY header");

    let it = field.association("d7b");
    assert!(it.incomplete);
    assert_eq!(it.outcome, AssociationOutcome::Released);
    let bytes = |at: usize| {
        let counts = &it.commands[at].counts;
        (
            counts.request_data_bytes,
            counts.unfinished_data_sets,
            counts.responses.success,
        )
    };
    assert_eq!((bytes(0), bytes(1)), ((2_000, 1, 0), (700, 0, 1)));
    assert_eq!(it.requestor_data_bytes, 2_700);

    let it = field.association("control_dicom");
    assert!(!it.incomplete && it.skipped.is_empty(), "{it:?}");
    assert_eq!((it.commands.len(), it.requestor_data_bytes), (2, 3_500));
}

#[test]
fn messages_of_the_field_are_right() {
    let Some(folder) = folder() else { return };
    let field = Field { folder };

    for name in ["min_before_vt", "min_crlf_before_vt", "min_fs_only"] {
        let (messages, session) = field.session(name);
        assert_eq!(ids(&messages), ["M1", "AM1"], "{name}");
        assert_eq!(
            (session.unmatched_acks, session.unacknowledged),
            (0, 0),
            "{name}"
        );
        let times = session.ack_times.unwrap();
        assert!(
            (15_000..25_000).contains(&times.max_us),
            "{name}: {times:?}"
        );
    }

    let (messages, session) = field.session("min_fs_only_ack");
    assert_eq!(ids(&messages), ["M1", "AM1", "M2", "AM2"]);
    let times = session.ack_times.unwrap();
    assert!(
        times.count == 2 && (15_000..25_000).contains(&times.max_us),
        "{times:?}"
    );

    let (messages, session) = field.session("min_commit");
    assert_eq!(ids(&messages), ["M1", "AM1"]);
    assert_eq!(
        (
            session.commit_acks,
            session.commit_naks,
            session.unacknowledged
        ),
        (1, 0, 0)
    );

    let (messages, session) = field.session("min_commit_then_msg");
    assert_eq!(ids(&messages), ["M2"]);
    assert_eq!((session.commit_acks, session.commit_naks), (1, 0));

    let (messages, session) = field.session("min_empty_frame");
    assert_eq!(ids(&messages), ["M1", "M2", "AM2"]);
    assert_eq!((session.unmatched_acks, session.unacknowledged), (0, 1));
    assert!(session.skipped.contains_key("hl7_empty"));

    let (messages, _) = field.session("min_utf16");
    assert_eq!(ids(&messages), ["M1"]);
    assert_eq!(messages[0].sending_application.as_deref(), Some("EHR"));

    let (messages, session) = field.session("control_hl7");
    assert_eq!(messages.len(), 6);
    assert!(session.skipped.is_empty() && session.ack_times.unwrap().count == 3);
}
