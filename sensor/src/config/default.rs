//! The default configuration as a person reads it.

/// A configuration that says the defaults, with what each is for.
pub const DEFAULT: &str = r#"# Wardtap's configuration. Every value here is the default; what is left out has it too.

# The interfaces to listen on: span (mirror) ports. Or name them with `wardtap run --interface`.
#[[interface]]
#name = "eth1"
#mode = "auto"              # auto: driver mode where the driver has it, else generic; driver; generic
#role = "mirror"            # the interface receives copies of the traffic

[flow]
# Flows seen in both directions, or of DICOM or HL7. Nothing is evicted from this table; 664 bytes an entry.
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
