//! What a packet costs in the kernel: nanoseconds by `BPF_PROG_TEST_RUN`, beside two references in the
//! same run. Run by `cargo xtask bench`, which builds the object that `WARDTAP_BENCH_OBJECT` names.

use std::{env, error::Error, fs, time::Duration};

use etherparse::{PacketBuilder, PacketBuilderStep, TcpHeader};
use sensor_common::{counter::Counter, rule::RuleState, settings::Settings};
use sensor_facts::{
    rule::Scope,
    target::{Service, Target, Transport},
};
use sensor_kernel::{Clock, Options, Place, RuleOrder, TableSizes, TestBench};

/// Runs of a program in a round, and rounds. The programs take turns, so that a slow moment of the
/// machine meets all of them; what a program costs when nothing else runs is the least of many short rounds.
const REPEAT: u32 = 50_000;
const ROUNDS: usize = 70;
/// The first cases are references.
const REFERENCES: usize = 3;
/// Offset of the low byte of the source port.
const SOURCE_PORT: usize = 35;

struct Case {
    name: &'static str,
    program: &'static str,
    frame: Vec<u8>,
    clock: Clock,
    repeat: u32,
    /// In the path, with so many rules of other devices; `None`: at a mirror.
    rules: Option<u32>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = env::var("WARDTAP_BENCH_OBJECT")
        .map_err(|_| "WARDTAP_BENCH_OBJECT is not set: run `cargo xtask bench`")?;
    let object = fs::read(&path).map_err(|error| format!("{path}: {error}"))?;
    // Names in part: of these cases alone, beside the references.
    let wanted: Vec<String> = env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    let mut cases = cases();
    let measured = cases.split_off(REFERENCES);
    cases.extend(measured.into_iter().filter(|case| {
        wanted.is_empty() || wanted.iter().any(|part| case.name.contains(part.as_str()))
    }));
    let mut benches = cases
        .iter()
        .map(|case| load(&object, case))
        .collect::<Result<Vec<_>, _>>()?;
    let mut times = vec![Vec::new(); cases.len()];
    for round in 0..ROUNDS {
        for ((case, bench), times) in cases.iter().zip(&mut benches).zip(&mut times) {
            bench.ring.drain(usize::MAX, |_| {});
            // A connection of its own for each run: a run begins with the frame's own sequence number.
            let mut frame = case.frame.clone();
            frame[SOURCE_PORT] = u8::try_from(round)?;
            times.push(nanoseconds(bench.run(&frame, 0, case.repeat)?));
        }
    }
    let medians: Vec<_> = times.iter_mut().map(|times| median(times)).collect();
    let (empty, counter) = (medians[0], medians[1]);
    let least = |times: &[f64]| times.iter().copied().fold(f64::INFINITY, f64::min);
    let least_counter = least(&times[1]);
    println!(
        "{:<44} {:>7} {:>7} {:>16} {:>8}",
        "program", "ns", "least", "of the counter", "least"
    );
    for ((case, times), median) in cases.iter().zip(&times).zip(&medians) {
        let least = least(times);
        println!(
            "{:<44} {median:>7.1} {least:>7.1} {:>15.2}x {:>7.2}x",
            case.name,
            median / counter,
            least / least_counter
        );
    }
    for (case, bench) in cases.iter().zip(&benches) {
        let counters = bench.counters()?;
        let shown: Vec<_> = Counter::ALL
            .iter()
            .filter(|counter| counters.get(**counter) > 0)
            .map(|counter| format!("{} {}", counter.label(), counters.get(*counter)))
            .collect();
        if env::var_os("WARDTAP_BENCH_COUNTERS").is_some() {
            println!("{}: {}", case.name, shown.join(", "));
        }
    }
    println!(
        "\nThe harness's own share is the empty program's {empty:.1} ns; ratios are of whole cost."
    );
    Ok(())
}

fn load(object: &[u8], case: &Case) -> Result<TestBench, Box<dyn Error>> {
    let place = if case.rules.is_some() {
        Place::Inline
    } else {
        Place::Mirror
    };
    let mut bench = TestBench::load_from(object, case.program, &options(case.clock), place)?;
    // A third each of devices, services and pairs, and a hundred subnets: every table is looked up.
    for number in 0..case.rules.unwrap_or(0) {
        let [_, high, middle, low] = number.to_be_bytes();
        let address = [100, high, middle, low].into();
        let service = Service {
            transport: Transport::Tcp,
            port: 104,
        };
        let target = match number % 3 {
            _ if number % 100 == 0 => Target::Subnet {
                subnet: format!("101.{middle}.{low}.0/24").parse()?,
            },
            0 => Target::Device { address },
            1 => Target::Service { address, service },
            _ => Target::Pair {
                a: [99, high, middle, low].into(),
                b: address,
                service: None,
            },
        };
        bench.rules.put(&RuleOrder {
            id: u64::from(number) + 1,
            target: &target,
            scope: Scope::All,
            state: RuleState::Enabled,
            sticky: false,
            expires: u64::MAX,
            clinical: &[],
        })?;
    }
    bench.rules.beat(0, u64::MAX)?;
    Ok(bench)
}

