//! The default configuration as a person reads it.

/// A configuration that says the defaults, with what each is for.
pub const DEFAULT: &str = r#"# Wardtap's configuration. Every value here is the default; what is left out has it too.

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
# A flow without a packet for longer is over: open TCP, all else, closed TCP.
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
# What a device does in this time from the first start on is its normal work.
learning = "1d"
# Clinical traffic counts as learnt when it was first seen so long ago.
clinical_after = "1d"
# Devices with a mode of their own; the first group that has a device counts.
#[[containment.group]]
#name = "guests"
#members = ["10.9.0.0/16"]
#mode = "automatic"

[detect]
# Refused or unanswered connection attempts to so many ports and hosts in this time are a scan.
scan_targets = 20
scan_within = "1m"
# So many pairs of AE titles that were not recognised in this time are guessing.
ae_rejects = 5
ae_rejects_within = "1m"

[response]
#interface = "eth2"         # TCP resets for what mirrors show are sent through it; without it none are

[state]
directory = "/var/lib/wardtap"
pins = "/sys/fs/bpf/wardtap"   # programs and rules, on the BPF file system

[output.json]
path = "/var/lib/wardtap/events.jsonl"   # - is standard output
max_queue = 65536           # events that may wait for a slow disk; what comes beyond is dropped and counted
stats_interval = "8s"

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
        assert_eq!(Config::parse(DEFAULT), Ok(Config::default()));
    }

    #[test]
    fn what_is_shown_can_be_read() {
        let mut config = Config::default();
        config.flow.idle_tcp = "90s".parse().expect("a span");
        assert_eq!(Config::parse(&config.to_toml()), Ok(config));
    }
}
