//! Outputs as they are at their receivers: syslog over TCP and TLS, with receivers that are slow, gone or dying, and OCSF
//! against the published schema. No privilege is needed: all is on the loopback.

mod ocsf;
mod receiver;
mod tcp;
mod tls;

use std::{
    env, fs,
    net::TcpListener,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use sensor_facts::event::EventType;
use sensor_facts::{event::Event, time::Time};
use sensor_output::{
    Endpoint, Facility, FileOptions, Format, Output, OutputOptions, OutputStats, SyslogOptions,
    Target, TlsOptions,
};
use tests::wait::wait_for;

/// Time for what takes milliseconds on a machine with nothing else to do.
const LIMIT: Duration = Duration::from_secs(30);

/// A folder of a test's own, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn create(name: &str) -> Result<Self> {
        let path = env::temp_dir().join(format!("wardtap-outputs-{name}-{}", std::process::id()));
        fs::create_dir_all(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A port at which nobody listens.
fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// A receiver of JSON at a port of this host.
fn syslog(port: u16, queue: usize) -> SyslogOptions {
    SyslogOptions {
        name: "siem".to_owned(),
        endpoint: Endpoint {
            host: "localhost".to_owned(),
            port,
        },
        tls: None,
        format: Format::Json,
        events: vec![EventType::Stats, EventType::Alert],
        facility: Facility::default(),
        queue,
    }
}

fn over_tls(port: u16, tls: TlsOptions) -> SyslogOptions {
    SyslogOptions {
        tls: Some(tls),
        ..syslog(port, 1 << 16)
    }
}

/// Both the file of JSON lines and the receiver.
fn start(folder: &Path, syslog: SyslogOptions) -> Result<Output> {
    let json = FileOptions {
        target: Target::File(folder.join("events.jsonl")),
        rotation: None,
        queue: 1 << 17,
    };
    Ok(Output::start(&OutputOptions {
        json,
        ocsf: None,
        syslog: vec![syslog],
    })?)
}

/// What the receiver's lane did so far.
fn stats(output: &Output) -> OutputStats {
    let all = output.handle().stats();
    all.into_iter().nth(1).expect("a lane of the receiver")
}

/// Waits until the receiver's lane is as it should be.
fn when(output: &Output, what: &str, is: impl Fn(&OutputStats) -> bool) -> Result<OutputStats> {
    wait_for(what, LIMIT, || {
        let stats = stats(output);
        is(&stats).then_some(stats)
    })
    .with_context(|| format!("{:?}", stats(output)))
}

fn close(output: Output) -> (OutputStats, OutputStats) {
    let mut all = output.close(Instant::now() + LIMIT).into_iter();
    (all.next().expect("a lane"), all.next().expect("a lane"))
}

/// An event that has a number.
fn numbered(number: u64) -> Event {
    Event::stats(Time(0), [("n".to_owned(), number)].into())
}

/// A real-looking alert about a device that is suspected or the victim.
fn alert(device: &str, victim: &str, more: &str) -> Event {
    let finding = format!(
        r#""time":"2025-11-27T00:00:00Z","confidence":0.8,"subject":"{device}","victims":["{victim}"],"victim_count":1,
        "evidence":"evidence | of = \\ ü","wrong_if":"w""#
    );
    let text = format!(
        r#"{{"timestamp":"2025-11-27T00:00:01Z","v":2,"event_type":"alert","alert":{{"id":7,"device":"{device}","confidence":0.96,
        "title":"evidence | of = \\ ü","opened":"2025-11-27T00:00:00Z","updated":"2025-11-27T00:00:01Z",
        "techniques":["T1557.002","T1046"],"finding_count":2,"check":["scan: wrong if w"],
        "findings":[{{"id":1,"detector":"scan","technique":"T1046","basis":"behaviour","service":{{"transport":"tcp","port":104}},
        "connection":["{device_end}","{victim_end}"],{finding}}},
        {{"id":2,"detector":"unusual","technique":"T1557.002","basis":"statistics",
        "features":[{{"feature":"bytes","value":9,"usual":1,"range":[0,2]}}],{finding}}}]{more}}}}}"#,
        device_end = end(device, 40_000),
        victim_end = end(victim, 104),
    );
    serde_json::from_str(&text).expect("an alert")
}

fn end(address: &str, port: u16) -> String {
    let address = address.parse().expect("an address");
    std::net::SocketAddr::new(address, port).to_string()
}
