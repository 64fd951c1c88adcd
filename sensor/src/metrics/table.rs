//! Every metric in one table: what it is called, what it says, and where it comes from.

use sensor_common::{
    counter::Counter,
    layer7::{Protocol, Reason},
    packet::Tunnel,
    unread,
};
use sensor_kernel::{Mode, decode::DecodeError};

use super::sample::{
    MetricKind, Row, Sample, by_condition, by_counter, by_output, by_rate, by_severity, counts,
    each, last_packets, named, of_store, one_counter, plain, sample, seconds, yes,
};
use crate::live::snapshot::{RingAccount, Snapshot};

/// Kinds of ring buffer events, as a label.
const FLOW: &str = "flow";
const LAYER7: &str = "layer7";

const KERNEL: &str = "kernel";
const DAEMON: &str = "daemon";
const PIPELINE: &str = "pipeline";
const OUTPUT: &str = "output";
const RESPONSE: &str = "response";
const ANALYSIS: &str = "analysis";
const MODEL: &str = "model";

macro_rules! rows {
    ($($kind:ident $name:literal [$($label:literal),*] $source:ident, $help:literal => $read:expr;)+) => {
        &[$(Row {
            name: $name,
            kind: MetricKind::$kind,
            help: $help,
            labels: &[$($label),*],
            source: $source,
            read: $read,
        },)+]
    };
}

