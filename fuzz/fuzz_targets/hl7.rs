//! A connection that carries HL7, cut and broken at will.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| wardtap_fuzz::converse(data));
