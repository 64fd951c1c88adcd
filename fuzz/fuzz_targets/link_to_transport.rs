//! Frames of any bytes, from the link header to the flow.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sensor_common::packet::Layer;
use wardtap_fuzz::Rig;

fuzz_target!(|data: &[u8]| {
    let mut rig = Rig::default();
    let mut rest = data;
    while let [layer, length, tail @ ..] = rest {
        let (frame, tail) = tail.split_at(usize::from(*length).min(tail.len()));
        rest = tail;
        let first = if layer & 1 == 0 {
            Layer::Ethernet
        } else {
            Layer::Ip
        };
        rig.frame(frame, first, layer >> 1);
    }
    rig.finish();
});
