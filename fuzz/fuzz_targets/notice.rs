//! What hosts say of themselves: ARP, DHCP, multicast DNS of any bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| wardtap_fuzz::say(data));
