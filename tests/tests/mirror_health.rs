//! A mirror that brings nothing, or too little, or the wrong things, is told within 30 seconds: as a warning of `status`, a
//! metric, an event and a line of the log; and so is its end.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use etherparse::PacketBuilder;
use serde_json::Value;
use tests::{ability::privileged, reading::events, site::Site, wait::wait_for};

/// Within this time something that is wrong has to be told.
const TOLD: Duration = Duration::from_secs(30);
const CONFIG: &str = "\
[mirror]
silence = \"3s\"
network_silence = \"4s\"
warm_up = \"5s\"
";
const DATA: &[u8] = b"what they say";

/// What the mirror brings.
#[derive(Clone, Copy)]
struct Traffic {
    /// VLANs in which four addresses talk, by twos.
    vlans: &'static [u8],
    /// Both sides of each conversation.
    both: bool,
    /// Bytes that are cut off at the end of each frame.
    cut: usize,
}

const ALL: Traffic = Traffic {
    vlans: &[10, 20, 30, 40],
    both: true,
    cut: 0,
};

struct Mirror {
    site: Site,
    round: u32,
}

impl Mirror {
    fn start(name: &str) -> Result<Self> {
        let site = Site::start(name, CONFIG)?;
        Ok(Self { site, round: 1 })
    }

    /// A packet of each side of 5 conversations of each two.
    fn talk(&mut self, traffic: Traffic) -> Result<()> {
        for vlan in traffic.vlans {
            for (pair, port) in (0..2_u8).flat_map(|pair| (0..5_u16).map(move |port| (pair, port)))
            {
                let [a, b] = [1, 2].map(|last| [10, 1, *vlan, pair * 2 + last]);
                let ports = (40_000 + port, 80);
                self.segment(*vlan, (a, b), ports, traffic.cut)?;
                if traffic.both {
                    self.segment(*vlan, (b, a), (ports.1, ports.0), traffic.cut)?;
                }
            }
        }
        self.round += 1;
        Ok(())
    }

    fn segment(
        &mut self,
        vlan: u8,
        (from, to): ([u8; 4], [u8; 4]),
        ports: (u16, u16),
        cut: usize,
    ) -> Result<()> {
        let size = u32::try_from(DATA.len())?;
        let mut frame = Vec::new();
        PacketBuilder::ethernet2([2, 0, 0, 0, vlan, from[3]], [2, 0, 0, 0, vlan, to[3]])
            .single_vlan(u16::from(vlan).try_into()?)
            .ipv4(from, to, 64)
            .tcp(ports.0, ports.1, self.round * size, 1_000)
            .ack(self.round * size)
            .write(&mut frame, DATA)?;
        frame.truncate(frame.len() - cut);
        self.site.frame(&frame)
    }