/// All metrics.
pub const TABLE: &[Row] = rows! {
    Gauge "wardtap_build_info" ["version", "abi"] DAEMON,
        "Always 1; the labels name the build." => |_| vec![sample(
            [env!("CARGO_PKG_VERSION"), &sensor_common::ABI_VERSION.to_string()], 1)];
    Gauge "wardtap_start_time_seconds" [] DAEMON,
        "When the daemon began to listen, in seconds since 1970." => |s| vec![
            Sample { labels: Vec::new(), value: seconds(s.start.0) }];
    Gauge "wardtap_configuration_loaded_time_seconds" [] DAEMON,
        "When the configuration in force was read, in seconds since 1970." => |s| vec![
            Sample { labels: Vec::new(), value: seconds(s.configuration.since.0) }];
    Gauge "wardtap_configuration_outdated" [] DAEMON,
        "1 while the running configuration is older than the file, since the last reload failed." => |s| {
            plain(u64::from(s.configuration.failed.is_some()))
        };
    Gauge "wardtap_interface_info" ["interface", "mode", "frags"] DAEMON,
        "Always 1; how the program is attached: mode driver or generic, frames in several buffers or not." => |s| {
            each(s, |one| sample([&one.attached.name, one.attached.mode.label(), yes(one.attached.frags)], 1))
        };
    Gauge "wardtap_interface_driver_mode" ["interface"] DAEMON,
        "1 if the driver runs the program, 0 if the network stack does (generic mode, slower)." => |s| {
            each(s, |one| sample([&one.attached.name], u64::from(one.attached.mode == Mode::Driver)))
        };
    Gauge "wardtap_interface_present" ["interface"] DAEMON,
        "0 while the interface is gone: it was taken away, and nothing is seen there until it is back." => |s| {
            each(s, |one| sample([&one.attached.name], u64::from(one.attached.present)))
        };
    Gauge "wardtap_interface_link" ["interface"] DAEMON,
        "1 while the interface is switched on and has a carrier." => |s| {
            each(s, |one| sample([&one.attached.name], u64::from(one.health.link)))
        };
    Gauge "wardtap_interface_packets_per_second" ["interface", "window"] DAEMON,
        "Packets a second, the mean of the last 10 s, minute and hour." => |s| by_rate(s, |rate| rate.packets);
    Gauge "wardtap_interface_bytes_per_second" ["interface", "window"] DAEMON,
        "Bytes a second, the mean of the last 10 s, minute and hour." => |s| by_rate(s, |rate| rate.bytes);
    Gauge "wardtap_interface_last_packet_time_seconds" ["interface"] DAEMON,
        "When the last packet came, in seconds since 1970, to the second; missing where none ever came." => |s| last_packets(s);
    Gauge "wardtap_mirror_condition" ["interface", "condition"] DAEMON,
        "1 while something is wrong with what the interface brings; docs/operating.md explains the conditions." => |s| {
            by_condition(s, |health, condition| {
                u64::from(health.standing.iter().any(|one| one.condition == condition))
            })
        };
    Counter "wardtap_mirror_conditions_total" ["interface", "condition"] DAEMON,
        "How often that began." => |s| {
            by_condition(s, |health, condition| health.begun.get(&condition).copied().unwrap_or(0))
        };
    Counter "wardtap_received_packets_total" ["interface"] KERNEL,
        "Packets that reached the program: the sum of wardtap_packets_total." => |s| {
            each(s, |one| sample([&one.attached.name], one.counters.get(Counter::Packets)))
        };
    Counter "wardtap_received_bytes_total" ["interface"] KERNEL,
        "Bytes of those packets, from the Ethernet header on." => |s| {
            each(s, |one| sample([&one.attached.name], one.counters.get(Counter::Bytes)))
        };
    Counter "wardtap_packets_total" ["interface", "disposition"] KERNEL,
        "Packets by what became of them; each packet counts once." => |s| {
            by_counter(s, Counter::DISPOSITIONS)
        };
    Counter "wardtap_layer_packets_total" ["interface", "layer"] KERNEL,
        "Packets by what they carried; a packet counts once for each that holds." => |s| {
            by_counter(s, Counter::LAYERS)
        };
    Counter "wardtap_tunnel_packets_total" ["interface", "tunnel"] KERNEL,
        "Packets unwrapped from a tunnel." => |s| {
            let tunnels = Tunnel::ALL.iter();
            named(s, &tunnels.map(|tunnel| (tunnel.counter(), tunnel.name())).collect::<Vec<_>>())
        };
    Counter "wardtap_tunnel_unread_packets_total" ["interface"] KERNEL,
        "Packets of a tunnel's port or protocol whose contents are not read; they count in the flow of the tunnel." => |s| {
            one_counter(s, Counter::TunnelUnread)
        };
    Gauge "wardtap_unread_packets" ["interface", "kind"] KERNEL,
        "Packets that carry no IP that could be read, by what they are: the eight most frequent kinds, which share their places when there are more." => |s| {
            s.interfaces.iter().flat_map(|one| {
                one.counters.unread.kinds().map(|(kind, packets)| {
                    sample([&one.attached.name, &unread::words(kind).to_string()], packets)
                })
            }).collect()
        };
    Counter "wardtap_layer7_problems_total" ["interface", "problem"] KERNEL,
        "Packets at which the kernel's layer-7 readers lacked something, or whose notice was withheld because there were too many." => |s| {
            by_counter(s, &layer7_problems())
        };
    Counter "wardtap_layer7_skipped_bytes_total" ["interface"] KERNEL,
        "Bytes of DICOM, HL7 or TLS connections that the layer-7 readers left out, whatever the reason." => |s| {
            one_counter(s, Counter::L7SkippedBytes)
        };
    Counter "wardtap_tcp_problems_total" ["interface", "problem"] KERNEL,
        "TCP segments that receivers discard, and what the sensor missed of TCP connections." => |s| by_counter(s, Counter::TCP);
    Counter "wardtap_flows_created_total" ["interface"] KERNEL,
        "Flow entries made." => |s| one_counter(s, Counter::FlowCreated);
    Counter "wardtap_flows_established_total" ["interface"] KERNEL,
        "Flows moved to the table of established flows, from which a flood can't evict them." => |s| {
            one_counter(s, Counter::FlowEstablished)
        };
    Counter "wardtap_flows_establish_refused_total" ["interface"] KERNEL,
        "Flows that could not be moved there because it was full or under pressure." => |s| {
            one_counter(s, Counter::EstablishRefused)
        };
    Counter "wardtap_flows_replaced_total" ["interface"] KERNEL,
        "Flows ended in the packet path because a new one took their key." => |s| {
            one_counter(s, Counter::FlowReplaced)
        };
    Counter "wardtap_flows_swept_total" [] DAEMON,
        "Flows that the sweeper ended and reported." => |s| plain(s.flows.swept);
    Counter "wardtap_flows_evicted_total" [] DAEMON,
        "Entries of new flows removed by the kernel to make room, unreported: created less swept, replaced and live, by the last complete sweep." => |s| plain(s.flows.evicted);
    Gauge "wardtap_flow_table_entries" ["table"] DAEMON,
        "Entries in the flow tables, by the last complete sweep." => |s| vec![
            sample(["established"], s.tables.established), sample(["fresh"], s.tables.fresh)];
    Gauge "wardtap_flow_table_capacity" ["table"] DAEMON,
        "Entries that the flow tables have room for." => |s| vec![
            sample(["established"], s.tables.established_capacity), sample(["fresh"], s.tables.fresh_capacity)];
    Gauge "wardtap_flow_table_pressure" [] DAEMON,
        "1 while the table of established flows is so full that only DICOM and HL7 flows may enter it." => |s| plain(u64::from(s.pressure));
    Counter "wardtap_ring_events_offered_total" ["interface", "kind"] KERNEL,
        "Events that the program offered to the ring buffer; received and lost make the same sum." => |s| {
            named(s, &[(Counter::FlowEvents, FLOW), (Counter::ChunkEvents, LAYER7)])
        };
    Counter "wardtap_ring_events_lost_total" ["interface", "kind"] KERNEL,
        "Events that the ring buffer, being full, did not take." => |s| {
            named(s, &[(Counter::FlowEventsLost, FLOW), (Counter::ChunkEventsLost, LAYER7)])
        };
    Counter "wardtap_ring_events_received_total" ["kind"] PIPELINE,
        "Events that the daemon read from the ring buffer and could decode." => |s| {
            let received = |account: RingAccount| account.received;
            vec![sample([FLOW], received(s.ring_flows())), sample([LAYER7], received(s.ring_chunks()))]
        };
    Counter "wardtap_ring_bad_records_total" ["reason"] PIPELINE,
        "Records of the ring buffer that could not be decoded." => |s| {
            let count = |label| s.pipeline.bad_records.get(label).copied().unwrap_or(0);
            DecodeError::LABELS.iter().map(|label| sample([label], count(*label))).collect()
        };
    Counter "wardtap_layer7_bytes_total" [] PIPELINE,
        "Bytes of protocol headers that the kernel let out." => |s| plain(s.pipeline.tape_bytes);
    Counter "wardtap_layer7_chunks_missed_total" ["reason"] PIPELINE,
        "Layer-7 events left out of their session: lost between two that came, unseen before the first, late or misplaced." => |s| {
            let p = &s.pipeline;
            vec![
                sample(["lost"], p.chunks_lost), sample(["unseen"], p.chunks_unseen),
                sample(["misplaced"], p.chunks_misplaced), sample(["late"], p.chunks_late),
                sample(["bad_tape"], p.bad_tapes),
            ]
        };
    Counter "wardtap_layer7_elements_dropped_total" ["reason"] PIPELINE,
        "Protocol elements left out." => |s| {
            let p = &s.pipeline;
            vec![
                sample(["incomplete"], p.elements_incomplete), sample(["oversize"], p.elements_oversize),
                sample(["malformed"], p.elements_malformed), sample(["late"], p.elements_late),
            ]
        };
    Counter "wardtap_layer7_desyncs_total" [] PIPELINE,
        "Places at which a session continues after the kernel's reader lost its position." => |s| plain(s.pipeline.desyncs);
    Counter "wardtap_layer7_skips_total" ["reason"] PIPELINE,
        "Places at which bytes of a session were not read, by reason; those that receivers leave out too among them." => |s| {
            Reason::ALL.iter().map(|one| sample([one.label()], s.pipeline.skips.get(one.label()).copied().unwrap_or(0))).collect()
        };
    Gauge "wardtap_sessions_open" [] PIPELINE,
        "Connections with DICOM, HL7 or TLS that are open." => |s| plain(s.pipeline.sessions_open);
    Counter "wardtap_sessions_opened_total" [] PIPELINE,
        "Connections with DICOM, HL7 or TLS so far." => |s| plain(s.pipeline.sessions_opened);
    Counter "wardtap_sessions_evicted_total" [] PIPELINE,
        "Of these, given up because they were too many." => |s| plain(s.pipeline.sessions_evicted);
    Counter "wardtap_sessions_total" ["protocol"] PIPELINE,
        "Sessions so far; a connection can carry several." => |s| by_protocol(s);
    Counter "wardtap_tls_connections_total" [] PIPELINE,
        "TLS connections so far." => |s| plain(s.pipeline.tls_connections);
    Counter "wardtap_dicom_associations_total" ["result"] PIPELINE,
        "DICOM associations that are over, by how they ended." => |s| counts(&s.tally.associations);
    Counter "wardtap_dicom_requests_total" ["command"] PIPELINE,
        "DICOM requests, counted when their association is over." => |s| counts(&s.tally.commands);
    Counter "wardtap_hl7_sessions_total" [] PIPELINE,
        "HL7 sessions so far." => |s| plain(s.pipeline.hl7_sessions);
    Counter "wardtap_hl7_messages_total" ["type"] PIPELINE,
        "HL7 messages by type, the first component of MSH-9; types that are not well known are 'other'." => |s| counts(&s.tally.messages);
    Counter "wardtap_hl7_acknowledgements_total" ["code"] PIPELINE,
        "HL7 acknowledgements by code, MSA-1." => |s| counts(&s.tally.acknowledgements);
    Gauge "wardtap_hosts" [] PIPELINE,
        "Hosts in the inventory." => |s| plain(s.pipeline.hosts);
    Counter "wardtap_hosts_evicted_total" [] PIPELINE,
        "Hosts dropped from the inventory because they were too many." => |s| plain(s.pipeline.hosts_evicted);
    Counter "wardtap_host_details_omitted_total" [] PIPELINE,
        "Details of hosts left out because they were too many." => |s| plain(s.pipeline.host_details_omitted);
    Counter "wardtap_live_flows_evicted_total" [] PIPELINE,
        "Running flows dropped from the look-back because they were too many." => |s| plain(s.pipeline.live_flows_evicted);
    Counter "wardtap_observations_lost_total" [] ANALYSIS,
        "Observations that did not get from the pipeline to the detectors, because they were too many at once." => |s| plain(s.unobserved);
    Counter "wardtap_findings_total" ["detector"] ANALYSIS,
        "Findings by detector, including exposures, without muted ones." => |s| {
            s.analysis.findings.iter().map(|(name, count)| sample([name], *count)).collect()
        };
    Counter "wardtap_findings_excepted_total" [] ANALYSIS,
        "Findings that were muted by exceptions." => |s| plain(s.analysis.alerts.excepted);
    Counter "wardtap_suspects_evicted_total" [] ANALYSIS,
        "What detectors forgot to make room for other things (suspects, pairs, addresses), as a flood of made-up source addresses causes it." => |s| plain(s.analysis.evicted);
    Counter "wardtap_alerts_evicted_total" [] ANALYSIS,
        "Alerts that are no longer listed because there were too many; those that matter least go first." => |s| plain(s.analysis.alerts.evicted);
    Counter "wardtap_alerts_total" ["severity"] ANALYSIS,
        "Alerts raised, by severity when they opened." => |s| by_severity(&s.analysis.alerts.raised);
    Counter "wardtap_alerts_suppressed_total" [] ANALYSIS,
        "Alerts of low and medium severity that are only listed, because the day's budget was used up." => |s| plain(s.analysis.alerts.suppressed_ever);
    Gauge "wardtap_alerts_open" ["severity"] ANALYSIS,
        "Raised alerts that are open, by their severity now." => |s| by_severity(&s.analysis.alerts.open);
    Counter "wardtap_incidents_total" [] ANALYSIS,
        "Incidents opened." => |s| plain(s.analysis.incidents.opened);
    Counter "wardtap_incidents_merged_total" [] ANALYSIS,
        "Incidents that became part of an older one." => |s| plain(s.analysis.incidents.merged);
    Counter "wardtap_incidents_evicted_total" [] ANALYSIS,
        "Incidents that are no longer listed because there were too many; those that matter least go first." => |s| plain(s.analysis.incidents.evicted);
    Counter "wardtap_incident_contacts_evicted_total" [] ANALYSIS,
        "Hosts with their users, AE titles and callers that the grouping of alerts forgot to make room for others." => |s| plain(s.analysis.incidents.forgotten);
    Gauge "wardtap_incidents_open" ["severity"] ANALYSIS,
        "Incidents that are open, by their severity now." => |s| by_severity(&s.analysis.incidents.open);
    Gauge "wardtap_alerts_doubtful" [] ANALYSIS,
        "Episodes that are followed and not sure enough to be told." => |s| plain(s.analysis.alerts.doubtful);
    Counter "wardtap_findings_excepted_high_total" [] ANALYSIS,
        "Muted findings that would have been of high or critical severity." => |s| plain(s.analysis.alerts.excepted_high);
    Gauge "wardtap_alert_exceptions" [] ANALYSIS,
        "Exceptions in force, made by people or by the label benign." => |s| plain(s.analysis.alerts.exceptions);
    Gauge "wardtap_alert_cases" ["verdict"] ANALYSIS,
        "Labelled alerts that are kept with their evidence." => |s| {
            let (benign, malicious) = s.analysis.cases;
            vec![sample(["benign"], benign), sample(["malicious"], malicious)]
        };
    Gauge "wardtap_baseline_devices" ["state"] ANALYSIS,
        "Devices with a baseline, by state: in their learning period, learned, or on hold (frozen) because an alert suspects them." => |s| {
            let census = &s.analysis.census;
            vec![sample(["learning"], census.learning), sample(["learnt"], census.learnt), sample(["frozen"], census.frozen)]
        };
    Counter "wardtap_baseline_devices_evicted_total" [] ANALYSIS,
        "Devices whose baseline was dropped because they were too many." => |s| plain(s.analysis.census.evicted);
    Gauge "wardtap_baseline_bytes" [] ANALYSIS,
        "Memory that the devices' baselines take." => |s| plain(s.analysis.census.bytes);
    Gauge "wardtap_baseline_site_learnt_ratio" [] ANALYSIS,
        "Share of the site's learning period that has passed; below 1, things that are merely new are not reported." => |s| vec![
            Sample { labels: Vec::new(), value: s.analysis.census.site_learnt }];
    Gauge "wardtap_analysis_failing" [] ANALYSIS,
        "1 while what was learned can't be written to the disk." => |s| plain(u64::from(s.analysis.failing.is_some()));
    Gauge "wardtap_rules" ["state"] RESPONSE,
        "Containment rules by state." => |s| {
            s.containment.rules.iter().map(|(state, count)| sample([state.label()], *count)).collect()
        };
    Gauge "wardtap_rules_effect" ["effect"] RESPONSE,
        "Containment rules that drop, by whether they were seen to work." => |s| {
            s.containment.effects.iter().map(|(verdict, count)| sample([verdict.label()], *count)).collect()
        };
    Gauge "wardtap_protected" [] RESPONSE,
        "Entries of the never-block list." => |s| plain(s.containment.protected);
    Counter "wardtap_resets_sent_total" [] RESPONSE,
        "TCP resets sent through the response interface." => |s| plain(s.containment.resets);
    Gauge "wardtap_interface_enforcing" ["interface"] KERNEL,
        "1 where rules drop (role inline), 0 where they can't (role mirror)." => |s| {
            each(s, |one| sample([&one.attached.name], u64::from(one.attached.inline)))
        };
    Counter "wardtap_audit_entries_total" [] RESPONSE,
        "Entries of the audit trail on the disk." => |s| plain(s.containment.trail_status.entries);
    Gauge "wardtap_audit_waiting" [] RESPONSE,
        "Entries of the audit trail that wait for the disk." => |s| plain(s.containment.trail_status.waiting);
    Counter "wardtap_audit_dropped_total" [] RESPONSE,
        "Entries of the audit trail that were dropped because too many waited." => |s| plain(s.containment.trail_status.dropped);
    Gauge "wardtap_audit_bytes" [] RESPONSE,
        "Bytes of all segments of the audit trail with their signatures." => |s| plain(s.containment.trail_status.check.bytes);
    Gauge "wardtap_audit_segments" ["state"] RESPONSE,
        "Older segments of the audit trail that were there at the start, by whether they were verified since." => |s| {
            let check = &s.containment.trail_status.check;
            vec![
                sample(["verified"], check.verified),
                sample(["unverified"], check.segments.saturating_sub(check.verified)),
            ]
        };
    Gauge "wardtap_audit_broken" [] RESPONSE,
        "1 if an older segment of the audit trail is missing or not what it was." => |s| plain(u64::from(s.containment.trail_status.check.flaw.is_some()));
    Counter "wardtap_audit_segments_removed_total" ["exported"] RESPONSE,
        "Segments of the audit trail that were removed because it had reached its largest size, by whether they were exported before." => |s| {
            let check = &s.containment.trail_status.check;
            vec![sample(["yes"], check.exported), sample(["no"], check.lost)]
        };
    Gauge "wardtap_audit_export_failing" [] RESPONSE,
        "1 while the oldest segment of the audit trail can't be exported, so that the trail grows." => |s| plain(u64::from(s.containment.trail_status.check.export_failing.is_some()));
    Gauge "wardtap_model_loaded" [] MODEL,
        "1 while flows are scored by an anomaly model, 0 while there is none or no runtime for it." => |s| plain(u64::from(s.model.model.is_some()));
    Gauge "wardtap_model_info" ["sha256", "trainer"] MODEL,
        "Always 1; the labels name the model in use." => |s| {
            s.model.model.iter().map(|about| sample([&about.sha256, &about.trainer], 1)).collect()
        };
    Counter "wardtap_model_flows_scored_total" [] MODEL,
        "Reports of flows that the model scored." => |s| plain(s.model.flows.scored);
    Counter "wardtap_model_flows_strange_total" [] MODEL,
        "Of these, with a p-value of 0.001 or less." => |s| plain(s.model.flows.strange);
    Counter "wardtap_model_flows_dropped_total" ["reason"] MODEL,
        "Reports of flows that were not scored: too many waited, there was no model, or it gave no sound score." => |s| {
            let flows = s.model.flows;
            vec![
                sample(["queue_full"], flows.queue_full), sample(["no_model"], flows.no_model),
                sample(["failed"], flows.failed),
            ]
        };
    Counter "wardtap_model_loads_total" [] MODEL,
        "Models put in use by hand: loaded, or the one before again." => |s| plain(s.model.loads);
    Counter "wardtap_model_refusals_total" [] MODEL,
        "Models that did not pass the gate." => |s| plain(s.model.refusals);
    Counter "wardtap_output_events_total" ["output"] OUTPUT,
        "Events delivered." => |s| by_output(s, |it| it.events);
    Counter "wardtap_output_bytes_total" ["output"] OUTPUT,
        "Bytes of events delivered." => |s| by_output(s, |it| it.bytes);
    Counter "wardtap_output_dropped_total" ["output", "reason"] OUTPUT,
        "Events that were not delivered, because the queue was full or writing failed." => |s| {
            let outputs = s.outputs.iter();
            outputs.flat_map(|it| [
                sample([it.name.as_str(), "queue_full"], it.dropped_queue_full),
                sample([it.name.as_str(), "write_error"], it.dropped_write_error),
            ]).collect()
        };
    Counter "wardtap_output_resent_total" ["output"] OUTPUT,
        "Events sent once more, since the connection to the receiver broke before it can have read them all." => |s| by_output(s, |it| it.resent);
    Counter "wardtap_output_errors_total" ["output"] OUTPUT,
        "Writes that failed." => |s| by_output(s, |it| it.errors);
    Gauge "wardtap_output_failing" ["output"] OUTPUT,
        "1 while events can't be delivered." => |s| by_output(s, |it| u64::from(it.failing.is_some()));
    Gauge "wardtap_store_bytes" ["part"] OUTPUT,
        "Bytes of the store: its database, and the files of flows (history)." => |s| of_store(s, |it| vec![
            sample(["database"], it.database_bytes),
            sample(["history"], it.history_bytes),
        ]);
    Gauge "wardtap_store_history_files" [] OUTPUT,
        "Files of flows." => |s| of_store(s, |it| plain(it.history_files));
    Gauge "wardtap_store_history_since_seconds" [] OUTPUT,
        "The hour that the oldest file of flows is of, in seconds since 1970." => |s| of_store(s, |it| {
            let since = it.history_since.iter();
            since.map(|time| Sample { labels: Vec::new(), value: seconds(time.0) }).collect()
        });
    Gauge "wardtap_store_flows_waiting" [] OUTPUT,
        "Flows in the store that are in no file yet." => |s| of_store(s, |it| plain(it.flows_waiting));
    Counter "wardtap_store_removed_total" ["kind"] OUTPUT,
        "What was removed from the store because of its age or for want of space: files of flows, rows of all others." => |s| {
            of_store(s, |it| it.removed.iter().map(|(kind, count)| sample([kind.as_str()], *count)).collect())
        };
    Gauge "wardtap_store_failing" [] OUTPUT,
        "1 while files of flows can't be written or old things not be removed." => |s| {
            of_store(s, |it| plain(u64::from(it.failing.is_some())))
        };
};

/// The counters of layer 7 that count packets; bytes have a metric of their own.
pub(super) fn layer7_problems() -> Vec<Counter> {
    let all = Counter::LAYER7.iter().copied();
    all.filter(|one| *one != Counter::L7SkippedBytes).collect()
}

fn by_protocol(snapshot: &Snapshot) -> Vec<Sample> {
    let names = Protocol::ALL
        .iter()
        .filter_map(|one| Some((one.name()?, *one)));
    names
        .map(|(name, protocol)| sample([name], snapshot.pipeline.sessions_of(protocol)))
        .collect()
}
