//! Promise 2: what the ring buffer does not take is counted. Offered = received + lost, exactly.

use etherparse::PacketBuilder;
use sensor_common::counter::Counter;
use sensor_kernel::{TableSizes, TestBench};
use sensor_sessions::pipeline::{Pipeline, PipelineOptions};

const MESSAGE: &[u8] = b"\x0bMSH|^~\\&|A|B|C|D|20260101||ADT^A01|1|P|2.5\rPID|1\r\x1c\r";

#[test]
fn offered_is_received_plus_lost() {
    let tables = TableSizes {
        established4: 1_024,
        established6: 64,
        fresh4: 1_024,
        fresh6: 64,
    };
    // The smallest ring there is: a page.
    let mut bench = TestBench::load(&TestBench::options(tables, 4_096)).unwrap();
    let mut pipeline = Pipeline::new(PipelineOptions::default());
    let mut events = Vec::new();
    let mut received = 0;
    for number in 0..5_000_u32 {
        let port = 40_000 + u16::try_from(number % 7).unwrap();
        let sequence = number / 7 * u32::try_from(MESSAGE.len()).unwrap();
        let mut frame = Vec::new();
        PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
            .ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64)
            .tcp(port, 2_575, sequence, 1_000)
            .ack(1)
            .write(&mut frame, MESSAGE)
            .unwrap();
        bench.run(&frame, u64::from(number) * 1_000_000, 1).unwrap();
        // The reader comes by too seldom.
        if number % 100 == 99 {
            received += bench.ring.drain(usize::MAX, |record| {
                pipeline.ring_record(record, &mut events);
            });
        }
    }
    received += bench.ring.drain(usize::MAX, |record| {
        pipeline.ring_record(record, &mut events);
    });
    let counters = bench.counters().unwrap();
    let offered = counters.get(Counter::FlowEvents) + counters.get(Counter::ChunkEvents);
    let lost = counters.get(Counter::FlowEventsLost) + counters.get(Counter::ChunkEventsLost);
    assert_eq!(
        counters.get(Counter::ChunkEvents),
        5_000,
        "each message is one chunk"
    );
    assert!(lost > 0, "nothing was lost: the test shows nothing");
    assert_eq!(offered, received as u64 + lost, "offered = received + lost");

    // What was lost is known to the sessions too, chunk by chunk, once the connections end.
    bench
        .flows
        .drain(|item| {
            let reason = sensor_sessions::pipeline::FlowEndReason::Shutdown;
            pipeline.flow_ended(&item.key, &item.flow, reason, &mut events);
        })
        .unwrap();
    pipeline.finish(&mut events);
    let stats = pipeline.stats();
    assert_eq!(stats.records, received as u64);
    assert_eq!(
        stats.chunks_lost + stats.chunks_unseen,
        counters.get(Counter::ChunkEventsLost),
        "chunks that the sessions miss"
    );
}
