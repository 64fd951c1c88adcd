//! Promise 4: on a mirror a rule drops nothing, and every place where someone could think otherwise says so.
//! A rule that names one TCP connection ends it by resets, and no other.

use std::{
    env, fs,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    process::{self, Command},
    thread,
    time::Duration,
};

use anyhow::{Result, ensure};
use serde_json::Value;
use tests::{
    ability,
    hospital::{Hospital, Role},
    sensor::{Sensor, binary},
    wait::wait_for,
};

const LIMIT: Duration = Duration::from_secs(15);
const PORT: u16 = 22;

/// A connection from the workstation to an echo server on the EHR's host.
struct Session(TcpStream);

impl Session {
    fn open(hospital: &Hospital) -> Result<Self> {
        let to = SocketAddr::from((Role::Ehr.address(), PORT));
        let stream = hospital
            .host(Role::Workstation)
            .within(move || Ok(TcpStream::connect(to)?))?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        Ok(Self(stream))
    }

    fn goes_on(&mut self) -> bool {
        let mut line = [0; 3];
        self.0.write_all(b"ls\n").is_ok() && self.0.read_exact(&mut line).is_ok()
    }
}

fn serve(hospital: &Hospital) -> Result<()> {
    let at = SocketAddr::from((Role::Ehr.address(), PORT));
    let listener = hospital
        .host(Role::Ehr)
        .within(move || Ok(TcpListener::bind(at)?))?;
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || {
                let (mut read, mut write) = (&stream, &stream);
                std::io::copy(&mut read, &mut write)
            });
        }
    });
    Ok(())
}

#[test]
fn a_mirror_says_that_nothing_is_dropped_and_resets_what_a_rule_names() -> Result<()> {
    if !ability::hospital() {
        return Ok(());
    }
    let folder = env::temp_dir().join(format!("wardtap-mirror-{}", process::id()));
    let hospital = Hospital::build("wardtap-mirr")?;
    hospital.response()?;
    serve(&hospital)?;
    let mut sensor = Sensor::start_responding(&hospital, &folder)?;
    ensure!(
        sensor.log().contains("this sensor cannot block: mirror0"),
        "the log does not say it"
    );

    let mut sessions = [Session::open(&hospital)?, Session::open(&hospital)?];
    ensure!(
        sessions.iter_mut().all(Session::goes_on),
        "the sessions work"
    );

    // A device: nothing happens, and add, list, status, metrics and the trail say so.
    let device = Role::Workstation.address().to_string();
    let words = add(&sensor, &["--device", &device])?;
    ensure!(words.contains("cannot block"), "{words}");
    let list = wait_for("the rule to be seen not to work", LIMIT, || {
        sessions.iter_mut().all(Session::goes_on).then_some(())?;
        let list = sensor.ask_json(&["rules", "list"]).ok()?;
        (list["items"][0]["effect"]["verdict"] == "not_effective").then_some(list)
    })?;
    ensure!(list["items"][0]["hits"]["packets"] == 0, "{list}");
    let status = sensor.ask_json(&["status"])?;
    let warnings = status["warnings"].to_string();
    ensure!(
        warnings.contains("cannot block") && warnings.contains("does not contain its target"),
        "{warnings}"
    );
    let metrics = sensor.metrics(hospital.sensor())?;
    for line in [
        "wardtap_interface_enforcing{interface=\"mirror0\"} 0",
        "wardtap_rules_effect{effect=\"not_effective\"} 1",
        "wardtap_rules{state=\"enabled\"} 1",
    ] {
        ensure!(metrics.contains(line), "{line} is not in {metrics}");
    }
    sensor.ask(&["rules", "release-all"])?;

    // One connection: it ends, the other goes on.
    let flow = format!(
        "tcp,{},{}",
        sessions[0].0.local_addr()?,
        sessions[0].0.peer_addr()?
    );
    let words = add(&sensor, &["--flow", &flow])?;
    ensure!(words.contains("TCP resets through response0"), "{words}");
    wait_for("the connection to end", LIMIT, || {
        (!sessions[0].goes_on()).then_some(())
    })?;
    ensure!(sessions[1].goes_on(), "another connection was cut");
    let list = wait_for("the rule to be seen to work", LIMIT, || {
        let list = sensor.ask_json(&["rules", "list"]).ok()?;
        (list["items"][0]["effect"]["verdict"] == "effective").then_some(list)
    })?;
    println!("{}", list["items"][0]["effect"]["detail"]);
    let mut again = Session::open(&hospital)?;
    ensure!(
        again.goes_on() && sessions[1].goes_on(),
        "another connection was cut"
    );
    let trail = fs::read_to_string(sensor.trail())?;
    let reset = trail
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find(|entry| entry["action"] == "reset");
    let reset = reset.map_or(0, |entry| entry["packets"].as_u64().unwrap_or(0));
    ensure!((1..=64).contains(&reset), "{reset} resets in the trail");

    sensor.stop()?;
    ensure!(
        !hospital
            .sensor()
            .ip(&["-d", "link", "show", "mirror0"])?
            .contains("xdp"),
        "at a mirror nothing is left behind"
    );
    drop(sensor);
    fs::remove_dir_all(folder)?;
    Ok(())
}

/// What `wardtap rules add` says to a person.
fn add(sensor: &Sensor, target: &[&str]) -> Result<String> {
    let output = Command::new(binary()?)
        .args(["rules", "add", "--reason", "test", "--ttl", "10m"])
        .args(target)
        .env("WARDTAP_SOCKET", sensor.socket())
        .output()?;
    ensure!(output.status.success(), "{output:?}");
    Ok(String::from_utf8_lossy(&output.stderr).into_owned())
}