    /// Brings this for some time.
    fn bring(&mut self, traffic: Traffic, time: Duration) -> Result<()> {
        let begin = Instant::now();
        while begin.elapsed() < time {
            self.talk(traffic)?;
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// What `status` says of the condition, if it holds.
    fn standing(&self, condition: &str) -> Option<Value> {
        let status = self.site.json(&["status"]).ok()?;
        let conditions = status["interfaces"][0]["conditions"].as_array()?.clone();
        let mut found = conditions.into_iter();
        found.find(|one| one["condition"] == condition)
    }

    fn metric(&self, name: &str, condition: &str) -> Option<f64> {
        let metrics = self.site.metrics().ok()?;
        let key = format!("{name}{{interface=\"span0\",condition=\"{condition}\"}}");
        metrics.get(&key).copied()
    }

    /// The event of its begin or its end.
    fn event(&self, condition: &str, change: &str) -> Option<Value> {
        let events = events(&self.site.folder.path.join("events.jsonl")).ok()?;
        let mut found = events
            .into_iter()
            .rev()
            .filter(|event| event["event_type"] == "mirror");
        found.find(|event| {
            event["mirror"]["condition"] == condition && event["mirror"]["change"] == change
        })
    }

    /// Waits until the condition is told everywhere, while this is brought; when it is said to have begun.
    fn told(&mut self, condition: &str, words: &str, traffic: Option<Traffic>) -> Result<String> {
        let begin = Instant::now();
        let since = wait_for(condition, TOLD, || {
            if let Some(traffic) = traffic {
                self.talk(traffic).ok()?;
            }
            let since = self.standing(condition)?["since"].as_str()?.to_owned();
            let event = self.event(condition, "began")?;
            let metric = self.metric("wardtap_mirror_condition", condition)?;
            (metric > 0.5 && event["mirror"]["since"] == since.as_str()).then_some(since)
        })
        .with_context(|| self.site.daemon.log())?;
        println!("{condition}: told after {:?}", begin.elapsed());
        let status = String::from_utf8(self.site.cli(&["status"])?.stdout)?;
        let warning = status.lines().find(|line| line.contains(words));
        let warning = warning.with_context(|| format!("{words} is not in {status}"))?;
        ensure!(
            warning.contains("span0: ")
                && warning.contains(", since ")
                && warning.contains(". Check "),
            "{warning}"
        );
        let log = self.site.daemon.log();
        ensure!(
            log.lines()
                .any(|line| line.contains("WARN") && line.contains(words)),
            "{log}"
        );
        let times = self.metric("wardtap_mirror_conditions_total", condition);
        ensure!(times.is_some_and(|times| times > 0.5), "{times:?}");
        Ok(since)
    }

    /// Waits until its end is told everywhere, while all is brought.
    fn ended(&mut self, condition: &str) -> Result<()> {
        wait_for(&format!("the end of {condition}"), 3 * TOLD, || {
            self.talk(ALL).ok()?;
            let event = self.event(condition, "ended")?;
            let over = self.standing(condition).is_none()
                && self.metric("wardtap_mirror_condition", condition)? < 0.5;
            (over && event["mirror"]["until"].is_string()).then_some(())
        })
        .with_context(|| self.site.daemon.log())
    }
}

#[test]
fn a_dead_link_and_a_dead_mirror_are_told_also_after_a_restart() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let mut mirror = Mirror::start("dead")?;
    mirror.bring(ALL, Duration::from_secs(8))?;
    let status = mirror.site.json(&["status"])?;
    ensure!(status["interfaces"][0]["conditions"].is_null(), "{status}");
    // 80 packets each 50 ms at most.
    let rate = status["interfaces"][0]["rates"][0].clone();
    ensure!(
        rate["window"] == "10s" && rate["packets"].as_f64() > Some(100.0),
        "{rate}"
    );

    mirror.site.plug(false)?;
    mirror.told("link_down", "there is no link", None)?;
    mirror.site.plug(true)?;
    mirror.ended("link_down")?;

    let since = mirror.told("silent", "no packet has come for", None)?;
    // The rate is that of now.
    let status = mirror.site.status_when("no rate", |status| {
        status["interfaces"][0]["rates"][0]["packets"].as_f64() < Some(0.1)
    })?;
    ensure!(
        status["interfaces"][0]["rates"][2]["packets"].as_f64() > Some(10.0),
        "{status}"
    );
    mirror.site.restart()?;
    let after = wait_for("the silence after a restart", TOLD, || {
        mirror.standing("silent")
    })?;
    ensure!(after["since"] == since.as_str(), "{after}, not {since}");
    mirror.ended("silent")?;

    mirror.site.cut()?;
    mirror.told("gone", "the interface was taken away", None)?;
    Ok(())
}

#[test]
fn one_direction_is_told() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let mut mirror = Mirror::start("oneway")?;
    mirror.bring(ALL, Duration::from_secs(3))?;
    ensure!(mirror.standing("one_direction").is_none());
    // New conversations, of which the mirror has lost a side.
    let one = Traffic {
        vlans: &[50, 60, 70, 80],
        both: false,
        ..ALL
    };
    mirror.told("one_direction", "in one direction only", Some(one))?;
    mirror.ended("one_direction")
}

#[test]
fn half_of_the_vlans_gone_is_told() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let mut mirror = Mirror::start("vlans")?;
    mirror.bring(ALL, Duration::from_secs(10))?;
    ensure!(mirror.standing("network_vanished").is_none());
    let half = Traffic {
        vlans: &[10, 30],
        ..ALL
    };
    let words = "nothing comes from VLAN 20, VLAN 40, 10.1.20.0/24, 10.1.40.0/24";
    mirror.told("network_vanished", words, Some(half))?;
    mirror.ended("network_vanished")
}

#[test]
fn frames_that_are_cut_are_told() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let mut mirror = Mirror::start("snaplen")?;
    mirror.bring(ALL, Duration::from_secs(3))?;
    ensure!(mirror.standing("truncated").is_none());
    let cut = Traffic { cut: 5, ..ALL };
    mirror.told(
        "truncated",
        "are cut before the end of what their IP header says",
        Some(cut),
    )?;
    Ok(())
}
