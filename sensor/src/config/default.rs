//! The default configuration as a person reads it.

use sensor_analysis::detect;

/// A configuration that says the defaults, with what each is for.
#[must_use]
pub fn default_text() -> String {
    TEXT.replace("[detect]\n", &detect::default_toml())
}

/// What it says, but for the thresholds, which the detectors declare.
const TEXT: &str = r#"# Wardtap's configuration. Every value here is the default; what is left out has it too.

# The interfaces to listen on: span (mirror) ports. Or name them with `wardtap run --interface`.
#[[interface]]
#name = "eth1"
#mode = "auto"              # auto: driver mode where the driver has it, else generic; driver; generic
#role = "mirror"            # mirror: receives copies, a rule drops nothing there; inline: in the path, rules drop

[flow]
# Flows seen in both directions, or of DICOM or HL7. Nothing is evicted from this table; 696 bytes an entry.
established = 65536
established_ipv6 = 16384
# New flows. Under a flood the least recently used make room.
fresh = 65536
fresh_ipv6 = 16384
# A flow without a packet for longer is over: open TCP, all but TCP, TCP that was closed or never answered.
idle_tcp = "1h"
idle_other = "2m"
idle_closed = "10s"
# A flow that goes on is reported each time this has passed.
active = "5m"

[ring]
size = "8MiB"               # between kernel and daemon; a power of two

[clock]
source = "precise"          # or coarse: about a tenth cheaper a packet, times in ticks of 1 to 10 ms

[protocol]
# What TLS at these ports likely carries; a hint, and named as one in events.
dicom_tls_ports = [2762]
hl7_tls_ports = [2575, 6661]

[containment]
# What may be done about a finding: observe (say what would be done), propose (a person approves),
# automatic (within the limits below).
mode = "observe"
# What no rule ever blocks, beside `wardtap protect`: addresses, Ethernet addresses, subnets.
protect = []
# automatic waits for a second finding of another kind, within this time of the first.
second_finding = true
second_within = "10m"
# Limits of what is done by itself: rules at once, rules a minute, share of a subnet's known devices.
max_rules = 20
max_rules_per_minute = 5
max_subnet_percent = 10
# How long a device's first rule lasts, its second, ...
ttl = ["10m", "1h", "4h", "1d"]
# After a person lifted a rule, its target is left alone for so long.
cool_down = "1h"
# Beyond this loss in the last minute nothing is done by itself.
max_loss_percent = 1
# Without the daemon for longer, all rules but sticky ones pass.
heartbeat = "30s"
# Clinical traffic counts as learnt when it was first seen so long ago.
clinical_after = "1d"
# Devices with a mode of their own; the first group that has a device counts.
#[[containment.group]]
#name = "guests"
#members = ["10.9.0.0/16"]
#mode = "automatic"

[baseline]
# What a device does in this time from when it was first seen is its usual.
learning = "7d"
# Later, something new is usual when it was first seen so long ago.
settle = "1d"
# When a device is suspected, what was learnt of it in the time before is forgotten, and nothing is learnt for a while.
doubt = "1h"
freeze = "1h"
devices = 100000            # at most; about 11 kB each with all that is kept of it

[detect]

[alert]
confidence = 0.5            # least, 0 to 1
quiet = "1h"                # an alert is over when nothing was added to it for so long
budget = 10                 # low and medium alerts a day for each 1,000 devices; high and critical ones always come
exception = "30d"           # how long the label "benign" excepts

[model]
enabled = true              # flows are scored by an anomaly model, where there is one and a runtime for it
# The model until `wardtap model load` puts another in use; without it /usr/lib/wardtap/models/flow-v1.onnx
#path = "/etc/wardtap/site.onnx"
# The ONNX Runtime; without it ORT_DYLIB_PATH, /usr/lib/wardtap/libonnxruntime.so, the system's
#runtime = "/opt/onnxruntime/lib/libonnxruntime.so"
trusted_keys = []           # ed25519 public keys, hex: a model has to be signed with one of them

[response]
#interface = "eth2"         # TCP resets for what mirrors show are sent through it; without it none are

[state]
directory = "/var/lib/wardtap"
pins = "/sys/fs/bpf/wardtap"   # programs and rules, on the BPF file system

[store]
# What was seen and done, for reports and people, in the state directory: store.sqlite and files of flows.
enabled = true
max_queue = 65536           # events that may wait for a slow disk; what comes beyond is dropped and counted
# How long flows are kept; sessions of DICOM, HL7 and TLS; counters; who talked to whom, by the hour.
flows = "30d"
sessions = "90d"
statistics = "90d"
contacts = "366d"
# Findings, alerts, rules and what people and policy did; documentation is to be kept for six years
# (45 CFR 164.316(b)(2)(i)). It is never removed for want of space.
alerts = "2192d"
max_size = "20GiB"          # beyond it the oldest go: first flows, then sessions, counters, contacts

[output.json]
path = "/var/lib/wardtap/events.jsonl"   # - is standard output
rotate_size = "256MiB"      # before it has more, it becomes events.jsonl.1, that .2, ...; or off
keep = 8                    # rotated files
max_queue = 65536           # events that may wait for a slow disk; what comes beyond is dropped and counted
stats_interval = "8s"

# Alerts as OCSF Detection Findings, a line each.
#[output.ocsf]
#path = "/var/lib/wardtap/alerts.ocsf.jsonl"

# Receivers of syslog, as many as you like; docs/outputs.md says what is promised.
#[[output.syslog]]
#name = "siem"              # in status and metrics
#address = "siem.example:6514"
#transport = "tls"          # or tcp, in clear text
#format = "cef"             # cef, json, ocsf
#events = ["alert", "audit"]    # cef has finding, too; json all types; ocsf alert alone
#facility = "local0"
#ca = "/etc/wardtap/siem-ca.pem"     # without it the system's authorities
#server_name = "siem.example"        # of the receiver's certificate; without it that of the address
#certificate = "/etc/wardtap/sensor.pem"   # where the receiver demands one
#key = "/etc/wardtap/sensor.key"
#max_queue = 8192           # events that may wait while it is slow or gone; what comes beyond is dropped and counted

[metrics]
enabled = true
listen = "127.0.0.1:9641"

[control]
socket = "/run/wardtap/control.sock"
group = "wardtap"           # may use the socket beside root

[log]
level = "info"              # error, warn, info, debug, trace
format = "text"             # or json
"#;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn the_default_text_says_the_defaults() {
        assert_eq!(Config::parse(&default_text()), Ok(Config::default()));
    }

    #[test]
    fn the_default_text_has_every_threshold() {
        let text = default_text();
        for one in detect::thresholds() {
            let line = format!("\n{} = {}\n", one.key, one.default);
            assert!(text.contains(&line), "{}", one.key);
        }
        assert!(text.contains("\noff = []\n") && text.contains("\ninside = []\n"));
    }

    #[test]
    fn what_is_shown_can_be_read() {
        let mut config = Config::default();
        config.flow.idle_tcp = "90s".parse().expect("a span");
        assert_eq!(Config::parse(&config.to_toml()), Ok(config));
    }
}
