//! Observations that the detectors get.

use super::wire::Wire;
use crate::pipeline::PipelineOptions;
use sensor_facts::observation::What;

fn refusals(wire: &mut Wire) -> usize {
    let seen = wire.pipeline.take_observations();
    let refused = seen
        .iter()
        .filter(|one| matches!(one.what, What::ConnectionRefused));
    refused.count()
}

#[test]
fn a_refused_connection_is_told_at_once_and_only_once() {
    let options = PipelineOptions {
        observe: true,
        ..PipelineOptions::default()
    };
    let mut wire = Wire::new(options.clone());
    wire.refuse();
    assert_eq!(refusals(&mut wire), 1, "at once");
    wire.finish();
    assert_eq!(refusals(&mut wire), 0, "and once more when it is over");

    // Where the record of its end was lost, the end of its flow still reports it.
    let mut wire = Wire::new(options);
    wire.lost = (0..10).collect();
    wire.refuse();
    assert_eq!(refusals(&mut wire), 0);
    wire.finish();
    assert_eq!(refusals(&mut wire), 1);
}
