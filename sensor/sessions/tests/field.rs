//! Shapes of traffic that people reported in public: each capture of the folder `field` of the captures gives what the standard
//! or the receiver says that it is. The captures are not part of the project; where they are missing, the test says so.

use std::{
    env,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use sensor_common::settings::Settings;
use sensor_facts::event::{
    Association, AssociationOutcome, Body, DicomEventType, Event, FlowReport, Hl7Event, Hl7Message,
    Hl7SessionSummary,
};
use sensor_kernel::TableSizes;
use sensor_sessions::{
    capture::{CaptureFile, PortableEngine, link::Content},
    pipeline::{FlowEndReason, Pipeline, PipelineOptions, PipelineStats},
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

/// All events of a capture, and the pipeline's counters.
fn replay(path: &Path) -> (Vec<Event>, PipelineStats) {
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
    (events, pipeline.stats())
}

struct Field {
    folder: PathBuf,
}

impl Field {
    fn events(&self, name: &str) -> Vec<Event> {
        self.all(name).0
    }

    fn all(&self, name: &str) -> (Vec<Event>, PipelineStats) {
        replay(&self.folder.join(format!("{name}.pcap")))
    }

    /// The one conversation of a capture, its ends and its tags.
    fn flow(&self, name: &str) -> (Event, FlowReport) {
        let events = self.events(name).into_iter();
        let mut flows: Vec<_> = events
            .filter_map(|event| match &event.body {
                Body::Flow { flow } => Some((event.clone(), (**flow).clone())),
                _ => None,
            })
            .collect();
        assert_eq!(flows.len(), 1, "{name}: {flows:?}");
        flows.remove(0)
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

#[test]
fn conversations_in_tunnels_of_the_field_are_right() {
    let Some(folder) = folder() else { return };
    let field = Field { folder };
    for (name, tunnels, vlans) in [
        ("n1", &[][..], &[101][..]),
        ("n2", &[], &[100, 200, 300]),
        ("n3", &["hp_erm"], &[]),
        ("n4", &["geneve"], &[]),
        ("n7", &["vxlan"], &[]),
        ("n10", &["mpls"], &[]),
        ("n4_vxlan_control", &["vxlan"], &[]),
    ] {
        let (event, flow) = field.flow(name);
        assert_eq!(
            (event.src_ip, event.src_port),
            (Some([10, 20, 0, 5].into()), Some(49_152)),
            "{name}"
        );
        assert_eq!(
            (event.dest_ip, event.dest_port),
            (Some([10, 20, 0, 9].into()), Some(104)),
            "{name}"
        );
        assert_eq!(flow.tunnels, tunnels, "{name}");
        assert_eq!(event.vlan, vlans, "{name}");
        assert_eq!(
            (flow.to_server.packets, flow.to_client.packets),
            (10, 8),
            "{name}"
        );
        let it = field.association(name);
        assert_eq!(
            (it.calling_ae.as_deref(), it.called_ae.as_deref()),
            (Some("CT1"), Some("ARCHIVE")),
            "{name}"
        );
        assert_eq!(it.outcome, AssociationOutcome::Released, "{name}");
        assert!(!it.incomplete && it.skipped.is_empty(), "{name}: {it:?}");
        assert_eq!(it.commands[0].counts.responses.success, 1, "{name}");
    }
}

#[test]
fn a_clock_that_goes_back_in_the_field_is_counted() {
    let Some(folder) = folder() else { return };
    let field = Field { folder };
    let (messages, session) = field.session("n8c");
    assert_eq!(messages.len(), 8);
    assert_eq!((session.unmatched_acks, session.unacknowledged), (0, 0));
    assert!(session.end >= session.start);
    let times = session.ack_times.unwrap();
    assert!(times.count == 4 && times.max_us == 21_000, "{times:?}");
    let (_, flow) = field.flow("n8c");
    assert!(flow.end >= flow.start && flow.duration_ns == flow.end.0.abs_diff(flow.start.0));
    assert!(field.all("n8c").1.clock_back > 0);
    assert_eq!(field.all("control_hl7").1.clock_back, 0);
}