fn options(clock: Clock) -> Options {
    let tables = TableSizes {
        established4: 65_536,
        established6: 64,
        fresh4: 65_536,
        fresh6: 64,
    };
    Options {
        clock,
        settings: Settings::DEFAULT,
        ..TestBench::options(tables, 1 << 20)
    }
}

fn cases() -> Vec<Case> {
    let data = tcp(&[0x55; 46]);
    let opening = opening();
    let case = |name, program, frame: &[u8], clock, repeat| Case {
        name,
        program,
        frame: frame.to_vec(),
        clock,
        repeat,
        rules: None,
    };
    let inline = |name, program, frame, rules| Case {
        rules: Some(rules),
        ..case(name, program, frame, Clock::Coarse, REPEAT)
    };
    vec![
        case(
            "empty, XDP_PASS",
            "reference_empty",
            &data,
            Clock::Precise,
            REPEAT,
        ),
        case(
            "smallest flow counter",
            "reference_counter",
            &data,
            Clock::Precise,
            REPEAT,
        ),
        case(
            "the same by words",
            "reference_words",
            &data,
            Clock::Precise,
            REPEAT,
        ),
        case(
            "established TCP flow, coarse clock",
            "sensor_next_segment",
            &data,
            Clock::Coarse,
            REPEAT,
        ),
        case(
            "established TCP flow, precise clock",
            "sensor_next_segment",
            &data,
            Clock::Precise,
            REPEAT,
        ),
        case(
            "new flow",
            "sensor_new_flow",
            &opening,
            Clock::Coarse,
            REPEAT,
        ),
        inline(
            "established, in the path, no rule",
            "sensor_next_segment",
            &data,
            0,
        ),
        inline(
            "established, in the path, 10,000 rules",
            "sensor_next_segment",
            &data,
            10_000,
        ),
        inline(
            "new flow, in the path, no rule",
            "sensor_new_flow",
            &opening,
            0,
        ),
        inline(
            "new flow, in the path, 10,000 rules",
            "sensor_new_flow",
            &opening,
            10_000,
        ),
        case(
            "DICOM association request, 279 bytes",
            "sensor_next_segment",
            &tcp(&association_request()),
            Clock::Coarse,
            REPEAT,
        ),
        case(
            "HL7 ADT message, 512 bytes",
            "sensor_next_segment",
            &tcp(&hl7_message()),
            Clock::Coarse,
            REPEAT,
        ),
    ]
}

fn tcp(payload: &[u8]) -> Vec<u8> {
    frame(|segment| segment.ack(1), payload)
}

/// The SYN that opens a connection.
fn opening() -> Vec<u8> {
    frame(PacketBuilderStep::syn, &[])
}

fn frame(
    flags: impl FnOnce(PacketBuilderStep<TcpHeader>) -> PacketBuilderStep<TcpHeader>,
    payload: &[u8],
) -> Vec<u8> {
    let segment = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
        .ipv4([10, 1, 0, 1], [10, 2, 0, 1], 64)
        .tcp(40_000, 11_112, 1_000, 65_535);
    let mut frame = Vec::new();
    flags(segment)
        .write(&mut frame, payload)
        .unwrap_or_else(|error| panic!("building a frame: {error}"));
    frame
}

/// An A-ASSOCIATE-RQ with three presentation contexts (PS3.8 section 9.3.2).
fn association_request() -> Vec<u8> {
    let item = |kind: u8, body: &[u8]| {
        let mut item = vec![kind, 0];
        item.extend(u16::try_from(body.len()).unwrap_or(0).to_be_bytes());
        item.extend(body);
        item
    };
    let mut body = vec![0, 1, 0, 0];
    body.extend(format!("{:<16}{:<16}", "ARCHIVE", "MODALITY1").bytes());
    body.extend([0; 32]);
    body.extend(item(0x10, b"1.2.840.10008.3.1.1.1"));
    for id in [1, 3, 5] {
        let mut context = vec![id, 0, 0, 0];
        context.extend(item(0x30, b"1.2.840.10008.1.1"));
        context.extend(item(0x40, b"1.2.840.10008.1.2"));
        body.extend(item(0x20, &context));
    }
    let user = [
        item(0x51, &[0, 0, 64, 0]),
        item(0x52, b"1.2.276.0.7230010.3.0.3.6.7"),
    ]
    .concat();
    body.extend(item(0x50, &user));
    let mut pdu = vec![1, 0];
    pdu.extend(u32::try_from(body.len()).unwrap_or(0).to_be_bytes());
    pdu.extend(body);
    pdu
}

fn hl7_message() -> Vec<u8> {
    let mut message = b"\x0bMSH|^~\\&|ADT1|HOSPITAL|LAB|HOSPITAL|20261123120000||ADT^A01^ADT_A01|\
        MSG00001|P|2.5.1\rEVN|A01|20261123120000\rPID|1||"
        .to_vec();
    message.resize(509, b'7');
    message.extend(b"\r\x1c\r");
    message
}

fn nanoseconds(mean: Duration) -> f64 {
    mean.as_secs_f64() * 1e9
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
